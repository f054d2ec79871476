"""T-T: the engine killed at random moments of its trade; the next start knows what is true."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.model.decision import Mode
from tests.engine.operations.processes import ROOT, EngineProcess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of another world there")
EARNED = ("it lost", "own fills chased", "the broker rejected")
"""Locks that what happened in the market explains; a crash explains none."""


def agreed(engine: EngineProcess) -> dict:
    """The status once orders and positions were compared with the exchange after the start."""
    deadline = time.monotonic() + 60
    while True:
        status = engine.status()
        if status["reconciled_at"] and not status["unknown"]:
            return status
        assert time.monotonic() < deadline, f"still not agreed: {status['unknown']}"
        time.sleep(0.1)


def check_a_start(engine: EngineProcess) -> None:
    status = agreed(engine)
    assert status["link"] == "up"
    assert [lock for lock in status["locks"] if not lock["reason"].startswith(EARNED)] == []


def killed_and_started_again(profile: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(kills):
        engine = EngineProcess(profile, "--speed", "300", "--auto")
        engine.wait_for_the_door()
        check_a_start(engine)
        time.sleep(chance.uniform(0.0, 4.0))
        engine.kill()
    events = profile / "events.jsonl"
    last = EngineProcess(profile, "--speed", "300", "--jsonl", str(events))
    last.wait_for_the_door()
    check_a_start(last)
    assert Mode(last.status()["mode"]) is not Mode.AUTO
    time.sleep(1.0)
    last.end()
    summary = json.loads(events.read_text().splitlines()[-1])
    assert (summary["event"], summary["reconciled"]) == ("RunSummary", True)
    verified = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "audit", "verify", "--profile", str(profile)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    nobody_raised_the_mode(profile)


def nobody_raised_the_mode(profile: Path) -> None:
    """And the run was no empty one: orders were sent before the kills."""
    connection = sqlite3.connect(profile / "journal.db")
    payloads = [json.loads(p) for (p,) in connection.execute("SELECT payload FROM audit WHERE kind = 'ModeChanged'")]
    sent = connection.execute("SELECT count(*) FROM order_log WHERE kind = 'SENDING'").fetchone()[0]
    twice = connection.execute(
        "SELECT ref, count(*) FROM order_log WHERE kind = 'SENDING' GROUP BY ref HAVING count(*) > 1"
    ).fetchall()
    connection.close()
    rises = [c for c in payloads if Mode(c["after"]).level > Mode(c["before"]).level]
    assert all(change["by"] in {"cli", "window"} for change in rises)
    assert sent > 0
    assert twice == []


def test_t_t_killed_three_times_every_start_agrees_with_the_exchange(tmp_path: Path) -> None:
    killed_and_started_again(tmp_path / "p", kills=3, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_t_t_killed_twenty_times_every_start_agrees_with_the_exchange(tmp_path: Path, seed: int) -> None:
    killed_and_started_again(tmp_path / "p", kills=20, seed=seed)
