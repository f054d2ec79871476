"""G1: value of one order."""

from engine.risk.say import NOTHING, Findings, above, hard, money, percent, soft
from engine.risk.situation import Situation

CODE = "G1"
TITLE = "Order value"


def hard_limit(s: Situation) -> float:
    """Return the largest value of one order in money."""
    limit = s.equity * s.limits.order_notional_percent / 100.0
    if s.live:
        limit = min(limit, s.limits.order_notional_cap)
    return limit * s.ramp


def check(s: Situation) -> Findings:
    limit = hard_limit(s)
    if above(s.notional, limit):
        text = f"The order is worth {money(s.notional, limit)}; the limit is {money(limit)}."
        return hard(CODE, text, money(limit), money(s.notional, limit))
    share, most = s.of_equity(s.notional), s.limits.order_notional_soft_percent
    if above(share, most):
        text = f"The order is {percent(share, most)} of equity; above {percent(most)} it needs a confirmation."
        return soft(CODE, text, percent(most), percent(share, most))
    return NOTHING
