"""G4: how far through the market a price may be (aggressive side), against the mid, else a last of 5 seconds."""

import math

from engine.model.market import Side
from engine.model.order import OrderType, Origin
from engine.risk.say import NOTHING, Findings, above, hard, percent, soft
from engine.risk.situation import Situation

CODE = "G4"
TITLE = "Price collar"


def band(s: Situation) -> float:
    """Return the hard collar for the price level, percent."""
    if s.emergency:
        return s.common.flatten_collar_percent
    if s.mid <= 25.0:
        return s.limits.collar_to_25_percent
    return s.limits.collar_to_50_percent if s.mid <= 50.0 else s.limits.collar_above_50_percent


def distance(s: Situation) -> float | None:
    """Return how far the limit is through the market, percent; negative on the passive side, None without a limit."""
    limit = s.request.limit_price
    if limit is None:
        return None
    against = s.mid
    if s.request.order_type is OrderType.STOP_LIMIT and s.request.stop_price is not None:
        against = float(s.request.stop_price)
    sign = 1.0 if s.request.side is Side.BUY else -1.0
    return sign * (float(limit) / against - 1.0) * 100.0


def check(s: Situation) -> Findings:
    if s.request.origin is Origin.PROTECTIVE:
        return NOTHING
    if not math.isfinite(s.mid):
        return hard(CODE, f"There is no usable price of {s.symbol} to check the order against.")
    through = distance(s)
    if through is None:
        return NOTHING
    most = band(s)
    ask_first = s.limits.collar_soft_percent
    if s.asked.order_type is not s.request.order_type or s.emergency:
        # A converted market order is collared from the far side of the quote, the rule measures from the mid.
        most, ask_first = _from_far_side(s, most), _from_far_side(s, ask_first)
    if above(through, most):
        text = f"The limit is {percent(through, most)} through the market; the collar is {percent(most)}."
        return hard(CODE, text, percent(most), percent(through, most))
    if not s.reducing and above(through, ask_first):
        far, band_text = percent(through, ask_first), percent(ask_first)
        text = f"The limit is {far} through the market; above {band_text} it needs a confirmation."
        return soft(CODE, text, band_text, far)
    return NOTHING


def _from_far_side(s: Situation, collar: float) -> float:
    """Return how far from the mid a price is that is ``collar`` percent beyond the far side, percent."""
    half = 0.0 if math.isnan(s.spread) else s.spread / s.mid / 2.0
    sign = 1.0 if s.request.side is Side.BUY else -1.0
    return sign * ((1.0 + sign * half) * (1.0 + sign * collar / 100.0) - 1.0) * 100.0
