"""G7: spread, absolute and against its own 20-day median."""

import math

from engine.risk.say import NOTHING, Findings, above, percent, soft, warn
from engine.risk.situation import Situation

CODE = "G7"
TITLE = "Spread"


def check(s: Situation) -> Findings:
    spread, most = s.spread / s.mid * 100.0, s.limits.spread_percent
    if math.isnan(spread):
        return (soft if s.auto else warn)(CODE, f"The spread of {s.symbol} is not known.")
    if above(spread, most):
        text = f"The spread of {s.symbol} is {percent(spread, most)}; the limit is {percent(most)}."
        return (soft if s.auto else warn)(CODE, text, percent(most), percent(spread, most))
    if s.auto and s.spread_median is not None:
        times = s.agent.spread_multiple
        most = times * s.spread_median * 100.0
        if above(spread, most):
            text = f"The spread of {s.symbol} is more than {times:g} times its usual."
            return soft(CODE, text, percent(most), percent(spread, most))
    return NOTHING
