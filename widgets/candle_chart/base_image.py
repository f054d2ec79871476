"""The bars' image: backdrop, volume, lines and bars; a tick repaints only the last columns."""

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from widgets.candle_chart.axes import AxisMarks, axis_marks
from widgets.candle_chart.backdrop import paint_backdrop
from widgets.candle_chart.bar_painter import TailPainter, paint_bars
from widgets.candle_chart.frame import Frame


class BaseImage:
    """An image of the panes with everything up to the bars, and the backdrop of the columns a tick changes."""

    def __init__(self) -> None:
        self._image = QImage()
        self._tail_ground = QImage()
        self._tail: TailPainter | None = None
        self.marks = AxisMarks((), (), ())

    def rebuild(self, frame: Frame) -> None:
        """Paint all of it."""
        body = frame.geometry.body
        width, height = frame.view.width, max(1, round(body.height() * frame.ratio))
        if self._image.width() != width or self._image.height() != height:
            self._image = QImage(width, height, QImage.Format.Format_RGB32)
        self._image.setDevicePixelRatio(frame.ratio)
        self.marks = axis_marks(frame)
        painter = self._painter(self._image, frame)
        paint_backdrop(painter, frame, self.marks)
        painter.end()
        first = self.first_dirty(frame)
        self._tail = None
        if first < width:
            self._tail_ground = self._image.copy(max(0, first), 0, width - max(0, first), height)
        if len(frame.data):
            painter = self._painter(self._image, frame)
            clip = QRectF(0, body.top(), width / frame.ratio, body.height())
            painter.setClipRect(clip)
            paint_bars(painter, frame, 0, width, clip)
            painter.end()

    def repaint_tail(self, frame: Frame) -> None:
        """Paint the last columns again, after the last bar or its lines changed."""
        x0, x1 = max(0, self.first_dirty(frame)), frame.view.width
        if x0 >= x1 or not len(frame.data):
            return
        body, ratio = frame.geometry.body, frame.ratio
        painter = self._painter(self._image, frame)
        clip = QRectF(x0 / ratio, body.top(), (x1 - x0) / ratio, body.height())
        painter.setClipRect(clip)
        painter.drawImage(clip.topLeft(), self._tail_ground)
        if self._tail is None and TailPainter.suits(frame, x0):
            self._tail = TailPainter(frame, x0)
        if self._tail is not None:
            self._tail.paint(painter)
        else:
            paint_bars(painter, frame, x0, x1, clip)
        painter.end()

    def first_dirty(self, frame: Frame) -> int:
        """Return the first device column a change of the last bar can touch."""
        n = len(frame.data)
        # A line's last segment begins in the middle of the bar before.
        return int(frame.view.x(n - 1.5)) - 3

    def blit(self, painter: QPainter, target: QRect, frame: Frame) -> None:
        """Copy part of the image to the widget."""
        body = frame.geometry.body
        part = target.intersected(body)
        if part.isEmpty():
            return
        ratio = frame.ratio
        if ratio == 1.0:
            painter.drawImage(part.topLeft(), self._image, part.translated(-body.left(), -body.top()))
            return
        if ratio == int(ratio):
            left, top = part.left() * ratio, (part.top() - body.top()) * ratio
            painter.drawImage(QRectF(part), self._image, QRectF(left, top, part.width() * ratio, part.height() * ratio))
            return
        # At 125 or 150 % the part's edges fall between pixels: place the whole image, let the clip cut it.
        painter.save()
        painter.setClipRect(part, Qt.ClipOperation.IntersectClip)
        painter.drawImage(QPoint(body.left(), body.top()), self._image)
        painter.restore()

    @staticmethod
    def _painter(image: QImage, frame: Frame) -> QPainter:
        painter = QPainter(image)
        painter.translate(-frame.geometry.body.topLeft())
        return painter
