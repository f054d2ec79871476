"""What every risk rule must do, ours and foreign ones. Add yours to ``RULES`` to try it."""

import copy
from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest

from engine.model.market import Side
from engine.model.order import OrderType
from engine.risk.plugins import GROUP, foreign_rules
from engine.risk.rules._template import NoMonday
from engine.risk.rules.rule import Rule
from engine.risk.rules.table import REQUIRED, own_rules
from engine.risk.say import Finding
from engine.risk.situation import Situation
from tests.engine.risk.world import AAPL, DAY, World

TEMPLATE = EntryPoint("no_monday", "engine.risk.rules._template:NoMonday", GROUP)
RULES = [*own_rules(), *foreign_rules([TEMPLATE])]
IDS = [f"{rule.code}-{n}" for n, rule in enumerate(RULES)]


def situations() -> list[Situation]:
    """A few very different situations."""
    found = []
    for held, changes in (
        (0, {}),
        (0, {"order_type": OrderType.MARKET, "limit_price": None}),
        (100, {"side": Side.SELL, "stop_loss": None, "take_profit": None}),
        (-100, {"side": Side.BUY}),
    ):
        for by_hand in (False, True):
            world = World()
            world.ledger.hold(AAPL, held)
            request = world.manual(**changes) if by_hand else world.request(**changes)
            situation = world.gate._judge(request, None).situation
            assert situation is not None
            found.append(situation)
    return found


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_rule_returns_findings_with_a_code_and_a_sentence(rule: Rule) -> None:
    for situation in situations():
        found: Any = rule.check(situation)
        assert isinstance(found, tuple)
        for finding in found:
            assert isinstance(finding, Finding)
            assert finding.denial.code
            assert finding.denial.text.endswith(".")
            assert not finding.denial.text.endswith("..")


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_rule_is_pure(rule: Rule) -> None:
    for situation in situations():
        before = copy.copy(situation)
        first = rule.check(situation)
        assert rule.check(situation) == first
        assert all(getattr(before, name) is getattr(situation, name) for name in Situation.__slots__)


def test_the_template_is_a_rule_that_loads_and_objects_on_mondays() -> None:
    (rule,) = foreign_rules([TEMPLATE])
    assert rule.foreign
    world = World(foreign=(rule,))
    assert world.codes(world.manual()) == ["MONDAY"]
    assert world.codes(msgspec.structs.replace(world.manual(), confirmed=("MONDAY",))) == []
    world.clock._now += DAY
    assert world.codes(world.manual()) == []
    assert NoMonday.code == rule.code


@pytest.mark.parametrize(
    "target",
    ["engine.nowhere:Rule", "engine.risk.rules._template:Nothing", "engine.risk.say:hard", "builtins:object"],
)
def test_t_k4_a_foreign_rule_that_cannot_be_loaded_denies_everything(target: str) -> None:
    rules = foreign_rules([EntryPoint("mine", target, GROUP)])
    world = World(foreign=rules)
    world.ledger.hold(AAPL, 10)
    assert world.codes(world.request()) == ["mine"]
    assert world.codes(world.close(10)) == ["mine"]


def test_a_foreign_rule_cannot_take_the_place_of_an_own_one() -> None:
    assert NoMonday.code not in REQUIRED
    assert {rule.code for rule in own_rules()} == REQUIRED
