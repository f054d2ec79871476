"""Decision family: gate, approval, modes."""

from engine.model.decision import Autonomy, Denial, Mode, Verdict
from engine.model.events.base import Event
from engine.model.ids import DecisionId, IntentId, OrderRef, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, Origin
from engine.model.suggestion import Suggestion


class RiskCleared(Event, frozen=True, kw_only=True):
    """The gate found nothing against the request. Nothing is reserved yet unless ``ref`` is set."""

    symbol: Symbol
    side: Side
    intent_id: IntentId
    verdict: Verdict
    suggestion_id: SuggestionId | None = None
    ref: OrderRef | None = None


class RiskDenied(Event, frozen=True, kw_only=True):
    symbol: Symbol
    side: Side
    intent_id: IntentId
    denials: tuple[Denial, ...]
    request: OrderRequest
    origin: Origin = Origin.AUTO
    suggestion_id: SuggestionId | None = None


class ApprovalAsked(Event, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    symbol: Symbol
    expires_ns: int
    approval_hash: str
    """Binds the answer to every field that was shown (G32)."""
    reason: str = ""
    """Why a person is asked: the autonomy level, or the limit that was exceeded."""


class Approved(Event, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    symbol: Symbol
    decision_id: DecisionId
    by: str
    """A person's surface (window, command line) or ``agent``."""
    refs: tuple[OrderRef, ...] = ()


class Edited(Event, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    symbol: Symbol
    by: str
    changes: dict[str, tuple[str, str]]
    """Field -> (before, after)."""
    suggestion: Suggestion | None = None
    """As it stands after the change; None in records of earlier versions."""


class Refused(Event, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    symbol: Symbol
    by: str
    code: str
    text: str = ""


class Snoozed(Event, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    symbol: Symbol
    by: str
    until_ns: int


class ApprovalExpired(Event, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    symbol: Symbol
    reason: str = ""
    unasked: bool = False
    """It waited for its turn to be sent, and nobody was asked."""


class ModeChanged(Event, frozen=True, kw_only=True):
    before: Mode
    after: Mode
    by: str
    reason: str


class AutonomyChanged(Event, frozen=True, kw_only=True):
    before: Autonomy
    after: Autonomy
    by: str
    reason: str = ""


class TradingHalted(Event, frozen=True, kw_only=True):
    by: str
    reason: str
    flatten: bool = False


class TradingResumed(Event, frozen=True, kw_only=True):
    by: str
    reason: str


class LimitsChanged(Event, frozen=True, kw_only=True):
    by: str
    changes: dict[str, tuple[str, str]]
    limits_hash: str
    effective: str = "now"
    """``now`` when lowered, an exchange date when raised."""
