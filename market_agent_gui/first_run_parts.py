"""What the first steps are made of: the list of pages, rows to choose from, keys in their caps."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from widgets.paint import TEXTS
from widgets.theme import current_theme

STEP_PX = 36
MARK_PX = 10


class Steps(QWidget):
    """The pages: those behind have a tick, the present one is marked. A click goes to a page."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._at = 0
        self._head = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_steps(self, head: str, names: Sequence[str], at: int) -> None:
        """Show ``names`` with the page ``at`` marked, under one line."""
        self._head, self._names, self._at = head, tuple(names), at
        self.setAccessibleName(f"{head}: {self._names[at]}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = current_theme()
        widest = max((TEXTS.width(theme, name, 13, 600) for name in self._names), default=0)
        return QSize(max(theme.px(216), round(widest) + theme.px(72)), theme.px(40 + STEP_PX * len(self._names)))

    def _row(self, number: int) -> QRectF:
        theme = current_theme()
        return QRectF(theme.px(8), theme.px(40 + STEP_PX * number), self.width() - theme.px(16), theme.px(STEP_PX))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for number in range(len(self._names)):
            if self._row(number).contains(event.position()):
                self.chosen.emit(number)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        TEXTS.draw(painter, theme, theme.px(24), theme.px(20), self._head, theme.color("t2"))
        for number, name in enumerate(self._names):
            row, now = self._row(number), number == self._at
            if now:
                painter.fillRect(row, theme.color("bg2"))
                painter.fillRect(QRectF(row.left(), row.top(), 2, row.height()), theme.color("focus"))
            middle, radius = row.center().y(), theme.px(MARK_PX)
            centre = QPointF(row.left() + theme.px(26), middle)
            painter.setPen(QPen(theme.color("focus" if now else "t3"), 1))
            painter.setBrush(theme.color("focus") if now else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius - 0.5, radius - 0.5)
            role = "on_focus" if now else "t2"
            mark = "✓" if number < self._at else str(number + 1)
            TEXTS.draw(painter, theme, centre.x(), middle, mark, theme.color(role), weight=600, align="centre")
            left = centre.x() + radius + theme.px(12)
            ink, weight = theme.color("t1" if now else "t2"), 600 if now else 400
            TEXTS.draw(painter, theme, left, middle, name, ink, pixels=13, weight=weight)
        painter.end()


class Choice(QFrame):
    """A row of a list to choose from: a button or title, and words in columns under their headings."""

    pressed = Signal()

    def __init__(self, title: QWidget, columns: Sequence[tuple[str, str]]) -> None:
        """``columns`` are (words, role of the label)."""
        super().__init__()
        theme = current_theme()
        self.setProperty("role", "choice")
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.px(12), theme.px(10), theme.px(12), theme.px(10))
        grid.setHorizontalSpacing(theme.px(24))
        grid.setVerticalSpacing(theme.px(4))
        grid.addWidget(title, 0, 0, 1, max(1, len(columns)))
        for number, (words, role) in enumerate(columns):
            label = QLabel(words)
            label.setWordWrap(True)
            label.setProperty("role", role)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setIndent(theme.px(24) if number == 0 else 0)
            grid.addWidget(label, 1, number, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(number, 1)

    def mark(self, chosen: bool) -> None:
        """Show whether it is the chosen one."""
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()


def note(text: str) -> QLabel:
    """Return a sentence that holds whatever is chosen."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("role", "note")
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def key_table(rows: Sequence[tuple[str, str]], columns: int = 2) -> QWidget:
    """Return (key, what it does) in columns, the keys in their caps."""
    table = QWidget()
    across = QHBoxLayout(table)
    across.setContentsMargins(0, 0, 0, 0)
    across.setSpacing(current_theme().px(32))
    height = -(-len(rows) // columns)
    for first in range(0, len(rows), height):
        grid = QGridLayout()
        grid.setHorizontalSpacing(current_theme().px(12))
        grid.setVerticalSpacing(current_theme().px(6))
        for number, (key, text) in enumerate(rows[first : first + height]):
            cap = QLabel(key)
            cap.setProperty("role", "keycap")
            cap.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(cap, number, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(QLabel(text), number, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout()
        column.addLayout(grid)
        column.addStretch(1)
        across.addLayout(column, 1)
    return table
