"""G8: message rate. Cancels, protective orders and flatten are exempt but counted."""

from engine.model.order import Origin
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G8"
TITLE = "Message rate"


def check(s: Situation) -> Findings:
    if s.emergency or s.request.origin is Origin.PROTECTIVE:
        return NOTHING
    most = min(s.limits.messages_per_second, s.common.absolute_messages_per_second)
    if s.last_second >= most:
        return hard(CODE, f"{s.last_second} messages in the last second; the limit is {most}.", most, s.last_second)
    most = s.limits.messages_per_minute
    if s.last_minute >= most:
        return hard(CODE, f"{s.last_minute} messages in the last minute; the limit is {most}.", most, s.last_minute)
    return NOTHING
