"""Axis marks: computed once a layout, drawn as grid behind the bars and as labels beside them."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter

from widgets.candle_chart.frame import Frame, number_text
from widgets.candle_chart.layers import PriceAxis
from widgets.candle_chart.price_scale import axis_prices, nice_step
from widgets.candle_chart.time_axis import DAY, TimeTick, time_ticks, to_local
from widgets.formats import compact

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


def volume_marks(most: float, count: int) -> list[float]:
    """Return round volumes up to the highest of the pane: about `count`, one at the least."""
    step = nice_step(most, max(2, count))
    return [k * step for k in range(1, int(most / step + 1e-9) + 1)]


PriceLabel = tuple[int, int, int, str, QImage | None]
"""Height it stands for; where its baseline begins, or the top left corner of its picture; its words; the picture."""


def price_labels(frame: Frame, marks: AxisMarks) -> tuple[PriceLabel, ...]:
    """Return the labels of the price axis that lie within the price pane."""
    axis, price, style, labels = frame.geometry.price_axis, frame.geometry.price, frame.style, frame.style.labels
    height, right = style.px(18), axis.right() + 1 - style.px(8)
    highest, lowest = price.top() + height // 2, price.bottom() - height // 4
    found: list[PriceLabel] = []
    for y, value in marks.prices:
        if highest <= y <= lowest:
            text = frame.price_text(value)
            x, baseline = right - labels.width(style.axis, text), labels.baseline(style.axis, y - height // 2, height)
            picture = labels.picture(text, style.axis, style.caption, None, frame.ratio)
            if picture is None:
                found.append((y, x, baseline, text, None))
            else:
                found.append((y, x + picture[0], baseline + picture[1], text, picture[2]))
    return tuple(found)


def paint_price_labels(
    painter: QPainter, frame: Frame, placed: tuple[PriceLabel, ...], avoid: list[int], part: QRect
) -> None:
    """Label the price axis where `part` touches it, leaving out what a tag would cover."""
    axis, style = frame.geometry.price_axis, frame.style
    asked = part.intersected(axis)
    if asked.isEmpty():
        return
    height = style.px(18)
    painter.fillRect(asked, style.ground)
    if asked.left() <= axis.left():
        painter.fillRect(axis.left(), asked.top(), 1, asked.height(), style.hair)
    if not len(frame.data):
        return  # nothing has a price yet
    highest, lowest = asked.top() - height, asked.bottom() + height
    for y, x, top, text, picture in placed:
        if not highest <= y <= lowest:
            continue
        for tag in avoid:
            if -height < y - tag < height:
                break
        else:
            if picture is not None:
                painter.drawImage(x, top, picture)
            else:
                style.labels.draw(painter, x, top, text, style.axis, style.caption, frame.ratio)
    if asked.bottom() + height > frame.geometry.price.bottom():
        _pane_labels(painter, frame, axis.right() + 1 - style.px(8))


def _pane_labels(painter: QPainter, frame: Frame, right: int) -> None:
    style, labels = frame.style, frame.style.labels
    height = style.px(16)

    def label(top: int, text: str) -> None:
        x = right - labels.width(style.axis, text)
        labels.draw(painter, x, labels.baseline(style.axis, top, height), text, style.axis, style.caption, frame.ratio)

    volume = frame.geometry.volume
    if volume.height() > 2 * height and frame.volume_max > 0:
        for value in volume_marks(frame.volume_max, volume.height() // (2 * height)):
            top = max(volume.top(), round(frame.volume_y(value)) - height // 2)
            label(top, compact(value))
    for rect, pane, scale in zip(frame.geometry.panes, frame.layers.panes, frame.pane_scales, strict=True):
        if rect.height() < 2 * height:
            continue
        # One level alone, such as zero, says nothing of the scale.
        values = pane.levels if len(pane.levels) > 1 else tuple(axis_prices(scale, rect.height() / 2.5))
        last = -1000
        for value in values:
            y = round(scale.y(value))
            y = min(max(y, rect.top() + height // 2), rect.bottom() - height // 2)
            if abs(y - last) >= height:
                label(y - height // 2, number_text(value, pane.decimals if abs(value) < 1000 else 0))
                last = y


def paint_time_labels(painter: QPainter, frame: Frame, marks: AxisMarks) -> None:
    """Label the time axis; a label that would be cut is left out."""
    axis, style, labels = frame.geometry.time_axis, frame.style, frame.style.labels
    painter.fillRect(axis, style.ground)
    painter.fillRect(axis.left(), axis.top(), axis.width(), 1, style.hair)
    font, baseline = style.axis, labels.baseline(style.axis, axis.top() + 1, axis.height() - 1)
    strong = style.role("t2")
    for x, tick in marks.times:
        half = labels.width(font, tick.text) // 2 + 1
        if x - half < 0 or x + half > frame.geometry.plot_width:
            continue
        colour = strong if tick.major else style.caption
        labels.draw(painter, x - half + 1, baseline, tick.text, font, colour, frame.ratio)
    zone = frame.instrument.zone_label
    right = axis.right() + 1 - style.px(8)
    labels.draw(painter, right - labels.width(font, zone), baseline, zone, font, style.caption, frame.ratio)
