"""G10: repeated execution by the agent; the latch itself is set by the gate and lifted by a person."""

from engine.risk.exposure import is_closing
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G10"
TITLE = "Repeated execution"


def check(s: Situation) -> Findings:
    if not s.auto:
        return NOTHING
    if s.latch is not None:
        return hard(
            CODE, f"Strategy {s.request.strategy or 'without a name'} is off until a person re-arms it: {s.latch.text}."
        )
    strategy = s.request.strategy
    working = sum(1 for o in s.line.orders if o.request.strategy == strategy and not is_closing(o.request))
    working += sum(1 for r in s.line.reserved if r.strategy == strategy and not is_closing(r))
    most = s.agent.working_entries
    if working >= most:
        return hard(CODE, f"This strategy already has an entry at work in {s.symbol}.", most, working)
    most = s.agent.entries_per_day
    if s.entries_today >= most:
        text = f"The agent has entered {s.symbol} {s.entries_today} times today; the limit is {most}."
        return hard(CODE, text, most, s.entries_today)
    return NOTHING
