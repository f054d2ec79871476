"""Rows of the risk panel: how much of each limit is used."""

import math
from collections.abc import Mapping

from engine.model.decision import LimitUse
from engine.model.order import Origin
from engine.model.position import Account
from engine.risk.exposure import Exposure
from engine.risk.losses import LossBook
from engine.risk.settings import RiskSettings


def limit_uses(
    *,
    settings: RiskSettings,
    account: Account | None,
    exposure: Exposure,
    orders_today: Mapping[Origin, int],
    last_minute: int,
    losses: LossBook,
    live: bool,
) -> tuple[LimitUse, ...]:
    """Return every limit with what is used of it; percentages of equity."""
    known = account is not None and account.equity is not None
    equity = float(account.equity) if account is not None and account.equity is not None else math.nan
    manual, auto = settings.manual, settings.auto

    def share(money: float) -> float:
        return money / equity * 100.0 if known and equity > 0 else math.nan

    biggest = max((line.value for line in exposure.lines.values()), default=0.0)
    sectors = {name: value for name, value in exposure.by_sector.items() if name}
    top = max(sectors, key=lambda name: sectors[name], default="")
    rows = [
        ("STOPS", "Lost if every stop is hit", share(exposure.at_stops), manual.day_loss_halt_percent, "%"),
        ("G1", "Order value, agent", math.nan, auto.order_notional_percent, "%"),
        ("G1", "Order value, by hand", math.nan, manual.order_notional_percent, "%"),
        ("G8", "Messages in a minute", last_minute, manual.messages_per_minute, ""),
        ("G11", "Orders today, agent", orders_today.get(Origin.AUTO, 0), auto.orders_per_day, ""),
        ("G11", "Orders today, by hand", orders_today.get(Origin.MANUAL, 0), manual.orders_per_day, ""),
        ("G11", "Opening orders at work", exposure.openings, manual.open_orders, ""),
        ("G12", "Largest position", share(biggest), manual.position_percent, "%"),
        ("G13", "Gross exposure", share(exposure.gross), manual.gross_percent, "%"),
        ("G13", "Net exposure", share(exposure.net), manual.net_percent, "%"),
        ("G13", "Positions", exposure.symbols, manual.positions, ""),
        ("G14", f"Sector {top}".strip(), share(sectors.get(top, 0.0)), manual.sector_percent, "%"),
        ("G14", "Unknown sector", share(exposure.by_sector.get("", 0.0)), manual.unknown_sector_percent, "%"),
        ("G15", "Margin bound", _margin(account), manual.funds_percent, "%"),
        ("G16", "Risk per trade, agent", math.nan, auto.risk_percent, "%"),
        ("G17", "Loss today", losses.day_loss_percent(account), manual.day_loss_halt_percent, "%"),
        ("G18", "Drawdown", losses.drawdown_percent(equity) if known else math.nan, manual.drawdown_halt_percent, "%"),
        (
            "G18",
            "Loss this week",
            losses.week_loss_percent(equity) if known else math.nan,
            auto.week_loss_demote_percent,
            "%",
        ),
        ("G19", "Losers in a row", losses.streak, auto.losing_streak, ""),
    ]
    if live:
        rows += [
            ("G1", "Order value, agent, money", math.nan, auto.order_notional_cap, "money"),
            ("G1", "Order value, by hand, money", math.nan, manual.order_notional_cap, "money"),
            ("G2", "Quantity, agent", math.nan, auto.order_units_cap, ""),
            ("G2", "Quantity, by hand", math.nan, manual.order_units_cap, ""),
        ]
    return tuple(
        LimitUse(code=code, title=title, used=float(used), limit=float(limit), unit=unit, key=_key(code, title))
        for code, title, used, limit, unit in rows
    )


_KEYS = {
    "Lost if every stop is hit": "manual.day_loss_halt_percent",
    "Order value, agent": "auto.order_notional_percent",
    "Order value, by hand": "manual.order_notional_percent",
    "Messages in a minute": "manual.messages_per_minute",
    "Orders today, agent": "auto.orders_per_day",
    "Orders today, by hand": "manual.orders_per_day",
    "Opening orders at work": "manual.open_orders",
    "Largest position": "manual.position_percent",
    "Gross exposure": "manual.gross_percent",
    "Net exposure": "manual.net_percent",
    "Positions": "manual.positions",
    "Unknown sector": "manual.unknown_sector_percent",
    "Margin bound": "manual.funds_percent",
    "Risk per trade, agent": "auto.risk_percent",
    "Loss today": "manual.day_loss_halt_percent",
    "Drawdown": "manual.drawdown_halt_percent",
    "Loss this week": "auto.week_loss_demote_percent",
    "Losers in a row": "auto.losing_streak",
    "Order value, agent, money": "auto.order_notional_cap",
    "Order value, by hand, money": "manual.order_notional_cap",
    "Quantity, agent": "auto.order_units_cap",
    "Quantity, by hand": "manual.order_units_cap",
}


def _key(code: str, title: str) -> str:
    return _KEYS.get(title, "manual.sector_percent" if code == "G14" else "")


def _margin(account: Account | None) -> float:
    if account is None or account.available_funds is None or account.initial_margin is None:
        return math.nan
    whole = float(account.available_funds + account.initial_margin)
    return float(account.initial_margin) / whole * 100.0 if whole > 0 else math.nan
