"""Composes the window: parts in the order in which data and keys pass through them."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from market_agent_gui.bridge import EngineBridge
from market_agent_gui.commander import Commander
from market_agent_gui.docks import DOCKS
from market_agent_gui.engine_host import EngineHost
from market_agent_gui.keys.arming import Arming
from market_agent_gui.keys.controller import KeyController
from market_agent_gui.keys.guard import Intents, PressGuard
from market_agent_gui.keys.log import KeyLog
from market_agent_gui.links import LinkGroups
from market_agent_gui.main_window import MainWindow
from market_agent_gui.pane_table import make_presenters
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.presenters.order_entry import OrderEntry
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services
from market_agent_gui.translate import Language

log = logging.getLogger(__name__)

SHOT_MARGIN_S = 0.05


class Shell(QObject):
    """Everything the window consists of. Each part owns itself; the shell only introduces them."""

    def __init__(
        self,
        app: QApplication,
        profile: Path,
        engine_command: Sequence[str],
        preferences: PreferencesFile,
        language: Language,
        *,
        demo: bool,
        settings_file: Path,
        ask_first: bool = True,
    ) -> None:
        """``ask_first`` false opens no page by itself (for pictures)."""
        super().__init__()
        self.app, self.profile, self.preferences, self.language = app, profile, preferences, language
        self.settings_file, self.demo, self.ask_first = settings_file, demo, ask_first
        self.bridge = EngineBridge(profile, self)
        self.host = EngineHost(profile, engine_command, self)
        self.links = LinkGroups(tuple(spec.id for spec in DOCKS), self)
        self.commander = Commander(self)
        self.guard = PressGuard()
        self.entry = OrderEntry(
            self.bridge, self.commander, self.guard, Intents(secrets.token_hex(4)), self.symbol, self
        )
        self.arming = Arming(self, seconds=preferences.now.arm_minutes * 60)
        self.key_log = KeyLog(profile / "logs" / "keys.jsonl", self)
        self.keys = KeyController(
            app,
            self.commander,
            self.arming,
            self.guard,
            self.key_log,
            staged_intent=lambda: self.entry.staged.intent if self.entry.staged else "",
            locked=self.is_locked,
        )
        self.window = MainWindow()
        self.services = Services(
            bridge=self.bridge,
            commander=self.commander,
            links=self.links,
            entry=self.entry,
            keys=self.keys,
            preferences=preferences,
            say=self.say,
            show_pane=lambda name: self.window.show_dock(name),
            open_dialog=self.open_dialog,
        )
        self.presenters: dict[str, PanePresenter] = {}
        self._quit = asyncio.Event()
        self._exit_code = 0

    # --- life

    async def run(self, *, screenshot: Path | None = None, after_s: float = 5.0) -> int:
        """Show the window and stay until somebody quits; return the exit code."""
        self.window.use_default()
        self.window.show()
        self.bridge.link_changed.connect(lambda state, _text: self.host.on_link(state == "up"))
        self.host.start()
        self.bridge.start()
        QTimer.singleShot(0, self._build_panes)
        if screenshot is not None:
            await self._shoot(screenshot, after_s)
        else:
            await self._quit.wait()
        await self._close()
        return self._exit_code

    def quit(self) -> None:
        """End the window."""
        self._quit.set()

    async def _close(self) -> None:
        self.keys.close()
        await self.entry.close()
        await self.bridge.close()
        self.window.may_close = True
        self.window.close()

    async def _shoot(self, path: Path, after_s: float) -> None:
        left = after_s
        while left > 0 and not self._quit.is_set():
            await asyncio.sleep(min(left, 0.25))
            left -= 0.25
        if not self.window.grab().save(str(path)):
            log.error("the picture cannot be written to %s", path)
            self._exit_code = 1

    # --- panes

    def _build_panes(self) -> None:
        if not self.presenters:
            self.presenters = make_presenters(self.services, self.profile)
            self._unbuilt = list(self.presenters)
        if not self._unbuilt:
            return
        name = self._unbuilt.pop(0)
        presenter, dock = self.presenters[name], self.window.docks[name]
        dock.fill(presenter.build())
        dock.visibilityChanged.connect(presenter.set_visible)
        presenter.set_visible(dock.isVisible() and not dock.visibleRegion().isEmpty())
        QTimer.singleShot(0, self._build_panes)

    # --- small

    def symbol(self) -> str:
        """The symbol that keys act on: what the ticket's group shows."""
        return self.links.symbol("ticket")

    def is_locked(self) -> bool:
        return False

    def say(self, severity: str, text: str) -> None:
        log.info("%s: %s", severity, text)

    def show_error(self, text: str) -> None:
        self.say("bad", text)

    def open_dialog(self, dialog: QDialog) -> None:
        dialog.setParent(self.window, dialog.windowFlags())
        dialog.open()
