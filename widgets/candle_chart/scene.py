"""What stands on the chart: the bars' image, then everything above it, painted only where it was asked for."""

from functools import reduce

from PySide6.QtCore import QLineF, QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QRegion

from widgets.candle_chart.axes import ALIGN_CENTER, ALIGN_RIGHT, paint_time_labels
from widgets.candle_chart.base_image import BaseImage
from widgets.candle_chart.drawings import paint_drawings
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import Drawing
from widgets.candle_chart.legend import Legend
from widgets.candle_chart.lines import pen
from widgets.candle_chart.marks import (
    PlacedFill,
    PlacedPin,
    paint_fills,
    paint_pins,
    place_fills,
    place_pins,
)
from widgets.candle_chart.orders import PlacedTag, paint_tags, place_tags
from widgets.candle_chart.price_strip import PriceStrip
from widgets.candle_chart.time_axis import DAY, time_of_bar
from widgets.candle_chart.zone_labels import ZoneLabel, paint_zone_labels, place_zone_labels
from widgets.dates import long_day
from widgets.formats import clock


def rectangles(region: QRegion) -> list[QRect]:
    """Return the rectangles of a region."""
    return list(region)  # type: ignore[call-overload, no-any-return]


_MOST_PARTS = 12
"""A region of more rectangles is painted in one pass."""


class Scene:
    """Placed tags, pins, fills and the crosshair of one frame."""

    def __init__(self) -> None:
        self._base = BaseImage()
        self._whole = True
        self._price = PriceStrip()
        self.tags: tuple[PlacedTag, ...] = ()
        self.pins: tuple[PlacedPin, ...] = ()
        self.fills: tuple[PlacedFill, ...] = ()
        self.zone_labels: tuple[ZoneLabel, ...] = ()
        self.draft: Drawing | None = None
        self.crosshair: tuple[int, float | None] | None = None
        self._legend = Legend()
        self._reach = QRect()
        self._tail_part = QRect()
        self._tick = QRegion()
        self._beside: list[QRect] = []
        self._is_bare = False

    def invalidate(self) -> None:
        """Paint the image anew at the next paint."""
        self._whole = True

    def place(self, frame: Frame, moved: dict[tuple[str, str], float]) -> None:
        """Find places for everything above the bars."""
        self.tags = place_tags(frame, moved)
        self.pins = place_pins(frame)
        self.fills = place_fills(frame)
        covered = [item.tag.united(item.grip) for item in self.tags] + [item.text for item in self.fills]
        self.zone_labels = place_zone_labels(frame, covered)
        boxes = [item.bounds for item in (*self.fills, *self.tags)]
        boxes += [item.box.adjusted(-3, -2, 3, 2) for item in self.zone_labels]
        boxes += [item.box.united(QRect(int(item.x) - 1, int(item.from_y), 3, 1)) for item in self.pins]
        self._reach = reduce(QRect.united, boxes, QRect())
        body, (first, end) = frame.geometry.body, self._base.dirty(frame)
        whole_pixels = frame.ratio == int(frame.ratio)
        left = int(first / frame.ratio) - (0 if whole_pixels else 1)
        right = -int(-end // frame.ratio) if whole_pixels else int(frame.last_x) + 3
        self._tail_part = QRect(left, body.top(), right - left, body.height()).intersected(body)
        self._price.place(frame, self.tags, int(frame.last_x) - 1 if self._tail_part.isEmpty() else right)
        self._tick, self._beside = QRegion(), []
        # Nothing stands over the last bar and right of it but the last price.
        crowded = frame.layers.drawings or self._reach.right() >= left
        self._is_bare = not crowded and left > frame.geometry.plot_width // 2

    # ------------------------------------------------------------------ what to repaint

    def tick_region(self, frame: Frame) -> QRegion:
        """Return what a change of the last bar touches, not to be changed; it is painted again at the next paint."""
        self._base.follow()
        strip = self._price.move(frame)
        if self._beside:
            # What a tick before this one touched still waits for its paint.
            strip = strip.united(self._beside[0])
        # Two rectangles, the tail's and the strip: as a region they would be cut into three.
        self._tick, self._beside = QRegion(self._tail_part) + strip, [strip]
        return self._tick

    def price_region(self, frame: Frame) -> QRegion:
        """Return where the last price and the time left in the bar stand and stood."""
        return QRegion(self._price.move(frame))

    def legend_region(self, frame: Frame) -> QRegion:
        """Return the line above the bars, if it shows the last bar."""
        shows_last = self.crosshair is None or self.crosshair[0] == len(frame.data) - 1
        header = frame.geometry.header
        if shows_last and self._beside:
            self._tick, self._beside = self._tick + header, [*self._beside, header]
        return QRegion(header) if shows_last else QRegion()

    def crosshair_region(self, frame: Frame) -> QRegion:
        """Return what the crosshair covers."""
        if self.crosshair is None:
            return QRegion(frame.geometry.header)
        bar, y = self.crosshair
        geometry = frame.geometry
        x = int(frame.middle(bar))
        region = QRegion(QRect(x - 2, geometry.body.top(), 5, geometry.body.height()))
        region += QRegion(self._time_box(frame, bar).adjusted(-1, 0, 1, 0)) + QRegion(geometry.header)
        if y is not None:
            region += QRegion(QRect(0, int(y) - 2, geometry.plot_width, 5))
            region += QRegion(self._cross_box(frame, y).adjusted(0, -1, 0, 1))
        return region

    # ------------------------------------------------------------------ painting

    def paint(self, painter: QPainter, frame: Frame, region: QRegion, countdown: str, selected: str | None) -> None:
        """Paint the frame where `region` asks for it."""
        whole, self._whole = self._whole, False
        if whole:
            self._base.rebuild(frame)
            self._price.settle(frame)
        (tick, beside), self._tick, self._beside = (self._tick, self._beside), QRegion(), []
        parts = self._tail_and(painter, frame, beside, countdown, selected) if not whole and region == tick else None
        if parts is None:
            parts = rectangles(region)
        if frame.ratio == int(frame.ratio) and len(parts) <= _MOST_PARTS:
            # Qt fills through a clip of several rectangles line by line; through a single one it copies.
            for part in parts:
                painter.setClipRect(part)
                self._base.blit(painter, part, frame)
                self._part(painter, frame, part, countdown, selected)
            return
        for part in parts:
            self._base.blit(painter, part, frame)
        self._part(painter, frame, region.boundingRect(), countdown, selected)

    def _tail_and(
        self, painter: QPainter, frame: Frame, beside: list[QRect], countdown: str, selected: str | None
    ) -> list[QRect] | None:
        """Paint the last columns on the widget, return what else a tick touches; None where the image must be asked."""
        tail = self._tail_part
        if not beside or beside[0].intersects(tail) or not self._base.paint_tail(painter, frame):
            return None
        painter.setClipRect(tail)
        if not self._is_bare or self.crosshair is not None or self.draft is not None:
            self._part(painter, frame, tail, countdown, selected)
            return beside
        self._price.paint_line(painter, frame)
        strip = beside[0]
        painter.setClipRect(strip)
        self._base.blit(painter, strip, frame)
        self._price.paint_axis(painter, frame, self._base.marks, strip, countdown)
        self._price.paint(painter, frame, strip, countdown)
        return beside[1:]

    def _part(self, painter: QPainter, frame: Frame, part: QRect, countdown: str, selected: str | None) -> None:
        """Paint what stands on the bars' image and touches `part`, to which the painter is clipped."""
        geometry = frame.geometry
        has_bars = len(frame.data) > 0
        if part.right() >= geometry.plot_width:
            self._price.paint_axis(painter, frame, self._base.marks, part, countdown)
        if part.bottom() >= geometry.time_axis.top():
            paint_time_labels(painter, frame, self._base.marks)
        if not has_bars:
            self._empty(painter, frame)
            return
        reached = part.intersects(self._reach)
        self._captions(painter, frame, part)
        if reached and self.pins:
            paint_pins(painter, frame, self.pins, part)
        if reached and self.fills:
            painter.save()
            painter.setClipRect(geometry.price, Qt.ClipOperation.IntersectClip)
            paint_fills(painter, frame, self.fills, part)
            painter.restore()
        drawings = frame.layers.drawings + ((self.draft,) if self.draft else ())
        if drawings and part.intersects(geometry.price):
            paint_drawings(painter, frame, drawings, selected)
        self._cross_lines(painter, frame)
        if part.right() >= min(int(frame.last_x), geometry.plot_width - 6):
            self._price.paint(painter, frame, part, countdown)
        if reached and self.zone_labels:
            paint_zone_labels(painter, frame, self.zone_labels, part)
        if reached and self.tags:
            paint_tags(painter, frame, self.tags, part)
        self._cross_labels(painter, frame)
        if part.intersects(geometry.header):
            self._legend.paint(painter, frame, self.crosshair[0] if self.crosshair else len(frame.data) - 1)

    @staticmethod
    def _captions(painter: QPainter, frame: Frame, part: QRect) -> None:
        style = frame.style
        volume = frame.geometry.volume
        words = QRect(0, volume.top(), frame.geometry.plot_width // 2, style.px(18))
        if volume.height() and part.left() < words.width() and part.intersects(words):
            baseline = volume.top() + style.labels.ascent(style.small) + 2
            text = frame.options.volume_caption
            style.labels.draw(painter, style.px(6), baseline, text, style.small, style.caption, frame.ratio)

    def _empty(self, painter: QPainter, frame: Frame) -> None:
        painter.fillRect(frame.geometry.header, frame.style.ground)
        painter.setFont(frame.style.legend)
        painter.setPen(frame.style.role("t2"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(frame.geometry.body.adjusted(16, 16, -16, -16), flags, frame.options.empty_text)

    def _cross_lines(self, painter: QPainter, frame: Frame) -> None:
        """Paint the lines of the crosshair, under the tags: a line through words looks as if it struck them out."""
        if self.crosshair is None:
            return
        bar, y = self.crosshair
        geometry = frame.geometry
        painter.setPen(pen(frame.style.role("t2"), 1, (3.0, 3.0)))
        x = frame.middle(bar)
        if 0 <= x <= geometry.plot_width:
            painter.drawLine(QLineF(x, geometry.body.top(), x, geometry.body.bottom() + 1))
        if y is not None:
            painter.drawLine(QLineF(0, int(y) + 0.5, geometry.plot_width, int(y) + 0.5))

    def _cross_labels(self, painter: QPainter, frame: Frame) -> None:
        if self.crosshair is None:
            return
        bar, y = self.crosshair
        geometry = frame.geometry
        if 0 <= frame.middle(bar) <= geometry.plot_width:
            self._label(painter, frame, self._time_box(frame, bar), self._time_text(frame, bar), ALIGN_CENTER)
        if y is not None and geometry.price.top() <= y <= geometry.price.bottom():
            box = self._cross_box(frame, y)
            self._label(painter, frame, box, frame.price_text(frame.scale.price(y)), ALIGN_RIGHT)

    @staticmethod
    def _label(painter: QPainter, frame: Frame, box: QRect, text: str, align: Qt.AlignmentFlag) -> None:
        style = frame.style
        painter.fillRect(box, style.role("bg2"))
        painter.setPen(style.caption)
        painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.setFont(style.axis_bold if align is ALIGN_RIGHT else style.axis)
        painter.setPen(style.text)
        painter.drawText(box.adjusted(0, 0, -style.px(7) if align is ALIGN_RIGHT else 0, 0), align, text)

    @staticmethod
    def _cross_box(frame: Frame, y: float) -> QRect:
        axis, height = frame.geometry.price_axis, frame.style.px(18)
        return QRect(axis.left() + 1, int(y) - height // 2, axis.width() - 1, height)

    @staticmethod
    def _time_text(frame: Frame, bar: int) -> str:
        instrument = frame.instrument
        ts = time_of_bar(frame.data.ts, bar, instrument.interval_ns)
        date = long_day(ts, instrument.zone)
        return (
            date
            if instrument.interval_ns >= DAY
            else f"{date[:-5]} {clock(ts, instrument.zone, instrument.zone_label, False)}"
        )

    def _time_box(self, frame: Frame, bar: int) -> QRect:
        axis = frame.geometry.time_axis
        width = QFontMetrics(frame.style.axis).horizontalAdvance(self._time_text(frame, bar)) + frame.style.px(12)
        left = round(frame.middle(bar) - width / 2)
        left = max(0, min(left, frame.geometry.plot_width - width))
        return QRect(left, axis.top() + 1, width, axis.height() - 1)
