"""G28: no accidental shorts: sells end at the position less what is on its way out. I9: never cross zero."""

from engine.model.market import Side
from engine.model.order import OrderType
from engine.risk.exposure import is_closing
from engine.risk.say import NOTHING, Findings, count, hard, percent
from engine.risk.situation import Situation

CODE = "G28"
TITLE = "Short sale"


def check(s: Situation) -> Findings:
    if s.reducing:
        return NOTHING
    if is_closing(s.request):  # what says so must do so: exposure does not count it as an opening
        text = f"{count(s.available)} {s.symbol} can still be closed; the order is for {count(s.quantity)}."
        if s.line.quantity and s.available < abs(s.line.quantity):
            text += " The rest is already offered by working orders: cancel those first, or flatten."
        return hard(CODE, text, count(s.available), count(s.quantity))
    if s.request.side is Side.BUY:
        return NOTHING
    if not s.settings.allow_short:
        text = f"Selling {count(s.quantity)} {s.symbol} would go short: {count(s.available)} can still be sold."
        return hard(CODE, text, count(s.available), count(s.quantity))
    return _borrow(s)


def _borrow(s: Situation) -> Findings:
    facts, limits = s.shorts, s.common
    if facts is None or facts.shortable is None or facts.shares is None or facts.fee_percent is None:
        return hard(CODE, f"Whether {s.symbol} can be borrowed is not known.")
    if not facts.shortable > limits.shortable_least:
        return hard(CODE, f"{s.symbol} is hard to borrow.", limits.shortable_least, facts.shortable)
    need = limits.short_cover * s.quantity
    if not facts.shares >= need:
        return hard(CODE, f"Only {count(facts.shares)} {s.symbol} can be borrowed.", count(need), count(facts.shares))
    if not facts.fee_percent <= limits.short_fee_percent:
        text = f"Borrowing {s.symbol} costs {percent(facts.fee_percent, limits.short_fee_percent)} a year."
        return hard(CODE, text, percent(limits.short_fee_percent), percent(facts.fee_percent, limits.short_fee_percent))
    if facts.restricted and s.asked.order_type is not OrderType.LIMIT:
        return hard(CODE, f"Short sales of {s.symbol} are restricted; only a limit order may be used.")
    return NOTHING
