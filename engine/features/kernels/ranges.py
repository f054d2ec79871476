"""Where the close stands inside its own past: range position, time since the extremes, quantiles, rank."""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import EPS


@part
def quantile(ordered: Array, count: int, q: float) -> float:
    """Quantile of ascending values, linear between neighbours (numpy's and pandas' default)."""
    place = q * (count - 1)
    below = math.floor(place)
    above = min(below + 1, count - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


@part
def insert_sorted(ordered: Array, count: int, x: float) -> None:
    j = count
    while j > 0 and ordered[j - 1] > x:
        ordered[j] = ordered[j - 1]
        j -= 1
    ordered[j] = x


@part
def mean_rank(ordered: Array, count: int, x: float) -> float:
    """Rank of x in (0, 1], ties share their mean rank (pandas' rank(pct=True))."""
    less = 0
    equal = 0
    for i in range(count):
        if ordered[i] < x:
            less += 1
        elif ordered[i] == x:
            equal += 1
    return (less + 0.5 * (equal + 1)) / count


@part
def ranges(h: Array, l: Array, c: Array, ordered: Array, out: Array) -> None:
    """14 values: RSV (4), IMAX (2), IMIN (2), QTLU (2), QTLD (2), RANK (2). `ordered` is scratch of 60."""
    n = c.size
    last = c[n - 1]
    top = h[n - 1]
    bottom = l[n - 1]
    top_at = n - 1
    bottom_at = n - 1
    for back in range(1, min(n, 250) + 1):
        j = n - back
        # backwards, an equal bar replaces: the first extreme of the window wins, as numpy's argmax has it
        if h[j] >= top:
            top = h[j]
            top_at = j
        if l[j] <= bottom:
            bottom = l[j]
            bottom_at = j
        if back == 5:
            out[0] = (last - bottom) / (top - bottom + EPS)
        elif back == 20:
            out[1] = (last - bottom) / (top - bottom + EPS)
            out[4] = (top_at - (n - 20) + 1) / 20.0
            out[6] = (bottom_at - (n - 20) + 1) / 20.0
        elif back == 60:
            out[2] = (last - bottom) / (top - bottom + EPS)
            out[5] = (top_at - (n - 60) + 1) / 60.0
            out[7] = (bottom_at - (n - 60) + 1) / 60.0
        elif back == 250:
            out[3] = (last - bottom) / (top - bottom + EPS)
    if n >= 20:
        for back in range(20):
            insert_sorted(ordered, back, c[n - 1 - back])
        out[8] = quantile(ordered, 20, 0.8) / last
        out[10] = quantile(ordered, 20, 0.2) / last
        out[12] = mean_rank(ordered, 20, last)
    if n >= 60:
        for back in range(20, 60):
            insert_sorted(ordered, back, c[n - 1 - back])
        out[9] = quantile(ordered, 60, 0.8) / last
        out[11] = quantile(ordered, 60, 0.2) / last
        out[13] = mean_rank(ordered, 60, last)
