"""From data, layers and a view to a frame: who gets how much room, and which prices are shown."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from widgets.candle_chart.bars import ChartData
from widgets.candle_chart.frame import Frame, Layers, Options
from widgets.candle_chart.geometry import layout
from widgets.candle_chart.layers import ChartInstrument, PriceAxis
from widgets.candle_chart.legend import legend_rows
from widgets.candle_chart.price_scale import PriceScale
from widgets.candle_chart.scaling import auto_scale, pane_scale
from widgets.candle_chart.style import ChartStyle
from widgets.candle_chart.viewport import MIN_BARS, Viewport
from widgets.formats import decimals_of, number

DEFAULT_PITCH_PX = 7.0


def axis_width(data: ChartData, instrument: ChartInstrument, style: ChartStyle) -> int:
    """Return the width of the price axis: its longest price fits."""
    return style.axis_width(price_sample(data, instrument))


def price_sample(data: ChartData, instrument: ChartInstrument) -> str:
    """Return a price as long as the longest to be expected."""
    if not len(data):
        return "000.00"
    return number(float(data.high[-500:].max()) * 1.2, max(2, decimals_of(instrument.tick)))


def bars_width(plot_width: int, layers: Layers, style: ChartStyle) -> float:
    """Return the width left for bars when the tags have their place in the future."""
    metrics = QFontMetrics(style.tag)
    texts = [order.text for order in layers.orders]
    texts += [layers.average.text] if layers.average is not None else []
    future = max((metrics.horizontalAdvance(text) for text in texts), default=0)
    future += style.px(96) if texts else style.px(56)
    small = QFontMetrics(style.small)
    words = max((small.horizontalAdvance(zone.label) for zone in layers.zones), default=0)
    future = max(future, words + style.px(12)) if words else future
    return max(plot_width * 0.55, plot_width - future)


def last_view(size: int, plot_width: int, layers: Layers, style: ChartStyle, pitch_px: float, ratio: float) -> Viewport:
    """Return the view of the last bars."""
    width, bars_px = max(1, round(plot_width * ratio)), bars_width(plot_width, layers, style)
    span = max(MIN_BARS, width / ratio / pitch_px)
    on_screen = bars_px / pitch_px
    low = size - on_screen if size > on_screen else -2.0
    return Viewport(low, low + span, width)


def after_append(view: Viewport, frame: Frame | None, size: int, dropped: int) -> Viewport:
    """Return the view after a bar was appended, making `size` bars, and `dropped` fell off the front.

    The view follows once the bars have filled the room left of the tags: the first bars of a day build from the left.
    """
    view = view.moved(-float(dropped))
    newest_was_in_view = size - 2 < view.high
    room = bars_width(frame.geometry.plot_width, frame.layers, frame.style) * frame.ratio if frame is not None else 0.0
    return view.moved(1.0) if newest_was_in_view and view.x(size) > room else view


def with_room(
    view: Viewport, size: int, plot_width: int, before: Layers, layers: Layers, style: ChartStyle
) -> Viewport:
    """Return the view moved on where tags came: with the last bar in it, they stand right of the bars."""
    if not size or not _more_tags(before, layers):
        return view
    pitch = plot_width / view.span
    free, wanted = (view.high - size) * pitch, plot_width - bars_width(plot_width, layers, style)
    # Some pixels to spare: the words of a tag change their length with the result they tell.
    return view.moved((wanted + style.px(16) - free) / pitch) if size - 1 < view.high and free < wanted else view


def _more_tags(before: Layers, after: Layers) -> bool:
    """Whether there are tags, or words of zones, that were not there before."""
    legs = {(order.ref, order.leg) for order in before.orders}
    return (
        any((order.ref, order.leg) not in legs for order in after.orders)
        or (before.average is None and after.average is not None)
        or (not before.zones and bool(after.zones))
    )


def make_frame(
    data: ChartData,
    instrument: ChartInstrument,
    layers: Layers,
    options: Options,
    style: ChartStyle,
    size: QSize,
    ratio: float,
    view: Viewport | None,
    pitch_px: float,
    fixed_prices: tuple[float, float] | None,
) -> Frame:
    """Return the frame of a widget of `size`; without a view, the last bars."""
    sample = price_sample(data, instrument)
    geometry = layout(
        size.width(),
        size.height(),
        style.axis_width(sample),
        len(layers.panes),
        options.show_volume,
        bool(layers.pins),
        style.scale,
        legend_rows(layers, style, size.width(), sample) if len(data) else 0,
    )
    width = max(1, round(geometry.plot_width * ratio))
    if view is None:
        view = last_view(len(data), geometry.plot_width, layers, style, pitch_px, ratio).clamped(len(data))
    elif view.width != width:
        # A wider pane shows more bars, not fatter ones; the newest stay where they are.
        span = max(MIN_BARS, width / ratio / pitch_px)
        view = Viewport(view.high - span, view.high, width)
    first, stop = view.visible(len(data))
    base = float(data.close[first]) if first < stop else 0.0
    scale, volume_max = auto_scale(data, view, layers, geometry, options.price_axis, base)
    if fixed_prices is not None:
        low, high = fixed_prices
        scale = PriceScale(low, high, scale.top, scale.bottom, options.price_axis is PriceAxis.LOG and low > 0)
    scales = tuple(
        pane_scale(pane, first, stop, float(rect.top()), float(rect.bottom()))
        for pane, rect in zip(layers.panes, geometry.panes, strict=True)
    )
    return Frame(
        data=data,
        instrument=instrument,
        layers=layers,
        options=options,
        style=style,
        geometry=geometry,
        view=view,
        scale=scale,
        volume_max=volume_max,
        pane_scales=scales,
        base_price=base,
        price_sample=sample,
        ratio=ratio,
    )


def holds_last_bar(frame: Frame, fixed_prices: bool) -> bool:
    """Whether the last bar fits the scales, so that only its columns need painting."""
    data, n, scale = frame.data, len(frame.data), frame.scale
    if n - 1 >= frame.view.high or n <= frame.view.low:
        return True
    _, high, low, _, volume = data.values(n - 1)
    fits = (fixed_prices or (scale.low <= low and high <= scale.high)) and volume <= frame.volume_max
    for pane, scale in zip(frame.layers.panes, frame.pane_scales, strict=True):
        for layer in (*pane.lines, *((pane.histogram,) if pane.histogram is not None else ())):
            fits = fits and not (layer.values[-1] < scale.low or layer.values[-1] > scale.high)
    return bool(fits)
