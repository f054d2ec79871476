"""The real window before a real engine: every pane is looked at, every action run, and nothing is refused or breaks."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QPushButton, QTableView

from engine.api.commands import AnyCommand, PreviewOrder, Receipt
from market_agent_gui import actions
from market_agent_gui.bridge import EngineBridge, LinkState
from market_agent_gui.foreign import _template
from market_agent_gui.foreign.find import find_panes
from market_agent_gui.loop import PreciseLoop
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.shell import Shell
from market_agent_gui.translate import Language
from tests.engine.operations.processes import command_line
from tests.support_gui.foreign_package import installed
from tests.support_gui.harness import dialog_of, until
from widgets.theme import apply_theme

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the engine listens on a socket of Unix here")

ELSEWHERE = {"quit", "settings_file", "key_card", "global_stop", "lock", "first_run", "stop", "stop_hold"}
"""They end the test, open other programs, or are for the end."""
SLOW = {"bigger", "smaller"}
"""Polishing a whole window takes seconds and asks the engine nothing."""
FULL = ("watchlist", "limits", "strategies", "log")
"""Tables that have something to show before anybody has traded."""


class Walk:
    """A window whose every question to the engine is kept with its answer."""

    def __init__(self, profile: Path, app: QApplication, patch: pytest.MonkeyPatch) -> None:
        self.answers: list[tuple[AnyCommand, Receipt]] = []
        send = EngineBridge.send

        async def keeping(bridge: EngineBridge, command: AnyCommand) -> Receipt:
            receipt = await send(bridge, command)
            self.answers.append((command, receipt))
            return receipt

        patch.setattr(EngineBridge, "send", keeping)
        apply_theme(app, "dark")
        self.shell = Shell(
            app,
            profile,
            command_line(profile, "--seed", "7", "--speed", "60"),
            PreferencesFile(profile),
            Language(app),
            settings_file=profile / "settings.yaml",
            ask_first=False,
            foreign=find_panes(lambda names: names),
        )
        self.running: asyncio.Task[int] | None = None

    @property
    def refused(self) -> list[str]:
        bad = [(command, receipt) for command, receipt in self.answers if not receipt.ok]
        return [f"{type(c).__name__}: {r.code} {r.text} {r.denials}" for c, r in bad if not _short(c, r)]

    async def open(self) -> None:
        shell = self.shell
        self.running = asyncio.ensure_future(shell.run())
        await until(lambda: shell.bridge.link is LinkState.UP, "the engine", 60)
        await until(lambda: shell.presenters and not shell._unbuilt, "all panes")
        await until(lambda: len(shell.bridge.mirror.rows("quotes")) > 20, "quotes", 30)
        await until(lambda: shell.bridge.mirror.state() is not None, "the state")
        shell.links.choose("watchlist", "AAPL")
        await until(lambda: shell.presenters["chart"]._pane.chart.bar_count > 0, "bars", 30)

    async def look_at_panes(self) -> None:
        window = self.shell.window
        for name, dock in window.docks.items():
            window.show_dock(name)
            await asyncio.sleep(0.05)
            assert dock.isVisible()
            assert dock.pane is not None
            if name in FULL:
                tables = dock.pane.findChildren(QTableView) or [dock.pane]
                await until(lambda tables=tables: any(t.model().rowCount() for t in tables), f"rows in {name}", 20)

    async def run_actions(self) -> None:
        for spec in actions.ACTIONS:
            if spec.id not in ELSEWHERE | SLOW and self.shell.commander.knows(spec.id):
                self.shell.commander.run(spec.id)
                await asyncio.sleep(0.03)
                for window in QApplication.topLevelWidgets():
                    if isinstance(window, QDialog | QMenu) and window.isVisible():
                        window.close()
        if self.shell.bridge.mirror.state().paused:
            self.shell.commander.run("time_pause")

    async def write_a_strategy(self) -> None:
        self.shell.window.show_dock("strategies")
        presenter = self.shell.presenters["strategies"]
        pane = presenter._pane
        await until(lambda: pane.editor.toPlainText() and pane.checked.text() == "It can be used.", "a text", 20)
        pane.new.click()
        pane.trial.click()
        await until(lambda: "signals on" in pane.tried.text(), "the try", 20)
        await until(lambda: pane.save.isEnabled(), "the draft")
        pane.save.click()
        await until(lambda: "mine_1" in presenter._rows, "the strategy in use", 20)
        pane.choose("mine_1")
        await until(lambda: pane.reset.isEnabled(), "the way back")
        pane.reset.click()
        dialog_of().accept()
        await until(lambda: "mine_1" not in presenter._rows, "the strategy to go", 20)
        assert pane.table.selected_keys() == [presenter._shown]

    async def ask_in_the_console(self) -> None:
        self.shell.window.show_dock("console")
        presenter = self.shell.presenters["console"]
        heard: list[str] = []
        presenter.process.said.connect(lambda text, *_: heard.append(str(text)))
        await until(lambda: presenter.process.running, "the console", 20)
        presenter._view.submitted.emit("print(quotes('AAPL').shape, 6 * 7)")
        await until(lambda: ") 42" in "".join(heard), f"an answer: {heard}", 30)

    async def ask_in_a_foreign_pane(self) -> None:
        dock = self.shell.window.show_dock("foreign_breadth")
        await until(lambda: dock.findChildren(QPushButton), "its button")
        button = next(b for b in dock.findChildren(QPushButton) if b.text() == "Ask the engine")
        button.click()
        await until(lambda: "mode manual" in str(_texts(dock)).lower(), f"its answer: {_texts(dock)}", 10)


def _short(command: AnyCommand, receipt: Receipt) -> bool:
    """Whether it is the gate's word on the sale that is staged of what is not held."""
    return isinstance(command, PreviewOrder) and {denial.code for denial in receipt.denials} == {"G28"}


def _texts(dock: Any) -> list[str]:
    return [label.text() for label in dock.findChildren(QLabel)]


def finished(loop: PreciseLoop, work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(work, 120)

    loop.run_until_complete(bounded())


def test_every_pane_and_action_is_understood_by_the_engine_that_the_program_starts(
    tmp_path: Path,
    qapp: QApplication,
    loop: PreciseLoop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    profile = tmp_path / "p"
    profile.mkdir()
    text = Path(_template.__file__).read_text(encoding="utf-8")

    async def story(walk: Walk) -> None:
        try:
            await walk.open()
            await walk.look_at_panes()
            await walk.run_actions()
            await walk.write_a_strategy()
            await walk.ask_in_the_console()
            await walk.ask_in_a_foreign_pane()
        finally:
            walk.shell.quit()
            await walk.running
            walk.shell.window.deleteLater()
            walk.shell.deleteLater()
            await asyncio.sleep(0.05)

    with installed(tmp_path / "s", "my_pane", "[market_agent.panes]\nbreadth = my_pane.breadth:PANE\n", breadth=text):
        walk = Walk(profile, qapp, monkeypatch)
        finished(loop, story(walk))
    assert len(walk.answers) > 50
    assert walk.refused == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    errors = profile / "logs" / "engine-errors.log"
    assert not errors.exists() or errors.read_text(encoding="utf-8") == ""
