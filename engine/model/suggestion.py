"""Suggestions: a forecast turned into a concrete, expiring proposal."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.ids import DecisionId, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.score import Evidence, Forecast


class SuggestionState(StrEnum):
    """Life of a suggestion (features.md §4.2)."""

    DRAFT = "DRAFT"
    DENIED = "DENIED"
    PENDING = "PENDING"
    SNOOZED = "SNOOZED"
    CONDITIONAL = "CONDITIONAL"
    APPROVED = "APPROVED"
    SENT = "SENT"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    SUPERSEDED = "SUPERSEDED"

    @property
    def open(self) -> bool:
        return self in (
            SuggestionState.DRAFT,
            SuggestionState.PENDING,
            SuggestionState.SNOOZED,
            SuggestionState.CONDITIONAL,
        )


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal with entry, stop, target, size, horizon and expiry, and the evidence it rests on."""

    id: SuggestionId
    decision_id: DecisionId
    symbol: Symbol
    side: Side
    quantity: Decimal
    entry: Decimal
    stop: Decimal
    target: Decimal
    horizon: str
    strategy: str
    probability: float | None = None
    probability_low: float | None = None
    probability_high: float | None = None
    """80 % interval; None while the source has no record."""
    evidence_state: str = "NO EVIDENCE"
    """NO EVIDENCE, CANDIDATE, PREDICTIVE, TRADEABLE or CERTIFIED LIVE (quant.md §4.2)."""
    forecasts: tuple[Forecast, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    evidence_hash: str = ""
    """SHA-256 over every row the decision saw."""
    invalidation: str = ""
    reference_price: float = float("nan")
    """Mid when it was made; price drift is measured from it."""
    atr: float = float("nan")
    made_ns: int = 0
    expires_ns: int = 0
    entry_until_ns: int = 0
    """UTC ns until which a sent entry may wait for its price, where its strategy counts in hours or days; 0 where it
    counts in minutes: then the agent's own limit (G36) says."""
    reduces: bool = False
    """Closes or shrinks a position instead of opening one."""
    note: str = ""
    source: str = ""
    """Who proposed it where that was not the agent: api, mcp or hook:NAME. It is asked whatever the autonomy, unless a
    mandate names the source."""

    @property
    def risk_per_unit(self) -> Decimal:
        return abs(self.entry - self.stop)

    @property
    def risk(self) -> Decimal:
        return self.risk_per_unit * self.quantity
