"""G6: market orders are never sent as such; what the conversion left is refused."""

from engine.model.order import OrderType, Origin
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G6"
TITLE = "Market orders"
NEVER = frozenset({OrderType.MARKET, OrderType.MARKET_ON_CLOSE, OrderType.MARKET_ON_OPEN})
ONLY_CLOSING = frozenset({OrderType.TRAIL, OrderType.STOP})


def check(s: Situation) -> Findings:
    kind = s.request.order_type
    if kind in NEVER:
        return hard(CODE, "A market order needs a two-sided quote to be turned into a limit; there is none.")
    if kind in ONLY_CLOSING and not s.reducing and s.request.origin is not Origin.PROTECTIVE:
        return hard(CODE, f"A {kind.value} order becomes a market order; to open a position give it a limit price.")
    return NOTHING
