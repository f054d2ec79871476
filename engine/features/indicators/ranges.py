"""Highest and lowest of a window, and the indicators that ask where a price stands between them."""

import numpy as np

from engine.features.jit import Array, Ints, kernel


@kernel
def highest_at(x: Array, n: int) -> Ints:
    """Position of the highest of the last n (the newest of equals); -1 until n are there."""
    out = np.full(x.size, -1, dtype=np.int64)
    best = -1
    for i in range(x.size):
        if best >= 0 and best > i - n:
            if x[i] >= x[best]:
                best = i
        else:
            first = max(0, i - n + 1)
            best = first
            for j in range(first + 1, i + 1):
                if x[j] >= x[best]:
                    best = j
        if i >= n - 1:
            out[i] = best
    return out


@kernel
def lowest_at(x: Array, n: int) -> Ints:
    """Position of the lowest of the last n (the newest of equals); -1 until n are there."""
    return highest_at(-x, n)


@kernel
def donchian(h: Array, l: Array, n: int) -> tuple[Array, Array, Array]:
    """Highest high, middle and lowest low."""
    size = h.size
    top = np.full(size, np.nan)
    middle = np.full(size, np.nan)
    bottom = np.full(size, np.nan)
    up = highest_at(h, n)
    down = lowest_at(l, n)
    for i in range(n - 1, size):
        top[i] = h[up[i]]
        bottom[i] = l[down[i]]
        middle[i] = 0.5 * (top[i] + bottom[i])
    return top, middle, bottom


@kernel
def percent_k(h: Array, l: Array, c: Array, n: int) -> Array:
    """Where the close stands between the lowest low (0) and the highest high (100); 50 in a flat window."""
    size = c.size
    out = np.full(size, np.nan)
    up = highest_at(h, n)
    down = lowest_at(l, n)
    for i in range(n - 1, size):
        top = h[up[i]]
        bottom = l[down[i]]
        out[i] = 100.0 * ((c[i] - bottom) / (top - bottom)) if top > bottom else 50.0
    return out


@kernel
def aroon(h: Array, l: Array, n: int) -> tuple[Array, Array, Array]:
    """Aroon up, down and oscillator over n + 1 bars: 100 (n - bars since the extreme) / n."""
    size = h.size
    rise = np.full(size, np.nan)
    fall = np.full(size, np.nan)
    both = np.full(size, np.nan)
    up = highest_at(h, n + 1)
    down = lowest_at(l, n + 1)
    for i in range(n, size):
        rise[i] = 100.0 * (n - (i - up[i])) / n
        fall[i] = 100.0 * (n - (i - down[i])) / n
        both[i] = rise[i] - fall[i]
    return rise, fall, both


@kernel
def delay(x: Array, n: int) -> Array:
    """The value of n bars ago."""
    out = np.full(x.size, np.nan)
    for i in range(n, x.size):
        out[i] = x[i - n]
    return out
