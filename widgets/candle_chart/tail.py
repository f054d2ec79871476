"""The last few bars, bar by bar: a tick touches two or three, and arrays of three cost more than their numbers.

Every formula is the one of the whole picture (`boxes`, `bar_painter`), with the same roundings: a test compares pixels.
Within a frame only the last bar changes, so what the others look like is worked out once.
"""

from math import floor

from PySide6.QtCore import QLineF, QRect
from PySide6.QtGui import QColor, QPainter, QPen

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


Box = tuple[QRect, QColor]


class TailBars:
    """The boxes of the last bars in device pixels, from the top left of the panes."""

    def __init__(self, frame: Frame, x0: int, line: int) -> None:
        self._frame = frame
        self._line = line
        body, price, volume, ratio = frame.geometry.body, frame.geometry.price, frame.geometry.volume, frame.ratio
        self._low_limit = round((price.top() - body.top()) * ratio) - 4
        self._high_limit = round((price.bottom() + 1 - body.top()) * ratio) + 4
        self._width = body_width(frame.view.pitch, line)
        self._bottom = round((volume.bottom() + 1 - body.top()) * ratio)
        self._usable = (volume.height() - frame.style.px(6)) * ratio
        self._shows_volume = volume.height() > 0 and frame.volume_max > 0
        last = len(frame.data) - 1
        self._closed: list[Box] = []
        self._closed_volume: list[Box] = []
        for bar in range(first_bar(frame, x0), last):
            self._closed += self._bar(bar)
            self._closed_volume += self._volume(bar)

    def paint_volume(self, painter: QPainter) -> None:
        """Paint volume bars."""
        for box, colour in self._closed_volume:
            painter.fillRect(box, colour)
        for box, colour in self._volume(len(self._frame.data) - 1):
            painter.fillRect(box, colour)

    def paint_bars(self, painter: QPainter) -> None:
        """Paint candles or bars."""
        for box, colour in self._closed:
            painter.fillRect(box, colour)
        for box, colour in self._bar(len(self._frame.data) - 1):
            painter.fillRect(box, colour)

    def _centre(self, bar: int) -> int:
        view = self._frame.view
        return floor((bar + 0.5 - view.low) * view.width / view.span)

    def _pixel(self, value: float) -> int:
        frame = self._frame
        y = floor((frame.scale.y(value) - frame.geometry.body.top()) * frame.ratio)
        return min(max(y, self._low_limit), self._high_limit)

    def _volume(self, bar: int) -> list[Box]:
        data, line, width, colour = self._frame.data, self._line, self._width, self._frame.style.volume
        volume = float(data.volume[bar])
        if not self._shows_volume or volume <= 0:
            return []
        height = min(max(line, round(volume * (self._usable / self._frame.volume_max))), round(self._usable))
        left, top = self._centre(bar) - (width - line) // 2, self._bottom - height
        if width < 3 * line or data.close[bar] < data.open[bar]:
            return [(QRect(left, top, width, height), colour)]
        line_y = min(line, height)
        return [
            (QRect(left, top, width, line_y), colour),
            (QRect(left, top + height - line_y, width, line_y), colour),
            (QRect(left, top, line, height), colour),
            (QRect(left + width - line, top, line, height), colour),
        ]

    def _bar(self, bar: int) -> list[Box]:
        frame, line = self._frame, self._line
        data, style = frame.data, frame.style
        opened, high, low, closed = data.prices(bar)
        rising = closed >= opened
        ts = int(data.ts[bar]) if frame.layers.sessions else 0
        dim = any(span.start_ns <= ts < span.end_ns for span in frame.layers.sessions)
        colour = (style.up_dim if dim else style.up) if rising else (style.down_dim if dim else style.down)
        x, y_high, y_low = self._centre(bar), self._pixel(high), self._pixel(low)
        y_open, y_close = self._pixel(opened), self._pixel(closed)
        if frame.options.bar_style is BarStyle.BARS:
            arm = max(line, self._width // 2)
            return [
                (QRect(x, y_high, line, y_low + line - y_high), colour),
                (QRect(x - arm, y_open, arm, line), colour),
                (QRect(x + line, y_close, arm, line), colour),
            ]
        half = (self._width - line) // 2
        top, bottom = min(y_open, y_close), max(y_open, y_close) + line
        wick_top = min(y_high, top)
        found = [
            (QRect(x, wick_top, line, max(y_low + line, bottom) - wick_top), colour),
            (QRect(x - half, top, 2 * half + line, bottom - top), colour),
        ]
        if rising and 2 * half - line > 0 and bottom - top > 2 * line:
            ground = style.session if dim else style.ground
            found.append((QRect(x - half + line, top + line, 2 * half - line, bottom - top - 2 * line), ground))
        return found


class TailLine:
    """The last segments of a solid line."""

    def __init__(self, frame: Frame, layer: LineLayer, scale: PriceScale, x0: int) -> None:
        self._layer, self._scale = layer, scale
        view, self._last = frame.view, min(len(layer.values), len(frame.data)) - 1
        self._step = view.width / view.span / frame.ratio
        self._low = view.low
        self._above, self._below = scale.top - 3001.0, scale.bottom + 3001.0
        self._pen: QPen = lines.pen(frame.style.role(layer.role), layer.width)
        self._closed: list[QLineF] = []
        self._before: tuple[float, float] | None = None
        for bar in range(max(0, first_bar(frame, x0) - 1), self._last):
            point = self._point(bar)
            if point is not None and self._before is not None:
                self._closed.append(QLineF(*self._before, *point))
            self._before = point

    def _point(self, bar: int) -> tuple[float, float] | None:
        value = float(self._layer.values[bar])
        if value != value:
            return None
        y = min(max(self._scale.y(value), self._above), self._below)
        return (bar + 0.5 - self._low) * self._step, y

    def paint(self, painter: QPainter) -> None:
        """Paint the segments; the painter maps logical pixels and smooths edges."""
        painter.setPen(self._pen)
        segments = self._closed
        if self._before is not None:
            point = self._point(self._last)
            if point is not None:
                segments = [*segments, QLineF(*self._before, *point)]
        if segments:
            painter.drawLines(segments)
