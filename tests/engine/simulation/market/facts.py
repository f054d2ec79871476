"""The stylised facts of a market, measured from what an agent could see."""

from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, rankdata, skew

from engine.simulation.market.instruments import default_universe
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import weekday_sessions
from engine.simulation.market.world import World

Array = NDArray[np.float64]

DATE = date(2025, 1, 6)
SYMBOLS, DAYS = 60, 2000

RULES: dict[str, tuple[float, float]] = {
    "mean abs ACF 1-10": (0.0, 0.035),
    "excess kurtosis": (3.0, 15.0),
    "Hill 5 %": (2.5, 4.5),
    "ACF abs lag 1": (0.07, 1.0),
    "ACF abs lag 20": (0.03, 1.0),
    "market ACF abs lag 1": (0.15, 1.0),
    "market ACF abs lag 20": (0.05, 1.0),
    "ACF abs lag 100": (0.02, 1.0),
    "20-d kurtosis over daily": (-1.0, 0.5),
    "leverage": (-1.0, -0.03),
    "volume-abs r rank correlation": (0.3, 0.6),
    "mean pairwise correlation": (0.2, 0.45),
    "stress over mean correlation": (1.5, 10.0),
    "first eigen share": (0.2, 1.0),
    "annual vol stock": (0.2, 0.5),
    "annual vol market": (0.12, 0.30),
}
"""Acceptance of each daily fact; nine seeds of ten must lie inside. Market skew is judged by its median over seeds."""


def daily_facts(seed: int, world: str = "mixed") -> dict[str, float]:
    """Facts of 60 symbols over 2 000 sessions."""
    instruments = default_universe()[: 110 : 110 // SYMBOLS][:SYMBOLS]
    market = SimulatedMarket(World(world, seed), instruments, weekday_sessions(DATE, 1))
    bars = market.daily_bars(0, DAYS)
    r = np.diff(np.log(bars.close), axis=1)
    index = r.mean(axis=0)
    size = np.abs(r)
    corr = np.corrcoef(r)
    off = ~np.eye(len(r), dtype=bool)
    stress = np.abs(index) >= np.quantile(np.abs(index), 0.95)
    in_stress = np.corrcoef(r[:, stress])
    months = r[:, : r.shape[1] // 20 * 20].reshape(len(r), -1, 20).sum(axis=2)
    squares = np.array([(r - r.mean(axis=1, keepdims=True)) ** 2])[0]
    leverage = np.mean([_corr_rows(r[:, :-k], squares[:, k:]).mean() for k in range(1, 11)])
    ranks = [np.corrcoef(rankdata(bars.volume[i, 1:]), rankdata(size[i]))[0, 1] for i in range(len(r))]
    daily_kurtosis = float(np.mean(kurtosis(r, axis=1)))
    return {
        "mean abs ACF 1-10": float(np.mean([np.abs(acf(r, k)).mean() for k in range(1, 11)])),
        "excess kurtosis": daily_kurtosis,
        "Hill 5 %": float(np.mean([_hill(row) for row in size])),
        "ACF abs lag 1": float(acf(size, 1).mean()),
        "ACF abs lag 20": float(acf(size, 20).mean()),
        "ACF abs lag 100": float(acf(size, 100).mean()),
        "market ACF abs lag 1": float(acf(np.abs(index)[None], 1)[0]),
        "market ACF abs lag 20": float(acf(np.abs(index)[None], 20)[0]),
        "20-d kurtosis over daily": float(np.mean(kurtosis(months, axis=1))) / daily_kurtosis,
        "leverage": float(leverage),
        "market skew": float(skew(index)),
        "volume-abs r rank correlation": float(np.mean(ranks)),
        "mean pairwise correlation": float(corr[off].mean()),
        "stress over mean correlation": float(in_stress[off].mean() / corr[off].mean()),
        "first eigen share": float(np.linalg.eigvalsh(corr)[-1] / len(r)),
        "annual vol stock": float(r.std(axis=1).mean() * np.sqrt(252)),
        "annual vol market": float(index.std() * np.sqrt(252)),
    }


TAPE_RULES: dict[str, tuple[float, float]] = {
    "trade-price AC1": (-1.0, -0.1),
    "sign ACF lag 1": (0.25, 1.0),
    "sign ACF lag 10": (0.08, 1.0),
    "sign ACF lag 50": (0.02, 1.0),
    "signature 300 s / 1 s": (0.7, 1.3),
}


def tape_facts(seed: int, world: str = "mixed", days: int = 3) -> dict[str, float]:
    """Facts of the tape, the mean over symbols of all liquidities."""
    instruments = default_universe()[::9]
    market = SimulatedMarket(World(world, seed), instruments, weekday_sessions(DATE, days))
    rows: dict[str, list[float]] = {name: [] for name in TAPE_RULES}
    for day in range(days):
        quotes = market.quotes(day, 0, 23_400)
        mid = (quotes.bid + quotes.ask) / 2
        for i, symbol in enumerate(market.symbols):
            tape = market.trades(symbol, day, 0, 23_400)
            rows["trade-price AC1"].append(float(acf(np.diff(tape.price)[None], 1)[0]))
            sign = tape.side.astype(float)[None]
            for lag in (1, 10, 50):
                rows[f"sign ACF lag {lag}"].append(float(acf(sign, lag)[0]))
            steps = np.diff(mid[i])
            far = mid[i, 300:] - mid[i, :-300]
            rows["signature 300 s / 1 s"].append(float(np.mean(far**2) / 300 / np.mean(steps**2)))
    return {name: float(np.mean(values)) for name, values in rows.items()}


def acf(x: Array, lag: int) -> Array:
    """Autocorrelation of each row."""
    x = x - x.mean(axis=1, keepdims=True)
    return np.asarray(np.mean(x[:, lag:] * x[:, :-lag], axis=1) / np.mean(x * x, axis=1))


def _corr_rows(a: Array, b: Array) -> Array:
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    return np.asarray((a * b).mean(axis=1) / np.sqrt((a * a).mean(axis=1) * (b * b).mean(axis=1)))


def _hill(size: Array) -> float:
    top = np.sort(size)[-int(0.05 * len(size)) :]
    return float(1.0 / np.mean(np.log(top / top[0])[1:]))
