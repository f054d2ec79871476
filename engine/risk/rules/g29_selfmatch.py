"""G29: never trade with oneself."""

from engine.model.market import Side
from engine.model.order import OrderType
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G29"
TITLE = "Self-match"
RESTING = frozenset({OrderType.LIMIT, OrderType.LIMIT_ON_CLOSE, OrderType.LIMIT_ON_OPEN, OrderType.RELATIVE})


def check(s: Situation) -> Findings:
    if s.emergency:
        return NOTHING
    side, mine = s.request.side, s.price
    for status in s.line.orders:
        request = status.request
        if request.side is side or request.order_type not in RESTING:
            continue
        if status.ref == s.request.parent_ref:
            # A child comes alive through its parent's fills: where its stop is reached, the parent is filled.
            continue
        parent = request.parent_ref or status.parent_ref
        if parent is not None and any(o.ref == parent and o.filled == 0 for o in s.line.orders):
            continue
        if request.limit_price is None:
            return hard(CODE, f"An own {request.side.value} order of {s.symbol} is working and could trade with this.")
        theirs = float(request.limit_price)
        if (mine >= theirs) if side is Side.BUY else (mine <= theirs):
            text = f"An own {request.side.value} order of {s.symbol} rests at {theirs:g} and would trade with this."
            return hard(CODE, text, f"{theirs:g}", f"{mine:g}")
    return NOTHING
