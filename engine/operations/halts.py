"""Trading halts: said with what of ours rests in them (G26 keeps entries out)."""

from collections.abc import Callable

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.model.events.market import HaltChanged
from engine.model.ids import Symbol
from engine.model.order import OrderStatus, Origin
from engine.operations.lamps import Lamps
from engine.operations.ports import Orders
from engine.operations.settings import OperationsSettings


class HaltWatch:
    """One line a halted symbol, until a while after it trades again."""

    name = "halts"

    def __init__(self, bus: Bus, clock: Clock, orders: Orders, lamps: Lamps, settings: OperationsSettings) -> None:
        self._bus, self._clock, self._orders, self._lamps, self._settings = bus, clock, orders, lamps, settings
        self._resumed: dict[Symbol, int] = {}
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        self._leave = self._bus.subscribe(HaltChanged, self._on_halt, owner=self.name)

    def stop(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None

    def look(self) -> None:
        quiet_ns = round(self._settings.resume_minutes * 60 * SECOND)
        now = self._clock.now()
        for symbol in [s for s, at in self._resumed.items() if now - at >= quiet_ns]:
            del self._resumed[symbol]
            self._lamps.over(f"HALT:{symbol}", f"{symbol} trades again.")

    def _on_halt(self, event: HaltChanged) -> None:
        symbol, code = event.symbol, f"HALT:{event.symbol}"
        if not event.halted:
            self._resumed[symbol] = self._clock.now()
            minutes = f"{self._settings.resume_minutes:g}"
            self._lamps.light(
                code, "yellow", f"{symbol} trades again.", f"The agent opens nothing in it for {minutes} minutes."
            )
            return
        self._resumed.pop(symbol, None)
        stops = [
            status
            for status in self._orders.open_orders()
            if status.request.symbol == symbol
            and (status.request.origin is Origin.PROTECTIVE or status.parent_ref is not None)
        ]
        why = f" ({event.reason})" if event.reason else ""
        held = ";".join(f" {_named(s)}" for s in stops)
        self._lamps.light(
            code,
            "amber" if stops else "yellow",
            f"Trading in {symbol} is halted{why}.",
            "No entries." + (f" Stops and targets that cannot work now:{held}." if stops else ""),
            "Expect another price when it opens." if stops else "",
        )


def _named(status: OrderStatus) -> str:
    request = status.request
    prices = (("stop", request.stop_price), ("limit", request.limit_price))
    at = " ".join(f"{word} {price:f}" for word, price in prices if price is not None)
    return f"{request.side.value} {status.remaining:f} {at} ({status.ref})".replace("  ", " ")
