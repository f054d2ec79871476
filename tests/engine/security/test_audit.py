"""The audit chain notices a changed, missing, inserted, reordered and cut-off row, and says which and why."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.bus.bus import Bus
from engine.bus.clock import StepClock
from engine.bus.errors import IntegrityError
from engine.memory.files import atomic_write
from engine.model.decision import Mode
from engine.model.events.decision import ModeChanged
from engine.security.audit import AuditChain, FileAnchor
from tests.engine.memory.rig import NOW, open_journal


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StepClock(NOW)
        self.bus = Bus(lambda owner, role, event, error: None)
        self.journal = open_journal(folder)
        self.anchor = FileAnchor(folder / "audit.anchor", atomic_write)
        self.chain = AuditChain(self.bus, self.clock, self.journal, self.anchor)

    def write(self, rows: int) -> None:
        for n in range(rows):
            self.chain.append("test", {"n": n, "text": "ä\n"})
        self.chain.anchor()

    def tamper(self, *statements: str) -> list[tuple[int, str]]:
        connection = sqlite3.connect(self.folder / "journal.db", isolation_level=None)
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
        for statement in statements:
            connection.execute(statement)
        connection.close()
        return [(fault.seq, fault.reason) for fault in self.chain.verify()]


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    built = World(tmp_path)
    built.write(20)
    yield built
    built.journal.close()


async def test_an_untouched_chain_is_whole_and_goes_on_after_a_restart(world: World) -> None:
    assert world.chain.verify() == []
    again = AuditChain(world.bus, world.clock, world.journal, world.anchor)
    again.append("test", {"n": 20})
    again.anchor()
    assert again.verify() == []


@pytest.mark.parametrize(
    ("statement", "seq", "reason"),
    [
        ("UPDATE audit SET payload = '{}' WHERE seq = 7", 7, "content was changed"),
        ("UPDATE audit SET ts_ns = ts_ns + 1 WHERE seq = 3", 3, "content was changed"),
        ("UPDATE audit SET kind = 'other' WHERE seq = 20", 20, "content was changed"),
        ("DELETE FROM audit WHERE seq = 5", 5, "missing"),
        ("DELETE FROM audit WHERE seq = 1", 1, "missing"),
        ("DELETE FROM audit WHERE seq > 15", 16, "cut off"),
        ("DELETE FROM audit", 1, "cut off"),
    ],
)
async def test_tampering_is_named_by_row_and_reason(world: World, statement: str, seq: int, reason: str) -> None:
    faults = world.tamper(statement)
    assert len(faults) == 1
    assert faults[0][0] == seq
    assert reason in faults[0][1]


async def test_a_chain_rewritten_whole_does_not_match_its_anchor(world: World) -> None:
    world.tamper("DELETE FROM audit")
    forged = AuditChain(world.bus, world.clock, world.journal, FileAnchor(world.folder / "other", atomic_write))
    for n in range(25):
        forged.append("test", {"n": n, "text": "forged"})
    world.journal.flush()
    faults = world.chain.verify()
    assert [fault.seq for fault in faults] == [20]
    assert "anchored" in faults[0].reason


async def test_a_broken_chain_does_not_start(world: World) -> None:
    world.tamper("DELETE FROM audit WHERE seq = 5")
    with pytest.raises(IntegrityError, match="row 5"):
        await world.chain.start()


async def test_a_damaged_anchor_is_a_fault_not_a_crash(world: World) -> None:
    (world.folder / "audit.anchor").write_bytes(b"{")
    assert "damaged" in world.chain.verify()[0].reason


async def test_decisions_on_the_bus_are_audited_and_anchored_only_when_durable(world: World) -> None:
    await world.chain.start()
    event = ModeChanged(ts_event=NOW, ts_init=NOW, before=Mode.MANUAL, after=Mode.AUTO, by="window", reason="typed")
    world.bus.publish(event)
    world.clock.advance(15)
    rows = list(world.journal.audit_rows())
    assert rows[-1][2] == "ModeChanged"
    assert '"by":"window"' in rows[-1][3]
    assert world.chain.verify() == []
    await world.chain.stop()
