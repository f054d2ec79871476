"""Spread of a price: standard deviation, Bollinger bands, ATR, regression channel."""

import math

import numpy as np

from engine.features.jit import Array, kernel

RESUM = 512
"""As in `averages`: running sums are made anew, about a near price, every so many bars."""


@kernel
def bbands(x: Array, n: int, width: float) -> tuple[Array, Array, Array]:
    """Bollinger bands: mean and `width` population standard deviations above and below."""
    size = x.size
    top = np.empty(size)
    middle = np.empty(size)
    bottom = np.empty(size)
    for i in range(min(n - 1, size)):
        top[i] = middle[i] = bottom[i] = np.nan
    share = 1.0 / n
    start = n - 1
    while start < size:
        stop = min(start + RESUM, size)
        base = x[start]
        s = 0.0
        q = 0.0
        for j in range(start - n + 1, start):
            t = x[j] - base
            s += t
            q += t * t
        for i in range(start, stop):
            t = x[i] - base
            s += t
            q += t * t
            m = s * share
            spread = width * math.sqrt(max(q * share - m * m, 0.0))
            m += base
            top[i] = m + spread
            middle[i] = m
            bottom[i] = m - spread
            t = x[i - n + 1] - base
            s -= t
            q -= t * t
        start = stop
    return top, middle, bottom


@kernel
def stddev(x: Array, n: int) -> Array:
    """Population standard deviation."""
    size = x.size
    out = np.empty(size)
    for i in range(min(n - 1, size)):
        out[i] = np.nan
    share = 1.0 / n
    start = n - 1
    while start < size:
        stop = min(start + RESUM, size)
        base = x[start]
        s = 0.0
        q = 0.0
        for j in range(start - n + 1, start):
            t = x[j] - base
            s += t
            q += t * t
        for i in range(start, stop):
            t = x[i] - base
            s += t
            q += t * t
            m = s * share
            out[i] = math.sqrt(max(q * share - m * m, 0.0))
            t = x[i - n + 1] - base
            s -= t
            q -= t * t
        start = stop
    return out


@kernel
def atr(h: Array, l: Array, c: Array, n: int) -> Array:
    """Wilder's average true range; the first value is the mean of n true ranges, at bar n."""
    size = c.size
    out = np.empty(size)
    for i in range(min(n, size)):
        out[i] = np.nan
    if size <= n:
        return out
    a = 0.0
    for i in range(1, n + 1):
        a += max(h[i], c[i - 1]) - min(l[i], c[i - 1])
    a /= n
    out[n] = a
    w = 1.0 / n
    keep = 1.0 - w
    for i in range(n + 1, size):
        a = a * keep + w * (max(h[i], c[i - 1]) - min(l[i], c[i - 1]))
        out[i] = a
    return out


@kernel
def regression(x: Array, n: int, width: float) -> tuple[Array, Array, Array, Array]:
    """Least-squares line over n bars: upper, value at the last bar, lower, slope per bar.

    The channel is `width` residual standard deviations (population) either side.
    """
    size = x.size
    top = np.full(size, np.nan)
    middle = np.full(size, np.nan)
    bottom = np.full(size, np.nan)
    slope = np.full(size, np.nan)
    xm = 0.5 * (n - 1)
    xx = n * (n * n - 1.0) / 12.0
    start = n - 1
    while start < size:
        stop = min(start + RESUM, size)
        base = x[start]
        s = 0.0
        q = 0.0
        w = 0.0
        for j in range(n - 1):
            t = x[start - n + 1 + j] - base
            s += t
            q += t * t
            w += (j + 1) * t
        for i in range(start, stop):
            # sliding by a bar lowers every bar's place by one: the weighted sum loses the plain one
            w -= s
            t = x[i] - base
            s += t
            q += t * t
            w += (n - 1) * t
            xy = w - xm * s
            b = xy / xx
            spread = width * math.sqrt(max(q - s * s / n - b * xy, 0.0) / n)
            line = base + s / n + b * xm
            top[i] = line + spread
            middle[i] = line
            bottom[i] = line - spread
            slope[i] = b
            t = x[i - n + 1] - base
            s -= t
            q -= t * t
        start = stop
    return top, middle, bottom, slope
