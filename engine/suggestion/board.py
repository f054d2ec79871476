"""The board: every suggestion of this run by name. The approval desk keeps the open ones across restarts."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from engine.bus.bus import Bus, Role
from engine.bus.clock import Clock
from engine.model.events.decision import ApprovalAsked, ApprovalExpired, Approved, Edited, Refused, RiskDenied, Snoozed
from engine.model.events.thought import Suggested, SuggestionSuperseded, SuggestionWithdrawn
from engine.model.ids import DecisionId, SuggestionId, Symbol
from engine.model.suggestion import Suggestion, SuggestionState


class Store(Protocol):
    def get(self, name: str) -> str | None: ...

    def set(self, name: str, value: str) -> None: ...


class Entry(msgspec.Struct, kw_only=True):
    """One suggestion and where it stands."""

    suggestion: Suggestion
    state: SuggestionState


_COUNTER = "suggestions.counter"
_ENTERED = "suggestions.entered"
_KEPT = 2_000
_NO_TURN = frozenset({"G8", "G21", "DRIFT"})
"""Denials of a suggestion whose turn to be sent did not come: the message rate, an old quote, a price that moved on."""


class Board:
    """Owner of suggestions. Others ask; the approval desk changes states by its events."""

    name = "board"

    def __init__(self, bus: Bus, clock: Clock, store: Store) -> None:
        self._bus, self._clock, self._store = bus, clock, store
        self._entries: dict[SuggestionId, Entry] = {}
        self._entered: dict[str, int | None] = {}
        self._counter = int(store.get(_COUNTER) or 0)

    def restore(self, entries: Iterable[tuple[Suggestion, SuggestionState]]) -> None:
        """Take over the suggestions that were open when the last run ended."""
        for suggestion, state in entries:
            self._entries[suggestion.id] = Entry(suggestion=suggestion, state=state)

    async def start(self) -> None:
        """Follow the life of suggestions."""
        on = self._bus.subscribe
        on(Suggested, self._on_suggested, owner="board", role=Role.DECIDER)
        on(ApprovalAsked, lambda e: self._set(e.suggestion_id, SuggestionState.PENDING), owner="board")
        on(Snoozed, lambda e: self._set(e.suggestion_id, SuggestionState.SNOOZED), owner="board")
        on(Approved, lambda e: self._set(e.suggestion_id, SuggestionState.APPROVED), owner="board")
        on(Refused, lambda e: self._set(e.suggestion_id, SuggestionState.REJECTED), owner="board")
        on(ApprovalExpired, self._on_expired, owner="board")
        on(SuggestionWithdrawn, lambda e: self._set(e.id, SuggestionState.WITHDRAWN), owner="board")
        on(SuggestionSuperseded, lambda e: self._set(e.id, SuggestionState.SUPERSEDED), owner="board")
        on(Edited, self._on_edited, owner="board", role=Role.DECIDER)
        on(RiskDenied, self._on_denied, owner="board")

    async def stop(self) -> None:
        """Nothing to finish: the approval desk keeps what is open."""

    def next_ids(self) -> tuple[SuggestionId, DecisionId]:
        """Fresh names, never used before in this profile."""
        self._counter += 1
        self._store.set(_COUNTER, str(self._counter))
        return SuggestionId(f"S-{self._counter:04d}"), DecisionId(f"D-{self._counter:04d}")

    def entered(self, symbol: Symbol, strategy: str) -> int | None:
        """When ``strategy`` last proposed an entry in ``symbol``, UTC ns; also by a run before this one."""
        key = f"{_ENTERED}.{strategy}.{symbol}"
        if key not in self._entered:
            told = self._store.get(key)
            self._entered[key] = int(told) if told else None
        return self._entered[key]

    def note_entry(self, symbol: Symbol, strategy: str, at_ns: int) -> None:
        """``strategy`` proposes an entry now: a restart is no reason to propose it again."""
        key = f"{_ENTERED}.{strategy}.{symbol}"
        self._entered[key] = at_ns
        self._store.set(key, str(at_ns))

    def _give_back(self, suggestion_id: SuggestionId) -> None:
        """What was never sent for want of a turn is no entry: its strategy need not pause for it."""
        suggestion = self.suggestion(suggestion_id)
        if suggestion is None or self.entered(suggestion.symbol, suggestion.strategy) != suggestion.made_ns:
            return
        key = f"{_ENTERED}.{suggestion.strategy}.{suggestion.symbol}"
        self._entered[key] = None
        self._store.set(key, "")

    def suggestion(self, suggestion_id: SuggestionId) -> Suggestion | None:
        entry = self._entries.get(suggestion_id)
        return entry.suggestion if entry is not None else None

    def state(self, suggestion_id: SuggestionId) -> SuggestionState | None:
        entry = self._entries.get(suggestion_id)
        return entry.state if entry is not None else None

    def entries(self) -> list[Entry]:
        """All that are remembered, oldest first."""
        return list(self._entries.values())

    def opened(self) -> list[Suggestion]:
        """All that wait for an answer."""
        return [entry.suggestion for entry in self._entries.values() if entry.state.open]

    def open_for(self, symbol: Symbol, strategy: str | None = None) -> list[Suggestion]:
        """Open suggestions of a symbol (and strategy)."""
        return [
            e.suggestion
            for e in self._entries.values()
            if e.state.open and e.suggestion.symbol == symbol and strategy in (None, e.suggestion.strategy)
        ]

    def _on_suggested(self, event: Suggested) -> None:
        self._entries[event.suggestion.id] = Entry(suggestion=event.suggestion, state=SuggestionState.DRAFT)
        if len(self._entries) > _KEPT:
            for key in [k for k, e in self._entries.items() if not e.state.open][: _KEPT // 10]:
                del self._entries[key]

    def _on_edited(self, event: Edited) -> None:
        entry = self._entries.get(event.suggestion_id)
        if entry is not None and event.suggestion is not None:
            entry.suggestion = event.suggestion

    def _on_denied(self, event: RiskDenied) -> None:
        if event.suggestion_id is not None:
            entry = self._entries.get(event.suggestion_id)
            if entry is not None and entry.state is SuggestionState.DRAFT:
                self._set(event.suggestion_id, SuggestionState.DENIED)
                if {denial.code for denial in event.denials} <= _NO_TURN:
                    self._give_back(event.suggestion_id)

    def _on_expired(self, event: ApprovalExpired) -> None:
        self._set(event.suggestion_id, SuggestionState.EXPIRED)
        if event.unasked:
            self._give_back(event.suggestion_id)

    def _set(self, suggestion_id: SuggestionId, state: SuggestionState) -> None:
        entry = self._entries.get(suggestion_id)
        if entry is not None and entry.state is not state:
            entry.state = state
