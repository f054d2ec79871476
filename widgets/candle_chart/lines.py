"""Anti-aliased lines from numpy columns; a clipped repaint gives the same pixels as a whole one."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

Floats = NDArray[np.float64]


def pen(colour: QColor, width: float, dash: tuple[float, ...] = ()) -> QPen:
    """Return a pen for single lines, to be used and not changed; dashes are given in pixels."""
    return _pen(colour.rgba(), width, dash)


@lru_cache(maxsize=512)
def _pen(rgba: int, width: float, dash: tuple[float, ...]) -> QPen:
    result = QPen(QColor.fromRgba(rgba), width)
    result.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        result.setDashPattern([length / width for length in dash])
    return result


def runs(ys: Floats) -> list[tuple[int, int]]:
    """Return the stretches [first, stop) of finite values with at least two points."""
    good = np.isfinite(ys)
    if good.all():
        return [(0, len(ys))] if len(ys) > 1 else []
    step = np.diff(np.concatenate(([0], good.astype(np.int8), [0])))
    return [
        (int(a), int(b))
        for a, b in zip(np.flatnonzero(step == 1), np.flatnonzero(step == -1), strict=True)
        if b - a > 1
    ]


def draw(
    painter: QPainter, stroke: QPen, dash: tuple[float, ...], xs: Floats, ys: Floats, pane: QRectF, from_x: float = -1e9
) -> None:
    """Draw a line through (xs, ys) near `pane`, dashed in pixels; with `from_x`, only what may touch pixels right.

    Lines go to Qt as separate segments: its stroker for joined lines wider than a pixel, and for dashes, costs ten to
    fifty times as much, and forgets the phase of dashes over parts outside the picture. Cut here, dashes hang on the
    data, and a part painted again has the pixels it had (wider than a device pixel, up to two grey levels: Qt cuts
    lines at the clip in 1/64 pixel).
    """
    painter.setPen(stroke)
    highest, lowest = pane.top() - 3000.0, pane.bottom() + 3000.0
    for first, stop in runs(ys):
        if not dash and from_x > xs[first]:
            first = max(first, first + int(np.searchsorted(xs[first:stop], from_x)) - 3)
        points = np.empty((stop - first, 2))
        points[:, 0] = xs[first:stop]
        # Far outside the pane the exact height means nothing.
        np.minimum(np.maximum(ys[first:stop], highest), lowest, out=points[:, 1])
        if dash:
            segments = _dashes(points, dash)
            segments = segments[segments[:, 2] >= from_x - 3]
        else:
            segments = np.empty((max(0, len(points) - 1), 4))
            segments[:, :2], segments[:, 2:] = points[:-1], points[1:]
        if len(segments):
            packed = np.ascontiguousarray(segments)
            at: int = packed.__array_interface__["data"][0]
            # A QLineF is four doubles; Qt reads the array during the call only.
            painter.drawLines(cast(QLineF, shiboken6.wrapInstance(at, QLineF)), len(packed))


def draw_together(painter: QPainter, strokes: Sequence[QPen], xs: Floats, ys: Floats, pane: QRectF) -> None:
    """Draw solid lines without gaps, heights [line, point] over the same xs, as `draw` would one by one."""
    segments = np.empty((len(ys), len(xs) - 1, 4))
    segments[:, :, 0], segments[:, :, 2] = xs[:-1], xs[1:]
    heights = np.minimum(np.maximum(ys, pane.top() - 3000.0), pane.bottom() + 3000.0)
    segments[:, :, 1], segments[:, :, 3] = heights[:, :-1], heights[:, 1:]
    at: int = segments.__array_interface__["data"][0]
    for line, stroke in enumerate(strokes):
        painter.setPen(stroke)
        first = cast(QLineF, shiboken6.wrapInstance(at + line * segments.strides[0], QLineF))
        painter.drawLines(first, len(xs) - 1)


_MOST_DASHES = 20_000


def _dashes(points: Floats, dash: tuple[float, ...]) -> Floats:
    """Return the segments [n, 4] of a dashed line, cut at the ends of dashes and at its own points."""
    run = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    period = sum(dash)
    count = int(run[-1] / period) + 1
    if count > _MOST_DASHES:
        return np.concatenate((points[:-1], points[1:]), axis=1)
    marks = np.concatenate(([0.0], np.cumsum(dash)[:-1]))
    cuts = (np.arange(count)[:, None] * period + marks).ravel()
    cuts = np.sort(np.concatenate((run, cuts[cuts < run[-1]])))
    xs, ys = np.interp(cuts, run, points[:, 0]), np.interp(cuts, run, points[:, 1])
    phase = ((cuts[:-1] + cuts[1:]) / 2) % period
    shown = (np.searchsorted(np.cumsum(dash), phase, side="right") % 2 == 0) & (cuts[1:] - cuts[:-1] > 1e-9)
    segments: Floats = np.column_stack((xs[:-1], ys[:-1], xs[1:], ys[1:]))[shown]
    return segments
