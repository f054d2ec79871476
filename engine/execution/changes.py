"""What to tell the rest of the engine when a record changed: pure comparison of before and after."""

from engine.execution.fold import Alarm
from engine.execution.record import OrderRecord
from engine.model.events.order import (
    CommissionBooked,
    ExecutionCorrected,
    OrderAccepted,
    OrderAlarm,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderHeld,
    OrderModified,
    OrderNeverSent,
    OrderNotAtBroker,
    OrderPartlyFilled,
    OrderPending,
    OrderRejected,
    OrderUnknown,
)
from engine.model.fill import Fill
from engine.model.order import OrderState, OrderStatus

S = OrderState

_PENDING = {
    S.PENDING_CANCEL: "cancel",
    S.PENDING_MODIFY: "modify",
    S.CLAIM_CANCELLED: "cancelled, to be confirmed",
    S.CLAIM_REJECTED: "rejected, to be confirmed",
    S.CLAIM_FILLED: "filled, to be confirmed",
}
_WITH_REASON: dict[OrderState, type[OrderEvent]] = {
    S.REJECTED: OrderRejected,
    S.CANCELLED: OrderCanceled,
    S.EXPIRED: OrderExpired,
    S.UNKNOWN: OrderUnknown,
    S.NOT_AT_BROKER: OrderNotAtBroker,
    S.NEVER_SENT: OrderNeverSent,
}


def fills_between(before: OrderRecord, after: OrderRecord) -> tuple[Fill, ...]:
    """Fills that are new, corrected, or have a new commission, in order of time."""
    if before.executions is after.executions and before.commissions is after.commissions:
        return ()
    changed = [
        after.fill(key)
        for key, execution in after.executions.items()
        if before.executions.get(key) != execution or before.commissions.get(key) != after.commissions.get(key)
    ]
    return tuple(sorted(changed, key=lambda fill: (fill.ts_event, fill.exec_id)))


def events_between(
    before: OrderRecord, after: OrderRecord, alarms: tuple[Alarm, ...], ts_event: int, now_ns: int
) -> list[OrderEvent]:
    """Events that this change means, fills first."""
    status = after.status()
    common = {
        "ts_event": ts_event,
        "ts_init": now_ns,
        "ref": after.ref,
        "symbol": after.symbol,
        "side": after.request.side,
        "status": status,
    }
    events: list[OrderEvent] = []
    for fill in fills_between(before, after):
        events.append(_fill_event(before, after, fill, common))
    if after.state is not before.state:
        event = _state_event(before, after, status, common)
        if event is not None:
            events.append(event)
    if before.modify is not None and before.modify_open and after.effective == before.modify:
        events.append(OrderModified(**common))  # type: ignore[arg-type]
    events += [OrderAlarm(kind=alarm.kind, text=alarm.text, **common) for alarm in alarms]  # type: ignore[arg-type]
    return events


def _fill_event(before: OrderRecord, after: OrderRecord, fill: Fill, common: dict[str, object]) -> OrderEvent:
    old = before.executions.get(fill.exec_id)
    new = after.executions[fill.exec_id]
    if old is None:
        kind = OrderFilled if after.executed >= after.ceiling else OrderPartlyFilled
        return kind(fill=fill, **{**common, "ts_event": fill.ts_event})  # type: ignore[arg-type]
    if old != new:
        return ExecutionCorrected(
            before_quantity=old.quantity,
            before_price=old.price,
            fill=fill,
            **common,  # type: ignore[arg-type]
        )
    return CommissionBooked(fill=fill, **common)  # type: ignore[arg-type]


def _state_event(
    before: OrderRecord, after: OrderRecord, status: OrderStatus, common: dict[str, object]
) -> OrderEvent | None:
    state = after.state
    if state in _PENDING:
        return OrderPending(what=_PENDING[state], **common)  # type: ignore[arg-type]
    if state in _WITH_REASON:
        return _WITH_REASON[state](reason=status.reason, **common)  # type: ignore[call-arg,arg-type]
    if state is S.HELD:
        return OrderHeld(**common)  # type: ignore[arg-type]
    if state is S.WORKING or (state is S.PARTIAL and after.executed == before.executed):
        return OrderAccepted(**common)  # type: ignore[arg-type]
    return None
