"""The line above the bars: values of the bar under the crosshair, whole items only, never over candles."""

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage, QPainter

from widgets.candle_chart.frame import Frame, number_text
from widgets.candle_chart.layers import CompareSeries
from widgets.candle_chart.style import ChartStyle
from widgets.candle_chart.time_axis import DAY
from widgets.formats import clock, compact, day, percent

Item = tuple[str, str, QColor]


def legend_items(frame: Frame, bar: int) -> list[Item]:
    """Return (name, value, colour) of one bar and of every line there."""
    data, instrument, style = frame.data, frame.instrument, frame.style
    if not 0 <= bar < len(data):
        return []
    decimals = frame.decimals
    ts = int(data.ts[bar])
    when = (
        day(ts, instrument.zone)
        if instrument.interval_ns >= DAY
        else clock(ts, instrument.zone, instrument.zone_label, False)
    )
    text = style.text
    items: list[Item] = [("", when, text)]
    for name, column in (("O", data.open), ("H", data.high), ("L", data.low), ("C", data.close)):
        items.append((name, number_text(float(column[bar]), decimals), text))
    items.append(("V", compact(float(data.volume[bar])), text))
    before = float(data.close[bar - 1]) if bar else float(data.open[bar])
    if before:
        moved = (float(data.close[bar]) / before - 1) * 100
        items.append(("", percent(moved), style.up if moved > 0 else style.down if moved < 0 else text))
    lines = [(layer, decimals) for layer in frame.layers.overlays]
    lines += [(layer, pane.decimals) for pane in frame.layers.panes for layer in pane.lines]
    for rank, (layer, places) in enumerate(lines):
        value = float(layer.values[bar]) if bar < len(layer.values) else float("nan")
        if np.isfinite(value):
            items.append((("│ " if not rank else "") + layer.name, number_text(value, places), style.role("t2")))
    for series in frame.layers.compare:
        at = int(np.searchsorted(series.ts_ns, ts, side="right")) - 1
        if at >= 0:
            items.append((series.name, number_text(float(series.close[at]), 2), style.role(series.role)))
    return items


class Legend:
    """The painted line, kept until a value in it changes: a moved view shows the same one."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._drawn_of: tuple[ChartStyle, tuple[CompareSeries, ...]] | None = None
        self._image = QImage()

    def paint(self, painter: QPainter, frame: Frame, bar: int) -> None:
        """Paint as many items as fit."""
        header = frame.geometry.header
        key, drawn_of = self._state(frame, bar), (frame.style, frame.layers.compare)
        kept = self._drawn_of
        if key != self._key or kept is None or kept[0] is not drawn_of[0] or kept[1] is not drawn_of[1]:
            size = QSize(round(header.width() * frame.ratio), round(header.height() * frame.ratio))
            if self._image.size() != size:
                self._image = QImage(size, QImage.Format.Format_RGB32)
            self._image.setDevicePixelRatio(frame.ratio)
            inside = QPainter(self._image)
            inside.translate(-header.topLeft())
            _paint(inside, frame, bar)
            inside.end()
            self._key, self._drawn_of = key, drawn_of
        painter.drawImage(header.topLeft(), self._image)

    @staticmethod
    def _state(frame: Frame, bar: int) -> tuple[object, ...]:
        data = frame.data
        known = 0 <= bar < len(data)
        row = (int(data.ts[bar]), *data.prices(bar), float(data.volume[bar])) if known else ()
        before = float(data.close[bar - 1]) if known and bar else 0.0
        lines = [*frame.layers.overlays, *(layer for pane in frame.layers.panes for layer in pane.lines)]
        # NaN is never equal to itself and a missing value stays one: None compares.
        values = [float(layer.values[bar]) if 0 <= bar < len(layer.values) else None for layer in lines]
        shown = tuple((layer.name, None if v != v else v) for layer, v in zip(lines, values, strict=True))
        header = frame.geometry.header
        places = tuple(pane.decimals for pane in frame.layers.panes)
        return (bar, row, before, shown, frame.instrument, places, header.width(), header.height(), frame.ratio)


def _paint(painter: QPainter, frame: Frame, bar: int) -> None:
    header, style, labels = frame.geometry.header, frame.style, frame.style.labels
    painter.fillRect(header, style.ground)
    plain, bold = style.legend, style.legend_bold
    baseline = labels.baseline(plain, header.top(), header.height())
    x, gap, space, end = style.px(8), style.px(10), style.px(4), header.right() - style.px(4)
    for name, value, colour in legend_items(frame, bar):
        name_width = labels.width(plain, name) + space if name else 0
        width = name_width + labels.figures_width(bold, value)
        if x + width > end:
            break
        if name:
            labels.draw(painter, x, baseline, name, plain, style.caption, frame.ratio)
        labels.draw_figures(painter, x + name_width, baseline, value, plain, colour, frame.ratio)
        x += width + gap
