"""What an empty pane says: what will appear here, and the one key or button that makes it happen."""

import math

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.key_button import KeyButton
from widgets.paint import TEXTS
from widgets.theme import current_theme

HINT_PX = 400


class EmptyState(QWidget):
    """Title, one sentence, and at most one button."""

    wanted = Signal()

    def __init__(
        self, title: str = "", hint: str = "", action: str = "", key: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._title, self._hint = title, hint
        self.button: KeyButton | None = None
        box = QVBoxLayout(self)
        box.addStretch(3)
        box.addSpacing(current_theme().px(84))
        if action:
            self.button = KeyButton(action, key)
            self.button.clicked.connect(self.wanted)
            box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addStretch(2)
        self.set_words(title, hint)

    def set_words(self, title: str, hint: str = "") -> None:
        """Change what it says: what is being loaded, how far."""
        self._title, self._hint = title, hint
        self.setAccessibleName(f"{title}. {hint}".strip(". "))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(current_theme().px(240), current_theme().px(120))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        middle = self.height() / 2 - theme.px(20)
        TEXTS.draw(
            painter,
            theme,
            self.width() / 2,
            middle,
            TEXTS.elided(theme, self._title, self.width() - theme.px(24), 13, 600),
            theme.color("t2"),
            pixels=13,
            weight=600,
            align="centre",
        )
        painter.setFont(theme.font(12))
        painter.setPen(theme.color("t3"))
        # Two lines of like length read better than a wide one and a lone word.
        wide = min(self.width() - theme.px(24), theme.px(HINT_PX))
        whole = TEXTS.width(theme, self._hint, 12)
        if wide > 0 and whole > wide:
            wide = min(wide, round(whole / math.ceil(whole / wide) * 1.12) + theme.px(24))
        room = QRectF((self.width() - wide) / 2, middle + theme.px(10), wide, theme.px(48))
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, self._hint)
        painter.end()
