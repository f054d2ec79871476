"""The order desk: sends each cleared order at most once, and knows where every order stands.

The order path is synchronous from here to the broker: INTENT durable, checks, SENDING durable, ``broker.place`` once.
Nothing in it waits, and nothing in it is ever repeated by itself.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.api.commands import Receipt
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError
from engine.execution import failpoints
from engine.execution.agreement import Agreement
from engine.execution.broker import Broker
from engine.execution.checks import malformed, not_now
from engine.execution.consequences import Consequences
from engine.execution.deadlines import Deadlines
from engine.execution.fold import Outcome, ask_cancel, establish, hear, lose_touch, split_exec_id
from engine.execution.inbox import Inbox
from engine.execution.modifier import Modifier, changed
from engine.execution.pacing import Pacing
from engine.execution.ports import Booking, Clearing, Market, Modes, OrderJournal
from engine.execution.reconcile import Plan
from engine.execution.record import OrderRecord, from_cleared
from engine.execution.records import Records, decode_record, encode
from engine.execution.refs import References
from engine.execution.settings import ExecutionSettings
from engine.execution.voice import Voice
from engine.model.decision import Mode
from engine.model.events.decision import TradingHalted, TradingResumed
from engine.model.events.order import OrderInitialized, OrderNeverSent, OrderSubmitted
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.order import ClearedOrder, OrderRequest, OrderState, OrderStatus, Origin, TimeInForce, is_protective
from engine.model.report import (
    AccountReport,
    AnyReport,
    BrokerSnapshot,
    CommissionReport,
    ErrorReport,
    ExecutionReport,
    LinkReport,
    LinkState,
    NoticeReport,
)

S = OrderState


class OrderDesk:
    """Owner of all orders. Deciders call it; the broker reports to :meth:`on_report`."""

    name = "order desk"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        broker: Broker,
        journal: OrderJournal,
        references: References,
        booking: Booking,
        modes: Modes,
        gate: Clearing,
        market: Market,
        settings: ExecutionSettings,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._broker = broker
        self._journal = journal
        self._references = references
        self._booking = booking
        self._modes = modes
        self._gate = gate
        self._market = market
        self._settings = settings
        self._voice = Voice(bus, clock)
        self._records = Records(bus, clock, journal, booking, self._on_change, self._on_journal_trouble)
        self._deadlines = Deadlines(clock, settings, self._on_due)
        self._pacing = Pacing(settings.sends_per_s)
        self._agreement = Agreement(
            bus,
            clock,
            broker=broker,
            journal=journal,
            records=self._records,
            references=references,
            booking=booking,
            modes=modes,
            market=market,
            settings=settings,
            voice=self._voice,
            on_synced=self._on_synced,
            on_round=self._on_round,
        )
        self.adoption = self._agreement.adoption
        self._inbox = Inbox(self._take)
        self._modifier = Modifier(
            clock,
            inbox=self._inbox,
            stopped=self._stopped,
            broker=broker,
            journal=journal,
            records=self._records,
            agreement=self._agreement,
            gate=gate,
            pacing=self._pacing,
            on_trouble=self._on_journal_trouble,
        )
        self._consequences = Consequences(
            clock,
            records=self._records,
            agreement=self._agreement,
            deadlines=self._deadlines,
            pacing=self._pacing,
            gate=gate,
            modes=modes,
            voice=self._voice,
            on_halt=self._stop_sending,
            on_frozen=self._cancel_frozen,
        )
        self._unsent_cancels: set[OrderRef] = set()
        self._orphans: dict[str, CommissionReport] = {}
        self.halted = False
        """In-memory halt: set before anything durable, honoured by every send (invariant I12)."""

    # --- life

    async def start(self) -> None:
        """Recover what the journal knows and listen to the broker. There is no other start."""
        self.recover()
        self._broker.attach(self.on_report)
        self._bus.subscribe(TradingHalted, self._on_halted, owner=self.name, role=Role.DECIDER)
        self._bus.subscribe(TradingResumed, self._on_resumed, owner=self.name, role=Role.DECIDER)
        self._agreement.start()

    async def stop(self) -> None:
        """Stop asking; orders stay at the broker."""
        self._deadlines.stop()
        await self._agreement.stop()

    def recover(self) -> None:
        """Read the journal: intents were never sent, everything that may be at the broker is UNKNOWN."""
        now = self._clock.now()
        self.halted = self._modes.mode.level <= Mode.HALTED.level
        for record in self._records.load():
            if record.state is S.INTENT:
                outcome = establish(record, S.NEVER_SENT, now, "the program ended before it was sent")
                self._records.apply(outcome, "restart", b"")
                self._gate.release(record.ref)
            elif not record.state.closed:
                self._records.apply(lose_touch(record, now, "the program was restarted"), "restart", b"")
                self._watch(self._records.by_ref[record.ref])

    # --- what others read

    @property
    def link(self) -> LinkState:
        return self._agreement.link

    @property
    def synced(self) -> bool:
        """A complete agreement with the broker since the link came up."""
        return self._agreement.synced

    @property
    def reconciled_ns(self) -> int:
        """When orders and positions were last compared completely, UTC ns; 0 never."""
        return self._agreement.reconciled_ns

    def orders(self) -> Mapping[OrderRef, OrderStatus]:
        """All orders since the last settlement, by reference; a live, read-only view."""
        return self._records.statuses

    def open_orders(self) -> tuple[OrderStatus, ...]:
        """Orders that count as exposure."""
        return self._records.open()

    def order(self, ref: OrderRef) -> OrderStatus | None:
        """One order, also a settled one; None when there never was one."""
        found = self._records.statuses.get(ref)
        if found is None and (stored := self._journal.load_order(ref)) is not None:
            return decode_record(stored).status()
        return found

    def reserve_ref(self, origin: Origin, account: AccountId) -> OrderRef:
        """A reference that was never used. Raises ``JournalError``."""
        return self._references.reserve(origin, account, self._clock.now())

    def cancel_asked(self, ref: OrderRef) -> bool:
        """Whether somebody here ever asked to cancel it; the broker ends others."""
        record = self._records.get(ref)
        return record is not None and record.cancel_tries > 0

    def drifting(self, symbol: Symbol) -> bool:
        return symbol in self._agreement.drifting

    # --- sending

    def submit(self, cleared: ClearedOrder) -> OrderStatus:
        """Send a cleared order and its legs, at most once ever. A repeat answers with where the first one stands."""
        known = self._records.statuses.get(cleared.ref)
        if known is not None:
            return known
        now = self._clock.now()
        records = from_cleared(cleared, now)
        if reason := malformed(cleared, self._broker.account_id):
            return self._refuse(records, reason)
        failpoints.reach("before intent")
        try:
            self._mark(records, "INTENT")
        except JournalError as error:
            self._on_journal_trouble(error)
            return self._refuse(records, f"JOURNAL: the order could not be recorded, so it was not sent ({error})")
        failpoints.reach("intent durable")
        for record in records:
            self._records.keep(record)
            self._voice.tell(OrderInitialized, record)
        reason = "HALTED: trading is stopped" if self._stopped(cleared.request) else ""
        reason = reason or not_now(
            cleared, self._modes.mode, self._agreement.link, self.synced, self._market, self._settings, now
        )
        if not reason and not self._may_pace(cleared, now):
            reason = "PACING: too many orders in one second"
        if reason:
            return self._never_sent(records, reason)
        sending = tuple(establish(record, S.SENDING, now).record for record in records)
        try:
            self._mark(sending, "SENDING")
        except JournalError as error:
            self._on_journal_trouble(error)
            return self._never_sent(records, f"JOURNAL: sending could not be recorded, so it was not sent ({error})")
        for record in sending:
            self._records.keep(record)
        failpoints.reach("sending durable")
        return self._hand_over(cleared, sending)

    def _hand_over(self, cleared: ClearedOrder, sending: tuple[OrderRecord, ...]) -> OrderStatus:
        trouble = ""
        try:
            with self._inbox.held():
                self._broker.place(cleared)
        except Exception as error:  # noqa: BLE001  whatever it was, the order may have left
            trouble = f"the broker link failed while sending: {error}"
        failpoints.reach("placed")
        now = self._clock.now()
        for record in sending:
            self._records.apply(establish(record, S.SENT, now), "SENT", b"")
            self._voice.tell(OrderSubmitted, self._records.by_ref[record.ref])
            if trouble:
                self._records.apply(lose_touch(self._records.by_ref[record.ref], now, trouble), "place failed", b"")
            self._watch(self._records.by_ref[record.ref])
        if trouble:
            self._voice.alarm("PLACE_FAILED", "red", f"{cleared.request.symbol}: {trouble}.", "It is not sent again.")
        self._inbox.drain()
        return self._records.statuses[cleared.ref]

    def _mark(self, records: tuple[OrderRecord, ...], kind: str) -> None:
        now = self._clock.now()
        blobs = [(record, encode(record)) for record in records]
        self._journal.commit(
            [(record.ref, kind, now, blob) for record, blob in blobs],
            [(record.status(), blob) for record, blob in blobs],
        )

    def _refuse(self, records: tuple[OrderRecord, ...], reason: str) -> OrderStatus:
        """Nothing of it is durable, so nothing of it is kept but the answer."""
        now = self._clock.now()
        refused = [establish(record, S.NEVER_SENT, now, reason).record for record in records]
        for record in refused:
            self._records.keep(record)
            self._gate.release(record.ref)
            self._voice.tell(OrderNeverSent, record, reason=reason)
        return self._records.statuses[refused[0].ref]

    def _never_sent(self, records: tuple[OrderRecord, ...], reason: str) -> OrderStatus:
        now = self._clock.now()
        for record in records:
            self._records.apply(establish(record, S.NEVER_SENT, now, reason), "NEVER_SENT", b"")
        return self._records.statuses[records[0].ref]

    def _stopped(self, request: OrderRequest) -> bool:
        return self.halted and request.origin is not Origin.FLATTEN

    def _may_pace(self, cleared: ClearedOrder, now: int) -> bool:
        closing = cleared.request.origin in (Origin.PROTECTIVE, Origin.FLATTEN)
        return closing or self._pacing.take(1 + len(cleared.legs), now)

    # --- changing

    def cancel(self, ref: OrderRef, by: str) -> Receipt:
        """Ask the broker to cancel. Never gated, never paced; also for orders that are UNKNOWN."""
        record = self._records.get(ref)
        if record is None:
            return Receipt(ok=False, code="NO_SUCH_ORDER", text=f"There is no order {ref}.")
        if record.state.closed:
            return Receipt(ok=False, code="CLOSED", text=f"{ref} is already {record.state.value.lower()}.")
        waited_ns = self._clock.now() - record.cancel_asked_ns
        if waited_ns < self._settings.cancel_s * SECOND and ref not in self._unsent_cancels:
            return Receipt(ok=True, code="ASKED", text="The cancel is asked for; it can still fill.")
        return self._ask_cancel(record, by)

    def _ask_cancel(self, record: OrderRecord, by: str) -> Receipt:
        record = self._records.apply(ask_cancel(record, self._clock.now()), "cancel asked", by)
        self._watch(record, again=True)
        failpoints.reach("cancel noted")
        try:
            with self._inbox.held():
                self._broker.cancel(record.ref)
        except Exception as error:  # noqa: BLE001  one cancel that fails never stops the others
            self._unsent_cancels.add(record.ref)
            return Receipt(ok=False, code="LINK", text=f"The broker cannot be reached; the cancel is kept: {error}.")
        else:
            self._unsent_cancels.discard(record.ref)
        finally:
            self._inbox.drain()
        failpoints.reach("cancel sent")
        return Receipt(ok=True, code="ASKED", text="The cancel is asked for; it can still fill.")

    def cancel_all(self, symbol: Symbol | None = None, protective: bool = False, by: str = "") -> tuple[OrderRef, ...]:
        """Cancel every own open order, or those of a symbol. Protective orders stay unless ``protective``."""
        return self._cancel_each(lambda status: symbol is None or status.request.symbol == symbol, protective, by)

    def halt_cancel(self, protective: bool = False, by: str = "stop") -> tuple[OrderRef, ...]:
        """Stop sending at once, then cancel. Protective orders stay unless ``protective``; closing orders stay."""
        self.halted = True
        return self._cancel_each(lambda status: status.request.origin is not Origin.FLATTEN, protective, by)

    def _cancel_each(self, concerns: Callable[[OrderStatus], bool], protective: bool, by: str) -> tuple[OrderRef, ...]:
        asked = []
        for status in self.open_orders():
            if status.external or not concerns(status) or (is_protective(status) and not protective):
                continue
            if self.cancel(status.ref, by).ok:
                asked.append(status.ref)
        return tuple(asked)

    def modify(
        self,
        ref: OrderRef,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        tif: TimeInForce | None = None,
        by: str = "",
    ) -> Receipt:
        """Ask for new fields of an order that works. Refused unless the link is UP and the gate agrees."""
        wanted = {"quantity": quantity, "limit_price": limit_price, "stop_price": stop_price, "tif": tif}
        return self._modifier.change(ref, lambda request: changed(request, **wanted), by)  # type: ignore[arg-type]

    def extend(self, ref: OrderRef, until_ns: int, by: str) -> Receipt:
        """Let the agent's entry wait longer at the broker: up to ``until_ns`` (UTC), no longer than the gate says."""
        return self._modifier.change(ref, lambda request: changed(request, good_till_ns=until_ns), by, refresh=True)

    def resolve(self, ref: OrderRef, state: str, note: str, by: str) -> Receipt:
        """A person closes an UNKNOWN order after looking at the broker's own screen. The note is kept."""
        record = self._records.get(ref)
        if record is None or record.state is not S.UNKNOWN:
            return Receipt(ok=False, code="STATE", text="Only an order that is UNKNOWN can be resolved.")
        ends = {end.value: end for end in (S.CANCELLED, S.REJECTED, S.EXPIRED, S.NOT_AT_BROKER)}
        if state not in ends or not note.strip():
            text = f"Say one of {', '.join(ends)}, and why."
            return Receipt(ok=False, code="ARGUMENT", text=text)
        outcome = establish(record, ends[state], self._clock.now(), f"resolved by {by}: {note}")
        self._records.apply(outcome, "resolved", f"{by}: {note}")
        return Receipt(ok=True, text=f"{ref} is {state.lower()} now.")

    def settle(self) -> int:
        """End of day, after a clean round: closed orders become immutable. Return how many."""
        settled = 0
        for ref, status in tuple(self._records.statuses.items()):
            if status.state.closed and status.state not in (S.SETTLED, S.DENIED, S.NEVER_SENT):
                self._records.apply(establish(self._records.by_ref[ref], S.SETTLED, self._clock.now()), "settled", b"")
                settled += 1
        return settled

    # --- what the broker says

    def on_report(self, report: AnyReport) -> None:
        """Fold a report. Reports that arrive while an order is being handed over wait until it is."""
        self._inbox.put(report)

    def _take(self, report: AnyReport) -> None:
        match report:
            case LinkReport():
                self._on_link(report)
            case AccountReport():
                self._booking.on_account(report.account, compared=self._agreement.synced)
            case CommissionReport():
                base_id, _ = split_exec_id(report.exec_id)
                record = self._records.by_execution(base_id)
                if record is None:
                    self._orphans[base_id] = report
                else:
                    self._fold(record, report)
            case NoticeReport():
                self._voice.alarm(report.code, "red", report.happened, report.did, report.you_can)
                self._agreement.request()
            case ErrorReport() if not report.ref:
                return
            case _:
                perm_id = "" if isinstance(report, ErrorReport) else report.perm_id
                record = self._records.find(report.ref, perm_id) or self._settled(report.ref)
                if record is None:
                    # Somebody else's, or from before a restored backup: a snapshot shows it whole.
                    self._agreement.request()
                    return
                self._fold(record, report)

    def _settled(self, ref: OrderRef) -> OrderRecord | None:
        try:
            return self._records.recall(ref) if ref else None
        except JournalError:
            return None

    def _on_link(self, report: LinkReport) -> None:
        self._agreement.on_link(report)
        if report.state is LinkState.UP:
            # While it was away nobody could be asked, so no wait was renewed.
            for status in self.open_orders():
                self._watch(self._records.by_ref[status.ref], again=True)

    def _fold(self, record: OrderRecord, report: AnyReport) -> None:
        failpoints.reach(f"report {type(report).__name__}")
        self._records.apply(hear(record, report), type(report).__name__, report, report.ts_event)
        if isinstance(report, ExecutionReport):
            base_id, _ = split_exec_id(report.exec_id)
            orphan = self._orphans.pop(base_id, None)
            if orphan is not None:
                self._fold(self._records.by_ref[record.ref], orphan)

    # --- agreement

    def reconcile(self, snapshot: BrokerSnapshot, *, exact: bool = False) -> Plan:
        """Agree with a snapshot now."""
        return self._agreement.reconcile(snapshot, exact=exact)

    def check_now(self) -> None:
        """Ask the broker as soon as possible."""
        self._agreement.request()

    def _on_round(self) -> None:
        if self.halted:
            # A STOP is not over while an order of ours may open a position: also after a restart, also when the
            # broker did not hear the first cancel.
            self.halt_cancel(by="unfinished stop")

    def _on_synced(self) -> None:
        for status in self.open_orders():
            record = self._records.by_ref[status.ref]
            if record.cancel_asked_ns and not record.external:
                # It may have been lost with the link.
                self._ask_cancel(record, "asked before the link was lost")

    # --- consequences

    def _on_change(self, before: OrderRecord, after: OrderRecord, outcome: Outcome) -> None:
        self._consequences.of_change(before, after, outcome)

    def _on_journal_trouble(self, error: JournalError) -> None:
        self._consequences.of_journal_trouble(error)

    def _stop_sending(self) -> None:
        self.halted = True

    def _cancel_frozen(self, ref: OrderRef) -> None:
        self.cancel(ref, "two ids for one order")

    def _watch(self, record: OrderRecord, again: bool = False) -> None:
        self._deadlines.watch(record.ref, record.state, again=again)

    def _on_due(self, ref: OrderRef, state: OrderState) -> None:
        record = self._records.by_ref[ref]
        if record.state is not state:
            return
        now = self._clock.now()
        if state in (S.SENDING, S.SENT, S.PENDING_MODIFY):
            reason = f"no answer for {self._settings.silence_s:g} s"
            self._records.apply(lose_touch(record, now, reason), "silence", b"")
        elif state is S.PENDING_CANCEL and record.cancel_asked_ns:
            again = record.cancel_tries < 2 or ref in self._unsent_cancels
            if again and self._agreement.link is LinkState.UP:
                self._ask_cancel(record, "no answer to the first cancel")
            else:
                self._records.apply(lose_touch(record, now, "no answer to two cancels"), "silence", b"")
        if self._agreement.link is LinkState.UP:
            self._agreement.request()
            self._watch(self._records.by_ref[ref], again=True)

    def _on_halted(self, event: TradingHalted) -> None:
        self.halt_cancel(by=event.by)

    def _on_resumed(self, event: TradingResumed) -> None:
        self.halted = False
