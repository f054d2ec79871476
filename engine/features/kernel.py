"""The feature kernel: the last 252 closed bars in, 93 numbers out. Live, history, training and backtest all call this.

An input bar is valid when its prices are finite, inside 1e-9 .. 1e12 and high >= low; its volume when inside
0 .. 1e18; the market's close when inside 1e-9 .. 1e12. An invalid bar cuts the history: only the bars after it count.
A value is NaN exactly when fewer valid bars remain than `FEATURES` names (and AMIHUD20 when no bar traded); otherwise
finite, never beyond +-1e9. A window without movement gives the neutral value of the feature, not NaN.
"""

import math
from collections.abc import Callable

import numpy as np

from engine.features.jit import Array, Ints, kernel, part, plain
from engine.features.kernels.classic import classic
from engine.features.kernels.factor import factor
from engine.features.kernels.price import dispersion, k_bar, log_returns, returns, trend
from engine.features.kernels.ranges import ranges
from engine.features.kernels.shape import liquidity, shape
from engine.features.kernels.volatility import volatility
from engine.features.kernels.volume import counts, price_volume, volume
from engine.features.names import FEATURE_COUNT, WINDOW
from engine.features.version import cache_tag

LOWEST, HIGHEST, MOST_VOLUME, LIMIT = 1e-9, 1e12, 1e18, 1e9


@part
def valid_bars(o: Array, h: Array, l: Array, c: Array) -> int:
    """Count the valid bars at the end of the window, up to the first invalid one looking back."""
    n = c.size
    for back in range(1, n + 1):
        j = n - back
        low = min(min(o[j], h[j]), min(l[j], c[j]))
        top = max(max(o[j], h[j]), max(l[j], c[j]))
        # sums spread a NaN that min and max may swallow
        whole = math.isfinite(o[j] + h[j] + l[j] + c[j])
        if not (whole and low >= LOWEST and top <= HIGHEST and h[j] >= l[j]):
            return back - 1
    return n


@part
def valid_values(x: Array, count: int, lowest: float, highest: float) -> int:
    """Count the values at the end, at most `count`, that lie inside the bounds; NaN does not."""
    n = x.size
    for back in range(1, count + 1):
        if not (x[n - back] >= lowest and x[n - back] <= highest):
            return back - 1
    return count


@part
def vector(o: Array, h: Array, l: Array, c: Array, v: Array, mkt: Array, out: Array) -> None:
    """Write the 93 features of the last bar of a window of closed bars (oldest first, equal lengths <= 252).

    `mkt` is the market's close at the time of each bar (an index or a universe average; NaN where unknown).
    """
    out[:] = np.nan
    n = c.size
    k = valid_bars(o, h, l, c)
    if k > 0:
        scratch = np.empty((3, 60))
        x, y = scratch[0], scratch[1]
        po, ph, pl, pc = o[n - k :], h[n - k :], l[n - k :], c[n - k :]
        m = min(k - 1, 60)
        r = scratch[2, :m]
        log_returns(pc[k - 1 - m :], r)
        k_bar(po, ph, pl, pc, out[0:9])
        returns(pc, out[9:17])
        trend(pc, out[17:27])
        dispersion(r, out[27:31])
        ranges(ph, pl, pc, x, out[31:45])
        counts(pc, out[51:57])
        volatility(po, ph, pl, pc, out[27], out[30], x, out[64:73])
        shape(po, pc, r, out[73:82])
        classic(po, ph, pl, pc, out[82:88])
        kv = valid_values(v, k, 0.0, MOST_VOLUME)
        if kv > 0:
            vc, vv = c[n - kv :], v[n - kv :]
            price_volume(vc, vv, x, y, out[45:51])
            volume(vc, vv, x, out[57:64])
            liquidity(vc, vv, out[73:82])
        km = valid_values(mkt, k, LOWEST, HIGHEST)
        if km > 0:
            factor(c[n - km :], mkt[n - km :], x, y, out[88:93])
        for i in range(FEATURE_COUNT):
            if out[i] > LIMIT:
                out[i] = LIMIT
            elif out[i] < -LIMIT:
                out[i] = -LIMIT


At = Callable[[Array, Array, Array, Array, Array, Array, Array], None]
Live = Callable[[Array, Ints, Ints, Ints, Array], None]


def _entries(tag: int) -> tuple[At, At, Live]:
    """Make the three doors to the kernel. Each carries the tag in its closure, which is part of its key on disk."""

    @kernel
    def at(o: Array, h: Array, l: Array, c: Array, v: Array, mkt: Array, out: Array) -> None:
        if tag != 0:
            vector(o, h, l, c, v, mkt, out)

    @kernel
    def history(o: Array, h: Array, l: Array, c: Array, v: Array, mkt: Array, out: Array) -> None:
        if tag != 0:
            for t in range(c.size):
                a = max(0, t + 1 - WINDOW)
                b = t + 1
                vector(o[a:b], h[a:b], l[a:b], c[a:b], v[a:b], mkt[a:b], out[t])

    @kernel
    def live(rings: Array, starts: Ints, stops: Ints, rows: Ints, out: Array) -> None:
        if tag != 0:
            for i in range(rows.size):
                k = rows[i]
                a = starts[k]
                b = stops[k]
                vector(
                    rings[0, k, a:b],
                    rings[1, k, a:b],
                    rings[2, k, a:b],
                    rings[3, k, a:b],
                    rings[4, k, a:b],
                    rings[5, k, a:b],
                    out[i],
                )

    return at, history, live


features_at, _history, features_live = _entries(cache_tag())
"""`features_at(o, h, l, c, v, mkt, out[93])`: the door for one window; `features_live`: for rows of a `WindowStore`."""


def features_history(o: Array, h: Array, l: Array, c: Array, v: Array, mkt: Array | None = None) -> Array:
    """Return (bars, 93): row t from the 252 bars up to t, by the kernel the live engine uses.

    Columns are float64, oldest first. Without `mkt` the factor group is NaN. Raises ValueError on unequal lengths.
    """
    columns = [plain(x) for x in (o, h, l, c, v)]
    columns.append(np.full(columns[0].shape, np.nan) if mkt is None else plain(mkt))
    shapes = {x.shape for x in columns}
    if len(shapes) != 1 or columns[0].ndim != 1:
        raise ValueError(f"o, h, l, c, v and mkt must be columns of one length, not {[x.shape for x in columns]}")
    out = np.empty((columns[0].size, FEATURE_COUNT))
    a, b, d, e, f, g = columns
    _history(a, b, d, e, f, g, out)
    return out
