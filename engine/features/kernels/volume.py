"""Price against volume, up and down counts, and volume against its own past (qlib's Alpha158)."""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import EPS, correlation, mean, sample_std

UNCHANGED = math.log(2.0)
"""ln(v/v[-1] + 1) of an unchanged volume; stands in where the bar before traded nothing and no ratio exists."""


@part
def price_volume(c: Array, v: Array, x: Array, y: Array, out: Array) -> None:
    """6 values: CORR of c with ln(v+1), CORD of c/c[-1] with ln(v/v[-1]+1). `x` and `y` are scratch of 60."""
    n = c.size
    m = min(n, 60)
    level = 0.0
    for j in range(m):
        x[j] = c[n - m + j]
        y[j] = math.log(v[n - m + j] + 1.0)
        level = max(level, y[j])
    for i, d in enumerate((10, 20, 60)):
        if m >= d:
            out[i] = correlation(x, y, m - d, m, c[n - 1], level)
    m = min(n - 1, 60)
    for j in range(m):
        k = n - m + j
        x[j] = c[k] / c[k - 1]
        y[j] = math.log(v[k] / v[k - 1] + 1.0) if v[k - 1] > 0.0 else UNCHANGED
    for i, d in enumerate((10, 20, 60)):
        if m >= d:
            out[i + 3] = correlation(x, y, m - d, m, 0.01, 0.01)


@part
def counts(c: Array, out: Array) -> None:
    """6 values: CNTD = share of up bars - share of down bars; SUMD = (gains - losses) / (gains + losses)."""
    n = c.size
    up = 0
    down = 0
    gain = 0.0
    loss = 0.0
    for back in range(1, min(n - 1, 60) + 1):
        change = c[n - back] - c[n - back - 1]
        if change > 0.0:
            up += 1
            gain += change
        elif change < 0.0:
            down += 1
            loss -= change
        if back == 10:
            out[0] = (up - down) / 10.0
            out[3] = (gain - loss) / (gain + loss + EPS)
        elif back == 20:
            out[1] = (up - down) / 20.0
            out[4] = (gain - loss) / (gain + loss + EPS)
        elif back == 60:
            out[2] = (up - down) / 60.0
            out[5] = (gain - loss) / (gain + loss + EPS)


@part
def volume(c: Array, v: Array, x: Array, out: Array) -> None:
    """7 values: VMA (3), VSTD20, WVMA (2), VSUMD20. `x` is scratch of 60."""
    n = c.size
    last = v[n - 1] + EPS
    for i, d in enumerate((5, 20, 60)):
        if n >= d:
            out[i] = mean(v, n - d, n) / last
    if n >= 20:
        out[3] = sample_std(v, n - 20, n, mean(v, n - 20, n)) / last
    m = min(n - 1, 60)
    for j in range(m):
        k = n - m + j
        x[j] = abs(c[k] / c[k - 1] - 1.0) * v[k]
    for i, d in enumerate((20, 60)):
        if m >= d:
            average = mean(x, m - d, m)
            out[i + 4] = sample_std(x, m - d, m, average) / (average + EPS)
    if n > 20:
        rise = 0.0
        fall = 0.0
        for j in range(n - 20, n):
            change = v[j] - v[j - 1]
            if change > 0.0:
                rise += change
            else:
                fall -= change
        out[6] = (rise - fall) / (rise + fall + EPS)
