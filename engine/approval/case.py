"""One suggestion on its way to an answer, and the durable record of it."""

import base64
from collections import OrderedDict
from decimal import Decimal
from typing import TypeVar

import msgspec

from engine.api.commands import Receipt
from engine.approval.ports import Store
from engine.bus.clock import Timer
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import Denial, Verdict
from engine.model.ids import OrderRef, SuggestionId
from engine.model.suggestion import Suggestion, SuggestionState

CASE = "approval.case."
DONE = "approval.done."


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The first answer; every later one gets it again."""

    state: SuggestionState
    at_ns: int
    ok: bool
    by: str
    code: str = ""
    text: str = ""
    refs: tuple[OrderRef, ...] = ()

    def receipt(self) -> Receipt:
        data: dict[str, object] = {"refs": [str(ref) for ref in self.refs], "state": self.state.value, "by": self.by}
        return Receipt(ok=self.ok, code=self.code, text=self.text, data=data)


class Case(msgspec.Struct, kw_only=True):
    """The desk's state of one suggestion."""

    suggestion: Suggestion
    state: SuggestionState = SuggestionState.DRAFT
    approval_hash: str = ""
    limits_hash: str = ""
    book: str = ""
    checked_ns: int = 0
    snoozed_until_ns: int = 0
    condition_price: Decimal | None = None
    condition_until_ns: int = 0
    condition_by: str = ""
    edited: bool = False
    reason: str = ""
    outcome: Outcome | None = None


class Live(msgspec.Struct, kw_only=True):
    """A case in memory, with what is not stored."""

    case: Case
    verdict: Verdict | None = None
    timers: list[Timer] = []
    tried_ns: int = 0
    stored: bool = False
    turn: int = 0
    """Place in the queue of the agent's orders, kept when it has to wait again; 0 not queued yet."""
    held: tuple[Denial, ...] = ()
    """What it waits for to pass; empty while it does not wait for its turn."""
    stale_ns: int = 0
    """Since when nothing but an old quote holds it; 0 when something else does."""


class CaseBook:
    """All open cases, and the outcomes of those that were answered. Durable."""

    def __init__(self, store: Store, kept: int) -> None:
        self._store = store
        self._kept = kept
        self.open: dict[SuggestionId, Live] = {}
        self._done: OrderedDict[SuggestionId, Outcome] = OrderedDict()

    def load(self, forget_before_ns: int) -> list[Case]:
        """Read what an earlier run left open; forget answers older than ``forget_before_ns``."""
        names = self._store.names()
        for name in names:
            if name.startswith(DONE):
                outcome = _decode(name, self._store.get(name), Outcome)
                if outcome.at_ns < forget_before_ns:
                    self._store.delete(name)
                else:
                    self._remember(SuggestionId(name.removeprefix(DONE)), outcome)
        cases = []
        for name in names:
            if name.startswith(CASE):
                if SuggestionId(name.removeprefix(CASE)) in self._done:
                    self._store.delete(name)
                else:
                    cases.append(_decode(name, self._store.get(name), Case))
        return sorted(cases, key=lambda case: (case.suggestion.made_ns, case.suggestion.id))

    def save(self, live: Live) -> None:
        """Keep an open case. Raises ``JournalError``."""
        name = live.case.suggestion.id
        self._store.set(f"{CASE}{name}", _encode(live.case))
        live.stored = True
        self.open[name] = live

    def try_save(self, live: Live) -> Receipt | None:
        """Keep an open case; return the refusal when that fails."""
        try:
            self.save(live)
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"It could not be recorded: {error}")
        return None

    def close(self, live: Live, outcome: Outcome, durable: bool = True) -> None:
        """Keep the outcome; from now on the first answer stands. Raises ``JournalError`` and then nothing stands."""
        name = live.case.suggestion.id
        if durable:
            self._store.set(f"{DONE}{name}", _encode(outcome))
        live.case.state, live.case.outcome = outcome.state, outcome
        for timer in live.timers:
            timer.cancel()
        live.timers = []
        self.open.pop(name, None)
        self._remember(name, outcome)
        if live.stored:
            # A crash before this leaves both; at the next start the outcome wins.
            self._store.delete(f"{CASE}{name}")

    def amend(self, name: SuggestionId, outcome: Outcome) -> None:
        """Say more about an answer that stands: the order it led to was not sent."""
        self._remember(name, outcome)
        try:
            self._store.set(f"{DONE}{name}", _encode(outcome))
        except JournalError:
            # The order's own journal says it was never sent; this is only the wording.
            return

    def outcome(self, name: SuggestionId) -> Outcome | None:
        """Return the answer that a suggestion got, in this run or an earlier one."""
        return self._done.get(name)

    def _remember(self, name: SuggestionId, outcome: Outcome) -> None:
        self._done[name] = outcome
        while len(self._done) > self._kept:
            self._done.popitem(last=False)


def _encode(value: Case | Outcome) -> str:
    return base64.b64encode(msgspec.msgpack.encode(value)).decode()


T = TypeVar("T")


def _decode(name: str, text: str | None, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(base64.b64decode(text or ""), type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise IntegrityError(f"the stored {name} cannot be read: {error}") from error
