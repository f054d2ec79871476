"""Hours told by the broker are read again: each day, before the session opens, after a reconnect, until it worked."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from engine.bus.clock import SECOND, StepClock
from engine.bus.errors import ProviderError
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Session, SessionState
from engine.model.report import LinkState
from engine.runtime.told_hours import BEFORE_OPEN_NS, DAY_NS, HoursKeeper, next_reading

AAPL = Symbol("AAPL")
NOW = 1_767_366_000 * SECOND
HOUR = 3600 * SECOND


def session(next_open_ns: int) -> Session:
    return Session(state=SessionState.CLOSED, date="2026-01-02", open_ns=0, close_ns=NOW - 1, next_open_ns=next_open_ns)


class Place:
    """One instrument whose session opens every day at the same hour, and a broker that is asked."""

    def __init__(self) -> None:
        self.clock = StepClock(NOW)
        self.asked: list[int] = []
        self.taken: list[tuple[tuple[str, int, int], ...]] = []
        self.hours: tuple[tuple[str, int, int], ...] = (("2026-01-05", 1, 2),)
        self.fails = 0
        self.keeper = HoursKeeper(
            self.clock,
            symbols=lambda: (AAPL,),
            session=self._session,
            describe=self._describe,
            take=lambda instrument: self.taken.append(instrument.hours),
        )

    def _session(self, symbol: Symbol, at_ns: int) -> Session:
        opens = NOW + 12 * HOUR
        while opens <= at_ns:
            opens += DAY_NS
        return session(opens)

    async def _describe(self, symbols: tuple[Symbol, ...]) -> tuple[Instrument, ...]:
        self.asked.append(self.clock.now())
        if self.fails:
            self.fails -= 1
            raise ProviderError("no answer")
        return tuple(Instrument(symbol=symbol, hours=self.hours) for symbol in symbols)

    async def pass_(self, seconds: float, step: float = 60) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            await asyncio.sleep(0)
            await asyncio.sleep(0)


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    built = Place()
    task = asyncio.create_task(built.keeper.run())
    await asyncio.sleep(0)
    yield built
    task.cancel()
    await asyncio.wait([task])


def test_the_next_reading_is_before_the_next_open_and_within_a_day() -> None:
    assert next_reading(NOW, [session(NOW + 10 * HOUR), None]) == NOW + 10 * HOUR - BEFORE_OPEN_NS
    assert next_reading(NOW, []) == NOW + DAY_NS
    assert next_reading(NOW, [session(NOW + 40 * HOUR)]) == NOW + DAY_NS
    # So near to the open it has just been read.
    assert next_reading(NOW, [session(NOW + BEFORE_OPEN_NS)]) == NOW + DAY_NS


async def test_hours_are_read_again_before_each_open_and_handed_on_when_they_changed(place: Place) -> None:
    await place.pass_(13 * 3600)
    assert len(place.asked) == 1
    assert abs(place.asked[0] - (NOW + 12 * HOUR - BEFORE_OPEN_NS)) <= 60 * SECOND
    assert place.taken == [place.hours]
    await place.pass_(24 * 3600)
    assert len(place.asked) == 2
    assert len(place.taken) == 1
    place.hours = (("2026-01-05", 1, 9),)
    await place.pass_(24 * 3600)
    assert place.taken[-1] == (("2026-01-05", 1, 9),)


async def test_a_reconnect_reads_them_again_but_not_more_often_than_every_ten_minutes(place: Place) -> None:
    place.keeper.on_link(LinkState.UP, 0, "")
    await place.pass_(3600)
    assert place.asked == []
    for _ in range(3):
        place.keeper.on_link(LinkState.DOWN, 1100, "lost")
        place.keeper.on_link(LinkState.UP, 1102, "back")
        await place.pass_(120)
    await place.pass_(1200)
    assert len(place.asked) == 2
    assert place.asked[1] - place.asked[0] >= 10 * 60 * SECOND


async def test_a_reading_that_fails_is_tried_again(place: Place) -> None:
    place.fails = 2
    await place.pass_(12 * 3600)
    assert len(place.asked) == 3
    assert place.taken == [place.hours]
