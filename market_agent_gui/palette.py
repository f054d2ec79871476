"""The palette: every action, symbol, suggestion, workspace and typed order, found by a few letters."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from market_agent_gui.actions import key_text
from market_agent_gui.translate import say
from widgets.theme import current_theme
from widgets.words import keep_said

SHOWN = 14
ROW_PX = 28
FRAME_PX = 64
"""The line and the margins around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that can be chosen."""

    title: str
    group: str
    do: Callable[[], object]
    key: str = ""
    words: str = ""
    """Further words that find it, never shown."""


def rank(query: str, entry: Entry) -> int | None:
    """Return how well an entry fits (smaller is better), ``None`` when it does not: every word must be found."""
    title = entry.title.casefold()
    hay = f"{title} {entry.group} {entry.words}".casefold()
    words = query.casefold().split()
    if not all(word in hay for word in words):
        return None
    joined = " ".join(words)
    if title == joined:
        return 0
    if title.startswith(joined):
        return 1
    return 2 if all(word in title for word in words) else 3


def find(query: str, entries: Iterable[Entry], count: int = SHOWN) -> list[Entry]:
    """Return the entries that fit best."""
    ranked = [
        (score, number, entry) for number, entry in enumerate(entries) if (score := rank(query, entry)) is not None
    ]
    ranked.sort(key=lambda found: found[:2])
    return [entry for _, _, entry in ranked[:count]]


class _Line(QStyledItemDelegate):
    """Title on the left, group in grey, key on the right; plain text, never elided keys."""

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        return QSize(0, current_theme().px(ROW_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        theme = current_theme()
        option.widget.style().drawPrimitive(
            option.widget.style().PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        rect = option.rect.adjusted(12, 0, -12, 0)
        painter.save()
        painter.setFont(theme.font(13))
        painter.setPen(theme.color("t1"))
        key = key_text(entry.key)
        right = painter.fontMetrics().horizontalAdvance(key) if key else 0
        middle = Qt.AlignmentFlag.AlignVCenter
        title_rect = rect.adjusted(0, 0, -right - 12, 0)
        painter.drawText(title_rect, middle | Qt.AlignmentFlag.AlignLeft, entry.title)
        used = painter.fontMetrics().horizontalAdvance(entry.title) + 12
        painter.setPen(theme.color("t3"))
        painter.setFont(theme.font(11))
        painter.drawText(title_rect.adjusted(used, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, entry.group)
        painter.setFont(theme.font(13))
        painter.setPen(theme.color("t2"))
        painter.drawText(rect, middle | Qt.AlignmentFlag.AlignRight, key)
        painter.restore()


class Palette(QFrame):
    """A line and a list over the window. Esc or a click elsewhere closes it."""

    ran = Signal(str)
    """Title of what was chosen."""

    def __init__(self, parent: QWidget, source: Callable[[str], list[Entry]]) -> None:
        """``source(query)`` returns all entries; it is asked at every letter."""
        super().__init__(parent)
        self.setObjectName("palette")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self._source = source
        self._symbols: Callable[[str], list[Entry]] | None = None
        """Where the entries come from while only symbols are asked for."""
        self._before: QWidget | None = None
        self.line = QLineEdit()
        self.list = QListWidget()
        self.list.setItemDelegate(_Line(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.nothing = QLabel()
        self.nothing.setTextFormat(Qt.TextFormat.PlainText)
        self.nothing.setProperty("role", "secondary")
        self.nothing.setMargin(current_theme().px(8))
        self.nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.line)
        column.addWidget(self.list)
        column.addWidget(self.nothing)
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self._run())
        keep_said(self, self._say)
        self.hide()

    def _say(self) -> None:
        words = say("Find an action, a symbol or a suggestion, or type an order")
        if self._symbols is not None:
            words = say("Symbol: its first letters, then Enter")
        self.line.setAccessibleName(words)
        self.list.setAccessibleName(say("What was found"))
        self.line.setPlaceholderText(words)

    def open(
        self, text: str = "", before: QWidget | None = None, symbols: Callable[[str], list[Entry]] | None = None
    ) -> None:
        """Show it over the window's middle, with a text already typed; with ``symbols``, only what that finds."""
        self._before, self._symbols = before, symbols
        self._say()
        theme, parent = current_theme(), self.parentWidget()
        width = min(theme.px(640), parent.width() - 40)
        self.setGeometry((parent.width() - width) // 2, theme.px(88), width, theme.px(ROW_PX * SHOWN + FRAME_PX))
        self.line.setText(text)
        self._fill(text)
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)
        self.line.end(False)

    def close_palette(self) -> None:
        before, self._before = self._before, None
        # Let go first: Qt would hand the focus of what is hidden to the next control in line, which is STOP.
        self.line.clearFocus()
        self.hide()
        if before is not None and isValid(before):
            before.activateWindow()
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    def _fill(self, query: str) -> None:
        self.list.clear()
        found = self._symbols(query) if self._symbols is not None else find(query, self._source(query))
        for entry in found:
            item = QListWidgetItem(entry.title)
            item.setData(Qt.ItemDataRole.UserRole, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.title}, {entry.group} {entry.key}".strip())
            self.list.addItem(item)
        if found:
            self.list.setCurrentRow(0)
        self.list.setVisible(bool(found))
        self.nothing.setVisible(not found)
        if not found:
            asked = query.strip()
            self.nothing.setText(
                say("Nothing is called “{query}”", query=asked) if asked else say("There are no symbols yet")
            )
        # As high as what it shows: an empty box looks as if something were still to come.
        theme = current_theme()
        self.resize(self.width(), theme.px(ROW_PX * max(1, len(found)) + FRAME_PX))

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        entry: Entry = item.data(Qt.ItemDataRole.UserRole)
        self.close_palette()
        entry.do()
        self.ran.emit(entry.title)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_palette()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._run()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.list.count():
            step = 1 if key == Qt.Key.Key_Down else -1
            self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
        else:
            return False
        return True
