"""MODE: what may be sent in which mode (reliability.md §7.1), and G34: AUTO needs its lease."""

from engine.model.decision import Mode
from engine.model.order import Origin
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "MODE"
TITLE = "Trading mode"


def check(s: Situation) -> Findings:
    mode = s.mode
    if mode is Mode.OBSERVE:
        return hard(CODE, "The engine only observes; nothing is sent to the broker.", value=mode.value)
    if mode is Mode.HALTED:
        if s.emergency and s.reducing:
            return NOTHING
        return hard(CODE, "Trading is halted; only cancels are sent until a person resumes.", value=mode.value)
    if mode is Mode.REDUCE_ONLY and not s.reducing:
        return hard(CODE, "Only orders that shrink a position are allowed now.", value=mode.value)
    if s.auto:
        if mode is not Mode.AUTO:
            if s.request.origin is Origin.PROGRAM:
                return hard(CODE, f"A program may not send orders by itself in mode {mode.value}.", value=mode.value)
            return hard(CODE, f"The agent may not send orders by itself in mode {mode.value}.", value=mode.value)
        if not s.lease_ok and not s.reducing:
            return hard("G34", "The time for which AUTO was armed is over.")
    if s.request.origin is Origin.EXTERNAL:
        return hard(CODE, "Orders made elsewhere are not sent by us.")
    return NOTHING
