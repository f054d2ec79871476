"""Book family: positions, account, agreement with the broker."""

from decimal import Decimal

from engine.model.events.base import Event
from engine.model.ids import AccountId, Symbol
from engine.model.position import Account, Position


class PositionOpened(Event, frozen=True, kw_only=True):
    position: Position


class PositionChanged(Event, frozen=True, kw_only=True):
    position: Position
    before: Decimal
    """Quantity before the change."""


class PositionClosed(Event, frozen=True, kw_only=True):
    position: Position
    realised: Decimal
    """Of this round trip, after commissions."""


class AccountChanged(Event, frozen=True, kw_only=True):
    account: Account


class Reconciled(Event, frozen=True, kw_only=True):
    account: AccountId
    orders: int
    positions: int
    changes: int
    """Events this pass produced; a second identical pass produces none."""
    complete: bool = True
    missing: tuple[str, ...] = ()


class DriftFound(Event, frozen=True, kw_only=True):
    account: AccountId
    symbol: Symbol
    ours: Decimal
    theirs: Decimal


class SymbolLocked(Event, frozen=True, kw_only=True):
    symbol: Symbol
    code: str
    reason: str


class SymbolUnlocked(Event, frozen=True, kw_only=True):
    symbol: Symbol
    code: str
    reason: str = ""
