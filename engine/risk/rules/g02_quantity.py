"""G2: quantity of one order, against the average volume and in units."""

import math

from engine.risk.say import NOTHING, Findings, above, count, hard, percent, warn
from engine.risk.situation import Situation

CODE = "G2"
TITLE = "Order quantity"


def check(s: Situation) -> Findings:
    cap = s.limits.order_units_cap * s.ramp
    if s.live and above(s.quantity, cap):
        text = f"The order is for {count(s.quantity)} units; the limit is {count(cap)}."
        return hard(CODE, text, count(cap), count(s.quantity))
    volume = s.instrument.adv20
    if not math.isfinite(volume) or volume <= 0:
        text = f"The average volume of {s.symbol} is not known."
        return hard(CODE, text) if s.auto else warn(CODE, text)
    share, most = s.quantity / volume * 100.0, s.limits.order_adv_percent * s.ramp
    if above(share, most):
        text = f"The order is {percent(share, most)} of the average daily volume; the limit is {percent(most)}."
        return hard(CODE, text, percent(most), percent(share, most))
    return NOTHING
