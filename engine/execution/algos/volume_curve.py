"""How the volume of a day is usually spread over it, from the bars of earlier sessions."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.execution.algos.algorithm import Curve
from engine.model.ids import Symbol
from engine.model.market import BarColumns, Session

BUCKET_S = 300
BUCKET_NS = BUCKET_S * 1_000_000_000
DAYS = 20
LEAST_DAYS = 5
"""Fewer complete sessions say nothing of a usual day."""


class History(Protocol):
    """Bars, oldest first, that had ended by ``end_ns``."""

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None: ...


class HistoryCurve:
    """Curves from five-minute bars."""

    def __init__(self, history: History, session: Callable[[Symbol, int], Session | None]) -> None:
        self._history = history
        self._session = session

    def curve(self, symbol: Symbol, at_ns: int) -> Curve | None:
        """Return the curve of the session that holds ``at_ns``; None while too little history is known."""
        today = self._session(symbol, at_ns)
        if today is None or not today.open_ns <= at_ns < today.close_ns:
            return None
        buckets = (today.close_ns - today.open_ns + BUCKET_NS - 1) // BUCKET_NS
        found = self._history.columns(symbol, BUCKET_S, int(buckets) * (DAYS + 1), today.open_ns)
        if found is None:
            return None
        ts = np.frombuffer(found.ts_open, dtype="<i8")
        volume = np.frombuffer(found.volume, dtype="<f8")
        shares = shares_of_days(ts, volume, lambda at: self._session(symbol, at), int(buckets))
        if len(shares) < LEAST_DAYS:
            return None
        mean = shares[-DAYS:].mean(axis=0)
        cumulative = np.cumsum(mean) / mean.sum()
        return Curve(open_ns=today.open_ns, bucket_ns=BUCKET_NS, cumulative=tuple(float(c) for c in cumulative))


def shares_of_days(
    ts_open: NDArray[np.int64], volume: NDArray[np.float64], session: Callable[[int], Session | None], buckets: int
) -> NDArray[np.float64]:
    """Return one row a complete session of the same length (days × buckets): shares of its volume, each row sums to 1.

    A session counts when at least nine tenths of its buckets have a bar and all volumes are numbers.
    """
    rows: list[NDArray[np.float64]] = []
    i = 0
    while i < len(ts_open):
        day = session(int(ts_open[i]))
        if day is None or not day.open_ns <= ts_open[i] < day.close_ns:
            i += 1
            continue
        end = int(np.searchsorted(ts_open, day.close_ns))
        length = (day.close_ns - day.open_ns + BUCKET_NS - 1) // BUCKET_NS
        at = (ts_open[i:end] - day.open_ns) // BUCKET_NS
        part = volume[i:end]
        i = end
        usable = bool(np.isfinite(part).all()) and bool((part >= 0.0).all())
        if length != buckets or not usable or len(np.unique(at)) * 10 < buckets * 9 or not part.sum() > 0.0:
            continue
        rows.append(np.bincount(at, weights=part, minlength=buckets) / part.sum())
    return np.array(rows) if rows else np.zeros((0, buckets))
