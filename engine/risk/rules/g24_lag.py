"""G24: no entries while the engine itself is late."""

from engine.risk.say import NOTHING, Findings, above, figure, hard
from engine.risk.situation import Situation

CODE = "G24"
TITLE = "Engine lag"


def check(s: Situation) -> Findings:
    lag, most = s.vitals.lag_ms, s.common.lag_entry_ms
    if above(lag, most):
        late = figure(lag, most)
        return hard(CODE, f"The engine is {late} ms late; the limit is {most:.0f} ms.", most, late)
    queue, longest = s.vitals.queue_depth, s.common.queue_demote
    if queue > longest:
        return hard(CODE, f"{queue} events are waiting; the limit is {longest}.", longest, queue)
    return NOTHING
