"""What fails while the engine runs or stops is owned: said, trading goes down, and the rest goes on or is stopped."""

import asyncio
import sqlite3

import pytest

from engine.bus.errors import JournalError
from engine.model.decision import Mode
from engine.model.events.system import Alarm, ComponentFailed
from engine.model.report import LinkState
from engine.runtime.ending import UncleanStop, stop_all
from engine.runtime.engine import Engine


@pytest.fixture
async def engine(make_spec):
    engine = Engine(make_spec(symbols=("AAPL", "KO")))
    await engine.start()
    await engine.run(60)
    return engine


def heard(engine: Engine, kind: type) -> list:
    events: list = []
    engine.parts.bus.subscribe(kind, events.append, owner="test")
    return events


async def test_on_a_full_disk_every_part_is_stopped_and_then_the_error_is_told(engine):
    parts = engine.parts
    journal, seen = parts.storage.database.connection, parts.storage.seen.connection
    pages = journal.execute("PRAGMA page_count").fetchone()[0]
    journal.execute(f"PRAGMA max_page_count = {pages}")
    parts.trading.modes._store.set = lambda name, value: (_ for _ in ()).throw(JournalError("the disk is full"))
    with pytest.raises(UncleanStop, match="modes: the disk is full") as told:
        await engine.stop()
    assert parts.broker.link is LinkState.DOWN
    for connection in (journal, seen):
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute("SELECT 1")
    assert told.value.summary.symbols == 2
    assert "modes: the disk is full" in told.value.summary.notes[-1]
    assert not [task for task in asyncio.all_tasks() if task.get_name() in ("halt flag", "lag meter", "housekeeping")]


async def test_every_step_is_taken_whatever_the_one_before_did():
    taken: list[str] = []

    async def cancelled() -> None:
        raise asyncio.CancelledError

    def broken() -> None:
        raise RuntimeError("broken")

    failures = await stop_all((("a", broken), ("b", cancelled), ("c", lambda: taken.append("c"))))
    assert taken == ["c"]
    assert failures == ["a: broken", "b: CancelledError"]


async def test_a_timer_that_raises_halts_says_so_and_the_run_goes_on(engine):
    failed, alarms, rang = heard(engine, ComponentFailed), heard(engine, Alarm), []

    def broken() -> None:
        raise RuntimeError("broken on purpose")

    engine.clock.call_later(5, broken)
    engine.clock.call_later(10, lambda: rang.append(True))
    await engine.run(20)
    assert engine.parts.trading.modes.mode is Mode.HALTED
    assert [event.component for event in failed] == ["a timer"]
    assert [alarm.severity for alarm in alarms if alarm.code == "TASK-a timer"] == ["red"]
    assert rang == [True]
    await engine.stop()


@pytest.mark.parametrize("name", ["lag meter", "halt flag"])
async def test_the_engines_own_tasks_are_started_again_once_and_then_trading_goes_down(engine, name):
    tasks, modes = engine.parts.operations.tasks, engine.parts.trading.modes
    failed = heard(engine, ComponentFailed)
    for _ in range(2):
        tasks._tasks[name].cancel()
        await asyncio.sleep(0.05)
    assert [event.component for event in failed] == [name, name]
    assert modes.mode.level <= (Mode.HALTED if name == "halt flag" else Mode.MANUAL).level
    await engine.stop()


async def test_housekeeping_that_cannot_write_is_told(engine):
    failed = heard(engine, ComponentFailed)
    await engine.listen()

    def full(name: str, value: str) -> None:
        raise JournalError("the disk is full")

    kept, engine.parts.storage.journal.kv.note = engine.parts.storage.journal.kv.note, full
    await asyncio.sleep(1.2)
    engine.parts.storage.journal.kv.note = kept
    assert "housekeeping" in [event.component for event in failed]
    await engine.stop()


async def test_a_provider_whose_keeper_dies_ends_auto(engine):
    failed = heard(engine, ComponentFailed)
    assert (await engine.arm_auto("cli", "test")).ok
    line = engine.parts.place.collector._lines["simulated"]

    async def broken() -> None:
        raise RuntimeError("broken on purpose")

    line.provider.stop = broken
    engine.parts.place.collector.lost("simulated", "gone")
    await asyncio.sleep(0.05)
    assert [event.component for event in failed] == ["provider simulated"]
    assert engine.parts.trading.modes.mode is Mode.MANUAL
    assert line.state.value == "down"
    del line.provider.stop
    await engine.stop()
