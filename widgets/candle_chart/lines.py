"""Anti-aliased lines from numpy columns; a clipped repaint gives the same pixels as a whole one."""

from typing import Any

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

Floats = NDArray[np.float64]


def pen(colour: QColor, width: float, dash: tuple[float, ...] = ()) -> QPen:
    """Return a pen; dashes are given in pixels."""
    result = QPen(colour, width)
    result.setCapStyle(Qt.PenCapStyle.FlatCap)
    result.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
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


def draw(painter: QPainter, line_pen: QPen, xs: Floats, ys: Floats, pane: QRectF, from_x: float = -1e9) -> None:
    """Draw a line through (xs, ys) where it meets `pane`; with `from_x`, only what may touch pixels right of it."""
    dashed = bool(line_pen.dashPattern())
    for first, stop in runs(ys):
        points = np.empty((stop - first, 2))
        points[:, 0] = xs[first:stop]
        # Far outside the pane the exact height means nothing, and huge numbers are slow to clip.
        points[:, 1] = np.clip(ys[first:stop], -4000.0, 12_000.0)
        start = max(0, int(np.searchsorted(points[:, 0], from_x)) - 3)
        if not dashed:
            _polyline(painter, line_pen, points[start:])
            continue
        # Qt forgets the phase of dashes over parts outside the picture: leave those out, and carry the phase here.
        # So dashes hang on the data: they do not jump when only the last columns are painted again.
        run = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
        for a, b in _inside(points, pane):
            begin = max(a, start)
            if b - begin > 1:
                line_pen.setDashOffset(float(run[begin]) / line_pen.widthF())
                _polyline(painter, line_pen, points[begin:b])


def _inside(points: Floats, pane: QRectF) -> list[tuple[int, int]]:
    x, y = points.T
    hidden = (np.maximum(x[1:], x[:-1]) < pane.left()) | (np.minimum(x[1:], x[:-1]) > pane.right())
    hidden |= (np.maximum(y[1:], y[:-1]) < pane.top()) | (np.minimum(y[1:], y[:-1]) > pane.bottom())
    step = np.diff(np.concatenate(([0], (~hidden).astype(np.int8), [0])))
    return [(int(a), int(b) + 1) for a, b in zip(np.flatnonzero(step == 1), np.flatnonzero(step == -1), strict=True)]


def _polyline(painter: QPainter, line_pen: QPen, points: Floats) -> None:
    if len(points) > 1:
        painter.setPen(line_pen)
        painter.drawPolyline(polygon(points))


def polygon(points: Floats) -> QPolygonF:
    """Return points [n, 2] as a polygon, copied in one go; n > 0."""
    result = QPolygonF()
    result.resize(len(points))
    address = shiboken6.getCppPointer(result.data())[0]
    memory: Any = shiboken6.VoidPtr(address, points.size * 8, True)  # type: ignore[call-arg]
    np.frombuffer(memory, np.float64).reshape(-1, 2)[:] = points
    return result
