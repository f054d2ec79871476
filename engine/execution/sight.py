"""What a snapshot of the broker does to a record: it shows the order open, finished, or nowhere. Pure functions."""

import msgspec

from engine.execution.fold import Alarm, Outcome, Wish, add_reason, conclude, establish, finish, identify
from engine.execution.record import Heard, OrderRecord
from engine.model.money import ZERO
from engine.model.order import OrderState
from engine.model.report import BrokerStatus, OpenOrder

replace = msgspec.structs.replace
S = OrderState


def see_open(record: OrderRecord, seen: tuple[OpenOrder, ...], now_ns: int) -> Outcome:
    """A snapshot shows the order open (under one id, or wrongly under several)."""
    first = max(seen, key=lambda order: (order.filled, order.perm_id))
    after = record
    for order in seen:
        after = identify(after, order.broker_id, order.perm_id)
    base, heard = _seen_state(first)
    resurrected = record.state.closed and record.state is not S.FILLED
    doubted = record.state in (S.CLAIM_CANCELLED, S.CLAIM_REJECTED)
    shown = first.request
    known = record.effective
    # What a snapshot does not show (most brokers tell no end) stays as it was last confirmed.
    request = replace(
        known,
        quantity=shown.quantity,
        limit_price=shown.limit_price,
        stop_price=shown.stop_price,
        good_till_ns=known.good_till_ns if shown.good_till_ns is None else shown.good_till_ns,
    )
    waiting = record.state is S.PENDING_MODIFY and request == known
    if record.state is S.UNKNOWN and (record.cancel_tries > 1 or record.heard & Heard.ERROR_CANCEL_FAILED):
        # The cancels came to nothing and the order lives: say so plainly, a new cancel starts anew.
        after = replace(after, cancel_asked_ns=0, cancel_tries=0)
    after = replace(
        after,
        request=request,
        modify=record.modify if waiting else None,
        base=base,
        base_executed=record.executed,
        heard=heard,
        acknowledged=True,
        claimed=record.executed,
        absent_rounds=0,
        absent_since_ns=0,
    )
    alarms: list[Alarm] = []
    wishes: set[Wish] = set()
    if resurrected:
        alarms.append(Alarm("resurrected", f"closed as {record.state.value}, but the broker shows it open"))
        wishes.add(Wish.DEMOTE)
    elif doubted:
        alarms.append(Alarm("false-claim", f"the broker said {record.state.value[6:].lower()}, but shows it open"))
    elif heard & Heard.STRANGE:
        alarms.append(Alarm("strange-status", "the broker shows it open in a status we do not know"))
    return conclude(record, after, alarms, now_ns, frozenset(wishes))


def _seen_state(seen: OpenOrder) -> tuple[OrderState, Heard]:
    match seen.status:
        case BrokerStatus.WORKING:
            return S.WORKING, Heard.NOTHING
        case BrokerStatus.PENDING_CANCEL:
            return S.WORKING, Heard.PENDING_CANCEL
        case BrokerStatus.HELD | BrokerStatus.PENDING:
            return S.HELD, Heard.NOTHING
        case BrokerStatus.INACTIVE:
            locate = "locate" in seen.why_held.lower()
            return S.HELD, Heard.LOCATE if locate else Heard.INACTIVE
        case _:
            return S.UNKNOWN, Heard.STRANGE


def see_completed(record: OrderRecord, seen: OpenOrder, now_ns: int) -> Outcome:
    """A snapshot shows the order as finished, and its executions have been folded before."""
    after = identify(record, seen.broker_id, seen.perm_id)
    match seen.status:
        case BrokerStatus.CANCELLED:
            end = S.EXPIRED if record.heard & Heard.EXPIRED else S.CANCELLED
        case BrokerStatus.EXPIRED:
            end = S.EXPIRED
        case BrokerStatus.REJECTED | BrokerStatus.INACTIVE:
            end = S.REJECTED
        case BrokerStatus.FILLED:
            return _see_filled(record, after, seen, now_ns)
        case _:
            return Outcome(record)
    if record.state is end and record.base is end:
        return Outcome(record)
    return establish(after, end, now_ns)


def _see_filled(record: OrderRecord, after: OrderRecord, seen: OpenOrder, now_ns: int) -> Outcome:
    # What is finished has the size it is shown with: a change of ours that is still open came too late, or was taken.
    size = seen.request.quantity if seen.request.quantity > ZERO else record.effective.quantity
    missing = size - record.executed
    if missing <= ZERO:
        return establish(
            replace(after, request=replace(record.effective, quantity=size), modify=None), S.FILLED, now_ns
        )
    if "shortfall" in record.alarms:
        return Outcome(record)
    after = replace(after, base=S.PARTIAL, heard=Heard.NOTHING, base_executed=record.executed, acknowledged=True)
    alarm = Alarm("shortfall", f"the broker says filled, but {missing} of it has no execution")
    state = S.PARTIAL
    return finish(record, after, state, [alarm], {Wish.QUERY}, now_ns)


def see_absent(record: OrderRecord, now_ns: int, taken_ns: int, link_up_ns: int) -> Outcome:
    """A complete snapshot, taken after the last news, shows the order nowhere.

    Rounds are counted to two; those from before the link came up do not count.
    """
    if record.state is S.CLAIM_CANCELLED:
        return establish(record, S.EXPIRED if record.heard & Heard.EXPIRED else S.CANCELLED, now_ns)
    if record.state is S.CLAIM_REJECTED:
        return establish(record, S.REJECTED, now_ns)
    counts = record.absent_since_ns >= link_up_ns and record.absent_rounds > 0
    after = replace(
        record,
        absent_rounds=2 if counts else 1,
        absent_since_ns=record.absent_since_ns if counts else taken_ns,
    )
    if record.state is not S.UNKNOWN:
        after = replace(
            after,
            base=S.UNKNOWN,
            base_executed=record.executed,
            heard=Heard.NOTHING,
            acknowledged=record.known_to_broker,
        )
        after = add_reason(after, "7 the broker does not show it")
    outcome = conclude(record, after, [], now_ns)
    # Counting a round is not a change that anybody needs to hear of.
    return outcome if outcome.record.state is not record.state else Outcome(after, outcome.alarms, outcome.wishes)
