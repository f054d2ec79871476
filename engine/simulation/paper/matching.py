"""Which fills an order gets from one event of its venue. Decides only; booking is the exchange's."""

import math
from decimal import Decimal

from engine.model.market import Side
from engine.model.order import OrderType
from engine.simulation.paper.orders import PaperOrder
from engine.simulation.paper.venue import Venue

STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT})
MARKETS = frozenset({OrderType.MARKET, OrderType.STOP, OrderType.TRAIL, OrderType.MARKET_ON_OPEN})
AUCTIONS = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE})

Fills = list[tuple[Decimal, Decimal, bool]]
"""(price, quantity, passive)."""


def limit_of(order: PaperOrder, venue: Venue) -> float | None:
    """The price an order will not go beyond; ``None`` for a market order. Pegged orders follow the touch."""
    request = order.request
    if request.order_type in MARKETS:
        return None
    if request.order_type is OrderType.MIDPRICE:
        mid = (venue.bid + venue.ask) / 2
        cap = float(request.limit_price) if request.limit_price is not None else mid
        return min(mid, cap) if request.side is Side.BUY else max(mid, cap)
    if request.order_type is OrderType.RELATIVE:
        touch = venue.bid if request.side is Side.BUY else venue.ask
        cap = float(request.limit_price) if request.limit_price is not None else touch
        return min(touch, cap) if request.side is Side.BUY else max(touch, cap)
    return float(request.limit_price) if request.limit_price is not None else None


def stop_of(order: PaperOrder) -> float:
    """The present trigger: fixed, or trailing its best price."""
    request = order.request
    if request.order_type in (OrderType.TRAIL, OrderType.TRAIL_LIMIT) and order.trail_best is not None:
        if request.trail_amount is not None:
            distance = float(request.trail_amount)
        else:
            distance = order.trail_best * float(request.trail_percent or 0) / 100
        return order.trail_best - distance * request.side.opposite.sign
    return float(request.stop_price) if request.stop_price is not None else math.nan


def triggers(order: PaperOrder, venue: Venue, price: float) -> bool:
    """Say whether ``price`` (a print, or the touch) sets off a stop; also moves a trail along."""
    side = order.request.side
    if order.request.order_type in (OrderType.TRAIL, OrderType.TRAIL_LIMIT):
        best = order.trail_best
        if best is None or (price - best) * side.opposite.sign > 0:
            order.trail_best = price
    stop = stop_of(order)
    return (price - stop) * side.sign >= 0


def on_arrival(order: PaperOrder, venue: Venue) -> Fills:
    """What an order takes the moment it can trade; joins the queue with the rest."""
    limit = limit_of(order, venue)
    fills = [(p, q, False) for p, q in venue.take(order.request.side, order.remaining, limit)]
    taken = sum((q for _, q, _ in fills), Decimal(0))
    if limit is not None and taken < order.remaining:
        order.ahead = 0.0 if taken else venue.queue_ahead(order.request.side, limit)
    return fills


def on_quote(order: PaperOrder, venue: Venue, before: tuple[float, float], traded: float) -> Fills:
    """What a change of the touch does to a resting order. ``before`` is (price, size) of its own side's old touch."""
    side = order.request.side
    limit = limit_of(order, venue)
    if limit is None:
        return [(p, q, False) for p, q in venue.take(side, order.remaining, None)]
    opposite, size = (venue.ask, venue.ask_size) if side is Side.BUY else (venue.bid, venue.bid_size)
    if (limit - opposite) * side.sign >= -1e-9:
        lot = venue.instrument.lot
        amount = min(order.remaining, (Decimal(str(size)) // lot) * lot)
        return [(_own_price(order, limit, venue), amount, True)] if amount > 0 else []
    own, own_size = (venue.bid, venue.bid_size) if side is Side.BUY else (venue.ask, venue.ask_size)
    if abs(own - limit) < venue.tick / 2:
        if abs(before[0] - limit) < venue.tick / 2:
            order.ahead = venue.cancelled_ahead(order.ahead, before[1], own_size, traded)
    elif (limit - own) * side.sign > 0:
        order.ahead = 0.0
    return []


def on_print(order: PaperOrder, venue: Venue, price: float, size: float, aggressor: int) -> Fills:
    """What a print does to a resting limit order."""
    side = order.request.side
    limit = limit_of(order, venue)
    if limit is None:
        return []
    through = (limit - price) * side.sign
    if through > venue.tick / 2:
        return [(_own_price(order, limit, venue), order.remaining, True)]
    if abs(through) <= venue.tick / 2 and aggressor != side.sign:
        order.ahead -= size
        if order.ahead < 0:
            lot = venue.instrument.lot
            amount = min(order.remaining, (Decimal(str(-order.ahead)) // lot) * lot)
            order.ahead = 0.0
            if amount > 0:
                return [(_own_price(order, limit, venue), amount, True)]
    return []


def _own_price(order: PaperOrder, limit: float, venue: Venue) -> Decimal:
    if order.request.limit_price is not None and order.request.order_type not in (
        OrderType.MIDPRICE,
        OrderType.RELATIVE,
    ):
        return order.request.limit_price
    return round(limit / venue.tick) * venue.instrument.tick
