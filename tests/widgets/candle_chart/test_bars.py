"""Columns and pyramid against numpy on the whole column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.candle_chart.sample import STEP, random_bars
from widgets.candle_chart.bars import ChartData


def loaded(n: int, **options: int) -> ChartData:
    data = ChartData(**options)
    data.load(*random_bars(n).all())
    return data


@given(n=st.integers(1, 6000), a=st.integers(0, 5999), b=st.integers(1, 6000))
def test_extremes_of_any_range_are_those_of_the_columns(n: int, a: int, b: int) -> None:
    data = loaded(n)
    a, b = min(a, n - 1), min(b, n)
    if a >= b:
        a, b = b - 1, a + 1
    high, low, volume = data.extremes(a, b)
    assert high == data.high[a:b].max()
    assert low == data.low[a:b].min()
    assert volume == data.volume[a:b].max()


@given(st.lists(st.tuples(st.booleans(), st.floats(50, 200), st.floats(0, 1e6)), max_size=400))
def test_extremes_follow_every_tick_and_every_new_bar(ticks: list[tuple[bool, float, float]]) -> None:
    data = loaded(1000)
    for new, price, volume in ticks:
        ts = int(data.ts[-1]) + (STEP if new else 0)
        data.put(ts, price, price + 1, price - 1, price, volume)
    n = len(data)
    assert data.extremes(0, n) == (data.high.max(), data.low.min(), data.volume.max())
    assert data.extremes(n - 100, n)[0] == data.high[-100:].max()


def test_columns_of_many_bars_lose_no_extreme() -> None:
    data = loaded(100_000)
    edges = np.linspace(0, 100_000, 801).astype(np.int64)
    opened, high, low, closed, volume = data.columns(edges, 125.0)
    assert high.max() == data.high.max()
    assert low.min() == data.low.min()
    assert volume.max() == data.volume.max()
    assert (opened == data.open[edges[:-1]]).all()
    assert (closed == data.close[edges[1:] - 1]).all()


def test_old_bars_fall_off_in_blocks_and_newer_ones_stay() -> None:
    data = ChartData(max_bars=100)
    data.load(*random_bars(100).all())
    dropped = 0
    for i in range(250):
        dropped += data.put(int(data.ts[-1]) + STEP, 1.0 + i, 2.0 + i, 0.5 + i, 1.5 + i, 10.0)
        assert 100 <= len(data) <= 200
    assert dropped == 350 - len(data)
    assert data.open[-1] == 250.0
    assert data.extremes(0, len(data))[0] == data.high.max()


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_a_value_that_is_no_number_is_refused_by_name_and_row(column: str) -> None:
    bars = random_bars(10)
    getattr(bars, column)[7] = np.nan
    with pytest.raises(ValueError, match=rf"{column}: row 7 "):
        ChartData().load(*bars.all())


def test_times_must_rise() -> None:
    bars = random_bars(10)
    bars.ts[4] = bars.ts[3]
    with pytest.raises(ValueError, match="ts: row 4 "):
        ChartData().load(*bars.all())
    data = loaded(10)
    with pytest.raises(ValueError, match="before the last bar"):
        data.put(int(data.ts[-1]) - 1, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="low: "):
        data.put(int(data.ts[-1]), 1, 1, float("inf"), 1, 1)
    assert len(data) == 10
