"""LOCK: a symbol that is locked takes no opening orders; the code is the reason's own."""

from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "LOCK"
TITLE = "Symbol lock"


def check(s: Situation) -> Findings:
    if s.lock is None:
        return NOTHING
    code, reason = s.lock
    return hard(code or CODE, f"{s.symbol} is locked: {reason.rstrip('.')}.")
