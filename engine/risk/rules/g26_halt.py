"""G26: halts, the quiet time after them, and an own conservative price band."""

from engine.bus.clock import SECOND
from engine.model.order import Origin
from engine.risk.say import NOTHING, Findings, above, figure, hard, percent
from engine.risk.situation import Situation

CODE = "G26"
TITLE = "Halt"


def check(s: Situation) -> Findings:
    if s.request.origin is Origin.PROTECTIVE:
        return NOTHING
    if s.quote is not None and s.quote.halted:
        return hard(CODE, f"Trading in {s.symbol} is halted.")
    if not s.auto or s.reducing:
        return NOTHING
    if s.resumed_ns:
        quiet = (s.now - s.resumed_ns) / (60 * SECOND)
        wait = s.agent.resume_minutes
        if quiet < wait:
            text = f"{s.symbol} resumed {figure(quiet, wait, 1)} minutes ago; the agent waits {wait:g}."
            return hard(CODE, text, wait, figure(quiet, wait, 1))
    if s.mean_price is not None:
        away = abs(s.price / s.mean_price - 1.0) * 100.0
        band = s.agent.band_percent
        if above(away, band):
            text = f"The price is {percent(away, band)} from its 5-minute mean; the band is {percent(band)}."
            return hard(CODE, text, percent(band), percent(away, band))
    return NOTHING
