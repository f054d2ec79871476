"""G25: sessions. A missing calendar counts as closed."""

from engine.bus.clock import SECOND
from engine.model.market import SessionState
from engine.model.order import OrderType, Origin, TimeInForce
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G25"
TITLE = "Session"
AT_OPEN = frozenset({OrderType.MARKET_ON_OPEN, OrderType.LIMIT_ON_OPEN})


def check(s: Situation) -> Findings:
    session = s.session
    if s.request.origin is Origin.PROTECTIVE:
        return NOTHING
    if session is None:
        return hard(CODE, f"There is no calendar for {s.symbol}; it counts as closed.")
    if session.state is not SessionState.OPEN:
        if s.auto or s.emergency:
            return hard(CODE, f"{s.symbol} is outside regular trading hours.", value=session.state.value)
        if not (s.request.outside_rth or s.request.tif is TimeInForce.OPG or s.request.order_type in AT_OPEN):
            text = f"{s.symbol} is outside regular trading hours; mark the order for that (ext) if you mean it."
            return hard(CODE, text, value=session.state.value)
        return NOTHING
    if s.auto and not s.reducing and session.close_ns > session.open_ns:
        return _edges(s)
    return NOTHING


def _edges(s: Situation) -> Findings:
    assert s.session is not None
    since = (s.now - s.session.open_ns) / (60 * SECOND)
    if since < s.agent.after_open_minutes:
        text = f"No entries in the first {s.agent.after_open_minutes:g} minutes."
        return hard(CODE, text, s.agent.after_open_minutes, f"{since:.1f}")
    left = (s.session.close_ns - s.now) / (60 * SECOND)
    if left < s.agent.before_close_minutes:
        text = f"No entries in the last {s.agent.before_close_minutes:g} minutes."
        return hard(CODE, text, s.agent.before_close_minutes, f"{left:.1f}")
    return NOTHING
