"""The cache holds what is true, refuses what is not, and counts it."""

from collections.abc import Callable
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.corporate_actions import ActionKind, CorporateAction
from engine.market.quality import quote_fault, trade_fault
from engine.model.events.market import BookChanged, FeedStale, HaltChanged, NewsArrived, QuoteTick
from engine.model.ids import Symbol
from tests.engine.market.conftest import Rig, ns

Make = Callable[..., Rig]
AAPL = Symbol("AAPL")


def test_the_cache_already_holds_a_quote_when_it_is_delivered(rig: Make) -> None:
    market = rig().at("2024-03-08 10:00")
    seen: list[float] = []
    market.bus.subscribe(QuoteTick, lambda tick: seen.append(market.cache.quote(tick.symbol).bid), owner="test")
    market.quote(99.99, 100.01)
    assert seen == [99.99]


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        (100.02, 100.01, "CROSSED"),
        (nan, 100.0, "NOT_A_NUMBER"),
        (100.0, float("inf"), "NOT_A_NUMBER"),
        (-1.0, 100.0, "NO_QUOTE"),
        (0.0, 0.0, "NO_QUOTE"),
        (1.7976931348623157e308, 1.7976931348623157e308, "NO_QUOTE"),
        (150.0, 150.02, "SPIKE"),
    ],
)
def test_a_bad_quote_is_refused_with_its_reason_and_counted(rig: Make, bid: float, ask: float, reason: str) -> None:
    market = rig().at("2024-03-08 10:00")
    market.quote(99.99, 100.01)
    market.at("2024-03-08 10:00:01").quote(bid, ask)
    assert market.reasons() == [reason]
    assert market.cache.rejected()["feed", reason] == 1
    assert len(market.of(QuoteTick)) == 1
    quote = market.cache.quote(AAPL)
    assert quote is not None
    assert quote.quote_ns == ns("2024-03-08 10:00")
    # A side that vanished is unknown; any other refused quote leaves the last good one.
    assert quote.two_sided is (reason in ("CROSSED", "SPIKE"))


def test_old_future_and_unknown_ticks_are_refused(rig: Make) -> None:
    market = rig().at("2024-03-08 10:00")
    market.quote(99.99, 100.01)
    market.quote(99.98, 100.00, age=1.0)
    market.quote(99.98, 100.00, age=-6.0)
    market.quote(99.98, 100.00, symbol="NOBODY")
    market.trade(100.0)
    market.trade(100.0, age=2.0)
    assert market.reasons() == ["OUT_OF_ORDER", "FUTURE", "UNKNOWN_SYMBOL", "OUT_OF_ORDER"]
    assert market.cache.quote(AAPL).bid == 99.99


def test_a_run_of_refused_quotes_makes_bid_and_ask_unknown(rig: Make) -> None:
    market = rig().at("2024-03-08 10:00")
    market.quote(99.99, 100.01)
    for second in (1, 2):
        market.at(f"2024-03-08 10:00:0{second}").quote(100.05, 100.01)
    assert market.cache.quote(AAPL).two_sided
    market.at("2024-03-08 10:00:03").quote(100.05, 100.01)
    assert not market.cache.quote(AAPL).two_sided
    market.at("2024-03-08 10:00:04").quote(99.99, 100.01)
    assert market.cache.quote(AAPL).two_sided


def test_a_spike_that_stays_becomes_the_price(rig: Make) -> None:
    market = rig(void_after=100).at("2024-03-08 10:00")
    market.quote(99.99, 100.01)
    for second in range(1, 4):
        market.at(f"2024-03-08 10:00:0{second}").quote(120.0, 120.02)
    assert market.reasons() == ["SPIKE", "SPIKE"]
    assert market.cache.quote(AAPL).bid == 120.0


def test_alternating_spikes_are_never_believed(rig: Make) -> None:
    market = rig(void_after=100).at("2024-03-08 10:00")
    market.trade(100.0)
    for second in range(10, 40):
        market.at(f"2024-03-08 10:00:{second}").trade(150.0 if second % 2 else 60.0)
    assert market.reasons() == ["SPIKE"] * 30
    assert market.cache.quote(AAPL).last == 100.0


def test_day_values_begin_with_the_session_and_keep_the_close(rig: Make) -> None:
    market = rig("2024-03-07 09:00")
    for text, price in (("09:31", 100.0), ("12:00", 103.0), ("15:59", 101.0), ("16:00", 101.5), ("17:00", 99.0)):
        market.at(f"2024-03-07 {text}").trade(price, 10.0)
    quote = market.cache.quote(AAPL)
    assert (quote.open, quote.high, quote.low, quote.volume, quote.last) == (100.0, 103.0, 100.0, 40.0, 99.0)
    assert isnan(quote.previous_close)
    market.at("2024-03-08 08:00").trade(98.0)
    assert market.cache.quote(AAPL).open == 100.0  # before the open it is still yesterday's day
    market.at("2024-03-08 09:30").trade(102.0, 5.0)
    quote = market.cache.quote(AAPL)
    assert (quote.open, quote.high, quote.low, quote.volume) == (102.0, 102.0, 102.0, 5.0)
    assert quote.previous_close == 101.5


@pytest.mark.parametrize(
    ("first", "locked"), [(180.0, True), (179.0, False), (55.0, True), (56.0, False), (10.0, True)]
)
def test_an_overnight_jump_locks_the_symbol(rig: Make, first: float, locked: bool) -> None:
    """G27: ×≥1.8 or ×≤0.55 between the close and the first price."""
    market = rig("2024-03-07 09:00")
    market.at("2024-03-07 15:59").trade(100.0)
    market.at("2024-03-08 09:30").trade(first)
    assert market.cache.quote(AAPL).last == first
    assert [lock[:2] for lock in market.locks] == ([("AAPL", "G27")] if locked else [])


def test_a_known_split_locks_on_its_date_whatever_the_price(rig: Make) -> None:
    market = rig("2024-03-07 09:00")
    market.actions.add(CorporateAction(symbol=AAPL, kind=ActionKind.SPLIT, date="2024-03-08", ratio=4.0))
    market.at("2024-03-07 15:59").trade(100.0)
    assert market.locks == []
    market.at("2024-03-08 09:30").trade(99.0)
    assert [lock[:2] for lock in market.locks] == [("AAPL", "G27")]
    assert "4 for 1" in market.locks[0][2]


def test_halt_and_resume_are_remembered_once(rig: Make) -> None:
    market = rig().at("2024-03-08 10:00")
    now = market.clock.now()
    market.quote(99.99, 100.01)
    halt = HaltChanged(ts_event=now, ts_init=now, symbol=AAPL, halted=True, reason="LULD", source="feed")
    market.cache.accept(halt)
    market.cache.accept(halt)
    assert market.cache.quote(AAPL).halted
    assert market.cache.resumed_ns(AAPL) == 0
    market.cache.accept(HaltChanged(ts_event=now + 5, ts_init=now + 5, symbol=AAPL, halted=False, source="feed"))
    assert not market.cache.quote(AAPL).halted
    assert market.cache.resumed_ns(AAPL) == now + 5
    assert len(market.of(HaltChanged)) == 2


def test_the_mean_price_covers_only_its_minutes(rig: Make) -> None:
    market = rig()
    for minute, price in ((0, 200.0), (6, 201.0), (8, 203.0)):
        market.at(f"2024-03-08 10:0{minute}").trade(price)
    market.at("2024-03-08 10:09")
    assert market.cache.mean_price(AAPL, 5) == pytest.approx(202.0)
    market.at("2024-03-08 11:30")
    assert market.cache.mean_price(AAPL, 5) is None


def test_the_spread_median_waits_for_enough_minutes(rig: Make) -> None:
    market = rig()
    for minute in range(29):
        market.at(f"2024-03-08 10:{minute:02}").quote(99.99, 100.01)
    assert market.cache.spread_median(AAPL) is None
    market.at("2024-03-08 10:29").quote(99.99, 100.01)
    assert market.cache.spread_median(AAPL) == pytest.approx(0.0002)
    market.cache.seed_spreads(AAPL, [0.001, 0.002, 0.003])
    assert market.cache.spread_median(AAPL) == pytest.approx(0.002)


async def test_silence_in_an_open_session_is_told_once_and_again_when_it_ends(rig: Make) -> None:
    market = rig()
    await market.cache.start()
    market.at("2024-03-08 10:00").quote(99.99, 100.01)
    market.at("2024-03-08 10:02")
    stale = [(event.source, event.symbol, event.fresh) for event in market.of(FeedStale)]
    assert stale == [("feed", None, False), ("", AAPL, False)]
    assert market.cache.stale_sources() == ("feed",)
    market.quote(99.99, 100.01)
    assert [(e.source, e.symbol, e.fresh) for e in market.of(FeedStale)][2:] == [
        ("feed", None, True),
        ("feed", AAPL, True),
    ]
    await market.cache.stop()
    assert market.clock.next_timer() is None or not market.at("2024-03-08 10:30").of(FeedStale)[4:]


async def test_silence_while_the_market_is_closed_is_no_silence(rig: Make) -> None:
    market = rig("2024-03-08 15:00")
    await market.cache.start()
    market.at("2024-03-08 15:59:58").quote(99.99, 100.01)
    market.at("2024-03-11 09:30:10")  # over the weekend and the change of clocks
    assert market.of(FeedStale) == []
    market.at("2024-03-11 09:31")
    assert [event.source for event in market.of(FeedStale)] == ["feed"]
    await market.cache.stop()


def test_a_crossed_book_is_refused_and_news_passes_through(rig: Make) -> None:
    market = rig().at("2024-03-08 10:00")
    now = market.clock.now()
    for bids, asks in (((100.0, 99.9), (100.1, 100.2)), ((100.2, 99.9), (100.1,)), ((99.9, 100.0), (100.1,))):
        market.cache.accept(
            BookChanged(
                ts_event=now,
                ts_init=now,
                symbol=AAPL,
                bid_prices=bids,
                bid_sizes=(1.0,) * len(bids),
                ask_prices=asks,
                ask_sizes=(1.0,) * len(asks),
                source="feed",
            )
        )
    assert len(market.of(BookChanged)) == 1
    assert market.reasons() == ["BAD_DEPTH", "BAD_DEPTH"]
    market.cache.accept(NewsArrived(ts_event=now, ts_init=now, id="1", symbols=(AAPL,), headline="x", source="feed"))
    assert len(market.of(NewsArrived)) == 1


def test_nothing_is_known_of_a_symbol_never_heard_of(rig: Make) -> None:
    market = rig()
    assert market.cache.quote(AAPL) is None
    assert market.cache.session(Symbol("NOBODY"), market.clock.now()) is None
    assert market.cache.spread_median(AAPL) is None
    assert market.cache.mean_price(AAPL, 5) is None
    assert market.cache.atr(AAPL) is None


@given(st.floats(), st.floats(), st.floats(), st.floats())
def test_a_quote_without_fault_is_one_you_can_trade_on(
    bid: float, ask: float, bid_size: float, ask_size: float
) -> None:
    if quote_fault(bid, ask, bid_size, ask_size) is None:
        assert 0.0 < bid <= ask < 1e300
        assert 0.0 <= bid_size < 1e300
        assert 0.0 <= ask_size < 1e300


@given(st.floats(), st.floats())
def test_a_trade_without_fault_has_a_positive_price(price: float, size: float) -> None:
    assert (trade_fault(price, size) is None) == (0.0 < price < 1e300 and 0.0 <= size < 1e300)
