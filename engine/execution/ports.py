"""What the order desk needs of other parts, as small Protocols; ``assemble`` knows who fulfils them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from engine.model.decision import Mode, Verdict
from engine.model.fill import Fill
from engine.model.ids import OrderRef, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session
from engine.model.order import ClearedOrder, OrderRequest, OrderStatus
from engine.model.position import Account, Position
from engine.model.report import BrokerPosition

Entry = tuple[OrderRef, str, int, bytes]
Projection = tuple[OrderStatus, bytes]


class OrderJournal(Protocol):
    """Durable record of orders. ``commit`` returns when it is on disk, or raises ``JournalError``."""

    def commit(
        self, entries: Sequence[Entry] = (), orders: Sequence[Projection] = (), fills: Sequence[Fill] = ()
    ) -> None: ...
    def note(
        self, entries: Sequence[Entry] = (), orders: Sequence[Projection] = (), fills: Sequence[Fill] = ()
    ) -> None: ...
    def load_orders(self) -> Iterable[bytes]: ...
    def load_order(self, ref: OrderRef) -> bytes | None: ...


class Booking(Protocol):
    """The ledger. Fills reach it before any event tells of them, so nobody sees an order done and no position."""

    def on_fill(self, fill: Fill) -> None:
        """Book a fill, or its correction or commission: the execution id says which."""

    def on_account(self, account: Account, *, compared: bool = True) -> None:
        """``compared``: fills that came while nobody listened are booked; before that its cash may hold more."""

    def positions(self) -> Mapping[Symbol, Position]: ...

    def adopt_opening(self, positions: Sequence[BrokerPosition], now_ns: int) -> bool:
        """Take over what was held before the first start; false when that has been done before."""

    def adopt(self, symbol: Symbol, delta: Decimal, price: Decimal) -> None:
        """Book a difference to the broker's position. Raises ``JournalError``; nothing is booked then."""

    def split(self, symbol: Symbol, date: str, ratio: Decimal) -> bool:
        """Put what is held on the terms of a split, once. Raises ``JournalError``; nothing is booked then."""


class Modes(Protocol):
    """Trading mode and locks. Everybody may lower; only a person raises."""

    @property
    def mode(self) -> Mode: ...
    def lower(self, mode: Mode, by: str, reason: str) -> object: ...
    def halt(self, by: str, reason: str, flatten: bool = False) -> object: ...
    def lock(self, symbol: Symbol, code: str, reason: str) -> object: ...
    def unlock(self, symbol: Symbol, code: str) -> object: ...


class Clearing(Protocol):
    """The gate."""

    def clear(self, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]: ...
    def clear_again(self, cleared: ClearedOrder, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]:
        """Judge a closing order that was cleared and had to wait, as ``request`` now; it keeps its reference."""

    def clear_change(self, ref: OrderRef, changed: OrderRequest, refresh: bool = False) -> Verdict:
        """Judge a modification; ``verdict.request`` is what would be sent, and the larger of both counts.

        ``refresh``: nothing but the end of the agent's entry moves.
        """

    def release(self, ref: OrderRef) -> None: ...


class Store(Protocol):
    """Small durable values by name. ``set`` and ``delete`` raise ``JournalError`` when it is not on disk."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def delete(self, name: str) -> None: ...
    def names(self) -> tuple[str, ...]: ...


class Market(Protocol):
    """Last values; ``None`` is unknown."""

    def quote(self, symbol: Symbol) -> Quote | None: ...
    def instrument(self, symbol: Symbol) -> Instrument | None: ...
    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...
