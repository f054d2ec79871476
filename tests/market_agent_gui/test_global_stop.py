"""STOP from any program: by choice, heard whoever has the focus, and said where it cannot be."""

import asyncio
import queue
import shutil
import subprocess
import sys

import pytest
from pytestqt.qtbot import QtBot

from engine.api.commands import Halt
from market_agent_gui.keys.global_stop import GlobalStop
from market_agent_gui.keys.outside import System
from market_agent_gui.keys.outside_x11 import XKeys
from tests.support_gui.harness import Desk, until
from tests.support_gui.x_server import x_server


class Held:
    """A system that gives a key, or not, and tells of it what it is told to."""

    def __init__(self, *, free: bool = True) -> None:
        self.free = free
        self.keys: list[str] = []
        self.closed = 0
        self.happens: queue.Queue[bool] = queue.Queue()

    def __call__(self) -> "Held":
        return self

    def hold(self, key: str) -> bool:
        self.keys.append(key)
        return self.free

    def events(self, seconds: float) -> list[bool]:
        try:
            return [self.happens.get(timeout=seconds)]
        except queue.Empty:
            return []

    def close(self) -> None:
        self.closed += 1


def hears(desk: Desk, held: Held) -> None:
    desk.shell.far_stop.key._holder = held


def test_nothing_is_taken_from_the_system_until_a_person_wants_it(desk: Desk, run) -> None:
    held = Held()
    hears(desk, held)

    async def story() -> None:
        await desk.open()
        await asyncio.sleep(0.3)
        assert held.keys == []
        desk.shell.commander.run("global_stop", "menu")
        await until(lambda: held.keys == ["F12"], "the key")
        await until(lambda: any("stops trading from any program" in text for _, text in desk.toasts), "the word")
        assert desk.shell.preferences.now.global_stop
        desk.shell.commander.run("global_stop", "menu")
        await until(lambda: held.closed == 1, "the key given back")
        assert not desk.shell.preferences.now.global_stop

    run(story())


def test_the_key_held_for_a_second_halts_though_another_program_has_the_focus(desk: Desk, run) -> None:
    held = Held()
    hears(desk, held)

    async def story() -> None:
        desk.shell.preferences.change(global_stop=True)
        await desk.open()
        await until(lambda: desk.shell.far_stop.key.key == "F12", "the key")
        held.happens.put(True)
        await until(lambda: desk.shell.keys._held, "the hold")
        desk.shell.keys._on_focus_window(None)  # another program has the focus
        await asyncio.sleep(0.2)
        for down in (False, True, False, True):  # its repeats
            held.happens.put(down)
        await until(lambda: desk.sent(Halt), "the halt")
        held.happens.put(False)
        await until(lambda: not desk.shell.keys._held, "the end")
        held.happens.put(True)
        await asyncio.sleep(0.3)
        held.happens.put(False)
        await asyncio.sleep(1.0)
        assert len(desk.sent(Halt)) == 1, "a tap is no hold"

    run(story())


def test_a_key_that_another_program_has_is_told_and_not_ours(desk: Desk, run) -> None:
    held = Held(free=False)
    hears(desk, held)

    async def story() -> None:
        await desk.open()
        desk.shell.commander.run("global_stop", "menu")
        await until(lambda: any("F12 is taken by another program" in text for _, text in desk.toasts), "the word")
        assert desk.shell.far_stop.key.key == ""
        assert desk.shell.outside.watch.own == frozenset()

    run(story())


def test_another_key_for_stop_is_the_one_that_is_heard(desk: Desk, run) -> None:
    held = Held()
    hears(desk, held)

    async def story() -> None:
        desk.shell.preferences.change(global_stop=True)
        await desk.open()
        await until(lambda: desk.shell.far_stop.key.key == "F12", "the key")
        desk.shell.program._use_keys(desk.shell.keys.keys.with_key("stop_hold", "F9"))
        await until(lambda: desk.shell.far_stop.key.key == "F9", "the other key")
        assert held.closed == 1
        assert desk.shell.outside.watch.own == {"F9"}

    run(story())


@pytest.mark.parametrize("system", [System.WAYLAND, System.MAC, System.NOBODY])
def test_a_system_that_gives_no_keys_is_told_of(qtbot: QtBot, system: System) -> None:
    stop = GlobalStop()
    with qtbot.waitSignal(stop.settled) as settled:
        stop.start(system, "F12")
    assert "focus" in settled.args[0]
    assert stop.key == ""


def test_on_a_real_x_server_the_key_comes_from_wherever_the_focus_is(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sys.platform.startswith("linux") or shutil.which("xdotool") is None:
        pytest.skip("xdotool is not installed: nobody presses a key")
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        other = XKeys(display)
        stop = GlobalStop()
        try:
            with qtbot.waitSignal(stop.settled) as settled:
                stop.start(System.X11, "F12")
            assert settled.args == [""]
            assert other.taken(["F12", "F11"]) == {"F12"}
            with qtbot.waitSignals([stop.pressed, stop.released], order="strict"):
                subprocess.run(["xdotool", "key", "F12"], check=True, timeout=10)
            stop.stop()
            assert other.taken(["F12"]) == set()
        finally:
            stop.stop()
            other.close()
