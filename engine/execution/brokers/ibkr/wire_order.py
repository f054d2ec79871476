"""From a request to the order that goes over the wire. Pure; every field that a preset could fill is said."""

from datetime import UTC, datetime
from decimal import Decimal

from ib_async import Order

from engine.bus.clock import SECOND
from engine.execution.brokers.ibkr import native_algos
from engine.execution.brokers.ibkr.contracts import TRADABLE, Listing
from engine.model.ids import AccountId, OrderRef
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderType, TimeInForce

T = OrderType
_LIMITED = frozenset({T.LIMIT, T.STOP_LIMIT, T.LIMIT_ON_CLOSE, T.LIMIT_ON_OPEN})
_STOPPED = frozenset({T.STOP, T.STOP_LIMIT})
_TRAILING = frozenset({T.TRAIL, T.TRAIL_LIMIT})
_AUCTION = {
    T.MARKET_ON_CLOSE: TimeInForce.DAY,
    T.LIMIT_ON_CLOSE: TimeInForce.DAY,
    T.MARKET_ON_OPEN: TimeInForce.OPG,
    T.LIMIT_ON_OPEN: TimeInForce.OPG,
}
_WORD = {T.MARKET_ON_OPEN: "MKT", T.LIMIT_ON_OPEN: "LMT"}


def misfit(request: OrderRequest, listing: Listing | None) -> str:
    """Say why the broker cannot take this request; empty when it can. Found here, nothing of a family is sent."""
    kind = request.order_type
    if kind in _LIMITED and request.limit_price is None:
        return f"a {kind.value} order needs a limit price"
    if kind in _STOPPED and request.stop_price is None:
        return f"a {kind.value} order needs a stop price"
    if kind in _TRAILING and (request.trail_amount is None) is (request.trail_percent is None):
        return f"a {kind.value} order needs a trailing amount or a trailing percentage, not both"
    if kind is T.TRAIL_LIMIT and (request.limit_price is None or request.stop_price is None):
        return "a trailing stop limit order needs its first stop and limit prices"
    if request.tif is TimeInForce.GTD and request.good_till_ns is None:
        return "good till date without a date"
    if kind in _AUCTION and request.tif not in (TimeInForce.DAY, TimeInForce.OPG):
        return f"a {kind.value} order takes part in one auction; its time in force cannot be {request.tif.value}"
    if request.display_quantity is not None and request.display_quantity >= request.quantity:
        return "the displayed quantity must be smaller than the quantity"
    return native_algos.misfit(request) or _misfit_listing(request, listing)


def _misfit_listing(request: OrderRequest, listing: Listing | None) -> str:
    if listing is None:
        return ""
    kind = listing.contract.secType
    if kind not in TRADABLE:
        return f"{request.symbol} is read only: contracts of kind {kind} are not traded here"
    if request.quantity != request.quantity.to_integral_value():
        return f"the broker takes whole units of {request.symbol}, not {request.quantity}"
    for name, price in (("limit", request.limit_price), ("stop", request.stop_price)):
        if price is not None and price % listing.increment(price):
            return f"the {name} price {price} is not on the grid of {listing.increment(price)}"
    return ""


def build(
    request: OrderRequest,
    *,
    ref: OrderRef,
    account: AccountId,
    order_id: int,
    parent_id: int = 0,
    oca_group: str = "",
    transmit: bool = True,
) -> Order:
    """Make the order, always anew: what the broker echoes carries filler values and is never sent back."""
    order = Order(
        orderId=order_id,
        action=request.side.value,
        totalQuantity=_number(request.quantity),
        orderType=_WORD.get(request.order_type, request.order_type.value),
        tif=_AUCTION.get(request.order_type, request.tif).value,
        outsideRth=request.outside_rth,
        account=account,
        orderRef=ref,
        parentId=parent_id,
        transmit=transmit,
    )
    _prices(order, request)
    if request.tif is TimeInForce.GTD and request.good_till_ns is not None:
        moment = datetime.fromtimestamp(request.good_till_ns // SECOND, UTC)
        order.goodTillDate = moment.strftime("%Y%m%d-%H:%M:%S")
    if request.display_quantity is not None:
        order.displaySize = int(request.display_quantity)
    if group := oca_group or request.oca_group:
        # 2: a partial fill shrinks the other exit. Type 1 would cancel it and leave the rest of the position bare.
        order.ocaGroup, order.ocaType = group, 2
    native_algos.apply(order, request)
    return order


def _prices(order: Order, request: OrderRequest) -> None:
    kind, limit, stop = request.order_type, request.limit_price, request.stop_price
    if kind in _TRAILING:
        if request.trail_percent is not None:
            order.trailingPercent = _number(request.trail_percent)
        elif request.trail_amount is not None:
            order.auxPrice = _number(request.trail_amount)
        if stop is not None:
            order.trailStopPrice = _number(stop)
        if kind is T.TRAIL_LIMIT and stop is not None and limit is not None:
            order.lmtPriceOffset = _number(abs(stop - limit))
        return
    if kind in _LIMITED or (kind in (T.RELATIVE, T.MIDPRICE) and limit is not None):
        order.lmtPrice = None if limit is None else _number(limit)
    if kind in _STOPPED and stop is not None:
        order.auxPrice = _number(stop)
    if kind is T.RELATIVE:
        order.auxPrice = _number(request.trail_amount or ZERO)


def _number(value: Decimal) -> float:
    """Exact on the wire: the library writes a decimal as it prints, so it must print without an exponent.

    Its field is declared as a float; a decimal is what it documents for prices.
    """
    plain: object = _Plain(value)
    return plain  # type: ignore[return-value]


class _Plain(Decimal):
    """A decimal that prints without an exponent."""

    def __str__(self) -> str:
        return format(Decimal(self), "f")
