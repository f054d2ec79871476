"""Sums every group needs: two-pass moments over a slice, so a large level never eats a small spread."""

import math

from engine.features.jit import Array, part

EPS = 1e-12
"""The small number that qlib's Alpha158 adds to a denominator."""

FLAT = 1e-10
"""A spread below this share of the level is rounding noise and counts as no spread."""


@part
def mean(x: Array, first: int, stop: int) -> float:
    total = 0.0
    for i in range(first, stop):
        total += x[i]
    return total / (stop - first)


@part
def squares(x: Array, first: int, stop: int, centre: float) -> float:
    """Sum of squared distances from a centre."""
    total = 0.0
    for i in range(first, stop):
        d = x[i] - centre
        total += d * d
    return total


@part
def is_flat(sum_of_squares: float, count: int, level: float) -> bool:
    """Whether a spread is only rounding: level is the size of the numbers it came from."""
    limit = FLAT * level
    return sum_of_squares <= count * limit * limit


@part
def sample_std(x: Array, first: int, stop: int, level: float) -> float:
    """Standard deviation with n - 1, as pandas and qlib have it; 0 when flat."""
    m = mean(x, first, stop)
    ss = squares(x, first, stop, m)
    if is_flat(ss, stop - first, level):
        return 0.0
    return math.sqrt(ss / (stop - first - 1))


@part
def correlation(x: Array, y: Array, first: int, stop: int, x_level: float, y_level: float) -> float:
    """Pearson correlation; 0 when either side is flat."""
    mx = mean(x, first, stop)
    my = mean(y, first, stop)
    xx = 0.0
    yy = 0.0
    xy = 0.0
    for i in range(first, stop):
        dx = x[i] - mx
        dy = y[i] - my
        xx += dx * dx
        yy += dy * dy
        xy += dx * dy
    n = stop - first
    if is_flat(xx, n, x_level) or is_flat(yy, n, y_level):
        return 0.0
    return min(1.0, max(-1.0, xy / (math.sqrt(xx) * math.sqrt(yy))))
