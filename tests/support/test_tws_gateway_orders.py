"""Orders at the gateway: types, times, brackets, groups, refusals, all through the real ib_async."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from ib_async import (
    IB,
    ExecutionFilter,
    LimitOrder,
    MarketOrder,
    Order,
    StopLimitOrder,
    StopOrder,
    TagValue,
)

from tests.support.tws_gateway.client import barrier, connected, place, qualified
from tests.support.tws_gateway.server import TwsGateway

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)
UNSET = 1.7976931348623157e308


@pytest.fixture
async def ib(gateway: TwsGateway) -> AsyncIterator[IB]:
    async with connected(gateway) as client:
        client.RaiseRequestErrors = True
        yield client


# -- orders ------------------------------------------------------------------------------------


async def test_a_limit_order_rests_changes_and_is_cancelled(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    order = LimitOrder("BUY", 100, 180, orderRef="a")
    trade = await place(ib, aapl, order)
    assert trade.orderStatus.status == "Submitted"
    order.lmtPrice, order.totalQuantity = 181, 50
    await place(ib, aapl, order)
    assert (gateway.ledger.order("a").terms.limit, gateway.ledger.order("a").quantity) == (181, 50)
    assert gateway.place_frames("a") == 2
    ib.cancelOrder(order)
    await barrier(ib)
    assert (trade.orderStatus.status, gateway.ledger.order("a").status) == ("Cancelled", "Cancelled")
    assert gateway.last_cancel_ns() is not None
    assert gateway.last_cancel_ns() >= gateway.last_place_ns()


async def test_partial_fills_follow_the_liquidity_and_add_up(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    gateway.market.set_liquidity("AAPL", 40)
    trade = await place(ib, aapl, LimitOrder("BUY", 100, 190.01, orderRef="p"))
    assert (trade.orderStatus.filled, trade.orderStatus.remaining) == (40, 60)
    for _ in range(2):
        gateway.market.set_quote("AAPL", 189.98, 190.0)
    await barrier(ib)
    assert [f.execution.shares for f in trade.fills] == [40, 40, 20]
    assert [f.execution.cumQty for f in trade.fills] == [40, 80, 100]
    assert trade.orderStatus.avgFillPrice == pytest.approx(190.004)
    assert gateway.ledger.held("AAPL") == 100
    assert sum(f.commissionReport.commission for f in trade.fills) == pytest.approx(1.0)
    spent = Decimal(40) * Decimal("190.01") + Decimal(60) * Decimal("190.0") + Decimal(1)
    assert gateway.ledger.cash["DU1234567", "USD"] == 1_000_000 - spent


async def test_stops_trails_and_touches_trigger(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    stop = await place(ib, aapl, StopOrder("SELL", 10, 188, orderRef="stp"))
    limited = await place(ib, aapl, StopLimitOrder("SELL", 10, 187.5, 187.6, orderRef="stp lmt"))
    trail = await place(ib, aapl, Order(action="SELL", totalQuantity=10, orderType="TRAIL", auxPrice=3, orderRef="t"))
    touch = await place(ib, aapl, Order(action="BUY", totalQuantity=10, orderType="MIT", auxPrice=186, orderRef="m"))
    assert {t.orderStatus.status for t in (stop, limited, trail, touch)} == {"PreSubmitted"}
    gateway.set_price("AAPL", 191)
    gateway.set_price("AAPL", 188.5)
    await barrier(ib)
    assert {t.orderStatus.status for t in (stop, limited, trail, touch)} == {"PreSubmitted"}
    gateway.set_price("AAPL", 188)
    await barrier(ib)
    assert (stop.orderStatus.status, trail.orderStatus.status) == ("Filled", "Filled")
    gateway.set_price("AAPL", 187)
    await barrier(ib)
    assert limited.orderStatus.status == "Submitted"
    gateway.set_price("AAPL", 186)
    await barrier(ib)
    assert touch.orderStatus.status == "Filled"
    gateway.set_price("AAPL", 187.6)
    await barrier(ib)
    assert limited.orderStatus.status == "Filled"


async def test_times_in_force_end_where_they_say(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    gateway.market.set_liquidity("AAPL", 30)
    ioc = await place(ib, aapl, LimitOrder("BUY", 100, 190.01, tif="IOC", orderRef="ioc"))
    assert (ioc.orderStatus.status, ioc.filled()) == ("Cancelled", 30)
    gateway.market.set_liquidity("AAPL", 30)
    fok = await place(ib, aapl, LimitOrder("BUY", 100, 190.01, tif="FOK", orderRef="fok"))
    assert (fok.orderStatus.status, fok.filled()) == ("Cancelled", 0)
    gtd = await place(ib, aapl, LimitOrder("BUY", 1, 150, tif="GTD", goodTillDate="20240105-15:05:00", orderRef="gtd"))
    day = await place(ib, aapl, LimitOrder("BUY", 1, 150, tif="DAY", orderRef="day"))
    gtc = await place(ib, aapl, LimitOrder("BUY", 1, 150, tif="GTC", orderRef="gtc"))
    moc = await place(ib, aapl, Order(action="BUY", totalQuantity=7, orderType="MOC", orderRef="moc"))
    loc = await place(ib, aapl, Order(action="BUY", totalQuantity=7, orderType="LOC", lmtPrice=150, orderRef="loc"))
    codes: list[tuple[int, int]] = []
    ib.errorEvent += lambda req_id, code, text, contract: codes.append((req_id, code))
    gateway.advance(301)
    await barrier(ib)
    assert gtd.orderStatus.status == "Cancelled"
    assert day.orderStatus.status == "Submitted"
    gateway.close_market()
    await barrier(ib)
    assert (moc.orderStatus.status, loc.orderStatus.status) == ("Filled", "Cancelled")
    assert (day.orderStatus.status, gtc.orderStatus.status) == ("Cancelled", "Submitted")
    assert (day.order.orderId, 202) in codes


async def test_orders_outside_regular_hours_wait_unless_they_say_otherwise(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    codes: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: codes.append(code)
    gateway.close_market()
    waits = await place(ib, aapl, LimitOrder("BUY", 10, 190.01, orderRef="w"))
    works = await place(ib, aapl, LimitOrder("BUY", 10, 190.01, outsideRth=True, orderRef="o"))
    ignored = await place(ib, aapl, MarketOrder("BUY", 10, outsideRth=True, orderRef="i"))
    assert (gateway.ledger.order("w").status, works.orderStatus.status) == ("PreSubmitted", "Filled")
    assert codes == [399, 399, 2109]
    gateway.open_market()
    await barrier(ib)
    assert (waits.orderStatus.status, ignored.orderStatus.status) == ("Filled", "Filled")


async def test_a_bracket_is_all_or_nothing_and_its_exits_cancel_each_other(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    parent, target, stop = ib.bracketOrder("BUY", 100, 189, 195, 185, tif="GTC")
    for order, ref in ((parent, "in"), (target, "out"), (stop, "stop")):
        order.orderRef = ref
        ib.placeOrder(aapl, order)
        if ref == "out":
            await barrier(ib)
            assert [o.draft for o in gateway.ledger.orders] == [True, True]
    await barrier(ib)
    assert [o.status for o in gateway.ledger.orders] == ["Submitted", "PreSubmitted", "PreSubmitted"]
    assert gateway.ledger.order("out").why_held == "child"
    gateway.set_price("AAPL", 188.99)
    await barrier(ib)
    assert [o.status for o in gateway.ledger.orders] == ["Filled", "Submitted", "PreSubmitted"]
    gateway.set_price("AAPL", 195.01)
    await barrier(ib)
    trades = {t.order.orderRef: t.orderStatus.status for t in ib.trades()}
    assert trades == {"in": "Filled", "out": "Filled", "stop": "Cancelled"}
    assert gateway.ledger.held("AAPL") == 0


async def test_exits_cover_exactly_what_the_parent_has_filled(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    gateway.market.set_liquidity("AAPL", 30)
    for order, ref in zip(ib.bracketOrder("BUY", 100, 190.01, 195, 185, tif="GTC"), ("in", "out", "stop"), strict=True):
        order.orderRef = ref
        ib.placeOrder(aapl, order)
    await barrier(ib)
    assert gateway.ledger.held("AAPL") == 30
    gateway.market.set_liquidity("AAPL", None)
    gateway.engine.auto_fill = False
    gateway.set_price("AAPL", 184)
    gateway.engine.auto_fill = True
    gateway.engine.work(gateway.ledger.order("stop"))
    assert gateway.ledger.held("AAPL") == 0


async def test_cancelling_a_parent_cancels_its_exits(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    bracket = ib.bracketOrder("BUY", 100, 180, 195, 175, tif="GTC")
    trades = [ib.placeOrder(aapl, order) for order in bracket]
    await barrier(ib)
    ib.cancelOrder(bracket.parent)
    await barrier(ib)
    assert [t.orderStatus.status for t in trades] == ["Cancelled"] * 3


async def test_an_oca_group_of_type_1_leaves_one_survivor(gateway: TwsGateway, ib: IB) -> None:
    aapl, msft = await qualified(ib, "AAPL"), await qualified(ib, "MSFT")
    ib.oneCancelsAll(
        [one := LimitOrder("BUY", 10, 185, tif="DAY"), two := LimitOrder("BUY", 10, 405, tif="DAY")], "g", 1
    )
    first, second = ib.placeOrder(aapl, one), ib.placeOrder(msft, two)
    await barrier(ib)
    gateway.set_price("MSFT", 404)
    await barrier(ib)
    assert (first.orderStatus.status, second.orderStatus.status) == ("Cancelled", "Filled")


async def test_global_cancel_hits_manual_orders_too(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    await place(ib, aapl, LimitOrder("BUY", 10, 150, orderRef="mine"))
    gateway.manual_order("AAPL", "BUY", 10, "LMT", 150)
    ib.reqGlobalCancel()
    await barrier(ib)
    assert {o.status for o in gateway.ledger.orders} == {"Cancelled"}


async def test_a_manual_order_has_order_id_0_for_others_and_a_negative_one_for_client_0(gateway: TwsGateway) -> None:
    manual = gateway.manual_order("AAPL", "BUY", 10, "LMT", 150)
    async with connected(gateway, 7) as other:
        assert other.openTrades() == []
        seen = await other.reqAllOpenOrdersAsync()
        assert [(t.order.orderId, t.order.permId) for t in seen] == [(0, manual.perm_id)]
    async with connected(gateway, 0) as owner:
        await barrier(owner)
        assert [t.order.orderId for t in owner.openTrades()] == [-1]


async def test_executions_can_be_filtered_and_the_master_client_sees_all() -> None:
    async with (
        TwsGateway(start=START, master_client_id=9) as gateway,
        connected(gateway, 7) as seven,
        connected(gateway, 8) as eight,
        connected(gateway, 9) as master,
    ):
        aapl, msft = await qualified(seven, "AAPL"), await qualified(eight, "MSFT")
        await place(seven, aapl, MarketOrder("BUY", 1, orderRef="seven"))
        await place(eight, msft, MarketOrder("SELL", 2, orderRef="eight"))
        await barrier(master)
        assert sorted(f.execution.orderRef for f in master.fills()) == ["eight", "seven"]
        refs = [
            [f.execution.orderRef for f in await eight.reqExecutionsAsync(criteria)]
            for criteria in (
                ExecutionFilter(),
                ExecutionFilter(clientId=7),
                ExecutionFilter(symbol="MSFT"),
                ExecutionFilter(side="BUY"),
                ExecutionFilter(time="20240106-00:00:00"),
            )
        ]
        assert refs == [["seven", "eight"], ["seven"], ["eight"], ["seven"], []]


async def test_what_if_answers_with_strings_and_books_nothing(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    state = await ib.whatIfOrderAsync(aapl, MarketOrder("BUY", 100, tif="DAY"))
    assert (state.initMarginChange, state.maintMarginChange) == ("9500.00", "4750.00")
    assert (state.commission, state.maxCommission) == (1.0, UNSET)
    assert gateway.ledger.orders == []
    assert gateway.place_counts() == {}


REFUSED = [
    (Order(action="BUY", totalQuantity=0, orderType="MKT"), 434),
    (Order(action="BUY", totalQuantity=-5, orderType="MKT"), 321),
    (Order(action="BUY", totalQuantity=0.5, orderType="MKT"), 10243),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=190.005), 110),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=float("nan")), 320),
    (Order(action="BUY", totalQuantity=1, orderType="BOX TOP"), 387),
    (Order(action="BUY", totalQuantity=1, orderType="MOC", tif="GTC"), 113),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=190, parentId=999), 135),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=190, displaySize=2), 10020),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=190, algoStrategy="Magic"), 439),
    (
        Order(
            action="BUY",
            totalQuantity=1,
            orderType="LMT",
            lmtPrice=1,
            algoStrategy="Twap",
            algoParams=[TagValue("x", "1")],
        ),
        443,
    ),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=190, account="DU0000000"), 321),
    (Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=190, tif="GTD", goodTillDate="soon"), 391),
]


@pytest.mark.parametrize(("order", "code"), REFUSED, ids=[f"{code}-{n}" for n, (_, code) in enumerate(REFUSED)])
async def test_a_bad_order_is_refused_with_the_code_of_ib(gateway: TwsGateway, ib: IB, order: Order, code: int) -> None:
    codes: list[int] = []
    ib.errorEvent += lambda req_id, number, text, contract: codes.append(number)
    order.orderId = 0
    await place(ib, await qualified(ib, "AAPL"), order)
    assert codes == [code]
    assert gateway.ledger.orders == []


async def test_a_change_that_is_not_a_change_of_the_same_order_is_refused(gateway: TwsGateway, ib: IB) -> None:
    aapl, msft = await qualified(ib, "AAPL"), await qualified(ib, "MSFT")
    await place(ib, aapl, order := LimitOrder("BUY", 10, 150, orderRef="a"))
    codes: list[int] = []
    ib.errorEvent += lambda req_id, number, text, contract: codes.append(number)
    number = order.orderId
    await place(ib, msft, LimitOrder("BUY", 10, 150, orderId=number))
    await place(ib, aapl, LimitOrder("SELL", 10, 150, orderId=number))
    await place(ib, aapl, StopOrder("BUY", 10, 250, orderId=number))
    assert codes == [105, 105, 329]
    assert gateway.ledger.order("a").terms.limit == 150
    gateway.fill("a")
    ib.client.placeOrder(number, aapl, order)
    await barrier(ib)
    assert codes == [105, 105, 329, 104]


async def test_twenty_working_orders_per_contract_side_and_account_are_the_limit(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    ib.client.MaxRequests = 0
    for number in range(21):
        ib.placeOrder(aapl, LimitOrder("BUY", 1, 150, tif="DAY", orderRef=f"n{number}"))
    await barrier(ib)
    assert len(list(gateway.ledger.live_orders())) == 20
    assert [(r.ref, r.code) for r in gateway.ledger.refusals] == [("n20", 201)]


async def test_with_several_accounts_every_order_needs_one() -> None:
    async with TwsGateway(accounts=("DU1", "DU2"), start=START) as gateway, connected(gateway) as ib:
        assert ib.managedAccounts() == ["DU1", "DU2"]
        aapl = await qualified(ib, "AAPL")
        await place(ib, aapl, MarketOrder("BUY", 1, orderRef="none"))
        await place(ib, aapl, MarketOrder("BUY", 1, orderRef="two", account="DU2"))
        assert [(r.ref, r.code) for r in gateway.ledger.refusals] == [("none", 435)]
        assert gateway.ledger.held("AAPL", "DU2") == 1
        assert gateway.ledger.held("AAPL", "DU1") == 0


async def test_a_limit_far_through_the_market_is_cancelled_with_202() -> None:
    async with TwsGateway(start=START, collar_percent=Decimal(5)) as gateway, connected(gateway) as ib:
        trade = await place(ib, await qualified(ib, "AAPL"), LimitOrder("BUY", 1, 300, orderRef="far"))
        assert (trade.orderStatus.status, trade.filled()) == ("Cancelled", 0)
        assert "NBBO" in gateway.ledger.order("far").reason
