"""What the indicators cost, beside TA-Lib and pandas in the same run. `bench_indicators.py [--peer PYTHON]`

With `--peer`, polars (history) and talipp (bar by bar) run on that interpreter.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import talib

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates

from engine.features.indicators import averages, momentum, ranges, trend, volatility, volume
from engine.features.indicators.registry import INDICATORS
from engine.features.indicators.stream import HotIndicators, hot_history

BARS = 1_000_000
Runs = dict[str, Callable[[], object]]


def bars() -> tuple[np.ndarray, ...]:
    """Return open, high, low, close, volume of a random walk."""
    rng = np.random.default_rng(7)
    path = 100.0 * np.exp(np.cumsum(rng.standard_normal(4 * BARS) * 0.0005)).reshape(BARS, 4)
    close = path[:, 3].copy()
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(path.max(axis=1), open_), np.minimum(path.min(axis=1), open_)
    return open_, high, low, close, rng.integers(100, 10_000, BARS).astype(float)


def rounds(runs: Runs, repeat: int = 5) -> dict[str, float]:
    """Run each in turn, round after round; return the median CPU ns a bar."""
    cpu: dict[str, list[int]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeat):
        for name, run in runs.items():
            start = time.process_time_ns()
            run()
            cpu[name].append(time.process_time_ns() - start)
    return {name: statistics.median(ns) / BARS for name, ns in cpu.items()}


def peers(python: str) -> dict[str, float]:
    """Run polars and talipp on another interpreter; return CPU ns a bar."""
    script = Path(__file__).resolve().parent / "indicator_peers.py"
    done = subprocess.run([python, str(script)], capture_output=True, text=True, timeout=300, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="interpreter of the environment that holds polars and talipp")
    options = parser.parse_args()
    o, h, l, c, v = bars()
    s = pd.Series(c)
    session = np.arange(BARS) // 390
    table: dict[str, Runs] = {
        "SMA20": {
            "ours": lambda: averages.sma(c, 20),
            "talib": lambda: talib.SMA(c, 20),
            "pandas": lambda: s.rolling(20).mean(),
        },
        "EMA20": {
            "ours": lambda: averages.ema(c, 20),
            "talib": lambda: talib.EMA(c, 20),
            "pandas": lambda: s.ewm(span=20, adjust=False).mean(),
        },
        "WMA20": {
            "ours": lambda: averages.wma(c, 20),
            "talib": lambda: talib.WMA(c, 20),
        },
        "RSI14": {
            "ours": lambda: momentum.rsi(c, 14),
            "talib": lambda: talib.RSI(c, 14),
        },
        "MACD": {
            "ours": lambda: averages.macd(c, 12, 26, 9),
            "talib": lambda: talib.MACD(c, 12, 26, 9),
        },
        "BBANDS20": {
            "ours": lambda: volatility.bbands(c, 20, 2.0),
            "talib": lambda: talib.BBANDS(c, 20, 2.0, 2.0),
            "pandas": lambda: (s.rolling(20).mean(), s.rolling(20).std()),
        },
        "ATR14": {
            "ours": lambda: volatility.atr(h, l, c, 14),
            "talib": lambda: talib.ATR(h, l, c, 14),
        },
        "ADX14 (+DI -DI)": {
            "ours": lambda: trend.adx(h, l, c, 14),
            "talib": lambda: (talib.ADX(h, l, c, 14), talib.PLUS_DI(h, l, c, 14), talib.MINUS_DI(h, l, c, 14)),
        },
        "CCI20": {
            "ours": lambda: momentum.cci(h, l, c, 20),
            "talib": lambda: talib.CCI(h, l, c, 20),
        },
        "MFI14": {
            "ours": lambda: volume.mfi(h, l, c, v, 14),
            "talib": lambda: talib.MFI(h, l, c, v, 14),
        },
        "AROON25": {
            "ours": lambda: ranges.aroon(h, l, 25),
            "talib": lambda: (talib.AROON(h, l, 25), talib.AROONOSC(h, l, 25)),
        },
        "SAR": {
            "ours": lambda: trend.psar(h, l, 0.02, 0.2),
            "talib": lambda: talib.SAR(h, l, 0.02, 0.2),
        },
        "LINREG50": {
            "ours": lambda: volatility.regression(c, 50, 2.0),
            "talib": lambda: (talib.LINEARREG(c, 50), talib.LINEARREG_SLOPE(c, 50)),
        },
    }
    given = np.empty((10, BARS))
    six = ["SMA20", "EMA20", "RSI14", "MACD", "BBANDS20", "ATR14"]
    table["six together"] = {
        "ours": lambda: hot_history(h, l, c, None, given),
        "talib": lambda: [table[name]["talib"]() for name in six],
        "apart": lambda: [table[name]["ours"]() for name in six],
    }
    bundle = 0.0
    print(f"{'CPU ns a bar':<18}{'ours':>8}{'TA-Lib':>8}{'ratio':>7}{'pandas':>9}{'apart':>8}")
    for name, runs in table.items():
        ns = rounds(runs)
        bundle = ns["ours"]  # the last one is the six together
        rest = "".join(f"{ns[k]:>{w}.1f}" if k in ns else " " * w for k, w in (("pandas", 9), ("apart", 8)))
        print(f"{name:<18}{ns['ours']:>8.2f}{ns['talib']:>8.2f}{ns['ours'] / ns['talib']:>7.2f}{rest}")

    cols = {"open": o, "high": h, "low": l, "close": c, "volume": v, "session": session}
    print("\nthrough the registry, default parameters, CPU ns a bar")
    for id, spec in INDICATORS.items():
        ns = rounds({id: lambda spec=spec: spec.compute(cols)}, repeat=3)
        print(f"  {id:<12}{ns[id]:>8.1f}")

    hot, rows = HotIndicators(500), np.arange(500)
    table500 = np.column_stack([h[:500], l[:500], c[:500], v[:500]])
    for _ in range(60):
        hot.push(rows, table500, session[:500])
    took = []
    for _ in range(500):
        start = time.process_time_ns()
        hot.push(rows, table500, session[:500])
        took.append((time.process_time_ns() - start) / 500)
    first = rows[:1], table500[:1], session[:1]
    start = time.process_time_ns()
    for _ in range(5000):
        hot.push(*first)
    alone = (time.process_time_ns() - start) / 5000
    w = slice(0, 200)
    ta = []
    for _ in range(500):
        start = time.perf_counter_ns()
        talib.SMA(c[w], 20), talib.EMA(c[w], 20), talib.RSI(c[w], 14), talib.MACD(c[w]), talib.BBANDS(c[w], 20)
        talib.ATR(h[w], l[w], c[w], 14)
        ta.append(time.perf_counter_ns() - start)
    print(f"\na bar of 13 running outputs: {statistics.median(took):.0f} ns a symbol (500 in one call), ", end="")
    print(f"{alone:.0f} ns alone; TA-Lib anew over 200 bars, 10 outputs: {statistics.median(ta)} ns")
    if options.peer is None:
        print("polars and talipp run with --peer alone")
        return
    others = peers(options.peer)
    print(f"polars, the six over a million bars: {others['polars']:.0f} ns a bar; talipp, a bar at a time: ", end="")
    print(f"{others['talipp']:.0f} ns")
    gates.show(
        [
            gates.Gate("six together, history, vs polars", bundle / others["polars"], 1 / 10, 1 / 20),
            gates.Gate("six, one symbol bar by bar, vs talipp", alone / others["talipp"], 1 / 20, 1 / 30),
        ]
    )


if __name__ == "__main__":
    main()
