"""Genuine prices as columns, and made-up ones where a test needs many symbols."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Bars = dict[str, np.ndarray]


def read_bars(file: Path) -> pd.DataFrame:
    frame = pd.read_csv(file, index_col=0, parse_dates=True).rename(columns=str.lower)
    return frame[["open", "high", "low", "close", "volume"]].astype(float)


@pytest.fixture(scope="session")
def daily(shared_dir: Path) -> pd.DataFrame:
    """AAPL beside SPY, daily, 2008 to 2017; the column `market` is SPY's close."""
    apple = read_bars(shared_dir / "market_data/daily/AAPL_20040819_20180120.csv")
    market = read_bars(shared_dir / "market_data/daily/SPY_20080101_20180101.csv")["close"]
    return apple.join(market.rename("market"), how="inner")


@pytest.fixture(scope="session")
def bars(daily: pd.DataFrame) -> Bars:
    """The same as plain columns, with a session of 21 bars."""
    columns = {name: daily[name].to_numpy(copy=True) for name in daily.columns}
    columns["session"] = np.arange(len(daily), dtype=np.int64) // 21
    return columns


def walk(symbols: int, count: int, seed: int) -> np.ndarray:
    """Return (6, symbols, bars) of a seeded random walk in the order of `WindowStore`."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal((symbols, count)) * 0.015, axis=1))
    open_ = close * np.exp(rng.standard_normal((symbols, count)) * 0.005)
    high = np.maximum(open_, close) * np.exp(np.abs(rng.standard_normal((symbols, count))) * 0.004)
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.standard_normal((symbols, count))) * 0.004)
    volume = rng.integers(0, 1_000_000, (symbols, count)).astype(float)
    market = np.broadcast_to(close.mean(axis=0), close.shape)
    return np.ascontiguousarray(np.stack([open_, high, low, close, volume, market]))


@pytest.fixture
def walks():
    """Return the maker of seeded random walks."""
    return walk
