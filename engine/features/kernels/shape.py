"""Shape of the return distribution and how easily the symbol trades.

Sources: Amihud (2002) illiquidity; Bali, Cakici and Whitelaw (2011) MAX; Lou, Polk and Skouras (2019) overnight.
"""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import EPS, is_flat, mean, squares
from engine.features.kernels.volatility import standardised_moment


@part
def shape(o: Array, c: Array, r: Array, out: Array) -> None:
    """7 values at 0-3 and 6-8: skew, excess kurtosis, AC1, downside share of variance, night, day, largest return.

    `r` holds log returns, newest at the end. A flat window gives 0, and 0.5 for the downside share.
    """
    n = c.size
    m = r.size
    if m >= 60:
        out[0] = standardised_moment(r, m - 60, m, 3)
        fourth = standardised_moment(r, m - 60, m, 4)
        out[1] = fourth - 3.0 if fourth > 0.0 else 0.0
    if m >= 20:
        first = m - 20
        average = mean(r, first, m)
        ss = squares(r, first, m, average)
        lagged = 0.0
        down = 0.0
        total = 0.0
        largest = r[first]
        night = 0.0
        for i in range(first, m):
            if i > first:
                lagged += (r[i] - average) * (r[i - 1] - average)
            total += r[i] * r[i]
            if r[i] < 0.0:
                down += r[i] * r[i]
            largest = max(largest, r[i])
        for j in range(n - 20, n):
            night += math.log(o[j] / c[j - 1])
        out[2] = 0.0 if is_flat(ss, 20, 0.01) else lagged / ss
        out[3] = 0.5 if is_flat(total, 20, 0.01) else down / total
        out[6] = night
        out[8] = largest
    if n >= 20:
        day = 0.0
        for j in range(n - 20, n):
            day += math.log(c[j] / o[j])
        out[7] = day


@part
def liquidity(c: Array, v: Array, out: Array) -> None:
    """2 values at 4-5: Amihud = mean abs(ln return) per million traded, ln(1 + mean traded value), over 20 bars.

    Bars without volume do not enter Amihud; with none left it stays NaN.
    """
    n = c.size
    if n >= 20:
        traded = 0.0
        for j in range(n - 20, n):
            traded += c[j] * v[j]
        out[5] = math.log(1.0 + traded / 20.0)
    if n > 20:
        total = 0.0
        count = 0
        for j in range(n - 20, n):
            value = c[j] * v[j]
            if value > EPS:
                total += abs(math.log(c[j] / c[j - 1])) / value
                count += 1
        if count > 0:
            out[4] = 1e6 * total / count
