"""What risk needs of other parts, as small Protocols; ``assemble`` knows who fulfils them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from engine.model.broker import WhatIf
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session
from engine.model.order import OrderRequest, OrderStatus, Origin
from engine.model.position import Account, Position


class Market(Protocol):
    """Last values; ``None`` is unknown."""

    def quote(self, symbol: Symbol) -> Quote | None: ...
    def instrument(self, symbol: Symbol) -> Instrument | None: ...
    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...
    def spread_median(self, symbol: Symbol) -> float | None: ...
    def mean_price(self, symbol: Symbol, minutes: int) -> float | None: ...
    def resumed_ns(self, symbol: Symbol) -> int: ...
    def atr(self, symbol: Symbol) -> float | None: ...


class Ledger(Protocol):
    """The book as it is."""

    def positions(self) -> Mapping[Symbol, Position]: ...
    def account(self) -> Account | None: ...


class Orders(Protocol):
    """All orders the desk knows, and their names."""

    def open_orders(self) -> Iterable[OrderStatus]: ...
    def order(self, ref: OrderRef) -> OrderStatus | None: ...
    def orders(self) -> Mapping[OrderRef, OrderStatus]: ...
    def reserve_ref(self, origin: Origin, account: AccountId) -> OrderRef: ...


class CounterStore(Protocol):
    """Durable counters by key and exchange date. Raises ``JournalError`` when not durable."""

    def get(self, key: str, date: str) -> int: ...
    def add(self, key: str, date: str, n: int) -> object: ...


class Store(Protocol):
    """Durable small values by name. ``set`` raises ``JournalError`` when not durable."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine itself feels. ``None`` is unknown."""

    lag_ms: float = 0.0
    queue_depth: int = 0
    clock_skew_s: float | None = None
    """Wall clock less the broker's."""
    clock_step_ns: int = 0
    """When the wall clock last stepped by more than a second, 0 never."""
    disk_free_mb: float | None = None
    slow_commits: int = 0
    """Slow journal commits in a row."""


class VitalSigns(Protocol):
    def vitals(self) -> Vitals: ...


class WhatIfs(Protocol):
    """Answers fetched beforehand; the gate itself never waits."""

    def latest(self, request: OrderRequest) -> WhatIf | None: ...


class ShortFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker says about borrowing a symbol. ``None`` is unknown."""

    shortable: float | None = None
    shares: float | None = None
    fee_percent: float | None = None
    restricted: bool = False
    """A short-sale restriction (SSR) is on."""


class Shorts(Protocol):
    def facts(self, symbol: Symbol) -> ShortFacts | None: ...


class Clusters(Protocol):
    def cluster(self, symbol: Symbol) -> frozenset[Symbol]:
        """Symbols correlated above 0.8 with ``symbol``, itself included; only itself when unknown."""
