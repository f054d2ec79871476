"""G5: how far away from the market an opening order may wait."""

import math

from engine.model.market import Side
from engine.risk.rules.g04_collar import distance
from engine.risk.say import NOTHING, Findings, above, percent, soft
from engine.risk.situation import Situation

CODE = "G5"
TITLE = "Passive distance"


def check(s: Situation) -> Findings:
    away = -(distance(s) or 0.0)
    trigger = s.request.stop_price
    if trigger is not None:
        sign = 1.0 if s.request.side is Side.BUY else -1.0
        away = max(away, sign * (float(trigger) / s.mid - 1.0) * 100.0)
    most = s.limits.passive_percent
    if math.isnan(away):
        return soft(CODE, "How far the price is from the market is not known; it needs a confirmation.", percent(most))
    if above(away, most):
        far = percent(away, most)
        text = f"The price is {far} away from the market; above {percent(most)} it needs a confirmation."
        return soft(CODE, text, percent(most), far)
    return NOTHING
