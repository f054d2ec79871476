"""G36: what the agent opens expires at the broker by itself; the gate shortens it, this rule makes sure."""

from engine.model.order import TimeInForce
from engine.risk.conversion import expiry
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G36"
TITLE = "Life of entries"
SHORT = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG})


def check(s: Situation) -> Findings:
    if s.request.tif is TimeInForce.GTD and s.no_good_till:
        return hard(CODE, s.no_good_till)
    if not s.auto or s.request.tif in SHORT:
        return NOTHING
    until, most = s.request.good_till_ns, s.agent.entry_life_s
    if s.request.tif is not TimeInForce.GTD or until is None or until > expiry(s.request, s.book, most, s.now):
        return hard(
            CODE, f"The agent's entries expire at the broker within {most:g} seconds; this one would not.", most
        )
    return NOTHING
