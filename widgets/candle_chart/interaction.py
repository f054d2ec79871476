"""Mouse and keys: pan, zoom, drag an order, draw. Knows the chart's public methods only."""

from dataclasses import replace
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from widgets.candle_chart import drawings as drawn
from widgets.candle_chart.layers import Drawing, DrawingKind, OrderLine
from widgets.candle_chart.orders import PlacedTag
from widgets.candle_chart.price_scale import PriceScale
from widgets.candle_chart.viewport import Viewport
from widgets.formats import round_to_tick

if TYPE_CHECKING:
    from widgets.candle_chart.chart import CandleChart

_CLICK_PX = 3


class _Grip(Enum):
    NONE = auto()
    PAN = auto()
    ORDER = auto()
    PRICE_AXIS = auto()
    TIME_AXIS = auto()
    DRAWING = auto()


class Interaction:
    """What the mouse holds at the moment and which drawing is chosen."""

    def __init__(self, chart: "CandleChart") -> None:
        self._chart = chart
        self._grip = _Grip.NONE
        self._start = QPointF()
        self._start_view: Viewport | None = None
        self._start_scale: PriceScale | None = None
        self._order: OrderLine | None = None
        self._drawing: tuple[Drawing, int | None] | None = None
        self._tool: tuple[DrawingKind, str] | None = None
        self._serial = 0
        self.moved: dict[tuple[str, str], float] = {}
        """Prices of legs under the mouse, by (ref, leg)."""
        self.selected: str | None = None

    # ------------------------------------------------------------------ mouse

    def press(self, event: QMouseEvent) -> None:
        """Take hold of what is under the mouse."""
        if event.button() is not Qt.MouseButton.LeftButton or not self._chart.bar_count:
            event.ignore()
            return
        at, frame = event.position(), self._chart.frame()
        point = at.toPoint()
        self._start, self._start_view, self._start_scale = at, frame.view, frame.scale
        if self._tool is not None and frame.geometry.price.contains(point):
            self._place_point(at)
            return
        tag = self._tag_at(point)
        if tag is not None and tag.order is not None:
            self._grip, self._order = _Grip.ORDER, tag.order
        elif frame.geometry.price_axis.contains(point):
            self._grip = _Grip.PRICE_AXIS
        elif frame.geometry.time_axis.contains(point):
            self._grip = _Grip.TIME_AXIS
        elif (found := drawn.hit(frame, frame.layers.drawings, at, self.selected)) is not None:
            self.selected = found[0]
            chosen = next(item for item in frame.layers.drawings if item.id == found[0])
            self._grip, self._drawing = _Grip.DRAWING, (chosen, found[1])
            self._chart.replace_tags()
        else:
            self._grip = _Grip.PAN

    def move(self, event: QMouseEvent) -> None:
        """Drag what is held; without a button, move the crosshair."""
        at = event.position()
        if not self._chart.bar_count:
            return
        if self._grip is _Grip.ORDER:
            self._drag_order(at)
        elif self._grip is _Grip.DRAWING:
            self._drag_drawing(at)
        elif self._grip is _Grip.PRICE_AXIS and self._start_scale is not None:
            factor = 2.0 ** ((at.y() - self._start.y()) / 120.0)
            self._set_scale(self._start_scale.zoomed(factor))
        elif self._grip is _Grip.TIME_AXIS and self._start_view is not None:
            factor = 2.0 ** ((self._start.x() - at.x()) / 160.0)
            self._chart.set_view(self._start_view.zoomed(factor, min(self._start_view.high, self._chart.bar_count)))
        elif self._grip is _Grip.PAN and self._start_view is not None and self._start_scale is not None:
            self._pan(at)
        elif self._grip is _Grip.NONE:
            self._hover(at)
        if self._grip is not _Grip.NONE or self._tool is not None:
            self._move_draft(at)

    def _pan(self, at: QPointF) -> None:
        assert self._start_view is not None
        assert self._start_scale is not None
        ratio = self._chart.devicePixelRatioF()
        dx, dy = at.x() - self._start.x(), at.y() - self._start.y()
        if abs(dx) + abs(dy) <= _CLICK_PX:
            return
        self._chart.set_view(self._start_view.moved(-dx * ratio / self._start_view.pitch))
        if not self._chart.scales_itself:
            self._set_scale(self._start_scale.moved(dy))

    def release(self, event: QMouseEvent) -> None:
        """Let go: a moved leg is told, a short press is a click."""
        grip, self._grip = self._grip, _Grip.NONE
        at = event.position()
        still = (at - self._start).manhattanLength() <= _CLICK_PX
        if grip is _Grip.ORDER:
            self._drop_order()
        elif grip is _Grip.DRAWING:
            self._drawing = None
            if not still:
                self._chart.drawings_changed.emit()
        elif grip is _Grip.PAN and still and event.button() is Qt.MouseButton.LeftButton:
            self._click(at, event.modifiers())

    def double_click(self, event: QMouseEvent) -> None:
        """Go back to the last bars and fitting prices; on the price axis, to fitting prices."""
        if self._tool is not None:
            return
        if self._chart.frame().geometry.price_axis.contains(event.position().toPoint()):
            self._chart.set_price_range(None)
        elif self._tag_at(event.position().toPoint()) is None:
            self._chart.autoscale()

    def leave(self) -> None:
        """Hide the crosshair."""
        if self._chart.bar_count and self._grip is _Grip.NONE:
            self._chart.move_crosshair(None, None)
            self._chart.crosshair_moved.emit(None, None)

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom around the mouse; sideways, or with Shift, pan."""
        if not self._chart.bar_count:
            event.ignore()
            return
        view = self._chart.view
        delta = event.angleDelta()
        sideways = delta.x() if abs(delta.x()) > abs(delta.y()) else 0
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not sideways:
            sideways = delta.y()
        if sideways:
            self._chart.set_view(view.moved(-sideways / 120 * view.span * 0.08))
        elif delta.y():
            anchor = view.bar(event.position().x() * self._chart.devicePixelRatioF())
            self._chart.set_view(view.zoomed(0.88 ** (delta.y() / 120), anchor))
        event.accept()

    # ------------------------------------------------------------------ keys

    def key(self, event: QKeyEvent) -> bool:
        """Act on a key of the chart; False for any other. Up and down belong to order prices."""
        view, modifiers = self._chart.view, event.modifiers()
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if modifiers & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        ):
            return False
        key = event.key()
        if key == Qt.Key.Key_Escape:
            return self.cancel()
        if key == Qt.Key.Key_Delete and self.selected is not None:
            self._remove_selected()
            return True
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            way = -1 if key == Qt.Key.Key_Left else 1
            if shift:
                self._step_crosshair(way)
            else:
                self._chart.set_view(view.moved(way * max(1.0, view.span * 0.1)))
            return True
        if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            way = -1 if key == Qt.Key.Key_PageUp else 1
            self._chart.set_view(view.moved(way * view.span * 0.9))
            return True
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = 1.25 if key == Qt.Key.Key_Minus else 0.8
            self._chart.set_view(view.zoomed(factor, min(view.high, self._chart.bar_count)))
            return True
        if key == Qt.Key.Key_Home:
            self._chart.set_view(Viewport(-1.0, view.span - 1.0, view.width))
            return True
        if key == Qt.Key.Key_End:
            self._chart.autoscale()
            return True
        return False

    def _step_crosshair(self, way: int) -> None:
        crosshair = self._chart.scene.crosshair
        last = self._chart.bar_count - 1
        bar = last if crosshair is None else min(max(crosshair[0] + way, 0), last)
        if bar < 0:
            return
        self._chart.move_crosshair(bar, None)
        self._chart.crosshair_moved.emit(self._chart.time_of(bar), None)
        view = self._chart.view
        if not view.low <= bar < view.high:
            self._chart.set_view(view.moved(way * view.span * 0.5))

    def cancel(self) -> bool:
        """Drop what is held, the drawing tool or the choice; say whether there was any."""
        held = self._grip is _Grip.ORDER or self._tool is not None or self.selected is not None
        if self._drawing is not None and self._grip is _Grip.DRAWING:
            self._replace(self._drawing[0])
        self._grip, self._order, self._drawing, self._tool, self.selected = _Grip.NONE, None, None, None, None
        self.moved = {}
        self._chart.scene.draft = None
        self._chart.replace_tags()
        return held

    # ------------------------------------------------------------------ orders

    def _tag_at(self, point: QPoint) -> PlacedTag | None:
        for item in reversed(self._chart.scene.tags):
            if item.order is not None and item.order.draggable and not item.outside:
                near = item.grip.adjusted(-4, -3, 4, 3)
                if near.contains(point) or item.tag.contains(point) or item.axis_tag.contains(point):
                    return item
        return None

    def _drag_order(self, at: QPointF) -> None:
        frame, order = self._chart.frame(), self._order
        if order is None or (not self.moved and abs(at.y() - self._start.y()) <= _CLICK_PX):
            return
        y = min(max(at.y(), float(frame.geometry.price.top())), float(frame.geometry.price.bottom()))
        # The line keeps its distance from the mouse, wherever on the tag it was taken.
        y = y + frame.y(order.price) - self._start.y() if self._start_scale is not None else y
        price = round_to_tick(frame.scale.price(y), frame.instrument.tick)
        self.moved = {(order.ref, order.leg): float(max(price, frame.instrument.tick))}
        self._chart.set_drag_cursor(Qt.CursorShape.SizeVerCursor)
        self._chart.replace_tags()

    def _drop_order(self) -> None:
        order, moved = self._order, self.moved
        self._order, self.moved = None, {}
        self._chart.replace_tags()
        if order is None or not moved:
            return
        tick = self._chart.frame().instrument.tick
        price = round_to_tick(moved[order.ref, order.leg], tick)
        if price != round_to_tick(order.price, tick):
            self._chart.order_dragged.emit(order.ref, order.leg, price)

    def on_orders_changed(self, orders: tuple[OrderLine, ...]) -> None:
        """End a drag whose leg is gone or may no longer be moved."""
        held = self._order
        if held is not None and not any(
            (order.ref, order.leg) == (held.ref, held.leg) and order.draggable for order in orders
        ):
            self._grip, self._order, self.moved = _Grip.NONE, None, {}
            self._chart.replace_tags()

    # ------------------------------------------------------------------ clicks and hovering

    def _price_at(self, y: float) -> Decimal:
        frame = self._chart.frame()
        return round_to_tick(frame.scale.price(y), frame.instrument.tick)

    def _click(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        point, frame = at.toPoint(), self._chart.frame()
        if self.selected is not None:
            self.selected = None
            self._chart.replace_tags()
        for item in self._chart.scene.pins:
            if item.box.contains(point):
                self._chart.pin_clicked.emit(item.pin.id)
                return
        if frame.geometry.price.contains(point):
            self._chart.price_clicked.emit(self._price_at(at.y()), modifiers)

    def _hover(self, at: QPointF) -> None:
        frame, point = self._chart.frame(), at.toPoint()
        tag, shape = self._tag_at(point), Qt.CursorShape.CrossCursor
        if tag is not None or frame.geometry.price_axis.contains(point):
            shape = Qt.CursorShape.SizeVerCursor
        elif frame.geometry.time_axis.contains(point):
            shape = Qt.CursorShape.SizeHorCursor
        elif any(item.box.contains(point) for item in self._chart.scene.pins):
            shape = Qt.CursorShape.PointingHandCursor
        self._chart.set_drag_cursor(shape)
        if not frame.geometry.body.contains(point):
            self.leave()
            return
        bar = int(frame.view.bar(at.x() * frame.ratio) // 1)
        self._chart.move_crosshair(bar, at.y())
        inside = frame.geometry.price.contains(point)
        price = frame.scale.price(at.y()) if inside else None
        self._chart.crosshair_moved.emit(self._chart.time_of(bar), price)

    def _set_scale(self, scale: PriceScale) -> None:
        if scale.high > scale.low:
            self._chart.set_price_range((scale.low, scale.high))

    # ------------------------------------------------------------------ drawings

    def start_drawing(self, kind: DrawingKind | None, text: str) -> None:
        """Let the next clicks place points."""
        self.cancel()
        self._tool = None if kind is None else (kind, text)

    def _point_at(self, at: QPointF) -> tuple[int, float]:
        frame = self._chart.frame()
        bar = frame.view.bar(at.x() * frame.ratio)
        whole = int(bar // 1)
        into = (bar - whole) * frame.instrument.interval_ns
        return self._chart.time_of(whole) + int(into), float(self._price_at(at.y()))

    def _place_point(self, at: QPointF) -> None:
        assert self._tool is not None
        kind, text = self._tool
        draft = self._chart.scene.draft
        points = ((draft.points[:-1] if draft is not None else ()) + (self._point_at(at),))[: kind.points]
        if len(points) < kind.points:
            self._chart.scene.draft = Drawing(id="draft", kind=kind, points=(*points, points[-1]), text=text)
        else:
            taken = {item.id for item in self._chart.drawings}
            while f"drawing-{self._serial}" in taken:
                self._serial += 1
            made = Drawing(id=f"drawing-{self._serial}", kind=kind, points=points, text=text)
            self._tool, self._chart.scene.draft, self.selected = None, None, made.id
            self._chart.set_drawings((*self._chart.drawings, made))
            self._chart.drawings_changed.emit()
        self._chart.replace_tags()

    def _move_draft(self, at: QPointF) -> None:
        draft = self._chart.scene.draft
        if draft is not None:
            self._chart.scene.draft = replace(draft, points=(*draft.points[:-1], self._point_at(at)))
            self._chart.replace_tags()

    def _drag_drawing(self, at: QPointF) -> None:
        if self._drawing is None:
            return
        drawing, index = self._drawing
        frame = self._chart.frame()
        if index is not None:
            self._replace(drawn.with_point(drawing, index, *self._point_at(at)))
            return
        bars = (at.x() - self._start.x()) * frame.ratio / frame.view.pitch
        by_ns = int(bars * frame.instrument.interval_ns)
        self._replace(drawn.shifted(drawing, by_ns, frame.scale, at.y() - self._start.y()))

    def _replace(self, drawing: Drawing) -> None:
        self._chart.set_drawings(tuple(drawing if item.id == drawing.id else item for item in self._chart.drawings))

    def _remove_selected(self) -> None:
        kept = tuple(item for item in self._chart.drawings if item.id != self.selected)
        self.selected = None
        self._chart.set_drawings(kept)
        self._chart.drawings_changed.emit()
