"""G16: loss from entry to stop; the agent's entries carry a stop at the broker."""

from engine.risk.say import NOTHING, Findings, above, hard, percent, soft
from engine.risk.situation import Situation

CODE = "G16"
TITLE = "Risk per trade"


def at_stop(s: Situation) -> float | None:
    """Return the money lost from entry to stop, None without a stop."""
    if s.request.stop_loss is None:
        return None
    return abs(s.price - float(s.request.stop_loss)) * s.quantity * float(s.instrument.multiplier)


def check(s: Situation) -> Findings:
    loss = at_stop(s)
    if loss is None:
        return hard(CODE, "The agent does not enter without a stop at the broker.") if s.auto else NOTHING
    share, most = s.of_equity(loss), s.limits.risk_percent
    if above(share, most):
        text = f"The stop would cost {percent(share, most)} of equity; the limit is {percent(most)}."
        return (hard if s.auto else soft)(CODE, text, percent(most), percent(share, most))
    return NOTHING
