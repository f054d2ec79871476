"""G33: orders a person probably did not mean."""

from engine.risk.rules.g01_notional import hard_limit
from engine.risk.say import NOTHING, Findings, above, money, soft
from engine.risk.situation import Situation

CODE = "G33"
TITLE = "Fat finger"


def check(s: Situation) -> Findings:
    if s.auto:
        return NOTHING
    intended = s.asked.intended_notional
    if intended is not None and above(s.notional / float(intended), s.person.fat_finger_ratio):
        text = (
            f"The order is worth {money(s.notional)}, you meant about {money(float(intended))}. Type the amount again."
        )
        return soft(CODE, text, money(float(intended)), money(s.notional))
    most = hard_limit(s) * s.person.fat_finger_percent / 100.0
    if above(s.notional, most):
        text = f"The order is worth {money(s.notional, most)}; above {money(most)} type the amount again."
        return soft(CODE, text, money(most), money(s.notional, most))
    usual = s.usual_notional
    if usual is not None and above(s.notional, usual * s.person.fat_finger_multiple):
        text = f"The order is worth {money(s.notional)}; your last orders were about {money(usual)}. Type it again."
        return soft(CODE, text, money(usual * s.person.fat_finger_multiple), money(s.notional))
    return NOTHING
