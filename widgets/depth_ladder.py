"""The depth ladder: sizes by price, own orders beside them; orders off screen are pinned with their distance."""

from collections.abc import Iterable
from decimal import Decimal

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api.frames import DepthBlock
from engine.api.rows import OrderRow
from engine.model.money import exact, to_tick
from engine.model.order import OrderRequest
from widgets import formats
from widgets.cells import side_text
from widgets.ladder_rows import Level, Own, build, nearest, own_orders
from widgets.paint import TEXTS, draw_bell
from widgets.pane_head import PaneHead
from widgets.theme import Theme, current_theme
from widgets.throttle import Throttle
from widgets.words import keep_said, tr

_ROW = 22
STEPS = (1, 2, 5, 10, 20, 50, 100)
"""Ticks per row that the ladder offers."""


class _Rungs(QWidget):
    """The painted ladder."""

    price_clicked = Signal(str, object, object)
    order_clicked = Signal(str)
    cancel_wanted = Signal(str)
    order_dragged = Signal(str, object)
    price_menu_wanted = Signal(object, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.symbol = ""
        self.tick = Decimal("0.01")
        self.ticks_per_row = 1
        self.depth: DepthBlock | None = None
        self.orders: list[Own] = []
        self.staged: Own | None = None
        self.last: Decimal | None = None
        self.alerts: frozenset[Decimal] = frozenset()
        self.centre: Decimal | None = None
        self.follows = True
        self.cursor: Decimal | None = None
        self._levels: list[Level] = []
        self._above: list[Own] = []
        self._below: list[Own] = []
        self._dragged: Own | None = None
        self._drag_price: Decimal | None = None
        self._pressed_at = QPoint()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        keep_said(self, lambda: self.setAccessibleName(tr("Depth ladder")))

    # --- values ------------------------------------------------------------------------------------------------

    @property
    def step(self) -> Decimal:
        return self.tick * self.ticks_per_row

    def middle_price(self) -> Decimal | None:
        """Return the price the ladder stands around: the mid, else the last."""
        depth = self.depth
        if depth is not None and depth.bid_prices and depth.ask_prices:
            mid = (depth.bid_prices[0] + depth.ask_prices[0]) / 2
            if mid == mid:
                return nearest(exact(float(mid)), self.step)
        return nearest(self.last, self.step) if self.last is not None else None

    def rows_shown(self) -> int:
        return max(5, (self.height() - 3 * current_theme().px(_ROW)) // current_theme().px(_ROW))

    def rebuild(self) -> None:
        """Lay the levels out again; the ladder moves only when less than a quarter of it is left on a side."""
        mid, count = self.middle_price(), self.rows_shown()
        if mid is not None and self.follows:
            room = self.step * max(1, count // 2 - max(3, count // 4))
            if self.centre is None or abs(mid - self.centre) > room:
                self.centre = mid
        if self.centre is None:
            self._levels, self._above, self._below = [], [], []
        else:
            shown = [*self.orders, *([self.staged] if self.staged is not None else [])]
            self._levels, self._above, self._below = build(self.centre, count, self.step, self.depth, shown)
        self.update()

    def recentre(self) -> None:
        """Stand around the price again and follow it."""
        self.follows, self.centre, self.cursor = True, None, None
        self.rebuild()

    # --- geometry ----------------------------------------------------------------------------------------------

    def _columns(self) -> tuple[int, int, int, int, int, int]:
        """Return the left edges of My buys, Bid, Price, Ask, My sells, and the right end."""
        width = self.width()
        own = max(current_theme().px(44), round(width * 0.18))
        price = max(current_theme().px(64), round(width * 0.20))
        size = (width - 2 * own - price) // 2
        return 0, own, own + size, own + size + price, own + 2 * size + price, width

    def _top(self) -> int:
        return 2 * current_theme().px(_ROW)

    def level_at(self, y: float) -> Level | None:
        """Return the level at a height."""
        number = int((y - self._top()) // current_theme().px(_ROW))
        return self._levels[number] if 0 <= number < len(self._levels) and y >= self._top() else None

    def y_of(self, price: Decimal) -> int | None:
        """Return the top of a price's row; None when it is off screen."""
        for number, level in enumerate(self._levels):
            if level.price == price:
                return self._top() + number * current_theme().px(_ROW)
        return None

    def _order_at(self, x: float, y: float) -> Own | None:
        level = self.level_at(y)
        if level is None:
            return None
        own_end, sells = self._columns()[1], self._columns()[4]
        mine = level.buys if x < own_end else level.sells if x >= sells else []
        return next((order for order in mine if order.kind != "staged"), None)

    # --- hands -------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed_at = at.toPoint()
        order = self._order_at(at.x(), at.y())
        if order is not None:
            self._dragged = order if order.kind == "working" else None
            self.order_clicked.emit(order.ref)
            return
        level = self.level_at(at.y())
        if level is not None:
            _, _, price, ask, _, _ = self._columns()
            self.cursor = level.price
            self.update()
            if at.x() < price:
                self.price_clicked.emit("BUY", level.price, event.modifiers())
            elif at.x() >= ask:
                self.price_clicked.emit("SELL", level.price, event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None and (event.position().toPoint() - self._pressed_at).manhattanLength() > 6:
            level = self.level_at(event.position().y())
            self._drag_price = level.price if level is not None else None
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        order, price = self._dragged, self._drag_price
        self._dragged = self._drag_price = None
        if order is not None and price is not None and price != nearest(order.price, self.step):
            self.order_dragged.emit(order.ref, to_tick(price, self.tick))
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        order = self._order_at(event.pos().x(), event.pos().y())
        if order is not None:
            self.cancel_wanted.emit(order.ref)
            return
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        level = self.level_at(event.pos().y())
        price = self.cursor if by_key else level.price if level is not None else None
        if price is not None:
            y = self.y_of(price) if by_key else None
            at = event.globalPos() if y is None else self.mapToGlobal(QPoint(self._columns()[3], y))
            self.price_menu_wanted.emit(price, at)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # the pane changes the step
        else:
            self.scroll_rows(event.angleDelta().y() // 40)

    def scroll_rows(self, rows: int) -> None:
        """Move the ladder by rows; it no longer follows the price until it is centred again."""
        if self.centre is not None and rows:
            self.follows = False
            self.centre += self.step * rows
            self.rebuild()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        way = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}.get(key)
        if way is not None and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._move_cursor(way)
        elif key == Qt.Key.Key_Home:
            self.recentre()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not event.isAutoRepeat():
            self._cancel_at_cursor()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.cursor is not None and not event.isAutoRepeat():
            self.price_clicked.emit("BUY" if key == Qt.Key.Key_Left else "SELL", self.cursor, event.modifiers())
        else:
            super().keyPressEvent(event)

    def _move_cursor(self, rows: int) -> None:
        start = self.cursor if self.cursor is not None else self.middle_price()
        if start is None:
            return
        self.cursor = start + self.step * rows if self.cursor is not None else start
        if self.y_of(self.cursor) is None and self._levels:
            self.scroll_rows(rows)
        self.setAccessibleDescription(formats.price(self.cursor, self.tick))
        self.update()

    def _cancel_at_cursor(self) -> None:
        for level in self._levels:
            if level.price == self.cursor:
                for order in (*level.buys, *level.sells):
                    if order.kind != "staged":
                        self.cancel_wanted.emit(order.ref)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.rebuild()

    # --- paint -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        self._paint_titles(painter, theme)
        if not self._levels:
            words = tr("No depth yet for {symbol}", symbol=self.symbol) if self.symbol else tr("Choose a symbol")
            TEXTS.draw(painter, theme, self.width() / 2, self.height() / 2, words, theme.color("t3"), align="centre")
            painter.end()
            return
        row = theme.px(_ROW)
        most = max((max(level.bid, level.ask) for level in self._levels), default=0.0) or 1.0
        for number, level in enumerate(self._levels):
            self._paint_level(painter, theme, level, self._top() + number * row, most)
        self._paint_inside(painter, theme)
        self._paint_pins(painter, theme, self._above, row, "▲")
        self._paint_pins(painter, theme, self._below, self._top() + len(self._levels) * row, "▼")
        painter.end()

    def _paint_titles(self, painter: QPainter, theme: Theme) -> None:
        edges = self._columns()
        middle = theme.px(_ROW) / 2
        titles = (tr("My buys"), tr("Bid size"), tr("Price"), tr("Ask size"), tr("My sells"))
        for number, title in enumerate(titles):
            left, right = edges[number], edges[number + 1]
            shown = TEXTS.elided(theme, title, right - left - theme.px(14 if number in (1, 3) else 6), 11)
            if number == 1:
                TEXTS.draw(
                    painter, theme, right - theme.px(8), middle, shown, theme.color("t3"), pixels=11, align="right"
                )
            elif number == 3:
                TEXTS.draw(painter, theme, left + theme.px(8), middle, shown, theme.color("t3"), pixels=11)
            else:
                TEXTS.draw(
                    painter, theme, (left + right) / 2, middle, shown, theme.color("t3"), pixels=11, align="centre"
                )
        painter.fillRect(0, theme.px(_ROW) - 1, self.width(), 1, theme.color("hair"))

    def _paint_level(self, painter: QPainter, theme: Theme, level: Level, top: int, most: float) -> None:
        row = theme.px(_ROW)
        _, bid, price, ask, sells, end = self._columns()
        middle = top + row / 2
        staged = any(order.kind == "staged" for order in (*level.buys, *level.sells))
        if staged or level.price == self.cursor:
            painter.fillRect(0, top, end, row, theme.blend("focus", 0.10))
        painter.fillRect(price, top, ask - price, row, theme.color("bg2"))
        for amount, role, left, right, align in (
            (level.bid, "up", bid, price, "right"),
            (level.ask, "down", ask, sells, "left"),
        ):
            if amount > 0:
                wide = round((right - left) * 0.9 * min(1.0, amount / most))
                x = right - wide if align == "right" else left
                painter.fillRect(x, top + 3, wide, row - 6, theme.color(role, theme.depth_alpha))
                edge = right - theme.px(8) if align == "right" else left + theme.px(8)
                TEXTS.draw(painter, theme, edge, middle, formats.quantity(amount), theme.color("t1"), align=align)
        text = formats.price(level.price, self.tick)
        last = self.last is not None and nearest(self.last, self.step) == level.price
        role = "t1" if not last else "focus"
        TEXTS.draw(painter, theme, (price + ask) / 2, middle, text, theme.color(role), weight=600, align="centre")
        if any(nearest(alert, self.step) == level.price for alert in self.alerts):
            side = theme.px(10)
            draw_bell(painter, theme.color("t1"), QRectF(price + theme.px(3), top + (row - side) / 2, side, side))
        painter.fillRect(0, top + row - 1, end, 1, theme.blend("hair", 0.45))
        if self.cursor == level.price and self.hasFocus():
            painter.setPen(theme.color("focus"))
            painter.drawRect(price, top, ask - price - 1, row - 1)
        self._paint_own(painter, theme, level.buys, QRect(theme.px(4), top + 2, bid - theme.px(8), row - 4))
        self._paint_own(
            painter, theme, level.sells, QRect(sells + theme.px(4), top + 2, end - sells - theme.px(8), row - 4)
        )
        if self._drag_price == level.price and self._dragged is not None:
            left = theme.px(4) if self._dragged.side == "BUY" else sells + theme.px(4)
            painter.setPen(QPen(theme.color("focus"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(left, top + 2, bid - theme.px(8), row - 5)

    def _paint_own(self, painter: QPainter, theme: Theme, orders: list[Own], box: QRect) -> None:
        if not orders:
            return
        worst = min(orders, key=lambda order: ("unknown", "staged", "working").index(order.kind))
        total = formats.quantity(sum((order.quantity for order in orders), Decimal(0)))
        middle = box.top() + box.height() / 2
        side = "up" if worst.side == "BUY" else "down"
        if worst.kind == "unknown":
            painter.setPen(QPen(theme.color("warn"), 2, Qt.PenStyle.DashDotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(1, 1, -1, -1))
            ink, text = theme.color("warn"), f"{total} ?"
        elif worst.kind == "staged":
            painter.setPen(QPen(theme.color("focus"), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
            ink, text = theme.color("t1"), total
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(side))
            painter.drawRoundedRect(box, 2, 2)
            ink, text = theme.color("bg0"), total
        shown = TEXTS.elided(theme, text, box.width() - 4, 12, 600)
        TEXTS.draw(painter, theme, box.center().x() + 0.5, middle, shown, ink, weight=600, align="centre")

    def _paint_inside(self, painter: QPainter, theme: Theme) -> None:
        """Draw the line between the best ask and the best bid."""
        row = theme.px(_ROW)
        for number, level in enumerate(self._levels):
            if level.bid > 0:
                painter.fillRect(0, self._top() + number * row - 1, self.width(), 2, theme.color("t2"))
                return

    def _paint_pins(self, painter: QPainter, theme: Theme, orders: list[Own], top: int, arrow: str) -> None:
        row = theme.px(_ROW)
        painter.fillRect(0, top, self.width(), row, theme.color("bg0"))
        if not orders:
            return
        middle, order = top + row / 2, orders[0]
        role = "warn" if order.kind == "unknown" else "focus" if order.kind == "staged" else "t1"
        mid = self.middle_price()
        away = "" if mid is None else tr("{n} away", n=formats.price(abs(order.price - mid), self.tick))
        if len(orders) > 1:
            away += " · " + tr("{n} more", n=len(orders) - 1)
        price = formats.price(order.price, self.tick)
        parts = (side_text(order.side), formats.quantity(order.quantity), tr(order.leg) if order.leg else "", price)
        words = " ".join(part for part in parts if part)
        # The order itself is never cut: the words around it give way first.
        where, quiet, gap = f"{arrow} " + tr("off screen"), theme.color("t3"), theme.px(8)
        room = self.width() - 2 * theme.px(12) - TEXTS.width(theme, words)
        if room < TEXTS.width(theme, where, 11) + TEXTS.width(theme, away, 11) + 2 * gap:
            where = arrow
        if room < TEXTS.width(theme, where, 11) + TEXTS.width(theme, away, 11) + 2 * gap:
            away = ""
        x = theme.px(12) + TEXTS.draw(painter, theme, theme.px(12), middle, where, quiet, pixels=11) + gap
        TEXTS.draw(painter, theme, self.width() - theme.px(12), middle, away, quiet, pixels=11, align="right")
        TEXTS.draw(
            painter, theme, x, middle, TEXTS.elided(theme, words, self.width() - x - theme.px(12)), theme.color(role)
        )


class DepthLadder(QWidget):
    """Depth of one symbol with one's own orders. Emits; sends nothing."""

    price_clicked = Signal(str, object, object)
    """Side (BUY left of the price, SELL right of it), price (Decimal), keyboard modifiers."""
    order_clicked = Signal(str)
    cancel_wanted = Signal(str)
    """Right click on an own order, or Delete at the cursor."""
    order_dragged = Signal(str, object)
    """Reference and the new price (Decimal on the tick)."""
    price_menu_wanted = Signal(object, QPoint)
    """A price (Decimal) away from own orders, and where on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = PaneHead()
        self.rungs = _Rungs()
        self.throttle = Throttle(self._refresh, 33, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.head)
        box.addWidget(self.rungs, 1)
        self.setFocusProxy(self.rungs)
        for name in ("price_clicked", "order_clicked", "cancel_wanted", "order_dragged", "price_menu_wanted"):
            getattr(self.rungs, name).connect(getattr(self, name))
        self._refresh()

    def set_symbol(self, symbol: str, tick: Decimal = Decimal("0.01")) -> None:
        """Show another symbol, empty until its depth comes."""
        rungs = self.rungs
        if symbol != rungs.symbol or tick != rungs.tick:
            rungs.symbol, rungs.tick = symbol, tick
            rungs.depth = rungs.staged = rungs.last = None
            rungs.orders = []
            rungs.recentre()
            self._refresh()

    def set_depth(self, block: DepthBlock) -> None:
        """Take depth; that of another symbol is passed over."""
        if block.symbol == self.rungs.symbol:
            self.rungs.depth = block
            self.throttle.request()

    def set_last(self, price: float) -> None:
        """Set the last price (NaN is passed over)."""
        if price == price:
            self.rungs.last = exact(float(price))
            self.throttle.request()

    def set_orders(self, rows: Iterable[OrderRow]) -> None:
        """Set all orders; those of this symbol that work, or may, are shown."""
        self.rungs.orders = own_orders(rows, self.rungs.symbol)
        self.throttle.request()

    def set_staged(self, request: OrderRequest | None) -> None:
        """Show the staged order (dashed), or none."""
        rungs = self.rungs
        rungs.staged = None
        if request is not None and request.symbol == rungs.symbol:
            price = request.limit_price if request.limit_price is not None else request.stop_price
            if price is not None:
                rungs.staged = Own(request.intent_id, request.side.value, price, request.quantity, "staged")
        self.throttle.request()

    def set_alerts(self, prices: Iterable[Decimal]) -> None:
        """Mark prices at which a person waits."""
        self.rungs.alerts = frozenset(prices)
        self.rungs.update()

    def set_ticks_per_row(self, ticks: int) -> None:
        """Fold several ticks into a row (one of STEPS)."""
        if ticks not in STEPS:
            raise ValueError(f"ticks per row must be one of {STEPS}, not {ticks}")
        self.rungs.ticks_per_row = ticks
        self.rungs.recentre()
        self._refresh()

    def recentre(self) -> None:
        """Stand around the price again."""
        self.rungs.recentre()

    def _refresh(self) -> None:
        rungs = self.rungs
        words = [(rungs.symbol, "t1", 600)] if rungs.symbol else []
        depth = rungs.depth
        if depth is not None and depth.bid_prices and depth.ask_prices:
            bid, ask = depth.bid_prices[0], depth.ask_prices[0]
            words.append((f"{formats.price(bid, rungs.tick)} × {formats.price(ask, rungs.tick)}", "t1", 400))
            words.append((tr("spread {n}", n=formats.price(ask - bid, rungs.tick)), "t3", 400))
        self.head.set_words(words)
        note = tr("step {n}", n=formats.price(rungs.step, rungs.tick))
        self.head.set_notes([(note, "")] if rungs.follows else [(tr("centre"), "Home"), (note, "")])
        rungs.rebuild()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            at = STEPS.index(self.rungs.ticks_per_row) + (-1 if event.angleDelta().y() > 0 else 1)
            self.set_ticks_per_row(STEPS[max(0, min(len(STEPS) - 1, at))])
            event.accept()
        else:
            super().wheelEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(current_theme().px(300), current_theme().px(420))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange) and hasattr(self, "throttle"):
            self._refresh()
