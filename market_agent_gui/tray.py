"""The tray: mode in a word, STOP, the window, and the end."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from market_agent_gui.mode_frame import account_tail
from market_agent_gui.translate import say
from widgets.theme import current_theme

SEVERITY = {
    "info": QSystemTrayIcon.MessageIcon.Information,
    "warn": QSystemTrayIcon.MessageIcon.Warning,
    "bad": QSystemTrayIcon.MessageIcon.Critical,
}


def draw_icon(role: str = "focus") -> QIcon:
    """Draw the program's sign: three candles, the middle one in the book's colour."""
    icon = QIcon()
    theme = current_theme()
    for size in (16, 24, 32, 48, 64, 128):
        pixmap = QPixmap(size, size)
        pixmap.fill(QColor(0, 0, 0, 0))
        painter = QPainter(pixmap)
        unit = size / 16
        for x, top, height, colour in ((2, 6, 7, "t2"), (7, 2, 10, role), (12, 5, 6, "t2")):
            brush = theme.color(colour)
            painter.fillRect(round(x * unit), round(top * unit), max(1, round(3 * unit)), round(height * unit), brush)
            middle = round((x + 1) * unit)
            painter.fillRect(middle, round((top - 1) * unit), max(1, round(unit)), round((height + 3) * unit), brush)
        painter.end()
        icon.addPixmap(pixmap)
    return icon


class Tray(QObject):
    """Shown only where the desktop has a tray."""

    stop_pressed = Signal()
    show_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.icon: QSystemTrayIcon | None = None
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        self.icon = QSystemTrayIcon(draw_icon(), self)
        self._menu = QMenu()
        self._stop = self._action("■ STOP", self.stop_pressed)
        self._show = self._action("Show the window", self.show_wanted)
        self._quit = self._action("Quit…", self.quit_wanted)
        self.icon.setContextMenu(self._menu)
        self.icon.activated.connect(self._on_activated)
        self.icon.show()

    @property
    def available(self) -> bool:
        return self.icon is not None

    def _action(self, title: str, signal: Signal) -> QAction:
        action = self._menu.addAction(say(title))
        action.triggered.connect(lambda: signal.emit())
        return action

    def show_book(self, book: str, account: str) -> None:
        """Name the book in the tip, colour the sign."""
        if self.icon is not None:
            self.icon.setToolTip(" · ".join(filter(None, ("Market Agent", say(book.upper()), account_tail(account)))))
            self.icon.setIcon(draw_icon(current_theme().mode_role(book) if book else "focus"))

    def tell(self, severity: str, title: str, text: str) -> bool:
        """Show a notification of the desktop; False where there is none."""
        if self.icon is None or not QSystemTrayIcon.supportsMessages():
            return False
        self.icon.showMessage(title, text, SEVERITY.get(severity, SEVERITY["info"]))
        return True

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.show_wanted.emit()
