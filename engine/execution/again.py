"""Sending exits anew: a stop with its target, of which one ends the other; the stop alone where a pair is not taken."""

from decimal import Decimal
from typing import Protocol

import msgspec

from engine.execution.ports import Clearing
from engine.model.ids import IntentId, OrderRef
from engine.model.order import ClearedOrder, OrderRequest, OrderState, OrderStatus, Origin, TimeInForce


class Desk(Protocol):
    """What is used of the order desk."""

    def submit(self, cleared: ClearedOrder) -> OrderStatus: ...


class Again:
    """Through the gate like every order."""

    def __init__(self, desk: Desk, gate: Clearing, *, pairs_in_one: bool) -> None:
        """``pairs_in_one``: the broker takes a target and its stop as one message alone."""
        self._desk, self._gate, self._pairs_in_one = desk, gate, pairs_in_one

    def place(
        self,
        stop: OrderRequest,
        target: OrderRequest | None,
        quantity: Decimal,
        *,
        parent: OrderRef | None,
        name: str,
        number: int,
    ) -> tuple[str, Decimal | None]:
        """Send ``stop`` for ``quantity``, and ``target`` beside it; ``name`` and ``number`` make their group.

        Return why the stop could not be sent, or nothing and the price of the target that went with it.
        """
        group = f"{name}-x{number}" if target is not None else ""

        def again(leg: OrderRequest, group: str) -> OrderRequest:
            return msgspec.structs.replace(
                leg,
                intent_id=IntentId(f"{leg.intent_id}-again-{number}"),
                quantity=quantity,
                tif=TimeInForce.GTC,
                good_till_ns=None,
                oca_group=group,
                origin=Origin.PROTECTIVE,
                reduce_only=True,
                parent_ref=parent,
            )

        first = self._gate.clear(again(target, group))[1] if target is not None and self._pairs_in_one else None
        verdict, cleared = self._gate.clear(again(stop, group if first is not None or not self._pairs_in_one else ""))
        if cleared is None:
            if first is not None:
                self._gate.release(first.ref)
            return (verdict.denials[0].text if verdict.denials else "the gate refused"), None
        if first is not None and target is not None:
            status = self._desk.submit(msgspec.structs.replace(first, legs=(cleared,)))
            return unsent(status), target.limit_price
        if reason := unsent(self._desk.submit(cleared)):
            return reason, None
        if target is None or self._pairs_in_one:
            return "", None
        second = self._gate.clear(again(target, group))[1]
        sent = second is not None and not unsent(self._desk.submit(second))
        return "", target.limit_price if sent else None


def unsent(status: OrderStatus) -> str:
    """Why an order never left; empty when it did."""
    return status.reason if status.state is OrderState.NEVER_SENT else ""
