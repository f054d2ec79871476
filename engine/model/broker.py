"""What a broker can do, and what it says an order would cost."""

from decimal import Decimal

import msgspec

from engine.model.order import OrderType, TimeInForce


class BrokerCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker in use offers; the ticket shows nothing else."""

    order_types: tuple[OrderType, ...]
    tifs: tuple[TimeInForce, ...]
    brackets: bool = True
    modify: bool = True
    short: bool = False
    fractional: bool = False
    native_algos: tuple[str, ...] = ()


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """A broker's answer about an order that is not sent. Money in the account's currency."""

    initial_margin_before: Decimal | None = None
    initial_margin_after: Decimal | None = None
    maintenance_margin_after: Decimal | None = None
    equity_after: Decimal | None = None
    commission: Decimal | None = None
    refused: str = ""
    """Why the broker would not take it; empty when it would."""
    pending: bool = False
    """Nothing is said yet: the question is on its way."""
