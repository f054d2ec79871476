"""What the agent's zones say: words that keep clear of the tags of orders and of each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetrics, QPainter

from widgets.candle_chart.frame import Frame
from widgets.candle_chart.layers import AgentZone

ZONE_ROLES = {"entry": "focus", "stop": "down", "target": "up"}


@dataclass(frozen=True, slots=True)
class ZoneLabel:
    """Words and the box they fill."""

    text: str
    role: str
    box: QRect


def place_zone_labels(frame: Frame, taken: Iterable[QRect]) -> tuple[ZoneLabel, ...]:
    """Place the words beside their zones; ``taken`` are boxes they must not cover. What finds no room is left out."""
    price, metrics = frame.geometry.price, QFontMetrics(frame.style.small)
    used = list(taken)
    placed = []
    for zone in frame.layers.zones:
        left = max(frame.x_of_time(zone.start_ns), -8.0)
        top, bottom = frame.y(max(zone.low, zone.high)), frame.y(min(zone.low, zone.high))
        if not zone.label or left >= frame.geometry.plot_width or bottom < price.top() or top > price.bottom():
            continue
        width, height = metrics.horizontalAdvance(zone.label) + 2, metrics.height()
        for at in _places(frame, zone, left, top, bottom, width, height, used):
            box = QRect(*at, width, height)
            if price.contains(box) and not any(box.intersects(other) for other in used):
                used.append(box)
                placed.append(ZoneLabel(zone.label, ZONE_ROLES.get(zone.kind, "t3"), box))
                break
    return tuple(placed)


def _places(
    frame: Frame, zone: AgentZone, left: float, top: float, bottom: float, width: int, height: int, used: list[QRect]
) -> Iterator[tuple[int, int]]:
    """Yield corners, the best first: beside the zone after the last bar, then left of what stands there, then away."""
    price = frame.geometry.price
    first = round(min(max(left, frame.last_x) + 4, frame.geometry.plot_width - width - 4))
    rows = [round(top) - height - 1, round(bottom) + 1]
    if zone.kind != "entry":
        rows.reverse()
    rows = [min(max(row, price.top()), price.bottom() + 1 - height) for row in rows]
    columns = [first, *sorted({box.left() - width - 6 for box in used if box.left() - width - 6 < first}, reverse=True)]
    for row in rows:
        for column in columns:
            yield max(2, column), row
    for step in range(1, 7):
        for row in (rows[0] - step * height, rows[0] + step * height):
            yield max(2, first), row


def paint_zone_labels(painter: QPainter, frame: Frame, placed: tuple[ZoneLabel, ...], region: QRect) -> None:
    """Paint the words, readable over bars and hatching."""
    style, labels = frame.style, frame.style.labels
    for item in placed:
        if region.intersects(item.box.adjusted(-3, -2, 3, 2)):
            baseline = item.box.top() + labels.ascent(style.small)
            colour = style.role(item.role)
            labels.draw_haloed(
                painter, item.box.left(), baseline, item.text, style.small, colour, style.ground, frame.ratio
            )
