"""What the strategist needs of other parts."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import BarColumns, Quote, Session, Side
from engine.model.order import OrderStatus
from engine.model.position import Position


class Market(Protocol):
    def quote(self, symbol: Symbol) -> Quote | None: ...

    def instrument(self, symbol: Symbol) -> Instrument | None: ...

    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...


class History(Protocol):
    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None: ...


class Ledger(Protocol):
    def positions(self) -> Mapping[Symbol, Position]: ...


class Orders(Protocol):
    def open_orders(self) -> Iterable[OrderStatus]: ...


class Sizer(Protocol):
    def size(self, symbol: Symbol, side: Side, entry: Decimal, stop: Decimal, risk_percent: float) -> Decimal:
        """Units that lose at most ``risk_percent`` of equity at the stop and fit every cap; 0 when none does."""

    def worth(self, symbol: Symbol, quantity: Decimal, entry: Decimal, target: Decimal) -> bool:
        """Whether what so many units gain at the target is enough beside the commissions."""


class Store(Protocol):
    """Durable small values by name."""

    def get(self, name: str) -> str | None: ...

    def set(self, name: str, value: str) -> None: ...
