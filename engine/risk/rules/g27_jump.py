"""G27: an overnight jump that looks like a split or another corporate action nobody told us of."""

from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G27"
TITLE = "Corporate action"


def check(s: Situation) -> Findings:
    before = s.quote.previous_close if s.quote is not None else float("nan")
    if not before > 0.0:
        return NOTHING
    ratio = s.mid / before
    if ratio >= s.common.jump_up or ratio <= s.common.jump_down:
        text = f"{s.symbol} is at {ratio:.2f} times its last close; this looks like a split. Check it first."
        return hard(CODE, text, f"{s.common.jump_down:g}..{s.common.jump_up:g}", f"{ratio:.2f}")
    return NOTHING
