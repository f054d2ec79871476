"""Prints of one symbol as they trade: at the ask ▲, at the bid ▼."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api.frames import TapePrint
from widgets import formats
from widgets.cells import NEW_YORK, clock_text
from widgets.paint import TEXTS, draw_mark
from widgets.pane_head import PaneHead
from widgets.theme import current_theme
from widgets.throttle import Throttle
from widgets.words import keep_said, tr

KEEP = 2000
_MINUTE_NS = 60_000_000_000


class _Prints(QWidget):
    """The painted list, newest on top; scrolled back it stands still."""

    price_clicked = Signal(float)

    def __init__(self, zone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zone = zone
        self.tick = Decimal("0.01")
        self.symbol = ""
        self.prints: deque[TapePrint] = deque(maxlen=KEEP)
        self.least = 0.0
        self.back = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        keep_said(self, lambda: self.setAccessibleName(tr("Tape")))

    def shown(self) -> list[TapePrint]:
        """Return the prints on screen, newest first."""
        rows = max(1, self.height() // current_theme().px(20))
        wanted = [item for item in reversed(self.prints) if item.size >= self.least]
        self.back = max(0, min(self.back, len(wanted) - rows))
        return wanted[self.back : self.back + rows]

    def scroll_by(self, rows: int) -> None:
        self.back = max(0, self.back + rows)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.scroll_by(-1 * event.angleDelta().y() // 40)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
        if event.key() == Qt.Key.Key_Home:
            self.back = 0
            self.update()
        elif Qt.Key(event.key()) in steps:
            self.scroll_by(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // current_theme().px(20)
        shown = self.shown()
        if 0 <= row < len(shown):
            self.price_clicked.emit(shown[row].price)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        rows = self.shown()
        if not rows:
            words = tr("No prints yet") if self.symbol else tr("Choose a symbol to see its prints")
            TEXTS.draw(painter, theme, self.width() / 2, self.height() / 2, words, theme.color("t3"), align="centre")
        height = theme.px(20)
        price_x = self.width() * 0.72
        for number, item in enumerate(rows):
            middle = number * height + height / 2
            role = "up" if item.aggressor > 0 else "down" if item.aggressor < 0 else "t2"
            TEXTS.draw(painter, theme, theme.px(12), middle, clock_text(item.ts, self.zone), theme.color("t3"))
            text = formats.price(item.price, self.tick)
            width = TEXTS.draw(painter, theme, price_x, middle, text, theme.color(role), align="right")
            if item.aggressor:
                draw_mark(painter, theme, price_x - width - theme.px(11), middle, role)
            size = formats.quantity(item.size)
            TEXTS.draw(painter, theme, self.width() - theme.px(12), middle, size, theme.color("t1"), align="right")
        if self.back:
            words = tr("{n} newer ↑ Home", n=self.back)
            width = TEXTS.width(theme, words, 11, 600) + theme.px(12)
            painter.fillRect(round(self.width() - width), 0, round(width), theme.px(18), theme.color("focus"))
            TEXTS.draw(
                painter,
                theme,
                self.width() - theme.px(6),
                theme.px(9),
                words,
                theme.color("on_focus"),
                pixels=11,
                weight=600,
                align="right",
            )
        painter.end()


class Tape(QWidget):
    """Time and sales of one symbol."""

    price_clicked = Signal(float)

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = PaneHead()
        self.list = _Prints(zone)
        self.list.price_clicked.connect(self.price_clicked)
        self.throttle = Throttle(self._refresh, 50, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.head)
        box.addWidget(self.list, 1)
        self.setFocusProxy(self.list)
        self._refresh()

    def set_symbol(self, symbol: str, tick: Decimal = Decimal("0.01")) -> None:
        """Show another symbol; its tape starts empty."""
        if symbol != self.list.symbol:
            self.list.prints.clear()
            self.list.back = 0
        self.list.symbol, self.list.tick = symbol, tick
        self._refresh()

    def set_least_size(self, size: float) -> None:
        """Hide prints below a size."""
        self.list.least = size
        self._refresh()

    def add(self, prints: Iterable[TapePrint]) -> None:
        """Take new prints, oldest first; those of other symbols are passed over."""
        added = 0
        for item in prints:
            if item.symbol == self.list.symbol:
                self.list.prints.append(item)
                added += item.size >= self.list.least
        if added:
            if self.list.back:
                self.list.back += added
            self.throttle.request()

    def per_minute(self) -> int:
        """Return how many prints the last minute before the newest had."""
        prints = self.list.prints
        if not prints:
            return 0
        since = prints[-1].ts - _MINUTE_NS
        count = 0
        for item in reversed(prints):
            if item.ts <= since:
                break
            count += 1
        return count

    def _refresh(self) -> None:
        self.head.set_words([(self.list.symbol, "t1", 600), (tr("at ask ▲ · at bid ▼"), "t3", 400)])
        self.head.set_notes([(tr("{n} prints/min", n=self.per_minute()), "")] if self.list.prints else [])
        self.list.update()

    def sizeHint(self) -> QSize:
        return QSize(current_theme().px(260), current_theme().px(180))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange) and hasattr(self, "throttle"):
            self._refresh()
