"""Our orders in Alpaca's words. Pure; what it cannot say is refused with a sentence before anything is sent."""

from decimal import Decimal
from typing import Any

from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.model.ids import OrderRef
from engine.model.order import ClearedOrder, OrderRequest, OrderType, Origin, TimeInForce

TYPES: dict[OrderType, str] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
    OrderType.TRAIL: "trailing_stop",
    OrderType.MARKET_ON_CLOSE: "market",
    OrderType.LIMIT_ON_CLOSE: "limit",
    OrderType.MARKET_ON_OPEN: "market",
    OrderType.LIMIT_ON_OPEN: "limit",
}
TIFS: dict[TimeInForce, str] = {
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.OPG: "opg",
}
_AUCTION: dict[OrderType, str] = {
    OrderType.MARKET_ON_CLOSE: "cls",
    OrderType.LIMIT_ON_CLOSE: "cls",
    OrderType.MARKET_ON_OPEN: "opg",
    OrderType.LIMIT_ON_OPEN: "opg",
}
_ENTRIES = (OrderType.MARKET, OrderType.LIMIT)
_ENTRY_TIFS = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)
"""A good-till time is kept by this program, where the settings allow it."""
NO_GOOD_TILL = (
    "Alpaca has no good-till time, so this order would not end there when it should. Set alpaca.expire_by_program to "
    "true to let this program cancel it in time; while the program does not run, the order then stays at Alpaca."
)


def misfit(order: ClearedOrder, settings: AlpacaSettings) -> str:
    """Say what of an order and its legs Alpaca cannot take; empty when it can take all of it."""
    if reason := _misfit_one(order.request, settings):
        return reason
    if order.request.oca_group and not is_pair(order):
        return "Alpaca cannot add an order to a group of exits; cancel those first"
    if not order.legs:
        return ""
    if order.request.order_type not in _ENTRIES:
        return "Alpaca takes protective orders with market and limit entries only"
    if order.request.tif not in _ENTRY_TIFS:
        return "Alpaca takes protective orders with day and good-till-cancelled entries only"
    if order.request.outside_rth:
        return "Alpaca takes no protective orders outside regular hours"
    if order.request.quantity % 1:
        return "Alpaca takes protective orders with whole units only"
    kinds = sorted(leg.request.order_type.value for leg in order.legs)
    if kinds not in (["LMT"], ["STP"], ["STP LMT"], ["LMT", "STP"], ["LMT", "STP LMT"]):
        return f"Alpaca cannot protect an order with {' and '.join(kinds)}"
    if any(leg.request.quantity != order.request.quantity for leg in order.legs):
        return "Alpaca protects the whole of an order or none of it"
    return ""


def is_pair(order: ClearedOrder) -> bool:
    """Whether it is a target with its stop, of which one ends the other, and not an entry with its exits."""
    request, stops = order.request, [leg.request for leg in order.legs]
    return (
        request.order_type is OrderType.LIMIT
        and request.reduce_only
        and [stop.order_type in (OrderType.STOP, OrderType.STOP_LIMIT) for stop in stops] == [True]
        and stops[0].side is request.side
        and stops[0].oca_group == request.oca_group
    )


def _misfit_one(request: OrderRequest, settings: AlpacaSettings) -> str:
    kind, tif = request.order_type, request.tif
    if request.algo:
        return f"Alpaca has no algorithm {request.algo}"
    if kind not in TYPES:
        return f"Alpaca has no {kind.value} orders"
    if tif is TimeInForce.GTD and not settings.expire_by_program:
        return NO_GOOD_TILL
    if kind in _AUCTION and tif not in (TimeInForce.DAY, TimeInForce.OPG):
        return f"a {kind.value} order is for the day"
    if request.display_quantity is not None:
        return "Alpaca shows the whole of an order; an iceberg has to be worked from here"
    if request.outside_rth and (kind is not OrderType.LIMIT or tif not in (TimeInForce.DAY, TimeInForce.GTD)):
        return "outside regular hours Alpaca takes limit orders for the day only"
    fractional = request.quantity % 1 != 0
    if fractional and tif is not TimeInForce.DAY:
        return "Alpaca takes parts of a unit for the day only"
    return ""


def tif_of(order: ClearedOrder) -> str:
    """The time in force of an order and all its legs, which Alpaca gives only one.

    A leg that outlives the day makes the whole bracket do so: a position must not lose its stop over night. This
    program cancels an entry that is still open after its end: a day's at the close, others at their good-till time.
    """
    request = order.request
    if request.order_type in _AUCTION:
        return _AUCTION[request.order_type]
    if any(leg.request.tif is not TimeInForce.DAY for leg in order.legs):
        return "gtc"
    return TIFS.get(request.tif, "day")


def body(order: ClearedOrder) -> dict[str, Any]:
    """The body of POST /orders for an order and its legs."""
    made = _fields(order.request) | {
        "client_order_id": order.ref,
        "symbol": order.request.symbol,
        "side": order.request.side.value.lower(),
        "type": TYPES[order.request.order_type],
        "time_in_force": tif_of(order),
    }
    if order.request.outside_rth:
        made["extended_hours"] = True
    if is_pair(order):
        made |= {"order_class": "oco", "take_profit": {"limit_price": made.pop("limit_price")}}
        made |= _leg(order.legs[0].request)
    elif order.legs:
        made["order_class"] = "bracket" if len(order.legs) == 2 else "oto"
        for leg in order.legs:
            made |= _leg(leg.request)
    return made


def _leg(request: OrderRequest) -> dict[str, Any]:
    if request.order_type is OrderType.LIMIT:
        return {"take_profit": {"limit_price": _text(request.limit_price)}}
    prices = {"stop_price": _text(request.stop_price)}
    if request.limit_price is not None:
        prices["limit_price"] = _text(request.limit_price)
    return {"stop_loss": prices}


def change(ref: OrderRef, request: OrderRequest, stamp: str) -> dict[str, Any]:
    """The body of PATCH /orders/{id}: the new order carries the reference, too."""
    made = _fields(request) | {"client_order_id": f"{ref}~{stamp}"}
    if "trail_price" in made or "trail_percent" in made:
        made["trail"] = made.pop("trail_price", None) or made.pop("trail_percent", None)
    if request.origin is not Origin.PROTECTIVE and request.tif in TIFS:
        made["time_in_force"] = TIFS[request.tif]
    return made


def _fields(request: OrderRequest) -> dict[str, Any]:
    named = {
        "qty": request.quantity,
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
        "trail_price": request.trail_amount if request.order_type is OrderType.TRAIL else None,
        "trail_percent": request.trail_percent if request.order_type is OrderType.TRAIL else None,
    }
    if named["trail_price"] is not None:
        named["trail_percent"] = None
    if request.order_type is OrderType.TRAIL:
        named["stop_price"] = None
    return {name: _text(value) for name, value in named.items() if value is not None}


def _text(value: Decimal | None) -> str:
    return format(value.normalize(), "f") if value is not None else ""
