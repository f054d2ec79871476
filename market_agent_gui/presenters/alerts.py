"""Price alerts at work: set on chart, ladder or by a dialog, watched with every quote, told once."""

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit

from engine.api.commands import Watch
from engine.api.rows import QuoteRow
from engine.api.wire import Follow
from engine.model.ids import Symbol
from engine.model.money import exact, to_tick
from market_agent_gui.alerts import MOST, Alert, AlertStore, Rung, crossed
from market_agent_gui.bridge import LinkState
from market_agent_gui.commander import Refusal
from market_agent_gui.mirror import DELAYED, STALE, Price
from market_agent_gui.notifications import News, Sound
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from market_agent_gui.shell import Shell


def mark_of(price: Price | None) -> float:
    """Return the price that alerts go by: the last trade, or the mid where nothing is traded; NaN where unknown."""
    if price is None:
        return math.nan
    if math.isfinite(price.last) and price.last > 0:
        return price.last
    both = math.isfinite(price.bid) and math.isfinite(price.ask) and 0 < price.bid <= price.ask
    return (price.bid + price.ask) / 2 if both else math.nan


class Alerts(QObject):
    """The one owner of the alerts. Nothing here sends an order."""

    changed = Signal(str)
    """symbol: its alerts are others now."""
    news = Signal(object)
    """:class:`News`: a price has come."""
    said = Signal(str, str)

    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell, self._bridge = shell, shell.bridge
        self._store = AlertStore(shell.profile)
        self._watched: set[str] = set()
        """Ids whose price was seen on the side where it is waited for, since the engine is connected."""
        self._rung: dict[str, tuple[Rung, ...]] = {}
        """What has rung since the window opened: shown until a person takes it away."""
        self._bridge.quotes.connect(lambda _block: self._look())
        self._bridge.link_changed.connect(self._on_link)
        self._bridge.rows_changed.connect(self._on_rows)
        shell.commander.register("price_alert", self.ask)
        self._wish()

    def tell_problem(self) -> None:
        """Say why the file could not be used, if so."""
        if self._store.problem:
            self.said.emit("warn", self._store.problem)

    # --- what there is

    def of(self, symbol: str) -> tuple[Alert, ...]:
        """Return the alerts that wait."""
        return self._store.get(symbol)

    def rung(self, symbol: str) -> tuple[Rung, ...]:
        """Return those that have rung and are still shown."""
        return self._rung.get(symbol, ())

    # --- changes

    def add(self, symbol: str, price: Decimal) -> None:
        """Wait for a price. Raises ``Refusal`` in words."""
        if not symbol:
            raise Refusal(say("choose a symbol first"))
        price = self._on_grid(symbol, price)
        alerts = self.of(symbol)
        if any(alert.price == price for alert in alerts):
            raise Refusal(say("{symbol} has an alert at {price} already", symbol=symbol, price=f"{price:f}"))
        if len(alerts) >= MOST:
            raise Refusal(say("{symbol} has {n} alerts: take one away first", symbol=symbol, n=MOST))
        self._put(symbol, (*alerts, self._begun(symbol, self._store.new_id(), price)))

    def move(self, symbol: str, id: str, price: Decimal) -> None:
        """Wait for another price from now on; one that has rung waits again."""
        price = self._on_grid(symbol, price)
        self._rung[symbol] = tuple(rung for rung in self.rung(symbol) if rung.alert.id != id)
        kept = tuple(alert for alert in self.of(symbol) if alert.id != id and alert.price != price)
        self._put(symbol, (*kept, self._begun(symbol, id, price)))

    def remove(self, symbol: str, id: str) -> None:
        """Wait no longer, or show no longer that it has rung."""
        self._rung[symbol] = tuple(rung for rung in self.rung(symbol) if rung.alert.id != id)
        self._put(symbol, tuple(alert for alert in self.of(symbol) if alert.id != id))

    def _on_grid(self, symbol: str, price: Decimal) -> Decimal:
        row = self._bridge.mirror.rows("quotes").get(symbol)
        at = to_tick(price, exact(row.tick)) if isinstance(row, QuoteRow) and price.is_finite() else price
        if not at.is_finite() or at <= 0:
            raise Refusal(say("an alert needs a price above zero"))
        return at

    def _begun(self, symbol: str, id: str, price: Decimal) -> Alert:
        self._watched.discard(id)
        mark = mark_of(self._bridge.mirror.price(symbol))
        known = math.isfinite(mark) and mark != float(price)
        if known:
            self._watched.add(id)
        return Alert(id=id, price=price, seen=mark if known else None)

    def _put(self, symbol: str, alerts: tuple[Alert, ...]) -> None:
        try:
            self._store.put(symbol, alerts)
        except OSError as error:
            text = say("The alerts hold until the end but were not saved: {reason}", reason=error)
            self.said.emit("warn", text)
        self._wish()
        self.changed.emit(symbol)

    # --- watching

    def _wish(self) -> None:
        """Want quotes while there is something to wait for, whatever panes are seen."""
        self._bridge.want("alerts", Follow(quotes=True) if self._store.symbols() else None)

    def _on_link(self, state: str, _text: str) -> None:
        if state != LinkState.UP.value:
            self._watched.clear()  # what happens meanwhile is seen by nobody

    def _on_rows(self, table: str, _rows: object, _removed: object, reset: bool) -> None:
        """Let the engine watch what is waited for, also where the universe is another one by now."""
        if table == "quotes" and reset:
            known = self._bridge.mirror.rows("quotes")
            missing = tuple(Symbol(symbol) for symbol in self._store.symbols() if symbol not in known)
            if missing and known:
                self._bridge.fire(Watch(symbols=missing))

    def _look(self) -> None:
        for symbol in self._store.symbols():
            price = self._bridge.mirror.price(symbol)
            mark = mark_of(price)
            # A stale price is no news: what has become of it is told when it is fresh again.
            if price is not None and math.isfinite(mark) and not price.flags & STALE:
                self._look_at(symbol, price, mark)

    def _look_at(self, symbol: str, price: Price, mark: float) -> None:
        kept: list[Alert] = []
        come: list[Rung] = []
        for alert in self.of(symbol):
            level = float(alert.price)
            if alert.seen is None:
                if mark != level:
                    self._watched.add(alert.id)
                    alert = msgspec.structs.replace(alert, seen=mark)
            elif crossed(alert.seen, mark, level):
                come.append(Rung(symbol=symbol, alert=alert, last=mark, rose=alert.seen < level))
                continue
            else:
                self._watched.add(alert.id)
            kept.append(alert)
        if come or tuple(kept) != self.of(symbol):
            # Taken away before it is told: told once, whatever telling does.
            self._rung[symbol] = (*self.rung(symbol), *come)
            self._put(symbol, tuple(kept))
        for rung in come:
            self.news.emit(self._news(rung, price))

    def _news(self, rung: Rung, price: Price) -> News:
        from widgets import formats

        tick = exact(price.tick)
        values = {
            "symbol": rung.symbol,
            "level": formats.price(rung.alert.price, tick),
            "price": formats.price(rung.last, tick),
        }
        if rung.alert.id not in self._watched:
            text = say("{symbol} is past your alert at {level}: {price} now. Nobody watched when it crossed.", **values)
        elif rung.rose:
            text = say("{symbol} rose to your alert at {level}: {price} now", **values)
        else:
            text = say("{symbol} fell to your alert at {level}: {price} now", **values)
        if price.flags & DELAYED:
            text = f"{text} · {say('the quote is delayed')}"
        return News(severity="info", text=text, outside=True, sound=Sound.FILL)

    # --- by keyboard

    def ask(self, symbol: str = "") -> None:
        """Ask for a price to wait for."""
        from market_agent_gui.dialogs import PlainDialog
        from market_agent_gui.sizes_dialog import read_amount

        symbol = symbol or self._shell.symbol()
        if not symbol:
            raise Refusal(say("choose a symbol first"))
        dialog = PlainDialog(
            say("Price alert on {symbol}", symbol=symbol),
            say("It rings once when the last price is there or past it, while this window runs. It sends no order."),
            accept=say("Set the alert"),
            reject=say("Leave it"),
        )
        field = QLineEdit()
        dialog.add_field(say("Price"), field)
        dialog.enter_accepts()

        def accept() -> None:
            try:
                self.add(symbol, read_amount(field.text().replace(",", ".")))
            except (ValueError, Refusal) as error:
                dialog.complain(str(error))
            else:
                dialog.accept()

        dialog.buttons.accepted.disconnect()
        dialog.buttons.accepted.connect(accept)
        self._shell.open_dialog(dialog)
        field.setFocus()
