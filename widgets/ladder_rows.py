"""What the depth ladder shows: sizes, own orders and the staged one by price level. Pure values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from engine.api.frames import DepthBlock
from engine.api.rows import OrderRow
from engine.model.money import exact


@dataclass(frozen=True, slots=True)
class Own:
    """An own order at a price."""

    ref: str
    side: str
    price: Decimal
    quantity: Decimal
    kind: str
    """working, unknown or staged."""
    leg: str = ""


@dataclass(slots=True)
class Level:
    """One row of the ladder."""

    price: Decimal
    bid: float = 0.0
    ask: float = 0.0
    buys: list[Own] = field(default_factory=list)
    sells: list[Own] = field(default_factory=list)


def at_step(price: Decimal, step: Decimal, side: str) -> Decimal:
    """Return the level that holds a price: bids fall to the level below, asks rise to the one above."""
    rounding = ROUND_FLOOR if side == "BUY" else ROUND_CEILING
    return (price / step).to_integral_value(rounding=rounding) * step


def nearest(price: Decimal, step: Decimal) -> Decimal:
    """Return the level nearest to a price."""
    return (price / step).to_integral_value(rounding=ROUND_HALF_EVEN) * step


def sizes(depth: DepthBlock | None, step: Decimal) -> tuple[dict[Decimal, float], dict[Decimal, float]]:
    """Return sizes by level: (bids, asks)."""
    bids: dict[Decimal, float] = {}
    asks: dict[Decimal, float] = {}
    if depth is not None:
        for side, prices, amounts, table in (
            ("BUY", depth.bid_prices, depth.bid_sizes, bids),
            ("SELL", depth.ask_prices, depth.ask_sizes, asks),
        ):
            for price, amount in zip(prices, amounts, strict=False):
                if price == price and amount > 0:  # NaN is no level
                    level = at_step(exact(float(price)), step, side)
                    table[level] = table.get(level, 0.0) + amount
    return bids, asks


def own_orders(rows: Iterable[OrderRow], symbol: str) -> list[Own]:
    """Return the own orders of a symbol that work or may work, each at the price it would trade at."""
    found = []
    for row in rows:
        unsure = row.state == "UNKNOWN" or row.state.startswith("CLAIM")
        price = row.limit_price if row.limit_price is not None else row.stop_price
        if row.symbol == symbol and price is not None and (row.working or unsure):
            kind = "unknown" if unsure else "working"
            found.append(Own(row.key, row.side, price, row.quantity - row.filled, kind, row.leg))
    return found


def build(
    centre: Decimal, count: int, step: Decimal, depth: DepthBlock | None, orders: Iterable[Own]
) -> tuple[list[Level], list[Own], list[Own]]:
    """Return (levels top down, orders above them, orders below them) around a centre."""
    top = centre + step * (count // 2)
    bids, asks = sizes(depth, step)
    levels = [Level(top - step * number) for number in range(count)]
    by_price = {level.price: level for level in levels}
    for price, level in by_price.items():
        level.bid, level.ask = bids.get(price, 0.0), asks.get(price, 0.0)
    above, below = [], []
    for order in orders:
        price = nearest(order.price, step)
        level = by_price.get(price)
        if level is not None:
            (level.buys if order.side == "BUY" else level.sells).append(order)
        elif price > top:
            above.append(order)
        else:
            below.append(order)
    above.sort(key=lambda order: order.price)
    below.sort(key=lambda order: -order.price)
    return levels, above, below
