"""Depth and tape of one symbol: a click stages, a right click cancels, a drag changes."""

from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from engine.api.commands import Unwatch, Watch
from engine.api.frames import DepthBlock, TapePrint
from engine.api.rows import QuoteRow
from engine.api.wire import Follow
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.money import exact
from market_agent_gui.bridge import LinkState
from market_agent_gui.keys.confirming import Act
from market_agent_gui.keys.staging import StagedOrder
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.translate import say
from widgets import formats
from widgets.ladder_rows import nearest


class _OneSymbol(PanePresenter):
    def tick(self) -> Decimal:
        """Return the tick of the symbol shown."""
        row = self.services.bridge.mirror.rows("quotes").get(self.symbol)
        return exact(row.tick) if isinstance(row, QuoteRow) else Decimal("0.01")


class DepthPresenter(_OneSymbol):
    dock = "depth"
    tables = ("orders",)

    def make(self) -> QWidget:
        from widgets.depth_ladder import DepthLadder

        self._watched = ""
        self._ladder = ladder = DepthLadder()
        self.services.bridge.link_changed.connect(self._on_link)
        ladder.price_clicked.connect(self._on_clicked)
        ladder.cancel_wanted.connect(lambda ref: self.attempt(lambda: self.services.entry.cancel(ref)))
        ladder.order_dragged.connect(self._on_dragged)
        ladder.price_menu_wanted.connect(lambda price, at: self.price_menu(price).popup(at))
        self.services.alerts.changed.connect(lambda symbol: symbol == self.symbol and self._show_alerts())
        ladder.order_clicked.connect(lambda _ref: self.services.show_pane("orders"))
        self.services.bridge.depth.connect(self._on_depth)
        self.services.bridge.quotes.connect(self._on_quotes)
        self.services.entry.staged_changed.connect(self._on_staged)
        self.feed("orders", lambda _rows, _removed, _reset: self._show_orders())
        return ladder

    def wish(self) -> Follow:
        return Follow(tables=self.tables, quotes=True, depth=(self.symbol,) if self.symbol else ())

    def set_visible(self, visible: bool) -> None:
        super().set_visible(visible)
        self._watch_depth()

    def _watch_depth(self) -> None:
        """Ask the engine for the depth of what is shown, and no longer for what was."""
        wanted = self.symbol if self.visible and self.services.bridge.link is LinkState.UP else ""
        if wanted == self._watched:
            return
        before, self._watched = self._watched, wanted
        if before and self.services.bridge.link is LinkState.UP:
            self.services.bridge.fire(Unwatch(symbols=(Symbol(before),), depth=True))
        if wanted:
            self.services.bridge.fire(Watch(symbols=(Symbol(wanted),), depth=True))

    def _on_link(self, _state: str, _text: str) -> None:
        self._watched = ""
        self._watch_depth()

    def on_symbol(self, symbol: str) -> None:
        self._watch_depth()
        self._ladder.set_symbol(symbol, self.tick())
        self._show_orders()
        self._show_alerts()
        self._on_staged(self.services.entry.staged)
        self.renew_wish()

    def _on_depth(self, block: DepthBlock) -> None:
        self._ladder.set_depth(block)

    def _on_quotes(self, _block: object) -> None:
        price = self.services.bridge.mirror.price(self.symbol) if self.visible else None
        if price is not None:
            self._ladder.set_last(price.last)

    def _show_orders(self) -> None:
        self._ladder.set_orders(tuple(self.services.bridge.mirror.rows("orders").values()))

    def _show_alerts(self) -> None:
        self._ladder.set_alerts(alert.price for alert in self.services.alerts.of(self.symbol))

    def price_menu(self, price: Decimal) -> QMenu:
        """Return the menu of a price; it deletes itself when it closes."""
        symbol, shown = self.symbol, formats.price(price, self.tick())
        menu = QMenu(self._ladder)
        menu.aboutToHide.connect(menu.deleteLater)
        alerts = self.services.alerts
        there = [alert for alert in alerts.of(symbol) if nearest(alert.price, self._ladder.rungs.step) == price]
        if all(alert.price != price for alert in there):
            entry = menu.addAction(say("Alert at {price}", price=shown))
            entry.triggered.connect(lambda _=False: self._alert(symbol, price))
        for alert in there:
            at = formats.price(alert.price, self.tick())
            entry = menu.addAction(say("Delete the alert at {price}", price=at))
            entry.triggered.connect(lambda _=False, id=alert.id: alerts.remove(symbol, id))
        return menu

    def _alert(self, symbol: str, price: Decimal) -> None:
        self.attempt(lambda: self.services.alerts.add(symbol, price))

    def _on_staged(self, order: StagedOrder | None) -> None:
        mine = order is not None and not order.ref and order.symbol == self.symbol
        self._ladder.set_staged(order.request() if mine and order is not None else None)

    def _on_clicked(self, side: str, price: Decimal, modifiers: Qt.KeyboardModifier) -> None:
        # The ladder may be of another colour than the ticket: what is clicked is what is staged.
        self.services.links.choose("ticket", self.symbol)
        self.attempt(lambda: self.services.entry.stage_at(Side(side), price))

    def _on_dragged(self, ref: str, price: Decimal) -> None:
        entry = self.services.entry
        row = self.services.bridge.mirror.rows("orders").get(ref)
        if row is None:
            return  # filled or cancelled while it was dragged
        asks, where = self.services.confirming, "limit_price" if row.limit_price is not None else "stop_price"
        asks.run(
            lambda: asks.subjects.change(ref, Act.CHART, **{where: price}),
            lambda: entry.modify(ref, **{where: price}),
            self._show_orders,
        )


class TapePresenter(_OneSymbol):
    dock = "tape"
    tables = ()

    def make(self) -> QWidget:
        from widgets.tape import Tape

        self._tape = tape = Tape()
        self.services.bridge.tape.connect(self._on_tape)
        return tape

    def wish(self) -> Follow:
        return Follow(tape=(self.symbol,) if self.symbol else ())

    def on_symbol(self, symbol: str) -> None:
        self._tape.set_symbol(symbol, self.tick())
        self.renew_wish()

    def _on_tape(self, prints: tuple[TapePrint, ...]) -> None:
        self._tape.add(prints)
