"""Columns and pyramid against numpy on the whole column."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.candle_chart.sample import STEP, random_bars
from widgets.candle_chart import bars as bars_module
from widgets.candle_chart.bars import ChartData
from widgets.candle_chart.layers import LineLayer
from widgets.candle_chart.line_store import LineStore


@pytest.fixture(params=[0, bars_module._DIRECT], scope="module", autouse=True)
def direct(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test twice: the pyramid for any range, and the bars themselves for short ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bars_module, "_DIRECT", request.param)
        yield


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
    data.extremes(0, 1000)
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


def test_bars_are_read_where_they_stand_and_never_written_there() -> None:
    given = random_bars(1000)
    before = [column.copy() for column in given.all()]
    data = ChartData()
    data.load(*given.all())
    assert np.shares_memory(data.close, given.close)
    assert data.values(999) == tuple(column[999] for column in given.all()[1:])
    data.put(int(given.ts[-1]), 1.0, 2.0, 0.5, 1.5, 10.0)
    data.put(int(given.ts[-1]) + STEP, 2.0, 3.0, 1.5, 2.5, 20.0)
    assert data.values(999)[:4] == (1.0, 2.0, 0.5, 1.5)
    assert data.values(1000)[:4] == (2.0, 3.0, 1.5, 2.5)
    assert len(data) == 1001
    for column, kept in zip(given.all(), before, strict=True):
        assert (column == kept).all()


def test_the_owner_of_the_bars_may_move_the_last_one_before_the_chart_hears_of_it() -> None:
    given = random_bars(1000)
    data = ChartData()
    data.load(*given.all())
    assert data.extremes(0, 1000)[0] == given.high.max()
    given.high[-1] = 500.0
    data.put(int(given.ts[-1]), given.open[-1], 500.0, given.low[-1], given.close[-1], given.volume[-1])
    assert data.extremes(0, 1000)[0] == 500.0


def test_lines_are_read_where_they_stand_and_never_written_there() -> None:
    values = np.arange(10.0)
    store = LineStore()
    layer = store.adopt((LineLayer(name="a", values=values),), 10)[0]
    assert np.shares_memory(layer.values, values)
    assert store.write({"a": 99.0}), "the column moved"
    assert values[-1] == 9.0
    assert store.view(layer).values[-1] == 99.0
    assert not store.write({"a": 98.0}), "it is the chart's own by now"
    store.resize(11, 0)
    grown = store.view(layer).values
    assert grown[9] == 98.0
    assert np.isnan(grown[10])


def test_a_line_shorter_than_the_bars_ends_in_nothing() -> None:
    layer = LineStore().adopt((LineLayer(name="a", values=np.arange(7.0)),), 10)[0]
    assert (layer.values[:7] == np.arange(7.0)).all()
    assert np.isnan(layer.values[7:]).all()
