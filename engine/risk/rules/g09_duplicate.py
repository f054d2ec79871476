"""G9: the same order again, or anything new while an order of the symbol is UNKNOWN."""

from engine.bus.clock import SECOND
from engine.model.order import OrderState, Origin
from engine.risk.say import NOTHING, Findings, hard, soft
from engine.risk.situation import Situation

CODE = "G9"
TITLE = "Duplicates"


def check(s: Situation) -> Findings:
    if s.emergency or s.request.origin is Origin.PROTECTIVE:
        return NOTHING
    if not s.reducing and any(status.state is OrderState.UNKNOWN for status in s.line.orders):
        return hard(CODE, f"An order of {s.symbol} is not confirmed yet. Do not enter it again.")
    window = s.limits.duplicate_seconds
    since = s.now - round(window * SECOND)
    side, quantity, price, near = s.request.side, s.quantity, s.price, s.tick * 1.000001
    for sent in s.sent:
        if sent.at_ns > since and sent.side is side and sent.quantity == quantity and abs(sent.price - price) <= near:
            ago = (s.now - sent.at_ns) / SECOND
            text = f"The same order was sent {ago:.0f} seconds ago."
            return (hard if s.auto else soft)(CODE, text, f"{window:g} s", f"{ago:.0f} s")
    return NOTHING
