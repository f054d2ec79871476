"""Packed answers of the simulated market: one array per field, symbols in rows, time in columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BarBlock:
    """Bars, shape [symbols, bars]. A bar without a trade is flat at the last price with volume 0."""

    symbols: tuple[str, ...]
    ts_open: Ints
    """Start of the bar, UTC ns; a read-only view of one row."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    """Shares."""


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    """The state at the end of each second, shape [symbols, seconds]."""

    symbols: tuple[str, ...]
    ts: Ints
    """End of the second, UTC ns, shape [seconds]."""
    bid: Floats
    ask: Floats
    bid_size: Floats
    """Shares; 0 on both sides while the symbol is halted."""
    ask_size: Floats
    last: Floats
    last_size: Floats
    volume: Floats
    """Shares traded since the open."""


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Prints in time order."""

    ts_ns: Ints
    price: Floats
    size: Ints
    side: NDArray[np.int8]
    """+1: the buyer took the offer, -1: the seller hit the bid."""


@dataclass(frozen=True, slots=True)
class SimTruth:
    """What only the simulation knows about one symbol and session."""

    symbol: str
    day: int
    signal: float
    """The hidden signal, about unit variance, known at the previous close."""
    expected_return: float
    """Expected simple return of the session from the previous close, given everything before it."""
    sigma: float
    """Standard deviation of the symbol's own part of that return, without news."""
    own_return: float
    """The realised own part, without market and sector."""
    regime: int
    """0 calm, 1 normal, 2 stress."""
