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
    keep = 1.0 - w  # two products added: a shorter chain from bar to bar than a difference scaled and added
    for i in range(n + 1, size):
        t = x[i] - x[i - 1]
        up = up * keep + w * max(t, 0.0)
        down = down * keep + w * max(-t, 0.0)
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
    half = n // 2
    for i in range(n - 1, size):
        window = typical[i - n + 1 : i + 1]
        # two sums side by side: each addition waits only for its own
        a = 0.0
        b = 0.0
        for j in range(half):
            a += window[j]
            b += window[j + half]
        if n % 2:
            a += window[n - 1]
        mean = (a + b) / n
        a = 0.0
        b = 0.0
        for j in range(half):
            a += abs(window[j] - mean)
            b += abs(window[j + half] - mean)
        if n % 2:
            a += abs(window[n - 1] - mean)
        off = (a + b) / n
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
