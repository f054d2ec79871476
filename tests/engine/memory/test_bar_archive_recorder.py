"""Every closed bar is kept, also when the program dies in between."""

from pathlib import Path

import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.memory.bar_archive import BarArchive
from engine.memory.bar_archive_recorder import BarRecorder
from engine.model.events.market import BarClosed
from engine.model.ids import Symbol


class Rig:
    def __init__(self, folder: Path) -> None:
        self.clock = StepClock(0)
        self.bus = Bus(lambda *failure: pytest.fail(str(failure)))
        self.archive = BarArchive(folder / "archive")
        self.folder = folder / "journal"
        self.recorder = BarRecorder(self.bus, self.clock, self.archive, self.folder)

    def bar(self, minute: int, symbol: str = "AAPL", seconds: int = 60) -> None:
        self.bus.publish(
            BarClosed(
                ts_event=(minute + 1) * 60 * SECOND,
                ts_init=self.clock.now(),
                symbol=Symbol(symbol),
                seconds=seconds,
                ts_open=minute * 60 * SECOND,
                open=10.0,
                high=12.0,
                low=9.0,
                close=10.0 + minute,
                volume=100.0,
                trades=7,
            )
        )

    def closes(self, symbol: str = "AAPL") -> list[float]:
        columns = self.archive.read(symbol, 60)
        return [] if columns is None else columns["close"].tolist()


async def test_bars_reach_the_archive_and_the_journal_goes(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.recorder.start()
    for minute in range(5):
        for number in range(30):
            rig.bar(minute, f"S{number}")
        rig.bar(minute, "S0", seconds=300)
        rig.clock.advance(60)
    assert len(list(rig.folder.glob("*.journal"))) == 1
    rig.clock.advance(15_000)
    assert list(rig.folder.glob("*.journal")) == []
    assert rig.closes("S0") == rig.closes("S29") == [10, 11, 12, 13, 14]
    assert rig.archive.read("S0", 300) is None  # five minutes are folded from minutes
    assert rig.archive.read("S0", 60)["trades"].tolist() == [7] * 5
    await rig.recorder.stop()


async def test_stopping_keeps_what_was_only_buffered(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.recorder.start()
    rig.bar(0)
    rig.bar(1, "A-SYMBOL-LONGER-THAN-THIRTY-TWO-BYTES")
    await rig.recorder.stop()
    assert rig.closes() == [10]
    assert rig.closes("A-SYMBOL-LONGER-THAN-THIRTY-TWO-BYTES") == [11]
    assert rig.clock.next_timer() is None


async def test_what_a_crash_left_is_taken_in_at_the_next_start(tmp_path: Path) -> None:
    dead = Rig(tmp_path)
    await dead.recorder.start()
    for minute in range(3):
        dead.bar(minute)
    dead.clock.advance(2)  # written to the journal, never merged
    (journal,) = dead.folder.glob("*.journal")
    whole = journal.read_bytes()
    torn = whole + whole[:40]  # the write that was cut
    journal.write_bytes(torn[:50] + bytes([torn[50] ^ 1]) + torn[51:])
    again = Rig(tmp_path)
    await again.recorder.start()
    assert again.closes() == [11, 12]
    assert again.recorder.broken == 2
    # The same journal once more, as after a crash in the middle of taking it in.
    journal.write_bytes(whole)
    third = Rig(tmp_path)
    await third.recorder.start()
    assert third.closes() == [10, 11, 12]
    assert list(third.folder.glob("*.journal")) == []


async def test_bars_that_close_while_others_are_merged_are_not_lost(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.recorder.start()
    for number in range(40):
        rig.bar(0, f"S{number}")
    rig.clock.advance(14_400.01)  # the first step of the merge is done, four are not
    rig.bar(1, "S39")
    rig.clock.advance(2)
    assert len(list(rig.folder.glob("*.journal"))) == 1
    rig.clock.advance(15_000)
    assert rig.closes("S39") == [10, 11]
    await rig.recorder.stop()
