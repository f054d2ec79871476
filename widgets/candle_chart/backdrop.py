"""What lies behind the bars: sessions, grid, watermark, agent zones."""

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetrics, QPainter

from widgets.candle_chart.axes import AxisMarks
from widgets.candle_chart.boxes import fill
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import AgentZone
from widgets.candle_chart.lines import pen
from widgets.candle_chart.zone_labels import ZONE_ROLES


def paint_backdrop(painter: QPainter, frame: Frame, marks: AxisMarks) -> None:
    """Paint everything that changes only with the view."""
    body = frame.geometry.body
    painter.fillRect(body, frame.style.ground)
    shaded = _sessions(painter, frame)
    _grid(painter, frame, marks, shaded)
    _watermark(painter, frame)
    _session_labels(painter, frame, shaded)
    painter.save()
    painter.setClipRect(frame.geometry.price)
    for zone in frame.layers.zones:
        _zone(painter, frame, zone)
    painter.restore()
    painter.setPen(frame.style.hair)
    for pane in (frame.geometry.volume, *frame.geometry.panes):
        if pane.height():
            top = frame.geometry.rail.top() if pane == frame.geometry.volume else pane.top()
            painter.drawLine(0, top, body.right(), top)


def _sessions(painter: QPainter, frame: Frame) -> list[tuple[float, float, str]]:
    body = frame.geometry.body
    shaded: list[tuple[float, float, str]] = []
    for span in frame.layers.sessions:
        left, right = round(frame.x_of_time(span.start_ns)), round(frame.x_of_time(span.end_ns))
        if right <= 0 or left >= body.right() or right - left < 1:
            continue
        left, right = max(left, -2), min(right, body.width())
        painter.fillRect(left, body.top(), right - left, body.height(), frame.style.session)
        shaded.append((left, right, span.label))
    return shaded


def _grid(painter: QPainter, frame: Frame, marks: AxisMarks, shaded: list[tuple[float, float, str]]) -> None:
    body, style = frame.geometry.body, frame.style
    if frame.ratio == int(frame.ratio):
        # A pixel high or wide: rectangles are filled four times as fast as lines are drawn.
        grid = [(0, y, body.right(), y) for y, _ in marks.prices]
        grid += [(x, body.top(), x, body.bottom()) for x, _ in marks.times]
        fill(painter, np.array(grid, np.int32).reshape(-1, 4), style.grid)
    else:
        rows = [QLineF(0, y + 0.5, body.right() + 1, y + 0.5) for y, _ in marks.prices]
        columns = [QLineF(x + 0.5, body.top(), x + 0.5, body.bottom() + 1) for x, _ in marks.times]
        painter.setPen(style.grid)
        painter.drawLines(rows + columns)
    dotted = pen(style.caption, 1, (2, 3))
    for left, _, label in shaded:
        if label and left > 0:
            painter.setPen(dotted)
            painter.drawLine(QLineF(left + 0.5, body.top(), left + 0.5, body.bottom() + 1))
    painter.setPen(dotted)
    for x in marks.breaks:
        if all(abs(x - left) > 2 for left, _, _ in shaded):
            painter.drawLine(QLineF(x + 0.5, body.top(), x + 0.5, body.bottom() + 1))


def _session_labels(painter: QPainter, frame: Frame, shaded: list[tuple[float, float, str]]) -> None:
    metrics = QFontMetrics(frame.style.small)
    painter.setFont(frame.style.small)
    painter.setPen(frame.style.caption)
    pad = frame.style.px(6)
    for left, right, label in shaded:
        if label and right - max(left, 0) >= metrics.horizontalAdvance(label) + 2 * pad:
            painter.drawText(max(int(left), 0) + pad, frame.geometry.price.top() + metrics.ascent() + pad // 2, label)


def _watermark(painter: QPainter, frame: Frame) -> None:
    text = frame.options.watermark
    price = frame.geometry.price
    if not text or price.width() < 120 or price.height() < 60:
        return
    theme = frame.style.theme
    font = QFont(theme.font(120, QFont.Weight.Bold))
    size = max(16, min(theme.px(120), price.width() // max(4, len(text)), price.height() // 3))
    font.setPixelSize(size)
    font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, size * 0.13)
    painter.setFont(font)
    painter.setPen(theme.color(frame.options.watermark_role, theme.watermark_alpha * 1.25))
    box = QRectF(price.left(), price.top() + price.height() * 0.04, price.width() * 0.78, size * 1.3)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _zone(painter: QPainter, frame: Frame, zone: AgentZone) -> None:
    theme = frame.style.theme
    role = ZONE_ROLES.get(zone.kind, "t3")
    left = max(frame.x_of_time(zone.start_ns), -8.0)
    top, bottom = frame.y(max(zone.low, zone.high)), frame.y(min(zone.low, zone.high))
    box = QRectF(left, top, frame.geometry.plot_width - left, max(2.0, bottom - top))
    if box.width() <= 0 or box.bottom() < frame.geometry.price.top() or box.top() > frame.geometry.price.bottom():
        return
    painter.fillRect(box, theme.color(role, theme.zone_alpha))
    hatch = QColor(theme.color("t3", 0.35))
    painter.fillRect(box, QBrush(hatch, Qt.BrushStyle.BDiagPattern))
    painter.fillRect(QRectF(left, top, 2, box.height()), theme.color(role))
