"""What a broker can do, and what it says an order would cost."""

from decimal import Decimal

import msgspec

from engine.model.instrument import InstrumentKind
from engine.model.order import OrderType, TimeInForce


class NativeParam(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a broker's own algorithm: a word out of ``choices``, or a number with bounds."""

    name: str
    title: str
    description: str
    default: str = ""
    least: Decimal = Decimal(0)
    most: Decimal = Decimal("1e9")
    choices: tuple[str, ...] = ()


class NativeAlgo(msgspec.Struct, frozen=True, kw_only=True):
    """An algorithm that the broker works on its own servers."""

    name: str
    title: str
    params: tuple[NativeParam, ...] = ()


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """What an order costs by the broker's list, in the account's currency; what is charged is booked from reports."""

    per_unit: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    """Per order."""
    most_percent: Decimal = Decimal(0)
    """Per order, percent of its value; one cent at least."""
    kinds: tuple[InstrumentKind, ...] = ()
    """What the list is for; empty for everything."""

    def known(self, kind: InstrumentKind) -> bool:
        """Say whether the list tells what an order in such an instrument costs."""
        return not self.kinds or kind in self.kinds

    def of(self, quantity: Decimal, price: Decimal, multiplier: Decimal = Decimal(1), first: bool = True) -> Decimal:
        """Return the fee of an execution, not rounded; an order pays its minimum with the ``first`` one."""
        charged = quantity * self.per_unit
        if first:
            charged = max(charged, self.minimum)
        return min(charged, max(quantity * price * multiplier * self.most_percent / 100, Decimal("0.01")))


class BrokerCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker in use offers; the ticket shows nothing else."""

    order_types: tuple[OrderType, ...]
    tifs: tuple[TimeInForce, ...]
    brackets: bool = True
    modify: bool = True
    short: bool = False
    fractional: bool = False
    native_algos: tuple[NativeAlgo, ...] = ()
    brackets_in_one: bool = False
    """An entry and its exits, or a stop with its target, go out as one message; else each is one of its own (G8), and
    a stop and a target find each other by their group."""
    exits_wait: bool = False
    """The broker may hold the exits of an entry back until all of it is filled, and shows them as held while it does;
    else they cover what has filled."""
    exits_hold: bool = False
    """Stops and targets that rest hold what they would close: no other order may close it while they do."""
    fees: Fees = Fees()
    no_good_till: str = ""
    """Why an order with a good-till time cannot be sent, as a sentence; empty when it can."""


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
