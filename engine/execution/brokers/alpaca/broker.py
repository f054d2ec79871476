"""Alpaca as a broker: cleared orders out, claims in.

An order is posted once, in a task of its own, and never again: what no answer came for is looked up by our reference,
which Alpaca keeps as the client order id and takes only once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import numpy as np

from engine.bus.clock import Clock
from engine.bus.errors import BrokerError, SettingsError
from engine.execution.brokers.alpaca import reading, wire_order
from engine.execution.brokers.alpaca.expiring import Expiring
from engine.execution.brokers.alpaca.identity import mismatch
from engine.execution.brokers.alpaca.keys import Key, headers
from engine.execution.brokers.alpaca.names import Family, Names, Row
from engine.execution.brokers.alpaca.rest import FOR_CANCELS, Answer, Rest
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.brokers.alpaca.stream import Stream
from engine.execution.brokers.alpaca.survey import Survey
from engine.model.broker import BrokerCapabilities, WhatIf
from engine.model.ids import AccountId, OrderRef
from engine.model.order import ClearedOrder, OrderRequest, OrderStatus, TimeInForce
from engine.model.report import (
    AccountReport,
    AnyReport,
    BrokerSnapshot,
    BrokerStatus,
    ErrorClass,
    ErrorReport,
    LinkReport,
    LinkState,
    StatusReport,
    echo_of,
)

LOOK_UPS = (0.5, 2.0, 5.0)
"""Seconds after a lost answer at which the order is looked up."""
_NOT_SENT = 110
_UNIQUE = "must be unique"
OVER = "its time at the broker is over"


class AlpacaBroker:
    """A :class:`engine.execution.broker.Broker`."""

    name = "alpaca"

    def __init__(
        self,
        clock: Clock,
        settings: AlpacaSettings,
        rng: np.random.Generator,
        *,
        key: Key,
        secret: Key,
        live: bool,
        order: Callable[[OrderRef], OrderStatus | None],
        family: Family,
    ) -> None:
        """``live`` is the profile's word. ``order`` and ``family`` ask the order desk: an order, and the protective
        orders of an entry. Raises ``SettingsError`` when profile, address and account do not agree."""
        if wrong := mismatch(live, settings):
            raise SettingsError(wrong)
        self._clock = clock
        self._settings = settings
        self._live = live
        self._order = order
        self.account_id = AccountId(settings.account)
        self._sink: Callable[[AnyReport], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._placing: dict[OrderRef, tuple[tuple[OrderRef, OrderRequest], ...]] = {}
        self._family = family
        self._rest = Rest(clock, settings, headers(key, secret))
        self._names = Names(self._legs)
        self.identity_fault = ""
        """Why the key's account is not the one this profile means; empty while it is, or before it was asked."""
        self._survey = Survey(clock, self._rest, self._names, settings, self.account_id)
        self._expiring = Expiring(clock, self._rest, self._names, order=order, end=self._end, now=self._end_now)
        self._stream = Stream(
            clock,
            settings,
            rng,
            key=key,
            secret=secret,
            verify=self._verify,
            on_state=self._on_state,
            on_update=self._on_update,
        )

    # --- Broker

    @property
    def link(self) -> LinkState:
        return self._stream.state

    @property
    def link_text(self) -> str:
        """Why the link is as it is, as a sentence."""
        return self._stream.text

    @property
    def capabilities(self) -> BrokerCapabilities:
        tifs = [*wire_order.TIFS, *((TimeInForce.GTD,) if self._settings.expire_by_program else ())]
        return BrokerCapabilities(
            order_types=tuple(wire_order.TYPES),
            tifs=tuple(tifs),
            brackets=True,
            brackets_in_one=True,
            modify=True,
            short=True,
            fractional=True,
            exits_wait=True,
            exits_hold=True,
            no_good_till="" if self._settings.expire_by_program else wire_order.NO_GOOD_TILL,
        )

    def attach(self, sink: Callable[[AnyReport], None]) -> None:
        self._sink = sink

    async def start(self) -> None:
        """Begin to connect; the link says when it has."""
        self._rest.open()
        self._stream.start()

    async def stop(self) -> None:
        """Disconnect; orders stay at the broker. What is being sent is waited for as long as any answer."""
        self._expiring.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.request_timeout_s)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._stream.stop()
        await self._rest.close()

    def place(self, order: ClearedOrder) -> None:
        """Send the order and its legs in one request, once. What Alpaca cannot take is refused before any byte."""
        family = (order, *order.legs)
        reason = wire_order.misfit(order, self._settings)
        if not reason and any(part.account != self.account_id for part in family):
            reason = f"the order is for {order.account}"
        if not reason and self._rest.left() <= FOR_CANCELS // 2:
            reason = "this minute's requests are used up"
        if reason:
            for part in family:
                self._error(part.ref, _NOT_SENT, f"not sent: {reason}", ErrorClass.REJECT)
            return
        self._need_link()
        self._placing[order.ref] = tuple((leg.ref, leg.request) for leg in order.legs)
        self._own(self._post(order), f"place {order.ref}")
        if order.request.tif is TimeInForce.GTD and order.request.good_till_ns is not None:
            self._expiring.watch(order.ref, order.request.good_till_ns)

    def modify(self, ref: OrderRef, request: OrderRequest) -> None:
        """Replace the order by one with new fields; it gets another id at the broker."""
        self._need_link()
        if self._moves_end_alone(ref, request):
            return
        self._recall(ref)
        order_id = self._names.current(ref)
        if not order_id:
            raise BrokerError(f"the broker has not told the id of {ref}")
        self._own(self._patch(ref, order_id, request), f"modify {ref}")

    def _moves_end_alone(self, ref: OrderRef, request: OrderRequest) -> bool:
        """The end is kept here: Alpaca is not asked, and the order keeps its place in the queue."""
        status, until = self._order(ref), request.good_till_ns
        if status is None or request.tif is not TimeInForce.GTD or until is None:
            return False
        if msgspec.structs.replace(status.request, good_till_ns=until) != request:
            return False
        self._expiring.watch(ref, until)
        self._say(echo_of(ref, request, self._clock.now()))
        return True

    def cancel(self, ref: OrderRef) -> None:
        """Ask to cancel, by every id that may still work."""
        self._need_link()
        self._own(self._delete(ref), f"cancel {ref}")

    def manages(self, ref: OrderRef) -> bool:
        """Every order of the account: the key decides, not who placed it."""
        return True

    async def snapshot(self) -> BrokerSnapshot:
        snapshot, rows = await self._survey.take()
        await self._expiring.sweep(rows)
        return snapshot

    def snapshot_now(self) -> BrokerSnapshot | None:
        return None

    async def what_if(self, request: OrderRequest) -> WhatIf | None:
        """Alpaca does not say what an order would cost."""
        return None

    # --- sending

    async def _post(self, order: ClearedOrder) -> None:
        try:
            answer = await self._rest.send("POST", "/orders", json=wire_order.body(order))
        except BrokerError:
            await self._look_up(order.ref)
            return
        if answer.ok and isinstance(answer.body, dict):
            self._tell_row(answer.body)
        elif answer.status == 422 and _UNIQUE in answer.text:
            # It is there already: that is evidence, not a refusal.
            await self._look_up(order.ref)
        elif answer.refused:
            for part in (order, *order.legs):
                self._error(part.ref, answer.code, answer.text, ErrorClass.REJECT)
            self._after_refusal(order.ref, answer)
        else:
            await self._look_up(order.ref)

    async def _look_up(self, ref: OrderRef) -> None:
        """Nobody knows whether the order arrived. Reading cannot do harm; finding nothing proves nothing."""
        for wait_s in LOOK_UPS:
            await self._clock.sleep(wait_s)
            try:
                answer = await self._find(ref)
            except BrokerError:
                continue
            if answer.ok and isinstance(answer.body, dict):
                self._tell_row(answer.body)
                return

    async def _find(self, ref: OrderRef) -> Answer:
        return await self._rest.send("GET", "/orders:by_client_order_id", params={"client_order_id": ref})

    async def _patch(self, ref: OrderRef, order_id: str, request: OrderRequest) -> None:
        self._names.asked[ref] = request.quantity
        stamp = np.base_repr(self._clock.now() // 1_000_000, 36).lower()
        try:
            answer = await self._rest.send("PATCH", f"/orders/{order_id}", json=wire_order.change(ref, request, stamp))
        except BrokerError:
            # The order desk sees no answer and compares.
            return
        if answer.ok and isinstance(answer.body, dict):
            if answer.body.get("status") == "rejected":
                self._error(ref, _NOT_SENT, "the change was rejected", ErrorClass.MODIFY_FAILED)
            else:
                self._tell_row(answer.body)
        elif answer.refused:
            self._error(ref, answer.code, answer.text, ErrorClass.MODIFY_FAILED)
            self._after_refusal(ref, answer)

    def _recall(self, ref: OrderRef) -> None:
        """A leg of an entry that is long over is known by its ids in the journal alone."""
        status = self._order(ref) if not self._names.ids(ref) else None
        for order_id in (*status.perm_ids, status.broker_id) if status is not None else ():
            if order_id:
                self._names.note(ref, order_id)

    async def _delete(self, ref: OrderRef, why: str = "") -> None:
        self._recall(ref)
        ids = self._names.open_ids(ref)
        if not ids:
            try:
                answer = await self._find(ref)
            except BrokerError:
                return
            if answer.ok and isinstance(answer.body, dict):
                self._names.learn(answer.body)
            elif answer.status == 404:
                self._error(ref, 404, "the broker does not know the order", ErrorClass.CANCEL_FAILED)
                return
            ids = self._names.open_ids(ref)
        asked, failed = False, None
        for order_id in ids:
            try:
                answer = await self._rest.send("DELETE", f"/orders/{order_id}")
            except BrokerError:
                continue
            asked = asked or answer.ok
            failed = answer if answer.refused else failed
        if asked:
            self._status(ref, BrokerStatus.PENDING_CANCEL, why)
        elif failed is not None:
            self._error(ref, failed.code, failed.text, ErrorClass.CANCEL_FAILED)
            self._after_refusal(ref, failed)

    def _after_refusal(self, ref: OrderRef, answer: Answer) -> None:
        if answer.status == 429:
            self._error(ref, 429, "too many requests", ErrorClass.PACING)
        elif answer.status == 401:
            self._stream.fail("Alpaca refused the key")

    async def _end(self, ref: OrderRef) -> None:
        """The good-till time or the day of an order is over; the broker knows neither."""
        await self._delete(ref, OVER)

    def _end_now(self, ref: OrderRef) -> None:
        if self._stream.state is LinkState.UP:
            self._own(self._end(ref), f"expire {ref}")

    # --- hearing

    async def _verify(self) -> str:
        row = await self._rest.read("/account")
        if not isinstance(row, dict):
            return "the account cannot be read"
        self.identity_fault = mismatch(self._live, self._settings, str(row.get("account_number")))
        wrong = self.identity_fault or reading.blocked(row)
        if not wrong:
            now = self._clock.now()
            account = reading.account_of(row, self.account_id, now)
            self._say(AccountReport(ts_event=now, ts_seen=now, account=account))
        return wrong

    def _on_state(self, state: LinkState, text: str) -> None:
        now = self._clock.now()
        self._say(LinkReport(ts_event=now, ts_seen=now, state=state, text=text))

    def _on_update(self, data: dict[str, Any]) -> None:
        event, row = str(data.get("event")), data.get("order")
        if not isinstance(row, dict):
            raise BrokerError("an order update without an order")
        ref = self._names.learn(row)
        now = self._clock.now()
        if event in ("fill", "partial_fill"):
            self._say(reading.fill_report(data, row, ref, self._names, self.account_id, now))
        if event == "order_cancel_rejected":
            self._error(ref, 135, "the broker refused to cancel", ErrorClass.CANCEL_FAILED)
        elif event == "order_replace_rejected":
            self._error(ref, 105, "the broker refused the change", ErrorClass.MODIFY_FAILED)
        else:
            self._tell_row(row)

    def _tell_row(self, row: Row) -> None:
        ref = self._names.learn(row)
        now = self._clock.now()
        for part in (row, *(row.get("legs") or ())):
            part_ref = ref if part is row else self._names.ref(str(part.get("id")))
            for report in reading.order_reports(part, part_ref, self._names, now):
                self._say(report)

    def _legs(self, ref: OrderRef) -> tuple[tuple[OrderRef, OrderRequest], ...]:
        return self._placing.get(ref) or tuple(self._family(ref))

    # --- small things

    def _need_link(self) -> None:
        if self._stream.state is not LinkState.UP:
            raise BrokerError(f"Alpaca is not connected: {self._stream.text}")

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"alpaca {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # What it should have told is unknown, so everything is read anew.
            trouble = {"message": "an answer of the broker could not be handled", "exception": error}
            asyncio.get_running_loop().call_exception_handler(trouble)
            self._stream.fail(f"an answer could not be handled: {error}")

    def _status(self, ref: OrderRef, status: BrokerStatus, text: str = "") -> None:
        now = self._clock.now()
        self._say(StatusReport(ts_event=now, ts_seen=now, ref=ref, status=status, text=text))

    def _error(self, ref: OrderRef, code: int, text: str, kind: ErrorClass) -> None:
        now = self._clock.now()
        self._say(ErrorReport(ts_event=now, ts_seen=now, ref=ref, code=code, text=text, error_class=kind))

    def _say(self, report: AnyReport) -> None:
        if self._sink is not None:
            self._sink(report)
