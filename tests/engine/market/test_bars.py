"""Bars: one fold, session aligned, closed for good."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.clock import SECOND
from engine.market.bar_series import Bar, BarSeries, from_mapping
from engine.market.bars import DAY_S
from engine.market.folding import fold, fold_one, true_range_mean
from engine.model.events.market import BarClosed, TradeTick
from engine.model.ids import Symbol
from tests.engine.market.conftest import Rig, ns

Make = Callable[..., Rig]
AAPL = Symbol("AAPL")


def columns(opens: list[int], close: float = 10.0) -> dict[str, np.ndarray]:
    count = len(opens)
    return {
        "ts_open": np.array(opens, dtype=np.int64),
        "open": np.full(count, close),
        "high": np.full(count, close + 1),
        "low": np.full(count, close - 1),
        "close": np.full(count, close),
        "volume": np.full(count, 100.0),
    }


async def started(make: Make, start: str = "2024-03-08 09:00", **settings: object) -> Rig:
    market = make(start, **settings)
    await market.bars.start()
    return market


async def test_a_minute_closes_on_time_with_its_ticks(rig: Make) -> None:
    market = await started(rig)
    for text, price, size in (("10:00:00", 10.0, 100), ("10:00:20", 10.9, 50), ("10:00:59", 11.0, 50)):
        market.at(f"2024-03-08 {text}").trade(price, size)
    market.at("2024-03-08 10:01:01")
    assert market.closed(60) == []
    market.at("2024-03-08 10:01:02")
    (bar,) = market.closed(60)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades) == (10.0, 11.0, 10.0, 11.0, 200.0, 3)
    assert bar.vwap == pytest.approx((1000 + 545 + 550) / 200)
    assert (bar.ts_open, bar.ts_event) == (ns("2024-03-08 10:00"), ns("2024-03-08 10:01"))


async def test_a_closed_bar_never_changes_and_late_ticks_are_counted(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 10:00:10").trade(10.0)
    market.at("2024-03-08 10:01:05").trade(10.5, age=6.0)
    assert market.bars.late[AAPL] == 1
    assert [bar.close for bar in market.closed(60)] == [10.0]
    market.at("2024-03-08 10:10")
    assert len(market.closed(60)) == 1


async def test_minutes_without_a_trade_have_no_bar(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 10:00:10").trade(10.0)
    market.at("2024-03-08 10:07:10").trade(10.0)
    market.at("2024-03-08 10:30")
    assert [bar.ts_open for bar in market.closed(60)] == [ns("2024-03-08 10:00"), ns("2024-03-08 10:07")]
    assert [bar.ts_open for bar in market.closed(300)] == [ns("2024-03-08 10:00"), ns("2024-03-08 10:05")]


async def test_five_minutes_and_the_day_are_folds_of_the_minutes(rig: Make) -> None:
    market = await started(rig)
    rng = np.random.default_rng(7)
    start = ns("2024-03-08 09:30")
    for second in range(0, 23_400, 7):
        market.clock.advance_to(start + second * SECOND)
        market.trade(100.0 + float(rng.normal()), float(rng.integers(1, 500)))
    market.at("2024-03-08 16:00").trade(101.25, 5_000.0)  # the closing auction
    market.at("2024-03-08 17:00")
    minutes, fives, (day,) = market.closed(60), market.closed(300), market.closed(86_400)
    assert (len(minutes), len(fives)) == (390, 78)
    for five in fives:
        parts = [bar for bar in minutes if five.ts_open <= bar.ts_open < five.ts_event]
        assert (five.open, five.close) == (parts[0].open, parts[-1].close)
        assert five.high == max(bar.high for bar in parts)
        assert five.low == min(bar.low for bar in parts)
        assert five.volume == sum(bar.volume for bar in parts)
        assert five.trades == sum(bar.trades for bar in parts)
    trades = market.of(TradeTick)
    assert day.close == 101.25
    assert day.volume == sum(tick.size for tick in trades)
    assert (day.high, day.low) == (max(t.price for t in trades), min(t.price for t in trades))
    assert day.vwap == pytest.approx(sum(t.price * t.size for t in trades) / day.volume)
    assert (day.ts_open, day.ts_event) == (start, ns("2024-03-08 16:00"))


async def test_bars_of_a_half_day_end_at_one(rig: Make) -> None:
    market = await started(rig, "2024-11-29 09:00")
    market.at("2024-11-29 12:59:30").trade(10.0)
    market.at("2024-11-29 13:00:30").trade(99.0)
    market.at("2024-11-29 20:00")
    assert [bar.close for bar in market.closed(86_400)] == [10.0]
    assert market.closed(86_400)[0].ts_event == ns("2024-11-29 13:00")


async def test_trades_outside_the_session_make_no_bars_unless_asked_for(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 09:10").trade(10.0)
    market.at("2024-03-08 09:20")
    assert market.of(BarClosed) == []
    extended = await started(rig, extended_hours=True)
    extended.at("2024-03-08 09:10").trade(10.0)
    extended.at("2024-03-08 09:20")
    assert [bar.seconds for bar in extended.of(BarClosed)] == [60]


async def test_a_delayed_feed_closes_its_bars_as_much_later(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 10:15:05").trade(10.0, age=900.0)
    market.at("2024-03-08 10:15:45").trade(10.5, age=900.0)
    market.at("2024-03-08 10:20")
    (bar,) = market.closed(60)
    assert (bar.ts_open, bar.high) == (ns("2024-03-08 10:00"), 10.5)


async def test_currencies_have_bars_of_mid_prices(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 10:00:10").quote(1.0, 1.2, "EURUSD")
    market.at("2024-03-08 10:00:30").quote(1.1, 1.3, "EURUSD")
    market.quote(9.9, 10.1, "AAPL")
    market.at("2024-03-08 10:02")
    (bar,) = market.closed(60, "EURUSD")
    assert (bar.open, bar.close, bar.volume) == (pytest.approx(1.1), pytest.approx(1.2), 2.0)
    assert market.closed(60) == []


async def test_ready_bars_are_kept_folded_and_told_once(rig: Make) -> None:
    market = await started(rig)
    for minute in range(5):
        end = ns(f"2024-03-08 10:0{minute + 1}")
        market.clock.advance_to(end)
        bar = BarClosed(
            ts_event=end,
            ts_init=end,
            symbol=AAPL,
            seconds=60,
            ts_open=end - 60 * SECOND,
            open=10.0,
            high=11.0 + minute,
            low=9.0,
            close=10.0 + minute,
            volume=100.0,
            source="feed",
        )
        market.cache.accept(bar)
        market.cache.accept(bar)
    assert [bar.source for bar in market.closed(60)] == ["feed"] * 5
    assert market.reasons() == ["DUPLICATE_BAR"] * 5
    (five,) = market.closed(300)
    assert (five.high, five.close, five.volume) == (15.0, 14.0, 500.0)


async def test_seeded_minutes_take_part_in_todays_bar(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 10:02:10")
    added = market.bars.seed(AAPL, 60, columns([ns("2024-03-08 10:00"), ns("2024-03-08 10:01")], close=20.0))
    assert added == 2
    market.trade(15.0)
    market.at("2024-03-08 10:05:02")
    (five,) = market.closed(300)
    assert (five.open, five.high, five.low, five.close) == (20.0, 21.0, 15.0, 15.0)


async def test_a_seed_keeps_what_is_known_and_refuses_what_is_broken(rig: Make) -> None:
    market = await started(rig)
    days = [ns("2024-03-05 09:30"), ns("2024-03-06 09:30"), ns("2024-03-07 09:30")]
    assert market.bars.seed(AAPL, 86_400, columns(days[1:])) == 2
    assert market.bars.seed(AAPL, 86_400, columns(days, close=50.0)) == 1
    found = market.bars.arrays(AAPL, 86_400, 10)
    assert found.close.tolist() == [50.0, 10.0, 10.0]
    assert found.ts_close.tolist() == [ns(f"2024-03-0{day} 16:00") for day in (5, 6, 7)]
    assert market.bars.last_close(AAPL) == 10.0
    broken = columns(days)
    broken["close"][1] = np.nan
    with pytest.raises(ValueError, match="AAPL: a seeded price"):
        market.bars.seed(AAPL, 86_400, broken)
    with pytest.raises(ValueError, match="without a column low"):
        market.bars.seed(AAPL, 86_400, {k: v for k, v in columns(days).items() if k != "low"})
    with pytest.raises(ValueError, match="order of time"):
        market.bars.seed(Symbol("MSFT"), 86_400, columns(days[::-1]))


async def test_columns_end_where_asked_and_never_show_a_bar_before_it_ended(rig: Make) -> None:
    market = await started(rig)
    market.bars.seed(AAPL, 300, columns([ns(f"2024-03-07 {h}:{m:02}") for h in (10, 11) for m in range(0, 60, 5)]))
    at_end = market.bars.columns(AAPL, 300, 100, end_ns=ns("2024-03-07 10:30"))
    assert at_end.count == 6
    assert np.frombuffer(at_end.ts_open, dtype=np.int64)[-1] == ns("2024-03-07 10:25")
    assert market.bars.columns(AAPL, 300, 100, end_ns=ns("2024-03-07 10:29:59")).count == 5
    assert market.bars.columns(AAPL, 300, 2).count == 2
    # The day is made of what is known of it once its session is over: the last minutes are missing here.
    assert market.bars.columns(AAPL, 86_400, 2).count == 1
    assert market.bars.columns(AAPL, 86_400, 2, end_ns=ns("2024-03-07 15:59")) is None
    assert market.bars.columns(AAPL, 604_800, 2) is None


async def test_hours_are_folded_from_the_open_not_from_the_full_hour(rig: Make) -> None:
    market = await started(rig, "2024-03-08 15:59")
    opens = [ns("2024-03-07 09:30") + 300 * SECOND * i for i in range(78)]
    market.bars.seed(AAPL, 300, columns(opens))
    hours = market.bars.arrays(AAPL, 3_600, 100)
    assert hours.ts_open.tolist() == [ns("2024-03-07 09:30") + 3_600 * SECOND * i for i in range(7)]
    assert hours.ts_close[-1] == ns("2024-03-07 16:00")  # the last hour is half an hour and over
    assert hours.volume.tolist() == [1200.0] * 6 + [600.0]
    # At 10:45 the second hour still grows and is not shown.
    assert market.bars.arrays(AAPL, 3_600, 100, end_ns=ns("2024-03-07 10:45")).size == 1


async def test_weeks_are_folded_from_days_when_they_are_over(rig: Make) -> None:
    market = await started(rig)
    market.bars.seed(
        AAPL,
        86_400,
        columns(
            [ns(f"2024-02-{day} 09:30") for day in (26, 27, 28, 29)]
            + [ns(f"2024-03-0{day} 09:30") for day in (1, 4, 5)]
        ),
    )
    weeks = market.bars.arrays(AAPL, 604_800, 10)
    assert weeks.ts_open.tolist() == [ns("2024-02-26 09:30")]
    assert weeks.volume.tolist() == [500.0]


async def test_a_split_rebases_what_came_before(rig: Make) -> None:
    market = await started(rig)
    market.bars.seed(AAPL, 86_400, columns([ns("2024-03-06 09:30"), ns("2024-03-07 09:30")]))
    assert market.bars.rebase(AAPL, 10.0, ns("2024-03-07 00:00")) == 1
    found = market.bars.arrays(AAPL, 86_400, 10)
    assert found.close.tolist() == [1.0, 10.0]
    assert found.volume.tolist() == [1000.0, 100.0]


async def test_the_average_true_range_is_that_of_fourteen_days(rig: Make) -> None:
    market = await started(rig)
    opens = [ns("2024-02-01 09:30") + 86_400 * SECOND * i for i in range(15)]
    given_ = columns(opens)
    given_["high"][-1] = 25.0
    market.bars.seed(AAPL, 86_400, {k: v[:14] for k, v in given_.items()})
    assert market.cache.atr(AAPL) is None
    market.bars.seed(AAPL, 86_400, given_)
    assert market.cache.atr(AAPL) == pytest.approx((13 * 2 + 16) / 14)


@given(
    st.lists(
        st.tuples(st.floats(1, 1e6), st.floats(1, 1e6), st.floats(1, 1e6), st.floats(1, 1e6), st.integers(0, 10**9)),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 7),
)
def test_folding_twice_is_folding_once(rows: list[tuple[float, float, float, float, int]], width: int) -> None:
    values = np.array(rows, dtype=np.float64)
    bars = from_mapping(
        {
            "ts_open": np.arange(len(rows), dtype=np.int64) * 60,
            "open": values[:, 0],
            "high": values[:, :4].max(axis=1),
            "low": values[:, :4].min(axis=1),
            "close": values[:, 3],
            "volume": values[:, 4],
        },
        60,
    )
    starts = np.arange(0, len(rows), width)
    once = fold(bars, np.zeros(1, dtype=np.int64)).bar(0)
    twice = fold(fold(bars, starts), np.zeros(1, dtype=np.int64)).bar(0)
    # NaN is not equal to itself, so the vwap is left out; volumes are whole and exact.
    assert once._replace(vwap=0.0) == twice._replace(vwap=0.0)
    assert fold_one(bars, once.ts_open, once.ts_close)._replace(vwap=0.0) == once._replace(vwap=0.0)


def test_a_series_keeps_the_newest_and_refuses_to_go_back() -> None:
    series = BarSeries(100)
    for number in range(1_000):
        series.append(Bar(number * 60, number * 60 + 60, 1.0, 2.0, 0.5, 1.5, float(number), 1.2, 3.0))
        assert len(series) == min(number + 1, 100)
    assert series.arrays().volume.tolist() == [float(n) for n in range(900, 1_000)]
    assert series.first_open == 900 * 60
    with pytest.raises(ValueError, match="is not after"):
        series.append(Bar(999 * 60, 0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0))
    assert true_range_mean(series.last(5)) is None


async def test_a_currencys_week_begins_on_sunday_evening(rig: Make) -> None:
    market = await started(rig, "2024-03-17 20:01")
    opens = [ns(f"2024-03-{day:02} 17:00") for day in (7, 10, 11, 12, 13, 14)]  # Friday the 8th, then a week
    market.bars.seed(Symbol("EURUSD"), 86_400, columns(opens))
    weeks = market.bars.arrays(Symbol("EURUSD"), 604_800, 10)
    assert weeks.volume.tolist() == [100.0, 500.0]


# --- bars that come ready-made


def minute_bar(text: str, close: float, volume: float = 100.0) -> BarClosed:
    start = ns(f"2024-03-08 {text}")
    return BarClosed(
        ts_event=start + 60 * SECOND, ts_init=start + 60 * SECOND, symbol=AAPL, seconds=60, ts_open=start,
        open=close - 0.5, high=close + 1, low=close - 1, close=close, volume=volume, source="file",
    )  # fmt: skip


async def test_bars_that_come_ready_made_form_the_longer_bar_they_are_part_of(rig: Make) -> None:
    market = await started(rig)
    assert market.bars.forming(AAPL, 300) is None
    market.at("2024-03-08 10:06:01")
    for text, close in (("10:04", 9.0), ("10:05", 11.0)):
        market.bars.accept(minute_bar(text, close))
    assert market.bars.forming(AAPL, 60) == (ns("2024-03-08 10:05"), 10.5, 12.0, 10.0, 11.0, 100.0)
    assert market.bars.forming(AAPL, 300) == (ns("2024-03-08 10:05"), 10.5, 12.0, 10.0, 11.0, 100.0)
    assert market.bars.forming(AAPL, 900) == (ns("2024-03-08 10:00"), 8.5, 12.0, 8.0, 11.0, 200.0)
    assert market.bars.forming(AAPL, 3_600) == (ns("2024-03-08 09:30"), 8.5, 12.0, 8.0, 11.0, 200.0)
    assert market.bars.forming(AAPL, DAY_S) == (ns("2024-03-08 09:30"), 8.5, 12.0, 8.0, 11.0, 200.0)


async def test_a_tick_after_a_ready_made_bar_goes_on_from_it(rig: Make) -> None:
    market = await started(rig)
    market.at("2024-03-08 10:06:01")
    market.bars.accept(minute_bar("10:05", 11.0))
    market.at("2024-03-08 10:06:10").trade(14.0, 50)
    assert market.bars.forming(AAPL, 60) == (ns("2024-03-08 10:06"), 14.0, 14.0, 14.0, 14.0, 50.0)
    assert market.bars.forming(AAPL, 300) == (ns("2024-03-08 10:05"), 10.5, 14.0, 10.0, 14.0, 150.0)
