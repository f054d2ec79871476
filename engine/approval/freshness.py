"""G22: the agent does not act on a decision that is old, or whose forecasts have expired."""

from engine.bus.clock import SECOND
from engine.model.decision import Denial
from engine.model.suggestion import Suggestion

CODE = "G22"


def too_old(suggestion: Suggestion, now: int, most_s: float) -> Denial | None:
    """Return the objection to acting on ``suggestion`` by itself now, None when it is fresh."""
    age = (now - suggestion.made_ns) / SECOND
    if age > most_s:
        text = f"The decision is {age:.0f} seconds old; the agent acts within {most_s:g}."
        return Denial(code=CODE, text=text, limit=f"{most_s:g} s", value=f"{age:.0f} s")
    alive = [f for f in suggestion.forecasts if not f.abstained]
    if alive and all(f.expires_at and f.expires_at <= now for f in alive):
        return Denial(code=CODE, text="Every forecast behind the decision has expired.")
    return None
