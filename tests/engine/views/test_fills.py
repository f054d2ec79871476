"""What is said of an execution: its fee as soon as it is known, and what it cost against what was expected."""

from decimal import Decimal

import pytest

from engine.api.rows import FillRow
from engine.bus.bus import Bus
from engine.model.events.order import CommissionBooked, OrderAlarm, OrderFilled
from engine.model.fill import Fill
from engine.model.ids import AccountId, ExecId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderStatus, OrderType, Origin
from engine.views.orders import OrderView, fill_row, order_row
from engine.views.table import Table

D = Decimal


def status(
    side: Side, order_type: OrderType, parent: str = "", origin: Origin = Origin.MANUAL, **prices: Decimal
) -> OrderStatus:
    request = OrderRequest(
        intent_id=IntentId("i"),
        symbol=Symbol("AAPL"),
        side=side,
        quantity=D(100),
        order_type=order_type,
        origin=origin,
        **prices,
    )
    return OrderStatus(
        ref=OrderRef("r"),
        account=AccountId("DU1"),
        request=request,
        state=OrderState.FILLED,
        parent_ref=OrderRef(parent) if parent else None,
        reference_price=D(190),
    )


def child(**prices: Decimal) -> OrderStatus:
    """A slice of an algorithm: it has a parent, and is no exit."""
    return status(Side.BUY, OrderType.LIMIT, "p", **prices)


def fill(side: Side, price: str, fee: str = "0") -> Fill:
    return Fill(exec_id=ExecId("e1"), ref=OrderRef("r"), account=AccountId("DU1"), symbol=Symbol("AAPL"), side=side,
                quantity=D(100), price=D(price), commission=D(fee), ts_event=1, ts_seen=1)  # fmt: skip


@pytest.mark.parametrize(
    ("order", "price", "bps"),
    [
        (status(Side.BUY, OrderType.LIMIT, limit_price=D("190.05")), "190.019", 1.0),
        (status(Side.SELL, OrderType.STOP, "p", stop_price=D(185)), "184.963", 2.0),
        (status(Side.SELL, OrderType.STOP, "p", stop_price=D(185)), "185", 0.0),
        (status(Side.SELL, OrderType.LIMIT, "p", Origin.PROTECTIVE, limit_price=D(200)), "200.02", -1.0),
        (status(Side.BUY, OrderType.STOP, "p", stop_price=D(195)), "195.039", 2.0),
        (status(Side.SELL, OrderType.TRAIL, "p", trail_amount=D(1)), "188", None),
        (child(limit_price=D("190.30")), "190.019", 1.0),
    ],
)
def test_slippage_is_against_the_price_the_order_was_for_not_against_where_the_market_was_hours_before(
    order: OrderStatus, price: str, bps: float | None
) -> None:
    found = fill_row(fill(order.request.side, price), order).slippage_bps
    assert found == (None if bps is None else pytest.approx(bps))


@pytest.mark.parametrize(
    ("kind", "closes", "leg"),
    [
        (OrderType.STOP, True, "stop"),
        (OrderType.TRAIL, True, "stop"),
        (OrderType.STOP, False, "entry"),
        (OrderType.LIMIT, True, "entry"),
    ],
)
def test_a_stop_that_can_only_close_is_a_stop_whoever_placed_it(kind: OrderType, closes: bool, leg: str) -> None:
    request = OrderRequest(
        intent_id=IntentId("i1"),
        symbol=Symbol("AAPL"),
        side=Side.SELL,
        quantity=D(100),
        order_type=kind,
        reduce_only=closes,
    )
    status = OrderStatus(ref=OrderRef("r1"), account=AccountId("DU1"), request=request, state=OrderState.WORKING)
    assert order_row(status).leg == leg


def test_a_fee_that_is_told_after_its_fill_stands_in_the_fills_and_leaves_the_orders_note() -> None:
    def fail(owner: str, role: object, event: object, error: Exception) -> None:
        raise error

    bus, orders, fills = Bus(fail), Table("orders"), Table("fills")
    OrderView(bus, orders, fills)
    request = OrderRequest(intent_id=IntentId("i1"), symbol=Symbol("AAPL"), side=Side.BUY, quantity=D(100))
    ref, account = OrderRef("r1"), AccountId("DU1")
    status = OrderStatus(ref=ref, account=account, request=request, state=OrderState.FILLED, filled=D(100))
    done = Fill(
        exec_id=ExecId("e1"),
        ref=ref,
        account=account,
        symbol=Symbol("AAPL"),
        side=Side.BUY,
        quantity=D(100),
        price=D("189.63"),
        ts_event=1,
        ts_seen=1,
    )
    common = {"ts_event": 1, "ts_init": 1, "ref": ref, "symbol": Symbol("AAPL"), "side": Side.BUY, "status": status}
    bus.publish(OrderFilled(fill=done, **common))
    bus.publish(OrderAlarm(kind="overfill", text="more was filled than ordered", **common))
    paid = Fill(**{**{name: getattr(done, name) for name in done.__struct_fields__}, "commission": D("1.00")})
    bus.publish(CommissionBooked(fill=paid, **common))
    row, order = fills.get("e1"), orders.get("r1")
    assert isinstance(row, FillRow)
    assert row.commission == D("1.00")
    assert order.note == "more was filled than ordered"
