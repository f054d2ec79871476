"""A line that tells of something and goes by itself."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.paint import TEXTS
from widgets.theme import current_theme

STAYS_MS = 10_000


class PassingNote(QWidget):
    """Hidden while there is nothing to tell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._timer = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """What it tells, or told last."""
        return self._text

    def tell(self, text: str) -> None:
        """Show a text for ten seconds."""
        self._text = text
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setVisible(bool(text))
        self.update()
        self._timer.start()

    def sizeHint(self) -> QSize:
        return QSize(0, current_theme().px(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg2"))
        painter.fillRect(0, 0, theme.px(3), self.height(), theme.color("focus"))
        shown = TEXTS.elided(theme, self._text, self.width() - theme.px(24))
        TEXTS.draw(painter, theme, theme.px(12), self.height() / 2, shown, theme.color("t1"))
        painter.end()
