"""The suggestion queue as rows."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from engine.api.rows import DenialRow, SuggestionRow
from engine.bus.bus import Bus
from engine.model.events.decision import (
    ApprovalAsked,
    ApprovalExpired,
    Approved,
    Edited,
    Refused,
    RiskDenied,
    Snoozed,
)
from engine.model.events.thought import Suggested, SuggestionSuperseded, SuggestionWithdrawn
from engine.model.ids import SuggestionId, Symbol
from engine.model.market import Quote
from engine.model.money import finite
from engine.model.suggestion import Suggestion, SuggestionState
from engine.views.table import Table


class Suggestions(Protocol):
    def suggestion(self, suggestion_id: SuggestionId) -> Suggestion | None: ...


def suggestion_row(suggestion: Suggestion, state: SuggestionState) -> SuggestionRow:
    """Flatten a suggestion."""
    return SuggestionRow(
        key=suggestion.id,
        symbol=suggestion.symbol,
        side=suggestion.side.value,
        quantity=suggestion.quantity,
        entry=suggestion.entry,
        stop=suggestion.stop,
        target=suggestion.target,
        risk=suggestion.risk,
        state=state.value,
        horizon=suggestion.horizon,
        strategy=suggestion.strategy,
        evidence_state=suggestion.evidence_state,
        made_ns=suggestion.made_ns,
        expires_ns=suggestion.expires_ns,
        probability=suggestion.probability,
        probability_low=suggestion.probability_low,
        probability_high=suggestion.probability_high,
        reference_price=suggestion.reference_price,
        sources=tuple((f.source, f.score, 0.0, "abstains" if f.abstained else f.reason) for f in suggestion.forecasts),
        evidence=suggestion.evidence,
        invalidation=suggestion.invalidation,
        reduces=suggestion.reduces,
        reason=suggestion.note,
        source=suggestion.source,
    )


class SuggestionView:
    """Projects suggestions through their life; price drift is refreshed once a frame."""

    def __init__(
        self, bus: Bus, table: Table, denials: Table, quote: Callable[[Symbol], Quote | None], board: Suggestions
    ) -> None:
        self._table = table
        self._denials = denials
        self._quote = quote
        self._board = board
        self._denied = 0
        bus.subscribe(Suggested, self._on_suggested, owner="views.suggestions")
        bus.subscribe(ApprovalAsked, self._on_asked, owner="views.suggestions")
        bus.subscribe(Approved, self._on_approved, owner="views.suggestions")
        bus.subscribe(Edited, self._on_edited, owner="views.suggestions")
        bus.subscribe(Refused, self._on_refused, owner="views.suggestions")
        bus.subscribe(Snoozed, self._on_snoozed, owner="views.suggestions")
        bus.subscribe(ApprovalExpired, self._on_expired, owner="views.suggestions")
        bus.subscribe(SuggestionWithdrawn, self._on_withdrawn, owner="views.suggestions")
        bus.subscribe(SuggestionSuperseded, self._on_superseded, owner="views.suggestions")
        bus.subscribe(RiskDenied, self._on_denied, owner="views.suggestions")

    def load(self, suggestions: list[tuple[Suggestion, SuggestionState, str]]) -> None:
        """Show what was recovered at start: (suggestion, state, approval hash)."""
        for suggestion, state, approval_hash in suggestions:
            self._table.put(msgspec.structs.replace(suggestion_row(suggestion, state), approval_hash=approval_hash))

    def refresh(self) -> None:
        """Measure price drift of what is open; called before a frame is cut."""
        for row in self._table.rows():
            if not isinstance(row, SuggestionRow) or not SuggestionState(row.state).open:
                continue
            quote = self._quote(Symbol(row.symbol))
            if quote is None or not quote.two_sided or not finite(row.reference_price):
                continue
            suggestion = self._board.suggestion(SuggestionId(row.key))
            drift = quote.mid - row.reference_price
            atr = suggestion.atr if suggestion is not None else float("nan")
            self._table.put(
                msgspec.structs.replace(
                    row,
                    drift=round(drift, 6),
                    drift_atr=round(abs(drift) / atr, 3) if finite(atr) and atr > 0 else None,
                )
            )

    def _set(self, key: str, **changes: object) -> None:
        row = self._table.get(key)
        if isinstance(row, SuggestionRow):
            self._table.put(msgspec.structs.replace(row, **changes))

    def _on_suggested(self, event: Suggested) -> None:
        self._table.put(suggestion_row(event.suggestion, SuggestionState.DRAFT))

    def _on_asked(self, event: ApprovalAsked) -> None:
        self._set(
            event.suggestion_id,
            state=SuggestionState.PENDING.value,
            approval_hash=event.approval_hash,
            expires_ns=event.expires_ns,
            reason=event.reason,
            denials=(),
        )

    def _on_approved(self, event: Approved) -> None:
        self._set(event.suggestion_id, state=SuggestionState.APPROVED.value, reason=f"approved by {event.by}")

    def _on_edited(self, event: Edited) -> None:
        if event.suggestion is not None:
            row = self._table.get(event.suggestion_id)
            state = SuggestionState(row.state) if isinstance(row, SuggestionRow) else SuggestionState.PENDING
            self._table.put(suggestion_row(event.suggestion, state))

    def _on_refused(self, event: Refused) -> None:
        text = f"{event.code} {event.text}".strip()
        self._set(event.suggestion_id, state=SuggestionState.REJECTED.value, reason=text)

    def _on_snoozed(self, event: Snoozed) -> None:
        self._set(event.suggestion_id, state=SuggestionState.SNOOZED.value)

    def _on_expired(self, event: ApprovalExpired) -> None:
        self._set(event.suggestion_id, state=SuggestionState.EXPIRED.value, reason=event.reason or "expired")

    def _on_withdrawn(self, event: SuggestionWithdrawn) -> None:
        self._set(event.id, state=SuggestionState.WITHDRAWN.value, reason=event.reason)

    def _on_superseded(self, event: SuggestionSuperseded) -> None:
        self._set(event.id, state=SuggestionState.SUPERSEDED.value, reason=f"replaced by {event.by}")

    def _on_denied(self, event: RiskDenied) -> None:
        self._denied += 1
        self._denials.put(
            DenialRow(
                key=f"{event.ts_event}-{self._denied}",
                ts=event.ts_event,
                symbol=event.symbol,
                side=event.side.value,
                origin=event.origin.value,
                what=event.suggestion_id or event.intent_id,
                denials=event.denials,
            )
        )
        if event.suggestion_id is not None:
            row = self._table.get(event.suggestion_id)
            if isinstance(row, SuggestionRow):
                fresh = row.state == SuggestionState.DRAFT.value
                state = SuggestionState.DENIED.value if fresh else row.state
                self._set(event.suggestion_id, state=state, denials=event.denials)
