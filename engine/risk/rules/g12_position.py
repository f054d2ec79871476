"""G12: position in one symbol: filled, at work, unknown, reserved and this order."""

from engine.model.market import Side
from engine.risk.say import NOTHING, Findings, above, hard, percent
from engine.risk.situation import Situation

CODE = "G12"
TITLE = "Position"


def after(s: Situation) -> float:
    """Return the worst quantity of the symbol with this order."""
    buying = s.request.side is Side.BUY
    return s.line.worst(s.quantity, 0.0) if buying else s.line.worst(0.0, s.quantity)


def check(s: Situation) -> Findings:
    unit = max(s.price, s.mid) * float(s.instrument.multiplier)
    share, most = s.of_equity(after(s) * unit), s.limits.position_percent * s.ramp
    if above(share, most):
        text = f"This order would make {s.symbol} {percent(share, most)} of equity; the limit is {percent(most)}."
        return hard(CODE, text, percent(most), percent(share, most))
    return NOTHING
