"""The engine's process: started, watched, restarted with patience, and left down when it dies too often."""

import itertools
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QSignalSpy

from engine.api.starting import START_FILE, StartStep, write_start
from market_agent_gui.engine_host import STEPS, EngineHost, Phase, describe_exit, last_lines
from market_agent_gui.translate import load_catalogue
from tests.support_gui.fake_engine import FakeEngine
from tests.support_gui.harness import until

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_bad_settings_are_told_with_the_line_and_never_tried_again(tmp_path: Path, run: Run) -> None:
    host = EngineHost(
        tmp_path, program("import sys; print('settings.yaml, line 3: port', file=sys.stderr); sys.exit(2)")
    )

    async def work() -> None:
        host.start()
        await until(lambda: host.state.phase is Phase.BAD_SETTINGS, "the phase")

    run(work())
    assert host.state.text == "settings.yaml, line 3: port"
    assert host.state.exit_code == 2
    assert not host._again.isActive()


def test_after_three_crashes_it_stays_down_and_shows_the_last_lines(tmp_path: Path, run: Run) -> None:
    host = EngineHost(tmp_path, program("raise SystemExit('boom')"), back_off_s=(0.01, 0.01))
    spy = QSignalSpy(host.changed)

    async def work() -> None:
        host.start()
        await until(lambda: host.state.phase is Phase.DOWN, "the phase")

    run(work())
    phases = [spy.at(i)[0].phase for i in range(spy.count())]
    assert phases.count(Phase.WAITING) == 2
    assert "G38" in host.state.text
    assert host.state.last_lines == ("boom",)


def test_crashes_long_apart_are_forgiven(tmp_path: Path, run: Run) -> None:
    times = itertools.count(0, 1000.0)
    host = EngineHost(tmp_path, program("raise SystemExit(1)"), monotonic=lambda: next(times), back_off_s=(0.01,))
    spy = QSignalSpy(host.changed)

    async def work() -> None:
        host.start()
        await until(lambda: sum(spy.at(i)[0].phase is Phase.WAITING for i in range(spy.count())) >= 4, "four crashes")
        host.expect_exit()
        await until(host.gone, "the last one's end")

    run(work())
    assert all(spy.at(i)[0].phase is not Phase.DOWN for i in range(spy.count()))


def test_an_engine_that_runs_for_the_profile_is_attached_to(tmp_path: Path, run: Run) -> None:
    engine = FakeEngine(tmp_path)
    host = EngineHost(tmp_path, program("raise SystemExit(9)"))

    async def work() -> None:
        await engine.start()
        host.start()
        await engine.stop()

    run(work())
    assert host.state.phase is Phase.ATTACHED
    assert not host.owns


def test_a_stop_that_was_asked_for_is_no_crash(tmp_path: Path, run: Run) -> None:
    host = EngineHost(tmp_path, program("import time; time.sleep(60)"))

    async def work() -> None:
        host.start()
        assert host.owns
        host.stop_now()

    run(work())
    assert host.state.phase is Phase.STOPPED


def test_a_program_that_cannot_be_started_is_told_in_words(tmp_path: Path, run: Run) -> None:
    host = EngineHost(tmp_path, [str(tmp_path / "nowhere")])

    async def work() -> None:
        host.start()

    run(work())
    assert host.state.phase is Phase.DOWN
    assert "cannot be started" in host.state.text


@pytest.mark.parametrize(("code", "words"), [(1, "exit code 1"), (-9, "signal SIGKILL")])
def test_an_exit_code_is_said_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_last_lines_of_a_missing_file_are_none(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none") == ()


def test_a_start_that_takes_its_time_says_what_it_is_doing(tmp_path: Path, run: Run) -> None:
    write_start(tmp_path, StartStep.BOOKS)  # left behind by a start that was cut off
    word = tmp_path / START_FILE
    host = EngineHost(
        tmp_path,
        program(
            f"import pathlib, time; time.sleep(1); pathlib.Path({str(word)!r}).write_text('compiling'); time.sleep(60)"
        ),
    )
    spy = QSignalSpy(host.changed)

    async def work() -> None:
        host.start()
        await until(lambda: host.state.text == STEPS[StartStep.COMPILING], "the word")
        host.stop_now()

    run(work())
    texts = [spy.at(i)[0].text for i in range(spy.count())]
    assert texts[:2] == ["starting the engine", STEPS[StartStep.COMPILING]]


def test_every_step_of_a_start_has_words_in_both_languages() -> None:
    assert set(STEPS) == set(StartStep)
    assert set(STEPS.values()) <= set(load_catalogue("ru"))
