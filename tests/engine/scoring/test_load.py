"""A strategy that is wrong says which line, which key, and what the key may hold."""

import pytest

from engine.runtime.thought import strategy_reader
from engine.scoring.technical.faults import StrategyError

GOOD = """
id: rest
title: A rest
horizon: day
bar_seconds: 300
long: {enter: ["close > ema(20)"]}
"""


def read(text: str):
    return strategy_reader().compile("rest.yaml", text)


def refused(text: str) -> str:
    with pytest.raises(StrategyError) as refusal:
        read(text)
    said = str(refusal.value)
    assert said.startswith("rest.yaml")
    for word in ("pattern", "Input", "String", "pydantic", "Extra inputs", "Field required"):
        assert word not in said
    return said


def test_a_good_text_is_read():
    assert read(GOOD).strategy.id == "rest"


@pytest.mark.parametrize(
    ("was", "instead", "said"),
    [
        ("horizon: day", "horizon: month", "horizon: 'month' is not day, swing or long"),
        ("bar_seconds: 300", "bar_seconds: 900", "bar_seconds: 900 is not 60, 300 or 86400"),
        ("bar_seconds: 300", "", "bar_seconds: is missing"),
        ("id: rest", "id: Rest!", "id: 'Rest!' must be lower-case letters, digits and underscores"),
        ("title: A rest", "titel: A rest", "titel: is not a key of a strategy. Did you mean title?"),
        ("title: A rest", "title: A rest\nrisk_percent: 5", "risk_percent: must be at most 2, not 5"),
        ("title: A rest", "title: A rest\nstop_atr: 0", "stop_atr: must be above 0, not 0"),
        ("title: A rest", "title: A rest\ncooldown_bars: soon", "cooldown_bars: must be a whole number, not 'soon'"),
        ('long: {enter: ["close > ema(20)"]}', "long: {enter: []}", "long.enter: must be at least 1 long, not []"),
        ('long: {enter: ["close > ema(20)"]}', "long: no", "long: must be a group of keys"),
        ("close > ema(20)", "close > nothing(20)", "line 6: long.enter: 'close > nothing(20)': unknown indicator"),
    ],
)
def test_a_wrong_key_is_named_with_what_it_may_hold(was, instead, said):
    assert said in refused(GOOD.replace(was, instead))


def test_every_wrong_key_is_named_at_once():
    said = refused(GOOD.replace("day", "month").replace("bar_seconds: 300", ""))
    assert "horizon" in said
    assert "bar_seconds" in said


SIX_LINES = """id: rest
title: A rest
horizon: day
bar_seconds: 300
long:
  enter:
    - close > ema(20)
    - close > nothing(20)
  score:
    - {when: "rsi(14) > 50", weight: 0.2}
    - when: rsi(0) > 50
      weight: 0.2
short:
  enter: [close < ema(20), "close <"]
"""


def test_every_wrong_rule_is_named_with_its_own_line():
    with pytest.raises(StrategyError) as refusal:
        read(SIX_LINES)
    assert [(fault.line, fault.key) for fault in refusal.value.faults] == [
        (8, "long.enter"),
        (11, "long.score.when"),
        (14, "short.enter"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("id: rest\n  title: [", 2, "not valid YAML"),
        ("id: rest\nid: other\n", 2, "stands here twice"),
        ("id: rest\nlong: {enter: [a], enter: [b]}\n", 2, "stands here twice"),
        ("a: &a [x]\nb: *a\n", 1, "Anchors"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "tags"),
        ("- a\n- b\n", 1, "keys and values"),
        ("", 1, "keys and values"),
        ("id: rest\na: " + "[" * 30_000, 2, "nested too deeply"),
        ("a: " + "{b: " * 33 + "1" + "}" * 33, 1, "nested too deeply"),
        ("".join(" " * level + "b:\n" for level in range(40)), 33, "nested too deeply"),
        ("a: " + "x" * 70_000, 0, "65536 bytes"),
        ("a: 2020-13-45\n", 0, "not valid YAML"),
        ("a: \x07\n", 0, "not valid YAML"),
    ],
)
def test_a_text_that_is_no_plain_yaml_is_refused_with_its_line(text, line, said):
    with pytest.raises(StrategyError) as refusal:
        read(text)
    fault = refusal.value.faults[0]
    assert said in fault.text
    assert fault.line == line


@pytest.mark.parametrize(
    "rule",
    ["1" + "0" * 400 + " > close", "close > " + "-" * 480 + "1", "close > ema(1" + "0" * 400 + ")", "x" * 501, "a\0b"],
)
def test_a_rule_that_cannot_be_computed_is_a_fault_and_no_error(rule):
    with pytest.raises(StrategyError):
        read(GOOD.replace('"close > ema(20)"', repr(rule)))


@pytest.mark.parametrize("rule", ["RSV20[1] > 0.5", "mean(RSV20, 5) > 0.5", "crosses_above(close, RSV20)"])
def test_a_rule_cannot_look_back_at_a_feature(rule):
    assert "newest bar alone" in refused(GOOD.replace("close > ema(20)", rule))
