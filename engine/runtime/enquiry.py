"""Commands that open something wait for the broker's what-if before they are carried out; everything else does not."""

import asyncio
from collections import deque

from engine.api import commands as c
from engine.api.commands import AnyCommand, PreviewOrder, Receipt
from engine.approval.desk import ApprovalDesk
from engine.execution.desk import OrderDesk
from engine.execution.what_ifs import WhatIfBook
from engine.model.decision import PEOPLE
from engine.model.ids import IntentId
from engine.model.order import OrderRequest, OrderType

PATIENCE_S = 2.0
"""A person waits no longer for a preview or an order; the gate then says what it does not know."""
PROGRAMS_S, PROGRAMS_ASK = 60.0, 6
"""Previews of programs ask the broker so often; the messages that it takes are the owner's, and his questions first."""
MEANWHILE = Receipt(ok=False, code="CANCELLED", text="It was cancelled while the broker was asked about it.")
ENOUGH = Receipt(
    ok=False, code="RATE", text="Programs have asked the broker often enough for now; ask again in a minute."
)


class Enquiry:
    """Asks beforehand, so that the gate need not wait."""

    def __init__(self, what_ifs: WhatIfBook, approval: ApprovalDesk, desk: OrderDesk) -> None:
        self._what_ifs, self._approval, self._desk = what_ifs, approval, desk
        self._withdrawn = 0
        self._previews: deque[float] = deque(maxlen=PROGRAMS_ASK)

    async def before(self, command: AnyCommand) -> Receipt | None:
        """Ask what ``command`` needs to know.

        Returns why it must not go on: a cancel overtook it meanwhile, or a program has had the broker asked too often.
        """
        if isinstance(command, c.CancelAll | c.Halt | c.Flatten):
            self._withdrawn += 1
            return None
        if isinstance(command, PreviewOrder) and command.by not in PEOPLE and not self._program_may_ask():
            # Where an answer is required the gate itself would ask for it.
            return ENOUGH if self._what_ifs.required and not command.request.reduce_only else None
        request = self._opening(command)
        if request is None:
            return None
        withdrawn = self._withdrawn
        asking = asyncio.ensure_future(self._what_ifs.ask(request, exact=isinstance(command, PreviewOrder)))
        try:
            await asyncio.wait({asking}, timeout=PATIENCE_S)
        finally:
            asking.cancel()
        if withdrawn != self._withdrawn and not isinstance(command, PreviewOrder):
            return MEANWHILE
        return None

    def _opening(self, command: AnyCommand) -> OrderRequest | None:
        if isinstance(command, c.PreviewOrder):
            return command.request
        if not self._what_ifs.required:
            return None
        match command:
            case c.PlaceOrder():
                return None if command.request.reduce_only else command.request
            case c.Approve():
                return self._suggested(command)
            case c.ModifyOrder():
                return self._changed(command)
        return None

    def _program_may_ask(self) -> bool:
        now, asked = asyncio.get_running_loop().time(), self._previews
        if len(asked) == PROGRAMS_ASK and now - asked[0] < PROGRAMS_S:
            return False
        asked.append(now)
        return True

    def _suggested(self, command: c.Approve) -> OrderRequest | None:
        suggestion = self._approval.suggestion(command.suggestion_id)
        if suggestion is None or suggestion.reduces:
            return None
        return OrderRequest(
            intent_id=IntentId(""),
            symbol=suggestion.symbol,
            side=suggestion.side,
            quantity=suggestion.quantity,
            order_type=OrderType.LIMIT,
            limit_price=suggestion.entry,
        )

    def _changed(self, command: c.ModifyOrder) -> OrderRequest | None:
        status = self._desk.order(command.ref)
        if status is None or status.request.reduce_only or status.request.parent_ref is not None:
            return None
        return status.request
