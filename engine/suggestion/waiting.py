"""Signals of closed sessions that wait for the next open, kept over a restart: an engine may be off at night.

What comes too late is dropped with its reason: a signal holds for the session it waited for, and no longer than its
strategy says. An exit does not grow old while what it is about is held.
"""

from collections.abc import Callable

import msgspec

from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.model.ids import Symbol
from engine.model.score import Forecast
from engine.suggestion.ports import Store

NAME = "suggestion.waiting"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast and when it may be proposed, UTC ns."""

    forecast: Forecast
    strategy: str
    after_ns: int
    """Not before: the open, and the minutes in which prices settle."""
    until_ns: int
    """Not later: the end of that session."""

    @property
    def leaving(self) -> bool:
        return self.forecast.reason.startswith("exit")

    def too_late(self, now_ns: int) -> bool:
        """Whether what it says is about another day."""
        return not self.leaving and now_ns >= min(self.until_ns, self.forecast.expires_at)


_DECODER = msgspec.json.Decoder(list[Signal])


class Waiting:
    """Owner of what waits. Durable within the turn of the loop in which it changed."""

    def __init__(self, clock: Clock, store: Store, failed: Callable[[str], None]) -> None:
        """``failed(reason)`` hears that something could not be kept or read."""
        self._clock, self._store, self._failed = clock, store, failed
        self._signals: dict[Symbol, list[Signal]] = {}
        self._asked = False

    def load(self) -> int:
        """Take over what an earlier run left; return how much. What cannot be read is told and left out."""
        stored = self._store.get(NAME)
        try:
            found = _DECODER.decode(stored) if stored else []
        except msgspec.DecodeError as error:
            self._failed(f"signals of the last session cannot be read: {error}")
            return 0
        for signal in found:
            self._signals.setdefault(signal.forecast.symbol, []).append(signal)
        return len(found)

    def add(self, signal: Signal) -> None:
        """Keep a signal; a newer one of the same strategy takes the place of the older."""
        symbol = signal.forecast.symbol
        same = (signal.strategy, signal.leaving)
        others = [s for s in self._signals.get(symbol, ()) if (s.strategy, s.leaving) != same]
        self._signals[symbol] = [*others, signal]
        self._keep_soon()

    def due(self, symbol: Symbol, now_ns: int) -> list[Signal]:
        """Take out what may be proposed now, late ones included."""
        waiting = self._signals.get(symbol)
        if not waiting or now_ns < min(signal.after_ns for signal in waiting):
            return []
        found = [signal for signal in waiting if signal.after_ns <= now_ns]
        left = [signal for signal in waiting if signal.after_ns > now_ns]
        if left:
            self._signals[symbol] = left
        else:
            del self._signals[symbol]
        self._keep_soon()
        return found

    def _keep_soon(self) -> None:
        """Many symbols close at one moment: they are written together."""
        if not self._asked:
            self._asked = True
            self._clock.call_later(0.0, self._keep)

    def flush(self) -> None:
        """Write now what is to be written."""
        if self._asked:
            self._keep()

    def _keep(self) -> None:
        self._asked = False
        rows = [signal for symbol in sorted(self._signals) for signal in self._signals[symbol]]
        try:
            self._store.set(NAME, msgspec.json.encode(rows).decode())
        except JournalError as error:
            self._failed(f"signals of this session could not be kept: {error}")
