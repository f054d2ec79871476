"""Approvals: what the queue was answered goes to the engine, bound to the hash of what was shown."""

from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QWidget

from engine.api.client import EngineUnavailable
from engine.api.commands import AnyCommand, Approve, ApproveIf, Edit, Receipt, Refuse, Requote, Snooze
from engine.api.rows import StateRow, SuggestionRow
from engine.model.ids import SuggestionId
from market_agent_gui.bridge import LinkState
from market_agent_gui.loop import TaskOwner
from market_agent_gui.mode_frame import account_tail
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.words import told


class ApprovalsPresenter(PanePresenter):
    dock = "suggestions"
    tables = ("suggestions",)

    suggestion_shown = Signal(object)
    """The selected :class:`SuggestionRow`, or ``None``."""
    evidence_wanted = Signal(str)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.current = ""
        self._tasks = TaskOwner(lambda name, error: services.say("bad", f"{name}: {error}"))

    def make(self) -> QWidget:
        from widgets.suggestion_queue import SuggestionQueue

        queue = SuggestionQueue()
        self._queue = queue
        queue.setProperty("ownsKeys", True)
        queue.approve.connect(self._on_approve)
        queue.edit.connect(self._on_edit)
        queue.refuse.connect(lambda key, code: self._send(key, Refuse(suggestion_id=SuggestionId(key), code=code)))
        queue.snooze.connect(lambda key, s: self._send(key, Snooze(suggestion_id=SuggestionId(key), seconds=s)))
        queue.approve_if.connect(self._on_approve_if)
        queue.requote.connect(lambda key: self._send(key, Requote(suggestion_id=SuggestionId(key))))
        queue.evidence.connect(self._on_evidence)
        queue.chosen.connect(self._on_chosen)
        self.services.bridge.link_changed.connect(lambda _state, _text: self._block())
        self.services.bridge.silence_changed.connect(lambda _silent: self._block())
        self.feed("suggestions", self._on_rows_of_queue)
        self.feed("state", lambda rows, _removed, _reset: self._on_state(rows))
        self._block()
        return queue

    def _on_rows_of_queue(self, rows: tuple[SuggestionRow, ...], removed: tuple[str, ...], reset: bool) -> None:
        self._queue.apply(rows, removed, reset)
        if any(row.key == self.current for row in rows) or self.current in removed:
            self.suggestion_shown.emit(self.row(self.current))

    def row(self, key: str) -> SuggestionRow | None:
        found = self.services.bridge.mirror.rows("suggestions").get(key)
        return found if isinstance(found, SuggestionRow) else None

    async def close(self) -> None:
        await self._tasks.close()

    # --- answers

    def _on_approve(self, key: str, approval_hash: str, confirmed: tuple[str, ...]) -> None:
        self._send(key, Approve(suggestion_id=SuggestionId(key), approval_hash=approval_hash, confirmed=confirmed))

    def _on_approve_if(self, key: str, approval_hash: str, price: Decimal, seconds: float) -> None:
        command = ApproveIf(suggestion_id=SuggestionId(key), price=price, seconds=seconds, approval_hash=approval_hash)
        self._send(key, command)

    def _on_edit(self, key: str) -> None:
        row = self.row(key)
        if row is None:
            return
        from market_agent_gui.edit_dialog import EditDialog

        dialog = EditDialog(row)
        dialog.edited.connect(lambda changes: self._send(key, Edit(suggestion_id=SuggestionId(key), **changes)))
        self.services.open_dialog(dialog)

    def _send(self, key: str, command: AnyCommand) -> None:
        if self.services.keys.rehearsing:
            self._queue.failed(key, say("rehearsal: nothing is sent"))
            return
        self._tasks.start(self._deliver(key, command), f"{type(command).__name__} {key}")

    async def _deliver(self, key: str, command: AnyCommand) -> None:
        try:
            receipt = await self.services.bridge.send(command)
        except (EngineUnavailable, OSError) as error:
            text = say("not answered: {reason}. Look at the orders before you approve again.", reason=error)
            self._queue.failed(key, text)
            self.services.say("bad", f"{key}: {text}")
            return
        if receipt.ok:
            self.services.say("info", f"{key}: {told(receipt.text) or say(_DONE[type(command)])}")
        else:
            text = refusal_text(receipt)
            self._queue.failed(key, text)
            self.services.say("warn", f"{key}: {text}")

    # --- what is shown

    def _on_chosen(self, key: str) -> None:
        self.current = key
        row = self.row(key)
        self.suggestion_shown.emit(row)
        # A card that selects itself because it has just come must not move the symbol that the keys act on.
        focus = QApplication.focusWidget()
        if row is not None and focus is not None and (focus is self._queue or self._queue.isAncestorOf(focus)):
            self.choose(row.symbol)

    def _on_evidence(self, key: str) -> None:
        self._on_chosen(key)
        self.evidence_wanted.emit(key)

    def _on_state(self, rows: tuple[StateRow, ...]) -> None:
        for row in rows:
            self._queue.set_now(row.now_ns)
            self._queue.set_book(row.book, account_tail(row.account))
        self._block()

    def _block(self) -> None:
        state = self.services.bridge.mirror.state()
        if self.services.bridge.link is not LinkState.UP:
            self._queue.set_blocked(say("the engine is not connected"))
        elif self.services.bridge.silent:
            self._queue.set_blocked(say("the engine does not answer"))
        elif state is not None and state.halted:
            self._queue.set_blocked(say("trading is halted"))
        elif state is not None and state.link != "up":
            self._queue.set_blocked(say("the broker is not connected"))
        else:
            self._queue.set_blocked("")


_DONE: dict[type, str] = {
    Approve: "approved",
    Refuse: "rejected",
    Snooze: "snoozed",
    ApproveIf: "waits for the price",
    Requote: "is being priced again",
    Edit: "edited",
}


def refusal_text(receipt: Receipt) -> str:
    """Return why a command was refused, with codes."""
    reasons = " · ".join(f"{denial.code} {told(denial.text)}" for denial in receipt.denials)
    return reasons or told(receipt.text) or receipt.code or say("refused")
