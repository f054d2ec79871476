"""Real money begins closed: the PIN is set, asked for, refused and accepted, in the window and by keys alone."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from engine.api.commands import Rearm, Resume, SetMode, SetPin
from market_agent_gui.loop import PreciseLoop
from market_agent_gui.pin_dialog import PinDialog
from market_agent_gui.raise_dialog import RaiseDialog
from market_agent_gui.rearm_dialog import RearmDialog
from market_agent_gui.resume_dialog import ResumeDialog
from tests.support_gui.harness import Desk, asked, gone, until

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def desk(tmp_path: Path, qapp: QApplication, loop: PreciseLoop) -> Desk:
    """A window on real money that has just begun: only closing is allowed, no PIN is set."""
    made = Desk(tmp_path, qapp, "live")
    made.engine.furnish()
    made.engine.state(mode="REDUCE_ONLY", halt_reason="real money: the PIN opens trading after each start")
    return made


def test_real_money_is_opened_with_a_pin_that_is_set_first(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open(furnish=False)
        shell, strip = desk.shell, desk.shell.head.strip
        assert strip.resume.isVisible()
        strip.resume.click()
        pin = await asked(PinDialog)
        pin.new.setText("4711")
        pin.again.setText("4712")
        pin.yes.click()
        assert pin.problem.isVisible()
        assert not desk.sent(SetPin)
        pin.again.setText("4711")
        pin.yes.click()
        dialog = await asked(RaiseDialog)
        assert gone(pin)
        assert shell.program.pins.check("4711")
        assert "U…" in dialog.text.text()
        dialog.pin.setText("0000")
        dialog.yes.click()
        await until(dialog.problem.isVisible, "the engine's no")
        assert dialog.problem.text() == "The PIN is wrong."
        assert dialog.isVisible()
        assert dialog.text.height() >= dialog.text.heightForWidth(dialog.text.width())
        dialog.pin.setText("4711")
        dialog.yes.click()
        await until(lambda: shell.bridge.mirror.state().mode == "MANUAL", "trading open")
        await until(lambda: gone(dialog) and not strip.resume.isVisible(), "the way up to be gone")
        assert [command.pin for command in desk.sent(SetMode)] == ["0000", "4711"]

    run(day())


def test_changing_the_pin_asks_for_the_old_one_and_a_wrong_one_changes_nothing(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open(furnish=False)
        desk.shell.program.pin.set_first("4711")
        await until(lambda: desk.shell.bridge.mirror.state().pin_set, "the PIN")
        desk.shell.commander.run("set_pin", "palette")
        dialog = await asked(PinDialog)
        for old, new in (("9999", "0815"), ("4711", "0815")):
            dialog.old.setText(old)
            dialog.new.setText(new)
            dialog.again.setText(new)
            dialog.yes.click()
            if old == "9999":
                await until(dialog.problem.isVisible, "the engine's no")
                assert desk.shell.program.pins.check("4711")
        await until(lambda: gone(dialog), "the dialog's end")
        assert desk.shell.program.pins.check("0815")

    run(day())


def test_what_a_limit_switched_off_is_armed_again_by_name(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open(furnish=False)
        desk.engine.state(pin_set=True, latches=(("G10", "swing_trading", "4 identical decisions in 10 s"),))
        await until(lambda: desk.shell.bridge.mirror.state().latches, "the latch")
        desk.shell.commander.run("rearm", "palette")
        dialog = await asked(RearmDialog)
        assert "swing_trading" in dialog.which.currentText()
        dialog.yes.click()
        assert dialog.problem.isVisible()
        assert not desk.sent(Rearm)
        dialog.reason.setText("looked at it")
        dialog.pin.setText("4711")
        dialog.yes.click()
        await until(lambda: desk.sent(Rearm), "the command")
        sent = desk.sent(Rearm)[0]
        assert (sent.code, sent.scope, sent.reason, sent.pin) == ("G10", "swing_trading", "looked at it", "4711")

    run(day())


def test_after_a_halt_the_same_button_resumes(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open(furnish=False)
        desk.engine.state(pin_set=True, mode="HALTED", halted=True, halt_reason="stop pressed")
        strip = desk.shell.head.strip
        await until(lambda: desk.shell.bridge.mirror.state().halted, "the halt")
        strip.resume.click()
        dialog = await asked(ResumeDialog)
        assert dialog.pin.echoMode() is not dialog.reason.echoMode()
        assert dialog.windowModality() is not Qt.WindowModality.NonModal
        dialog.word.setText("RESUME")
        dialog.reason.setText("looked")
        dialog.pin.setText("4711")
        dialog.yes.click()
        await until(lambda: desk.sent(Resume), "the command")
        assert desk.sent(Resume)[0].pin == "4711"

    run(day())
