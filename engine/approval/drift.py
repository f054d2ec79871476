"""The price-drift guard: is the trade that is about to be sent still the one that was suggested?"""

import math

import msgspec

from engine.approval.settings import ApprovalSettings
from engine.model.suggestion import Suggestion


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """How far the market has moved since the suggestion."""

    before: float
    now: float
    percent: float
    """Signed move of the mid."""
    in_atr: float
    """Absolute move in ATR; NaN when the ATR is unknown."""
    reward_risk: float
    """Of what is left, entering now; NaN when it makes no sense."""
    broken: str = ""
    """Why the suggestion no longer stands, in plain words with both numbers; empty when it does."""


def measure(suggestion: Suggestion, now: float, atr: float | None, settings: ApprovalSettings) -> Drift:
    """Compare the mid ``now`` with the mid when the suggestion was made. NaN anywhere breaks it."""
    before = suggestion.reference_price
    percent = (now / before - 1.0) * 100.0 if before > 0 else math.nan
    unit = suggestion.atr if math.isfinite(suggestion.atr) and suggestion.atr > 0 else atr
    in_atr = abs(now - before) / unit if unit is not None and unit > 0 else math.nan
    left = reward_risk(suggestion, now)
    made = reward_risk(suggestion, float(suggestion.entry))
    return Drift(
        before=before,
        now=now,
        percent=percent,
        in_atr=in_atr,
        reward_risk=left,
        broken=_broken(suggestion, before, now, percent, in_atr, left, made, settings),
    )


def reward_risk(suggestion: Suggestion, price: float) -> float:
    """Return what may be won against what may be lost from ``price``; NaN beyond stop or target."""
    sign = suggestion.side.sign
    reward = (float(suggestion.target) - price) * sign
    risk = (price - float(suggestion.stop)) * sign
    return reward / risk if risk > 0 and reward > 0 else math.nan


def _broken(
    suggestion: Suggestion,
    before: float,
    now: float,
    percent: float,
    in_atr: float,
    left: float,
    made: float,
    settings: ApprovalSettings,
) -> str:
    moved = f"{suggestion.symbol} was {before:g} when this was suggested and is {now:g} now"
    if not math.isfinite(percent):
        return f"The price now cannot be compared with the price then ({before:g}, {now:g})."
    if abs(percent) > settings.drift_percent * (1 + 1e-9):
        return f"{moved} ({percent:+.2f} %; the limit is {settings.drift_percent:g} %). Re-quote it first."
    if in_atr > settings.drift_atr * (1 + 1e-9):
        return f"{moved}, {in_atr:.2f} ATR away; the limit is {settings.drift_atr:g}. Re-quote it first."
    if suggestion.reduces:
        return ""
    if math.isnan(left):
        return f"{moved}, beyond the stop {suggestion.stop} or the target {suggestion.target}."
    if left < min(settings.reward_risk, made) * (1 - 1e-9):
        return f"{moved}; reward to risk is {left:.2f}, it was {made:.2f} and must be {settings.reward_risk:g}."
    return ""
