"""The line above the bars: values of the bar under the crosshair, whole items only, never over candles."""

import numpy as np
from PySide6.QtGui import QColor, QPainter

from widgets.candle_chart.frame import Frame, number_text
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


def paint_legend(painter: QPainter, frame: Frame, bar: int) -> None:
    """Paint as many items as fit."""
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
