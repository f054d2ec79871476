"""The last few bars, bar by bar: a tick touches two or three, and arrays of three cost more than their numbers.

Every formula is the one of the whole picture (`boxes`, `bar_painter`), with the same roundings: a test compares pixels.
Within a frame only the last bar changes, so what the others look like is worked out once.
"""

from math import floor
from typing import cast

import numpy as np
import shiboken6
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
    """The boxes of the last bars, in device pixels from the top left of the panes.

    On a screen of one pixel to the point they are pixels of the widget itself, which saves mapping the painter.
    """

    def __init__(self, frame: Frame, x0: int, line: int) -> None:
        self._frame, self._data, self._style = frame, frame.data, frame.style
        self._line = line
        body, price, volume, ratio = frame.geometry.body, frame.geometry.price, frame.geometry.volume, frame.ratio
        self.is_mapped = ratio != 1.0
        shift = 0 if self.is_mapped else body.top()
        self._shift, self._origin, self._ratio, self._y = shift, body.top(), ratio, frame.scale.mapper()
        self._low_limit = round((price.top() - body.top()) * ratio) - 4 + shift
        self._high_limit = round((price.bottom() + 1 - body.top()) * ratio) + 4 + shift
        self._width = body_width(frame.view.pitch, line)
        self._bottom = round((volume.bottom() + 1 - body.top()) * ratio) + shift
        usable = (volume.height() - frame.style.px(6)) * ratio
        self._per_volume = usable / frame.volume_max if volume.height() > 0 and frame.volume_max > 0 else 0.0
        self._highest = round(usable)
        self._dim = False
        last = self._last = len(frame.data) - 1
        self._closed: list[Box] = []
        self._closed_volume: list[Box] = []
        for bar in range(first_bar(frame, x0), last):
            self._take(bar)
            self._closed += [box for box in self._bar(bar) if box[0].right() >= x0]
            self._closed_volume += [box for box in self._volume(bar) if box[0].right() >= x0]
        self._take(last)

    def paint_volume(self, painter: QPainter) -> None:
        """Paint volume bars."""
        fill = painter.fillRect
        for box, colour in self._closed_volume:
            fill(box, colour)
        for box, colour in self._volume(self._last):
            fill(box, colour)

    def paint_bars(self, painter: QPainter) -> None:
        """Paint candles or bars."""
        fill = painter.fillRect
        for box, colour in self._closed:
            fill(box, colour)
        for box, colour in self._bar(self._last):
            fill(box, colour)

    def _take(self, bar: int) -> None:
        """Work out what a bar keeps while its prices change."""
        frame, view = self._frame, self._frame.view
        self._x = floor((bar + 0.5 - view.low) * view.width / view.span)
        ts = int(self._data.ts[bar]) if frame.layers.sessions else 0
        self._dim = any(span.start_ns <= ts < span.end_ns for span in frame.layers.sessions)

    def _pixel(self, value: float) -> int:
        y = floor((self._y(value) - self._origin) * self._ratio) + self._shift
        low, high = self._low_limit, self._high_limit
        return low if y < low else high if y > high else y

    def _volume(self, bar: int) -> list[Box]:
        line, width, colour = self._line, self._width, self._style.volume
        opened, _, _, closed, volume = self._data.values(bar)
        if not self._per_volume or volume <= 0:
            return []
        height = min(max(line, round(volume * self._per_volume)), self._highest)
        left, top = self._x - (width - line) // 2, self._bottom - height
        if width < 3 * line or closed < opened:
            return [(QRect(left, top, width, height), colour)]
        line_y = min(line, height)
        return [
            (QRect(left, top, width, line_y), colour),
            (QRect(left, top + height - line_y, width, line_y), colour),
            (QRect(left, top, line, height), colour),
            (QRect(left + width - line, top, line, height), colour),
        ]

    def _bar(self, bar: int) -> list[Box]:
        line, style, dim, x = self._line, self._style, self._dim, self._x
        opened, high, low, closed, _ = self._data.values(bar)
        rising = closed >= opened
        colour = (style.up_dim if dim else style.up) if rising else (style.down_dim if dim else style.down)
        pixel = self._pixel
        y_high, y_low, y_open, y_close = pixel(high), pixel(low), pixel(opened), pixel(closed)
        if self._frame.options.bar_style is BarStyle.BARS:
            arm = max(line, self._width // 2)
            return [
                (QRect(x, y_high, line, y_low + line - y_high), colour),
                (QRect(x - arm, y_open, arm, line), colour),
                (QRect(x + line, y_close, arm, line), colour),
            ]
        half = (self._width - line) // 2
        top, bottom = (y_open, y_close + line) if y_open < y_close else (y_close, y_open + line)
        wick_top = y_high if y_high < top else top
        found = [(QRect(x, wick_top, line, max(y_low + line, bottom) - wick_top), colour)]
        if not half:
            # As narrow as its wick, which covers it.
            return found
        found.append((QRect(x - half, top, 2 * half + line, bottom - top), colour))
        if rising and 2 * half - line > 0 and bottom - top > 2 * line:
            ground = style.session if dim else style.ground
            found.append((QRect(x - half + line, top + line, 2 * half - line, bottom - top - 2 * line), ground))
        return found


class TailLine:
    """The last segments of a solid line."""

    def __init__(self, frame: Frame, layer: LineLayer, scale: PriceScale, x0: int) -> None:
        view, self._last = frame.view, min(len(layer.values), len(frame.data)) - 1
        self._values, self._y = layer.values, scale.mapper()
        self._step = view.width / view.span / frame.ratio
        self._low = view.low
        self._above, self._below = scale.top - 3001.0, scale.bottom + 3001.0
        self._pen: QPen = lines.pen(frame.style.role(layer.role), layer.width)
        reached = x0 / frame.ratio - 2.0 - layer.width
        closed: list[tuple[float, float, float, float]] = []
        before: tuple[float, float] | None = None
        for bar in range(max(0, first_bar(frame, x0) - 1), self._last):
            point = self._point(bar)
            if point is not None and before is not None and point[0] >= reached:
                closed.append((*before, *point))
            before = point
        self._closed, self._is_open = len(closed), before is not None
        self._end = (self._last + 0.5 - self._low) * self._step
        if before is not None:
            closed.append((*before, self._end, 0.0))
        # A QLineF is four doubles; Qt reads the array itself, whose last height follows the last value.
        self._segments = np.array(closed, np.float64).reshape(-1, 4)
        at: int = self._segments.__array_interface__["data"][0]
        self._first = cast(QLineF, shiboken6.wrapInstance(at, QLineF)) if closed else QLineF()

    def _height(self, bar: int) -> float:
        value = float(self._values[bar])
        return min(max(self._y(value), self._above), self._below) if value == value else value

    def _point(self, bar: int) -> tuple[float, float] | None:
        y = self._height(bar)
        return ((bar + 0.5 - self._low) * self._step, y) if y == y else None

    def paint(self, painter: QPainter) -> None:
        """Paint the segments; the painter maps logical pixels and smooths edges."""
        count = self._closed
        if self._is_open:
            y = self._height(self._last)
            if y == y:
                self._segments[-1, 3] = y
                count += 1
        if count:
            painter.setPen(self._pen)
            painter.drawLines(self._first, count)
