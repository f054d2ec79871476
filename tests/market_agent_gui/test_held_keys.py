"""A held key acts once, also where its repeats come disguised as presses; STOP held for a second stops all the same."""

import asyncio

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication

from engine.api.commands import CancelAll, Flatten, Halt, PlaceOrder
from market_agent_gui.keys.guard import BOUNCE_MS, Drop, Repeats
from tests.support_gui.harness import Desk, until

PRESS, RELEASE = QEvent.Type.KeyPress, QEvent.Type.KeyRelease


def feel(desk: Desk, kind: QEvent.Type, key: str, at_ms: int, *, repeats: bool = False) -> None:
    """Let the window have a key event with the system's time."""
    combination = QKeySequence(key)[0]
    event = QKeyEvent(kind, combination.key(), combination.keyboardModifiers(), "", repeats)
    event.setTimestamp(at_ms)
    QCoreApplication.sendEvent(QApplication.focusWindow() or desk.shell.window.windowHandle(), event)


def test_a_press_right_behind_the_release_of_its_key_is_a_repeat() -> None:
    repeats = Repeats()
    assert not repeats.is_repeat(1, 5000)
    repeats.release(1, 5000)
    assert repeats.is_repeat(1, 5000)
    assert repeats.is_repeat(1, 5000 + BOUNCE_MS - 1)
    assert not repeats.is_repeat(1, 5000 + BOUNCE_MS)
    assert not repeats.is_repeat(2, 5000), "another key"
    repeats.release(3, 0)
    assert not repeats.is_repeat(3, 0), "no time is known"


def test_a_held_key_that_looks_let_go_for_a_moment_closes_one_half_and_not_two(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.links.choose("chart", "AAPL")
        feel(desk, PRESS, "Ctrl+5", 1000)
        for at in (1660, 1700, 1900):  # past the shortest time between two presses
            await asyncio.sleep(0.1)
            feel(desk, RELEASE, "Ctrl+5", at)
            feel(desk, PRESS, "Ctrl+5", at)
        await until(lambda: desk.sent(Flatten), "the exit")
        assert len(desk.sent(Flatten)) == 1
        assert desk.shell.key_log.presses[-1].outcome == Drop.REPEAT.value
        feel(desk, RELEASE, "Ctrl+5", 2000)
        feel(desk, PRESS, "Ctrl+5", 2150)
        await until(lambda: len(desk.sent(Flatten)) == 2, "a second press of a hand")

    run(story())


@pytest.mark.parametrize("flagged", [True, False])
def test_a_held_enter_sends_one_order_and_never_the_next(desk: Desk, run, flagged: bool) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        shell.commander.run("arm", "key")
        chart = shell.window.docks["chart"].pane
        desk.key("Ctrl+B", chart)
        feel(desk, PRESS, "Return", 1000)
        await until(lambda: desk.sent(PlaceOrder), "the order")
        shell.guard._last.clear()  # a second later the key is down still, and another order is staged
        shell.commander.run("stage_buy", "palette")
        for at in (2100, 2140, 2180):
            if flagged:
                feel(desk, RELEASE, "Return", at, repeats=True)
                feel(desk, PRESS, "Return", at, repeats=True)
            else:
                feel(desk, RELEASE, "Return", at)
                feel(desk, PRESS, "Return", at)
        await asyncio.sleep(0.2)
        assert len(desk.sent(PlaceOrder)) == 1
        assert shell.entry.staged is not None

    run(story())


def test_a_repeat_in_disguise_reaches_no_widget(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.window.docks["suggestions"].pane.setFocus()
        window = QApplication.focusWindow()
        feel(desk, PRESS, "A", 1000)
        feel(desk, RELEASE, "A", 1500)
        again = QKeyEvent(PRESS, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a")
        again.setTimestamp(1500)
        assert desk.shell.keys.eventFilter(window, again), "the queue would approve the next suggestion"

    run(story())


def test_stop_held_for_a_second_stops_though_its_key_seems_let_go_meanwhile(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        feel(desk, PRESS, "F12", 1000)
        for at in range(1300, 1900, 100):
            await asyncio.sleep(0.05)
            feel(desk, RELEASE, "F12", at)
            feel(desk, PRESS, "F12", at)
        await until(lambda: desk.sent(Halt), "the halt")
        feel(desk, RELEASE, "F12", 2200)
        await until(lambda: not desk.shell.keys._held, "the end of the hold")
        assert len(desk.sent(Halt)) == 1

    run(story())


def test_stop_let_go_before_its_second_is_over_does_nothing(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        feel(desk, PRESS, "F12", 1000)
        await asyncio.sleep(0.3)
        feel(desk, RELEASE, "F12", 1300)
        await asyncio.sleep(1.0)
        assert not desk.sent(Halt)
        assert not desk.sent(CancelAll)

    run(story())


def test_a_second_enter_in_haste_behind_one_for_a_dialog_sends_nothing(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        chart = shell.window.docks["chart"].pane
        shell.commander.run("arm", "key")
        desk.key("Ctrl+B", chart)
        desk.key("Ctrl+K")
        assert shell.program.palette.isVisible()
        shell.program.palette.line.setText("bars of 5 min")
        desk.key("Return")
        await until(lambda: not shell.program.palette.isVisible(), "the palette's end")
        assert shell.entry.staged is not None
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)
        assert shell.key_log.presses[-1].outcome == Drop.STRAY.value
        desk.key("Up")
        desk.key("Return")
        await until(lambda: desk.sent(PlaceOrder), "the order, once a hand was at it again")

    run(story())


def test_a_held_key_is_one_line_of_the_log(desk: Desk, run) -> None:
    async def story() -> None:
        chart = await desk.open_on("AAPL")
        desk.key("Ctrl+B", chart)
        feel(desk, PRESS, "Up", 1000)
        before = len(desk.shell.key_log.presses)
        for number in range(30):
            feel(desk, PRESS, "Up", 1500 + 30 * number, repeats=True)
        assert len(desk.shell.key_log.presses) == before + 1
        assert desk.shell.key_log.presses[-1].outcome == Drop.REPEAT.value

    run(story())
