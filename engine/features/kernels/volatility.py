"""How much the price moves, from the whole bar: range estimators, ATR, realised variance, volatility of volatility.

Sources: Parkinson (1980), Garman and Klass (1980), Rogers and Satchell (1991), Wilder (1978), Corsi (2009, HAR).
"""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import EPS, mean, sample_std, squares

PARKINSON = 1.0 / (4.0 * math.log(2.0))
GARMAN_KLASS = 2.0 * math.log(2.0) - 1.0
RECURSION = 120
"""Bars over which Wilder and exponential averages are computed anew: a value never depends on when a run began."""


@part
def volatility(o: Array, h: Array, l: Array, c: Array, std5: float, std60: float, x: Array, out: Array) -> None:
    """9 values: three range estimators (per bar, 20 bars), ATR14/c, STD5/STD60, ln RV over 1, 5, 22 bars, VOLVOL20.

    The variance of one bar is its overnight return squared plus Parkinson's estimate. `x` is scratch of 60.
    """
    n = c.size
    m = min(n, 22)
    pk = 0.0
    gk = 0.0
    rs = 0.0
    for back in range(1, m + 1):
        j = n - back
        hl = math.log(h[j] / l[j])
        if back <= 20:
            co = math.log(c[j] / o[j])
            ho = math.log(h[j] / o[j])
            lo = math.log(l[j] / o[j])
            pk += hl * hl
            gk += 0.5 * hl * hl - GARMAN_KLASS * co * co
            rs += ho * (ho - co) + lo * (lo - co)
        if j > 0:
            night = math.log(o[j] / c[j - 1])
            x[22 - back] = night * night + PARKINSON * hl * hl
    if n >= 20:
        out[0] = math.sqrt(PARKINSON * pk / 20.0)
        out[1] = math.sqrt(max(gk / 20.0, 0.0))
        out[2] = math.sqrt(max(rs / 20.0, 0.0))
    if n >= RECURSION:
        out[3] = wilder_atr(h[n - RECURSION :], l[n - RECURSION :], c[n - RECURSION :], 14) / c[n - 1]
    out[4] = std5 / (std60 + EPS)
    if n > 1:
        out[5] = math.log(x[21] + EPS)
    if n > 5:
        out[6] = math.log(mean(x, 17, 22) + EPS)
    if n > 22:
        out[7] = math.log(mean(x, 0, 22) + EPS)
    if n > 20:
        for j in range(2, 22):
            x[j] = math.sqrt(x[j])
        average = mean(x, 2, 22)
        out[8] = sample_std(x, 2, 22, average) / (average + EPS)


@part
def wilder_atr(h: Array, l: Array, c: Array, period: int) -> float:
    """Average true range at the last bar: mean of the first `period` true ranges, then Wilder's smoothing."""
    average = 0.0
    for i in range(1, h.size):
        tr = max(h[i], c[i - 1]) - min(l[i], c[i - 1])
        if i <= period:
            average += tr / period
        else:
            average += (tr - average) / period
    return average


@part
def standardised_moment(r: Array, first: int, stop: int, power: int) -> float:
    """Third or fourth population moment over the power of the standard deviation; NaN-free: 0 when flat."""
    m = mean(r, first, stop)
    n = stop - first
    var = squares(r, first, stop, m) / n
    if var <= 1e-24:
        return 0.0
    total = 0.0
    for i in range(first, stop):
        d = r[i] - m
        total += d * d * d if power == 3 else d * d * d * d
    return total / n / (var * math.sqrt(var) if power == 3 else var * var)
