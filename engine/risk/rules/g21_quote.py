"""G21: age of the quote by its source's time and by arrival, two-sided, not crossed, live."""

from engine.bus.clock import SECOND
from engine.model.market import DataType
from engine.risk.say import NOTHING, Findings, above, figure, hard, soft
from engine.risk.situation import Situation

CODE = "G21"
TITLE = "Quote"


def check(s: Situation) -> Findings:
    quote = s.quote
    if quote is None:
        return (hard if s.auto else soft)(CODE, f"There is no quote of {s.symbol}.")
    if quote.bid > quote.ask > 0.0:
        return hard(CODE, f"The quote of {s.symbol} is crossed: bid {quote.bid:g}, ask {quote.ask:g}.")
    if not quote.two_sided:
        return (hard if s.auto else soft)(CODE, f"The quote of {s.symbol} has only one side or none.")
    age = (s.now - min(quote.ts_event, quote.ts_seen)) / SECOND
    most = s.limits.quote_age_s
    if above(age, most):
        text = f"The quote of {s.symbol} is {figure(age, most)} seconds old; the limit is {most:g}."
        return (hard if s.auto else soft)(CODE, text, f"{most:g} s", f"{figure(age, most)} s")
    if quote.data_type is not DataType.LIVE:
        text = f"The prices of {s.symbol} are not live ({quote.data_type.name.lower().replace('_', ' ')})."
        return (hard if s.auto else soft)(CODE, text)
    return NOTHING
