"""G8: message rate. Cancels, protective orders and flatten are exempt but counted; a bracket counts what it sends.

An order that alone sends more than a second allows cannot be parted: it may go when nothing went in that second.
"""

from engine.model.order import Origin
from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G8"
TITLE = "Message rate"


def check(s: Situation) -> Findings:
    if s.emergency or s.request.origin is Origin.PROTECTIVE:
        return NOTHING
    sent, more = s.last_second, s.messages
    most = min(s.limits.messages_per_second, s.common.absolute_messages_per_second)
    if sent and sent + more > most:
        return hard(CODE, f"{sent} messages in the last second and {more} to send; the limit is {most}.", most, sent)
    sent, most = s.last_minute, s.limits.messages_per_minute
    if sent and sent + more > most:
        return hard(CODE, f"{sent} messages in the last minute and {more} to send; the limit is {most}.", most, sent)
    return NOTHING
