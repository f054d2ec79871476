"""Executions: the truth about quantity."""

from decimal import Decimal

import msgspec

from engine.model.ids import AccountId, ExecId, OrderRef, Symbol
from engine.model.market import Side


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution as it counts now (after corrections)."""

    exec_id: ExecId
    """Base id: without the correction suffix (reliability.md T-R6)."""
    revision: int = 1
    ref: OrderRef
    account: AccountId
    symbol: Symbol
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal = Decimal(0)
    currency: str = "USD"
    ts_event: int
    ts_seen: int
    liquidity: str = ""
    """``added``, ``removed`` or empty when the venue does not say."""
