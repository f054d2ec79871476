"""K-bar, return, trend and dispersion features: names and formulas follow qlib's Alpha158 where they coincide."""

import math

from engine.features.jit import Array, part
from engine.features.kernels.stats import EPS, is_flat, mean, sample_std


@part
def k_bar(o: Array, h: Array, l: Array, c: Array, out: Array) -> None:
    """9 values: body, length, shadows and shift of the last bar, over the open and (suffix 2) over the bar's range."""
    op, hi, lo, cl = o[-1], h[-1], l[-1], c[-1]
    span = hi - lo + EPS
    top = max(op, cl)
    bottom = min(op, cl)
    out[0] = (cl - op) / op
    out[1] = (hi - lo) / op
    out[2] = (cl - op) / span
    out[3] = (hi - top) / op
    out[4] = (hi - top) / span
    out[5] = (bottom - lo) / op
    out[6] = (bottom - lo) / span
    out[7] = (2 * cl - hi - lo) / op
    out[8] = (2 * cl - hi - lo) / span


@part
def returns(c: Array, out: Array) -> None:
    """8 values: ROCd = c[-d]/c, and MOM12_1 = c[-20]/c[-250] - 1 (the year without its last month)."""
    n = c.size
    for i, d in enumerate((1, 5, 10, 20, 60, 120, 250)):
        if n > d:
            out[i] = c[n - 1 - d] / c[n - 1]
    if n > 250:
        out[7] = c[n - 21] / c[n - 251] - 1.0


@part
def trend(c: Array, out: Array) -> None:
    """10 values: MADIST = c/mean - 1; slope, R-square and last residual of c[i]/c on time (per bar)."""
    n = c.size
    last = c[n - 1]
    for i, d in enumerate((5, 20, 60, 200)):
        if n >= d:
            out[i] = last / mean(c, n - d, n) - 1.0
    for i, d in enumerate((20, 60)):
        if n >= d:
            ym = mean(c, n - d, n)
            xm = 0.5 * (d - 1)
            xx = d * (d * d - 1.0) / 12.0
            xy = 0.0
            yy = 0.0
            for j in range(d):
                y = c[n - d + j] - ym
                xy += (j - xm) * y
                yy += y * y
            slope = xy / xx
            out[i + 4] = slope / last
            if is_flat(yy, d, ym):
                out[i + 6] = 0.0
            else:
                out[i + 6] = min(1.0, xy * slope / yy)
            out[i + 8] = (last - (ym + slope * xm)) / last


@part
def dispersion(r: Array, out: Array) -> None:
    """4 values: sample standard deviation of log returns; r holds the last log returns, newest at the end."""
    n = r.size
    for i, d in enumerate((5, 10, 20, 60)):
        if n >= d:
            out[i] = sample_std(r, n - d, n, 0.01)


@part
def log_returns(c: Array, out: Array) -> None:
    """out[i] = ln(c[i+1] / c[i])."""
    for i in range(out.size):
        out[i] = math.log(c[i + 1] / c[i])
