"""What a parent cost against the prices it can be measured by. Pure.

Costs are in basis points of the benchmark, positive when they went against us. Implementation shortfall after
Perold (1988): what was filled against the decision price, and what was not filled against the price at the end.
"""

from decimal import Decimal

import msgspec

from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO, exact


class SlippageReport(msgspec.Struct, frozen=True, kw_only=True):
    """Prices in the instrument's currency, ``None`` where unknown; costs in basis points, positive against us."""

    ref: OrderRef
    symbol: Symbol
    side: Side
    algo: str
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None
    decision_price: Decimal | None
    """Price when the trade was decided on."""
    arrival_price: Decimal
    """Mid when the parent began."""
    interval_vwap: float | None
    """Of all prints heard while it worked."""
    end_price: float | None
    """Mid when it ended."""
    participation: float | None
    """Our part of what traded, 0..1."""
    commission: Decimal
    decision_bps: float | None
    arrival_bps: float | None
    vwap_bps: float | None
    shortfall: float | None
    """Implementation shortfall with commission, money; positive against us."""
    children: int
    start_ns: int
    end_ns: int
    tape_gaps: int = 0
    """How often the program was away: the interval's volume and price then miss a part."""


def cost_bps(side: Side, paid: Decimal | None, benchmark: Decimal | float | None) -> float | None:
    """Return how much worse ``paid`` is than the benchmark."""
    if paid is None or benchmark is None or not benchmark > 0:
        return None
    base = benchmark if isinstance(benchmark, Decimal) else exact(benchmark)
    return float((paid - base) / base * 10_000 * side.sign)


def shortfall(
    side: Side,
    *,
    quantity: Decimal,
    filled: Decimal,
    paid: Decimal | None,
    decision: Decimal | None,
    end: float | None,
    multiplier: Decimal,
    commission: Decimal,
) -> float | None:
    """Return the money lost against a trade of everything at the decision price, for nothing."""
    if decision is None or (filled < quantity and end is None):
        return None
    done = (paid - decision) * filled if paid is not None else ZERO
    missed = (exact(end) - decision) * (quantity - filled) if end is not None and filled < quantity else ZERO
    return float((done + missed) * side.sign * multiplier + commission)
