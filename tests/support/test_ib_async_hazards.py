"""What the library makes of a broker: experiments V1 to V14, kept. They go red when ib_async changes."""

import asyncio

import pytest
from ib_async import IB, LimitOrder, MarketOrder, OrderStatus, Trade

from tests.support.tws_gateway.client import barrier, connected, place, qualified, until, working
from tests.support.tws_gateway.server import TwsGateway

# -- V1, V2: what the library makes of codes ----------------------------------------------------


@pytest.mark.parametrize("code", [10349, 104, 10147, 10148, 161, 201, 202, 103, 10268, 10311, 77777])
async def test_v1_any_other_code_looks_cancelled_although_the_order_lives_and_fills(
    gateway: TwsGateway, ib: IB, code: int
) -> None:
    trade = await working(ib)
    cancelled: list[Trade] = []
    trade.cancelledEvent += cancelled.append
    gateway.order_error("w", code, "text")
    await barrier(ib)
    assert trade.orderStatus.status == "Cancelled"
    assert cancelled == [trade]
    assert trade not in ib.openTrades()
    assert gateway.ledger.order("w").status == "Submitted"
    gateway.fill("w")
    await barrier(ib)
    assert trade.orderStatus.status == "Filled"
    assert trade.filled() == 100


@pytest.mark.parametrize("code", [399, 110, 321, 2109, 404])
async def test_v1_warning_codes_look_like_a_validation_error(gateway: TwsGateway, ib: IB, code: int) -> None:
    trade = await working(ib)
    gateway.order_error("w", code, "text")
    await barrier(ib)
    assert trade.orderStatus.status == OrderStatus.ValidationError
    assert trade.isActive()


async def test_v2_a_late_warning_makes_a_filled_order_active_again(gateway: TwsGateway, ib: IB) -> None:
    trade = await working(ib)
    gateway.fill("w")
    gateway.order_error("w", 399, "late")
    await barrier(ib)
    assert trade.isActive()
    assert gateway.ledger.order("w").status == "Filled"


async def test_v3_a_correction_doubles_what_the_library_counts_but_not_the_ledger(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("correct_execution", ref="w", offset=0.05)
    trade = await working(ib, limit=190.01)
    assert [f.execution.execId[-2:] for f in trade.fills] == ["01", "02"]
    assert (trade.filled(), trade.remaining()) == (200, -100)
    assert gateway.ledger.filled("w") == 100
    assert gateway.ledger.held("AAPL") == 100
    assert str(gateway.ledger.effective()[0].price) == "190.06"
    assert gateway.ledger.positions["DU1234567", 265598].cost == gateway.ledger.effective()[0].price


async def test_v4_orders_in_the_throttle_queue_vanish_with_the_connection(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    trades = [ib.placeOrder(aapl, LimitOrder("BUY", 1, 150, tif="DAY", orderRef=f"n{n}")) for n in range(60)]
    assert {t.orderStatus.status for t in trades} == {"PendingSubmit"}
    ib.disconnect()
    await until(lambda: not gateway.sessions, "the end of the session")
    assert 0 < sum(gateway.place_counts().values()) < 60


@pytest.mark.parametrize(
    "fault",
    ["no_open_orders_end", "no_executions_end", "no_positions_end", "no_completed_orders_end", "no_account_end"],
)
async def test_v5_a_missing_end_is_an_empty_picture_unless_sync_errors_are_raised(
    gateway: TwsGateway, fault: str
) -> None:
    gateway.faults.add(fault)
    blind = IB()
    await blind.connectAsync("127.0.0.1", gateway.port, 1, timeout=0.2)
    assert blind.isConnected()
    blind.disconnect()
    careful = IB()
    with pytest.raises(ConnectionError, match="timed out"):
        await careful.connectAsync("127.0.0.1", gateway.port, 2, timeout=0.2, raiseSyncErrors=True)
    assert not careful.isConnected()
    await until(lambda: not gateway.sessions, "the end of the sessions")


async def test_v6_an_order_that_was_never_recorded_leaves_its_id_to_another(gateway: TwsGateway) -> None:
    gateway.faults.add("drop_before_accept", ref="first")
    async with connected(gateway) as ib:
        lost = ib.placeOrder(await qualified(ib, "AAPL"), LimitOrder("BUY", 10, 150, tif="DAY", orderRef="first"))
        await until(lambda: not ib.isConnected(), "the drop")
    gateway.restart(rollback_to=1)
    async with connected(gateway) as ib:
        aapl = await qualified(ib, "AAPL")
        other = ib.placeOrder(aapl, LimitOrder("SELL", 5, 250, tif="DAY", orderRef="second"))
        await barrier(ib)
        assert other.order.orderId == lost.order.orderId
        assert [o.ref for o in gateway.ledger.orders] == ["second"]


async def test_v11_the_first_of_two_concurrent_requests_for_open_orders_hangs(gateway: TwsGateway, ib: IB) -> None:
    first = asyncio.ensure_future(ib.reqOpenOrdersAsync())
    second = asyncio.ensure_future(ib.reqOpenOrdersAsync())
    assert await asyncio.wait_for(second, 5) == []
    await barrier(ib)
    assert not first.done()
    first.cancel()


async def test_v12_nan_and_infinity_are_sent_and_the_gateway_says_320(
    gateway: TwsGateway, ib: IB, codes: list[int]
) -> None:
    aapl = await qualified(ib, "AAPL")
    for price, size in ((float("nan"), 1), (190.0, float("inf")), (float("-inf"), 1)):
        await place(ib, aapl, LimitOrder("BUY", size, price, orderRef="bad"))
    assert codes == [320, 320, 320]
    assert gateway.place_frames("bad") == 3


async def test_v13_an_exception_in_a_handler_is_swallowed(gateway: TwsGateway, ib: IB) -> None:
    def broken(trade: Trade) -> None:
        raise ZeroDivisionError

    ib.orderStatusEvent += broken
    trade = await working(ib)
    assert trade.orderStatus.status == "Submitted"


async def test_v14_after_a_drop_the_library_knows_nothing(gateway: TwsGateway, ib: IB) -> None:
    await working(ib)
    await place(ib, await qualified(ib, "MSFT"), MarketOrder("BUY", 1, orderRef="f"))
    assert ib.trades()
    assert ib.fills()
    assert ib.positions()
    gateway.drop(7)
    await until(lambda: not ib.isConnected(), "the drop")
    assert (ib.trades(), ib.fills(), ib.positions()) == ([], [], [])
    assert gateway.ledger.order("w").live
