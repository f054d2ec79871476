"""Orders and fills as rows."""

from decimal import Decimal

from engine.api.rows import FillRow, OrderRow
from engine.bus.bus import Bus
from engine.model.events.order import (
    CancelRejected,
    CommissionBooked,
    ExecutionCorrected,
    OrderAccepted,
    OrderAlarm,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderHeld,
    OrderInitialized,
    OrderModified,
    OrderNeverSent,
    OrderNotAtBroker,
    OrderPartlyFilled,
    OrderPending,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
)
from engine.model.fill import Fill
from engine.model.order import STOPS, OrderStatus, OrderType, Origin
from engine.views.table import Table

ORDER_EVENTS: tuple[type[OrderEvent], ...] = (
    OrderInitialized,
    OrderSubmitted,
    OrderAccepted,
    OrderHeld,
    OrderRejected,
    OrderPartlyFilled,
    OrderFilled,
    OrderCanceled,
    OrderExpired,
    OrderUnknown,
    OrderNotAtBroker,
    OrderNeverSent,
    OrderModified,
    OrderPending,
    CancelRejected,
    OrderAlarm,
    ExecutionCorrected,
)


def order_row(status: OrderStatus, note: str = "") -> OrderRow:
    """Flatten an order's status."""
    request = status.request
    return OrderRow(
        key=status.ref,
        symbol=request.symbol,
        side=request.side.value,
        quantity=request.quantity,
        filled=status.filled,
        state=status.state.value,
        order_type=request.order_type.value,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        tif=request.tif.value,
        average_price=status.average_price,
        origin=request.origin.value,
        parent=status.parent_ref or "",
        oca=request.oca_group,
        suggestion=request.suggestion_id or "",
        strategy=request.strategy,
        note=note or status.reason,
        working=not status.state.closed,
        external=status.external,
        created_ns=status.created_ns,
        changed_ns=status.changed_ns,
        leg=_leg(status),
        wanted_price=_wanted_price(status),
    )


def _wanted_price(status: OrderStatus) -> Decimal | None:
    """Return the price asked for while the broker has not confirmed it, None where no price is to change."""
    if status.pending is None:
        return None
    now, then = status.request, status.pending
    if then.limit_price != now.limit_price:
        return then.limit_price
    return then.stop_price if then.stop_price != now.stop_price else None


def fill_row(fill: Fill, status: OrderStatus) -> FillRow:
    """Flatten an execution; slippage is against what was expected of the order, in basis points, positive is a cost."""
    slippage = None
    expected = _expected(status)
    if expected:
        move = (fill.price - expected) / expected * fill.side.sign
        slippage = float(move) * 10_000
    return FillRow(
        key=fill.exec_id,
        ref=fill.ref,
        symbol=fill.symbol,
        side=fill.side.value,
        quantity=fill.quantity,
        price=fill.price,
        commission=fill.commission,
        ts_event=fill.ts_event,
        slippage_bps=slippage,
        origin=status.request.origin.value,
        note=status.request.strategy or status.request.suggestion_id or "",
    )


class OrderView:
    """Projects order events."""

    def __init__(self, bus: Bus, orders: Table, fills: Table) -> None:
        self._orders = orders
        self._fills = fills
        for kind in ORDER_EVENTS:
            bus.subscribe(kind, self._on_order, owner="views.orders")
        bus.subscribe(CommissionBooked, self._on_commission, owner="views.orders")

    def load(self, statuses: list[OrderStatus], fills: list[tuple[Fill, OrderStatus]]) -> None:
        """Show what was recovered at start."""
        for status in statuses:
            self._orders.put(order_row(status))
        for fill, status in fills:
            self._fills.put(fill_row(fill, status))

    def _on_order(self, event: OrderEvent) -> None:
        note = event.text if isinstance(event, OrderAlarm) else getattr(event, "reason", "")
        self._orders.put(order_row(event.status, note))
        if isinstance(event, OrderFilled | OrderPartlyFilled | ExecutionCorrected):
            self._fills.put(fill_row(event.fill, event.status))

    def _on_commission(self, event: CommissionBooked) -> None:
        # It comes after the fill. The order's row says nothing of it, and keeps its note.
        self._fills.put(fill_row(event.fill, event.status))


def _expected(status: OrderStatus) -> Decimal | None:
    """Return the price an order was to trade at: an exit's own level, which may be far from where the market was when
    it was cleared; for everything else the mid at clearing, children of an algorithm too. None for a level that trails
    and is not told."""
    request = status.request
    if request.origin is not Origin.PROTECTIVE and _leg(status) != "stop":
        return status.reference_price
    if request.order_type in (OrderType.TRAIL, OrderType.TRAIL_LIMIT):
        return None
    return request.limit_price if request.order_type is OrderType.LIMIT else request.stop_price


def _leg(status: OrderStatus) -> str:
    request = status.request
    if not status.parent_ref and not request.parent_ref:
        # A stop that can only close guards a position, whoever placed it.
        return "stop" if request.reduce_only and request.order_type in STOPS else "entry"
    return "stop" if request.order_type in STOPS else "target"
