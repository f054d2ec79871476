"""The order state machine: pure functions from a record and one piece of evidence to the record after it.

Claims of the broker (:func:`hear`) only ever add evidence; what we establish ourselves (:func:`establish` and the
functions after it; snapshots in :mod:`engine.execution.sight`) sets a new base. :func:`derive` turns both into the
state. Unknown words and contradictions become UNKNOWN with an alarm, never an exception (reliability.md §6).

Two readings differ in words from the table of transitions and keep its intent, because the outcome must not depend on
the order of messages: an execution during a pending cancel, or during a claim about the rest, is booked and leaves
the cancel or claim standing (the rest may still work); a rejection code counts only while nothing shows the order
alive at the broker, whichever came first.
"""

import re
from enum import StrEnum
from functools import lru_cache

import msgspec

from engine.execution.error_codes import HELD_CODES
from engine.execution.record import ACKNOWLEDGED, LOST_TOUCH, Commission, Execution, Heard, OrderRecord
from engine.model.money import ZERO, finite
from engine.model.order import OrderRequest, OrderState
from engine.model.report import (
    AnyReport,
    BrokerStatus,
    CommissionReport,
    EchoReport,
    ErrorClass,
    ErrorReport,
    ExecutionReport,
    StatusReport,
)

replace = msgspec.structs.replace
S = OrderState


class Wish(StrEnum):
    """What the fold asks the desk to do."""

    QUERY = "query"
    HALT = "halt"
    CANCEL = "cancel"
    DEMOTE = "demote"
    PACE = "pace"


class Alarm(msgspec.Struct, frozen=True):
    """Something that must not happen did."""

    kind: str
    text: str


class Outcome(msgspec.Struct, frozen=True):
    """The record after the evidence, what to tell, what to do."""

    record: OrderRecord
    alarms: tuple[Alarm, ...] = ()
    wishes: frozenset[Wish] = frozenset()


_REVISION = re.compile(r"^(.+)\.(\d{1,3})$")

_HEARD: dict[BrokerStatus, Heard] = {
    BrokerStatus.PENDING: Heard.PENDING,
    BrokerStatus.HELD: Heard.HELD,
    BrokerStatus.WORKING: Heard.WORKING,
    BrokerStatus.PENDING_CANCEL: Heard.PENDING_CANCEL,
    BrokerStatus.CANCELLED: Heard.CANCELLED,
    BrokerStatus.FILLED: Heard.FILLED,
    BrokerStatus.INACTIVE: Heard.INACTIVE,
    BrokerStatus.REJECTED: Heard.REJECTED,
    BrokerStatus.EXPIRED: Heard.EXPIRED,
    BrokerStatus.OTHER: Heard.STRANGE,
}
_UNSENT = (S.INTENT, S.DENIED, S.NEVER_SENT)
_CLAIMS = (S.CLAIM_FILLED, S.CLAIM_CANCELLED, S.CLAIM_REJECTED)


@lru_cache(maxsize=16_384)
def split_exec_id(exec_id: str) -> tuple[str, int]:
    """Split a broker's execution id into its base and its revision (``….01.02`` is revision 2 of ``….01``)."""
    match = _REVISION.match(exec_id)
    return (match[1], int(match[2])) if match else (exec_id, 1)


def derive(record: OrderRecord) -> OrderState:
    """Return the state that base and evidence amount to."""
    base, heard, executed = record.base, record.heard, record.executed
    quantity = record.ceiling
    if base in _UNSENT and not executed:
        return base
    if quantity > ZERO and executed >= quantity:
        return S.SETTLED if base is S.SETTLED and executed == record.base_executed else S.FILLED
    if base.closed:
        return base if executed <= record.base_executed and base is not S.FILLED else S.PARTIAL
    if heard & Heard.STRANGE or (record.cancel_asked_ns and heard & Heard.ERROR_CANCEL_FAILED):
        return S.UNKNOWN
    claim = _claim(record)
    if claim is not None:
        return claim
    alive = bool(heard & ACKNOWLEDGED) or executed > record.base_executed
    if base is S.UNKNOWN and not alive:
        return S.UNKNOWN
    if record.cancel_asked_ns or heard & Heard.PENDING_CANCEL:
        return S.PENDING_CANCEL
    if record.modify_open:
        return S.PENDING_MODIFY
    if executed:
        return S.PARTIAL
    if heard & Heard.WORKING or base in (S.WORKING, S.PARTIAL):
        return S.WORKING
    if heard & (Heard.HELD | Heard.LOCATE | Heard.ECHO | Heard.HELD_NOTE) or base is S.HELD:
        return S.HELD
    return base


def _claim(record: OrderRecord) -> OrderState | None:
    heard = record.heard
    if heard & Heard.FILLED:
        return S.CLAIM_FILLED
    if heard & Heard.REJECTED or (heard & Heard.ERROR_REJECT and not record.known_to_broker):
        return S.CLAIM_REJECTED
    if heard & (Heard.CANCELLED | Heard.EXPIRED):
        return S.CLAIM_CANCELLED
    if heard & Heard.INACTIVE and not record.cancel_asked_ns:
        return S.CLAIM_REJECTED
    if record.base in _CLAIMS:
        return record.base
    return None


# --- what the broker says


def hear(record: OrderRecord, report: AnyReport) -> Outcome:
    """Fold one report about this order."""
    match report:
        case StatusReport():
            return _hear_status(record, report)
        case EchoReport():
            return _hear_echo(record, report)
        case ExecutionReport():
            return _hear_execution(record, report)
        case CommissionReport():
            return _hear_commission(record, report)
        case ErrorReport():
            return _hear_error(record, report)
        case _:
            return Outcome(record)


def _hear_status(record: OrderRecord, report: StatusReport) -> Outcome:
    flag = _HEARD[report.status]
    if report.status is BrokerStatus.INACTIVE and "locate" in report.why_held.lower():
        flag = Heard.LOCATE
    after = identify(record, report.broker_id, report.perm_id)
    claimed = report.filled if report.filled is not None and finite(report.filled) else ZERO
    after = replace(after, heard=after.heard | flag, claimed=max(after.claimed, claimed))
    if report.text:
        after = add_reason(after, f"2 {report.text}")
    alarms: list[Alarm] = []
    if flag is Heard.STRANGE:
        alarms.append(Alarm("strange-status", f"the broker used a status word we do not know: {report.text!r}"))
    return conclude(record, after, alarms, report.ts_seen)


def _hear_echo(record: OrderRecord, report: EchoReport) -> Outcome:
    after = identify(record, report.broker_id, report.perm_id)
    flag = Heard.ECHO
    if after.modify is not None and _shows(report, after.modify):
        flag |= Heard.ECHO_NEW
    # Fields that nobody here asked for: somebody else changed the order, or a lost modification took effect.
    strange = after.modify is None and not record.state.closed and not _shows(report, record.request)
    wishes = frozenset({Wish.QUERY}) if strange else frozenset()
    return conclude(record, replace(after, heard=after.heard | flag), [], report.ts_seen, wishes)


def _shows(report: EchoReport, wanted: OrderRequest) -> bool:
    return (
        report.quantity == wanted.quantity
        and (wanted.limit_price is None or report.limit_price == wanted.limit_price)
        and (wanted.stop_price is None or report.stop_price == wanted.stop_price)
    )


def _hear_execution(record: OrderRecord, report: ExecutionReport) -> Outcome:
    if not (finite(report.quantity) and finite(report.price)) or report.quantity < ZERO:
        alarm = Alarm("bad-execution", f"execution {report.exec_id} has no usable quantity or price")
        return conclude(record, record, [alarm], report.ts_seen, frozenset({Wish.QUERY}))
    base_id, revision = split_exec_id(report.exec_id)
    heard = Execution(
        revision, report.quantity, report.price, report.ts_event, report.ts_seen, report.side, report.liquidity
    )
    known = record.executions.get(base_id)
    after = identify(record, report.broker_id, report.perm_id)
    if known is None or (revision, report.quantity, report.price) > (known.revision, known.quantity, known.price):
        after = replace(after, executions={**record.executions, base_id: heard})
    alarms: list[Alarm] = []
    if report.symbol != record.symbol or report.side is not record.request.side:
        text = f"execution {report.exec_id} is {report.side} {report.symbol}, the order is not"
        alarms.append(Alarm("wrong-execution", text))
    return conclude(record, after, alarms, report.ts_seen)


def _hear_commission(record: OrderRecord, report: CommissionReport) -> Outcome:
    if not finite(report.commission):
        return Outcome(record)
    base_id, revision = split_exec_id(report.exec_id)
    heard = Commission(revision, report.commission, report.currency)
    known = record.commissions.get(base_id)
    newest = heard if known is None else max(known, heard)
    return Outcome(replace(record, commissions={**record.commissions, base_id: newest}))


def _hear_error(record: OrderRecord, report: ErrorReport) -> Outcome:
    text = f"{report.text} ({report.code})"
    wishes: set[Wish] = set()
    alarms: list[Alarm] = []
    flag = Heard.NOTHING
    after = record
    match report.error_class:
        case ErrorClass.REJECT | ErrorClass.MODIFY_FAILED:
            flag = Heard.ERROR_REJECT
            if record.modify is not None:
                flag |= Heard.ERROR_MODIFY_FAILED
            wishes.add(Wish.QUERY)
            after = add_reason(after, f"1 {text}")
        case ErrorClass.CANCEL_ACK:
            flag = Heard.CANCELLED
            if not record.cancel_asked_ns:
                after = add_reason(after, f"3 {text}")
        case ErrorClass.CANCEL_FAILED:
            flag = Heard.ERROR_CANCEL_FAILED
            wishes.add(Wish.QUERY)
            after = add_reason(after, f"4 {text}")
        case ErrorClass.INFO:
            flag = Heard.HELD_NOTE if report.code in HELD_CODES else Heard.NOTHING
            after = add_reason(after, f"5 {text}")
        case ErrorClass.PACING:
            wishes |= {Wish.PACE, Wish.DEMOTE, Wish.QUERY}
        case ErrorClass.LINK:
            wishes.add(Wish.QUERY)
        case ErrorClass.UNKNOWN:
            alarms.append(Alarm(f"code-{report.code}", f"the broker sent a code we do not know: {text}"))
            wishes.add(Wish.QUERY)
            after = add_reason(after, f"6 {text}")
    after = replace(after, heard=after.heard | flag)
    return conclude(record, after, alarms, report.ts_seen, frozenset(wishes))


def identify(record: OrderRecord, broker_id: str, perm_id: str) -> OrderRecord:
    """Add the broker's ids; an order may wrongly get several, and all of them count."""
    broker_ids, perm_ids = record.broker_ids, record.perm_ids
    if broker_id and broker_id not in broker_ids:
        broker_ids = tuple(sorted((*broker_ids, broker_id)))
    if perm_id and perm_id not in perm_ids:
        perm_ids = tuple(sorted((*perm_ids, perm_id)))
    if broker_ids is record.broker_ids and perm_ids is record.perm_ids:
        return record
    return replace(record, broker_ids=broker_ids, perm_ids=perm_ids)


def add_reason(record: OrderRecord, reason: str) -> OrderRecord:
    """Keep what was said; the leading digit ranks how telling it is."""
    if reason in record.reasons:
        return record
    return replace(record, reasons=tuple(sorted((*record.reasons, reason)))[:8])


def conclude(
    before: OrderRecord,
    after: OrderRecord,
    alarms: list[Alarm],
    now_ns: int,
    wishes: frozenset[Wish] = frozenset(),
) -> Outcome:
    """Derive the state, raise each alarm once, and say what must be done."""
    if after.external or after.adopted:
        after = _grow(after)
    state = derive(after)
    wanted = set(wishes)
    if state in _CLAIMS or state is S.UNKNOWN:
        if state is not before.state:
            wanted.add(Wish.QUERY)
    elif after.base in _UNSENT and state is not after.base and state is not before.state:
        alarms.append(Alarm("unsent-fill", "an execution arrived for an order that was never sent"))
        wanted.add(Wish.HALT)
    elif after.base.closed and after.executed > max(after.base_executed, before.executed):
        text = f"{after.executed - after.base_executed} filled after the order was closed as {after.base.value}"
        alarms.append(Alarm("late-fill", text))
        wanted.add(Wish.QUERY)
    if after.base.closed and state.closed and state is not S.FILLED and after.heard & (Heard.WORKING | Heard.HELD):
        wanted.add(Wish.QUERY)
    if state is S.PARTIAL and after.claimed > after.executed and after.claimed > before.claimed:
        wanted.add(Wish.QUERY)
    excess = after.executed - after.ceiling
    if excess > ZERO and not after.external:
        alarms.append(Alarm("overfill", f"{excess} more than ordered was filled"))
        wanted.add(Wish.HALT)
    if len(after.perm_ids) > 1:
        alarms.append(Alarm("two-ids", f"the broker shows this order under {len(after.perm_ids)} ids: both count"))
        wanted |= {Wish.HALT, Wish.CANCEL, Wish.QUERY}
    return finish(before, after, state, alarms, wanted, now_ns)


def finish(
    before: OrderRecord, after: OrderRecord, state: OrderState, alarms: list[Alarm], wanted: set[Wish], now_ns: int
) -> Outcome:
    """Set the state and raise each kind of alarm once."""
    fresh = tuple(a for a in alarms if a.kind not in before.alarms or a.kind == "late-fill")
    if not fresh and alarms:
        wanted -= {Wish.HALT, Wish.CANCEL}
    names = tuple(sorted({*after.alarms, *(a.kind for a in fresh)}))
    if state is not before.state or after != before or fresh:
        after = replace(after, state=state, alarms=names, changed_ns=max(now_ns, before.changed_ns))
    return Outcome(after, fresh, frozenset(wanted))


def _grow(record: OrderRecord) -> OrderRecord:
    """An order that is not ours has at least the quantity it has filled."""
    return replace(record, request=replace(record.request, quantity=max(record.request.quantity, record.executed)))


# --- what we establish


def establish(record: OrderRecord, base: OrderState, now_ns: int, reason: str = "") -> Outcome:
    """Set a new base by our own act or proof: a mark, a snapshot, a person. Evidence heard before it is spent."""
    after = replace(
        record,
        request=record.effective,
        modify=None,
        base=base,
        base_executed=record.executed,
        heard=Heard.NOTHING,
        acknowledged=record.known_to_broker,
        absent_rounds=0,
        absent_since_ns=0,
    )
    if base.closed or base in (S.WORKING, S.HELD, S.PARTIAL):
        after = replace(after, claimed=record.executed)
    if base.closed:
        after = replace(after, cancel_asked_ns=0)
    if base is S.SENT:
        after = replace(after, sent_ns=now_ns, heard=record.heard)
    if reason:
        after = add_reason(after, f"0 {reason}")
    return conclude(record, after, [], now_ns)


def lose_touch(record: OrderRecord, now_ns: int, reason: str) -> Outcome:
    """The link broke, we restarted, or nobody answered: exposure stays, the state is UNKNOWN. Claims stay claims."""
    if record.state.closed or record.state in (S.INTENT, S.UNKNOWN, *_CLAIMS):
        return Outcome(record)
    after = replace(
        record,
        base=S.UNKNOWN,
        base_executed=record.executed,
        heard=Heard.NOTHING,
        acknowledged=record.known_to_broker,
        request=record.effective,
        modify=record.modify if record.modify_open else None,
        absent_rounds=0,
        absent_since_ns=0,
    )
    return conclude(record, add_reason(after, f"{LOST_TOUCH}{reason}"), [], now_ns)


def ask_cancel(record: OrderRecord, now_ns: int) -> Outcome:
    """We ask the broker to cancel."""
    after = replace(
        record,
        cancel_asked_ns=now_ns,
        cancel_tries=record.cancel_tries + 1,
        heard=record.heard & ~Heard.ERROR_CANCEL_FAILED,
    )
    return conclude(record, after, [], now_ns)


def ask_modify(record: OrderRecord, request: OrderRequest, now_ns: int) -> Outcome:
    """We ask the broker for new fields."""
    spent = Heard.ECHO_NEW | Heard.ERROR_MODIFY_FAILED | Heard.ERROR_REJECT
    after = replace(
        record,
        request=record.effective,
        modify=request,
        modifies=record.modifies + 1,
        heard=record.heard & ~spent,
        acknowledged=record.known_to_broker,
    )
    return conclude(record, after, [], now_ns)
