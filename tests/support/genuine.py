"""The genuine prices beside the repository as packed bars."""

from pathlib import Path

import numpy as np
import pandas as pd

from engine.model.ids import Symbol
from engine.model.market import BarColumns

SERIES = {
    "daily/AAPL_20040819_20180120.csv": 86_400,
    "daily/AAPL_zipline_csvdir.csv": 86_400,
    "daily/GOOG_2004_2013.csv": 86_400,
    "daily/IBM_zipline_csvdir.csv": 86_400,
    "daily/KO_zipline_csvdir.csv": 86_400,
    "daily/SPY_20080101_20180101.csv": 86_400,
    "daily/YHOO_1996_2015.csv": 86_400,
    "hourly/EURUSD_2017_2018_1h.csv": 3_600,
    "minute/ESTX50_2006_5min.csv": 300,
    "minute/GBPUSD_m1_ask_201202.csv": 60,
    "minute/GBPUSD_m1_bid_201202.csv": 60,
    "minute/SP500_NOV2019_1min.csv": 60,
}
"""Files below ``market_data`` and the seconds of their bars."""
NAMES = ("ts_open", "open", "high", "low", "close", "volume")


def genuine(shared: Path, name: str, newest: int = 0) -> BarColumns:
    """Read one of ``SERIES``; the newest bars alone where a count is given."""
    frame = pd.read_csv(shared / "market_data" / name)
    frame = frame.rename(columns={c: c.lower() for c in frame.columns})
    times = frame["date"] + " " + frame["time"] if "time" in frame.columns else frame.iloc[:, 0]
    frame["ts_open"] = pd.to_datetime(times, utc=True).astype("datetime64[ns, UTC]").astype(np.int64)
    if "volume" not in frame.columns:
        frame["volume"] = 0.0
    frame = frame[~frame["ts_open"].duplicated()].sort_values("ts_open").iloc[-newest:]
    packed = {n: frame[n].to_numpy(np.int64 if n == "ts_open" else np.float64).tobytes() for n in NAMES}
    return BarColumns(symbol=Symbol("AAPL"), seconds=SERIES[name], **packed)


def part(columns: BarColumns, first: int, stop: int) -> BarColumns:
    """The bars from one place up to another."""
    packed = {name: getattr(columns, name)[8 * first : 8 * stop] for name in NAMES}
    return BarColumns(symbol=columns.symbol, seconds=columns.seconds, **packed)
