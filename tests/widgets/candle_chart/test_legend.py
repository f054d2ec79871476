"""The lines above the bars name every line with its value under the crosshair; nothing is written over the bars."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from tests.widgets.candle_chart.pictures import pixels
from tests.widgets.candle_chart.sample import random_bars
from widgets.candle_chart import legend as legend_module
from widgets.candle_chart.chart import CandleChart
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import CompareSeries, IndicatorPane, LineLayer
from widgets.candle_chart.legend import MOST_ROWS, Legend, bar_items, line_items

MakeChart = Callable[..., CandleChart]
BARS = random_bars(120)


def ema(name: str = "EMA 20") -> LineLayer:
    values = BARS.close + 0.5
    values[:20] = np.nan
    return LineLayer(name=name, values=values, role="t1", dash=(4.0, 3.0))


def body(chart: CandleChart) -> np.ndarray:
    return pixels(chart)[chart.frame().geometry.body.top() :]


def test_each_line_is_named_with_its_value_at_the_crosshair(make_chart: MakeChart) -> None:
    chart = make_chart(BARS)
    chart.set_overlays((ema(),))
    chart.set_panes((IndicatorPane(title="RSI", lines=(LineLayer(name="RSI 14", values=np.full(120, 55.5)),)),))
    chart.set_compare((CompareSeries(name="SPY", ts_ns=BARS.ts, close=np.full(120, 598.6)),))
    frame = chart.frame()
    assert [(item.name, item.value) for item in line_items(frame, 60)] == [
        ("SPY", "598.60"),
        ("EMA 20", f"{BARS.close[60] + 0.5:.2f}"),
        ("RSI 14", "55.50"),
    ]
    assert line_items(frame, 60)[1].dash == (4.0, 3.0)
    assert line_items(frame, 5)[1].value == "–"
    assert ("C", f"{BARS.close[60]:.2f}") in [(name, value) for name, value, _ in bar_items(frame, 60)]


def test_while_the_newest_bar_has_no_value_the_one_before_is_told(make_chart: MakeChart) -> None:
    chart = make_chart(BARS)
    values = np.full(120, 7.0)
    values[[60, 119]] = np.nan
    chart.set_overlays((LineLayer(name="X", values=values),))
    told = [line_items(chart.frame(), bar)[0].value for bar in (59, 60, 118, 119)]
    assert told == ["7.00", "–", "7.00", "7.00"]


def test_a_name_is_never_written_over_the_bars(make_chart: MakeChart) -> None:
    chart = make_chart(BARS)
    chart.set_overlays((ema("EMA 20"),))
    plain = body(chart)
    chart.set_overlays((ema("A name of quite another length"),))
    assert np.array_equal(body(chart), plain)


@pytest.mark.parametrize(("width", "rows"), [(900, 1), (420, 2), (210, 4)])
def test_lines_that_find_no_room_in_one_row_take_another(make_chart: MakeChart, width: int, rows: int) -> None:
    chart = make_chart(BARS, width=width, height=600)
    bare = chart.frame().geometry.header.height()
    chart.set_overlays(tuple(ema(f"EMA {n}") for n in (9, 20, 50, 200)))
    one = chart.frame().geometry.header.height() - bare
    assert one // 18 == rows <= MOST_ROWS
    chart.set_overlays(())
    assert chart.frame().geometry.header.height() == bare


def test_a_low_chart_keeps_its_height_for_the_bars(make_chart: MakeChart) -> None:
    chart = make_chart(BARS, width=210, height=140)
    chart.set_overlays(tuple(ema(f"EMA {n}") for n in (9, 20, 50, 200)))
    assert chart.frame().geometry.header.height() <= 35


def picture(legend: Legend, frame: Frame, bar: int) -> np.ndarray:
    image = QImage(frame.geometry.header.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    legend.paint(painter, frame, bar)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint32).copy()


@pytest.mark.parametrize("width", [1100, 520, 330])
def test_values_painted_over_leave_the_picture_that_all_painted_anew_gives(make_chart: MakeChart, width: int) -> None:
    """From bar to bar: falling and rising, with values and without, as long as before and longer, cut and whole."""
    bars = random_bars(120)
    bars.volume[::7] *= 900
    bars.high[60:] += 900.0
    chart = make_chart(bars, width=width)
    values = bars.close + 0.5
    values[:30] = np.nan
    chart.set_overlays((LineLayer(name="EMA 20", values=values, dash=(4.0, 3.0)), LineLayer(name="B", values=-values)))
    frame, kept = chart.frame(), Legend()
    for bar in (119, 118, 40, 41, 60, 10, 11, 31, 59, 61, 119, 0, 1):
        assert np.array_equal(picture(kept, frame, bar), picture(Legend(), frame, bar)), f"bar {bar}"


def test_a_tick_paints_the_values_that_moved_and_no_other(
    make_chart: MakeChart, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = random_bars(120)
    chart = make_chart(bars, width=1100)
    painted: list[str] = []
    kept = legend_module._paint_value

    def noted(painter: QPainter, frame: Frame, slot: Any) -> None:
        painted.append(slot.text)
        kept(painter, frame, slot)

    monkeypatch.setattr(legend_module, "_paint_value", noted)
    close = bars.close[-1] + (0.01 if bars.close[-1] < bars.high[-1] - 0.01 else -0.01)
    chart.update_bar(int(bars.ts[-1]), bars.open[-1], bars.high[-1], bars.low[-1], close, bars.volume[-1])
    chart.repaint()
    assert f"{close:.2f}" in painted
    assert 1 <= len(painted) <= 2, "the close and, where it is another one, the change"
