"""Forecasts: what one source says about one symbol."""

import msgspec

from engine.model.ids import SourceId, Symbol


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One row that a source saw. ``available_at`` is never later than the forecast that cites it."""

    id: str
    source: str
    kind: str
    """bar, feature, news, filing, fundamental, post, investor, model."""
    text: str
    """Plain text for a person; foreign text is already cleaned."""
    direction: int = 0
    """+1 speaks for a rise, -1 for a fall, 0 is neutral."""
    value: float | None = None
    available_at: int = 0


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a source expects, written before the outcome exists (quant.md §3.1)."""

    source: SourceId
    symbol: Symbol
    horizon: str
    """day, swing or long."""
    score: float
    """-1..+1; the sign is the side."""
    probability: float | None = None
    """P(net payoff > 0 | side); None until the source has a calibration."""
    payoff_mu: float | None = None
    payoff_sigma: float | None = None
    abstained: bool = False
    reason: str = ""
    """Why it abstained, or which rule fired."""
    evidence: tuple[Evidence, ...] = ()
    model_id: str = ""
    available_at: int = 0
    expires_at: int = 0
