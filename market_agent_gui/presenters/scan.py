"""The scanner: asks the engine, again at every bar while it is live."""

import json
import logging
from pathlib import Path

from PySide6.QtWidgets import QWidget

from engine.api.client import EngineUnavailable
from engine.api.commands import Receipt, Scan
from engine.api.rows import StateRow
from engine.api.wire import Follow
from market_agent_gui.bridge import LinkState
from market_agent_gui.loop import TaskOwner
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.words import told

log = logging.getLogger(__name__)
FILE = "scan.json"
OFTEN_S = 300
"""Bars longer than this are looked at this often while they form: their ends depend on the session."""
SECOND = 1_000_000_000


class ScanPresenter(PanePresenter):
    dock = "scanner"

    def __init__(self, services: Services, profile: Path) -> None:
        super().__init__(services)
        self._path = profile / FILE
        self._tasks = TaskOwner(self._on_task_error)
        self._busy = self._again = False
        self._slot = 0
        self.add_to_watchlist = lambda _symbols: None
        """Filled by whoever knows the watchlist."""

    def make(self) -> QWidget:
        from market_agent_gui.scan_pane import ScanPane

        self._pane = pane = ScanPane()
        self._restore()
        pane.asked.connect(self.ask)
        pane.live_toggled.connect(lambda _on: self._keep())
        pane.symbol_chosen.connect(self.choose)
        pane.opened.connect(self._on_opened)
        pane.add_wanted.connect(lambda symbols: self.add_to_watchlist(symbols))
        self.feed("state", lambda rows, _removed, _reset: self._on_state(rows))
        self.services.commander.register("scan", self._on_scan_key)
        return pane

    def wish(self) -> Follow:
        return Follow(tables=("state",))

    async def close(self) -> None:
        await self._tasks.close()

    def ask(self) -> None:
        """Scan now; one scan at a time, the newest wish next."""
        self._keep()
        if not self._pane.wanted_rules():
            self._pane.show_rows((), (), scanned=False)
            self._pane.say("")
        elif self._busy:
            self._again = True
        elif self.services.bridge.link is LinkState.UP:
            self._busy = True
            self._pane.say(say("Scanning…"))
            self._tasks.start(self._scan(), "scan")

    async def _scan(self) -> None:
        pane = self._pane
        columns = pane.wanted_columns()
        command = Scan(rules=pane.wanted_rules(), seconds=pane.seconds, columns=columns)
        try:
            receipt = await self.services.bridge.send(command)
        except (EngineUnavailable, OSError) as error:
            pane.say(say("Not scanned: {reason}", reason=error), bad=True)
        else:
            self._show(receipt, columns)
        finally:
            self._busy = False
        if self._again:
            self._again = False
            self.ask()

    def _show(self, receipt: Receipt, columns: tuple[str, ...]) -> None:
        from market_agent_gui.presenters.reading import scan_rows

        if not receipt.ok:
            self._pane.say(told(receipt.text), bad=True)
            return
        rows = scan_rows(receipt)
        self._pane.show_rows(rows, columns)
        text = say("{found} of {scanned} symbols", found=len(rows), scanned=receipt.data.get("scanned", 0))
        if short := receipt.data.get("short"):
            text += " · " + say("{short} without enough history", short=short)
        self._pane.say(text)

    def _on_state(self, rows: tuple[StateRow, ...]) -> None:
        if not rows or not self.visible or not self._pane.live.isChecked():
            return
        slot = (rows[-1].now_ns // SECOND - 1) // min(self._pane.seconds, OFTEN_S)
        if slot != self._slot:
            self._slot = slot
            self.ask()

    def _on_scan_key(self) -> None:
        self.services.show_pane("scanner")
        self._pane.rules.selectAll()

    def _on_opened(self, symbol: str) -> None:
        self.choose(symbol)
        self.services.show_pane("chart")

    # --- kept

    def _keep(self) -> None:
        pane = self._pane
        kept = {"rules": pane.rules.text(), "columns": pane.columns.text(), "seconds": pane.seconds,
                "live": pane.live.isChecked()}  # fmt: skip
        try:
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            log.warning("the scan was not kept: %s", error)

    def _restore(self) -> None:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self._pane.rules.setText(str(kept["rules"]))
            self._pane.columns.setText(str(kept["columns"]))
            at = self._pane.interval.findData(kept["seconds"])
            self._pane.interval.setCurrentIndex(max(at, 0))
            self._pane.live.setChecked(kept["live"] is True)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.services.say("warn", say("{file} cannot be used: {reason}", file=FILE, reason=error))

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self._pane.say(say("Not scanned: {reason}", reason=error), bad=True)
