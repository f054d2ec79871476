"""The bars' image: backdrop, volume, lines and bars; a tick repaints only the last columns."""

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from widgets.candle_chart.axes import AxisMarks, axis_marks
from widgets.candle_chart.backdrop import paint_backdrop
from widgets.candle_chart.bar_painter import TailPainter, columns_of, paint_bars
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.profile import paint_profile


class BaseImage:
    """An image of the panes with everything up to the bars, and the backdrop of the columns a tick changes."""

    def __init__(self) -> None:
        self._image = QImage()
        self._tail_ground = QImage()
        self._tail: TailPainter | None = None
        self._behind = False
        self._dirty_of: Frame | None = None
        self._dirty = (0, 0)
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
        if frame.options.show_profile and len(frame.data):
            paint_profile(painter, frame, columns_of(frame, 0, width)[0])
        painter.end()
        first, end = self.dirty(frame)
        self._tail, self._behind = None, False
        if first < end:
            self._tail_ground = self._image.copy(first, 0, end - first, height)
        if len(frame.data):
            painter = self._painter(self._image, frame)
            clip = QRectF(0, body.top(), width / frame.ratio, body.height())
            painter.setClipRect(clip)
            paint_bars(painter, frame, 0, width, clip)
            painter.end()

    def follow(self) -> None:
        """Hear that the last bar or its lines changed: the last columns are behind."""
        self._behind = True

    def repaint_tail(self, frame: Frame) -> None:
        """Paint the last columns again."""
        self._behind = False
        x0, x1 = self.dirty(frame)
        if x0 >= x1 or not len(frame.data):
            return
        painter = self._painter(self._image, frame)
        if not self._paint_tail(painter, frame, x0, x1):
            clip = self._clip(frame, x0, x1)
            painter.setClipRect(clip)
            painter.drawImage(clip.topLeft(), self._tail_ground)
            paint_bars(painter, frame, x0, x1, clip)
        painter.end()

    def paint_tail(self, painter: QPainter, frame: Frame) -> bool:
        """Paint the last columns on the widget itself; False where only the image can be painted.

        The image stays behind until somebody asks for its last columns.
        """
        x0, x1 = self.dirty(frame)
        if frame.ratio != int(frame.ratio) or x0 >= x1 or not len(frame.data):
            return False
        return self._paint_tail(painter, frame, x0, x1)

    def _paint_tail(self, painter: QPainter, frame: Frame, x0: int, x1: int) -> bool:
        if self._tail is None:
            if not TailPainter.suits(frame, x0):
                return False
            self._tail = TailPainter(frame, x0, self._clip(frame, x0, x1), self._tail_ground)
        self._tail.paint(painter)
        return True

    @staticmethod
    def _clip(frame: Frame, x0: int, x1: int) -> QRectF:
        body, ratio = frame.geometry.body, frame.ratio
        return QRectF(x0 / ratio, body.top(), (x1 - x0) / ratio, body.height())

    def dirty(self, frame: Frame) -> tuple[int, int]:
        """Return the device columns [first, end) a change of the last bar can touch; whole logical ones if they are."""
        if self._dirty_of is not frame:
            self._dirty_of, self._dirty = frame, _dirty(frame)
        return self._dirty

    def blit(self, painter: QPainter, target: QRect, frame: Frame) -> None:
        """Copy part of the image to the widget."""
        body = frame.geometry.body
        part = target.intersected(body)
        if part.isEmpty():
            return
        ratio = frame.ratio
        if self._behind and self._touches_tail(frame, part):
            self.repaint_tail(frame)
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

    def _touches_tail(self, frame: Frame, part: QRect) -> bool:
        first, end = self.dirty(frame)
        more = 0 if frame.ratio == int(frame.ratio) else 1
        return (part.right() + 1 + more) * frame.ratio > first and (part.left() - more) * frame.ratio < end

    @staticmethod
    def _painter(image: QImage, frame: Frame) -> QPainter:
        painter = QPainter(image)
        painter.translate(-frame.geometry.body.topLeft())
        return painter


def _dirty(frame: Frame) -> tuple[int, int]:
    n, width, view = len(frame.data), frame.view.width, frame.view
    # A line's last segment begins in the middle of the bar before; its edge is smoothed.
    first = max(0, int(view.x(n - 1.5)) - 3)
    if frame.ratio != int(frame.ratio):
        return first, width
    ratio = int(frame.ratio)
    return first // ratio * ratio, min(width, -(-(int(view.x(n)) + 3) // ratio) * ratio)
