"""Trading hours as the broker tells them are of a few days only: they are read again each day, before the session
opens, and after each reconnect. An early close or a day off that was announced meanwhile is known in time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import ProviderError
from engine.market.cache import MarketCache
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Session
from engine.model.report import LinkState
from engine.runtime.gateway import Gateway
from engine.runtime.live_history import LiveHistory

DAY_NS = 86_400 * SECOND
BEFORE_OPEN_NS = 45 * 60 * SECOND
LEAST_GAP_NS = 10 * 60 * SECOND
"""A link that comes and goes does not make us ask for every contract each time."""
AGAIN_S, LONGEST_S = 60.0, 1800.0
_log = structlog.get_logger("hours")


def next_reading(now_ns: int, sessions: Iterable[Session | None]) -> int:
    """Return when to read again, UTC ns: before the next open of any instrument, and within a day at the latest."""
    before = [s.next_open_ns - BEFORE_OPEN_NS for s in sessions if s is not None]
    return min([now_ns + DAY_NS, *(at for at in before if at > now_ns + LEAST_GAP_NS)])


class HoursKeeper:
    """Asks, and hands on what has changed."""

    def __init__(
        self,
        clock: Clock,
        *,
        symbols: Callable[[], tuple[Symbol, ...]],
        session: Callable[[Symbol, int], Session | None],
        describe: Callable[[tuple[Symbol, ...]], Awaitable[tuple[Instrument, ...]]],
        take: Callable[[Instrument], None],
    ) -> None:
        """``describe`` asks the broker anew, whatever it has said before; ``take`` gets the instruments whose hours
        are not those of the last time."""
        self._clock, self._symbols, self._session = clock, symbols, session
        self._describe, self._take = describe, take
        self._told: dict[Symbol, tuple[tuple[str, int, int], ...]] = {}
        self._read_ns = clock.now()
        self._was_down = False
        self._news = asyncio.Event()
        """The link is back."""

    def on_link(self, state: LinkState, code: int, text: str) -> None:
        """Hear of the link; the first connection is not a reconnect: what it tells is read at the start anyway."""
        if state is not LinkState.UP:
            self._was_down = True
        elif self._was_down:
            self._was_down = False
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        pause_s = AGAIN_S
        while True:
            now = self._clock.now()
            due = next_reading(now, (self._session(symbol, now) for symbol in self._symbols()))
            await self._until(due)
            while not await self._read():
                await self._clock.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_S)
            pause_s = AGAIN_S

    async def _until(self, due_ns: int) -> None:
        self._news.clear()
        timer = self._clock.call_at(due_ns, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()
        early = self._read_ns + LEAST_GAP_NS - self._clock.now()
        if early > 0:
            await self._clock.sleep(early / SECOND)

    async def _read(self) -> bool:
        """Ask for all; false when it has to be tried again."""
        try:
            found = await self._describe(self._symbols())
        except ProviderError as error:
            _log.warning("the trading hours could not be read again", reason=str(error))
            return False
        self._read_ns = self._clock.now()
        changed = [instrument for instrument in found if self._told.get(instrument.symbol) != instrument.hours]
        for instrument in changed:
            self._told[instrument.symbol] = instrument.hours
            self._take(instrument)
        _log.info("trading hours are read again", symbols=len(found), changed=len(changed))
        return True


def hours_at(clock: Clock, gateway: Gateway, cache: MarketCache, history: LiveHistory) -> HoursKeeper:
    """The keeper of a gateway's hours, told of its link."""
    keeper = HoursKeeper(
        clock,
        symbols=cache.symbols,
        session=cache.session,
        describe=gateway.describe_again,
        take=history.describe,
    )
    gateway.link.listen(keeper.on_link)
    return keeper
