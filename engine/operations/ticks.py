"""Prices that make no sense: the cache refuses them (their symbol trades on nothing); here they are said."""

from collections import deque
from collections.abc import Callable

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.model.events.market import TickRejected
from engine.operations.lamps import Lamps
from engine.operations.settings import OperationsSettings

HARMLESS = frozenset({"OUT_OF_ORDER", "DUPLICATE_BAR", "UNKNOWN_SYMBOL"})
"""Refusals that say nothing about the price itself."""


class TickWatch:
    """A yellow line a source while it sends numbers that cannot be."""

    name = "ticks"

    def __init__(self, bus: Bus, clock: Clock, lamps: Lamps, settings: OperationsSettings) -> None:
        self._bus, self._clock, self._lamps, self._settings = bus, clock, lamps, settings
        self._refused: dict[str, deque[int]] = {}
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        self._leave = self._bus.subscribe(TickRejected, self._on_rejected, owner=self.name)

    def stop(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None

    def look(self) -> None:
        for source in self._refused:
            self._lamps.over(f"TICKS-{source}", f"The prices of {source} make sense again.", self._settings.over_s)

    def _on_rejected(self, event: TickRejected) -> None:
        if event.reason in HARMLESS:
            return
        times = self._refused.setdefault(event.source, deque(maxlen=self._settings.bad_ticks))
        now = self._clock.now()
        times.append(now)
        window_ns = round(self._settings.bad_ticks_s * SECOND)
        if len(times) < self._settings.bad_ticks or now - times[0] > window_ns:
            return
        code = f"TICKS-{event.source}"
        if self._lamps.lit(code):
            # Same lamp, kept alight: a storm of bad ticks is one line.
            self._lamps.keep(code)
            return
        self._lamps.light(
            code,
            "yellow",
            f"{event.source} sends prices that make no sense ({event.symbol}: {event.text or event.reason}).",
            "They are not used; what depends on them waits.",
            "Compare with another source.",
        )
