"""Direction of a market: ADX and DMI, SuperTrend, Parabolic SAR, Heikin-Ashi."""

import math

import numpy as np

from engine.features.jit import Array, kernel


@kernel
def adx(h: Array, l: Array, c: Array, n: int) -> tuple[Array, Array, Array]:
    """Wilder's ADX, +DI and -DI (0-100), summed and smoothed as TA-Lib does."""
    size = c.size
    out = np.full(size, np.nan)
    plus = np.full(size, np.nan)
    minus = np.full(size, np.nan)
    tr = pd = md = dx = 0.0
    count = 0
    w = 1.0 - 1.0 / n
    for i in range(1, size):
        t = max(h[i], c[i - 1]) - min(l[i], c[i - 1])
        a = h[i] - h[i - 1]
        b = l[i - 1] - l[i]
        p = a if a > b and a > 0.0 else 0.0
        m = b if b > a and b > 0.0 else 0.0
        if i < n:
            tr += t
            pd += p
            md += m
            continue
        tr = tr * w + t
        pd = pd * w + p
        md = md * w + m
        s = pd + md
        plus[i] = 100.0 * (pd / tr) if tr > 0.0 else 0.0
        minus[i] = 100.0 * (md / tr) if tr > 0.0 else 0.0
        v = 100.0 * abs(pd - md) / s if s > 0.0 else 0.0
        count += 1
        if count < n:
            dx += v
        elif count == n:
            dx = (dx + v) / n
            out[i] = dx
        else:
            dx += (v - dx) / n
            out[i] = dx
    return out, plus, minus


@kernel
def supertrend(h: Array, l: Array, c: Array, atr: Array, width: float) -> tuple[Array, Array]:
    """The stop line `width` ATRs from the bar's middle, which only tightens, and its side: 1 below price, -1 above."""
    size = c.size
    line = np.full(size, np.nan)
    side = np.full(size, np.nan)
    top = bottom = direction = 0.0
    started = False
    for i in range(size):
        if math.isnan(atr[i]):
            continue
        middle = 0.5 * (h[i] + l[i])
        up = middle + width * atr[i]
        down = middle - width * atr[i]
        if not started:
            started = True
            top = up
            bottom = down
            direction = 1.0
        else:
            # a band moves towards the price, or anew once the last close went through it
            if up < top or c[i - 1] > top:
                top_now = up
            else:
                top_now = top
            if down > bottom or c[i - 1] < bottom:
                bottom_now = down
            else:
                bottom_now = bottom
            if c[i] > top:
                direction = 1.0
            elif c[i] < bottom:
                direction = -1.0
            top = top_now
            bottom = bottom_now
        line[i] = bottom if direction > 0.0 else top
        side[i] = direction
    return line, side


@kernel
def psar(h: Array, l: Array, step: float, most: float) -> tuple[Array, Array]:
    """Wilder's parabolic stop and reverse, and its side (1 long, -1 short); starts at bar 1 as TA-Lib does."""
    size = h.size
    stop = np.full(size, np.nan)
    side = np.full(size, np.nan)
    if size < 2:
        return stop, side
    fall = l[0] - l[1]
    long = not (fall > 0.0 and fall > h[1] - h[0])
    extreme = h[1] if long else l[1]
    sar = l[0] if long else h[0]
    pace = step
    for i in range(1, size):
        # the stop may not stand inside this bar or the one before
        b = i - 1 if i > 1 else i
        low = min(l[b], l[i])
        high = max(h[b], h[i])
        if long and l[i] <= sar:
            long = False
            sar = max(extreme, high)
            stop[i] = sar
            pace = step
            extreme = l[i]
            sar = max(sar + pace * (extreme - sar), high)
        elif not long and h[i] >= sar:
            long = True
            sar = min(extreme, low)
            stop[i] = sar
            pace = step
            extreme = h[i]
            sar = min(sar + pace * (extreme - sar), low)
        else:
            stop[i] = sar
            if long:
                if h[i] > extreme:
                    extreme = h[i]
                    pace = min(pace + step, most)
                sar = min(sar + pace * (extreme - sar), low)
            else:
                if l[i] < extreme:
                    extreme = l[i]
                    pace = min(pace + step, most)
                sar = max(sar + pace * (extreme - sar), high)
        side[i] = 1.0 if long else -1.0
    return stop, side


@kernel
def heikin_ashi(o: Array, h: Array, l: Array, c: Array) -> tuple[Array, Array, Array, Array]:
    """Heikin-Ashi open, high, low, close: close the bar's mean, open the middle of the last body."""
    size = c.size
    ho = np.empty(size)
    hh = np.empty(size)
    hl = np.empty(size)
    hc = np.empty(size)
    for i in range(size):
        hc[i] = 0.25 * (o[i] + h[i] + l[i] + c[i])
        ho[i] = 0.5 * (o[i] + c[i]) if i == 0 else 0.5 * (ho[i - 1] + hc[i - 1])
        hh[i] = max(h[i], ho[i], hc[i])
        hl[i] = min(l[i], ho[i], hc[i])
    return ho, hh, hl, hc
