"""The line above the bars: values of the bar under the crosshair, whole items only, never over candles."""

import numpy as np
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from widgets.candle_chart.frame import Frame
from widgets.candle_chart.time_axis import DAY
from widgets.formats import clock, compact, day, number, percent

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
        items.append((name, number(float(column[bar]), decimals), text))
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
            items.append((("│ " if not rank else "") + layer.name, number(value, places), style.theme.color("t2")))
    for series in frame.layers.compare:
        at = int(np.searchsorted(series.ts_ns, ts, side="right")) - 1
        if at >= 0:
            items.append((series.name, number(float(series.close[at]), 2), style.theme.color(series.role)))
    return items


def paint_legend(painter: QPainter, frame: Frame, bar: int) -> None:
    """Paint as many items as fit."""
    header, style = frame.geometry.header, frame.style
    painter.fillRect(header, style.ground)
    plain, bold = QFontMetrics(style.legend), QFontMetrics(style.legend_bold)
    baseline = header.top() + (header.height() + plain.ascent() - plain.descent()) // 2
    x, gap, space = style.px(8), style.px(10), style.px(4)
    for name, value, colour in legend_items(frame, bar):
        name_width = plain.horizontalAdvance(name) + space if name else 0
        width = name_width + bold.horizontalAdvance(value)
        if x + width > header.right() - style.px(4):
            break
        if name:
            painter.setFont(style.legend)
            painter.setPen(style.caption)
            painter.drawText(x, baseline, name)
        painter.setFont(style.legend)
        painter.setPen(colour)
        painter.drawText(x + name_width, baseline, value)
        x += width + gap
