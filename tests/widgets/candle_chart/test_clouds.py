"""The ground between two lines says which is above, ahead of the last bar too."""

from collections.abc import Callable

import numpy as np
from PySide6.QtWidgets import QApplication

from tests.widgets.candle_chart.pictures import pixels, screen
from tests.widgets.candle_chart.sample import random_bars
from widgets.candle_chart.chart import CandleChart
from widgets.candle_chart.clouds import with_crossings
from widgets.candle_chart.layers import LineLayer
from widgets.theme import current_theme

MakeChart = Callable[..., CandleChart]


def cloud(chart: CandleChart, mean: float, ahead: int = 0) -> None:
    """Lead a four above lead b in the first half of the bars, four below it in the second and after."""
    half = chart.bar_count // 2
    a = np.where(np.arange(chart.bar_count) < half, mean + 2.0, mean - 2.0)
    b = np.where(np.arange(chart.bar_count) < half, mean - 2.0, mean + 2.0)
    chart.set_overlays(
        (
            LineLayer(name="a", values=a, ground="b", dash=(6.0, 3.0), ahead=np.full(ahead, mean - 2.0)),
            LineLayer(name="b", values=b, dash=(2.0, 2.0), ahead=np.full(ahead, mean + 2.0)),
        )
    )


def flat_chart(make_chart: MakeChart) -> CandleChart:
    bars = random_bars(60)
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[:] = 90.0  # far from the cloud: nothing is drawn over it
    chart = make_chart(bars)
    chart.set_price_range((80.0, 110.0))
    chart.show_range(0.0, 80.0)
    return chart


def test_lines_that_cross_get_the_point_where_they_do() -> None:
    xs, a, b = with_crossings(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.0, 4.0]), np.array([1.0, 1.0, 0.0]))
    assert xs.tolist() == [0.0, 1.0, 1.2, 2.0]
    assert np.allclose(a, [0.0, 0.0, 0.8, 4.0])
    assert np.allclose(b, [1.0, 1.0, 0.8, 0.0])


def test_the_ground_is_of_the_colour_of_the_line_above_and_goes_on_ahead_of_the_bars(
    make_chart: MakeChart, qapp: QApplication
) -> None:
    chart = flat_chart(make_chart)
    frame = chart.frame()
    plain = pixels(chart)
    cloud(chart, 100.0, ahead=10)
    frame, shot = chart.frame(), pixels(chart)

    def tint(bar: float) -> tuple[int, int]:
        """Red and green that the cloud adds beside the grid."""
        x, y = round(frame.middle(bar)) + 2, round(frame.y(100.7))
        old, new = int(plain[y, x]), int(shot[y, x])
        return (new >> 16 & 255) - (old >> 16 & 255), (new >> 8 & 255) - (old >> 8 & 255)

    up, down = current_theme().color("up"), current_theme().color("down")
    assert up.green() > up.red()
    assert down.red() > down.green()
    assert tint(10)[1] > tint(10)[0]
    assert tint(50)[0] > tint(50)[1]
    assert tint(66) == tint(50), "ahead of the last bar"
    assert tint(76) == (0, 0), "beyond what is known"


def test_a_tick_leaves_the_cloud_a_whole_repaint_gives(make_chart: MakeChart, qapp: QApplication) -> None:
    bars = random_bars(200)
    chart = make_chart(bars)
    cloud(chart, float(bars.close[-1]), ahead=8)
    chart.set_price_range((float(bars.close[-1]) - 8, float(bars.close[-1]) + 8))
    chart.show_range(120.0, 230.0)
    qapp.processEvents()
    header = chart.frame().geometry.header.height()
    for k in range(5):
        chart.update_bar(int(bars.ts[-1]), bars.open[-1], bars.high[-1], bars.low[-1], bars.close[-1], 10.0 + k)
        qapp.processEvents()
        shown = screen(chart)[header:]
        chart.scene.invalidate()
        whole = pixels(chart)[header:]
        assert int(np.abs(shown.view(np.uint8).astype(np.int16) - whole.view(np.uint8)).max()) <= 2
