"""Moving averages and what is built from them. Columns in, columns out, NaN until an average is full.

Averages are seeded as TA-Lib seeds them: the first value of an exponential average is the plain mean of its first bars.
"""

import math

import numpy as np

from engine.features.jit import Array, kernel

RESUM = 512
"""A running sum is summed anew every so many bars: rounding never piles up and a wild price never stays in it."""


@kernel
def sma(x: Array, n: int) -> Array:
    """Simple moving average."""
    size = x.size
    out = np.empty(size)
    for i in range(min(n - 1, size)):
        out[i] = np.nan
    share = 1.0 / n
    start = n - 1
    while start < size:
        stop = min(start + RESUM, size)
        total = 0.0
        for j in range(start - n + 1, start):
            total += x[j]
        for i in range(start, stop):
            total += x[i]
            out[i] = total * share
            total -= x[i - n + 1]
        start = stop
    return out


@kernel
def ema(x: Array, n: int) -> Array:
    """Exponential moving average, weight 2/(n+1), seeded with the mean of the first n."""
    size = x.size
    out = np.empty(size)
    for i in range(min(n - 1, size)):
        out[i] = np.nan
    if size < n:
        return out
    total = 0.0
    for i in range(n):
        total += x[i]
    e = total / n
    out[n - 1] = e
    k = 2.0 / (n + 1)
    for i in range(n, size):
        e += k * (x[i] - e)
        out[i] = e
    return out


@kernel
def wma(x: Array, n: int) -> Array:
    """Linearly weighted moving average, newest weight n."""
    size = x.size
    out = np.empty(size)
    for i in range(min(n - 1, size)):
        out[i] = np.nan
    share = 2.0 / (n * (n + 1.0))
    start = n - 1
    while start < size:
        stop = min(start + RESUM, size)
        plain_sum = 0.0
        weighted = 0.0
        for j in range(n - 1):
            plain_sum += x[start - n + 1 + j]
            weighted += (j + 1) * x[start - n + 1 + j]
        for i in range(start, stop):
            plain_sum += x[i]
            weighted += n * x[i]
            out[i] = weighted * share
            weighted -= plain_sum
            plain_sum -= x[i - n + 1]
        start = stop
    return out


@kernel
def hma(x: Array, n: int) -> Array:
    """Hull moving average: WMA over sqrt(n) of 2 WMA(n/2) - WMA(n)."""
    size = x.size
    out = np.full(size, np.nan)
    if size < n:
        return out
    raw = 2.0 * wma(x, max(n // 2, 1))[n - 1 :] - wma(x, n)[n - 1 :]
    out[n - 1 :] = wma(raw, max(int(math.sqrt(n)), 1))
    return out


@kernel
def vwma(x: Array, v: Array, n: int) -> Array:
    """Volume-weighted moving average; NaN while nothing traded in the window."""
    size = x.size
    out = np.empty(size)
    for i in range(min(n - 1, size)):
        out[i] = np.nan
    start = n - 1
    while start < size:
        stop = min(start + RESUM, size)
        value = 0.0
        volume = 0.0
        idle = 0
        for j in range(start - n + 1, start):
            value += x[j] * v[j]
            volume += v[j]
            idle += v[j] == 0.0
        for i in range(start, stop):
            value += x[i] * v[i]
            volume += v[i]
            idle += v[i] == 0.0
            out[i] = value / volume if idle < n and volume > 0.0 else np.nan
            j = i - n + 1
            value -= x[j] * v[j]
            volume -= v[j]
            idle -= v[j] == 0.0
        start = stop
    return out


@kernel
def macd(x: Array, fast: int, slow: int, signal: int) -> tuple[Array, Array, Array]:
    """MACD line, signal line, histogram. Needs fast <= slow. All three begin with the signal line."""
    size = x.size
    line = np.empty(size)
    mean = np.empty(size)
    bars = np.empty(size)
    first = slow + signal - 2
    for i in range(min(first, size)):
        line[i] = mean[i] = bars[i] = np.nan
    if size <= first:
        return line, mean, bars
    ef = 0.0
    es = 0.0
    for i in range(slow):
        es += x[i]
        if i >= slow - fast:
            ef += x[i]
    es /= slow
    ef /= fast
    kf, ks, kg = 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (signal + 1)
    total = ef - es
    for i in range(slow, first + 1):
        ef += kf * (x[i] - ef)
        es += ks * (x[i] - es)
        total += ef - es
    g = total / signal
    m = ef - es
    line[first] = m
    mean[first] = g
    bars[first] = m - g
    for i in range(first + 1, size):
        ef += kf * (x[i] - ef)
        es += ks * (x[i] - es)
        m = ef - es
        g += kg * (m - g)
        line[i] = m
        mean[i] = g
        bars[i] = m - g
    return line, mean, bars


@kernel
def trix(x: Array, n: int, signal: int) -> tuple[Array, Array]:
    """Percent change of a three times smoothed EMA, and its simple mean."""
    size = x.size
    out = np.full(size, np.nan)
    mean = np.full(size, np.nan)
    first = 3 * (n - 1) + 1
    if size <= first:
        return out, mean
    e1 = ema(x, n)[n - 1 :]
    e2 = ema(e1, n)[n - 1 :]
    e3 = ema(e2, n)[n - 1 :]
    for i in range(1, e3.size):
        out[first - 1 + i] = 100.0 * (e3[i] / e3[i - 1] - 1.0) if e3[i - 1] != 0.0 else 0.0
    mean[first:] = sma(out[first:], signal)
    return out, mean
