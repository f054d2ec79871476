"""The broker's own bars of five seconds, as they close."""

from collections.abc import Callable

from engine.bus.clock import SECOND, Clock
from engine.collection.provider import Emit
from engine.collection.providers.ibkr.ticks import SOURCE
from engine.model.events.market import BarClosed
from engine.model.ids import Symbol

_SECONDS = 5


class LiveBars:
    """A sink of the connection. The line can fall silent without a word; ``heard_ns`` tells."""

    def __init__(self, symbol: Symbol, emit: Emit, clock: Clock, on_error: Callable[[int, str], None]) -> None:
        self._symbol = symbol
        self._emit = emit
        self._clock = clock
        self._on_error = on_error
        self.heard_ns = clock.now()

    def __call__(self, kind: str, *values: object) -> None:
        if kind == "bar":
            self._bar(*values)  # type: ignore[arg-type]
        elif kind == "error":
            self._on_error(*values)  # type: ignore[arg-type]

    def _bar(
        self,
        seconds: int,
        opened: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        average: float,
        count: int,
    ) -> None:
        now = self._clock.now()
        self.heard_ns = now
        start = seconds * SECOND
        self._emit(
            BarClosed(
                ts_event=start + _SECONDS * SECOND,
                ts_init=now,
                symbol=self._symbol,
                seconds=_SECONDS,
                ts_open=start,
                open=opened,
                high=high,
                low=low,
                close=close,
                volume=max(volume, 0.0),
                vwap=average if average > 0 and volume > 0 else float("nan"),
                trades=max(count, 0),
                source=SOURCE,
            )
        )
