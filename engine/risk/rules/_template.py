"""A rule of your own: copy this file into your package and name it in your ``pyproject.toml``::

    [project.entry-points."market_agent.risk_rules"]
    no_monday = "my_package.no_monday:NoMonday"

It is asked for every order and can only object. It is pure: no I/O, no state between orders, no clock but
``situation.now``. A rule that raises, or takes longer than 50 ms, denies the order and halts trading.
``tests/contracts/test_risk_rule_contract.py`` says what every rule must do; run it on yours.
"""

from engine.bus.clock import SECOND
from engine.risk.say import NOTHING, Findings, soft
from engine.risk.situation import Situation

DAY_S = 86_400
MONDAY = 4  # 1970-01-01 was a Thursday: day 4 after it is a Monday


class NoMonday:
    """Example: opening orders on a Monday (UTC) need a confirmation."""

    code = "MONDAY"
    title = "No Mondays"

    def check(self, situation: Situation) -> Findings:
        """Object softly on Mondays; never to an order that shrinks a position."""
        if situation.reducing or (situation.now // SECOND // DAY_S - MONDAY) % 7:
            return NOTHING
        return soft(self.code, "It is Monday.")
