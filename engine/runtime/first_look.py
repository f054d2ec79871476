"""The last bar that closed before we came: judged as soon as there are prices, instead of waiting for the next."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from engine.bus.clock import SECOND, Clock
from engine.market.bar_series import BarArrays
from engine.model.ids import Symbol
from engine.model.market import Quote, Session, SessionState

_DAY_S = 86_400
_EVERY_S = 1.0
_AT_ONCE = 8
"""Bars judged in one go, so that no tick is held up for long."""


class Market(Protocol):
    """Prices and hours."""

    def quote(self, symbol: Symbol) -> Quote | None: ...

    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...


class Bars(Protocol):
    """The bars that have closed."""

    def arrays(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarArrays | None: ...


class Vectors(Protocol):
    """The features of the seeded bars."""

    def announce(self, seconds: int, symbol: Symbol, as_of: int) -> None: ...


class FirstLook:
    """Has what a seeded bar says judged like that of one that closed just now, while no newer one can exist."""

    def __init__(
        self, clock: Clock, market: Market, bars: Bars, vectors: Vectors, books_known: Callable[[], bool]
    ) -> None:
        """``books_known``: orders and positions have been compared, so that the gate would not refuse out of hand."""
        self._clock, self._market, self._bars, self._vectors = clock, market, bars, vectors
        self._books_known = books_known
        self._waiting: dict[tuple[Symbol, int], int] = {}
        self._noted = asyncio.Event()

    def note(self, symbol: Symbol, seconds: int) -> None:
        """History of ``symbol`` has come: its newest bar is looked at when its time has come."""
        newest = self._newest(symbol, seconds)
        if newest:
            self._waiting[symbol, seconds] = newest
            self._noted.set()

    async def run(self) -> None:
        """Look every second while something waits; until cancelled."""
        while True:
            await self._noted.wait()
            while self._waiting:
                self.look()
                await self._clock.sleep(_EVERY_S)
            self._noted.clear()

    def look(self) -> None:
        """Have judged what can be; forget what is no longer the newest."""
        told = 0
        for (symbol, seconds), end in tuple(self._waiting.items()):
            now = self._clock.now()
            if not self._still_newest(symbol, seconds, end, now):
                del self._waiting[symbol, seconds]
            elif told < _AT_ONCE and self._ready(symbol, seconds, now):
                del self._waiting[symbol, seconds]
                self._vectors.announce(seconds, symbol, end)
                told += 1

    def _newest(self, symbol: Symbol, seconds: int) -> int:
        """End of the newest closed bar, 0 without any."""
        found = self._bars.arrays(symbol, seconds, 1)
        return int(found.ts_close[-1]) if found is not None and found.size else 0

    def _still_newest(self, symbol: Symbol, seconds: int, end: int, now: int) -> bool:
        """No bar has closed since, and none could have: a gap in the history is not jumped over."""
        if self._newest(symbol, seconds) != end:
            return False  # it closed while we looked on, and has been judged
        if seconds < _DAY_S:
            return now < end + seconds * SECOND
        since = self._market.session(symbol, end)
        if since is None:
            return False
        opens = since.open_ns if since.open_ns >= end else since.next_open_ns
        following = self._market.session(symbol, opens)
        return following is not None and now < following.close_ns

    def _ready(self, symbol: Symbol, seconds: int, now: int) -> bool:
        session = self._market.session(symbol, now)
        if session is None or not self._books_known():
            return False
        if session.state is not SessionState.OPEN:
            # What a day says is kept for the next open; what minutes say is void by then.
            return seconds >= _DAY_S
        quote = self._market.quote(symbol)
        return quote is not None and quote.two_sided
