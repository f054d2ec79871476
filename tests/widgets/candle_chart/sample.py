"""Bars for tests: a seeded random walk in exchange time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

START = 1_795_185_000_000_000_000  # 2026-11-20 09:30 in New York
STEP = 300_000_000_000


@dataclass(frozen=True)
class Columns:
    """Bars as columns."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def all(self) -> tuple[NDArray[np.int64], *tuple[NDArray[np.float64], ...]]:
        """Return the columns in the chart's order."""
        return self.ts, self.open, self.high, self.low, self.close, self.volume


def random_bars(n: int, seed: int = 3, start: float = 100.0) -> Columns:
    """Return a random walk with prices in cents."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.standard_normal(n) * 0.001))
    open_ = np.concatenate(([start], close[:-1]))
    spread = np.abs(rng.standard_normal(n)) * 0.05
    high, low = np.maximum(open_, close) + spread, np.minimum(open_, close) - spread
    volume = rng.integers(100, 5000, n).astype(np.float64)
    return Columns(START + np.arange(n) * STEP, open_, high, low, close, volume)
