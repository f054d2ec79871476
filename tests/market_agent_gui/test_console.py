"""The console's pane: a process of its own that can flood, hang or die while the window goes on."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from market_agent_gui.console_process import MOST_WAITING, ConsoleProcess
from market_agent_gui.presenters.console import HISTORY, console_command
from tests.support_gui.harness import Desk, until

ROOT = Path(__file__).resolve().parents[2]
ECHO = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin: print('said ' + line.strip(), flush=True)"


def process_of(desk: Desk, *command: str) -> ConsoleProcess:
    presenter = desk.shell.presenters["console"]
    presenter.process._command = list(command)
    return presenter.process


async def console(desk: Desk, *command: str):
    await desk.open()
    process_of(desk, *command)
    desk.shell.window.show_dock("console")
    presenter = desk.shell.presenters["console"]
    await until(lambda: presenter._begun, "the pane in sight")
    return presenter, presenter._view


def python(text: str) -> tuple[str, ...]:
    return sys.executable, "-u", "-c", text


def test_the_console_of_the_program_answers_questions_on_the_running_engine(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        command = console_command([sys.executable, str(ROOT / "main.py"), "run", "--quiet"], desk.profile)
        presenter, view = await console(desk, *command)
        await until(lambda: view.output.toPlainText().endswith(">>> "), "the prompt", 30)
        view.line.setText('quotes("AAPL").index[0] * 2')
        view.line.returnPressed.emit()
        await until(lambda: "AAPLAAPL" in view.output.toPlainText(), "the answer", 20)
        view.line.setText("one = quot")
        await until(lambda: presenter.process._ready, "the next prompt")
        QTest.keyClick(view.line, Qt.Key.Key_Tab)
        await until(lambda: view.line.text() == "one = quotes(", "the completion")
        view.line.setText("commands.GetSta")
        QTest.keyClick(view.line, Qt.Key.Key_Tab)
        await until(lambda: view.line.text().startswith("commands.GetStatus"), "the name in a module")
        assert "\x02" not in view.output.toPlainText()
        assert 'quotes("AAPL")' in (desk.profile / HISTORY).read_text()
        assert (desk.profile / HISTORY).stat().st_mode & 0o077 == 0 or os.name == "nt"
        presenter.process.close()

    run(story())


def test_it_is_not_started_before_anybody_looks(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        assert not desk.shell.presenters["console"].process.running

    run(story())


@pytest.mark.skipif(os.name == "nt", reason="a signal of POSIX")
def test_a_flood_neither_stops_the_window_nor_fills_the_memory_and_ctrl_c_ends_it(desk: Desk, run: Callable) -> None:
    flood = (
        "import sys\n"
        "try:\n  while True: sys.stdout.write('x' * 5000 + '\\n')\n"
        "except KeyboardInterrupt: print('\\ninterrupted', flush=True)\n"
        "sys.stdin.read()"
    )

    async def story() -> None:
        presenter, view = await console(desk, *python(flood))
        await until(lambda: view.output.blockCount() > 20, "the flood")
        turns, end, most = 0, time.monotonic() + 1.0, 0
        while time.monotonic() < end:
            await asyncio.sleep(0.01)
            turns += 1
            most = max(most, len(presenter.process._waiting))
        assert turns > 10
        assert most <= MOST_WAITING
        assert view.output.blockCount() <= 5_000
        view.line.interrupt_wanted.emit()
        await until(lambda: "interrupted" in view.output.toPlainText(), "the end of it")
        assert presenter.process.running

    run(story())


def test_a_process_that_dies_is_said_and_can_be_started_again(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter, view = await console(desk, *python("print('last words'); raise SystemExit(3)"))
        await until(lambda: not presenter.process.running, "the end")
        assert "last words" in view.output.toPlainText()
        assert "code 3" in view.state.text()
        assert not view.line.isEnabled()
        process_of(desk, *python(ECHO))
        view.restart.click()
        await until(lambda: "ready" in view.output.toPlainText(), "the other one")
        assert view.state.text() == ""
        view.line.submitted.emit("hello")
        await until(lambda: "said hello" in view.output.toPlainText(), "the echo")
        view.restart.click()
        await until(lambda: view.output.toPlainText().count("ready") == 2, "a third one")

    run(story())


def test_a_program_that_is_not_there_is_said(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter, view = await console(desk, "/nowhere/at/all")
        await until(lambda: view.state.text(), "the reason")
        assert "cannot be started" in view.state.text()
        assert not presenter.process.running

    run(story())


def test_letters_that_come_in_two_pieces_are_one_letter(desk: Desk, run: Callable) -> None:
    pieces = (
        "import sys, time\nout = sys.stdout.buffer\nout.write(b'\\xd0'); out.flush(); time.sleep(0.3)\n"
        "out.write(b'\\x9f!'); out.flush(); sys.stdin.read()"
    )

    async def story() -> None:
        _, view = await console(desk, *python(pieces))
        await until(lambda: "!" in view.output.toPlainText(), "the letter")
        assert view.output.toPlainText() == "П!"

    run(story())
