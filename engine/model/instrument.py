"""What can be traded or watched."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.ids import Symbol


class InstrumentKind(StrEnum):
    STOCK = "STK"
    ETF = "ETF"
    FUTURE = "FUT"
    FOREX = "FX"
    OPTION = "OPT"
    INDEX = "IND"
    CRYPTO = "CRYPTO"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument as the agent knows it."""

    symbol: Symbol
    name: str = ""
    kind: InstrumentKind = InstrumentKind.STOCK
    exchange: str = "SMART"
    calendar: str = "XNYS"
    """Exchange-calendar name; ``24/7`` and ``24/5`` for markets without an exchange."""
    currency: str = "USD"
    tick: Decimal = Decimal("0.01")
    multiplier: Decimal = Decimal(1)
    lot: Decimal = Decimal(1)
    """Smallest step of quantity."""
    sector: str = ""
    """Empty means unknown, which has a limit of its own (G14)."""
    adv20: float = float("nan")
    """Average daily volume of 20 sessions, units; NaN when unknown."""
    leveraged: bool = False
    """A leveraged or inverse fund: never traded automatically (G3)."""
    conid: int = 0
    """The broker's contract id where it has one."""
    hours: tuple[tuple[str, int, int], ...] = ()
    """What the broker says of the sessions of these days: (exchange date, open, close) in UTC ns; 0 and 0 where closed.
    Days that are not named are the calendar's."""
