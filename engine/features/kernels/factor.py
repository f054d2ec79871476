"""What is left of a symbol's return once the market's share is taken out, over 60 bars."""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import is_flat, mean


@part
def factor(c: Array, mkt: Array, x: Array, y: Array, out: Array) -> None:
    """5 values: market beta and correlation, residual sd (n - 2), residual return of 20 and 5 bars in residual sd.

    The residual return keeps the symbol's own drift: r - beta * market. `x` and `y` are scratch of 60.
    """
    n = c.size
    if n < 61:
        return
    for j in range(60):
        k = n - 60 + j
        x[j] = math.log(mkt[k] / mkt[k - 1])
        y[j] = math.log(c[k] / c[k - 1])
    xm = mean(x, 0, 60)
    ym = mean(y, 0, 60)
    xx = xy = yy = 0.0
    for j in range(60):
        dx = x[j] - xm
        dy = y[j] - ym
        xx += dx * dx
        xy += dx * dy
        yy += dy * dy
    no_market = is_flat(xx, 60, 0.01)
    beta = 0.0 if no_market else xy / xx
    no_own = is_flat(yy, 60, 0.01)
    corr = 0.0 if no_market or no_own else xy / (math.sqrt(xx) * math.sqrt(yy))
    ss = 0.0
    last20 = 0.0
    last5 = 0.0
    for j in range(60):
        e = y[j] - ym - beta * (x[j] - xm)
        ss += e * e
        if j >= 40:
            own = y[j] - beta * x[j]
            last20 += own
            if j >= 55:
                last5 += own
    idle = is_flat(ss, 60, 0.01)
    sd = 0.0 if idle else math.sqrt(ss / 58.0)
    out[0] = beta
    out[1] = min(1.0, max(-1.0, corr))
    out[2] = sd
    out[3] = 0.0 if idle else last20 / (sd * math.sqrt(20.0))
    out[4] = 0.0 if idle else last5 / (sd * math.sqrt(5.0))
