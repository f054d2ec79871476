"""The console's pane: starts its process when it is looked at for the first time, and keeps what was typed."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget

from market_agent_gui.console_process import ConsoleProcess
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services

log = logging.getLogger(__name__)
HISTORY = "console_history"
"""The same file as the console of a terminal keeps."""
KEPT = 500


def console_command(engine_command: Sequence[str], profile: Path) -> list[str]:
    """How the console is started: by the program that starts the engine. Empty where that is not known."""
    if "run" not in engine_command:
        return []
    return [*engine_command[: list(engine_command).index("run")], "console", "--pane", "--profile", str(profile)]


class ConsolePresenter(PanePresenter):
    dock = "console"

    def __init__(self, services: Services, profile: Path, command: Sequence[str]) -> None:
        super().__init__(services)
        self._path = profile / HISTORY
        self.process = ConsoleProcess(command or ("market-agent", "console", "--pane", "--profile", str(profile)), self)
        self._begun = False

    def make(self) -> QWidget:
        from widgets.console_view import ConsoleView

        self._view = view = ConsoleView()
        view.line.remember(self._past())
        view.submitted.connect(self._on_submitted)
        view.interrupt_wanted.connect(self.process.interrupt)
        view.line.complete_wanted.connect(self.process.complete)
        view.restart_wanted.connect(self.process.restart)
        self.process.said.connect(view.append)
        self.process.completed.connect(view.offer)
        self.process.changed.connect(self.retranslate)
        return view

    def set_visible(self, visible: bool) -> None:
        super().set_visible(visible)
        if visible and self.pane is not None and not self._begun:
            self._begun = True
            self.process.start()

    def retranslate(self) -> None:
        if self.pane is not None:
            self._view.show_running(self.process.running, self.process.told())

    async def close(self) -> None:
        self.process.close()

    def _on_submitted(self, line: str) -> None:
        self.process.type(line)
        if not line.strip():
            return
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            log.warning("a line of the console was not kept: %s", error)

    def _past(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace").splitlines()[-KEPT:]
        except FileNotFoundError:
            return []
        except OSError as error:
            log.warning("the history of the console cannot be read: %s", error)
            return []
