"""Order lines, the average price and the last price: placed once a layout, painted and hit by the mouse."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QLineF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from widgets.candle_chart.axes import ALIGN_RIGHT
from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import OrderLine, OrderState
from widgets.candle_chart.lines import pen
from widgets.candle_chart.tags import push_apart
from widgets.formats import DOWN_ARROW, UP_ARROW, number
from widgets.paint import draw_bell
from widgets.words import tr

_BELL = 14
"""Room for the bell of an alert, in pixels."""
_DASH = {
    OrderState.STAGED: (7.0, 4.0),
    OrderState.WORKING: (),
    OrderState.UNKNOWN: (10.0, 3.0, 2.0, 3.0),
    OrderState.ALERT: (1.0, 3.0),
}


@dataclass(frozen=True, slots=True)
class PlacedTag:
    """A line at its true height and its tag where there is room. `order` is None for the average price."""

    order: OrderLine | None
    text: str
    price: float
    role: str
    line_y: int
    tag: QRect
    axis_tag: QRect
    grip: QRect
    line_from: float
    outside: int = 0
    """-1 above the view, 1 below it: the tag is pinned at the edge and says how far."""

    @property
    def bounds(self) -> QRect:
        """Everything the tag and its line cover."""
        line = QRect(int(self.line_from), self.line_y - 2, 4096, 5)
        return self.tag.united(self.axis_tag).united(self.grip).adjusted(-8, -2, 8, 2).united(line & self._line_clip())

    def _line_clip(self) -> QRect:
        return QRect(0, self.line_y - 3, self.axis_tag.right() + 1, 7)


def role_of(order: OrderLine) -> str:
    """Return the colour role of an order line: blue until sent, amber while unknown."""
    return {OrderState.STAGED: "focus", OrderState.UNKNOWN: "warn"}.get(order.state, order.role)


def place_tags(frame: Frame, moved: dict[tuple[str, str], float] | None = None) -> tuple[PlacedTag, ...]:
    """Place the tags of orders and of the average price; `moved` holds prices of legs being dragged."""
    style, price = frame.style, frame.geometry.price
    entries: list[tuple[OrderLine | None, float, str, str, int | None]] = []
    for leg in frame.layers.orders:
        at = (moved or {}).get((leg.ref, leg.leg))
        shown = leg if at is None else replace(leg, pending_price=at)
        entries.append((shown, leg.price, _text(shown, frame), role_of(shown), leg.since_ns))
    average = frame.layers.average
    if average is not None:
        entries.append((None, average.price, average.text, "t2", average.since_ns))
    if not entries:
        return ()
    height = style.px(20)
    metrics = QFontMetrics(style.tag)
    wanted = [min(max(frame.y(entry[1]), price.top()), price.bottom()) for entry in entries]
    half = height // 2 + 1
    places = push_apart(wanted, height, min(frame.scale.top, price.bottom() - half) + half, price.bottom() - half)
    placed = []
    for (order, value, text, role, since), place in zip(entries, places, strict=True):
        exact = frame.y(value)
        outside = -1 if exact < frame.scale.top - 1 else 1 if exact > price.bottom() else 0
        if outside and len(frame.data):
            away = number(abs(value - float(frame.data.close[-1])), frame.decimals)
            text = f"{UP_ARROW if outside < 0 else DOWN_ARROW} {text} · {tr('{n} away', n=away)}"
        grip = order is not None and order.draggable and not outside
        bell = style.px(_BELL) if order is not None and order.state is OrderState.ALERT else 0
        width = metrics.horizontalAdvance(text) + style.px(20) + bell
        right = price.width() - style.px(26 if grip else 8)
        y = round(place)
        tag = QRect(max(2, right - width), y - height // 2, min(width, right - 2), height)
        side = style.px(14)
        line_y = min(max(round(exact), price.top()), price.bottom())
        grip_box = QRect(price.width() - style.px(18), line_y - side // 2, side, side) if grip else QRect()
        axis = frame.geometry.price_axis
        axis_tag = QRect(axis.left() + 1, y - style.px(17) // 2, axis.width() - 3, style.px(17))
        start = frame.x_of_bar_at(since) if since is not None else frame.last_x
        placed.append(PlacedTag(order, text, value, role, line_y, tag, axis_tag, grip_box, start, outside))
    return tuple(placed)


def _text(order: OrderLine, frame: Frame) -> str:
    text = order.text
    if order.state is OrderState.UNKNOWN and tr("not confirmed") not in text:
        text = f"{UP_ARROW} {text} · {tr('not confirmed: do not re-enter')}"
    known = (tr("not sent"), tr("not changed yet"), tr("not confirmed"))
    if order.state is OrderState.STAGED and not any(words in text for words in known):
        text = f"{text} · {tr('not sent')}"
    if order.pending_price is not None:
        text += f" → {number(order.pending_price, frame.decimals)}"
    return text


def paint_tags(painter: QPainter, frame: Frame, placed: tuple[PlacedTag, ...], region: QRect) -> None:
    """Paint lines first, then tags, so that no line crosses a tag."""
    clip = frame.geometry.price
    for item in placed:
        if region.intersects(item.bounds):
            _line(painter, frame, item, clip)
    for item in placed:
        if region.intersects(item.bounds):
            _tag(painter, frame, item)


def _line(painter: QPainter, frame: Frame, item: PlacedTag, clip: QRect) -> None:
    colour = frame.style.role(item.role)
    right = clip.width()
    dash: tuple[float, ...] = (2.0, 3.0) if item.order is None else _DASH[item.order.state]
    if not item.outside and item.line_from < right:
        painter.setPen(pen(colour, 1 if item.order is None else 1.5, dash))
        painter.drawLine(QLineF(max(0.0, item.line_from), item.line_y + 0.5, right, item.line_y + 0.5))
    if item.order is not None and item.order.pending_price is not None:
        y = round(frame.y(item.order.pending_price))
        if clip.top() <= y <= clip.bottom():
            painter.setPen(pen(colour, 1.5, (7.0, 4.0)))
            painter.drawLine(QLineF(max(0.0, min(item.line_from, right - 80)), y + 0.5, right, y + 0.5))
            _arrow(painter, colour, right - frame.style.px(40), item.line_y, y)


def _arrow(painter: QPainter, colour: QColor, x: int, y0: int, y1: int) -> None:
    if abs(y1 - y0) < 14:
        return
    step = 5 if y1 > y0 else -5
    painter.setPen(pen(colour, 1))
    painter.drawLine(x, y0, x, y1)
    painter.drawLine(x, y1, x - 4, y1 - step)
    painter.drawLine(x, y1, x + 4, y1 - step)


def _tag(painter: QPainter, frame: Frame, item: PlacedTag) -> None:
    style, theme, tag = frame.style, frame.style.theme, item.tag
    colour = style.role(item.role)
    state = item.order.state if item.order is not None else None
    dashed = pen(colour, 1, (4.0, 3.0))
    outline = pen(colour, 1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(style.ground)
    painter.setPen(dashed if state is OrderState.STAGED else outline)
    painter.drawRoundedRect(QRectF(tag).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if item.order is not None and item.order.filled > 0:
        width = round((tag.width() - 2) * min(1.0, item.order.filled))
        painter.fillRect(tag.left() + 1, tag.top() + 1, width, tag.height() - 2, theme.blend(item.role, 0.25))
    if state is OrderState.WORKING:
        painter.fillRect(tag.left(), tag.top(), style.px(4), tag.height(), colour)
    painter.setFont(style.tag)
    painter.setPen(style.text if state in (OrderState.WORKING, OrderState.STAGED) else colour)
    metrics = QFontMetrics(style.tag)
    baseline = tag.top() + (tag.height() + metrics.ascent() - metrics.descent()) // 2
    left = tag.left() + style.px(10)
    if state is OrderState.ALERT:
        side = style.px(11)
        draw_bell(painter, colour, QRectF(left - style.px(2), tag.top() + (tag.height() - side) / 2, side, side))
        left += style.px(_BELL)
    painter.drawText(left, baseline, item.text)
    if not item.grip.isNull():
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(item.grip), 2, 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        middle = item.grip.center().y()
        for dy in (-style.px(3), 0, style.px(3)):
            painter.fillRect(item.grip.left() + 3, middle + dy, item.grip.width() - 6, 1, style.ground)
    _axis_tag(painter, frame, item, colour, state)


def _axis_tag(painter: QPainter, frame: Frame, item: PlacedTag, colour: QColor, state: OrderState | None) -> None:
    style, box = frame.style, item.axis_tag
    tag_y = box.center().y()
    if tag_y != item.line_y and not item.outside:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(colour, 1))
        painter.drawLine(QLineF(box.left() - 5, item.line_y + 0.5, box.left(), tag_y + 0.5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(style.ground)
    painter.setPen(pen(colour, 1, (3.0, 2.0)) if state in (OrderState.STAGED, None) else pen(colour, 1))
    painter.drawRect(box.adjusted(0, 0, -1, -1))
    painter.setFont(style.axis_bold)
    painter.setPen(colour)
    painter.drawText(box.adjusted(0, 0, -style.px(5), 0), ALIGN_RIGHT, number(item.price, frame.decimals))


LastPrice = tuple[int, QRect, QRect]
"""Height of the last price, its box on the axis, the countdown's box (empty where there is no room)."""


def last_price_height(frame: Frame) -> int:
    """Return the height of the last price, at the edge of the pane when it lies outside."""
    price, y = frame.geometry.price, round(frame.y(frame.data.values(len(frame.data) - 1)[3]))
    return min(max(y, price.top()), price.bottom())


def last_price_boxes(frame: Frame, placed: tuple[PlacedTag, ...], y: int) -> LastPrice:
    """Place the last price at height y.

    Order tags stay where they are; the last price, which moves anyway, finds the nearest free place beside them.
    """
    style, price, axis = frame.style, frame.geometry.price, frame.geometry.price_axis
    taken = [item.axis_tag for item in placed]
    box = _free_box(axis, price, taken, y - style.px(18) // 2, style.px(18))
    height = style.px(15)
    for top in (box.top() - height, box.bottom() + 1):
        left = QRect(box.left(), top, box.width(), height)
        inside = top >= price.top() and left.bottom() <= price.bottom()
        if inside and not any(left.intersects(other) for other in taken):
            return y, box, left
    return y, box, QRect()


def _free_box(axis: QRect, pane: QRect, taken: list[QRect], top: int, height: int) -> QRect:
    top = min(max(top, pane.top()), pane.bottom() - height)
    if not taken:
        return QRect(axis.left() + 1, top, axis.width() - 1, height)
    tops = [top, *(other.top() - height for other in taken), *(other.bottom() + 1 for other in taken)]
    for candidate in sorted(tops, key=lambda wanted: abs(wanted - top)):
        box = QRect(axis.left() + 1, candidate, axis.width() - 1, height)
        inside = pane.top() <= candidate <= pane.bottom() - height
        if inside and not any(box.intersects(other) for other in taken):
            return box
    return QRect(axis.left() + 1, top, axis.width() - 1, height)
