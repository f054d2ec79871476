"""A halt that the journal does not take: the flag keeps it, tries again, and gives way to a person."""

import asyncio
from pathlib import Path

from engine.api.commands import Receipt
from engine.api.halt_flag import leave_halt_flag
from engine.bus.bus import Bus
from engine.bus.clock import StepClock
from engine.runtime import supervisor as module
from engine.runtime.supervisor import Supervisor


class Modes:
    def __init__(self) -> None:
        self.halted = False

    def halt(self, by: str, reason: str, flatten: bool = False) -> None:
        self.halted = True


async def until(holds) -> None:  # type: ignore[no-untyped-def]
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError("it did not come to hold")


async def started(profile: Path, modes: Modes, room: list[bool], stops: list[bool], monkeypatch) -> asyncio.Task[None]:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(module, "AGAIN_AFTER_S", 0.02)

    async def stop(flatten: bool) -> Receipt:
        stops.append(flatten)
        modes.halt("flag", "")
        return Receipt(ok=True, data={"recorded": room[-1]})

    made = Supervisor(StepClock(0), profile)
    made.connect(Bus(made.on_failure), modes, stop)
    return asyncio.create_task(made.watch_flag())


async def test_a_flag_stays_until_the_halt_is_recorded(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    modes, room, stops = Modes(), [False], []
    (tmp_path / "HALT").touch()
    watching = await started(tmp_path, modes, room, stops, monkeypatch)
    await until(lambda: len(stops) >= 3)
    assert (tmp_path / "HALT").exists()
    room.append(True)
    await until(lambda: (tmp_path / "HALT.done").exists())
    assert not (tmp_path / "HALT").exists()
    watching.cancel()


async def test_who_resumes_while_the_flag_waits_is_not_stopped_by_it_again(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    modes, room, stops = Modes(), [False], []
    leave_halt_flag(tmp_path, flatten=True)
    watching = await started(tmp_path, modes, room, stops, monkeypatch)
    await until(lambda: stops)
    assert stops[0] is True
    modes.halted = False
    await until(lambda: (tmp_path / "HALT.done").exists())
    assert not modes.halted
    watching.cancel()
