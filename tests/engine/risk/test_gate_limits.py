"""Every limit, at its edge and with a broken configuration (T-K1)."""

import pytest

from engine.model.decision import Denial
from engine.risk.limits import fault, flat
from engine.risk.rules.rule import Rule
from engine.risk.rules.table import REQUIRED, own_rules
from engine.risk.settings import RiskSettings
from tests.engine.risk.edges import EDGES, Edge
from tests.engine.risk.world import MISSING, World, unchecked

IDS = [f"{edge.code}-{edge.name}" for edge in EDGES]
NUMBERS = sorted(k for k, v in flat(RiskSettings()).items() if isinstance(v, int | float) and not isinstance(v, bool))


def objections(edge: Edge, over: bool) -> tuple[Denial, ...]:
    world, request = edge.build(over)
    verdict = world.gate.check(request)
    return verdict.warnings if edge.warns else verdict.denials


@pytest.mark.parametrize("edge", EDGES, ids=IDS)
def test_t_k1_at_the_limit_passes(edge: Edge) -> None:
    world, request = edge.build(False)
    verdict = world.gate.check(request)
    assert verdict.cleared, [d.text for d in verdict.denials]
    assert edge.code not in [d.code for d in (verdict.warnings if edge.warns else ())]


@pytest.mark.parametrize("edge", EDGES, ids=IDS)
def test_t_k1_one_unit_beyond_the_limit_is_denied_with_its_code(edge: Edge) -> None:
    found = {denial.code: denial for denial in objections(edge, True)}
    assert edge.code in found
    denial = found[edge.code]
    assert denial.hard is (edge.hard and not edge.warns)
    assert denial.text.endswith(".")
    assert "could not be checked" not in denial.text


REACHED = frozenset({"G8", "G10", "G11", "G25", "G28", "G29", "G30", "G31", "G37"})
"""Rules that speak at the limit itself, or say no figure beside it."""


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("edge", EDGES, ids=IDS)
def test_t_k1_what_is_said_is_a_number_that_does_not_read_like_its_limit(edge: Edge, over: bool) -> None:
    world, request = edge.build(over)
    verdict = world.gate.check(request)
    for denial in (*verdict.denials, *verdict.warnings):
        assert "nan" not in denial.text.lower()
        assert not denial.value or denial.code in REACHED or denial.value != denial.limit, denial.text


@pytest.mark.parametrize("edge", EDGES, ids=IDS)
def test_no_objection_and_no_warning_shows_a_number_that_is_none(edge: Edge) -> None:
    world, request = edge.build(True)
    verdict = world.gate.check(request)
    told = [text for one in (*verdict.denials, *verdict.warnings) for text in (one.text, one.limit, one.value)]
    assert [text for text in told if "nan" in text.lower().split() or "inf" in text.lower().split()] == []


@pytest.mark.parametrize("key", NUMBERS)
def test_t_k1_a_broken_limit_denies_everything(key: str) -> None:
    for value in (float("nan"), float("inf"), None, 0, -1, "5", MISSING):
        world = World(settings=unchecked(key, value))
        for request in (world.request(), world.manual(), world.close(1)):
            assert world.codes(request) == ["LIMITS"]
        assert key in world.gate.check(world.request()).denials[0].text


def test_every_number_among_the_limits_is_checked() -> None:
    assert len(NUMBERS) > 100
    assert fault(RiskSettings()) is None


def test_every_rule_has_an_edge() -> None:
    tested = {edge.code for edge in EDGES} | {"LOCK", "G36"}
    assert tested >= REQUIRED


# The conversion shortens every entry before G36 looks; that rule is tested by itself in test_gate.py.
@pytest.mark.parametrize("lost", [rule for rule in own_rules() if rule.code != "G36"], ids=lambda rule: rule.code)
def test_t_k1_without_a_rule_some_edge_goes_unnoticed(lost: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above would notice the loss of any rule: they are not empty."""
    rules = list(own_rules())
    rules[rules.index(lost)] = Rule(lost.code, lost.title, lambda situation: (), lost.openings_only)
    codes = {"MODE": {"MODE", "G34"}, "LOCK": {"G27"}}.get(lost.code, {lost.code})
    monkeypatch.setattr("engine.risk.gate.own_rules", lambda: tuple(rules))
    mine = [edge for edge in EDGES if edge.code in codes]
    assert any(not {d.code for d in objections(edge, True)} & codes for edge in mine)
