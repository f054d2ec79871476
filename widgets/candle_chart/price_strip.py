"""What moves with the last price: the dotted line right of the bars, the price on the axis, the labels beside it.

A tick repaints it, so what only a new frame changes is worked out once: words, places and the dots of the line.
"""

from PySide6.QtCore import QLineF, QRect
from PySide6.QtGui import QImage, QPainter

from widgets.candle_chart.axes import AxisMarks, PriceLabel, paint_price_labels, price_labels
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.lines import pen
from widgets.candle_chart.orders import LastPrice, PlacedTag, last_price_boxes, last_price_height

_DOTS = (1.0, 3.0)


class PriceStrip:
    """The last price of one frame and what it stood over before."""

    def __init__(self) -> None:
        self._tags: tuple[PlacedTag, ...] = ()
        self._taken: list[int] = []
        self._last: LastPrice = (0, QRect(), QRect())
        self._is_placed = False
        self._extent = (1_000_000, -1)
        self._labels: tuple[PriceLabel, ...] | None = None
        self._dots: QImage | None = None
        self._left = self._end = self._reserve = self._right = self._baseline = 0

    def place(self, frame: Frame, tags: tuple[PlacedTag, ...], left: int) -> None:
        """Take another frame: tags the price gives way to, and the column at which the strip begins."""
        style, axis = frame.style, frame.geometry.price_axis
        self._tags, self._is_placed = tags, False
        self._taken = [item.axis_tag.center().y() for item in tags]
        self._labels = self._dots = None
        self._left, self._end = max(0, min(left, axis.left() - 6)), axis.right() + 1
        # A price beside the box, left out until now, may have got room; it reaches further than the box.
        self._reserve = style.px(20)
        self._right = self._end - style.px(7)
        self._baseline = style.labels.baseline(style.axis_bold, 0, style.px(18))

    def settle(self, frame: Frame) -> None:
        """Find the place of the last price for a picture painted whole."""
        self._labels = self._dots = None
        if len(frame.data):
            self._follow(frame)

    def _follow(self, frame: Frame) -> None:
        y = last_price_height(frame)
        if self._is_placed and y == self._last[0]:
            return
        self._last, self._is_placed = last_price_boxes(frame, self._tags, y), True
        _, box, left = self._last
        top, bottom = min(y, box.top()), max(y, box.bottom())
        self._extent = (top, bottom) if left.isNull() else (min(top, left.top()), max(bottom, left.bottom()))

    def move(self, frame: Frame) -> QRect:
        """Follow the last price; return one rectangle that holds where it stands and stood.

        One strip from the last bar to the edge: a region of many small rectangles costs more than it saves.
        """
        top, bottom = self._extent
        self._follow(frame)
        above, below = self._extent
        axis, more = frame.geometry.price_axis, self._reserve
        top = max((top if top < above else above) - more, axis.top())
        bottom = min((bottom if bottom > below else below) + more, axis.bottom())
        return QRect(self._left, top, self._end - self._left, bottom + 1 - top)

    def paint_axis(self, painter: QPainter, frame: Frame, marks: AxisMarks, part: QRect, countdown: str) -> None:
        """Paint ground and labels of the price axis where `part` touches it."""
        if self._labels is None:
            self._labels = price_labels(frame, marks)
        taken = self._taken
        if len(frame.data):
            _, box, left = self._last
            taken = [*taken, box.center().y()]
            if countdown and not left.isNull():
                taken.append(left.center().y())
        paint_price_labels(painter, frame, self._labels, taken, part)

    def paint(self, painter: QPainter, frame: Frame, part: QRect, countdown: str) -> None:
        """Paint the dotted line from the last bar, the price on the axis and the time left in the bar."""
        top, bottom = self._extent
        if part.top() > bottom + 1 or part.bottom() < top - 1:
            return
        self.paint_line(painter, frame)
        y, box, left_box = self._last
        if part.right() < box.left() - 5:
            return
        style, labels, ratio = frame.style, frame.style.labels, frame.ratio
        middle = box.center().y()
        if abs(middle - y) > 1:
            painter.setPen(pen(style.text, 1))
            painter.drawLine(QLineF(box.left() - 5, y + 0.5, box.left(), middle + 0.5))
        painter.fillRect(box, style.text)
        text, font = frame.price_text(frame.data.values(len(frame.data) - 1)[3]), style.axis_bold
        left = self._right - labels.figures_width(font, text)
        labels.draw_figures(painter, left, box.top() + self._baseline, text, font, style.ground, ratio)
        if countdown and not left_box.isNull():
            painter.fillRect(left_box.adjusted(0, 1, 0, -1), style.ground)
            font, baseline = style.small, labels.baseline(style.small, left_box.top(), left_box.height())
            left = self._right - labels.figures_width(font, countdown)
            labels.draw_figures(painter, left, baseline, countdown, font, style.role("t2"), ratio)

    def paint_line(self, painter: QPainter, frame: Frame) -> None:
        """Paint the dotted line."""
        y = self._last[0]
        if frame.ratio != int(frame.ratio):
            left, right = max(0.0, frame.last_x), frame.geometry.plot_width
            painter.setPen(pen(frame.style.caption, 1, _DOTS))
            painter.drawLine(QLineF(left, y + 0.5, right, y + 0.5))
            return
        if self._dots is None:
            self._dots = _drawn_dots(frame)
        painter.drawImage(int(max(0.0, frame.last_x)), y, self._dots)


def _drawn_dots(frame: Frame) -> QImage:
    """Draw the dots once: to cut a line into dashes is the dearest thing Qt does here. Right of the view: none."""
    left, right, ratio = max(0.0, frame.last_x), frame.geometry.plot_width, int(frame.ratio)
    first = int(left)
    if left >= right:
        return QImage()
    dots = QImage((right - first) * ratio, ratio, QImage.Format.Format_ARGB32_Premultiplied)
    dots.setDevicePixelRatio(ratio)
    dots.fill(0)
    painter = QPainter(dots)
    painter.setPen(pen(frame.style.caption, 1, _DOTS))
    painter.translate(-first, 0)
    painter.drawLine(QLineF(left, 0.5, right, 0.5))
    painter.end()
    return dots
