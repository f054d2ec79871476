"""The lines above the bars: values of the bar under the crosshair, and of every line there; never over candles."""

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

import numpy as np
from PySide6.QtCore import QLineF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from widgets.candle_chart.frame import Frame, Layers, number_text
from widgets.candle_chart.geometry import ROW_PX
from widgets.candle_chart.layers import CompareSeries, LineLayer
from widgets.candle_chart.lines import pen
from widgets.candle_chart.style import ChartStyle
from widgets.candle_chart.time_axis import DAY
from widgets.dates import long_day
from widgets.formats import clock, compact, percent

Item = tuple[str, str, QColor]
MOST_ROWS = 5
"""Rows of lines under the bar's own; what finds no room there is left out whole."""
_SAMPLE_PX, _SAMPLE_GAP_PX, _SPACE_PX, _GAP_PX, _EDGE_PX = 20, 5, 4, 12, 8


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line: how it is drawn, its name and its value at the bar."""

    name: str
    value: str
    role: str
    dash: tuple[float, ...]


def bar_items(frame: Frame, bar: int) -> list[Item]:
    """Return (name, value, colour) of one bar."""
    data, instrument, style = frame.data, frame.instrument, frame.style
    if not 0 <= bar < len(data):
        return []
    decimals = frame.decimals
    when = _when(int(data.ts[bar]), instrument.interval_ns >= DAY, instrument.zone, instrument.zone_label)
    text = style.text
    items: list[Item] = [("", when, text)]
    opened, high, low, close, volume = data.values(bar)
    for name, price in (("O", opened), ("H", high), ("L", low), ("C", close)):
        items.append((name, number_text(price, decimals), text))
    items.append(("V", compact(volume), text))
    before = data.values(bar - 1)[3] if bar else opened
    if before:
        moved = (close / before - 1) * 100
        items.append(("", percent(moved), style.up if moved > 0 else style.down if moved < 0 else text))
    return items


def _when(ts: int, is_day: bool, zone: str, label: str) -> str:
    return long_day(ts, zone) if is_day else _clock(ts, zone, label)


@lru_cache(maxsize=64)
def _clock(ts: int, zone: str, label: str) -> str:
    return clock(ts, zone, label, False)


def _value(layer: LineLayer, bar: int) -> float:
    """Return the value at a bar, of the one before while the newest has none yet; NaN where there is none."""
    values = layer.values
    if not 0 <= bar < len(values):
        return float("nan")
    value = float(values[bar])
    return float(values[bar - 1]) if not isfinite(value) and 0 < bar == len(values) - 1 else value


def line_items(frame: Frame, bar: int) -> list[LineItem]:
    """Return every line with its value at one bar, a dash where it has none yet; other symbols first.

    A line of an indicator can be guessed, whose price another line is cannot.
    """
    if not 0 <= bar < len(frame.data):
        return []
    items = []
    ts = int(frame.data.ts[bar])
    for series in frame.layers.compare:
        at = int(np.searchsorted(series.ts_ns, ts, side="right")) - 1
        shown = number_text(float(series.close[at]), 2) if at >= 0 else _MISSING
        items.append(LineItem(series.name, shown, series.role, series.dash))
    for layer, places in _lines(frame.layers, frame.decimals):
        value = _value(layer, bar)
        shown = number_text(value, places) if isfinite(value) else _MISSING
        items.append(LineItem(layer.name, shown, layer.role, layer.dash))
    return items


def legend_rows(layers: Layers, style: ChartStyle, width: int, widest: str) -> int:
    """Return how many rows the lines take under the bar's own, none for none; ``widest`` stands for a value."""
    names = [series.name for series in layers.compare] + [layer.name for layer, _ in _lines(layers, 0)]
    rows = [_width(style, name, widest) for name in names]
    return min(MOST_ROWS, len(_packed(rows, style, width)))


_MISSING = "–"


def _lines(layers: Layers, decimals: int) -> list[tuple[LineLayer, int]]:
    lines = [(layer, decimals) for layer in layers.overlays]
    return lines + [(layer, pane.decimals) for pane in layers.panes for layer in pane.lines]


def _width(style: ChartStyle, name: str, value: str) -> int:
    labels = style.labels
    sample = style.px(_SAMPLE_PX) + style.px(_SAMPLE_GAP_PX)
    words = labels.width(style.legend, name) + style.px(_SPACE_PX)
    return sample + words + labels.figures_width(style.legend_bold, value)


def _packed(widths: list[int], style: ChartStyle, width: int) -> list[list[int]]:
    """Return the items of each row by number."""
    rows: list[list[int]] = []
    x, end = 0, width - style.px(4)
    for number, item in enumerate(widths):
        if not rows or x + item > end:
            rows.append([])
            x = style.px(_EDGE_PX)
        rows[-1].append(number)
        x += item + style.px(_GAP_PX)
    return rows


@dataclass(slots=True)
class _Slot:
    """A value as it is painted, and the room that is its own; what found no place has height 0."""

    text: str
    colour: QColor
    room: int
    x: int = 0
    baseline: int = 0
    top: int = 0
    height: int = 0


class Legend:
    """The painted lines, kept until a value in it changes: a moved view shows the same one.

    Within a frame only values change: one that needs the same room is painted over, and nothing else.
    """

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._drawn_of: tuple[ChartStyle, tuple[CompareSeries, ...]] | None = None
        self._image = QImage()
        self._frame: Frame | None = None
        self._slots: list[_Slot] = []

    def paint(self, painter: QPainter, frame: Frame, bar: int) -> None:
        """Paint as many items as fit."""
        header = frame.geometry.header
        key, drawn_of = self._state(frame, bar), (frame.style, frame.layers.compare)
        kept = self._drawn_of
        if key != self._key or kept is None or kept[0] is not drawn_of[0] or kept[1] is not drawn_of[1]:
            self._draw(frame, bar_items(frame, bar), line_items(frame, bar))
            self._key, self._drawn_of = key, drawn_of
        painter.drawImage(header.topLeft(), self._image)

    def _draw(self, frame: Frame, of_bar: list[Item], of_lines: list[LineItem]) -> None:
        header = frame.geometry.header
        changed = self._changed(frame, of_bar, of_lines)
        if changed is None:
            size = QSize(round(header.width() * frame.ratio), round(header.height() * frame.ratio))
            if self._image.size() != size:
                self._image = QImage(size, QImage.Format.Format_RGB32)
            self._image.setDevicePixelRatio(frame.ratio)
        inside = QPainter(self._image)
        inside.translate(-header.topLeft())
        if changed is None:
            self._slots = _paint(inside, frame, of_bar, of_lines)
            self._frame = frame
        else:
            for slot in changed:
                if not slot.height:
                    continue
                inside.fillRect(slot.x - 1, slot.top, slot.room + 2, slot.height, frame.style.ground)
                _paint_value(inside, frame, slot)
        inside.end()

    def _changed(self, frame: Frame, of_bar: list[Item], of_lines: list[LineItem]) -> list[_Slot] | None:
        """Take over values and return those to paint again; None when the items have to be placed anew."""
        text = frame.style.text
        values = [(value, colour) for _, value, colour in of_bar] + [(item.value, text) for item in of_lines]
        if frame is not self._frame or frame.ratio != int(frame.ratio) or len(values) != len(self._slots):
            return None
        labels, font = frame.style.labels, frame.style.legend_bold
        changed = []
        for slot, (value, colour) in zip(self._slots, values, strict=True):
            if slot.text != value or slot.colour is not colour:
                if labels.figures_width(font, value) != slot.room:
                    return None
                slot.text, slot.colour = value, colour
                changed.append(slot)
        return changed

    @staticmethod
    def _state(frame: Frame, bar: int) -> tuple[object, ...]:
        data = frame.data
        known = 0 <= bar < len(data)
        row = (int(data.ts[bar]), *data.values(bar)) if known else ()
        before = float(data.close[bar - 1]) if known and bar else 0.0
        lines = [*frame.layers.overlays, *(layer for pane in frame.layers.panes for layer in pane.lines)]
        # NaN is never equal to itself and a missing value stays one: None compares.
        values = [_value(layer, bar) for layer in lines]
        shown = tuple((layer.name, None if v != v else v) for layer, v in zip(lines, values, strict=True))
        header = frame.geometry.header
        places = tuple(pane.decimals for pane in frame.layers.panes)
        return (bar, row, before, shown, frame.instrument, places, header.width(), header.height(), frame.ratio)


def _paint(painter: QPainter, frame: Frame, of_bar: list[Item], of_lines: list[LineItem]) -> list[_Slot]:
    """Paint everything that finds room and return the values in their order."""
    header, style = frame.geometry.header, frame.style
    painter.fillRect(header, style.ground)
    first = frame.geometry.header_line
    slots = _paint_bar(painter, frame, of_bar, header.top(), first)
    widest = frame.price_sample
    widths = [_width(style, item.name, max(item.value, widest, key=len)) for item in of_lines]
    height = style.px(ROW_PX)
    for row, numbers in enumerate(_packed(widths, style, header.width())):
        top = header.top() + first + row * height
        if top + height > header.bottom() + 1:
            break
        x = style.px(_EDGE_PX)
        for number in numbers:
            slots.append(_paint_line(painter, frame, of_lines[number], x, top, height))
            x += widths[number] + style.px(_GAP_PX)
    left_out = of_lines[len(slots) - len(of_bar) :]
    rooms = [style.labels.figures_width(style.legend_bold, item.value) for item in left_out]
    return slots + [_Slot(item.value, style.text, room) for item, room in zip(left_out, rooms, strict=True)]


def _paint_bar(painter: QPainter, frame: Frame, items: list[Item], top: int, height: int) -> list[_Slot]:
    header, style, labels = frame.geometry.header, frame.style, frame.style.labels
    plain, bold = style.legend, style.legend_bold
    baseline = labels.baseline(plain, top, height)
    x, gap, space, end = style.px(_EDGE_PX), style.px(_GAP_PX), style.px(_SPACE_PX), header.right() - style.px(4)
    slots = []
    for name, value, colour in items:
        name_width = labels.width(plain, name) + space if name else 0
        room = labels.figures_width(bold, value)
        slot = _Slot(value, colour, room)
        slots.append(slot)
        if x + name_width + room > end:
            end = 0
            continue
        if name:
            labels.draw(painter, x, baseline, name, plain, style.caption, frame.ratio)
        slot.x, slot.baseline, slot.top, slot.height = x + name_width, baseline, top, height
        _paint_value(painter, frame, slot)
        x += name_width + room + gap
    return slots


def _paint_line(painter: QPainter, frame: Frame, item: LineItem, x: int, top: int, height: int) -> _Slot:
    """Paint a sample of the line as it is drawn, its name and its value."""
    style, labels = frame.style, frame.style.labels
    baseline, colour = labels.baseline(style.legend, top, height), style.role(item.role)
    painter.setPen(pen(colour, 1.0, item.dash))
    middle = top + height // 2 + 0.5
    painter.drawLine(QLineF(x, middle, x + style.px(_SAMPLE_PX), middle))
    x += style.px(_SAMPLE_PX) + style.px(_SAMPLE_GAP_PX)
    labels.draw(painter, x, baseline, item.name, style.legend, style.role("t2"), frame.ratio)
    x += labels.width(style.legend, item.name) + style.px(_SPACE_PX)
    room = labels.figures_width(style.legend_bold, item.value)
    slot = _Slot(item.value, style.text, room, x, baseline, top, height)
    _paint_value(painter, frame, slot)
    return slot


def _paint_value(painter: QPainter, frame: Frame, slot: _Slot) -> None:
    labels, font = frame.style.labels, frame.style.legend
    labels.draw_figures(painter, slot.x, slot.baseline, slot.text, font, slot.colour, frame.ratio)
