"""Fold finer bars into coarser ones. One definition for live and history, so both give the same bar."""

import numpy as np

from engine.market.bar_series import Bar, BarArrays, Floats, Ints


def fold_one(bars: BarArrays, ts_open: int, ts_close: int) -> Bar:
    """One bar over all of ``bars`` (at least one): first open, highest high, lowest low, last close, summed volume."""
    volumes, prices = bars.volume.tolist(), bars.vwap.tolist()
    known = [volume for volume in volumes if volume == volume]
    weighted = [(price, volume) for price, volume in zip(prices, volumes, strict=True) if price == price and volume > 0]
    weight = sum(volume for _, volume in weighted)
    return Bar(
        ts_open,
        ts_close,
        float(bars.open[0]),
        float(bars.high.max()),
        float(bars.low.min()),
        float(bars.close[-1]),
        sum(known) if known else float("nan"),
        sum(price * volume for price, volume in weighted) / weight if weight > 0 else float("nan"),
        float(bars.trades.sum()),
    )


def fold(bars: BarArrays, starts: Ints) -> BarArrays:
    """Fold at the positions ``starts`` (ascending, the first is 0): bars [starts[i], starts[i+1]) become one.

    The result's ``ts_open`` and ``ts_close`` are those of the first and last bar of each group. ``vwap`` is weighted by
    volume; where no volume is known it is NaN.
    """
    last = np.append(starts[1:], bars.size) - 1
    volume = _sum_known(bars.volume, starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.isfinite(bars.vwap) & (bars.volume > 0)
        money = np.add.reduceat(np.where(known, bars.vwap * bars.volume, 0.0), starts)
        weight = np.add.reduceat(np.where(known, bars.volume, 0.0), starts)
        vwap = np.where(weight > 0, money / weight, np.nan)
    return BarArrays(
        bars.ts_open[starts],
        bars.ts_close[last],
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[last],
        volume,
        vwap,
        np.add.reduceat(bars.trades, starts),
    )


def _sum_known(values: Floats, starts: Ints) -> Floats:
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0.0), starts)
    any_known = np.logical_or.reduceat(known, starts)
    return np.where(any_known, total, np.nan)


def true_range_mean(bars: BarArrays, periods: int = 14) -> float | None:
    """Average true range: mean of max(high, previous close) - min(low, previous close) over ``periods`` bars.

    A plain mean over a fixed window, so that it does not depend on where history starts. None when history is short or
    not finite.
    """
    if bars.size < periods + 1:
        return None
    before = bars.close[-periods - 1 : -1]
    ranges = np.maximum(bars.high[-periods:], before) - np.minimum(bars.low[-periods:], before)
    mean = float(ranges.mean())
    return mean if np.isfinite(mean) and mean > 0 else None
