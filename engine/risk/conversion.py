"""What the gate changes in an order before judging it: market to marketable limit (G6), tick, life of entries (G36)."""

import math
from decimal import Decimal

import msgspec

from engine.bus.clock import SECOND
from engine.model.decision import Book
from engine.model.instrument import Instrument
from engine.model.market import Quote, Side
from engine.model.money import exact, to_tick
from engine.model.order import OrderRequest, OrderType, TimeInForce

TO_LIMIT = {
    OrderType.MARKET: OrderType.LIMIT,
    OrderType.MARKET_ON_CLOSE: OrderType.LIMIT_ON_CLOSE,
    OrderType.MARKET_ON_OPEN: OrderType.LIMIT_ON_OPEN,
}
KEPT = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG})


def convert(
    request: OrderRequest,
    *,
    quote: Quote | None,
    mid: float,
    instrument: Instrument,
    collar_percent: float,
    closing: bool,
    until: int | None,
) -> OrderRequest:
    """Return the order as it would be sent. What cannot be converted stays as it is, and a rule refuses it.

    ``until``: UTC ns at which an entry of the agent expires at the broker, None for everyone else's orders.
    """
    changes: dict[str, object] = {}
    tick, up = instrument.tick, request.side is Side.SELL
    kind = request.order_type
    if kind in TO_LIMIT:
        price = marketable(request.side, quote, mid, tick, collar_percent, anything=closing)
        if price is not None:
            changes["order_type"] = TO_LIMIT[kind]
            changes["limit_price"] = price
    elif kind is OrderType.STOP and not closing and request.stop_price is not None:
        collar = exact(collar_percent) / 100
        sign = 1 if request.side is Side.BUY else -1
        changes["order_type"] = OrderType.STOP_LIMIT
        changes["limit_price"] = to_tick(request.stop_price * (1 + sign * collar), tick)
    elif request.limit_price is not None and request.limit_price % tick:
        # Off the grid: towards the passive side, a tick at most.
        changes["limit_price"] = to_tick(request.limit_price, tick, up=up)
    for field in ("stop_price", "stop_loss", "take_profit"):
        value: Decimal | None = getattr(request, field)
        if value is not None and value % tick:
            changes[field] = to_tick(value, tick)
    if closing and not request.reduce_only:
        changes["reduce_only"] = True
    mortal = request.origin.unattended and request.tif not in KEPT and not closing
    named = request.good_till_ns if request.tif is TimeInForce.GTD else None
    if until is not None and mortal and (named is None or named > until):
        changes["tif"] = TimeInForce.GTD
        changes["good_till_ns"] = until
    return msgspec.structs.replace(request, **changes) if changes else request


def expiry(request: OrderRequest, book: Book, life_s: float, now: int) -> int:
    """Return when an entry of the agent expires at the broker (G36), UTC ns.

    The short life is for a broker that outlives the engine: it ends what nobody looks after any more. In a replay the
    exchange is a part of the engine, and time passes in steps of the data's bars; there an entry lives as long as its
    strategy gives it.
    """
    until = now + round(life_s * SECOND)
    wanted = request.live_until_ns
    if wanted is None:
        return until
    return max(wanted, now) if book is Book.REPLAY else min(wanted, until)


def marketable(
    side: Side, quote: Quote | None, mid: float, tick: Decimal, collar_percent: float, *, anything: bool
) -> Decimal | None:
    """Return a limit that trades now, at most ``collar_percent`` beyond the far side of the quote.

    ``anything``: an order that closes may be priced from the mid or last where the quote is one-sided.
    """
    far = math.nan
    if quote is not None and quote.two_sided:
        far = quote.ask if side is Side.BUY else quote.bid
    elif anything:
        far = mid
    if not math.isfinite(far) or far <= 0:
        return None
    collar = exact(collar_percent) / 100
    edge = exact(far)
    if side is Side.BUY:
        return max(to_tick(edge * (1 + collar), tick, up=False), to_tick(edge, tick, up=True))
    return max(min(to_tick(edge * (1 - collar), tick, up=True), to_tick(edge, tick, up=False)), tick)
