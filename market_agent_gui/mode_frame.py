"""Whose money it is, around every window: LIVE solid red, PAPER hatched, REPLAY dotted. Words say it too."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDockWidget, QWidget

from widgets.theme import current_theme

FRAME_PX = 3
LINE_PX = 4


class BookLine(QWidget):
    """The strip under the title bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._book = ""
        self.setFixedHeight(LINE_PX)

    def show_book(self, book: str) -> None:
        self._book = book
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        if not self._book:
            painter.fillRect(self.rect(), theme.color("hair"))
        else:
            colour = theme.color(theme.mode_role(self._book))
            if self._book == "live":
                painter.fillRect(self.rect(), colour)
            else:
                painter.fillRect(self.rect(), theme.color("bg0"))
                style = Qt.BrushStyle.BDiagPattern if self._book == "paper" else Qt.BrushStyle.Dense4Pattern
                _stripes(painter, self.width(), self.height(), QBrush(colour, style), self._book == "paper")
        painter.end()


def _stripes(painter: QPainter, width: int, height: int, brush: QBrush, slanted: bool) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(brush.color(), 5 if slanted else 2))
    step = 12 if slanted else 6
    for x in range(-height, width + height, step):
        painter.drawLine(x, height + 2, x + (height + 4 if slanted else 0), -2)


class ModeFrame(QWidget):
    """Three solid pixels around a window while the book is LIVE; lets the mouse through."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._live = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        window.installEventFilter(self)
        self._fit()

    def show_book(self, book: str) -> None:
        """Show the frame for ``live``, take it away for anything else."""
        self._live = book == "live"
        window = self.parentWidget()
        margin = FRAME_PX if self._live else 0
        window.setContentsMargins(margin, margin, margin, margin)
        self._fit()

    @property
    def live(self) -> bool:
        return self._live

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.ChildAdded, QEvent.Type.ParentChange):
            self._fit()
        return False

    def _fit(self) -> None:
        window = self.parentWidget()
        shown = self._live and not (isinstance(window, QDockWidget) and not window.isFloating())
        self.setVisible(shown)
        if shown:
            self.setGeometry(window.rect())
            self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = current_theme().color("live")
        w, h = self.width(), self.height()
        for x, y, dx, dy in (
            (0, 0, w, FRAME_PX),
            (0, h - FRAME_PX, w, FRAME_PX),
            (0, 0, FRAME_PX, h),
            (w - FRAME_PX, 0, FRAME_PX, h),
        ):
            painter.fillRect(x, y, dx, dy, colour)
        painter.end()


def account_tail(account: str) -> str:
    """Return an account as shown on strips and buttons: ``DU…567``."""
    letters = "".join(character for character in account if character.isalpha())
    digits = account[len(letters) :]
    return f"{letters}…{digits[-3:]}" if len(digits) > 3 else account
