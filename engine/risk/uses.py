"""Rows of the risk panel: how much of each limit is used."""

import math
from collections.abc import Callable, Mapping

from engine.model.decision import LimitUse
from engine.model.ids import Symbol
from engine.model.order import OrderType, Origin
from engine.model.position import Account
from engine.risk.exposure import Exposure, Line
from engine.risk.losses import LossBook
from engine.risk.settings import RiskSettings


def loss_at_stops(lines: Mapping[Symbol, Line], mark: Callable[[Symbol, Line], float]) -> float:
    """Return the money lost from here if every stop were hit; a position without a stop counts in full."""
    total = 0.0
    for symbol, line in lines.items():
        price = mark(symbol, line)
        uncovered, sign = abs(line.quantity), 1.0 if line.quantity > 0 else -1.0
        for status in line.orders:
            request = status.request
            is_stop = request.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
            if is_stop and request.stop_price is not None and request.side.sign == -sign and uncovered > 0:
                covered = min(uncovered, float(status.remaining))
                total += max(0.0, (price - float(request.stop_price)) * sign) * covered * line.multiplier
                uncovered -= covered
            if request.stop_loss is not None and not request.reduce_only:
                entry = float(request.limit_price or request.stop_price or 0) or price
                total += abs(entry - float(request.stop_loss)) * float(status.remaining) * line.multiplier
        for request in line.reserved:
            if request.stop_loss is not None:
                entry = float(request.limit_price or 0) or price
                total += abs(entry - float(request.stop_loss)) * float(request.quantity) * line.multiplier
        total += uncovered * price * line.multiplier
    return total


def limit_uses(
    *,
    settings: RiskSettings,
    account: Account | None,
    exposure: Exposure,
    lines: Mapping[Symbol, Line],
    mark: Callable[[Symbol, Line], float],
    orders_today: Mapping[Origin, int],
    open_orders: int,
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

    biggest = max(exposure.by_symbol.values(), default=0.0)
    sectors = {name: value for name, value in exposure.by_sector.items() if name}
    top = max(sectors, key=lambda name: sectors[name], default="")
    rows = [
        ("STOPS", "Lost if every stop is hit", share(loss_at_stops(lines, mark)), manual.day_loss_halt_percent, "%"),
        ("G1", "Order value, agent", math.nan, auto.order_notional_percent, "%"),
        ("G1", "Order value, by hand", math.nan, manual.order_notional_percent, "%"),
        ("G8", "Messages in a minute", last_minute, manual.messages_per_minute, ""),
        ("G11", "Orders today, agent", orders_today.get(Origin.AUTO, 0), auto.orders_per_day, ""),
        ("G11", "Orders today, by hand", orders_today.get(Origin.MANUAL, 0), manual.orders_per_day, ""),
        ("G11", "Opening orders at work", open_orders, manual.open_orders, ""),
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
        LimitUse(code=code, title=title, used=float(used), limit=float(limit), unit=unit)
        for code, title, used, limit, unit in rows
    )


def _margin(account: Account | None) -> float:
    if account is None or account.available_funds is None or account.initial_margin is None:
        return math.nan
    whole = float(account.available_funds + account.initial_margin)
    return float(account.initial_margin) / whole * 100.0 if whole > 0 else math.nan
