"""The six usual indicators in polars (history) and talipp (bar by bar); runs on the peers' interpreter, prints JSON."""

import importlib
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

BARS = 1_000_000
TICKS = 20_000


def walk(count: int) -> tuple[np.ndarray, ...]:
    """Return high, low, close of the random walk of `bench_indicators`."""
    rng = np.random.default_rng(7)
    path = 100.0 * np.exp(np.cumsum(rng.standard_normal(4 * BARS) * 0.0005)).reshape(BARS, 4)
    close = path[:, 3].copy()
    open_ = np.concatenate(([100.0], close[:-1]))
    return np.maximum(path.max(axis=1), open_)[:count], np.minimum(path.min(axis=1), open_)[:count], close[:count]


def cpu_ns(work: Callable[[], object], items: int, repeat: int = 3) -> float:
    """Return the median CPU nanoseconds an item."""
    work()
    took = []
    for _ in range(repeat):
        start = time.process_time_ns()
        work()
        took.append(time.process_time_ns() - start)
    return statistics.median(took) / items


def polars_six() -> float:
    """The bundle over a million bars."""
    pl = importlib.import_module("polars")
    high, low, close = walk(BARS)
    frame = pl.DataFrame({"h": high, "l": low, "c": close})
    c, before = pl.col("c"), pl.col("c").shift(1)
    change = c.diff()
    up = change.clip(lower_bound=0.0).ewm_mean(alpha=1 / 14, adjust=False)
    down = (-change).clip(lower_bound=0.0).ewm_mean(alpha=1 / 14, adjust=False)
    fast, slow = c.ewm_mean(span=12, adjust=False), c.ewm_mean(span=26, adjust=False)
    middle, spread = c.rolling_mean(20), c.rolling_std(20)
    reach = pl.max_horizontal(pl.col("h") - pl.col("l"), (pl.col("h") - before).abs(), (pl.col("l") - before).abs())
    bundle = [
        c.rolling_mean(20).alias("sma"),
        c.ewm_mean(span=20, adjust=False).alias("ema"),
        (100 - 100 / (1 + up / down)).alias("rsi"),
        (fast - slow).alias("macd"),
        (fast - slow).ewm_mean(span=9, adjust=False).alias("signal"),
        (middle + 2 * spread).alias("upper"),
        middle.alias("middle"),
        (middle - 2 * spread).alias("lower"),
        reach.ewm_mean(alpha=1 / 14, adjust=False).alias("atr"),
    ]
    return cpu_ns(lambda: frame.select(bundle), BARS)


def talipp_six() -> float:
    """The six, a bar at a time."""
    indicators = importlib.import_module("talipp.indicators")
    ohlcv = importlib.import_module("talipp.ohlcv").OHLCV
    high, low, close = (column.tolist() for column in walk(TICKS))

    def work() -> None:
        closes = [
            indicators.SMA(20),
            indicators.EMA(20),
            indicators.RSI(14),
            indicators.MACD(12, 26, 9),
            indicators.BB(20, 2.0),
        ]
        atr = indicators.ATR(14)
        for h, l, c in zip(high, low, close, strict=True):
            for indicator in closes:
                indicator.add(c)
            atr.add(ohlcv(c, h, l, c, 1.0))

    return cpu_ns(work, TICKS, 1)


if __name__ == "__main__":
    print(json.dumps({"polars": polars_six(), "talipp": talipp_six()}))
