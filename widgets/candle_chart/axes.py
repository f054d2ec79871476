"""Axis marks: computed once a layout, drawn as grid behind the bars and as labels beside them."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QRegion

from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import PriceAxis
from widgets.candle_chart.price_scale import axis_prices, nice_step
from widgets.candle_chart.time_axis import DAY, TimeTick, time_ticks, to_local
from widgets.formats import compact, number

ALIGN_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
ALIGN_CENTER = Qt.AlignmentFlag.AlignCenter


@dataclass(frozen=True, slots=True)
class AxisMarks:
    """Heights with their prices, places with their time labels, and where days begin."""

    prices: tuple[tuple[int, float], ...]
    times: tuple[tuple[int, TimeTick], ...]
    breaks: tuple[int, ...]


def axis_marks(frame: Frame) -> AxisMarks:
    """Choose round prices and times for the view."""
    spacing = frame.style.px(44)
    scale = frame.scale
    if frame.options.price_axis is PriceAxis.PERCENT and frame.base_price > 0:
        base = frame.base_price
        low, high = (scale.low / base - 1) * 100, (scale.high / base - 1) * 100
        step = nice_step(high - low, max(1, int(frame.geometry.price.height() / spacing)))
        prices = [base * (1 + k * step / 100) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
    else:
        prices = axis_prices(scale, spacing, float(frame.instrument.tick))
    first, stop = int(frame.view.low // 1), int(-(-frame.view.high // 1))
    instrument, ts = frame.instrument, frame.data.ts
    ticks = time_ticks(
        ts,
        max(first, -200_000),
        stop,
        frame.view.pitch / frame.ratio,
        instrument.interval_ns,
        instrument.zone,
        frame.style.px(76),
    )
    width = frame.geometry.plot_width
    times = tuple((round(frame.middle(tick.bar) - 0.5), tick) for tick in ticks)
    return AxisMarks(
        tuple((round(frame.y(price)), price) for price in prices),
        tuple((x, tick) for x, tick in times if 0 <= x < width),
        tuple(round(frame.x(bar)) for bar in _day_starts(frame)),
    )


def _day_starts(frame: Frame) -> list[int]:
    first, stop = frame.view.visible(len(frame.data))
    if frame.instrument.interval_ns >= DAY or stop - first < 2 or stop - first > 2000:
        return []
    days = to_local(frame.data.ts[first:stop], frame.instrument.zone) // DAY
    return [first + int(i) + 1 for i in np.flatnonzero(days[1:] != days[:-1])]


def paint_price_labels(painter: QPainter, frame: Frame, marks: AxisMarks, avoid: list[int], region: QRegion) -> None:
    """Label the price axis, leaving out what a tag would cover."""
    axis, style = frame.geometry.price_axis, frame.style
    height, pad = style.px(18), style.px(8)
    painter.fillRect(axis, style.ground)
    painter.setPen(style.hair)
    painter.drawLine(axis.left(), axis.top(), axis.left(), axis.bottom())
    painter.setFont(style.axis)
    painter.setPen(style.caption)
    price = frame.geometry.price
    asked = region.intersected(axis).boundingRect()
    highest, lowest = asked.top() - height, asked.bottom() + height
    for y, value in marks.prices:
        if not highest <= y <= lowest:
            continue
        if y < price.top() + height // 2 or y > price.bottom() - height // 4:
            continue
        box = QRect(axis.left(), y - height // 2, axis.width() - pad, height)
        if not any(abs(y - tag) < height for tag in avoid):
            painter.drawText(box, ALIGN_RIGHT, frame.price_text(value))
    if lowest > price.bottom():
        _pane_labels(painter, frame)


def _pane_labels(painter: QPainter, frame: Frame) -> None:
    style, axis = frame.style, frame.geometry.price_axis
    height = style.px(16)
    right = axis.width() - style.px(8)
    volume = frame.geometry.volume
    if volume.height() > 2 * height and frame.volume_max > 0:
        box = QRect(axis.left(), volume.top() + 2, right, height)
        painter.drawText(box, ALIGN_RIGHT, compact(frame.volume_max))
    for rect, pane, scale in zip(frame.geometry.panes, frame.layers.panes, frame.pane_scales, strict=True):
        if rect.height() < 2 * height:
            continue
        values = pane.levels or tuple(axis_prices(scale, rect.height() / 2.5))
        last = -1000
        for value in values:
            y = round(scale.y(value))
            y = min(max(y, rect.top() + height // 2), rect.bottom() - height // 2)
            if abs(y - last) >= height:
                text = number(value, pane.decimals if abs(value) < 1000 else 0)
                painter.drawText(QRect(axis.left(), y - height // 2, right, height), ALIGN_RIGHT, text)
                last = y


def paint_time_labels(painter: QPainter, frame: Frame, marks: AxisMarks) -> None:
    """Label the time axis; a label that would be cut is left out."""
    axis, style = frame.geometry.time_axis, frame.style
    painter.fillRect(axis, style.ground)
    painter.setPen(style.hair)
    painter.drawLine(axis.left(), axis.top(), axis.right(), axis.top())
    metrics = QFontMetrics(style.axis)
    painter.setFont(style.axis)
    for x, tick in marks.times:
        half = metrics.horizontalAdvance(tick.text) // 2 + 1
        if x - half < 0 or x + half > frame.geometry.plot_width:
            continue
        painter.setPen(style.theme.color("t2") if tick.major else style.caption)
        painter.drawText(QRect(x - half, axis.top() + 1, 2 * half, axis.height() - 1), ALIGN_CENTER, tick.text)
    painter.setPen(style.caption)
    zone = QRect(
        axis.left() + frame.geometry.plot_width,
        axis.top() + 1,
        axis.width() - frame.geometry.plot_width - style.px(8),
        axis.height() - 1,
    )
    painter.drawText(zone, ALIGN_RIGHT, frame.instrument.zone_label)
