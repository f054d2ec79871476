"""What the feature vector costs, beside pandas rolling in the same run. `python tests/benchmarks/bench_features.py`"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates

from engine.features.correlation import clusters, correlate
from engine.features.cross_section import normalise, robust_z
from engine.features.kernel import features_history
from engine.features.names import FEATURE_COUNT
from engine.features.version import feature_version
from engine.features.window import WindowStore

SYMBOLS, BARS = 500, 350


def world(seed: int = 1) -> np.ndarray:
    """Return (6, symbols, bars) of a random walk."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal((SYMBOLS, BARS)) * 0.015, axis=1))
    open_ = close * np.exp(rng.standard_normal(close.shape) * 0.005)
    high, low = np.maximum(open_, close) * 1.004, np.minimum(open_, close) / 1.004
    volume = rng.integers(1, 1_000_000, close.shape).astype(float)
    market = np.broadcast_to(close.mean(axis=0), close.shape)
    return np.ascontiguousarray(np.stack([open_, high, low, close, volume, market]))


def pandas_ten(columns: np.ndarray) -> None:
    """Ten of the 93 features of one symbol's whole history, as a notebook would write them."""
    close, volume = pd.Series(columns[3]), pd.Series(columns[4])
    returns = close.pct_change()
    for n in (20, 60):
        _ = close / close.rolling(n).mean(), returns.rolling(n).std(), close.rolling(n).quantile(0.8)
        _ = close.rolling(n).rank(pct=True), close.rolling(n).corr(volume)


def timed(run, repeat: int) -> np.ndarray:
    """Return CPU seconds and wall seconds of each repeat, (repeat, 2)."""
    out = np.empty((repeat, 2))
    for i in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        out[i] = time.process_time() - cpu, time.perf_counter() - wall
    return out


def main() -> None:
    gates.no_other(__doc__, "no product has these 93 features; beside ours: pandas, in this process")
    columns = world()
    store = WindowStore(SYMBOLS)
    rows = np.arange(SYMBOLS)
    live = np.empty((BARS, SYMBOLS, FEATURE_COUNT))
    store.features(out=live[0])  # compile or load
    push, vector = [], []
    for t in range(BARS):
        bars, times = np.ascontiguousarray(columns[:, :, t].T), np.full(SYMBOLS, t)
        start = time.perf_counter()
        store.push_many(rows, times, bars)
        middle = time.perf_counter()
        store.features(out=live[t])
        push.append(middle - start)
        vector.append(time.perf_counter() - middle)
    different = sum(
        int((features_history(*columns[:, k]).view(np.int64) != live[:, k].copy().view(np.int64)).sum())
        for k in range(SYMBOLS)
    )
    full = np.array(vector[251:]) * 1e3
    print(f"feature version      {feature_version()[:16]}")
    print(f"SKEW-1               {different} of {live.size} cells differ between live and history")
    print(f"500 symbols a bar    p50 {np.median(full):.2f} ms, p99 {np.percentile(full, 99):.2f} ms (goal p99 <= 50)")
    print(f"push of 500 bars     p50 {np.median(push) * 1e6:.0f} us")

    one = np.ascontiguousarray(columns[:, 0])
    ours = timed(lambda: features_history(*one), 9)[:, 0]
    theirs = timed(lambda: pandas_ten(one), 9)[:, 0]
    per_bar = np.median(ours) / BARS * 1e6
    other = np.median(theirs) / BARS * 1e6
    print(f"history, one symbol  93 features {per_bar:.1f} us/bar; pandas, 10 features {other:.1f}")
    per_cell = (np.median(theirs) / 10) / (np.median(ours) / FEATURE_COUNT)
    print(f"                     pandas costs {per_cell:.1f} times as much a feature")

    fresh = np.ones(SYMBOLS, dtype=bool)
    normalise(live[-1], fresh)
    ranks = timed(lambda: normalise(live[-1], fresh), 9)[:, 0]
    pandas_ranks = timed(lambda: pd.DataFrame(live[-1]).rank(pct=True), 9)[:, 0]
    print(f"ranks, 500 x 93      {np.median(ranks) * 1e3:.2f} ms; pandas {np.median(pandas_ranks) * 1e3:.2f} ms")
    history = np.ascontiguousarray(live[:, 0])
    robust_z(history)
    z = timed(lambda: robust_z(history), 9)[:, 0]
    print(f"robust z, 252 wide   {np.median(z) / history.shape[0] * 1e6:.1f} us a symbol and bar")
    returns = np.diff(np.log(columns[3]), axis=1).T
    fit = timed(lambda: clusters(correlate(returns).matrix), 5)[:, 0]
    print(
        f"correlation          {np.median(fit) * 1e3:.0f} ms CPU, 500 symbols x {len(returns)} returns, with clusters"
    )


if __name__ == "__main__":
    main()
