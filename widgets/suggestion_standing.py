"""May this suggestion be approved as it is shown? One answer in words; what is not known is a no."""

import math
from dataclasses import dataclass

from engine.api.rows import SuggestionRow
from widgets import formats
from widgets.cells import price_text
from widgets.words import told, tr

OPEN_STATES = ("DRAFT", "PENDING", "SNOOZED", "CONDITIONAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What the queue holds a card against; the engine checks all of it again."""

    drift_atr: float = 0.5
    drift_percent: float = 0.5
    blocked: str = ""
    """Why nothing can be approved now (link lost, halted), or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``word`` heads the line (DRIFTED, STALE, ...); empty when all is well."""

    word: str = ""
    text: str = ""
    hard: bool = False
    approvable: bool = False
    confirm: tuple[str, ...] = ()
    """Codes a second press confirms."""
    requote: bool = False


def standing(row: SuggestionRow, now_ns: int, guards: Guards) -> Standing:
    """Judge a card as displayed at ``now_ns`` (UTC ns; 0 is unknown)."""
    if row.state not in OPEN_STATES:
        return Standing(word=tr(row.state), text=told(row.reason))
    if now_ns <= 0:
        return Standing(word=tr("STALE"), text=tr("the engine's clock is not known"), hard=True)
    if now_ns >= row.expires_ns:
        return Standing(word=tr("EXPIRED"), text=tr("its time is over"))
    if guards.blocked:
        return Standing(text=tr("Cannot be approved: {why}", why=guards.blocked), hard=True)
    hard = [denial for denial in row.denials if denial.hard]
    if hard:
        words = "; ".join(f"{denial.code} {told(denial.text)}" for denial in hard)
        return Standing(text=tr("Cannot be approved: {why}", why=words), hard=True)
    drifted = _drift_words(row, guards)
    if drifted:
        return Standing(word=tr("DRIFTED"), text=drifted, requote=True)
    if math.isfinite(row.reference_price) and row.drift is None:
        return Standing(word=tr("STALE"), text=tr("no fresh price to compare with"), requote=True)
    if row.state == "DRAFT" or not row.approval_hash:
        return Standing(text=tr("The gate has not checked it yet."))
    soft = tuple(dict.fromkeys(denial.code for denial in row.denials))
    if soft:
        words = "; ".join(f"{denial.code} {told(denial.text)}" for denial in row.denials)
        return Standing(word=tr("WARNS"), text=words, approvable=True, confirm=soft)
    if row.state == "SNOOZED":
        return Standing(word=tr("SNOOZED"), text=told(row.reason), approvable=True)
    if row.state == "CONDITIONAL":
        return Standing(word=tr("WAITS"), text=told(row.reason) or tr("for the price you named"), approvable=True)
    return Standing(approvable=True)


def _drift_words(row: SuggestionRow, guards: Guards) -> str:
    if row.drift is None or not math.isfinite(row.drift):
        return ""
    percent = abs(row.drift) / row.reference_price * 100 if row.reference_price > 0 else math.inf
    in_atr = row.drift_atr if row.drift_atr is not None else 0.0
    if in_atr <= guards.drift_atr and percent <= guards.drift_percent:
        return ""
    moved = tr("price moved {drift}", drift=formats.signed(row.drift))
    if in_atr > guards.drift_atr:
        moved += f", {in_atr:.1f} ATR " + tr("(limit {limit})", limit=f"{guards.drift_atr:g}")
    else:
        moved += f", {percent:.2f} % " + tr("(limit {limit})", limit=f"{guards.drift_percent:g}")
    now = row.reference_price + row.drift
    then, present = _reward_to_risk(row, float(row.entry)), _reward_to_risk(row, now)
    words = tr("Entry {entry}, now {now}", entry=price_text(row.entry), now=price_text(now))
    if then is not None and present is not None:
        words += ": " + tr("reward to risk {then} → {now}", then=f"{then:.1f}", now=f"{present:.1f}")
    return f"{moved}. {words}."


def _reward_to_risk(row: SuggestionRow, price: float) -> float | None:
    sign = 1 if row.side == "BUY" else -1
    risk, reward = sign * (price - float(row.stop)), sign * (float(row.target) - price)
    return reward / risk if risk > 0 else None


def in_points(row: SuggestionRow) -> bool:
    """Say whether the sources are in points of probability, which add up; else they are scores from -1 to +1."""
    return row.probability is not None and any(weight for _, _, weight, _ in row.sources)


def agreement(row: SuggestionRow) -> tuple[int, int]:
    """Return (sources that point the way of the suggestion, sources that said anything)."""
    sign = 1 if row.side == "BUY" or in_points(row) else -1
    said = [value for name, value, _, _ in row.sources if value and name.lower() not in ("null", "none")]
    return sum(value * sign > 0 for value in said), len(said)


def chance_text(row: SuggestionRow) -> tuple[str, str]:
    """Return the probability and its interval: `.57`, `[.52–.61]`; empty where there is no record."""
    if row.probability is None:
        return "", ""
    interval = ""
    if row.probability_low is not None and row.probability_high is not None:
        interval = f"[{_share(row.probability_low)}–{_share(row.probability_high)}]"
    return _share(row.probability), interval


def _share(value: float) -> str:
    text = f"{value:.2f}"
    return text[1:] if text.startswith("0") else text


def record_text(row: SuggestionRow) -> str:
    """Return the record of this bucket with n and hit rate, or that there is none."""
    if not row.record_n:
        return tr("No record of this bucket yet · {state}", state=told(row.evidence_state))
    hit = "" if row.record_hit is None else tr(", hit {hit}", hit=_share(row.record_hit))
    return tr("Record of this bucket: n {n}", n=row.record_n) + hit + f" · {told(row.evidence_state)}"
