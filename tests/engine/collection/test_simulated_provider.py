"""The simulated market arrives whole: what the cache and the bars hold is what the market is."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.collection.providers.simulated import SimulatedProvider
from engine.collection.settings import SimulatedSettings
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.calendars import Calendars
from engine.market.instruments import Instruments, described
from engine.market.settings import MarketSettings
from engine.model.events.base import Event
from engine.model.events.market import BookChanged, HaltChanged, NewsArrived, QuoteTick, TickRejected, TradeTick
from engine.model.ids import Symbol
from engine.simulation.market.instruments import instruments_for
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import weekday_sessions
from engine.simulation.market.world import World

SYMBOLS = [Symbol(name) for name in ("AAPL", "MSFT", "KO", "XOM")]
DAYS = weekday_sessions(date(2024, 3, 7), 3)


class Stage:
    def __init__(self, calendars: Calendars, start: int, seed: int = 3) -> None:
        self.clock = StepClock(start)
        self.heard: list[Event] = []
        bus = Bus(lambda *failure: pytest.fail(str(failure)))
        for kind in (QuoteTick, TradeTick, BookChanged, NewsArrived, HaltChanged, TickRejected):
            bus.subscribe(kind, self.heard.append, owner="test")
        instruments = Instruments(described(symbol) for symbol in SYMBOLS)
        settings = MarketSettings()
        self.bars = BarStore(bus, self.clock, settings, instruments, calendars)
        self.cache = MarketCache(bus, self.clock, settings, instruments, calendars, self.bars)
        self.market = SimulatedMarket(World("mixed", seed), instruments_for(SYMBOLS), DAYS)
        self.provider = SimulatedProvider(
            self.cache.accept, self.clock, SimulatedSettings(), self.market, DAYS[0].index
        )

    async def start(self) -> "Stage":
        await self.bars.start()
        await self.provider.start()
        self.provider.watch(SYMBOLS)
        return self

    def of(self, kind: type) -> list:
        return [event for event in self.heard if type(event) is kind]


async def test_bars_made_of_its_ticks_are_the_bars_of_the_market(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns).start()
    stage.clock.advance_to(DAYS[0].close_ns + 5 * SECOND)
    assert stage.of(TickRejected) == []
    for seconds in (60, 300, 86_400):
        block = (
            stage.market.daily_bars(DAYS[0].index + 1, 1)
            if seconds == 86_400
            else stage.market.intraday_bars(DAYS[0].index, seconds)
        )
        for row, symbol in enumerate(stage.market.symbols):
            made = stage.bars.arrays(Symbol(symbol), seconds, 1_000)
            traded = block.volume[row] > 0
            for name in ("ts_open", "open", "high", "low", "close", "volume"):
                np.testing.assert_allclose(getattr(made, name), getattr(block, name)[row][traded], rtol=1e-12)


async def test_the_last_quote_is_the_state_of_the_market(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns).start()
    stage.clock.advance_to(DAYS[0].open_ns + 1_800 * SECOND)
    state = stage.market.quotes(DAYS[0].index, 1_799, 1_800)
    for row, symbol in enumerate(stage.market.symbols):
        quote = stage.cache.quote(Symbol(symbol))
        assert (quote.bid, quote.ask, quote.volume) == (
            state.bid[row, 0],
            state.ask[row, 0],
            pytest.approx(state.volume[row, 0]),
        )


async def test_only_what_changed_is_told(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns).start()
    stage.clock.advance_to(DAYS[0].open_ns + 600 * SECOND)
    for symbol in SYMBOLS:
        quotes = [(q.bid, q.ask, q.bid_size, q.ask_size) for q in stage.of(QuoteTick) if q.symbol == symbol]
        assert len(quotes) < 600
        assert all(a != b for a, b in pairwise(quotes))


async def test_days_follow_one_another_and_the_next_wake_is_the_next_open(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].close_ns - 10 * SECOND).start()
    assert stage.provider.is_open()
    assert stage.provider.next_wake() == DAYS[0].close_ns - 9 * SECOND
    stage.clock.advance_to(DAYS[0].close_ns)
    assert not stage.provider.is_open()
    assert stage.provider.next_wake() == DAYS[1].open_ns + SECOND
    stage.heard.clear()
    stage.clock.advance_to(DAYS[1].open_ns)
    assert stage.heard == []
    stage.clock.advance_to(DAYS[1].open_ns + SECOND)
    assert {q.symbol for q in stage.of(QuoteTick)} == set(SYMBOLS)
    # The weekend: the third day is a Monday.
    stage.clock.advance_to(DAYS[1].close_ns)
    assert stage.provider.next_wake() == DAYS[2].open_ns + SECOND


async def test_starting_in_the_middle_tells_no_volume_of_before(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns + 3_600 * SECOND).start()
    stage.clock.advance(60)
    since = stage.market.quotes(DAYS[0].index, 3_599, 3_660).volume
    for row, symbol in enumerate(stage.market.symbols):
        told = sum(trade.size for trade in stage.of(TradeTick) if trade.symbol == symbol)
        assert told <= since[row, -1] - since[row, 0]


async def test_an_own_trade_is_seen_in_the_next_second_after_refresh(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns).start()
    stage.clock.advance_to(DAYS[0].open_ns + 100 * SECOND)
    stage.market.own_trade("AAPL", stage.clock.now(), 5e6)
    stage.provider.refresh()
    stage.clock.advance(1)
    state = stage.market.quotes(DAYS[0].index, 100, 101)
    assert stage.cache.quote(Symbol("AAPL")).bid == state.bid[0, 0]


async def test_history_ends_where_live_begins(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns).start()
    stage.clock.advance_to(DAYS[0].open_ns + 1_800 * SECOND)
    now = stage.clock.now()
    for seconds in (60, 300):
        past = stage.provider.bars(Symbol("AAPL"), seconds, 500, now)
        assert len(past["ts_open"]) == 500
        assert int(past["ts_open"][-1]) + seconds * SECOND <= now
        live = stage.bars.arrays(Symbol("AAPL"), seconds, 500, now)
        for name in ("ts_open", "close", "volume"):
            both = np.isin(past["ts_open"], live.ts_open)
            np.testing.assert_allclose(past[name][both], getattr(live, name)[-both.sum() :], rtol=1e-12)
    days = stage.provider.bars(Symbol("AAPL"), 86_400, 300, now)
    assert len(days["ts_open"]) == 300
    assert int(days["ts_close"][-1]) < DAYS[0].open_ns
    assert int(stage.provider.bars(Symbol("AAPL"), 86_400, 1, DAYS[0].close_ns)["ts_open"][0]) == DAYS[0].open_ns


async def test_a_watched_book_comes_four_times_a_second(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns).start()
    stage.provider.watch([Symbol("AAPL")], depth=True)
    stage.clock.advance(10)
    books = stage.of(BookChanged)
    assert len(books) == 40
    assert {book.symbol for book in books} == {"AAPL"}
    assert len(books[-1].bid_prices) > 1
    stage.provider.unwatch([Symbol("AAPL")])
    stage.heard.clear()
    stage.clock.advance(10)
    assert stage.of(BookChanged) == []


async def test_news_and_halts_come_when_they_happen(calendars: Calendars) -> None:
    stage = await Stage(calendars, DAYS[0].open_ns, seed=5).start()
    stage.provider.unwatch(SYMBOLS)  # prices are not the matter here
    for day in DAYS:
        stage.clock.advance_to(day.close_ns + SECOND)
    told = [event.id for event in stage.of(NewsArrived)]
    expected = [item for day in DAYS for item in stage.market.news(day.index)]
    assert told == [i.id for i in expected if i.published_ns <= stage.clock.now()]
    assert all(event.ts_event <= event.ts_init for event in stage.of(NewsArrived))
    for halt in stage.of(HaltChanged):
        assert 0 <= halt.ts_init - halt.ts_event <= SECOND
