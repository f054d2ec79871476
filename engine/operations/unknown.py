"""Orders that are not confirmed: the banner's line beside the order's own (the desk locks the symbol)."""

from collections.abc import Callable

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.model.events.book import SymbolLocked, SymbolUnlocked
from engine.model.ids import Symbol
from engine.operations.lamps import Lamps
from engine.operations.settings import OperationsSettings

LOCK = "UNKNOWN"


class UnknownWatch:
    """Red while a symbol has an unconfirmed order. The first comparison after a start clears most before it shows."""

    name = "unconfirmed orders"

    def __init__(self, bus: Bus, clock: Clock, lamps: Lamps, settings: OperationsSettings) -> None:
        self._bus, self._clock, self._lamps, self._settings = bus, clock, lamps, settings
        self._since: dict[Symbol, tuple[int, str]] = {}
        self._leave: list[Callable[[], None]] = []

    def start(self) -> None:
        on = self._bus.subscribe
        self._leave = [
            on(SymbolLocked, self._on_locked, owner=self.name),
            on(SymbolUnlocked, self._on_unlocked, owner=self.name),
        ]

    def stop(self) -> None:
        for leave in self._leave:
            leave()
        self._leave = []

    def look(self) -> None:
        grace_ns = round(self._settings.unknown_grace_s * SECOND)
        now = self._clock.now()
        for symbol, (since, reason) in self._since.items():
            if now - since >= grace_ns:
                self._lamps.light(
                    f"{LOCK}:{symbol}",
                    "red",
                    f"{symbol}: {reason}.",
                    "The symbol is locked and the broker is asked again.",
                    "Do not enter it again. Look at the broker's own program.",
                )

    def _on_locked(self, event: SymbolLocked) -> None:
        if event.code == LOCK:
            self._since[event.symbol] = (self._clock.now(), event.reason)

    def _on_unlocked(self, event: SymbolUnlocked) -> None:
        if event.code == LOCK:
            self._since.pop(event.symbol, None)
            self._lamps.over(f"{LOCK}:{event.symbol}", f"{event.symbol}: the order is confirmed.")
