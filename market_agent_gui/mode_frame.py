"""Whose money it is, around every window: LIVE solid red, PAPER hatched, REPLAY dotted. Words say it too."""

from PySide6.QtCore import QEvent, QMargins, QObject, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

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
        painter = QPainter(self)
        _line(painter, self.width(), self.height(), self._book)
        painter.end()


def _line(painter: QPainter, width: int, height: int, book: str) -> None:
    theme = current_theme()
    if not book:
        painter.fillRect(0, 0, width, height, theme.color("hair"))
        return
    colour = theme.color(theme.mode_role(book))
    if book == "live":
        painter.fillRect(0, 0, width, height, colour)
        return
    painter.fillRect(0, 0, width, height, theme.color("bg0"))
    style = Qt.BrushStyle.BDiagPattern if book == "paper" else Qt.BrushStyle.Dense4Pattern
    painter.save()
    painter.setClipRect(0, 0, width, height)
    _stripes(painter, width, height, QBrush(colour, style), book == "paper")
    painter.restore()


def _stripes(painter: QPainter, width: int, height: int, brush: QBrush, slanted: bool) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(brush.color(), 5 if slanted else 2))
    step = 12 if slanted else 6
    for x in range(-height, width + height, step):
        painter.drawLine(x, height + 2, x + (height + 4 if slanted else 0), -2)


class ModeFrame(QWidget):
    """Three solid pixels around a window while the book is LIVE, a hatched or dotted line over one that has no other.

    Lets the mouse through. A dock has it only while it is a window of its own.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._book = ""
        self._has_line = not isinstance(window, QMainWindow)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        window.installEventFilter(self)
        self._fit()

    def show_book(self, book: str) -> None:
        """Show whose money it is: paper, live, replay, or empty while that is not known."""
        self._book = book
        self._fit()
        self.update()

    @property
    def live(self) -> bool:
        return self._book == "live"

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.ChildAdded, QEvent.Type.ParentChange):
            self._fit()
        return False

    def _fit(self) -> None:
        window = self.parentWidget()
        apart = not isinstance(window, QDockWidget) or window.isFloating()
        shown = apart and (self.live or bool(self._book and self._has_line))
        sides = FRAME_PX if shown and self.live else 0
        top = LINE_PX if shown and not self.live else sides
        wanted = QMargins(sides, top, sides, sides)
        if window.contentsMargins() != wanted:
            window.setContentsMargins(wanted)
        self.setVisible(shown)
        if shown:
            self.setGeometry(window.rect())
            self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self.live:
            _line(painter, self.width(), LINE_PX, self._book)
            painter.end()
            return
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
