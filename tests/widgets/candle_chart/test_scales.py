"""Prices, times, tags: the pure parts."""

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.candle_chart.boxes import heikin_ashi
from widgets.candle_chart.price_scale import PriceScale, axis_prices, nice_step
from widgets.candle_chart.scaling import price_range
from widgets.candle_chart.tags import push_apart
from widgets.candle_chart.time_axis import DAY, bar_of_time, nearest_bar, time_of_bar, time_ticks, to_local
from widgets.candle_chart.viewport import Viewport

NEW_YORK = "America/New_York"


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=ZoneInfo(NEW_YORK)).timestamp()) * 1_000_000_000


@given(st.floats(0.01, 1e6), st.floats(1.0001, 5.0), st.booleans(), st.floats(0, 1))
def test_a_price_comes_back_from_its_height(low: float, ratio: float, logarithmic: bool, share: float) -> None:
    scale = PriceScale(low, low * ratio, 10.0, 510.0, logarithmic)
    price = low + (low * ratio - low) * share
    assert scale.price(scale.y(price)) == pytest.approx(price, rel=1e-9)
    assert scale.ys(np.array([price]))[0] == pytest.approx(scale.y(price), abs=1e-6)


@given(st.floats(0.01, 1e5), st.floats(1.001, 30.0), st.booleans())
def test_axis_prices_are_inside_apart_and_few(low: float, ratio: float, logarithmic: bool) -> None:
    scale = PriceScale(low, low * ratio, 0.0, 400.0, logarithmic)
    prices = axis_prices(scale, 40.0)
    ys = [scale.y(price) for price in prices]
    assert all(low * (1 - 1e-9) <= price <= low * ratio * (1 + 1e-9) for price in prices)
    assert all(a - b >= 23.0 for a, b in itertools.pairwise(ys))


def test_steps_are_round() -> None:
    assert nice_step(0.00022, 10, 0.00001) == pytest.approx(0.00005)
    assert [nice_step(span, 8, 0.25) for span in (0.3, 1.4, 12, 30)] == pytest.approx([0.25, 0.25, 2.0, 5.0])
    assert [nice_step(span, 10) for span in (1, 2.2, 30, 47, 0.09)] == pytest.approx([0.1, 0.25, 5.0, 5.0, 0.01])


@given(st.lists(st.floats(-100, 700), max_size=12), st.floats(5, 40))
def test_tags_keep_their_order_and_their_distance(wanted: list[float], gap: float) -> None:
    places = push_apart(wanted, gap, 0.0, 600.0)
    assert all(-1e-6 <= place <= 600.0 + 1e-6 for place in places)
    placed = sorted(places)
    assert all(b - a >= gap - 1e-6 for a, b in itertools.pairwise(placed))
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    assert [places[i] for i in order] == placed


def test_tags_that_have_room_stay_where_they_belong() -> None:
    assert push_apart([300.0, 100.0, 200.0], 20.0, 0.0, 600.0) == [300.0, 100.0, 200.0]
    assert push_apart([100.0, 100.0], 20.0, 0.0, 600.0) == [90.0, 110.0]


def test_more_tags_than_fit_share_the_height_instead_of_leaving_it() -> None:
    assert push_apart([5.0, 5.0, 5.0], 20.0, 0.0, 30.0) == pytest.approx([0.0, 15.0, 30.0])


def test_levels_widen_the_range_only_while_bars_stay_readable() -> None:
    assert price_range(100.0, 110.0, [112.0, 95.0]) == (95.0, 112.0)
    assert price_range(100.0, 110.0, [300.0, float("nan")]) == (100.0, 110.0)


def test_local_time_follows_the_clock_change() -> None:
    ts = np.array([at(2026, 10, 30, 9, 30), at(2026, 11, 2, 9, 30)], np.int64)
    local = to_local(ts, NEW_YORK)
    assert ((local % DAY) // 60_000_000_000 == 9 * 60 + 30).all()


def test_bars_and_times_map_both_ways_into_the_future_too() -> None:
    ts = np.array([at(2026, 11, 20, 15, 55), at(2026, 11, 23, 9, 30)], np.int64)
    step = 300_000_000_000
    assert [time_of_bar(ts, i, step) for i in (-1, 0, 1, 3)] == [ts[0] - step, ts[0], ts[1], ts[1] + 2 * step]
    assert nearest_bar(ts, at(2026, 11, 23, 9, 34), step) == 1
    assert bar_of_time(ts, at(2026, 11, 22, 12, 0), step) == 1.0  # the week-end is where the next bar begins
    assert bar_of_time(ts, int(ts[1]) + 4 * step, step) == 5.0


def test_time_labels_are_round_and_days_are_named() -> None:
    step = 300_000_000_000
    days = [np.arange(at(2026, 11, day, 9, 30), at(2026, 11, day, 16, 0), step) for day in (19, 20)]
    ts = np.concatenate(days)
    ticks = time_ticks(ts, 0, len(ts) + 20, 6.0, step, NEW_YORK, 70.0)
    texts = [tick.text for tick in ticks]
    assert "Fri 20 Nov" in texts
    assert all(text.endswith((":00", ":30")) for text in texts if ":" in text)
    assert all((b.bar - a.bar) * 6.0 >= 50.0 for a, b in itertools.pairwise(ticks))
    assert ticks[-1].bar > len(ts) - 1  # the future has labels, for the tags stand there


def test_daily_bars_get_months_and_years() -> None:
    ts = np.arange(at(2024, 1, 2), at(2026, 11, 20), DAY)
    texts = [tick.text for tick in time_ticks(ts, 0, len(ts), 1.0, DAY, NEW_YORK, 70.0)]
    assert "2025" in texts
    assert "Jul" in texts


@given(st.floats(-50, 500), st.floats(8, 400), st.floats(0.2, 5), st.floats(0, 1))
def test_zoom_keeps_the_bar_under_the_mouse(low: float, span: float, factor: float, share: float) -> None:
    view = Viewport(low, low + span, 1000)
    anchor = low + span * share
    zoomed = view.zoomed(factor, anchor)
    assert zoomed.x(anchor) == pytest.approx(view.x(anchor), abs=1e-6)
    assert zoomed.span >= 8.0 - 1e-9


@given(st.floats(-1e5, 1e5), st.floats(8, 1e6), st.integers(0, 5000))
def test_a_clamped_view_always_touches_the_bars(low: float, span: float, size: int) -> None:
    view = Viewport(low, low + span, 500).clamped(size)
    assert view.high > 0
    assert view.low <= max(0, size)
    assert view.clamped(size).low == pytest.approx(view.low)


def test_heikin_ashi_is_its_recursion() -> None:
    rng = np.random.default_rng(1)
    o, c = rng.uniform(9, 11, 500), rng.uniform(9, 11, 500)
    h, l = np.maximum(o, c) + 0.1, np.minimum(o, c) - 0.1
    shown_open, shown_high, shown_low, shown_close = heikin_ashi(o, h, l, c)
    expected = (o[0] + c[0]) / 2
    for i in range(500):
        if i:
            expected = (expected + shown_close[i - 1]) / 2
        assert shown_open[i] == pytest.approx(expected, rel=1e-12)
    assert (shown_high >= np.maximum(shown_open, shown_close)).all()
    assert (shown_low <= np.minimum(shown_open, shown_close)).all()
