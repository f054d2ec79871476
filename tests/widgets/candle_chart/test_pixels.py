"""What is on the screen: candles where they belong, and a part repainted like the whole."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from tests.widgets.candle_chart.pictures import pixels, screen
from tests.widgets.candle_chart.sample import STEP, Columns, random_bars
from widgets.candle_chart.axes import volume_marks
from widgets.candle_chart.bars import ChartData
from widgets.candle_chart.base_image import BaseImage
from widgets.candle_chart.chart import CandleChart
from widgets.candle_chart.frame import Layers, Options
from widgets.candle_chart.framing import make_frame
from widgets.candle_chart.layers import (
    BarStyle,
    ChartInstrument,
    CompareSeries,
    IndicatorPane,
    LineLayer,
    OrderLine,
    OrderState,
    PriceAxis,
    SessionSpan,
)
from widgets.candle_chart.style import ChartStyle
from widgets.candle_chart.viewport import Viewport
from widgets.theme import apply_theme, current_theme, theme

MakeChart = Callable[..., CandleChart]


def rgb(colour: QColor) -> int:
    return 0xFF000000 | colour.rgb() & 0xFFFFFF


def two_bars() -> Columns:
    bars = random_bars(40)
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[:] = 100.0
    bars.high[:] = 104.0
    bars.low[:] = 96.0
    bars.open[20], bars.close[20] = 99.0, 102.0
    bars.open[21], bars.close[21] = 102.0, 98.0
    return bars


def test_a_candle_stands_at_its_time_and_price(make_chart: MakeChart) -> None:
    chart = make_chart(two_bars())
    frame, shot = chart.frame(), pixels(chart)
    colours = current_theme()
    for bar, role, body in ((20, "up", 100.5), (21, "down", 100.0)):
        x = int(frame.middle(bar))
        wick_y, body_y, outside_y = (round(frame.y(price)) for price in (103.5, body, 105.0))
        assert shot[wick_y, x] == rgb(colours.color(role))
        assert shot[outside_y, x] != rgb(colours.color(role))
        # Rising is hollow, falling is filled: shape says it as well as colour.
        assert shot[body_y, x] == rgb(colours.color("bg1" if role == "up" else "down"))
    column = shot[frame.geometry.price.top() : frame.geometry.price.bottom(), int(frame.middle(21))]
    drawn = np.flatnonzero(column == rgb(colours.color("down"))) + frame.geometry.price.top()
    assert abs(drawn.min() - frame.y(104.0)) <= 1
    assert abs(drawn.max() - frame.y(96.0)) <= 1


def trailing_mean(values: np.ndarray, length: int = 20) -> np.ndarray:
    """Return the mean of the last values, NaN while there are too few."""
    mean = np.full(len(values), np.nan)
    mean[length - 1 :] = np.convolve(values, np.ones(length) / length, "valid")
    return mean


def differences(a: np.ndarray, b: np.ndarray) -> int:
    """Return the largest difference of two pictures in any channel."""
    return int(np.abs(a.view(np.uint8).astype(np.int16) - b.view(np.uint8)).max())


def full(chart: CandleChart) -> np.ndarray:
    """Repaint everything with the same scales, as after an expose of the whole window with no cache."""
    chart.scene.invalidate()
    return pixels(chart)


def tick(chart: CandleChart, bars: Columns, k: int, lines: dict[str, float]) -> None:
    close = bars.close[-1] * (1 + 0.0004 * np.sin(k))
    high, low = max(bars.high[-1], close), min(bars.low[-1], close)
    chart.update_bar(int(bars.ts[-1]), bars.open[-1], high, low, close, bars.volume[-1] * 0.9 + k, lines)


@pytest.mark.parametrize("style", list(BarStyle))
@pytest.mark.parametrize(("count", "visible"), [(400, 100), (1000, 600), (5000, 5000)])
def test_a_repainted_tail_is_pixel_for_pixel_the_whole(
    make_chart: MakeChart, qapp: QApplication, style: BarStyle, count: int, visible: int
) -> None:
    bars = random_bars(count)
    bars.close[-1] = bars.open[-1]
    chart = make_chart(bars)
    mean = trailing_mean(bars.close)
    chart.set_bar_style(style)
    chart.set_overlays(
        (
            LineLayer(name="solid", values=mean),
            LineLayer(name="dashed", values=mean + 0.1, role="t3", dash=(6.0, 3.0)),
            LineLayer(name="dotted", values=mean - 0.1, role="t1", width=1.8, dash=(1.5, 3.0)),
        )
    )
    pane = IndicatorPane(
        title="MACD",
        lines=(LineLayer(name="macd", values=mean - bars.close),),
        histogram=LineLayer(name="hist", values=mean - bars.close),
    )
    chart.set_panes((pane,))
    order = OrderLine(ref="1", leg="entry", price=float(bars.close[-1]) * 0.999, text="BUY 1", state=OrderState.WORKING)
    chart.set_orders((order,))
    chart.show_range(count - visible, count + visible * 0.3)
    qapp.processEvents()
    frames = []
    for k in range(1, 12):
        values = {"solid": mean[-1] + 0.01 * k, "dashed": mean[-1] + 0.1, "dotted": mean[-1] - 0.1 - 0.01 * k}
        tick(chart, bars, k, values | {"macd": 0.001 * k, "hist": -0.001 * k})
        qapp.processEvents()
        frames.append(chart.frame())
    assert all(frame is frames[0] for frame in frames), "the ticks were meant to stay inside the scales"
    after_ticks = screen(chart)
    assert differences(after_ticks, full(chart)) <= (2 if style is BarStyle.LINE else 0)


@pytest.mark.parametrize("first", [210.0, 120.0])
def test_every_tick_leaves_the_picture_a_whole_repaint_gives(
    make_chart: MakeChart, qapp: QApplication, first: float
) -> None:
    """The last price runs along its axis and past its labels; the last bar in view, and right of it."""
    bars = random_bars(300)
    chart = make_chart(bars)
    chart.set_clock(lambda: int(bars.ts[-1]) + 1)
    chart.show_range(first, first + 110)
    chart.set_price_range((90.0, 110.0))
    qapp.processEvents()
    frame = chart.frame()
    for k, price in enumerate(np.linspace(91.0, 109.0, 46)):
        chart.update_bar(int(bars.ts[-1]), 100.0, 109.5, 90.5, float(price), 10.0 + k)
        qapp.processEvents()
        shown = screen(chart)
        assert chart.frame() is frame
        assert differences(shown[frame.geometry.header.height() :], full(chart)[frame.geometry.header.height() :]) == 0


@pytest.mark.parametrize("visible", [60, 300])
def test_what_is_uncovered_between_ticks_shows_the_last_bar_as_it_is(
    make_chart: MakeChart, qapp: QApplication, visible: int
) -> None:
    """A tick paints the last columns on the screen; whoever asks for a part of them later finds them up to date."""
    bars = random_bars(400)
    chart = make_chart(bars)
    mean = trailing_mean(bars.close)
    chart.set_overlays((LineLayer(name="mean", values=mean),))
    chart.show_range(400 - visible, 400 + visible * 0.3)
    chart.set_price_range((float(bars.low[-1]) - 3, float(bars.high[-1]) + 3))
    qapp.processEvents()
    tick(chart, bars, 0, {"mean": mean[-1]})
    qapp.processEvents()
    frame, x = chart.frame(), int(chart.frame().last_x)
    for k in range(1, 30):
        tick(chart, bars, k, {"mean": mean[-1] + 0.02 * k})
        qapp.processEvents()
        if k % 5 == 2:
            chart.update(x - 6, 100, 9, 150)
        elif k % 5 == 3:
            chart.move_crosshair(398, 120.0)
        elif k % 5 == 4:
            chart.move_crosshair(None, None)
        qapp.processEvents()
        shown = screen(chart)
        assert chart.frame() is frame
        assert differences(shown, full(chart)) == 0, f"after tick {k}"


def test_two_ticks_before_one_paint_leave_the_picture_a_whole_repaint_gives(
    make_chart: MakeChart, qapp: QApplication
) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    chart.show_range(210.0, 320.0)
    chart.set_price_range((90.0, 110.0))
    qapp.processEvents()
    for k, price in enumerate((93.0, 107.0, 99.0, 91.0, 104.0, 96.0)):
        chart.update_bar(int(bars.ts[-1]), 100.0, 109.5, 90.5, price, 10.0 + k)
        if k % 2:
            qapp.processEvents()
            assert differences(screen(chart), full(chart)) == 0


def test_a_tick_outside_the_scale_scales_again(make_chart: MakeChart, qapp: QApplication) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    top = chart.frame().scale.high
    price = top * 1.05
    chart.update_bar(int(bars.ts[-1]), bars.open[-1], price, bars.low[-1], price, bars.volume[-1])
    assert chart.frame().scale.high > price
    chart.set_price_range((1.0, 2.0))
    chart.update_bar(int(bars.ts[-1]), bars.open[-1], price * 2, bars.low[-1], price * 2, bars.volume[-1])
    assert chart.frame().scale.high == 2.0


@pytest.mark.parametrize("axis", list(PriceAxis))
def test_every_axis_paints_and_keeps_the_last_price_on_it(make_chart: MakeChart, axis: PriceAxis) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    chart.set_price_axis(axis)
    other = random_bars(300, seed=9, start=20.0)
    chart.set_compare((CompareSeries(name="MSFT", ts_ns=other.ts, close=other.close),))
    frame, shot = chart.frame(), pixels(chart)
    y = round(frame.y(float(bars.close[-1])))
    assert shot[y, chart.width() - 3] == rgb(current_theme().color("t1"))


def test_pre_market_is_shaded_and_its_bars_are_dim(make_chart: MakeChart) -> None:
    bars = two_bars()
    chart = make_chart(bars)
    span = SessionSpan(start_ns=int(bars.ts[0]), end_ns=int(bars.ts[21]), label="Pre-market")
    chart.set_sessions((span,))
    frame, shot = chart.frame(), pixels(chart)
    colours = current_theme()
    assert shot[round(frame.y(103.5)), int(frame.middle(20))] == rgb(colours.blend("up", 0.55, "session"))
    assert shot[round(frame.y(103.5)), int(frame.middle(21))] == rgb(colours.color("down"))
    assert (shot[:, : int(frame.x(20))] == rgb(colours.color("session"))).mean() > 0.5


@pytest.mark.parametrize("most", [1.0, 3.1e6, 4.99e6, 5.0e6, 9.6e6, 1.08e7, 212e3])
def test_a_low_volume_pane_still_has_a_number_and_none_above_its_top(most: float) -> None:
    for count in (1, 2, 4):
        marks = volume_marks(most, count)
        assert marks
        assert 0 < marks[-1] <= most * (1 + 1e-9)


def test_the_axis_of_the_volume_says_what_the_bars_show(make_chart: MakeChart) -> None:
    bars = two_bars()
    bars.volume[:] = 1.0
    bars.volume[20] = 2_000_000.0
    chart = make_chart(bars)
    frame, shot = chart.frame(), pixels(chart)
    column = shot[frame.geometry.volume.top() + 1 : frame.geometry.volume.bottom(), round(frame.middle(20) - 0.5)]
    top = frame.geometry.volume.top() + 1 + int(np.flatnonzero(column == rgb(frame.style.volume))[0])
    assert abs(top - frame.volume_y(2_000_000.0)) <= 1


def test_a_chart_follows_the_theme_while_it_runs(make_chart: MakeChart, qapp: QApplication) -> None:
    chart = make_chart(random_bars(300))
    dark = pixels(chart)
    apply_theme(qapp, "light")
    qapp.processEvents()
    light = pixels(chart)
    assert (light == rgb(current_theme().color("bg1"))).mean() > 0.4
    apply_theme(qapp, "dark")
    qapp.processEvents()
    assert (pixels(chart) == dark).all()


def test_an_empty_chart_names_no_price(make_chart: MakeChart) -> None:
    chart = make_chart()
    frame, shot = chart.frame(), pixels(chart)
    axis = frame.geometry.price_axis.adjusted(2, 0, 0, -1)
    inside = shot[axis.top() : axis.bottom(), axis.left() : axis.right()]
    assert np.unique(inside).size == 1


def test_an_empty_chart_says_what_will_come(make_chart: MakeChart) -> None:
    chart = make_chart()
    ground = rgb(current_theme().color("bg1"))
    chart.set_empty_text("")
    before = (pixels(chart) != ground).sum()
    chart.set_empty_text("Type a symbol and press Enter.")
    assert (pixels(chart) != ground).sum() > before + 200


def test_a_new_bar_moves_the_view_only_when_the_last_bar_was_in_it(make_chart: MakeChart) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    end = chart.view.high
    chart.update_bar(int(bars.ts[-1]) + STEP, 100, 101, 99, 100, 10)
    assert chart.view.high == end + 1
    chart.show_range(10, 60)
    chart.update_bar(int(bars.ts[-1]) + 2 * STEP, 100, 101, 99, 100, 10)
    assert (chart.view.low, chart.view.high) == (10, 60)


def test_the_first_bars_build_from_the_left_and_then_the_view_follows(make_chart: MakeChart) -> None:
    bars = random_bars(300)
    chart = make_chart(random_bars(2))
    begin = chart.view.low
    for k in range(1, 300):
        chart.update_bar(int(bars.ts[-1]) + k * STEP, 100, 101, 99, 100, 10)
        newest = chart.view.x(2 + k)
        assert newest <= chart.view.width, "the newest bar is out of view"
        if newest < chart.view.width * 0.5:
            assert chart.view.low == begin, "a bar left the view while there was room"
    assert newest > chart.view.width * 0.5


def test_all_sizes_down_to_the_smallest_paint(make_chart: MakeChart) -> None:
    chart = make_chart(random_bars(300))
    chart.set_panes(tuple(IndicatorPane(title=f"P{i}", levels=(30.0, 70.0)) for i in range(3)))
    for width, height in ((1, 1), (64, 40), (200, 140), (1400, 30), (90, 900)):
        chart.resize(width, height)
        pixels(chart)
    assert not chart.grab().isNull()


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("visible", [90, 3000])
def test_the_tail_is_the_whole_on_every_screen_density(qapp: QApplication, ratio: float, visible: int) -> None:
    bars = random_bars(3000)
    data = ChartData()
    data.load(*bars.all())
    values = trailing_mean(bars.close)
    layers = Layers(overlays=(LineLayer(name="mean", values=values, dash=(6.0, 3.0)),))
    view = Viewport(3000.0 - visible, 3000.0 + visible * 0.2, round(637 * ratio))
    style = ChartStyle.of(theme("dark"))
    instrument = ChartInstrument(symbol="AAPL")
    frame = make_frame(
        data,
        instrument,
        layers,
        Options(),
        style,
        QSize(701, 403),
        ratio,
        view,
        7.0,
        (bars.low[-1] - 2, bars.high[-1] + 2),
    )
    images = []
    for whole in (False, True):
        data.put(int(bars.ts[-1]), *(float(column[-1]) for column in bars.all()[1:]))
        base = BaseImage()
        base.rebuild(frame)
        data.put(int(bars.ts[-1]), bars.open[-1], bars.high[-1] + 0.3, bars.low[-1], bars.close[-1] + 0.2, 10.0)
        if whole:
            base.rebuild(frame)
        else:
            base.repaint_tail(frame)
        canvas = QImage(round(701 * ratio), round(403 * ratio), QImage.Format.Format_RGB32)
        canvas.fill(0)
        canvas.setDevicePixelRatio(ratio)
        painter = QPainter(canvas)
        base.blit(painter, frame.geometry.body, frame)
        painter.end()
        images.append(canvas)
    a, b = (np.frombuffer(image.constBits(), np.uint32).copy() for image in images)
    assert differences(a, b) <= (0 if ratio == 1.0 else 2)


def test_a_line_that_runs_ahead_is_drawn_beyond_the_last_bar_and_outlives_a_tick(make_chart: MakeChart) -> None:
    bars = random_bars(60)
    chart = make_chart(bars)
    level = float(bars.high.max())
    line = LineLayer(name="cloud", values=np.full(60, level), role="focus")
    chart.set_overlays((line,))
    x = int(chart.frame().middle(62))
    without = pixels(chart)[:, x]
    chart.set_overlays((replace(line, ahead=np.full(5, level)),))
    last = [values[-1] for values in bars.all()]
    for _ in range(2):
        touched = np.flatnonzero(pixels(chart)[:, x] != without)
        assert touched.size, "the line goes on over the bars to come"
        assert np.abs(touched - chart.frame().y(level)).max() <= 2
        chart.update_bar(int(last[0]), *(float(value) for value in last[1:]), {"cloud": level})
