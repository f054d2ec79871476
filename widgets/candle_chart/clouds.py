"""The ground between two lines, tinted by which of them is above: the cloud of Ichimoku."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import LineLayer

Floats = NDArray[np.float64]
ALPHA = 0.16


def paint_clouds(painter: QPainter, frame: Frame, bars: NDArray[np.int64], xs: Floats) -> None:
    """Tint between each overlay that has a ground and the line it stands on, over ``bars`` and those to come."""
    by_name = {layer.name: layer for layer in frame.layers.overlays}
    for layer in frame.layers.overlays:
        other = by_name.get(layer.ground)
        if other is None or not len(bars):
            continue
        places, upper = _with_ahead(frame, layer, bars, xs)
        _, lower = _with_ahead(frame, other, bars, xs)
        size = min(len(upper), len(lower))
        a, b = frame.scale.ys(upper[:size]), frame.scale.ys(lower[:size])
        for first, stop in _both(a, b):
            _paint(painter, frame, *with_crossings(places[first:stop], a[first:stop], b[first:stop]))


def _with_ahead(frame: Frame, layer: LineLayer, bars: NDArray[np.int64], xs: Floats) -> tuple[Floats, Floats]:
    known = bars < len(layer.values)
    values = np.concatenate((layer.values[bars[known]], layer.ahead))
    coming = np.arange(len(frame.data), len(frame.data) + len(layer.ahead))
    places = (coming + 0.5 - frame.view.low) * (frame.view.width / frame.view.span / frame.ratio)
    return np.concatenate((xs[known], places)), values


def _both(a: Floats, b: Floats) -> list[tuple[int, int]]:
    good = np.isfinite(a) & np.isfinite(b)
    step = np.diff(np.concatenate(([0], good.astype(np.int8), [0])))
    starts, stops = np.flatnonzero(step == 1), np.flatnonzero(step == -1)
    return [(int(first), int(stop)) for first, stop in zip(starts, stops, strict=True) if stop - first > 1]


def with_crossings(xs: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return two lines with a point more wherever they cross, so that each stretch has one of them above."""
    gap = a - b
    at = np.flatnonzero(gap[:-1] * gap[1:] < 0)
    part = gap[at] / (gap[at] - gap[at + 1])
    x, y = xs[at] + part * (xs[at + 1] - xs[at]), a[at] + part * (a[at + 1] - a[at])
    return np.insert(xs, at + 1, x), np.insert(a, at + 1, y), np.insert(b, at + 1, y)


def _paint(painter: QPainter, frame: Frame, xs: Floats, a: Floats, b: Floats) -> None:
    theme = frame.style.theme
    painter.setPen(Qt.PenStyle.NoPen)
    # Heights grow downwards: the smaller of two is the line above.
    for role, edge in (("up", np.minimum(a, b)), ("down", np.maximum(a, b))):
        if np.array_equal(edge, b):
            continue
        outline = [*zip(xs, edge, strict=True), *zip(xs[::-1], b[::-1], strict=True)]
        painter.setBrush(theme.color(role, ALPHA))
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in outline]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
