"""Changing a working order: only with the link up, only through the gate, durable before it is asked."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.api.commands import Receipt
from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.execution import failpoints
from engine.execution.agreement import Agreement
from engine.execution.broker import Broker
from engine.execution.checks import flaw
from engine.execution.fold import ask_modify, lose_touch
from engine.execution.inbox import Inbox
from engine.execution.pacing import Pacing
from engine.execution.ports import Clearing, OrderJournal
from engine.execution.record import OrderRecord
from engine.execution.records import Records, encode
from engine.model.ids import OrderRef
from engine.model.order import OrderRequest, OrderState, TimeInForce
from engine.model.report import LinkState

_MODIFIABLE = (OrderState.HELD, OrderState.WORKING, OrderState.PARTIAL)
"""HELD too: a stop waits at the broker in this state, and moving it is what modifying is mostly for."""


def changed(
    request: OrderRequest,
    *,
    quantity: Decimal | None = None,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    tif: TimeInForce | None = None,
    good_till_ns: int | None = None,
) -> OrderRequest:
    """The request with the fields that are given."""
    wanted = {
        "quantity": quantity,
        "limit_price": limit_price,
        "stop_price": stop_price,
        "tif": tif,
        "good_till_ns": good_till_ns,
    }
    return msgspec.structs.replace(request, **{name: value for name, value in wanted.items() if value is not None})


class Modifier:
    """Asks the broker for new fields. The desk owns it."""

    def __init__(
        self,
        clock: Clock,
        *,
        broker: Broker,
        journal: OrderJournal,
        records: Records,
        agreement: Agreement,
        gate: Clearing,
        pacing: Pacing,
        inbox: Inbox,
        stopped: Callable[[OrderRequest], bool],
        on_trouble: Callable[[JournalError], None],
    ) -> None:
        """``inbox`` holds reports back while a change is handed over; ``stopped``: a STOP forbids this order."""
        self._clock = clock
        self._broker = broker
        self._journal = journal
        self._records = records
        self._agreement = agreement
        self._gate = gate
        self._pacing = pacing
        self._inbox = inbox
        self._stopped = stopped
        self._on_trouble = on_trouble

    def refusal(self, record: OrderRecord, stopped: bool) -> Receipt | None:
        """Say why the order cannot be changed now, None when it can."""
        if record.external:
            return Receipt(ok=False, code="EXTERNAL", text="This order is not ours to change.")
        if not self._broker.capabilities.modify:
            return Receipt(ok=False, code="UNABLE", text="This broker cannot change an order; cancel and place anew.")
        if self._agreement.link is not LinkState.UP or not self._agreement.synced:
            return Receipt(ok=False, code="LINK", text="The broker link is not up; a change could double the order.")
        if record.state not in _MODIFIABLE:
            text = f"Only a working order can be changed; this one is {record.state.value.lower()}."
            return Receipt(ok=False, code="STATE", text=text)
        if stopped:
            return Receipt(ok=False, code="HALTED", text="Trading is stopped; orders can only be cancelled.")
        return None

    def change(
        self, ref: OrderRef, change: Callable[[OrderRequest], OrderRequest], by: str, refresh: bool = False
    ) -> Receipt:
        """Ask for the order as ``change`` makes it. ``refresh``: it moves nothing but the end of the agent's entry."""
        record = self._records.get(ref)
        if record is None:
            return Receipt(ok=False, code="NO_SUCH_ORDER", text=f"There is no order {ref}.")
        refusal = self.refusal(record, self._stopped(record.request))
        if refusal is not None:
            return refusal
        request = change(record.effective)
        if reason := flaw(request):
            return Receipt(ok=False, code="NUMBER", text=reason)
        try:
            with self._inbox.held():
                return self.ask(record, request, by, refresh)
        finally:
            self._inbox.drain()

    def ask(self, record: OrderRecord, request: OrderRequest, by: str, refresh: bool = False) -> Receipt:
        """Judge, record and ask."""
        if request == record.effective:
            return Receipt(ok=True, code="SAME", text="The order has these fields already.")
        verdict = self._gate.clear_change(record.ref, request, refresh)
        if not verdict.cleared:
            first = verdict.denials[0]
            return Receipt(ok=False, code=first.code, text=first.text, denials=verdict.denials)
        now = self._clock.now()
        if not self._pacing.take(1, now):
            self._gate.release(record.ref)
            return Receipt(ok=False, code="PACING", text="Too many messages in one second; try again.")
        outcome = ask_modify(record, verdict.request, now)
        try:
            entry = (record.ref, "MODIFYING", now, encode(verdict.request))
            self._journal.commit([entry], [(outcome.record.status(), encode(outcome.record))])
        except JournalError as error:
            self._gate.release(record.ref)
            self._on_trouble(error)
            return Receipt(ok=False, code="JOURNAL", text="The change could not be recorded, so it was not sent.")
        after = self._records.apply(outcome, "modify asked", by)
        failpoints.reach("modify durable")
        try:
            self._broker.modify(record.ref, verdict.request)
        except Exception as error:  # noqa: BLE001  whatever it was, the change may have left
            reason = f"the link failed while changing: {error}"
            self._records.apply(lose_touch(after, now, reason), "modify failed", b"")
            return Receipt(ok=False, code="UNKNOWN", text="The link failed while changing; the order is looked up.")
        failpoints.reach("modify sent")
        return Receipt(ok=True, code="ASKED", text="The change is asked for.", data={"ref": record.ref})
