"""From a suggestion to the order it asks for."""

from decimal import Decimal

import msgspec

from engine.model.ids import IntentId
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderType, Origin, TimeInForce
from engine.model.position import Position
from engine.model.suggestion import Suggestion


def order_for(
    suggestion: Suggestion,
    origin: Origin,
    position: Position | None,
    confirmed: tuple[str, ...] = (),
    price: Decimal | None = None,
) -> OrderRequest:
    """Return the order; the intent is the suggestion's own, so a second approval can never be a second order.

    ``price`` replaces the entry (a conditional approval). A suggestion that reduces closes at most what is held.
    """
    order = OrderRequest(
        intent_id=IntentId(f"s-{suggestion.id}"),
        symbol=suggestion.symbol,
        side=suggestion.side,
        quantity=suggestion.quantity,
        order_type=OrderType.LIMIT,
        limit_price=price if price is not None else suggestion.entry,
        live_until_ns=(suggestion.entry_until_ns or None) if origin.unattended else None,
        stop_loss=suggestion.stop,
        take_profit=suggestion.target,
        origin=origin,
        suggestion_id=suggestion.id,
        decision_id=suggestion.decision_id,
        strategy=suggestion.strategy,
        confirmed=confirmed,
    )
    if not suggestion.reduces:
        return order
    held = _closable(suggestion.side, position)
    return msgspec.structs.replace(
        order,
        quantity=min(suggestion.quantity, held) if held > ZERO else suggestion.quantity,
        order_type=OrderType.MARKET,
        limit_price=None,
        live_until_ns=None,
        stop_loss=None,
        take_profit=None,
        tif=TimeInForce.DAY,
        reduce_only=True,
    )


def _closable(side: Side, position: Position | None) -> Decimal:
    if position is None or (position.quantity > 0) == (side is Side.BUY):
        return ZERO
    return abs(position.quantity)


def edited(
    suggestion: Suggestion,
    quantity: Decimal | None,
    entry: Decimal | None,
    stop: Decimal | None,
    target: Decimal | None,
) -> tuple[Suggestion, dict[str, tuple[str, str]]]:
    """Return the suggestion with a person's changes, and the difference field by field."""
    wanted = {"quantity": quantity, "entry": entry, "stop": stop, "target": target}
    changes = {k: v for k, v in wanted.items() if v is not None and v != getattr(suggestion, k)}
    diff = {k: (str(getattr(suggestion, k)), str(v)) for k, v in changes.items()}
    return msgspec.structs.replace(suggestion, **changes), diff
