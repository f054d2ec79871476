"""The mutation campaign: what it changes, which tests it chooses; with ``-m long`` a sample of each target.

The whole of one target: ``python -m tests.support.mutate gate mutants.jsonl``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mutate import KILLED, SLOW, SURVIVED, TARGETS, Mutant, Target, Trials, every, mutants, report

SOURCE = '''"""A docstring with 1 in it."""

from functools import lru_cache


def capped(value: int, most: int = 5) -> int:
    if value > most:
        return min(
            value,
            most,
        )
    return value


@lru_cache
def twice(value: int) -> int:
    return value * 2
'''
TESTS = """from pack.things import capped, twice


def test_above():
    assert capped(9, 7) == 7
    assert capped(9) == 5


def test_below():
    assert capped(3) == 3


def test_twice():
    assert twice(2) == 4
"""


def test_each_change_is_named_by_its_place_and_changes_one_thing() -> None:
    found = {what: text for what, text, _ in mutants(SOURCE)}
    assert list(found) == [
        "6:35 5 to 6",
        "7:4 condition negated",
        "7:7 Gt to GtE",
        "8:15 min to max",
        "17:11 Mult to Div",
        "17:19 2 to 3",
    ]
    assert "if value >= most" in found["7:7 Gt to GtE"]


def test_two_changes_that_begin_at_one_place_have_two_names() -> None:
    found = [what for what, _, _ in mutants("def f(a, b, c):\n    return a * b * c\n")]
    assert found == ["2:11 Mult to Div", "2:11 Mult to Div (2)"]


def test_a_statement_is_all_its_lines_a_compound_one_its_head_and_a_cached_function_none() -> None:
    lines = {what: (here.start, here.stop) for what, _, here in mutants(SOURCE)}
    assert lines["7:7 Gt to GtE"] == (7, 8)
    assert lines["8:15 min to max"] == (8, 12)
    assert lines["17:11 Mult to Div"] == (0, 0)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Target, Path]:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/things.py").write_text(SOURCE)
    (tmp_path / "test_things.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Target(("pack/*.py",), ("test_things.py",), ()), tmp_path


def by_name(target: Target, root: Path) -> dict[str, Mutant]:
    return {mutant.what: mutant for mutant in every(target, root)}


def test_a_mutant_meets_the_tests_that_come_past_it_and_all_where_none_is_known_to(small: tuple[Target, Path]) -> None:
    trials, found = Trials(*small), by_name(*small)
    assert trials.chosen(found["8:15 min to max"]) == ["test_things.py::test_above"]
    assert len(trials.chosen(found["7:7 Gt to GtE"])) == 2
    assert trials.chosen(found["17:19 2 to 3"]) == []


@pytest.mark.parametrize("whole", [False, True])
def test_a_change_some_test_notices_is_killed_and_one_none_can_notice_survives(
    small: tuple[Target, Path], whole: bool
) -> None:
    trials, found = Trials(*small), by_name(*small)
    for what, end in (
        ("8:15 min to max", 1),
        ("6:35 5 to 6", 1),
        ("17:19 2 to 3", 1),
        ("7:7 Gt to GtE", 0),
    ):
        _, status = os.waitpid(trials.start(found[what], whole), 0)
        assert os.WEXITSTATUS(status) == end, what


def test_the_report_names_survivors_and_counts_what_hung_as_noticed() -> None:
    score, text = report({"a": KILLED, "b": SLOW, "d": SURVIVED, "c": SURVIVED})
    assert score == 0.5
    assert text.splitlines() == ["4 mutants, 2 survived, 1 hung, score 0.500", "c", "d"]


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_at_least_nine_of_ten_mutants_of_a_sample_are_noticed(name: str, repo_dir: Path, tmp_path: Path) -> None:
    # A process of its own: nothing that is changed may have been imported yet.
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.mutate", name, str(tmp_path / "ends.jsonl")],
        cwd=repo_dir,
        env={**os.environ, "MUTANTS": os.environ.get("MUTANTS", "60")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    score = float(run.stdout.splitlines()[0].rsplit(" ", 1)[1])
    assert score >= 0.9, run.stdout
