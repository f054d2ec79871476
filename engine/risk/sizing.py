"""How large: risk to the stop, a quarter of Kelly where there is evidence of an edge, then every cap (quant.md §6)."""

import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from engine.model.market import Side
from engine.model.money import ZERO, exact
from engine.risk.settings import RiskSettings

KELLY = 0.25
NAME_CAP_PERCENT = 5.0
RISK_CAP_PERCENT = 0.5
GAP_ALLOWANCE = 1.5
SECTOR_CAP_PERCENT = 25.0
PARTICIPATION_PERCENT = {"day": 1.0, "swing": 2.0, "long": 2.0}
HALVE_AT_DRAWDOWN = 5.0
NONE_AT_DRAWDOWN = 10.0
NO_NEW_RISK_AT_DAY_LOSS = 2.0
REAL_MONEY = {"TRADEABLE": 0.25, "CERTIFIED LIVE": 1.0}
"""Share of the size that real money gets, by state of the evidence; below TRADEABLE none."""


class Sizing(NamedTuple):
    """A quantity and what bounded it."""

    quantity: Decimal
    bound_by: str
    """What decided: stop, kelly, name, order, position, gross, sector, cluster, volume, lot, or why zero."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingInputs:
    """Everything sizing looks at. Money in the account's currency, returns as fractions."""

    side: Side
    entry: float
    stop: float
    equity: float
    lot: Decimal
    multiplier: float
    adv: float
    horizon: str
    live: bool
    evidence_state: str
    edge: float | None
    edge_low: float | None
    volatility: float | None
    drawdown_percent: float
    day_loss_percent: float
    in_symbol: float
    gross: float
    in_sector: float
    sector_known: bool
    in_cluster: float
    clustered: bool
    ramp: float


def size(i: SizingInputs, settings: RiskSettings) -> Sizing:
    """Return the largest quantity that every bound allows, rounded down to the lot."""
    numbers = (i.entry, i.stop, i.equity, i.multiplier, i.drawdown_percent, i.in_symbol, i.gross)
    if not all(math.isfinite(n) for n in numbers) or i.entry <= 0 or i.stop <= 0 or i.equity <= 0:
        return Sizing(ZERO, "VALUES", "A number that sizing needs is missing.")
    distance = (i.entry - i.stop) * i.side.sign
    if distance <= 0:
        return Sizing(ZERO, "VALUES", "The stop is on the wrong side of the entry.")
    if i.live and i.evidence_state not in REAL_MONEY:
        return Sizing(ZERO, "EVIDENCE", f"With evidence state {i.evidence_state} only paper is traded.")
    if i.drawdown_percent >= NONE_AT_DRAWDOWN or i.day_loss_percent >= NO_NEW_RISK_AT_DAY_LOSS:
        return Sizing(ZERO, "GOVERNOR", "The loss of the day or the drawdown allows no new risk.")
    bounds = _bounds(i, settings, distance)
    name, units = min(bounds.items(), key=lambda item: item[1])
    if not math.isfinite(units) or units <= 0:
        return Sizing(ZERO, name, f"No room: {name}.")
    scale = REAL_MONEY[i.evidence_state] if i.live else 1.0
    if i.drawdown_percent >= HALVE_AT_DRAWDOWN:
        scale *= 0.5
    steps = (exact(units * scale * (1 + 1e-12)) / i.lot).to_integral_value(rounding=ROUND_FLOOR)
    quantity = steps * i.lot
    if quantity <= ZERO:
        return Sizing(ZERO, "lot", f"Less than one lot of {i.lot} ({name}).")
    return Sizing(quantity, name, f"{quantity} units, bound by {name}.")


def _bounds(i: SizingInputs, settings: RiskSettings, distance: float) -> dict[str, float]:
    """Return units by bound."""
    limits, unit = settings.auto, i.entry * i.multiplier
    percent = i.equity / 100.0

    def room(most_percent: float, used: float) -> float:
        return max(0.0, most_percent * i.ramp * percent - used) / unit

    risk = min(limits.risk_percent, RISK_CAP_PERCENT) * percent
    order = min(limits.order_notional_percent, limits.order_notional_soft_percent)
    order_money = order * percent * i.ramp
    if i.live:
        order_money = min(order_money, limits.order_notional_cap * i.ramp)
    sector = min(limits.sector_percent, SECTOR_CAP_PERCENT) if i.sector_known else limits.unknown_sector_percent
    bounds = {
        "stop": risk / (GAP_ALLOWANCE * distance * i.multiplier),
        "order": order_money / unit,
        "name": room(NAME_CAP_PERCENT, i.in_symbol),
        "position": room(limits.position_percent, i.in_symbol),
        "gross": room(limits.gross_percent, i.gross),
        "sector": room(sector, i.in_sector),
    }
    if i.live:
        bounds["units"] = limits.order_units_cap * i.ramp
    if i.clustered:
        bounds["cluster"] = room(limits.cluster_percent, i.in_cluster)
    share = min(PARTICIPATION_PERCENT.get(i.horizon, 1.0), limits.order_adv_percent * i.ramp)
    if math.isfinite(i.adv) and i.adv > 0:
        # Volume that is not known bounds nothing here: the gate says so, to a person as a warning, to the agent as no.
        bounds["volume"] = i.adv * share / 100.0
    weight = kelly(i.edge, i.edge_low, i.volatility)
    if weight is not None:
        bounds["kelly"] = weight * i.equity / unit
    return bounds


def kelly(edge: float | None, edge_low: float | None, volatility: float | None) -> float | None:
    """Return a quarter of Kelly's weight on the shrunk edge, w = 0.25 mu / sigma^2; None without evidence.

    Zero when the lower bound of the edge is not above zero, or a number cannot be used.
    """
    if edge is None or volatility is None:
        return None
    if not math.isfinite(edge) or not math.isfinite(volatility) or volatility <= 0:
        return 0.0
    if edge_low is not None and not edge_low > 0:
        return 0.0
    return max(0.0, KELLY * edge / volatility**2)
