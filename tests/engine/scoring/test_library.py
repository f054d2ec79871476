"""The person's own text stands in front of ours; what cannot be read is off, and nothing takes its place."""

from pathlib import Path

import pytest

from engine.runtime.thought import strategy_reader
from engine.scoring.technical.library import Offered, Origin, switched, usable

GOOD = """id: {name}
title: One of {who}
# a remark
horizon: day
bar_seconds: 300
long: {{enter: ["close > ema(20)"]}}
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    put(shipped, "rest", "ours")
    put(shipped, "trend", "ours")
    return shipped, own


def put(folder: Path, name: str, who: str) -> None:
    (folder / f"{name}.yaml").write_text(GOOD.format(name=name, who=who), encoding="utf-8")


def test_an_own_one_stands_in_front_of_ours_and_the_others_of_ours_stay(folders) -> None:
    put(folders[1], "rest", "mine")
    put(folders[1], "alone", "mine")
    found = strategy_reader().library(*folders)
    assert {name: entry.origin for name, entry in found.items()} == {
        "alone": Origin.OWN, "rest": Origin.OWN, "trend": Origin.SHIPPED,
    }  # fmt: skip
    assert found["rest"].compiled.strategy.title == "One of mine"
    assert "One of ours" in (found["rest"].original or "")
    assert found["alone"].original is None


@pytest.mark.parametrize("text", ["id: rest\nbad: [", "", GOOD.format(name="other", who="me"), "\xff"])
def test_an_own_one_that_cannot_be_read_is_off_and_ours_does_not_take_its_place(folders, text) -> None:
    (folders[1] / "rest.yaml").write_text(text, encoding="latin-1")
    found = strategy_reader().library(*folders)
    assert found["rest"].faults
    assert found["rest"].origin is Origin.OWN
    assert list(usable(found)) == ["trend"]


def test_a_file_of_another_name_than_its_strategy_is_refused_with_both_names(folders) -> None:
    (folders[1] / "mine.yaml").write_text(GOOD.format(name="rest", who="me"), encoding="utf-8")
    fault = strategy_reader().library(*folders)["mine"].faults[0]
    assert "rest" in fault.text
    assert "mine.yaml" in fault.text


def test_a_package_adds_and_never_replaces_ours_and_an_own_one_wins_over_both(folders) -> None:
    offered = [
        Offered("extra", "pack", GOOD.format(name="extra", who="a package")),
        Offered("rest", "pack", GOOD.format(name="rest", who="a package")),
    ]
    found = strategy_reader().library(*folders, offered)
    assert (found["extra"].origin, found["extra"].place) == (Origin.PACKAGE, "pack")
    assert found["rest"].compiled.strategy.title == "One of ours"
    put(folders[1], "extra", "mine")
    found = strategy_reader().library(*folders, offered)
    assert (found["extra"].origin, found["extra"].compiled.strategy.title) == (Origin.OWN, "One of mine")


def test_what_two_packages_offer_under_one_name_is_off(folders) -> None:
    offered = [Offered("extra", pack, GOOD.format(name="extra", who=pack)) for pack in ("one", "two")]
    entry = strategy_reader().library(*folders, offered)["extra"]
    assert entry.compiled is None
    assert "one" in entry.faults[0].text


def test_a_switch_changes_one_line_and_keeps_every_remark() -> None:
    text = GOOD.format(name="rest", who="me")
    off = switched(text, False)
    assert off.splitlines() == ["id: rest", "enabled: false", *text.splitlines()[1:]]
    assert switched(off, True) == off.replace("false", "true")
    reader = strategy_reader()
    assert reader.compile("x", off).strategy.enabled is False
