"""A strategy file that is wrong says which file, which key, and what the key may hold."""

from pathlib import Path

import pytest

from engine.bus.errors import SettingsError
from engine.runtime.thought import read_strategies

GOOD = """
id: rest
title: A rest
horizon: day
bar_seconds: 300
long: {enter: ["close > ema(20)"]}
"""


def refused(folder: Path, text: str) -> str:
    (folder / "rest.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        read_strategies(folder)
    said = str(refusal.value)
    assert said.startswith(str(folder / "rest.yaml"))
    for word in ("pattern", "Input", "String", "pydantic", "Extra inputs", "Field required"):
        assert word not in said
    return said.removeprefix(f"{folder / 'rest.yaml'}: ")


def test_a_good_file_is_read(tmp_path):
    (tmp_path / "rest.yaml").write_text(GOOD, encoding="utf-8")
    assert list(read_strategies(tmp_path)) == ["rest"]


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
        ("close > ema(20)", "close > nothing(20)", "strategy rest: long.enter: "),
    ],
)
def test_a_wrong_key_is_named_with_what_it_may_hold(tmp_path, was, instead, said):
    assert said in refused(tmp_path, GOOD.replace(was, instead))


def test_every_wrong_key_is_named_at_once(tmp_path):
    said = refused(tmp_path, GOOD.replace("day", "month").replace("bar_seconds: 300", ""))
    assert "horizon" in said
    assert "bar_seconds" in said
