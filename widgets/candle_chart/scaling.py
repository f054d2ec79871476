"""Which prices are in view: pure choices from the bars and the levels drawn on them."""

from collections.abc import Iterable

import numpy as np

from widgets.candle_chart.bars import ChartData
from widgets.candle_chart.frame import Layers
from widgets.candle_chart.geometry import Geometry
from widgets.candle_chart.layers import IndicatorPane, PriceAxis
from widgets.candle_chart.price_scale import PriceScale
from widgets.candle_chart.viewport import Viewport

TOP_PX = 16
MOST_STRETCH = 2.5
"""Levels may widen the bars' own range this far; a level further away is pinned at the edge instead."""


def price_range(low: float, high: float, levels: Iterable[float]) -> tuple[float, float]:
    """Widen [low, high] by levels, nearest first, as long as the bars stay readable."""
    floor = max(high - low, abs(high) * 0.004)
    middle = (low + high) / 2
    a, b = low, high
    for level in sorted(levels, key=lambda value: abs(value - middle)):
        if not np.isfinite(level):
            continue
        wider_a, wider_b = min(a, level), max(b, level)
        if wider_b - wider_a <= MOST_STRETCH * floor:
            a, b = wider_a, wider_b
    return a, b


def level_prices(layers: Layers) -> list[float]:
    """Return every price a person wants to keep in sight."""
    prices = [order.price for order in layers.orders]
    prices += [order.pending_price for order in layers.orders if order.pending_price is not None]
    if layers.average is not None:
        prices.append(layers.average.price)
    for zone in layers.zones:
        prices += [zone.low, zone.high]
    return prices


def auto_scale(
    data: ChartData, view: Viewport, layers: Layers, geometry: Geometry, axis: PriceAxis, base: float
) -> tuple[PriceScale, float]:
    """Return the price scale of the bars in view and the top of the volume pane."""
    pane = geometry.price
    # The first line of the pane belongs to the names of sessions.
    top, bottom = float(pane.top() + min(TOP_PX, pane.height() // 8)), float(pane.bottom())
    first, stop = view.visible(len(data))
    if first >= stop:
        n = len(data)
        price = float(data.close[0 if first == 0 else n - 1]) if n else 1.0
        return PriceScale.around(price, price * 1.01, top, bottom, axis is PriceAxis.LOG), 1.0
    high, low, volume = data.extremes(first, stop)
    for series in layers.compare:
        a, b = np.searchsorted(series.ts_ns, (data.ts[first], data.ts[stop - 1]), side="right")
        known = series.close[max(0, a - 1) : max(b, a)]
        known = known[np.isfinite(known)]
        if len(known) and known[0] > 0:
            low, high = min(low, float(known.min() / known[0] * base)), max(high, float(known.max() / known[0] * base))
    low, high = price_range(low, high, level_prices(layers))
    return PriceScale.around(low, high, top, bottom, axis is PriceAxis.LOG), volume * 1.08


def pane_scale(pane: IndicatorPane, first: int, stop: int, top: float, bottom: float) -> PriceScale:
    """Return the scale of an indicator pane for bars [first, stop); the title keeps its line."""
    layers = [*pane.lines, *([pane.histogram] if pane.histogram is not None else [])]
    values = [layer.values[first:stop] for layer in layers]
    values = [part[np.isfinite(part)] for part in values]
    extremes = [value for part in values if len(part) for value in (float(part.min()), float(part.max()))]
    extremes += list(pane.levels)
    if pane.histogram is not None:
        extremes.append(0.0)
    if not extremes:
        return PriceScale(0.0, 1.0, top, bottom)
    return PriceScale.around(min(extremes), max(extremes), top + 12, bottom - 2, False, 0.12)
