"""How the gate reads prices, equity and the symbol it judges: pure functions."""

import math

import msgspec

from engine.bus.clock import SECOND
from engine.model.market import Quote, Side
from engine.model.money import finite
from engine.model.order import OrderRequest, OrderStatus
from engine.model.position import Account
from engine.risk.exposure import Line, is_closing

LAST_AGE_NS = 5 * SECOND


def number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None


def equity(account: Account | None) -> float:
    """Return the smaller of equity now and at the start of the session; NaN when unknown."""
    if account is None or account.equity is None or not finite(account.equity):
        return math.nan
    start = account.session_equity
    if start is None:
        return float(account.equity)
    return float(min(account.equity, start)) if finite(start) else math.nan


def mid(quote: Quote | None, now: int, anything: bool) -> tuple[float, float]:
    """Return mid and spread; the last of at most five seconds where there is no two-sided quote (G4).

    ``anything``: an order that closes may be measured against an older last price, too.
    """
    if quote is None:
        return math.nan, math.nan
    if quote.two_sided and quote.ask < 1e300:
        return (quote.bid + quote.ask) * 0.5, quote.ask - quote.bid
    if quote.bid > quote.ask > 0.0 and not anything:
        return math.nan, math.nan
    fresh = now - min(quote.ts_event, quote.ts_seen) <= LAST_AGE_NS
    if (fresh or anything) and 0.0 < quote.last < 1e300:
        return quote.last, math.nan
    return math.nan, math.nan


def price(request: OrderRequest, mid: float) -> float:
    """Return the worst price of a unit."""
    if request.limit_price is not None:
        return float(request.limit_price)
    if request.stop_price is not None:
        return max(float(request.stop_price), mid) if math.isfinite(mid) else float(request.stop_price)
    return mid


def join_group(request: OrderRequest, line: Line, closing: bool) -> OrderRequest:
    """Let an order that closes the whole position join the OCA group of its stops and targets: one ends the other."""
    if not closing or request.oca_group or float(request.quantity) != abs(line.quantity):
        return request
    groups = {o.request.oca_group for o in line.orders if o.request.side is request.side}
    if len(groups) != 1:
        return request
    (group,) = groups
    return msgspec.structs.replace(request, oca_group=group) if group else request


def without(line: Line, status: OrderStatus) -> Line:
    """Return the symbol as if ``status`` were not there: what a change replaces."""
    rest = Line(line.symbol)
    rest.quantity, rest.average, rest.multiplier, rest.sector = (
        line.quantity,
        line.average,
        line.multiplier,
        line.sector,
    )
    rest.buys, rest.sells, rest.reserved, rest.left = line.buys, line.sells, line.reserved, line.left
    rest.orders = [o for o in line.orders if o.ref != status.ref]
    if not is_closing(status.request):
        if status.request.side is Side.BUY:
            rest.buys -= float(status.remaining)
        else:
            rest.sells -= float(status.remaining)
    return rest
