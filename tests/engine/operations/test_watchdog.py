"""The watchdog sees a killed engine, says so, leaves the steps, and starts it again without arming the agent."""

import asyncio
import os
import stat
import sys
import time
from pathlib import Path

import pytest

from engine.api.door import Door, write_door
from engine.bus.clock import SECOND, LiveClock
from engine.operations import watchdog
from engine.operations.notify import Notifier
from engine.operations.page import PAGE, Working, steps, working_orders
from engine.operations.watchdog import LOCK_FILE, Health, Watchdog, is_running
from tests.engine.operations.processes import EngineProcess, command_line, status

posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of another world there")
GONE = 2**22 + 5
"""A process number that no process has."""


class FakeNotifier(Notifier):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str]] = []

    def notify(self, title: str, text: str) -> bool:
        self.shown.append((title, text))
        return True


class Dog:
    """A watchdog over a profile, what it said and showed."""

    def __init__(self, profile: Path, *restart: str) -> None:
        self.said: list[str] = []
        self.notifier = FakeNotifier()
        self.dog = Watchdog(profile, LiveClock(), self.notifier, restart, say=self.said.append, look_every_s=0.2)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    folder.mkdir(mode=0o700)
    return folder


@posix
async def test_t_s4_a_killed_engine_is_told_within_ten_seconds_and_started_again_without_auto(profile: Path) -> None:
    engine = EngineProcess(profile, "--speed", "300", "--auto")
    engine.wait_for_the_door()
    watch = Dog(profile, *command_line(profile, "--speed", "300", "--auto"))
    running = asyncio.create_task(watch.dog.run())
    await asyncio.sleep(1.0)
    assert watch.notifier.shown == []
    engine.kill()
    async with asyncio.timeout(10):
        while not watch.notifier.shown:  # noqa: ASYNC110  the notifier is plain
            await asyncio.sleep(0.05)
    page = profile / PAGE
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert f"process {engine.process.pid}" in page.read_text()
    assert watch.dog.restarts == 1
    deadline = time.monotonic() + 120
    while (await watch.dog.see()).health is not Health.ALIVE:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    found = await asyncio.to_thread(status, profile)
    assert found["mode"] != "AUTO"
    assert found["pid"] != engine.process.pid
    # It is not this watchdog's to end what it started: that goes on without it.
    watch.dog.stop()
    await running
    assert is_running(found["pid"])
    # The child is ours by descent, so it stays a zombie until it is waited for.
    for child in watch.dog._children:
        child.terminate()
        assert await asyncio.to_thread(child.wait, 60) == 0
    assert len(watch.notifier.shown) == 1


def crash(profile: Path, pid: int = GONE) -> None:
    """What a killed engine leaves behind."""
    (profile / LOCK_FILE).write_text(f"{pid}\n")
    write_door(profile, Door(kind="unix", path=str(profile / "engine.sock"), pid=pid))


async def test_without_an_engine_and_after_a_stop_in_order_nothing_is_said(profile: Path) -> None:
    watch = Dog(profile)
    assert await watch.dog.look() is Health.ABSENT
    (profile / LOCK_FILE).write_text("")
    assert await watch.dog.look() is Health.ABSENT
    (profile / LOCK_FILE).write_text("garbage")
    assert await watch.dog.look() is Health.ABSENT
    assert watch.notifier.shown == []


async def test_one_death_is_told_once(profile: Path) -> None:
    watch = Dog(profile)
    crash(profile)
    for _ in range(3):
        assert await watch.dog.look() is Health.DEAD
    assert len(watch.notifier.shown) == 1
    assert "NOT started again" in watch.said[-1]


async def test_an_engine_that_is_just_starting_is_left_alone(profile: Path) -> None:
    watch = Dog(profile)
    (profile / LOCK_FILE).write_text(f"{os.getpid()}\n")
    assert await watch.dog.look() is Health.STARTING
    assert watch.notifier.shown == []


@posix
async def test_three_ends_in_a_quarter_of_an_hour_are_enough(profile: Path) -> None:
    watch = Dog(profile, sys.executable, "-c", "pass", "--auto")
    for number in range(4):
        crash(profile, GONE + number)
        await watch.dog.look()
    assert watch.dog.restarts == 2
    assert len(watch.notifier.shown) == 4
    assert "NOT started again" in watch.said[-1]
    for child in watch.dog._children:
        child.wait()


@posix
async def test_a_start_that_fails_before_it_takes_the_profile_counts_as_an_end(profile: Path) -> None:
    watch = Dog(profile, sys.executable, "-c", "raise SystemExit(3)")
    crash(profile)
    async with asyncio.timeout(30):
        while not watch.said or "NOT started again" not in watch.said[-1]:
            await watch.dog.look()
            await asyncio.sleep(0.02)
    assert watch.dog.restarts == 2


async def test_what_arms_the_agent_is_left_out_of_a_restart(profile: Path) -> None:
    watch = Dog(profile, *command_line(profile, "--auto", "--speed", "60"))
    assert "--auto" not in watch.dog._restart
    assert "--speed" in watch.dog._restart


class ByHand(LiveClock):
    ahead = 0

    def monotonic(self) -> int:
        return super().monotonic() + self.ahead


async def test_an_engine_that_lets_nobody_in_is_told_and_neither_ended_nor_started_again(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ByHand()
    notifier = FakeNotifier()
    said: list[str] = []
    dog = Watchdog(profile, clock, notifier, (sys.executable, "-c", "pass"), say=said.append)
    crash(profile, os.getpid())
    assert await dog.look() is Health.ALIVE
    clock.ahead = round((watchdog.DEAF_AFTER_S + 1) * SECOND)
    assert await dog.look() is Health.DEAF
    assert dog.restarts == 0
    assert "does not answer" in said[-1]


def test_the_page_names_what_may_be_at_work_and_the_way_without_us() -> None:
    order = Working("MA-1", "DU1", "AAPL", "SELL", "10", "0", "WORKING")
    text = steps(0, "It is gone.", "It is started again.", (order,))
    assert "AAPL     SELL" in text
    assert "MA-1" in text
    assert "Do not enter again" in text
    assert "Only the broker knows" in steps(0, "", "", None)
    assert "\x1b" not in text


def test_a_damaged_journal_says_that_only_the_broker_knows(profile: Path) -> None:
    assert working_orders(profile) == ()
    (profile / "journal.db").write_bytes(b"no database at all" * 100)
    assert working_orders(profile) is None


def test_a_notification_is_one_argument_whatever_it_says() -> None:
    ran: list[list[str]] = []
    notifier = Notifier(run=ran.append, find=lambda tool: f"/usr/bin/{tool}")
    if not notifier.notify("title", '"; rm -rf ~; echo "'):
        pytest.skip("no notifications on this system")
    assert any('"; rm -rf ~; echo "' in part or "rm -rf" in part for part in ran[0])
    assert not Notifier(run=ran.append, find=lambda tool: None).notify("title", "text")


def test_the_watchdog_imports_nothing_heavy(repo_dir: Path) -> None:
    import subprocess

    heavy = "numpy pandas numba pydantic sqlalchemy PySide6 pyarrow ib_async"
    code = f"import sys, engine.operations.watchdog; print([m for m in {heavy.split()} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=repo_dir, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
