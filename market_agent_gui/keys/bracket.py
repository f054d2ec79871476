"""Where a whole bracket goes when it is moved by key. Pure decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.api.rows import OrderRow
from market_agent_gui.actions import ActionSpec, Risk
from market_agent_gui.keys.staging import StagedOrder
from market_agent_gui.translate import say

STEPS: Final = {"bracket_up": 1, "bracket_down": -1, "bracket_up_ten": 10, "bracket_down_ten": -10}
_WAITS: Final = ("PENDING_MODIFY", "PENDING_CANCEL", "UNKNOWN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One working order and where it goes."""

    ref: str
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


def moves(orders: Sequence[OrderRow], by: Decimal) -> list[Move]:
    """Return where the working orders of a symbol go when all of it moves by an amount of price.

    All of it or nothing: raises ``ValueError`` in words while one cannot be moved, or would fall to zero.
    """

    own = [row for row in orders if not row.external]
    if not own:
        raise ValueError(say("no working order"))
    for row in own:
        if row.state in _WAITS:
            raise ValueError(say("{ref} waits for the broker: nothing was moved", ref=row.key))
        if any(price is not None and price + by <= 0 for price in (row.limit_price, row.stop_price)):
            raise ValueError(say("a price would fall to zero: nothing was moved"))
    found = [
        Move(ref=row.key, limit_price=_moved(row.limit_price, by), stop_price=_moved(row.stop_price, by)) for row in own
    ]
    return [move for move in found if move.limit_price is not None or move.stop_price is not None]


def _moved(price: Decimal | None, by: Decimal) -> Decimal | None:
    return None if price is None else price + by


def risk_now(spec: ActionSpec, staged: StagedOrder | None) -> Risk:
    """Return what an action may do to the book: a bracket that is staged has not left the window."""
    return Risk.NONE if spec.id in STEPS and staged is not None and not staged.ref else spec.risk
