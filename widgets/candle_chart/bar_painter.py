"""Bars, volume, overlays and indicator lines of one frame, painted between two device columns."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPen

from widgets.candle_chart import boxes, lines, tail
from widgets.candle_chart.boxes import Columns
from widgets.candle_chart.clouds import paint_clouds
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import BarStyle, LineLayer
from widgets.candle_chart.price_scale import PriceScale

Floats = NDArray[np.float64]
Bars = NDArray[np.int64]
_PRICES = ("open", "high", "low", "close")


def paint_bars(painter: QPainter, frame: Frame, x0: int, x1: int, clip: QRectF) -> None:
    """Paint device columns [x0, x1), which `clip` encloses; the backdrop is there already."""
    columns, pitch = columns_of(frame, x0, x1)
    _to_device(painter, frame)
    _volume(painter, frame, columns, pitch)
    painter.restore()
    _pane_lines(painter, frame, x0, clip)
    painter.setClipRect(clip.intersected(QRectF(frame.geometry.price)))
    _overlays(painter, frame, x0)
    _ahead(painter, frame)
    if frame.options.bar_style is BarStyle.LINE:
        closes = LineLayer(name="close", values=frame.data.close, role="t1", width=1.5)
        _line(painter, frame, closes, frame.scale, x0)
    else:
        _to_device(painter, frame)
        _bars(painter, frame, columns, pitch)
        painter.restore()


class TailPainter:
    """Paints the last bars of one frame again and again while only the last one changes."""

    def __init__(self, frame: Frame, x0: int, clip: QRectF, ground: QImage) -> None:
        """`clip` holds the columns that change, in logical pixels; `ground` is what lies behind the bars there."""
        self._frame, self._x0 = frame, x0
        self._clip, self._ground, self._at = clip, ground, clip.topLeft()
        self._price_clip = self._clip.intersected(QRectF(frame.geometry.price))
        self._bars = tail.TailBars(frame, x0, line_width(frame.ratio))
        # Dashes need their whole length, other symbols their own times: both are drawn the general way.
        plain = not frame.layers.compare and not any(layer.dash or layer.ground for layer in frame.layers.overlays)
        self._lines = (
            [tail.TailLine(frame, layer, frame.scale, x0) for layer in frame.layers.overlays] if plain else None
        )

    @staticmethod
    def suits(frame: Frame, x0: int) -> bool:
        """Whether what lies right of x0 is best painted bar by bar."""
        return x0 > 0 and not is_thin(frame) and tail.is_short(frame, x0)

    def paint(self, painter: QPainter) -> None:
        """Paint backdrop and bars; the painter maps logical pixels of the widget."""
        frame = self._frame
        painter.setClipRect(self._clip)
        painter.drawImage(self._at, self._ground)
        if self._bars.is_mapped:
            logical = painter.worldTransform()
            _map_device(painter, frame)
            self._bars.paint_volume(painter)
            painter.setWorldTransform(logical)
        else:
            self._bars.paint_volume(painter)
        if frame.layers.panes:
            _pane_lines(painter, frame, self._x0, self._clip)
        painter.setClipRect(self._price_clip)
        if self._lines is None:
            _overlays(painter, frame, self._x0)
        elif self._lines:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for line in self._lines:
                line.paint(painter)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        _ahead(painter, frame)
        if self._bars.is_mapped:
            _map_device(painter, frame)
            self._bars.paint_bars(painter)
            painter.setWorldTransform(logical)
        else:
            self._bars.paint_bars(painter)


def is_thin(frame: Frame) -> bool:
    """Whether bars share pixels: then pixel columns are drawn instead of bars."""
    return frame.view.pitch < line_width(frame.ratio)


def _to_device(painter: QPainter, frame: Frame) -> None:
    painter.save()
    _map_device(painter, frame)


def _map_device(painter: QPainter, frame: Frame) -> None:
    painter.translate(frame.geometry.body.topLeft())
    painter.scale(1 / frame.ratio, 1 / frame.ratio)


def line_width(ratio: float) -> int:
    """Return a hairline in device pixels; at 150 % one pixel still, so that narrow candles stay hollow."""
    return max(1, int(ratio + 0.25))


def _edges(frame: Frame, x0: int, x1: int) -> tuple[Bars, Bars]:
    view = frame.view
    pixels = np.arange(x0, x1 + 1)
    bars = np.clip(np.floor(view.low + pixels * view.span / view.width), 0, len(frame.data)).astype(np.int64)
    filled = bars[1:] > bars[:-1]
    return pixels[:-1][filled], np.append(bars[:-1][filled], bars[-1])


def columns_of(frame: Frame, x0: int, x1: int) -> tuple[Columns, float]:
    """Return the bars that touch device columns [x0, x1), one to a pixel where they share pixels, and their pitch."""
    data, view = frame.data, frame.view
    pitch = view.pitch
    if is_thin(frame):
        pixels, edges = _edges(frame, x0, x1)
        none = np.empty(0)
        o, h, l, c, v = data.columns(edges, view.span / view.width) if len(pixels) else (none, none, none, none, none)
        return Columns(pixels.astype(np.int32), o, h, l, c, v, _dim(frame, edges[:-1])), 0.0
    first = max(0, int(view.bar(x0 - pitch)) - 1)
    stop = min(len(data), int(view.bar(x1 + pitch)) + 2)
    centre = np.floor((np.arange(first, stop) + 0.5 - view.low) * view.width / view.span).astype(np.int32)
    if frame.options.bar_style is BarStyle.HEIKIN_ASHI:
        # The halving filter needs no more than 64 bars of run-up to agree in every bit that shows.
        lead = max(0, first - 64)
        shown = boxes.heikin_ashi(
            data.open[lead:stop], data.high[lead:stop], data.low[lead:stop], data.close[lead:stop]
        )
        o, h, l, c = (column[first - lead :] for column in shown)
    else:
        o, h, l, c = data.open[first:stop], data.high[first:stop], data.low[first:stop], data.close[first:stop]
    return Columns(centre, o, h, l, c, data.volume[first:stop], _dim(frame, np.arange(first, stop))), pitch


def _dim(frame: Frame, bars: Bars) -> NDArray[np.bool_]:
    dim = np.zeros(len(bars), np.bool_)
    if len(bars):
        times = frame.data.ts[bars]
        for span in frame.layers.sessions:
            if span.end_ns > times[0] and span.start_ns <= times[-1]:
                dim |= (times >= span.start_ns) & (times < span.end_ns)
    return dim


def _volume(painter: QPainter, frame: Frame, columns: Columns, pitch: float) -> None:
    pane, ratio, body = frame.geometry.volume, frame.ratio, frame.geometry.body
    if not pane.height() or frame.volume_max <= 0:
        return
    line = line_width(ratio)
    bottom = round((pane.bottom() + 1 - body.top()) * ratio)
    usable = (pane.height() - frame.style.px(6)) * ratio
    heights = np.maximum(line, np.rint(columns.volume * (usable / frame.volume_max))).astype(np.int32)
    heights[columns.volume <= 0] = 0
    width = boxes.body_width(pitch, line)
    left = columns.center - (width - line) // 2
    tops = bottom - np.minimum(heights, round(usable))
    packed = boxes.boxes(left, tops, left + width, np.full(len(left), bottom))
    has = heights > 0
    if width < 3 * line:
        boxes.fill(painter, packed, frame.style.volume)
        return
    rising = (columns.close >= columns.open)[has]
    boxes.fill(painter, packed[~rising], frame.style.volume)
    boxes.fill(painter, boxes.edges(packed[rising], line), frame.style.volume)


def _bars(painter: QPainter, frame: Frame, columns: Columns, pitch: float) -> None:
    style, price, body, ratio = frame.style, frame.geometry.price, frame.geometry.body, frame.ratio
    line = line_width(ratio)
    top, bottom = round((price.top() - body.top()) * ratio), round((price.bottom() + 1 - body.top()) * ratio)
    heights = np.stack((columns.open, columns.high, columns.low, columns.close))
    ys = dict(zip(_PRICES, (frame.scale.ys(heights) - body.top()) * ratio, strict=True))
    rising = columns.close >= columns.open
    masks = [(rising, style.up), (~rising, style.down)]
    if columns.dim.any():
        masks = [(chosen & ~columns.dim, colour) for chosen, colour in masks]
        masks += [(rising & columns.dim, style.up_dim), (~rising & columns.dim, style.down_dim)]
    shades = [(np.flatnonzero(mask), colour) for mask, colour in masks]
    if pitch == 0.0:
        high, low = boxes.pixel(ys["high"], top, bottom), boxes.pixel(ys["low"], top, bottom) + line
        packed = np.column_stack([columns.center, high, columns.center, low - 1]).astype(np.int32)
        for chosen, colour in shades:
            boxes.fill(painter, packed.take(chosen, axis=0), colour)
        return
    if frame.options.bar_style is BarStyle.BARS:
        parts = boxes.bar_boxes(columns, ys, pitch, line, top, bottom)
        for chosen, colour in shades:
            boxes.fill(painter, parts.take(chosen, axis=1).reshape(-1, 4), colour)
        return
    wick, bodies, _ = boxes.candle_boxes(columns, ys, pitch, line, top, bottom)
    for chosen, colour in shades:
        boxes.fill(painter, np.concatenate((wick.take(chosen, axis=0), bodies.take(chosen, axis=0))), colour)
    # Rising candles are hollow; on a session's ground, its own colour shows through.
    for chosen, colour in shades:
        if colour is style.up or colour is style.up_dim:
            ground = style.ground if colour is style.up else style.session
            boxes.fill(painter, boxes.inner(bodies.take(chosen, axis=0), line), ground)


def _overlays(painter: QPainter, frame: Frame, x0: int) -> None:
    places: Places = {}
    if any(layer.ground for layer in frame.layers.overlays):
        bars = _bar_numbers(frame)
        paint_clouds(painter, frame, bars, _middles(frame, bars))
    if not _together(painter, frame, x0):
        for layer in frame.layers.overlays:
            _line(painter, frame, layer, frame.scale, x0, places)
    for series in frame.layers.compare:
        bars = _bar_numbers(frame)
        if not len(bars) or not len(series.ts_ns):
            continue
        at = np.searchsorted(series.ts_ns, frame.data.ts[bars], side="right") - 1
        values = np.where(at >= 0, series.close[np.maximum(at, 0)], np.nan)
        known = values[np.isfinite(values)]
        if len(known) and known[0] > 0:
            values = values * (frame.base_price / known[0])
            stroke = lines.pen(frame.style.role(series.role), 1.5)
            _stroke(painter, frame, stroke, series.dash, _middles(frame, bars), frame.scale, values, x0)


def _ahead(painter: QPainter, frame: Frame) -> None:
    n = len(frame.data)
    for layer in frame.layers.overlays:
        if len(layer.ahead) and n:
            # From the last bar on, so that the line goes on without a gap.
            values = np.concatenate((layer.values[n - 1 : n], layer.ahead))
            stroke = lines.pen(frame.style.role(layer.role), layer.width)
            xs = _middles(frame, np.arange(n - 1, n - 1 + len(values)))
            _stroke(painter, frame, stroke, layer.dash, xs, frame.scale, values, 0)


def _bar_numbers(frame: Frame, x0: int = 0) -> Bars:
    if is_thin(frame):
        _, edges = _edges(frame, x0, frame.view.width)
        return edges[1:] - 1
    first, stop = frame.view.visible(len(frame.data))
    return np.arange(max(0, first - 1), min(len(frame.data), stop + 1))


def _together(painter: QPainter, frame: Frame, x0: int) -> bool:
    """Paint every overlay in one go, if they are alike: whole frame, solid, no gap."""
    layers = frame.layers.overlays
    if x0 > 0 or not layers or is_thin(frame) or any(layer.dash for layer in layers):
        return False
    bars = _bar_numbers(frame)
    if len(bars) < 2 or bars[-1] >= min(len(layer.values) for layer in layers):
        return False
    values = np.stack([layer.values[bars[0] : bars[-1] + 1] for layer in layers])
    if not np.isfinite(values).all():
        return False
    strokes = [lines.pen(frame.style.role(layer.role), layer.width) for layer in layers]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    lines.draw_together(painter, strokes, _middles(frame, bars), frame.scale.ys(values), _pane(frame, frame.scale))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    return True


Places = dict[int, tuple[Bars, Floats]]
"""Bars and where their middles stand, by the first device column asked for: one table for all lines of a frame."""


def _middles(frame: Frame, bars: Bars) -> Floats:
    view = frame.view
    places: Floats = (bars.astype(np.float64) + 0.5 - view.low) * (view.width / view.span / frame.ratio)
    return places


def _line(
    painter: QPainter, frame: Frame, layer: LineLayer, scale: PriceScale, x0: int, places: Places | None = None
) -> None:
    if x0 > 0 and not layer.dash and not is_thin(frame) and tail.is_short(frame, x0):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tail.TailLine(frame, layer, scale, x0).paint(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        return
    # A solid line needs a few points before the first dirty column; dashes need their whole length.
    since = 0 if layer.dash else max(0, x0 - 12)
    found = places.get(since) if places is not None else None
    if found is None:
        bars = _bar_numbers(frame, since)
        found = bars, _middles(frame, bars)
        if places is not None:
            places[since] = found
    bars, xs = found
    if len(bars) and bars[-1] >= len(layer.values):
        known = bars < len(layer.values)
        bars, xs = bars[known], xs[known]
    if len(bars) > 1:
        stroke = lines.pen(frame.style.role(layer.role), layer.width)
        values = layer.values[bars] if is_thin(frame) else layer.values[bars[0] : bars[-1] + 1]
        _stroke(painter, frame, stroke, layer.dash, xs, scale, values, x0)


def _pane(frame: Frame, scale: PriceScale) -> QRectF:
    return QRectF(0.0, scale.top - 1, frame.geometry.plot_width, scale.bottom - scale.top + 2)


def _stroke(
    painter: QPainter,
    frame: Frame,
    stroke: QPen,
    dash: tuple[float, ...],
    xs: Floats,
    scale: PriceScale,
    values: Floats,
    x0: int,
) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    lines.draw(painter, stroke, dash, xs, scale.ys(values), _pane(frame, scale), x0 / frame.ratio)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _pane_lines(painter: QPainter, frame: Frame, x0: int, clip: QRectF) -> None:
    for rect, pane, scale in zip(frame.geometry.panes, frame.layers.panes, frame.pane_scales, strict=True):
        if not rect.height():
            continue
        painter.setClipRect(clip.intersected(QRectF(rect)))
        painter.setPen(lines.pen(frame.style.grid, 1, (3, 3)))
        for level in pane.levels:
            y = round(scale.y(level)) + 0.5
            painter.drawLine(QLineF(0, y, rect.right() + 1, y))
        if pane.histogram is not None:
            _histogram(painter, frame, pane.histogram, scale)
        for layer in pane.lines:
            _line(painter, frame, layer, scale, x0)
        metrics = QFontMetrics(frame.style.small)
        painter.setFont(frame.style.small)
        painter.setPen(frame.style.caption)
        painter.drawText(frame.style.px(6), rect.top() + metrics.ascent() + 3, pane.title)
    painter.setClipRect(clip)


def _histogram(painter: QPainter, frame: Frame, layer: LineLayer, scale: PriceScale) -> None:
    bars = _bar_numbers(frame)
    bars = bars[bars < len(layer.values)]
    values = layer.values[bars]
    keep = np.isfinite(values)
    bars, values = bars[keep], values[keep]
    if not len(bars):
        return
    ratio, body = frame.ratio, frame.geometry.body
    line = line_width(ratio)
    width = boxes.body_width(max(1.0, frame.view.pitch), line)
    x = np.floor((bars + 0.5 - frame.view.low) * frame.view.width / frame.view.span).astype(np.int32) - width // 2
    zero = round((scale.y(0.0) - body.top()) * ratio)
    y = np.floor((scale.ys(values) - body.top()) * ratio).astype(np.int32)
    packed = boxes.boxes(x, np.minimum(y, zero), x + width, np.maximum(y, zero) + line)
    rising = values >= 0
    _to_device(painter, frame)
    boxes.fill(painter, packed[~rising], frame.style.volume)
    boxes.fill(painter, boxes.edges(packed[rising], line), frame.style.volume)
    painter.restore()
