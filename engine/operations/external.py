"""Trades made elsewhere in the same account: the agent steps back from that symbol for a while."""

from collections.abc import Callable

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.model.decision import Mode
from engine.model.events.book import Reconciled
from engine.model.events.order import OrderFilled, OrderPartlyFilled
from engine.model.ids import OrderRef, Symbol
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes, Orders
from engine.operations.settings import OperationsSettings

LOCK = "EXTERNAL"


class ExternalWatch:
    """Sees orders and fills that are not ours. What is there at the first comparison is no news."""

    name = "trades elsewhere"

    def __init__(
        self, bus: Bus, clock: Clock, orders: Orders, modes: Modes, lamps: Lamps, settings: OperationsSettings
    ) -> None:
        self._bus, self._clock, self._orders = bus, clock, orders
        self._modes, self._lamps, self._settings = modes, lamps, settings
        self._known: set[OrderRef] | None = None
        self._paused: dict[Symbol, int] = {}
        self._leave: list[Callable[[], None]] = []

    def start(self) -> None:
        # A pause that a crash left behind is over: nothing can be in a hurry after a start.
        self._modes.unlock_all(LOCK)
        on = self._bus.subscribe
        self._leave = [
            on(Reconciled, self._on_reconciled, owner=self.name, role=Role.DECIDER),
            on(OrderFilled, self._on_filled, owner=self.name, role=Role.DECIDER),
            on(OrderPartlyFilled, self._on_filled, owner=self.name, role=Role.DECIDER),
        ]

    def stop(self) -> None:
        for leave in self._leave:
            leave()
        self._leave = []

    def look(self) -> None:
        now = self._clock.now()
        for symbol in [s for s, until in self._paused.items() if now >= until]:
            del self._paused[symbol]
            self._modes.unlock(symbol, LOCK)
            self._lamps.over(f"{LOCK}:{symbol}", f"{symbol}: the pause is over.")

    def _on_reconciled(self, event: Reconciled) -> None:
        found = {ref for ref, status in self._orders.orders().items() if status.external}
        if self._known is None:
            if event.complete:
                self._known = found
            return
        for ref in sorted(found - self._known):
            self._pause(self._orders.orders()[ref].request.symbol)
        self._known |= found

    def _on_filled(self, event: OrderFilled | OrderPartlyFilled) -> None:
        if event.status.external and self._known is not None:
            self._known.add(event.ref)
            self._pause(event.symbol)

    def _pause(self, symbol: Symbol) -> None:
        seconds = self._settings.external_pause_s
        self._paused[symbol] = self._clock.now() + round(seconds * SECOND)
        did = "It counts in exposure and limits; approvals of the symbol are checked anew."
        if self._modes.mode is Mode.AUTO:
            self._modes.lock(symbol, LOCK, "it was just traded elsewhere")
            did = f"The agent leaves it alone for {seconds:g} s. {did}"
        self._lamps.light(f"{LOCK}:{symbol}", "yellow", f"{symbol} was traded outside this program.", did)
