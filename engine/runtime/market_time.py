"""Driving market time: at its speed while the market speaks, in one step where it is silent."""

import asyncio

from engine.bus.clock import SECOND, ReplayClock
from engine.runtime.marketplace import Marketplace

QUIET_NS = 30 * SECOND
"""After the market's last word, reports and timers of the last orders still arrive."""


class MarketTime:
    """Runs the clock of a demo or a replay until its time is up, the files end, or somebody stops it."""

    def __init__(self, place: Marketplace, ends: bool, stop_asked: asyncio.Event) -> None:
        """``ends``: with the provider's last word the run is over (a replay)."""
        self._place, self._ends, self._stop_asked = place, ends, stop_asked
        self.seconds = 0.0
        """Market seconds that were lived through; skipped ones do not count."""

    async def run(self, clock: ReplayClock, for_seconds: float | None) -> None:
        """Run for ``for_seconds`` of market time, or without end."""
        left = None if for_seconds is None else round(for_seconds * SECOND)
        while not self._stop_asked.is_set() and (left is None or left > 0):
            wake = self._place.next_wake()
            if wake is None and self._ends:
                # A minute more lets the last bars close and the last reports arrive.
                clock.advance_to(clock.now() + 60 * SECOND)
                break
            if wake is not None and wake > clock.now() + 2 * QUIET_NS:
                self._skip_quiet(clock, wake)
            begin = clock.now()
            step = SECOND if clock.speed is not None else 60 * SECOND
            await self._until(clock, begin + (step if left is None else min(step, left)))
            moved = clock.now() - begin
            self.seconds += moved / SECOND
            if left is not None:
                left -= moved

    async def _until(self, clock: ReplayClock, until: int) -> None:
        runner = asyncio.create_task(clock.run(until), name="market time")
        stopper = asyncio.create_task(self._stop_asked.wait(), name="stop asked")
        await asyncio.wait({runner, stopper}, return_when=asyncio.FIRST_COMPLETED)
        for task in (runner, stopper):
            task.cancel()
        results = await asyncio.gather(runner, stopper, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    def _skip_quiet(self, clock: ReplayClock, wake: int) -> None:
        """Pass over a time in which the market says nothing: reports still arrive, sessions still end."""
        clock.advance_to(clock.now() + QUIET_NS)
        cache = self._place.cache
        sessions = (cache.session(symbol, clock.now()) for symbol in cache.symbols())
        ends = {session.close_ns + SECOND for session in sessions if session is not None}
        last = wake - SECOND
        for stop in (*sorted(end for end in ends if clock.now() < end < wake - QUIET_NS), last):
            clock.jump_to(stop)
            if stop < last:
                clock.advance_to(stop + SECOND)
