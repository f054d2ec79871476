"""The protective orders of a bracket."""

from decimal import Decimal

import msgspec

from engine.model.ids import OrderRef
from engine.model.order import OrderRequest, OrderType, Origin, TimeInForce


def exits(request: OrderRequest) -> int:
    """Return how many protective orders a bracket has."""
    return (request.stop_loss is not None) + (request.take_profit is not None)


def legs(request: OrderRequest, parent: OrderRef) -> list[OrderRequest]:
    """Return the protective orders of a bracket: a stop and a target that cancel each other."""
    both = request.stop_loss is not None and request.take_profit is not None
    group = f"{parent}-x" if both else ""
    made: list[OrderRequest] = []

    def leg(kind: OrderType, name: str, **price: Decimal | None) -> OrderRequest:
        return msgspec.structs.replace(
            request,
            intent_id=f"{request.intent_id}-{name}",
            side=request.side.opposite,
            order_type=kind,
            **{"limit_price": None, "stop_price": None, **price},
            stop_loss=None,
            take_profit=None,
            trail_amount=None,
            trail_percent=None,
            tif=TimeInForce.GTC,
            good_till_ns=None,
            display_quantity=None,
            origin=Origin.PROTECTIVE,
            reduce_only=True,
            parent_ref=parent,
            oca_group=group,
            algo="",
            algo_params={},
            confirmed=(),
        )

    if request.stop_loss is not None:
        made.append(leg(OrderType.STOP, "stop", stop_price=request.stop_loss))
    if request.take_profit is not None:
        made.append(leg(OrderType.LIMIT, "target", limit_price=request.take_profit))
    return made
