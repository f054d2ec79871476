"""The tray: mode in a word, STOP, the window, and the end."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from market_agent_gui.mode_frame import account_tail
from market_agent_gui.translate import say
from widgets.words import keep_said

SEVERITY = {
    "info": QSystemTrayIcon.MessageIcon.Information,
    "warn": QSystemTrayIcon.MessageIcon.Warning,
    "bad": QSystemTrayIcon.MessageIcon.Critical,
}


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
        self.icon = QSystemTrayIcon(QApplication.windowIcon(), self)
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
        action = self._menu.addAction("")
        keep_said(action, lambda: action.setText(say(title)))
        action.triggered.connect(lambda: signal.emit())
        return action

    def show_book(self, book: str, account: str, sign: QIcon) -> None:
        """Name the book in the tip, show the sign in its colour."""
        if self.icon is not None:
            self.icon.setToolTip(" · ".join(filter(None, ("Market Agent", say(book.upper()), account_tail(account)))))
            self.icon.setIcon(sign)

    def tell(self, severity: str, title: str, text: str) -> bool:
        """Show a notification of the desktop; False where there is none."""
        if self.icon is None or not QSystemTrayIcon.supportsMessages():
            return False
        self.icon.showMessage(title, text, SEVERITY.get(severity, SEVERITY["info"]))
        return True

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.show_wanted.emit()
