"""What people draw: geometry, painting and hits. The list is plain values; editing makes new ones."""

import math
from dataclasses import replace

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import Drawing, DrawingKind
from widgets.candle_chart.lines import pen
from widgets.candle_chart.price_scale import PriceScale
from widgets.formats import number

FIBONACCI = (0.0, 0.236, 0.382, 0.5, 0.618, 0.786, 1.0)
_NEAR_PX = 6.0


def screen_points(frame: Frame, drawing: Drawing) -> list[QPointF]:
    """Return a drawing's points in widget pixels."""
    return [QPointF(frame.x_of_time(ts), frame.y(price)) for ts, price in drawing.points]


def segments(frame: Frame, drawing: Drawing) -> list[QLineF]:
    """Return the lines of a drawing in widget pixels."""
    points = screen_points(frame, drawing)
    width = float(frame.geometry.plot_width)
    kind = drawing.kind
    if kind is DrawingKind.HORIZONTAL:
        return [QLineF(0, points[0].y(), width, points[0].y())]
    if kind is DrawingKind.TEXT or len(points) < 2:
        return []
    a, b = points[0], points[1]
    if kind is DrawingKind.TREND:
        return [QLineF(a, b)]
    if kind is DrawingKind.RAY:
        return [QLineF(a, _ray_end(a, b, width))]
    if kind is DrawingKind.RECTANGLE:
        box = QRectF(a, b).normalized()
        tl, tr, bl, br = box.topLeft(), box.topRight(), box.bottomLeft(), box.bottomRight()
        return [QLineF(tl, tr), QLineF(tr, br), QLineF(br, bl), QLineF(bl, tl)]
    (_, start), (_, end) = drawing.points[:2]
    left = min(a.x(), b.x())
    return [QLineF(left, y, width, y) for y in (frame.y(end + (start - end) * level) for level in FIBONACCI)]


def _ray_end(a: QPointF, b: QPointF, width: float) -> QPointF:
    dx, dy = b.x() - a.x(), b.y() - a.y()
    if abs(dx) < 1e-6:
        return QPointF(a.x(), a.y() + math.copysign(1e4, dy or 1.0))
    x = width + 10 if dx > 0 else -10.0
    return QPointF(x, a.y() + dy * (x - a.x()) / dx)


def paint_drawings(painter: QPainter, frame: Frame, drawings: tuple[Drawing, ...], selected: str | None) -> None:
    """Paint every drawing; the selected one shows its handles."""
    painter.save()
    painter.setClipRect(frame.geometry.price, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for drawing in drawings:
        chosen = drawing.id == selected
        colour = frame.style.role("focus" if chosen else drawing.role)
        _paint(painter, frame, drawing, colour)
        if chosen:
            painter.setPen(pen(colour, 1.5))
            painter.setBrush(frame.style.ground)
            for point in screen_points(frame, drawing):
                painter.drawEllipse(point, 4, 4)
    painter.restore()


def _paint(painter: QPainter, frame: Frame, drawing: Drawing, colour: QColor) -> None:
    style = frame.style
    lines = segments(frame, drawing)
    painter.setPen(pen(colour, 1.3))
    if drawing.kind is DrawingKind.RECTANGLE and lines:
        tint = QColor(colour)
        tint.setAlphaF(0.08)
        points = screen_points(frame, drawing)
        painter.fillRect(QRectF(points[0], points[1]).normalized(), tint)
    if lines:
        painter.drawLines(lines)
    if drawing.kind is DrawingKind.FIBONACCI and lines:
        (_, start), (_, end) = drawing.points[:2]
        for level, line in zip(FIBONACCI, lines, strict=True):
            text = f"{number(level * 100, 1)} %  {number(end + (start - end) * level, frame.decimals)}"
            x, y = round(max(2.0, line.x1()) + 2), round(line.y1() - 3)
            style.labels.draw_haloed(painter, x, y, text, style.small, colour, style.ground, frame.ratio)
    elif drawing.text:
        point = screen_points(frame, drawing)[0]
        width = style.labels.width(style.tag, drawing.text)
        x, y = round(min(max(2.0, point.x()), frame.geometry.plot_width - width - 4.0)), round(point.y() - 4)
        style.labels.draw_haloed(painter, x, y, drawing.text, style.tag, colour, style.ground, frame.ratio)


def _distance(line: QLineF, at: QPointF) -> float:
    dx, dy = line.dx(), line.dy()
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else ((at.x() - line.x1()) * dx + (at.y() - line.y1()) * dy) / length
    near = line.pointAt(min(1.0, max(0.0, share)))
    return math.hypot(at.x() - near.x(), at.y() - near.y())


def hit(
    frame: Frame, drawings: tuple[Drawing, ...], at: QPointF, selected: str | None
) -> tuple[str, int | None] | None:
    """Return (drawing id, point number or None for the body) under the mouse, topmost first."""
    for drawing in drawings:
        if drawing.id == selected:
            for i, point in enumerate(screen_points(frame, drawing)):
                if math.hypot(point.x() - at.x(), point.y() - at.y()) <= _NEAR_PX + 2:
                    return drawing.id, i
    metrics = QFontMetrics(frame.style.tag)
    for drawing in reversed(drawings):
        if any(_distance(line, at) <= _NEAR_PX for line in segments(frame, drawing)):
            return drawing.id, None
        if drawing.kind is DrawingKind.TEXT:
            point = screen_points(frame, drawing)[0]
            box = QRectF(
                point.x(),
                point.y() - metrics.height() - 2,
                metrics.horizontalAdvance(drawing.text),
                metrics.height() + 4,
            )
            if box.contains(at):
                return drawing.id, None
    return None


def with_point(drawing: Drawing, index: int, ts_ns: int, price: float) -> Drawing:
    """Return a drawing with one point elsewhere."""
    points = list(drawing.points)
    points[index] = (ts_ns, price)
    return replace(drawing, points=tuple(points))


def shifted(drawing: Drawing, by_ns: int, scale: PriceScale, by_pixels: float) -> Drawing:
    """Return a drawing moved as a whole, along time and along the height of the screen."""
    points = tuple((ts + by_ns, scale.price(scale.y(price) + by_pixels)) for ts, price in drawing.points)
    return replace(drawing, points=points)
