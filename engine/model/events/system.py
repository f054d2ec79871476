"""System family."""

from decimal import Decimal

from engine.model.events.base import Event


class ComponentStateChanged(Event, frozen=True, kw_only=True):
    component: str
    before: str
    after: str
    reason: str = ""


class ComponentFailed(Event, frozen=True, kw_only=True):
    component: str
    error: str
    text: str
    """What it means for the user, in plain words."""
    halted: bool = False


class LagExceeded(Event, frozen=True, kw_only=True):
    loop: str
    lag_ms: float


class ModelLoaded(Event, frozen=True, kw_only=True):
    model_id: str
    kind: str
    sha256: str
    domain: str


class StrategyChanged(Event, frozen=True, kw_only=True):
    """From now on another text decides, or none: what is open keeps the evidence it was made of."""

    strategy: str
    action: str
    """saved, reset, on, off; ``file`` when it was changed while no engine ran."""
    before: str
    """SHA-256 of the text before; empty when there was none."""
    after: str
    by: str
    origin: str = ""
    """shipped, package or own; empty when it is gone."""


class Alarm(Event, frozen=True, kw_only=True):
    """A line for the banner: what happened, what the program did, what you can do (reliability.md §7.1)."""

    code: str
    severity: str
    """red, amber or yellow."""
    happened: str
    did: str = ""
    you_can: str = ""
    cleared: bool = False


class RunSummary(Event, frozen=True, kw_only=True):
    decision_hash: str
    symbols: int
    market_seconds: float
    wall_seconds: float
    counts: dict[str, int]
    cash: dict[str, Decimal]
    positions: dict[str, Decimal]
    equity: Decimal | None = None
    reconciled: bool = False
    """Our books and the broker's agree; False also while they were never compared."""
    compared: bool = False
    """The broker's books were read at the end; False: it did not answer, and nothing is known."""
    notes: tuple[str, ...] = ()
    """What a person must know of this run, such as a journal that was restored from a backup."""
    silent: dict[str, int] = {}
    """Why forecasts did not become suggestions: reason to count."""
