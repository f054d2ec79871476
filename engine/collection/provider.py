"""What a provider of data is. One small file each in ``providers/``; the contract suite runs over all of them."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.model.events.base import Event
from engine.model.ids import Symbol

Emit = Callable[[Event], None]
"""Where a provider puts what it hears; the market's cache judges it."""

BarColumnsByName = Mapping[str, NDArray[np.generic]]
"""``ts_open`` (int64, UTC ns), ``open, high, low, close, volume`` (float64), when known ``ts_close, vwap, trades``;
oldest first."""


class DataKind(StrEnum):
    """What a provider can give."""

    QUOTES = "quotes"
    TRADES = "trades"
    DEPTH = "depth"
    BARS = "bars"
    HISTORY = "history"
    NEWS = "news"
    HALTS = "halts"
    FILINGS = "filings"
    POSTS = "posts"
    INVESTORS = "investors"
    FUNDAMENTALS = "fundamentals"


class ProviderState(StrEnum):
    OFF = "off"
    CONNECTING = "connecting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Provider(Protocol):
    """A source of data. It knows its own wire and nothing of who listens.

    Vendor names, codes and sentinels end in it: it emits events of ``engine.model.events.market`` with ``ts_event`` as
    the source states it and ``ts_init`` from its clock. It emits only for watched symbols, and nothing before ``start``
    has returned or after ``stop`` has been called.
    """

    @property
    def name(self) -> str:
        """Short and lower case; the ``source`` of every event it emits."""

    @property
    def kinds(self) -> frozenset[DataKind]:
        """What it can give."""

    async def start(self) -> None:
        """Connect. Raises ``ProviderError`` (tried again later) or ``ProviderRefused`` (not before settings change)."""

    async def stop(self) -> None:
        """Disconnect and end owned tasks. Safe to call twice, and before ``start``."""

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        """Begin to emit for ``symbols``, with their order books when ``depth``. Known symbols are no fault."""

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        """Emit no more for ``symbols``. Unknown symbols are no fault."""

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        """Return at most ``count`` bars that had ended by ``end_ns``; None when it has none of that kind.

        Raises ``ProviderError`` when it should have but could not.
        """
