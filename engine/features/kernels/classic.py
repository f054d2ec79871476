"""Six classics of technical analysis, each computed anew inside a fixed window. Sources: Wilder (1978), Appel."""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import is_flat, mean, squares
from engine.features.kernels.volatility import RECURSION


@part
def classic(o: Array, h: Array, l: Array, c: Array, out: Array) -> None:
    """6 values: RSI14 (0-100), MACD histogram / c, (c - mean)/2 sd of 20 bars, DX14 (0-100), %K14 (0-1), gap."""
    n = c.size
    last = c[n - 1]
    if n >= RECURSION:
        first = n - RECURSION
        up = 0.0
        down = 0.0
        fast = slow = c[first]
        signal = 0.0
        plus = minus = 0.0
        for i in range(first + 1, n):
            change = c[i] - c[i - 1]
            gain = max(change, 0.0)
            loss = max(-change, 0.0)
            rise = h[i] - h[i - 1]
            fall = l[i - 1] - l[i]
            dm_plus = rise if rise > fall and rise > 0.0 else 0.0
            dm_minus = fall if fall > rise and fall > 0.0 else 0.0
            if i - first <= 14:
                up += gain / 14.0
                down += loss / 14.0
                plus += dm_plus / 14.0
                minus += dm_minus / 14.0
            else:
                up += (gain - up) / 14.0
                down += (loss - down) / 14.0
                plus += (dm_plus - plus) / 14.0
                minus += (dm_minus - minus) / 14.0
            fast += (c[i] - fast) * (2.0 / 13.0)
            slow += (c[i] - slow) * (2.0 / 27.0)
            signal += (fast - slow - signal) * 0.2
        # a sum of pure rounding is a market that did not move
        out[0] = 100.0 * up / (up + down) if up + down > 1e-12 * last else 50.0
        out[1] = (fast - slow - signal) / last
        out[3] = 100.0 * abs(plus - minus) / (plus + minus) if plus + minus > 1e-12 * last else 0.0
    if n >= 20:
        m = mean(c, n - 20, n)
        ss = squares(c, n - 20, n, m)
        out[2] = 0.0 if is_flat(ss, 20, m) else (last - m) / (2.0 * math.sqrt(ss / 20.0))
    if n >= 14:
        top = h[n - 14]
        bottom = l[n - 14]
        for i in range(n - 13, n):
            top = max(top, h[i])
            bottom = min(bottom, l[i])
        out[4] = (last - bottom) / (top - bottom) if top > bottom else 0.5
    if n > 1:
        out[5] = o[n - 1] / c[n - 2] - 1.0
