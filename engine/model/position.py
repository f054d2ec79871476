"""Positions and the account."""

from decimal import Decimal

import msgspec

from engine.model.ids import AccountId, Symbol


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Net holding of one symbol in one account; negative quantity is short."""

    account: AccountId
    symbol: Symbol
    quantity: Decimal
    average_price: Decimal
    realised: Decimal = Decimal(0)
    """Realised profit since the session opened, after commissions."""
    commission: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    opened_ns: int = 0
    opened_by: str = ""
    """Suggestion, strategy or person that opened it."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Account values as the broker states them. ``None`` is unknown, never zero."""

    account: AccountId
    currency: str = "USD"
    cash: dict[str, Decimal] = {}
    equity: Decimal | None = None
    """Net liquidation value in the account's currency."""
    session_equity: Decimal | None = None
    """Net liquidation at the start of the session."""
    available_funds: Decimal | None = None
    excess_liquidity: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    settled_cash: Decimal | None = None
    margin_account: bool = True
    day_trades_remaining: int | None = None
    ts_event: int = 0
