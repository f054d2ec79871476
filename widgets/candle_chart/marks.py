"""Fills on the bars, pins on the rail: placed without overlap, painted, hit by the mouse."""

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPolygonF

from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import FillMark, Pin
from widgets.candle_chart.lines import pen
from widgets.candle_chart.time_axis import nearest_bar
from widgets.formats import DOWN_ARROW, UP_ARROW


@dataclass(frozen=True, slots=True)
class PlacedPin:
    """A pin's box on the rail and the bar it points at."""

    pin: Pin
    box: QRect
    x: float
    from_y: float


@dataclass(frozen=True, slots=True)
class PlacedFill:
    """A fill: its dot, its arrow and its words, below the bar for a buy and above it for a sell."""

    fill: FillMark
    x: float
    y: float
    arrow_y: float
    text: QRect
    bounds: QRect


def place_pins(frame: Frame) -> tuple[PlacedPin, ...]:
    """Place pins under their bars; crowded ones move right, those that find no room are left out."""
    rail, style = frame.geometry.rail, frame.style
    if not rail.height() or not len(frame.data):
        return ()
    metrics = QFontMetrics(style.tag)
    placed: list[PlacedPin] = []
    height = style.px(16)
    right_edge = -10_000
    for pin in sorted(frame.layers.pins, key=lambda pin: pin.ts_ns):
        bar = nearest_bar(frame.data.ts, pin.ts_ns, frame.instrument.interval_ns)
        x = frame.middle(bar)
        width = metrics.horizontalAdvance(_pin_text(pin)) + style.px(10)
        left = max(round(x - width / 2), right_edge + 2)
        if x < 0 or left + width > frame.geometry.plot_width or left - x > 3 * width:
            continue
        right_edge = left + width
        known = 0 <= bar < len(frame.data)
        from_y = frame.y(float(frame.data.low[bar])) + 6 if known else rail.top() - style.px(24)
        box = QRect(left, rail.top() + (rail.height() - height) // 2, width, height)
        placed.append(PlacedPin(pin, box, x, max(from_y, frame.geometry.price.top())))
    return tuple(placed)


def _pin_text(pin: Pin) -> str:
    return pin.label + {1: " " + UP_ARROW, -1: " " + DOWN_ARROW}.get(pin.direction, "")


def paint_pins(painter: QPainter, frame: Frame, pins: tuple[PlacedPin, ...], region: QRect) -> None:
    """Paint the pins and the dotted threads to their bars."""
    style, theme = frame.style, frame.style.theme
    thread = pen(style.caption, 1, (1.0, 3.0))
    for item in pins:
        span = QRect(int(item.x) - 1, int(item.from_y), 3, max(1, item.box.top() - int(item.from_y)))
        if not (region.intersects(item.box) or region.intersects(span)):
            continue
        if item.from_y < item.box.top():
            painter.setPen(thread)
            painter.drawLine(QLineF(item.x, item.from_y, item.x, item.box.top()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(theme.color("bg2"))
        painter.setPen(style.caption)
        painter.drawRoundedRect(QRectF(item.box).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        metrics = QFontMetrics(style.tag)
        baseline = item.box.top() + (item.box.height() + metrics.ascent() - metrics.descent()) // 2
        left = item.box.left() + style.px(5)
        painter.setFont(style.tag)
        painter.setPen(style.text)
        painter.drawText(left, baseline, item.pin.label)
        if item.pin.direction:
            painter.setPen(style.up if item.pin.direction > 0 else style.down)
            mark = UP_ARROW if item.pin.direction > 0 else DOWN_ARROW
            painter.drawText(left + metrics.horizontalAdvance(item.pin.label + " "), baseline, mark)


def place_fills(frame: Frame) -> tuple[PlacedFill, ...]:
    """Place fills; words that would cover an earlier fill's words move further from the bar."""
    if not len(frame.data):
        return ()
    style, price = frame.style, frame.geometry.price
    metrics = QFontMetrics(style.tag)
    line = metrics.height()
    placed: list[PlacedFill] = []
    for fill in frame.layers.fills:
        bar = nearest_bar(frame.data.ts, fill.ts_ns, frame.instrument.interval_ns)
        if not 0 <= bar < len(frame.data):
            continue
        x, y = frame.middle(bar), frame.y(fill.price)
        if not -20 <= x <= price.width() + 20:
            continue
        reach, side = style.px(14), style.px(9)
        width = metrics.horizontalAdvance(fill.text) + 2
        if fill.buy:
            arrow_y = frame.y(float(frame.data.low[bar])) + reach
            top = arrow_y + side + 3
        else:
            arrow_y = frame.y(float(frame.data.high[bar])) - reach
            top = arrow_y - side - 3 - line
        box = QRect(round(x - width / 2), round(top), width, line)
        if box.bottom() > price.bottom() or box.top() < price.top():
            # No room beyond the bar: the words stand beside it.
            box.moveLeft(round(x) + style.px(10))
            box.moveTop(min(max(box.top(), price.top()), price.bottom() - line))
        box.moveLeft(min(max(box.left(), 2), max(2, price.width() - width - 2)))
        for _ in range(8):
            if not any(box.adjusted(-4, 0, 4, 0).intersects(other.text) for other in placed):
                break
            box.translate(0, line if fill.buy else -line)
        bounds = box.united(QRect(round(x) - 8, round(min(y, arrow_y)) - 12, 16, round(abs(y - arrow_y)) + 24))
        placed.append(PlacedFill(fill, x, y, arrow_y, box, bounds.adjusted(-4, -4, 4, 4)))
    return tuple(placed)


def paint_fills(painter: QPainter, frame: Frame, fills: tuple[PlacedFill, ...], region: QRect) -> None:
    """Paint a dot at the price, an arrow beyond the bar and the words."""
    style = frame.style
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for item in fills:
        if not region.intersects(item.bounds):
            continue
        painter.setPen(style.text)
        painter.drawLine(QLineF(item.x, item.y, item.x, item.arrow_y))
        painter.setPen(style.ground)
        painter.setBrush(style.text)
        painter.drawEllipse(QPointF(item.x, item.y), 3.5, 3.5)
        side, away = style.px(6), style.px(9) if item.fill.buy else -style.px(9)
        painter.setPen(Qt.PenStyle.NoPen)
        tip = [
            QPointF(item.x - side, item.arrow_y + away),
            QPointF(item.x, item.arrow_y),
            QPointF(item.x + side, item.arrow_y + away),
        ]
        painter.drawPolygon(QPolygonF(tip))
        baseline = item.text.top() + style.labels.ascent(style.tag)
        style.labels.draw_haloed(
            painter, item.text.left(), baseline, item.fill.text, style.tag, style.text, style.ground, frame.ratio
        )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
