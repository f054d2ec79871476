"""Bars, quotes and prints tell one story, and asking changes nothing."""

from datetime import date

import numpy as np
import pytest

from engine.simulation.market.instruments import SimInstrument, default_universe, instruments_for
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import SessionDay, session_on, weekday_sessions
from engine.simulation.market.world import WORLD_NAMES, World

SECOND = 1_000_000_000


def test_same_seed_gives_the_same_bytes_in_any_order_of_asking(make_market):
    first, second = make_market(), make_market()
    quotes = first.quotes(2, 900, 1000)
    daily = first.daily_bars(3, 40)
    bars = first.intraday_bars(2, 60)
    news = first.news(1)
    # The other way round, and in pieces.
    assert second.news(1) == news
    other_bars = second.intraday_bars(2, 60)
    second.quotes(5, 0, 10)
    second.daily_bars(8, 300)
    other_daily = second.daily_bars(3, 40)
    parts = [second.quotes(2, 900 + i, 901 + i) for i in range(100)]
    for name in ("bid", "ask", "bid_size", "ask_size", "last", "last_size", "volume"):
        joined = np.concatenate([getattr(part, name) for part in parts], axis=1)
        assert joined.tobytes() == getattr(quotes, name).tobytes(), name
    for name in ("ts_open", "open", "high", "low", "close", "volume"):
        assert getattr(other_daily, name).tobytes() == getattr(daily, name).tobytes(), name
        assert getattr(other_bars, name).tobytes() == getattr(bars, name).tobytes(), name


def test_a_symbol_has_the_same_path_in_any_company(make_market):
    alone, together = make_market(symbols=("KO",)), make_market(symbols=None)
    row = together.symbols.index("KO")
    assert np.array_equal(alone.daily_bars(4, 200).close[0], together.daily_bars(4, 200).close[row])
    assert np.array_equal(alone.trades("KO", 1, 0, 5000).price, together.trades("KO", 1, 0, 5000).price)


def test_seeds_and_worlds_give_different_markets(make_market):
    closes = [make_market(seed=seed).daily_bars(0, 50).close for seed in (1, 2)]
    assert not np.array_equal(closes[0], closes[1])
    assert not np.array_equal(make_market("null").daily_bars(0, 50).close, closes[0])


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_bars_of_every_size_are_folds_of_the_prints(make_market, name):
    market = make_market(name, seed=4)
    for day in (0, 1):
        daily = market.daily_bars(day + 1, 1)
        bars = {seconds: market.intraday_bars(day, seconds) for seconds in (10, 60, 300, 900, 23_400)}
        for row, symbol in enumerate(market.symbols):
            tape = market.trades(symbol, day, 0, 23_400)
            assert np.all(np.diff(tape.ts_ns) > 0)
            assert np.all(tape.size >= 1)
            for seconds, block in bars.items():
                slot = (tape.ts_ns - market.session(day).open_ns) // (seconds * SECOND)
                used, starts = np.unique(slot, return_index=True)
                ends = np.append(starts[1:], len(slot)) - 1
                assert np.array_equal(block.open[row, used], tape.price[starts])
                assert np.array_equal(block.close[row, used], tape.price[ends])
                assert np.array_equal(block.high[row, used], np.maximum.reduceat(tape.price, starts))
                assert np.array_equal(block.low[row, used], np.minimum.reduceat(tape.price, starts))
                assert np.array_equal(block.volume[row, used], np.add.reduceat(tape.size, starts))
                idle = np.setdiff1d(np.arange(block.close.shape[1]), used)
                assert np.all(block.volume[row, idle] == 0)
                assert np.all(block.high[row, idle] == block.low[row, idle])
            for name_ in ("open", "high", "low", "close", "volume"):
                assert getattr(daily, name_)[row, 0] == getattr(bars[23_400], name_)[row, 0]


def test_quotes_agree_with_prints_and_bars(make_market):
    market = make_market()
    quotes = market.quotes(1, 0, 23_400)
    assert np.all(quotes.bid < quotes.ask)
    assert np.array_equal(quotes.last[:, 59::60], market.intraday_bars(1, 60).close)
    assert np.array_equal(quotes.volume[:, -1], market.daily_bars(2, 1).volume[:, 0])
    for row, symbol in enumerate(market.symbols):
        tape = market.trades(symbol, 1, 0, 23_400)
        second = (tape.ts_ns - market.session(1).open_ns) // SECOND
        # A print meets the quote at the start of its second: at the bid or at the offer, never between.
        assert np.array_equal(quotes.last[row, second], tape.price)
        calm = second[(second > 0)]
        price = tape.price[second > 0]
        near = np.minimum(np.abs(price - quotes.bid[row, calm - 1]), np.abs(price - quotes.ask[row, calm - 1]))
        assert np.median(near) <= market.instruments[row].tick


def test_the_anchor_price_is_the_close_before_the_anchor(make_market):
    market = make_market(symbols=None)
    start = np.array([instrument.start_price for instrument in market.instruments])
    assert np.all(np.abs(market.daily_bars(0, 1).close[:, 0] - start) <= 0.2)


def test_history_reaches_back_1500_sessions_and_then_says_where_it_ends(make_market):
    market = make_market()
    bars = market.daily_bars(0, 1500)
    assert bars.close.shape == (len(market.symbols), 1500)
    assert np.all(np.diff(bars.ts_open[0]) > 0)
    assert np.all((bars.low > 0) & (bars.low <= bars.open) & (bars.open <= bars.high) & (bars.close <= bars.high))
    with pytest.raises(ValueError, match="history_days"):
        market.daily_bars(0, 3000)


def test_a_short_session_folds_like_a_long_one():
    full = session_on(0, date(2025, 11, 28))
    half = SessionDay(0, full.date, full.open_ns, full.open_ns + 12_600 * SECOND)
    market = SimulatedMarket(World("mixed", 3), instruments_for(("AAPL", "F")), [half])
    assert market.intraday_bars(0, 300).close.shape == (2, 42)
    assert market.intraday_bars(0, 300).close[0, -1] == market.daily_bars(1, 1).close[0, 0]
    assert market.quotes(0, 12_599, 12_600).last[0, 0] == market.daily_bars(1, 1).close[0, 0]
    with pytest.raises(ValueError, match="not inside session"):
        market.quotes(0, 12_600, 12_601)


def test_a_halt_stops_prints_and_empties_the_quote(make_market):
    market = make_market("crash", symbols=None)
    halts = market.halts(1)
    assert len(halts) >= len(market.symbols)
    symbol, start, end = halts[0]
    row, open_ns = market.symbols.index(symbol), market.session(1).open_ns
    first, last = (start - open_ns) // SECOND, (end - open_ns) // SECOND
    assert len(market.trades(symbol, 1, first, last).ts_ns) == 0
    quotes = market.quotes(1, first, last)
    assert np.all(quotes.bid_size[row] == 0)
    assert np.all(quotes.ask_size[row] == 0)
    assert np.all(market.quotes(1, last + 60, last + 61).bid_size[row] > 0)


def test_the_crash_world_falls_on_its_day(make_market):
    market = make_market("crash", symbols=None)
    bars = market.daily_bars(2, 2)
    assert np.median(bars.close[:, 1] / bars.close[:, 0] - 1) < -0.06
    assert set(market.regimes(1, 26)) == {2}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "bull"}, "name"),
        ({"ic": float("nan")}, "ic"),
        ({"kind": "cubic"}, "kind"),
        ({"news_rate": 2.0}, "news_rate"),
    ],
)
def test_a_wrong_world_names_its_field(fields, named):
    with pytest.raises(ValueError, match=rf"World\.{named}"):
        World(**fields)


def test_wrong_instruments_and_sessions_are_refused(make_market):
    with pytest.raises(ValueError, match="start_price"):
        SimInstrument("A", "A", "Energy", 0.01, 1e6, float("nan"), 1)
    with pytest.raises(ValueError, match="more than once"):
        make_market(symbols=("KO", "KO"))
    days = weekday_sessions(date(2025, 1, 6), 3)
    with pytest.raises(ValueError, match="does not follow"):
        SimulatedMarket(World(), instruments_for(("KO",)), [days[0], days[2]])
    with pytest.raises(KeyError, match="NOPE"):
        make_market().trades("NOPE", 0, 0, 10)
    with pytest.raises(ValueError, match="neither divides"):
        make_market().intraday_bars(0, 7)


def test_a_universe_of_any_size_begins_with_the_built_in_ones_and_goes_on_with_invented_ones() -> None:
    known = default_universe()
    assert default_universe(3) == known[:3]
    many = default_universe(500)
    assert many[: len(known)] == known
    assert len({instrument.symbol for instrument in many}) == 500
    assert many == default_universe(500)
