"""The volume profile: how much of the bars in view was traded at which price, drawn from the left behind them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from widgets.candle_chart.boxes import Columns
from widgets.candle_chart.frame import Frame

Floats = NDArray[np.float64]
ROW_PX = 4
WIDEST = 0.2
"""Part of the pane's width the fullest row takes."""
VALUE_AREA = 0.7


@dataclass(frozen=True, slots=True)
class Profile:
    """Volume by row of the price pane, top down; ``point`` is the fullest, ``[first, stop)`` hold 70 % around it."""

    volumes: Floats
    point: int
    first: int
    stop: int


def profile_of(tops: Floats, bottoms: Floats, volumes: Floats, rows: int) -> Profile | None:
    """Spread each bar's volume evenly over the rows from its high to its low; None where nothing was traded in sight.

    ``tops`` and ``bottoms`` are heights in rows, growing downwards; what lies outside ``[0, rows)`` is out of sight.
    """
    known = np.isfinite(tops) & np.isfinite(bottoms) & (volumes > 0)
    first = np.floor(tops[known]).astype(np.int64)
    last = np.maximum(np.floor(bottoms[known]).astype(np.int64), first)
    density = volumes[known] / (last - first + 1)
    seen = (last >= 0) & (first < rows)
    change = np.zeros(rows + 1)
    np.add.at(change, np.maximum(first[seen], 0), density[seen])
    np.add.at(change, np.minimum(last[seen], rows - 1) + 1, -density[seen])
    found = np.maximum(np.cumsum(change)[:rows], 0.0)
    total = float(found.sum())
    if rows < 1 or total <= 0:
        return None
    point = int(np.argmax(found))
    low, high, held = point, point + 1, float(found[point])
    while held < VALUE_AREA * total:
        above = float(found[low - 1]) if low > 0 else -1.0
        below = float(found[high]) if high < rows else -1.0
        if above >= below:
            low -= 1
            held += above
        else:
            high += 1
            held += below
    return Profile(found, point, low, high)


def paint_profile(painter: QPainter, frame: Frame, columns: Columns) -> None:
    """Paint the profile of these bars, its value area darker, and name the price that was traded most."""
    price, style = frame.geometry.price, frame.style
    size = style.px(ROW_PX)
    rows = price.height() // size
    tops, bottoms = ((frame.scale.ys(side) - price.top()) / size for side in (columns.high, columns.low))
    profile = profile_of(tops, bottoms, columns.volume, rows)
    if profile is None:
        return
    widths = np.rint(profile.volumes * (price.width() * WIDEST / profile.volumes[profile.point])).astype(int)
    plain, area, point = (style.theme.blend("t3", share, "bg1") for share in (0.22, 0.38, 0.75))
    for row, width in enumerate(widths.tolist()):
        if width:
            colour = point if row == profile.point else area if profile.first <= row < profile.stop else plain
            painter.fillRect(0, price.top() + row * size, width, size - 1, colour)
    middle = price.top() + (profile.point + 0.5) * size
    text = frame.price_text(frame.scale.price(middle))
    baseline = style.labels.baseline(style.small, round(middle) - style.px(8), style.px(16))
    x = int(widths[profile.point]) + style.px(4)
    style.labels.draw(painter, x, baseline, text, style.small, style.caption, frame.ratio)
