"""The last bar that closed before the engine came is judged once, and only while it is the newest there can be."""

import asyncio

import numpy as np
import pytest

from engine.bus.clock import SECOND, StepClock
from engine.market.bar_series import BarArrays
from engine.model.ids import Symbol
from engine.model.market import Quote, Session, SessionState
from engine.runtime.first_look import FirstLook

ACME = Symbol("ACME")
FIVE, DAY = 300, 86_400
OPEN, CLOSE, NEXT = 10 * 3600 * SECOND, 16 * 3600 * SECOND, 34 * 3600 * SECOND
NAN = float("nan")


class Market:
    """Quotes, hours, bars and vectors of one symbol."""

    def __init__(self) -> None:
        self.bid = NAN
        self.ends: dict[int, int] = {}
        self.told: list[tuple[int, int]] = []

    def quote(self, symbol: Symbol) -> Quote:
        prices = dict.fromkeys(("last", "volume", "open", "high", "low", "previous_close"), NAN)
        sizes = dict.fromkeys(("bid_size", "ask_size", "last_size"), 1.0)
        return Quote(symbol=symbol, bid=self.bid, ask=self.bid + 0.02, ts_event=1, ts_seen=1, **prices, **sizes)

    def session(self, symbol: Symbol, at_ns: int) -> Session:
        if at_ns < OPEN:
            return Session(state=SessionState.CLOSED, date="d", open_ns=OPEN, close_ns=CLOSE, next_open_ns=OPEN)
        if at_ns < CLOSE:
            return Session(state=SessionState.OPEN, date="d", open_ns=OPEN, close_ns=CLOSE, next_open_ns=NEXT)
        late = NEXT + CLOSE - OPEN
        state = SessionState.OPEN if NEXT <= at_ns < late else SessionState.CLOSED
        return Session(state=state, date="e", open_ns=NEXT, close_ns=late, next_open_ns=NEXT)

    def arrays(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarArrays | None:
        end = self.ends.get(seconds)
        if end is None:
            return None
        one = np.array([1.0])
        return BarArrays(np.array([end - seconds * SECOND]), np.array([end]), *[one] * 7)

    def announce(self, seconds: int, symbol: Symbol, as_of: int) -> None:
        self.told.append((seconds, as_of))


@pytest.fixture
def market() -> Market:
    return Market()


def look_at(market: Market, now: int, seconds: int, end: int, *, known: bool = True) -> FirstLook:
    market.ends[seconds] = end
    first = FirstLook(StepClock(now), market, market, market, lambda: known)
    first.note(ACME, seconds)
    first.look()
    return first


def test_a_bar_that_has_just_closed_is_judged_once(market: Market) -> None:
    market.bid = 10.0
    end = OPEN + 3600 * SECOND
    first = look_at(market, end + 40 * SECOND, FIVE, end)
    first.look()
    assert market.told == [(FIVE, end)]


def test_a_bar_waits_for_a_two_sided_price_and_for_the_books(market: Market) -> None:
    end = OPEN + 3600 * SECOND
    first = look_at(market, end + SECOND, FIVE, end)
    assert market.told == []
    market.bid = 10.0
    first.look()
    assert market.told == [(FIVE, end)]
    market.told.clear()
    look_at(market, end + SECOND, FIVE, end, known=False)
    assert market.told == []


def test_a_bar_after_which_another_must_have_closed_is_not_judged(market: Market) -> None:
    market.bid = 10.0
    end = OPEN + 3600 * SECOND
    look_at(market, end + 300 * SECOND, FIVE, end)
    assert market.told == []


def test_a_bar_that_a_live_one_has_followed_is_not_judged_again(market: Market) -> None:
    end = OPEN + 3600 * SECOND
    first = look_at(market, end + SECOND, FIVE, end)
    market.bid, market.ends[FIVE] = 10.0, end + 300 * SECOND
    first.look()
    assert market.told == []


def test_minutes_before_the_close_say_nothing_when_the_market_is_closed(market: Market) -> None:
    market.bid = 10.0
    look_at(market, CLOSE + SECOND, FIVE, CLOSE)
    assert market.told == []


@pytest.mark.parametrize(("hours_after_close", "judged"), [(1, True), (17, True), (23, True), (25, False)])
def test_a_day_holds_until_the_next_session_is_over(market: Market, hours_after_close: int, judged: bool) -> None:
    # The next session is 18 to 24 hours after this close.
    market.bid = 10.0
    look_at(market, CLOSE + hours_after_close * 3600 * SECOND, DAY, CLOSE)
    assert market.told == ([(DAY, CLOSE)] if judged else [])


async def test_it_looks_every_second_until_there_is_a_price(market: Market) -> None:
    end = OPEN + 3600 * SECOND
    clock = StepClock(end + SECOND)
    market.ends[FIVE] = end
    first = FirstLook(clock, market, market, market, lambda: True)
    task = asyncio.create_task(first.run())
    first.note(ACME, FIVE)
    for second in range(20):
        market.bid = 10.0 if second > 10 else NAN
        await asyncio.sleep(0)
        clock.advance(1)
        await asyncio.sleep(0)
        assert bool(market.told) == (second > 10)
    assert len(market.told) == 1
    task.cancel()
    await asyncio.wait([task])
