"""Composes the window: parts in the order in which data and keys pass through them."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from engine.api.client import EngineUnavailable
from engine.api.commands import Acknowledge, Shutdown
from market_agent_gui.bridge import EngineBridge, LinkState
from market_agent_gui.charts import Charts
from market_agent_gui.commander import Commander
from market_agent_gui.docks import DOCKS
from market_agent_gui.engine_host import EngineHost, HostState, Phase
from market_agent_gui.foreign.find import Found
from market_agent_gui.head import Head
from market_agent_gui.keys.arming import Arming
from market_agent_gui.keys.bracket import risk_now
from market_agent_gui.keys.controller import KeyController
from market_agent_gui.keys.fresh import FreshKeys
from market_agent_gui.keys.guard import Intents, PressGuard
from market_agent_gui.keys.log import KeyLog
from market_agent_gui.keys.outside import bound
from market_agent_gui.keys.outside_watch import OutsideWatch
from market_agent_gui.keys.staging import StagedOrder
from market_agent_gui.links import LinkGroups
from market_agent_gui.opening import Opening
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.presenters.alerts import Alerts
from market_agent_gui.presenters.bracket import BracketKeys
from market_agent_gui.presenters.confirming import Confirming
from market_agent_gui.presenters.far_stop import FarStop
from market_agent_gui.presenters.halt import HaltPresenter
from market_agent_gui.presenters.modes import ModesPresenter
from market_agent_gui.presenters.order_entry import OrderEntry
from market_agent_gui.presenters.outside_keys import OutsideKeys
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.presenters.presets import PresetsPresenter
from market_agent_gui.presenters.table_files import TableFiles
from market_agent_gui.presenters.table_layouts import TableLayouts
from market_agent_gui.presenters.workspaces import WorkspacesPresenter
from market_agent_gui.program import Program
from market_agent_gui.services import Services
from market_agent_gui.sign import draw_sign
from market_agent_gui.translate import Language, say
from market_agent_gui.tray import Tray
from widgets.words import told

if TYPE_CHECKING:
    from market_agent_gui.engine_page import EnginePage

log = logging.getLogger(__name__)

STOP_WAIT_S = 10.0


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
        settings_file: Path,
        ask_first: bool = True,
        opening: Opening | None = None,
        foreign: Sequence[Found] = (),
    ) -> None:
        """``ask_first`` false opens no page and asks nothing by itself (for pictures). ``opening``: the window that is
        on the screen already. ``foreign``: panes of packages."""
        super().__init__()
        self.app, self.profile, self.preferences, self.language = app, profile, preferences, language
        self.settings_file, self.ask_first = settings_file, ask_first
        self._engine_command = engine_command
        self._quit = asyncio.Event()
        self._end = ""
        self._exit_code = 0
        # Data: engine -> bridge -> mirror -> presenters.
        self.bridge = EngineBridge(profile, self)
        self.host = EngineHost(profile, engine_command, self)
        self.foreign = tuple(foreign)
        panes = (*(spec.id for spec in DOCKS), *(found.dock.id for found in self.foreign))
        self.links = LinkGroups(panes, self)
        # Keys: controller -> commander -> whoever fulfils the action.
        self.commander = Commander(self)
        self.guard = PressGuard()
        intents = Intents(secrets.token_hex(4))
        self.entry = OrderEntry(
            self.bridge,
            self.commander,
            self.guard,
            intents,
            self.symbol,
            self,
            reduced=lambda: self.fresh_keys.left > 0,
            rehearsing=lambda: self.keys.rehearsing,
        )
        self.arming = Arming(self, seconds=preferences.now.arm_minutes * 60)
        self.key_log = KeyLog(profile / "logs" / "keys.jsonl", self)
        self.fresh_keys = FreshKeys(preferences.now.keys_to_confirm, self._keep_fresh, preferences.now.keys_why)
        self.keys = KeyController(
            app,
            self.commander,
            self.arming,
            self.guard,
            self.key_log,
            staged_intent=lambda: self.entry.staged.intent if self.entry.staged else "",
            locked=lambda: self.program.locked,
            fresh=self.fresh_keys,
            minted=lambda: intents.last,
            claimed=lambda spec, key: self.outside.objection(spec, key),
            confirm=lambda spec, key: self.confirming.by_key(spec, key),
            risk=lambda spec: risk_now(spec, self.entry.staged),
        )
        self.confirming = Confirming(self)
        self.keys.escaped.connect(self.confirming.drop)
        self.outside = OutsideKeys(
            OutsideWatch(lambda: bound(self.keys.keys), self),
            lambda: self.keys.keys,
            preferences.now.keys_all_the_same,
            self,
        )
        self.far_stop = FarStop(self)
        self.presets = PresetsPresenter(self)
        self.alerts = Alerts(self)
        # What is seen.
        self.opening = opening or Opening(profile)
        self.window = self.opening.window
        self.charts = Charts(profile, self.commander, self)
        for found in self.foreign:
            self.window.add_dock(found.dock)
        self.services = Services(
            bridge=self.bridge,
            commander=self.commander,
            links=self.links,
            entry=self.entry,
            confirming=self.confirming,
            keys=self.keys,
            preferences=preferences,
            charts=self.charts,
            presets=self.presets,
            alerts=self.alerts,
            say=self.say,
            show_pane=lambda name: self.window.show_dock(name),
            open_dialog=self.open_dialog,
        )
        self.bracket = BracketKeys(self.services)
        self.halting = HaltPresenter(self.bridge, self.commander, self)
        self.modes = ModesPresenter(self.bridge, self)
        self.table_layouts = TableLayouts()
        self.workspaces = WorkspacesPresenter(
            self.window, self.links, self.opening.store, self.commander, self.charts, self.table_layouts, self
        )
        self.workspaces.presets = self.presets.presets.stored
        self.workspaces.imported.connect(lambda found: self.presets.take(found.presets))
        self.table_files = TableFiles(self.window, self.commander, self)
        QApplication.setWindowIcon(draw_sign())
        self.tray = Tray(self)
        self.page: EnginePage | None = None
        self.head = Head(self)
        self.program = Program(self)
        self.presenters: dict[str, PanePresenter] = {}
        self._connect()

    def _connect(self) -> None:
        for source in (
            self.halting,
            self.modes,
            self.workspaces,
            self.entry,
            self.table_files,
            self.outside,
            self.far_stop,
            self.alerts,
        ):
            source.said.connect(self.say)
        self.commander.refused.connect(lambda _action, text: self.say("warn", text))
        self.modes.dialog_wanted.connect(self.open_dialog)
        self.bridge.link_changed.connect(self._on_link)
        self.bridge.silence_changed.connect(self._on_silence)
        self.bridge.failed.connect(self._on_failed)
        self.bridge.answered.connect(self._on_answered)
        self.host.changed.connect(self._on_host)
        self.window.close_asked.connect(self.program.ask_close)
        self.tray.stop_pressed.connect(lambda: self.halting.stop("tray"))
        self.tray.show_wanted.connect(self.program.show_window)
        self.tray.quit_wanted.connect(self.program.ask_close)
        self.links.group_changed.connect(lambda pane, group: self.window.docks[pane].head.show_group(group))
        self.window.dock_added.connect(self._on_dock_added)
        self.entry.staged_changed.connect(self._on_staged)
        for name in self.window.docks:
            self._link_head(name)

    # --- life

    async def run(self, *, screenshot: Path | None = None, after_s: float = 5.0) -> int:
        """Show the window and stay until somebody quits; return the exit code."""
        self.opening.show()
        self.workspaces.open(self.opening.last)
        self.host.start()
        self.bridge.start()
        QTimer.singleShot(0, self._build_panes)
        try:
            if screenshot is not None:
                await self._shoot(screenshot, after_s)
            else:
                await self._quit.wait()
        finally:
            await self._close()
        return self._exit_code

    def quit(self, *, keep_engine: bool = False) -> None:
        """End the window; the engine we started ends with it unless it is kept."""
        self._end = "keep" if keep_engine else "stop"
        self._quit.set()

    async def _close(self) -> None:
        self.keys.close()
        self.outside.watch.close()
        self.far_stop.close()
        self.arming.close()
        self.program.lock_page.give_back()
        self.workspaces.close()
        self.program.close()
        self.head.close()
        for presenter in self.presenters.values():
            await presenter.close()
        if self._end == "keep":
            self.host.leave()
        else:
            await self._stop_engine()
        await self.presets.close()
        await self.entry.close()
        await self.bridge.close()
        self.window.may_close = True
        self.window.close()

    async def _stop_engine(self) -> None:
        self.host.expect_exit()
        if not self.host.owns and self._end != "stop-attached":
            return
        if self.bridge.link is LinkState.UP:
            try:
                await self.bridge.send(Shutdown(force=True))
            except (EngineUnavailable, OSError) as error:
                log.info("the engine was gone before its receipt: %s", error)
            waited = 0.0
            while not self.host.gone() and waited < STOP_WAIT_S:
                await asyncio.sleep(0.1)
                waited += 0.1
        self.host.stop_now()

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
        from market_agent_gui.pane_table import make_presenters

        if not self.presenters:
            self.presenters = make_presenters(
                self.services, self.arming, self.profile, self.window.docks, self._engine_command, self.foreign
            )
            self._unbuilt = list(self.presenters)
        if not self._unbuilt:
            self.program.on_built()
            return
        name = self._unbuilt.pop(0)
        self._build_pane(name)
        QTimer.singleShot(0, self._build_panes)

    def _build_pane(self, name: str) -> None:
        presenter, dock = self.presenters[name], self.window.docks[name]
        dock.fill(presenter.build())
        self.table_files.adopt(name, dock.pane)
        self.table_layouts.adopt(name, dock.pane)
        dock.visibilityChanged.connect(presenter.set_visible)
        presenter.set_visible(dock.isVisible() and not dock.visibleRegion().isEmpty())

    def _on_dock_added(self, name: str) -> None:
        """One chart more. Before the first panes are made it waits its turn with them."""
        self.links.add(name)
        self._link_head(name)
        if not self.presenters:
            return
        from market_agent_gui.presenters.chart import ChartPresenter

        self.presenters[name] = ChartPresenter(self.services, name)
        if self._unbuilt:
            self._unbuilt.append(name)
        else:
            self._build_pane(name)

    def _on_staged(self, order: StagedOrder | None) -> None:
        """What the next Enter would send stands in sight: in the ticket where no chart shows it."""
        ticket = self.presenters.get("ticket")
        if order is None or ticket is None or ticket.pane is None or self.program.locked:
            return
        from market_agent_gui.presenters.chart import ChartPresenter

        charts = [each for each in self.presenters.values() if isinstance(each, ChartPresenter)]
        if not ticket.visible and not any(chart.visible and chart.symbol == order.symbol for chart in charts):
            self.window.show_dock("ticket", focus=False)

    def _link_head(self, name: str) -> None:
        head = self.window.docks[name].head
        self.links.add(name)
        head.show_group(self.links.group(name))
        head.link_clicked.connect(lambda: self.links.next_group(name))

    # --- small

    def _keep_fresh(self, left: int) -> None:
        self.program.prefer(keys_to_confirm=left, keys_why=self.fresh_keys.why)

    def symbol(self) -> str:
        """The symbol that keys act on: what the ticket's group shows."""
        return self.links.symbol("ticket")

    def acknowledge(self, code: str) -> None:
        """A banner has been read."""
        self.bridge.fire(Acknowledge(code=code))

    def say(self, severity: str, text: str) -> None:
        """Tell something in passing; behind the lock it is only logged."""
        log.info("%s: %s", severity, text)
        if not self.program.locked:
            self.head.toast(severity, text)

    def show_error(self, text: str) -> None:
        """An error nobody caught: the window goes on, the engine is not concerned."""
        self.say("bad", say("The window made a mistake; the engine is not concerned. {text}", text=text))

    def open_dialog(self, dialog: QDialog) -> None:
        """Open a dialog over the main window, framed like it; it is gone for good when it closes."""
        from market_agent_gui.mode_frame import ModeFrame, account_tail

        dialog.finished.connect(dialog.deleteLater)
        dialog.setParent(self.window, dialog.windowFlags())
        state = self.bridge.mirror.state()
        if state is not None:
            ModeFrame(dialog).show_book(state.book)
            whose = f"{say(state.book.upper())} {account_tail(state.account)}"
            dialog.setWindowTitle(f"{dialog.windowTitle()} · {whose}")
        dialog.open()

    def _on_host(self, state: HostState) -> None:
        from market_agent_gui.engine_page import TITLES, EnginePage

        if self.replay_is_over:
            return  # what the replay came to stays in sight
        if self.page is None and state.phase in TITLES:
            self.page = EnginePage(self.window, self.settings_file.name)
            self.page.retry_wanted.connect(self.host.retry)
            self.page.settings_wanted.connect(lambda: self.commander.run("settings_file", "button"))
        if self.page is not None:
            self.page.show_state(state, self.window.head_height)

    @property
    def replay_is_over(self) -> bool:
        """Whether the engine has ended because there is no more to play."""
        state, host = self.bridge.mirror.state(), self.host.state
        return state is not None and state.book == "replay" and host.phase is Phase.STOPPED and host.exit_code == 0

    def _on_link(self, state: str, text: str) -> None:
        self.host.on_link(state == LinkState.UP.value)
        if state == LinkState.UP.value:
            if self.page is not None:
                self.page.hide()
        elif state == LinkState.LOST.value:
            # Whether and when it is started again is for the host to say: after crashes it waits, then stays down.
            self.arming.disarm(lambda: say("the engine is not connected"))

    def _on_silence(self, silent: bool) -> None:
        if silent:
            log.warning("the engine is connected and says nothing")
            self.arming.disarm(lambda: say("the engine does not answer"))

    def _on_failed(self, command: object, reason: str) -> None:
        from market_agent_gui.presenters.receipts import describe

        name = type(command).__name__
        if name != "Halt":
            words = say("{command}: not confirmed ({reason})", command=describe(command) or name, reason=told(reason))
            self.say("bad", words)

    def _on_answered(self, command: object, receipt: object) -> None:
        from market_agent_gui.presenters.receipts import tell

        found = tell(command, receipt)
        if found is not None:
            self.say(*found)
