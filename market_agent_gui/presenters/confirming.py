"""Asks before it sends, where a person wants that: a key by a second press, a button by a question."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from market_agent_gui.actions import ActionSpec, key_text
from market_agent_gui.commander import Refusal
from market_agent_gui.keys.confirming import HOLD_S, Policy, Press, SecondPress, read_policy
from market_agent_gui.mode_frame import account_tail
from market_agent_gui.presenters.subjects import Subject, Subjects
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from market_agent_gui.keys.staging import StagedOrder
    from market_agent_gui.shell import Shell

Reads = Callable[[], Subject | None]
"""Reads what is about to be sent; anew before it is sent."""


class Confirming(QObject):
    """Holds the policy and what waits. STOP does not come past here."""

    waiting_changed = Signal()

    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell = shell
        self.subjects = Subjects(shell.bridge.mirror)
        self.waiting = ""
        """What a second press would do, in words; empty while nothing waits."""
        self._action = ""
        self._subject: Subject | None = None
        self._second = SecondPress()
        self._late = QTimer(self, singleShot=True, interval=round(HOLD_S * 1000))
        self._late.timeout.connect(self.drop)
        self.policy, wrong = read_policy(shell.preferences.now.confirm)
        if wrong:
            shell.preferences.complain(
                say("confirmations in window.json cannot be used ({what}); for those the defaults hold",
                    what="; ".join(wrong))
            )  # fmt: skip
        shell.entry.staged_changed.connect(self._on_staged)
        shell.commander.ran.connect(self._on_ran)
        shell.commander.asks = self._asks
        shell.commander.register("confirmations", self._choose)

    # --- keys

    def by_key(self, spec: ActionSpec, key: str) -> tuple[str, bool]:
        """Return what a second press would do, empty where none is wanted; and whether this one was the second."""
        subject = self._read(spec.id, hold=True)
        if subject is None or not self._wanted(subject):
            return "", False
        book, account = self._whose()
        press = self._second.press((spec.id, subject.same, book, account))
        if press is Press.SECOND:
            self.drop()
            return "", True
        values = {"key": key_text(key), "order": subject.words, "book": say(book.upper())}
        if spec.id == "send":
            reads = say("{key} again sends {order}, {book}", **values)
        else:
            reads = say("{key} again will {order}, {book}", **values)
        if press is Press.FIRST:
            self._action, self._subject, self.waiting = spec.id, subject, reads
            self._late.start()
            self.waiting_changed.emit()
        return reads, False

    def wants(self, action: str) -> bool:
        """Whether a key of this action would want a second press now."""
        subject = self._read(action)
        return subject is not None and self._wanted(subject)

    @property
    def order_waits(self) -> bool:
        """Whether the staged order waits for the second press of the key that sends."""
        return bool(self.waiting) and self._action == "send"

    def drop(self) -> None:
        """Forget the first press."""
        self._second.drop()
        self._late.stop()
        if self.waiting:
            self._shell.head.toaster.take_back(self.waiting)
            self._action, self._subject, self.waiting = "", None, ""
            self.waiting_changed.emit()

    def _on_ran(self, action: str, _road: str) -> None:
        if action == "drop":
            self.drop()  # whatever waits: the hand wants none of it

    def _on_staged(self, order: "StagedOrder | None") -> None:
        if self._action == "send" and (self._subject is None or self._subject.same != order):
            self.drop()

    # --- buttons

    def run(self, reads: Reads, do: Callable[[], object], undo: Callable[[], object] = lambda: None) -> bool:
        """Do it, or ask first where that is wanted and return True. ``undo`` hears that it is not to be.

        A refusal is told. While everything is held back, nothing is asked either.
        """
        held_back = self._shell.entry.held_back
        subject = reads() if not held_back else None
        if held_back:
            undo()
            self._shell.say("warn", held_back)
        elif subject is None or not self._wanted(subject):
            self._do(do, undo)
        else:
            self._ask(subject, reads, do, undo)
            return True
        return False

    def _do(self, do: Callable[[], object], undo: Callable[[], object]) -> None:
        try:
            do()
        except Refusal as refusal:
            undo()
            self._shell.say("warn", str(refusal))

    def _asks(self, action: str, do: Callable[[], object]) -> bool:
        subject = self._read(action, hold=True)
        if subject is None or not self._wanted(subject):
            return False
        self._ask(subject, lambda: self._read(action), do, lambda: None)
        return True

    def _ask(self, subject: Subject, reads: Reads, do: Callable[[], object], undo: Callable[[], object]) -> None:
        from market_agent_gui.confirm_dialogs import ConfirmDialog
        from widgets.formats import money

        self.drop()
        whose = self._whose()
        state = self._shell.bridge.mirror.state()
        currency = state.currency if state is not None else ""
        value = (
            say("What it is worth in {currency} is not known.", currency=currency)
            if subject.notional is None
            else say("Worth {money}", money=money(subject.notional, currency, 0))
        )
        dialog = ConfirmDialog(subject.words, value, f"{say(whose[0].upper())} {account_tail(whose[1])}".strip())

        def accepted() -> None:
            now = reads()
            if now is None or now.same != subject.same or self._whose() != whose or self._shell.program.locked:
                undo()
                self._shell.say("warn", say("Nothing was sent: it is no longer what you were asked about"))
                return
            self._do(do, undo)

        dialog.accepted.connect(accepted)
        dialog.rejected.connect(undo)
        self._shell.open_dialog(dialog)

    # --- what it is about

    def _read(self, action: str, *, hold: bool = False) -> Subject | None:
        entry = self._shell.entry
        if action != "send":
            return self.subjects.action(action, self._shell.symbol())
        staged = entry.staged
        if staged is None or entry.blocked(staged.symbol) or entry.sending(staged):
            return None  # it refuses by itself, and says why
        if hold and self._wanted(self.subjects.staged(staged)):
            entry.hold_still()
        return self.subjects.staged(entry.staged or staged)

    def _wanted(self, subject: Subject) -> bool:
        return self.policy.asks(self._whose()[0], subject.act, subject.notional)

    def _whose(self) -> tuple[str, str]:
        state = self._shell.bridge.mirror.state()
        return (state.book, state.account) if state is not None else ("", "")

    # --- the choice

    def _choose(self) -> None:
        from market_agent_gui.confirm_dialogs import ConfirmationsDialog

        state = self._shell.bridge.mirror.state()
        dialog = ConfirmationsDialog(self.policy, state.currency if state is not None else "USD")
        dialog.chosen.connect(self._use)
        self._shell.open_dialog(dialog)

    def _use(self, policy: Policy) -> None:
        before, self.policy = self.policy, policy
        if policy == before:
            return
        self.drop()
        if policy.looser(before):
            self._shell.fresh_keys.confirmations_loosened()
        self._shell.program.prefer(confirm=policy.stored(), confirm_used=policy.stored())

    def look(self) -> None:
        """Compare with what was confirmed last: where a file from elsewhere asks for less, the hands are new, too."""
        used, now = self._shell.preferences.now.confirm_used, self.policy.stored()
        if used and self.policy.looser(read_policy(used)[0]):
            self._shell.fresh_keys.confirmations_loosened()
        if used != now:
            self._shell.program.prefer(confirm_used=now)
