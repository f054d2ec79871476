"""Contributions of sources as bars: each starts where the last ended, gains up, losses down."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from widgets.theme import Theme

Source = tuple[str, float, float, str]
"""(source, contribution, weight, state) as in ``SuggestionRow.sources``."""


def steps(sources: Sequence[Source]) -> list[tuple[float, float]]:
    """Return the (start, end) of every step; the first starts at 0."""
    at, made = 0.0, []
    for _, value, _, _ in sources:
        made.append((at, at + value))
        at += value
    return made


def span(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a scale that holds all steps and zero, with a little room."""
    ends = [0.0, *(value for pair in pairs for value in pair)]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.06 or 1.0
    return low - room, high + room


def place(value: float, scale: tuple[float, float], left: float, width: float) -> float:
    """Return the x of a value."""
    return left + (value - scale[0]) / (scale[1] - scale[0]) * width


def draw_line(painter: QPainter, theme: Theme, rect: QRectF, sources: Sequence[Source]) -> None:
    """Draw all steps on one line with the end as a tick."""
    pairs = steps(sources)
    scale = span(pairs)
    zero = place(0.0, scale, rect.left(), rect.width())
    painter.fillRect(QRectF(zero, rect.top(), 1, rect.height()), theme.color("t3"))
    for start, end in pairs:
        a, b = sorted((place(start, scale, rect.left(), rect.width()), place(end, scale, rect.left(), rect.width())))
        # A loss is shorter in height as well as red, so that it shows without colour.
        inset = 2.0 if end >= start else 4.0
        role = "up" if end >= start else "down"
        painter.fillRect(
            QRectF(a, rect.top() + inset, max(1.0, b - a - 1), rect.height() - 2 * inset), theme.color(role)
        )
    if pairs:
        x = place(pairs[-1][1], scale, rect.left(), rect.width())
        painter.fillRect(QRectF(x - 1, rect.top(), 2, rect.height()), theme.color("t1"))
