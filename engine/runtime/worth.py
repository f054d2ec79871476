"""What the account is worth at the prices of this moment: the broker's word is as old as its last message."""

from decimal import Decimal

from engine.model.money import ZERO, finite
from engine.model.position import Account

MARKS_SHARE = Decimal("0.001")
"""Up to this share of the equity, the broker's and our figure differ by the moment of their prices alone."""


class Worth:
    """Equity that moves with the result of the day, in one and the same row.

    Ours is cash and positions at the marks the day's result is reckoned with. What the broker counts beside it
    (interest, a deposit) shows when its message comes and is added until the next one.
    """

    def __init__(self) -> None:
        self._stated: Decimal | None = None
        self._beside = ZERO

    def equity(self, account: Account | None, ours: Decimal | None) -> Decimal | None:
        """Return the equity to show; the broker's own figure where ours is not known, None where neither is."""
        stated = account.equity if account is not None else None
        if stated is None or ours is None or not finite(stated):
            return stated
        if stated != self._stated:
            gap = stated - ours
            self._stated, self._beside = stated, gap if abs(gap) > abs(stated) * MARKS_SHARE else ZERO
        return ours + self._beside
