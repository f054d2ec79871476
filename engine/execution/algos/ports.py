"""What the desk of algorithms needs of other parts; ``assemble`` knows who fulfils it."""

from decimal import Decimal
from typing import Protocol

from engine.api.commands import Receipt
from engine.execution.algos.algorithm import Curve
from engine.model.decision import Verdict
from engine.model.ids import OrderRef, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session
from engine.model.order import ClearedOrder, OrderRequest, OrderStatus


class Orders(Protocol):
    """The order desk."""

    halted: bool

    @property
    def synced(self) -> bool: ...
    def submit(self, cleared: ClearedOrder) -> OrderStatus: ...
    def cancel(self, ref: OrderRef, by: str) -> Receipt: ...
    def modify(self, ref: OrderRef, *, limit_price: Decimal | None = None, by: str = "") -> Receipt: ...
    def order(self, ref: OrderRef) -> OrderStatus | None: ...


class Clearing(Protocol):
    """The gate."""

    def clear(self, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]: ...
    def hold(self, ref: OrderRef, request: OrderRequest) -> None:
        """Count what a parent has still to send, under its reference; replaces what was held under it before."""

    def release(self, ref: OrderRef) -> None: ...


class Market(Protocol):
    """Last values; ``None`` is unknown."""

    def quote(self, symbol: Symbol) -> Quote | None: ...
    def instrument(self, symbol: Symbol) -> Instrument | None: ...
    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...


class VolumeCurves(Protocol):
    """The usual spread of volume over a day."""

    def curve(self, symbol: Symbol, at_ns: int) -> Curve | None: ...


class Store(Protocol):
    """Small durable values by name. ``set`` and ``delete`` raise ``JournalError`` when it is not on disk."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def delete(self, name: str) -> None: ...
    def names(self) -> tuple[str, ...]: ...
