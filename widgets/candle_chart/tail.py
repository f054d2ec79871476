"""The last few bars, bar by bar: a tick touches two or three, and arrays of three cost more than their numbers.

Every formula is the one of the whole picture (`boxes`, `bar_painter`), with the same roundings: a test compares pixels.
"""

from math import floor

from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QColor, QPainter

from widgets.candle_chart import lines
from widgets.candle_chart.boxes import body_width
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import BarStyle, LineLayer
from widgets.candle_chart.price_scale import PriceScale

MOST_BARS = 9


def first_bar(frame: Frame, x0: int) -> int:
    """Return the first bar that can touch device column x0 or a later one."""
    return max(0, int(frame.view.bar(x0 - 2)))


def is_short(frame: Frame, x0: int) -> bool:
    """Whether what lies right of x0 is best painted bar by bar."""
    few = len(frame.data) - first_bar(frame, x0) <= MOST_BARS
    return few and frame.options.bar_style in (BarStyle.CANDLES, BarStyle.BARS)


def paint_volume(painter: QPainter, frame: Frame, x0: int, line: int) -> None:
    """Paint volume bars; the painter maps to device pixels."""
    pane, ratio, data = frame.geometry.volume, frame.ratio, frame.data
    if not pane.height() or frame.volume_max <= 0:
        return
    bottom = round((pane.bottom() + 1 - frame.geometry.body.top()) * ratio)
    usable = (pane.height() - frame.style.px(6)) * ratio
    width = body_width(frame.view.pitch, line)
    colour = frame.style.volume
    for bar in range(first_bar(frame, x0), len(data)):
        volume = float(data.volume[bar])
        if volume <= 0:
            continue
        height = min(max(line, round(volume * (usable / frame.volume_max))), round(usable))
        left = _centre(frame, bar) - (width - line) // 2
        top = bottom - height
        if width >= 3 * line and data.close[bar] >= data.open[bar]:
            _outline(painter, left, top, width, height, line, colour)
        else:
            painter.fillRect(left, top, width, height, colour)


def _outline(painter: QPainter, left: int, top: int, width: int, height: int, line: int, colour: QColor) -> None:
    line_y = min(line, height)
    painter.fillRect(left, top, width, line_y, colour)
    painter.fillRect(left, top + height - line_y, width, line_y, colour)
    painter.fillRect(left, top, line, height, colour)
    painter.fillRect(left + width - line, top, line, height, colour)


def _centre(frame: Frame, bar: int) -> int:
    view = frame.view
    return floor((bar + 0.5 - view.low) * view.width / view.span)


def paint_bars(painter: QPainter, frame: Frame, x0: int, line: int) -> None:
    """Paint candles or bars; the painter maps to device pixels."""
    data, style, scale, ratio = frame.data, frame.style, frame.scale, frame.ratio
    body, price = frame.geometry.body, frame.geometry.price
    low_limit = round((price.top() - body.top()) * ratio) - 4
    high_limit = round((price.bottom() + 1 - body.top()) * ratio) + 4
    half = (body_width(frame.view.pitch, line) - line) // 2
    arm = max(line, body_width(frame.view.pitch, line) // 2)

    def pixel(value: float) -> int:
        return int(min(max(floor((scale.y(value) - body.top()) * ratio), low_limit), high_limit))

    for bar in range(first_bar(frame, x0), len(data)):
        opened, closed = float(data.open[bar]), float(data.close[bar])
        rising = closed >= opened
        ts = int(data.ts[bar])
        dim = any(span.start_ns <= ts < span.end_ns for span in frame.layers.sessions)
        colour = (style.up_dim if dim else style.up) if rising else (style.down_dim if dim else style.down)
        x = _centre(frame, bar)
        high, low, y_open, y_close = (
            pixel(float(data.high[bar])),
            pixel(float(data.low[bar])),
            pixel(opened),
            pixel(closed),
        )
        if frame.options.bar_style is BarStyle.BARS:
            painter.fillRect(x, high, line, low + line - high, colour)
            painter.fillRect(x - arm, y_open, arm, line, colour)
            painter.fillRect(x + line, y_close, arm, line, colour)
            continue
        top, bottom = min(y_open, y_close), max(y_open, y_close) + line
        wick_top = min(high, top)
        painter.fillRect(x, wick_top, line, max(low + line, bottom) - wick_top, colour)
        painter.fillRect(x - half, top, 2 * half + line, bottom - top, colour)
        if rising and 2 * half - line > 0 and bottom - top > 2 * line:
            ground = style.session if dim else style.ground
            painter.fillRect(x - half + line, top + line, 2 * half - line, bottom - top - 2 * line, ground)


def paint_line(painter: QPainter, frame: Frame, layer: LineLayer, scale: PriceScale, x0: int) -> None:
    """Paint the last segments of a solid line."""
    view, last = frame.view, min(len(layer.values), len(frame.data))
    step = view.width / view.span / frame.ratio
    above, below = scale.top - 3001.0, scale.bottom + 3001.0
    painter.setPen(lines.pen(frame.style.role(layer.role), layer.width))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    before: tuple[float, float] | None = None
    for bar in range(max(0, first_bar(frame, x0) - 1), last):
        value = float(layer.values[bar])
        if value != value:
            before = None
            continue
        x, y = (bar + 0.5 - view.low) * step, min(max(scale.y(value), above), below)
        if before is not None:
            painter.drawLine(QLineF(before[0], before[1], x, y))
        before = x, y
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
