"""Price weighed by volume: OBV, MFI, VWAP, CMF, accumulation/distribution."""

import math

import numpy as np

from engine.features.jit import Array, Ints, kernel

RESUM = 512


@kernel
def obv(c: Array, v: Array) -> Array:
    """On-balance volume, starting from the first bar's volume."""
    out = np.empty(c.size)
    total = 0.0
    for i in range(c.size):
        if i == 0 or c[i] > c[i - 1]:
            total += v[i]
        elif c[i] < c[i - 1]:
            total -= v[i]
        out[i] = total
    return out


@kernel
def mfi(h: Array, l: Array, c: Array, v: Array, n: int) -> Array:
    """Money flow index, 0-100, over n changes of the typical price; 50 when nothing flowed."""
    size = c.size
    out = np.full(size, np.nan)
    typical = (h + l + c) / 3.0
    flow = np.zeros(size)
    for i in range(1, size):
        move = typical[i] - typical[i - 1]
        # equal sums of three prices may differ in the last bit: that is no move
        if abs(move) > 1e-13 * abs(typical[i]):
            flow[i] = typical[i] * v[i] if move > 0.0 else -typical[i] * v[i]
    start = n
    while start < size:
        stop = min(start + RESUM, size)
        up = 0.0
        down = 0.0
        moves = 0
        for j in range(start - n + 1, start):
            up += max(flow[j], 0.0)
            down += max(-flow[j], 0.0)
            moves += flow[j] != 0.0
        for i in range(start, stop):
            up += max(flow[i], 0.0)
            down += max(-flow[i], 0.0)
            moves += flow[i] != 0.0
            # counted, because what is left of a running sum is rarely exactly 0
            out[i] = min(100.0, max(0.0, 100.0 * (up / (up + down)))) if moves > 0 and up + down > 0.0 else 50.0
            j = i - n + 1
            up -= max(flow[j], 0.0)
            down -= max(-flow[j], 0.0)
            moves -= flow[j] != 0.0
        start = stop
    return out


@kernel
def vwap(h: Array, l: Array, c: Array, v: Array, session: Ints, width: float) -> tuple[Array, Array, Array]:
    """Upper, VWAP, lower since the session began; `width` volume-weighted standard deviations of the typical price.

    A session is a run of equal numbers. NaN until the session trades.
    """
    size = c.size
    top = np.full(size, np.nan)
    middle = np.full(size, np.nan)
    bottom = np.full(size, np.nan)
    volume = mean = spread = 0.0
    for i in range(size):
        if i == 0 or session[i] != session[i - 1]:
            volume = mean = spread = 0.0
        if v[i] > 0.0:
            typical = (h[i] + l[i] + c[i]) / 3.0
            volume += v[i]
            off = typical - mean
            mean += off * (v[i] / volume)
            spread += v[i] * off * (typical - mean)
        if volume > 0.0:
            sd = width * math.sqrt(max(spread / volume, 0.0))
            top[i] = mean + sd
            middle[i] = mean
            bottom[i] = mean - sd
    return top, middle, bottom


@kernel
def flows(h: Array, l: Array, c: Array, v: Array) -> Array:
    """Money flow volume of each bar: volume times where it closed, -1 at the low to 1 at the high."""
    out = np.empty(c.size)
    for i in range(c.size):
        span = h[i] - l[i]
        out[i] = v[i] * (((c[i] - l[i]) - (h[i] - c[i])) / span) if span > 0.0 else 0.0
    return out


@kernel
def ad(h: Array, l: Array, c: Array, v: Array) -> Array:
    """Accumulation/distribution line."""
    return np.cumsum(flows(h, l, c, v))


@kernel
def cmf(h: Array, l: Array, c: Array, v: Array, n: int) -> Array:
    """Chaikin money flow: money flow volume over volume of n bars; 0 when nothing traded."""
    size = c.size
    out = np.full(size, np.nan)
    flow = flows(h, l, c, v)
    for i in range(n - 1, size):
        total = 0.0
        volume = 0.0
        for j in range(i - n + 1, i + 1):
            total += flow[j]
            volume += v[j]
        out[i] = total / volume if volume > 0.0 else 0.0
    return out
