"""Brackets and OCA groups: what the other orders of a family do when one of them fills or ends. Pure on the orders."""

from collections.abc import Callable, Iterable

import msgspec

from engine.model.money import ZERO
from engine.model.report import BrokerStatus
from engine.simulation.paper.orders import Leg, PaperOrder


def after_fill(
    order: PaperOrder, orders: Iterable[PaperOrder], open_now: Callable[[PaperOrder], bool]
) -> list[PaperOrder]:
    """Legs cover what their entry has filled; a filled leg shrinks or ends its sibling. Return what changed."""
    changed: list[PaperOrder] = []
    for other in orders:
        if other is order or not other.open:
            continue
        if order.leg is Leg.ENTRY and other.parent == order.broker_id:
            other.active = True
            other.status = BrokerStatus.WORKING if open_now(other) else BrokerStatus.HELD
            other.request = msgspec.structs.replace(other.request, quantity=order.filled)
            changed.append(other)
        elif order.oca and other.oca == order.oca:
            if order.open:
                left = other.filled + order.remaining
                other.request = msgspec.structs.replace(other.request, quantity=left)
            else:
                other.status, other.text = BrokerStatus.CANCELLED, "the other leg filled"
            changed.append(other)
    return changed


def after_close(order: PaperOrder, orders: Iterable[PaperOrder]) -> list[PaperOrder]:
    """Legs of an entry that never filled have nothing to protect and end with it. Return what ended."""
    if order.leg is not Leg.ENTRY or order.filled != ZERO:
        return []
    ended = [other for other in orders if other.parent == order.broker_id and other.open]
    for other in ended:
        other.status, other.text = BrokerStatus.CANCELLED, "its entry was cancelled"
    return ended
