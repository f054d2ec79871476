"""The hot indicators bar by bar, O(1) each, for many symbols in one call; equal, bit for bit, to the batch kernels.

`push` closes a bar; `peek` says what the values would be if the running bar closed now, and changes nothing.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.features.indicators.registry import INDICATORS
from engine.features.jit import Array, Ints, kernel, plain

OUTPUTS: Final = (
    "sma",
    "ema",
    "rsi",
    "macd",
    "macd_signal",
    "macd_histogram",
    "bb_upper",
    "bb_middle",
    "bb_lower",
    "atr",
    "vwap_upper",
    "vwap",
    "vwap_lower",
)

INPUTS: Final = ("high", "low", "close", "volume")

RESUM = 512
"""The same as in the batch kernels: both make their running sums anew at the same bars."""

_STATE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HotParams:
    """The settings of the hot indicators; bounds are those of the registry."""

    sma: int = 20
    ema: int = 20
    rsi: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    bb: int = 20
    bb_width: float = 2.0
    atr: int = 14
    vwap_width: float = 1.0

    def __post_init__(self) -> None:
        INDICATORS["sma"].resolve({"period": self.sma})
        INDICATORS["ema"].resolve({"period": self.ema})
        INDICATORS["rsi"].resolve({"period": self.rsi})
        INDICATORS["macd"].resolve({"fast": self.macd_fast, "slow": self.macd_slow, "signal": self.macd_signal})
        INDICATORS["bbands"].resolve({"period": self.bb, "width": self.bb_width})
        INDICATORS["atr"].resolve({"period": self.atr})
        INDICATORS["vwap"].resolve({"width": self.vwap_width})


class HotIndicators:
    """Running SMA, EMA, RSI, MACD, Bollinger bands, ATR and session VWAP of `symbols` rows.

    A bar whose high, low or close is not finite gives NaN and starts the warm-up again; a volume that is not finite
    does so for the VWAP alone.
    """

    def __init__(self, symbols: int, params: HotParams | None = None) -> None:
        if symbols < 1:
            raise ValueError(f"symbols must be at least 1, not {symbols}")
        p = params if params is not None else HotParams()
        self.params = p
        self._periods: Ints = np.array(
            [p.sma, p.ema, p.rsi, p.macd_fast, p.macd_slow, p.macd_signal, p.bb, p.atr], dtype=np.int64
        )
        self._widths: Array = np.array([p.bb_width, p.vwap_width])
        self._state: Array = np.zeros((symbols, _STATE))
        self._count: Ints = np.zeros((symbols, 2), dtype=np.int64)
        self._ring: Array = np.zeros((symbols, max(p.sma, p.bb)))

    @property
    def symbols(self) -> int:
        return int(self._count.shape[0])

    def push(self, rows: Ints, bars: Array, session: Ints) -> Array:
        """Close one bar per row; `bars` is (rows, 4): high, low, close, volume. Returns (rows, 13) as OUTPUTS."""
        return self._run(rows, bars, session, True)

    def peek(self, rows: Ints, bars: Array, session: Ints) -> Array:
        """Return what `push` would, and keep the state."""
        return self._run(rows, bars, session, False)

    def reset(self, row: int) -> None:
        """Forget a row."""
        if not 0 <= row < self.symbols:
            raise IndexError(f"row {row} is outside 0 .. {self.symbols - 1}")
        self._count[row] = 0

    def _run(self, rows: Ints, bars: Array, session: Ints, commit: bool) -> Array:
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        session = np.ascontiguousarray(session, dtype=np.int64)
        bars = plain(bars)
        if bars.shape != (rows.size, len(INPUTS)) or session.shape != rows.shape:
            raise ValueError(f"bars must be ({rows.size}, 4) with one session each, not {bars.shape}, {session.shape}")
        if rows.size and (rows.min() < 0 or rows.max() >= self.symbols):
            raise IndexError(f"rows must lie inside 0 .. {self.symbols - 1}")
        out = np.empty((rows.size, len(OUTPUTS)))
        step_many(
            self._state,
            self._count,
            self._ring,
            self._periods,
            self._widths,
            rows,
            bars,
            session,
            commit,
            out,
        )
        return out


@kernel
def step(
    s: Array, count: Ints, ring: Array, p: Ints, widths: Array, bar: Array, session: int, commit: bool, out: Array
) -> None:
    """Take one bar of one row.

    State: 0 SMA sum, 1 EMA, 2-3 RSI, 4-6 MACD, 7-9 Bollinger base and sums, 10 ATR, 11 last close, 12-14 VWAP volume,
    mean and spread, 15 session. Counts: bars, and bars of the VWAP.
    """
    out[:] = np.nan
    h, l, x, v = bar[0], bar[1], bar[2], bar[3]
    if not (math.isfinite(h) and math.isfinite(l) and math.isfinite(x)):
        if commit:
            count[0] = 0
            count[1] = 0
        return
    i = count[0]
    size = ring.size
    before = s[11]

    n = p[0]
    total = s[0]
    if i >= n - 1:
        if (i - n + 1) % RESUM == 0:
            total = 0.0
            for j in range(i - n + 1, i):
                total += ring[j % size]
        total += x
        out[0] = total * (1.0 / n)
        total -= ring[(i - n + 1) % size] if n > 1 else x

    n = p[1]
    e = s[1] if i > 0 else 0.0
    if i < n:
        e += x
        if i == n - 1:
            e /= n
    else:
        e += 2.0 / (n + 1) * (x - e)
    if i >= n - 1:
        out[1] = e

    n = p[2]
    up = s[2] if i > 0 else 0.0
    down = s[3] if i > 0 else 0.0
    if i > 0:
        t = x - before
        gain = max(t, 0.0)
        loss = max(-t, 0.0)
        if i <= n:
            up += gain
            down += loss
            if i == n:
                up /= n
                down /= n
        else:
            w = 1.0 / n
            up = up * (1.0 - w) + w * gain
            down = down * (1.0 - w) + w * loss
        if i >= n:
            out[2] = 100.0 * up / (up + down) if up + down > 0.0 else 50.0

    fast, slow, signal = p[3], p[4], p[5]
    ef = s[4] if i > 0 else 0.0
    es = s[5] if i > 0 else 0.0
    g = s[6] if i > 0 else 0.0
    if i < slow:
        es += x
        if i >= slow - fast:
            ef += x
        if i == slow - 1:
            es /= slow
            ef /= fast
    else:
        ef += 2.0 / (fast + 1) * (x - ef)
        es += 2.0 / (slow + 1) * (x - es)
    if i >= slow - 1:
        m = ef - es
        first = slow + signal - 2
        if i < first:
            g += m
        elif i == first:
            g = (g + m) / signal
        else:
            g += 2.0 / (signal + 1) * (m - g)
        if i >= first:
            out[3] = m
            out[4] = g
            out[5] = m - g

    n = p[6]
    base, bs, bq = s[7], s[8], s[9]
    if i >= n - 1:
        if (i - n + 1) % RESUM == 0:
            base = x
            bs = 0.0
            bq = 0.0
            for j in range(i - n + 1, i):
                t = ring[j % size] - base
                bs += t
                bq += t * t
        t = x - base
        bs += t
        bq += t * t
        m = bs * (1.0 / n)
        spread = widths[0] * math.sqrt(max(bq * (1.0 / n) - m * m, 0.0))
        m += base
        out[6] = m + spread
        out[7] = m
        out[8] = m - spread
        t = (ring[(i - n + 1) % size] if n > 1 else x) - base
        bs -= t
        bq -= t * t

    n = p[7]
    a = s[10] if i > 0 else 0.0
    if i > 0:
        t = max(h, before) - min(l, before)
        if i <= n:
            a += t
            if i == n:
                a /= n
        else:
            w = 1.0 / n
            a = a * (1.0 - w) + w * t
        if i >= n:
            out[9] = a

    traded, mean, off2 = s[12], s[13], s[14]
    if not math.isfinite(v):
        if commit:
            count[1] = 0
    else:
        if count[1] == 0 or session != int(s[15]):
            traded = mean = off2 = 0.0
        if v > 0.0:
            typical = (h + l + x) / 3.0
            traded += v
            off = typical - mean
            mean += off * (v / traded)
            off2 += v * off * (typical - mean)
        if traded > 0.0:
            sd = widths[1] * math.sqrt(max(off2 / traded, 0.0))
            out[10] = mean + sd
            out[11] = mean
            out[12] = mean - sd
        if commit:
            count[1] += 1

    if commit:
        s[0], s[1], s[2], s[3] = total, e, up, down
        s[4], s[5], s[6] = ef, es, g
        s[7], s[8], s[9] = base, bs, bq
        s[10], s[11] = a, x
        s[12], s[13], s[14], s[15] = traded, mean, off2, float(session)
        ring[i % size] = x
        count[0] = i + 1


@kernel
def step_many(
    state: Array,
    count: Ints,
    ring: Array,
    periods: Ints,
    widths: Array,
    rows: Ints,
    bars: Array,
    session: Ints,
    commit: bool,
    out: Array,
) -> None:
    """Take one bar for each of `rows`."""
    for i in range(rows.size):
        k = rows[i]
        step(state[k], count[k], ring[k], periods, widths, bars[i], session[i], commit, out[i])


@kernel
def _history(
    state: Array,
    count: Ints,
    ring: Array,
    p: Ints,
    widths: Array,
    lead: int,
    h: Array,
    l: Array,
    x: Array,
    out: Array,
) -> None:
    """The first `lead` bars by `step`; from there, everything warm, one pass with the state in registers."""
    bar = np.zeros(4)
    row = np.empty(13)
    for i in range(min(lead, x.size)):
        bar[0], bar[1], bar[2] = h[i], l[i], x[i]
        step(state, count, ring, p, widths, bar, 0, True, row)
        for f in range(10):
            out[f, i] = row[f]
    if x.size <= lead:
        return
    n_sma, n_bb = p[0], p[6]
    total, e, up, down, ef, es, g = state[0], state[1], state[2], state[3], state[4], state[5], state[6]
    base, bs, bq, a = state[7], state[8], state[9], state[10]
    before = x[lead - 1]
    share, bb_share, wide = 1.0 / n_sma, 1.0 / n_bb, widths[0]
    ke, kf, ks, kg = 2.0 / (p[1] + 1), 2.0 / (p[3] + 1), 2.0 / (p[4] + 1), 2.0 / (p[5] + 1)
    w_rsi, w_atr = 1.0 / p[2], 1.0 / p[7]
    k_rsi, k_atr = 1.0 - w_rsi, 1.0 - w_atr
    start = lead
    while start < x.size:
        # up to the next bar at which one of the running sums is made anew
        to_sma = RESUM - (start - n_sma + 1) % RESUM
        to_bb = RESUM - (start - n_bb + 1) % RESUM
        stop = min(start + min(to_sma, to_bb), x.size)
        if to_sma == RESUM:
            total = 0.0
            for j in range(start - n_sma + 1, start):
                total += x[j]
        if to_bb == RESUM:
            base = x[start]
            bs = 0.0
            bq = 0.0
            for j in range(start - n_bb + 1, start):
                t = x[j] - base
                bs += t
                bq += t * t
        # views from here: an index that starts at 0 needs no test for being negative
        count_now = stop - start
        xs, hs, ls = x[start:stop], h[start:stop], l[start:stop]
        old_sma = x[start - n_sma + 1 : stop - n_sma + 1]
        old_bb = x[start - n_bb + 1 : stop - n_bb + 1]
        o_sma = out[0, start:stop]
        o_ema = out[1, start:stop]
        o_rsi = out[2, start:stop]
        o_macd = out[3, start:stop]
        o_sig = out[4, start:stop]
        o_hist = out[5, start:stop]
        o_up = out[6, start:stop]
        o_mid = out[7, start:stop]
        o_low = out[8, start:stop]
        o_atr = out[9, start:stop]
        for i in range(count_now):
            z = xs[i]
            total += z
            o_sma[i] = total * share
            total -= old_sma[i]
            e += ke * (z - e)
            o_ema[i] = e
            t = z - before
            up = up * k_rsi + w_rsi * max(t, 0.0)
            down = down * k_rsi + w_rsi * max(-t, 0.0)
            o_rsi[i] = 100.0 * up / (up + down) if up + down > 0.0 else 50.0
            ef += kf * (z - ef)
            es += ks * (z - es)
            m = ef - es
            g += kg * (m - g)
            o_macd[i] = m
            o_sig[i] = g
            o_hist[i] = m - g
            t = z - base
            bs += t
            bq += t * t
            m = bs * bb_share
            spread = wide * math.sqrt(max(bq * bb_share - m * m, 0.0))
            m += base
            o_up[i] = m + spread
            o_mid[i] = m
            o_low[i] = m - spread
            t = old_bb[i] - base
            bs -= t
            bq -= t * t
            t = max(hs[i], before) - min(ls[i], before)
            a = a * k_atr + w_atr * t
            o_atr[i] = a
            before = z
        start = stop


def hot_history(
    high: Array, low: Array, close: Array, params: HotParams | None = None, out: Array | None = None
) -> Array:
    """Return (10, bars): all of OUTPUTS but the VWAP over a whole history in one pass, the bits of `HotIndicators`.

    `out` may be given to be written into: fresh memory costs as much as the arithmetic.
    Raises ValueError on columns of different length or a value that is not finite; a spec's `compute` takes those.
    """
    h, l, c = plain(high), plain(low), plain(close)
    if not (h.shape == l.shape == c.shape and c.ndim == 1):
        raise ValueError(f"high, low and close must be columns of one length, not {h.shape}, {l.shape}, {c.shape}")
    if not (np.isfinite(h).all() and np.isfinite(l).all() and np.isfinite(c).all()):
        raise ValueError("high, low and close must be finite")
    hot = HotIndicators(1, params)
    p = hot.params
    lead = max(p.sma, p.ema, p.rsi + 1, p.macd_slow + p.macd_signal - 1, p.bb, p.atr + 1)
    if out is None:
        out = np.empty((10, c.size))
    elif out.shape != (10, c.size) or not out.flags.c_contiguous or out.dtype != np.float64:
        raise ValueError(f"out must be float64, contiguous and (10, {c.size}), not {out.dtype} {out.shape}")
    _history(hot._state[0], hot._count[0], hot._ring[0], hot._periods, hot._widths, lead, h, l, c, out)
    return out
