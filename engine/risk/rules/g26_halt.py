"""G26: halts, the quiet time after them, and an own conservative price band."""

from engine.bus.clock import SECOND
from engine.model.order import Origin
from engine.risk.say import NOTHING, Findings, above, hard, percent
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
        if quiet < s.agent.resume_minutes:
            text = f"{s.symbol} resumed {quiet:.1f} minutes ago; the agent waits {s.agent.resume_minutes:g}."
            return hard(CODE, text, s.agent.resume_minutes, f"{quiet:.1f}")
    if s.mean_price is not None:
        away = abs(s.price / s.mean_price - 1.0) * 100.0
        if above(away, s.agent.band_percent):
            text = f"The price is {percent(away)} from its 5-minute mean; the band is {percent(s.agent.band_percent)}."
            return hard(CODE, text, percent(s.agent.band_percent), percent(away))
    return NOTHING
