"""Speed of a price: RSI, CCI, rate of change, momentum."""

import math

import numpy as np

from engine.features.jit import Array, kernel


@kernel
def rsi(x: Array, n: int) -> Array:
    """Wilder's relative strength index, 0-100; 50 while nothing has moved."""
    size = x.size
    out = np.empty(size)
    for i in range(min(n, size)):
        out[i] = np.nan
    if size <= n:
        return out
    up = 0.0
    down = 0.0
    for i in range(1, n + 1):
        t = x[i] - x[i - 1]
        up += max(t, 0.0)
        down += max(-t, 0.0)
    up /= n
    down /= n
    out[n] = 100.0 * up / (up + down) if up + down > 0.0 else 50.0
    w = 1.0 / n
    for i in range(n + 1, size):
        t = x[i] - x[i - 1]
        up += w * (max(t, 0.0) - up)
        down += w * (max(-t, 0.0) - down)
        out[i] = 100.0 * up / (up + down) if up + down > 0.0 else 50.0
    return out


@kernel
def cci(h: Array, l: Array, c: Array, n: int) -> Array:
    """Commodity channel index: typical price off its mean, in 0.015 mean absolute deviations; 0 when flat."""
    size = c.size
    out = np.empty(size)
    typical = (h + l + c) / 3.0
    for i in range(min(n - 1, size)):
        out[i] = np.nan
    for i in range(n - 1, size):
        total = 0.0
        for j in range(i - n + 1, i + 1):
            total += typical[j]
        mean = total / n
        off = 0.0
        for j in range(i - n + 1, i + 1):
            off += abs(typical[j] - mean)
        off /= n
        out[i] = (typical[i] - mean) / (0.015 * off) if off > 1e-12 * abs(mean) else 0.0
    return out


@kernel
def roc(x: Array, n: int) -> Array:
    """Percent change over n bars; NaN where the older value is 0."""
    out = np.full(x.size, np.nan)
    for i in range(n, x.size):
        ratio = x[i] / x[i - n] if x[i - n] != 0.0 else np.nan
        out[i] = 100.0 * (ratio - 1.0) if math.isfinite(ratio) else np.nan
    return out


@kernel
def mom(x: Array, n: int) -> Array:
    """Difference over n bars."""
    out = np.full(x.size, np.nan)
    for i in range(n, x.size):
        out[i] = x[i] - x[i - n]
    return out
