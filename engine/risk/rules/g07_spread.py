"""G7: spread, absolute and against its own 20-day median."""

from engine.risk.say import NOTHING, Findings, above, percent, soft, warn
from engine.risk.situation import Situation

CODE = "G7"
TITLE = "Spread"


def check(s: Situation) -> Findings:
    spread, most = s.spread / s.mid * 100.0, s.limits.spread_percent
    if above(spread, most):
        text = f"The spread of {s.symbol} is {percent(spread)}; the limit is {percent(most)}."
        return (soft if s.auto else warn)(CODE, text, percent(most), percent(spread))
    if s.auto and s.spread_median is not None:
        times = s.agent.spread_multiple
        if not spread <= times * s.spread_median * 100.0 * (1 + 1e-9):
            text = f"The spread of {s.symbol} is more than {times:g} times its usual."
            return soft(CODE, text, percent(times * s.spread_median * 100.0), percent(spread))
    return NOTHING
