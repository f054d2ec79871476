"""The volume profile says at which price the bars in view were traded, and stands behind them."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.widgets.candle_chart.pictures import pixels
from tests.widgets.candle_chart.sample import random_bars
from widgets.candle_chart.chart import CandleChart
from widgets.candle_chart.profile import VALUE_AREA, profile_of

MakeChart = Callable[..., CandleChart]


def of(*bars: tuple[float, float, float], rows: int = 10):  # type: ignore[no-untyped-def]
    tops, bottoms, volumes = (np.array(column, float) for column in zip(*bars, strict=True))
    return profile_of(tops, bottoms, volumes, rows)


def test_a_bars_volume_lies_evenly_between_its_high_and_its_low() -> None:
    found = of((2.0, 5.5, 400.0), (5.2, 5.9, 100.0))
    assert found.volumes.tolist() == [0, 0, 100, 100, 100, 200, 0, 0, 0, 0]
    assert found.point == 5


def test_what_is_out_of_sight_counts_only_with_its_part_in_sight() -> None:
    found = of((-4.0, 3.9, 800.0), (20.0, 30.0, 999.0), (float("nan"), 1.0, 5.0))
    assert found.volumes.sum() == 400.0
    assert of((20.0, 30.0, 999.0)) is None
    assert of((1.0, 2.0, 0.0)) is None


def test_the_value_area_holds_its_share_around_the_point_and_no_row_more_than_it_must() -> None:
    rng = np.random.default_rng(5)
    tops = rng.uniform(0, 80, 300)
    found = profile_of(tops, tops + rng.uniform(0, 12, 300), rng.uniform(1, 9, 300), 100)
    held = found.volumes[found.first : found.stop].sum()
    assert held >= VALUE_AREA * found.volumes.sum()
    assert held - max(found.volumes[found.first], found.volumes[found.stop - 1]) < VALUE_AREA * found.volumes.sum()
    assert found.first <= found.point < found.stop


@pytest.mark.parametrize("count", [60, 40_000])
def test_it_is_drawn_when_asked_for_and_goes_again(make_chart: MakeChart, count: int) -> None:
    bars = random_bars(count)
    chart = make_chart(bars)
    chart.show_range(0.0, float(count))

    def left() -> np.ndarray:
        price = chart.frame().geometry.price
        return pixels(chart)[price.top() : price.bottom(), :100]

    plain = left()
    chart.set_profile_visible(True)
    assert (left() != plain).mean() > 0.05
    chart.set_profile_visible(False)
    assert np.array_equal(left(), plain)
