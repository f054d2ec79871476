"""The strategies: drafts stay in the window until they are saved; the engine reads, tries, keeps and uses them."""

import logging
import re
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from engine.api.client import EngineUnavailable
from engine.api.commands import (
    AnyCommand,
    CheckStrategy,
    GetStrategies,
    GetStrategy,
    Receipt,
    ResetStrategy,
    SaveStrategy,
    SwitchStrategy,
    TryStrategy,
)
from engine.api.frames import Notice
from market_agent_gui.bridge import LinkState
from market_agent_gui.loop import TaskOwner
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.presenters.strategy_reading import rule_rows, signal_rows, strategy_rows
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.words import told

log = logging.getLogger(__name__)
CHECK_MS = 400
"""How long a person pauses before the text is checked."""
_ID = re.compile(r"^id:[ \t]*(\S*)", re.MULTILINE)


class StrategiesPresenter(PanePresenter):
    dock = "strategies"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._tasks = TaskOwner(self._on_task_error)
        self._rows: dict[str, dict[str, Any]] = {}
        self._known: dict[str, dict[str, Any]] = {}
        """Name -> what the engine told of it, with its text."""
        self._drafts: dict[str, str] = {}
        self._bases: dict[str, str] = {}
        """Hash of the text that a draft began with."""
        self._shown = ""
        self._filling = False
        self._trying = 0
        self._trial: Receipt | None = None
        self._checking = QTimer(self)
        self._checking.setSingleShot(True)
        self._checking.setInterval(CHECK_MS)
        self._checking.timeout.connect(lambda: self._tasks.start(self._check(), "check a strategy"))

    def make(self) -> QWidget:
        from market_agent_gui.strategies_pane import StrategiesPane

        self._pane = pane = StrategiesPane()
        pane.chosen.connect(self._on_chosen)
        pane.edited.connect(self._on_edited)
        pane.new_wanted.connect(self._on_new)
        pane.try_wanted.connect(self._on_try)
        pane.save_wanted.connect(lambda: self._start(self._save(), "save a strategy"))
        pane.drop_wanted.connect(self._on_drop)
        pane.reset_wanted.connect(self._on_reset)
        pane.switch_wanted.connect(lambda on: self._start(self._switch(on), "switch a strategy"))
        pane.symbol_chosen.connect(self.choose)
        bridge = self.services.bridge
        bridge.notice.connect(self._on_notice)
        bridge.link_changed.connect(lambda state, _text: self._reload() if state == LinkState.UP.value else None)
        self._offer()
        return pane

    def set_visible(self, visible: bool) -> None:
        super().set_visible(visible)
        if visible:
            self._reload()

    def retranslate(self) -> None:
        self._show_rows()
        self._offer()
        self._show_trial()
        if self._shown:
            self._start(self._check(), "check a strategy")

    async def close(self) -> None:
        self._checking.stop()
        await self._tasks.close()

    # --- what there is

    def _reload(self) -> None:
        if self.pane is not None and self.visible and self.services.bridge.link is LinkState.UP:
            self._start(self._load(), "strategies")

    def _on_notice(self, notice: Notice) -> None:
        if notice.kind == "StrategyChanged":
            self._reload()

    async def _load(self) -> None:
        receipt = await self._send(GetStrategies(by="window"))
        if receipt is None:
            return
        rows = receipt.data.get("strategies")
        self._rows = {str(row["id"]): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
        self._show_rows()
        if not self._shown and self._rows:
            broken = [name for name, row in self._rows.items() if not row["usable"]]
            self._pane.choose((broken or list(self._rows))[0])
        elif self._shown in self._rows:
            self._pane.choose(self._shown)  # where a row went, the table has moved on without marking another
            await self._fetch(self._shown)

    async def _fetch(self, name: str) -> None:
        receipt = await self._send(GetStrategy(id=name, by="window"))
        if receipt is not None and receipt.ok:
            self._known[name] = receipt.data
            if self._drafts.get(name) == receipt.data["text"]:
                del self._drafts[name]
            if name == self._shown:
                self._show_text()

    def _show_rows(self) -> None:
        self._pane.show_rows(strategy_rows(self._rows, self._drafts))

    # --- the text

    def _on_chosen(self, name: str) -> None:
        if name == self._shown:
            return
        self._shown = name
        self._trial = None
        self._pane.say_trial("")
        if name in self._known or name in self._drafts:
            self._show_text()
        if name in self._rows:
            self._start(self._fetch(name), "a strategy")

    def _show_text(self) -> None:
        known = self._known.get(self._shown, {})
        text = self._drafts.get(self._shown, str(known.get("text", "")))
        self._filling = True
        self._pane.show_text(text, str(known.get("place", "")))
        self._filling = False
        self._offer()
        self._show_rows()
        self._checking.start()

    def _on_edited(self) -> None:
        if self._filling or not self._shown:
            return
        text = self._pane.editor.toPlainText()
        if text == self._known.get(self._shown, {}).get("text"):
            self._drafts.pop(self._shown, None)
        else:
            if self._shown not in self._drafts:
                self._bases[self._shown] = str(self._known.get(self._shown, {}).get("hash", ""))
            self._drafts[self._shown] = text
        self._offer()
        self._show_rows()
        self._checking.start()

    def _offer(self) -> None:
        row, known = self._rows.get(self._shown), self._known.get(self._shown, {})
        self._pane.show_state(
            on=row is None or bool(row["enabled"]),
            saved=row is not None,
            dirty=self._shown in self._drafts,
            own=row is not None and row["origin"] == "own",
            original=known.get("original") is not None,
            usable=row is not None and bool(row["usable"]),
        )
        self._pane.editor.setReadOnly(not self._shown)

    async def _check(self) -> None:
        name, text = self._shown, self._pane.editor.toPlainText()
        receipt = await self._send(CheckStrategy(text=text))
        if receipt is None or name != self._shown or text != self._pane.editor.toPlainText():
            return
        self._pane.show_faults(_faults(receipt), "" if _faults(receipt) else told(receipt.text))

    # --- what a person does

    def _on_new(self) -> None:
        text = self._pane.editor.toPlainText()
        taken = {*self._rows, *self._drafts}
        name = next(name for n in range(1, 1000) if (name := f"mine_{n}") not in taken)
        self._drafts[name] = _ID.sub(f"id: {name}", text, count=1) if _ID.search(text) else f"id: {name}\n{text}"
        self._show_rows()
        self._pane.choose(name)
        self._pane.editor.setFocus()

    def _on_drop(self) -> None:
        self._drafts.pop(self._shown, None)
        if self._shown not in self._rows:
            self._shown = ""
            self._show_rows()
            self._pane.choose(next(iter(self._rows), ""))
        else:
            self._show_text()

    def _on_try(self) -> None:
        self._trial = None
        self._pane.say_trial(say("Counting…"))
        self._start(self._try(), "try a strategy")

    async def _try(self) -> None:
        self._trying += 1
        number, name = self._trying, self._shown
        receipt = await self._send(TryStrategy(text=self._pane.editor.toPlainText()))
        if number != self._trying or name != self._shown:
            return
        if receipt is None:
            self._pane.say_trial(say("The engine is not connected"), bad=True)
        elif not receipt.ok:
            self._pane.show_faults(_faults(receipt))
            self._pane.say_trial(told(receipt.text), bad=True)
        else:
            self._trial = receipt
            self._show_trial()

    def _show_trial(self) -> None:
        if self._trial is None:
            return
        signals, rules = signal_rows(self._trial), rule_rows(self._trial)
        words = say(
            "{count} signals on {bars} bars of {symbols} symbols. Signals, not profit.",
            count=sum(row.long + row.short for row in signals),
            bars=sum(row.bars for row in signals),
            symbols=len(signals),
        )
        if short := self._trial.data.get("short"):
            words += " · " + say("{short} without enough history", short=short)
        self._pane.show_trial(signals, rules, words)

    async def _save(self) -> None:
        name, text = self._shown, self._pane.editor.toPlainText()
        written = found[1] if (found := _ID.search(text)) else ""
        # Under another name it is another strategy: one that exists under that name is not replaced by accident.
        was = self._bases.get(name, "") if written == name else ""
        receipt = await self._send(SaveStrategy(text=text, was=was))
        if receipt is None:
            self._pane.show_faults(((0, say("Not saved: the engine is not connected")),))
        elif not receipt.ok:
            self._pane.show_faults(_faults(receipt) or ((0, told(receipt.text)),))
        else:
            self._drafts.pop(name, None)
            saved = str(receipt.data["id"])
            self.services.say("info", f"{saved}: {told(receipt.text)}")
            await self._load()
            if saved != self._shown:
                self._pane.choose(saved)

    async def _switch(self, on: bool) -> None:
        receipt = await self._send(SwitchStrategy(id=self._shown, on=on))
        if receipt is not None:
            self.services.say("info" if receipt.ok else "warn", told(receipt.text))
            await self._load()

    def _on_reset(self) -> None:
        from market_agent_gui.dialogs import PlainDialog

        name = self._shown
        original = self._known.get(name, {}).get("original") is not None
        text = (
            say("The text that came with the program is used from the next bar. Yours stays beside it as a file.")
            if original
            else say("It proposes nothing any more. Its text stays in the folder as a file.")
        )
        dialog = PlainDialog(
            say("Reset {name}?", name=name) if original else say("Remove {name}?", name=name),
            text,
            accept=say("Reset") if original else say("Remove"),
            reject=say("Leave it as it is"),
        )
        dialog.accepted.connect(lambda: self._start(self._reset(name), "reset a strategy"))
        self.services.open_dialog(dialog)

    async def _reset(self, name: str) -> None:
        receipt = await self._send(ResetStrategy(id=name))
        if receipt is None:
            return
        self.services.say("info" if receipt.ok else "warn", f"{name}: {told(receipt.text)}")
        if receipt.ok:
            self._drafts.pop(name, None)
            self._known.pop(name, None)
            if not receipt.data.get("hash"):
                self._shown = ""
        await self._load()

    # --- small

    async def _send(self, command: AnyCommand) -> Receipt | None:
        try:
            return await self.services.bridge.send(command)
        except (EngineUnavailable, OSError) as error:
            log.info("a question about strategies was not answered: %s", error)
            return None

    def _start(self, work: Any, name: str) -> None:
        self._tasks.start(work, name)

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self.services.say("bad", f"{name}: {error}")


def _faults(receipt: Receipt) -> tuple[tuple[int, str], ...]:
    faults = receipt.data.get("faults")
    if not isinstance(faults, list):
        return ()
    return tuple((int(f["line"]), f"{f['key']}: {told(f['text'])}" if f["key"] else told(f["text"])) for f in faults)
