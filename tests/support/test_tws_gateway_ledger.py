"""The ledger is the truth: what a client is told adds up to it, whatever happens on the way."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ib_async import IB, Forex, Future, LimitOrder, MarketOrder, Option, Order, StopOrder

from tests.support.tws_gateway.client import barrier, connected, connected_in_memory, place, qualified
from tests.support.tws_gateway.server import TwsGateway

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)
ACCOUNT = "DU1234567"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 30), st.integers(-20, 20)),
        st.tuples(st.just("stop"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 30), st.integers(1, 20)),
        st.tuples(st.just("market"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 30), st.just(0)),
        st.tuples(st.just("price"), st.just(""), st.just(0), st.integers(-30, 30)),
        st.tuples(st.just("cancel"), st.just(""), st.integers(0, 10), st.just(0)),
        st.tuples(st.just("correct"), st.just(""), st.integers(0, 10), st.integers(1, 5)),
        st.tuples(st.just("repeat"), st.just(""), st.just(0), st.just(0)),
    ),
    max_size=25,
)


async def _play(gateway: TwsGateway, ib: IB, steps: list[tuple[str, str, int, int]]) -> None:
    aapl = await qualified(ib, "AAPL")
    for number, (what, side, size, offset) in enumerate(steps):
        price = float(Decimal(190) + Decimal(offset) / 100)
        if what == "limit":
            ib.placeOrder(aapl, LimitOrder(side, size, price, tif="GTC", orderRef=f"r{number}"))
        elif what == "stop":
            level = 190 + offset / 100 if side == "BUY" else 190 - offset / 100
            ib.placeOrder(aapl, StopOrder(side, size, round(level, 2), tif="GTC", orderRef=f"r{number}"))
        elif what == "market":
            ib.placeOrder(aapl, MarketOrder(side, size, tif="DAY", orderRef=f"r{number}"))
        elif what == "price":
            gateway.set_price("AAPL", str(Decimal(190) + Decimal(offset) / 100))
        elif what == "cancel" and ib.openTrades():
            ib.cancelOrder(ib.openTrades()[size % len(ib.openTrades())].order)
        elif what == "correct" and gateway.ledger.executions:
            old = gateway.ledger.executions[size % len(gateway.ledger.executions)]
            gateway.correct_execution(old.exec_id, float(old.price + Decimal(offset) / 100))
        elif what == "repeat":
            gateway.faults.add("duplicate", messages=["exec_details", "order_status"], times=3)
        await barrier(ib)


@settings(max_examples=30)
@given(steps=STEPS, liquidity=st.sampled_from([None, 7]))
def test_positions_cash_and_fills_add_up_after_any_story(
    steps: list[tuple[str, str, int, int]], liquidity: int | None
) -> None:
    async def story() -> None:
        gateway = TwsGateway(start=START, messages_per_second=0, max_working_per_side=None)
        gateway.attach()
        gateway.set_liquidity("AAPL", liquidity)
        async with connected_in_memory(gateway) as ib:
            ib.client.MaxRequests = 0
            await _play(gateway, ib, steps)
            ledger = gateway.ledger
            effective = ledger.effective()
            held = sum((e.signed for e in effective), Decimal(0))
            cash = 1_000_000 - sum((e.signed * e.price + e.commission for e in effective), Decimal(0))
            assert ledger.held("AAPL") == held
            assert ledger.cash[ACCOUNT, "USD"] == cash
            assert sum(p.position for p in ib.positions()) == float(held)
            for order in ledger.orders:
                assert order.filled == ledger.filled(order.ref) <= order.quantity
                assert (order.status == "Filled") == (order.filled == order.quantity)
            told = {f.execution.execId for f in ib.fills()}
            assert told == {e.exec_id for e in ledger.executions}
            asked = {f.execution.execId for f in await ib.reqExecutionsAsync()}
            assert asked == told
        await gateway.stop()

    asyncio.run(story())


async def test_margins_of_futures_and_money_of_pairs_and_options_are_their_own(gateway: TwsGateway, ib: IB) -> None:
    es = await qualified(ib, Future("ES", "202403", "CME"))
    state = await ib.whatIfOrderAsync(es, MarketOrder("BUY", 1, tif="DAY"))
    assert state.initMarginChange == "13025.00"
    await place(ib, await qualified(ib, Forex("EURUSD")), MarketOrder("BUY", 20000, orderRef="fx"))
    assert gateway.ledger.cash[ACCOUNT, "EUR"] == 20000
    assert gateway.ledger.cash[ACCOUNT, "USD"] == 1_000_000 - 20000 * Decimal("1.08505") - 2
    option = await qualified(ib, Option("AAPL", "20240315", 190, "C", "SMART"))
    await place(ib, option, LimitOrder("BUY", 2, 8.55, orderRef="opt"))
    assert gateway.ledger.held(option.localSymbol) == 2
    assert next(p.avgCost for p in ib.positions() if p.contract.secType == "OPT") == pytest.approx(855)


async def test_a_finished_id_is_a_duplicate_until_the_gateway_restarts(gateway: TwsGateway) -> None:
    async with connected(gateway) as ib:
        aapl = await qualified(ib, "AAPL")
        trade = await place(ib, aapl, LimitOrder("BUY", 1, 150, orderRef="a"))
        number = trade.order.orderId
        ib.cancelOrder(trade.order)
        await barrier(ib)
        ib.client.placeOrder(number, aapl, LimitOrder("BUY", 1, 150, tif="DAY", orderRef="b"))
        await barrier(ib)
        assert [r.code for r in gateway.ledger.refusals] == [103]
    gateway.restart(rollback_to=number)
    async with connected(gateway) as ib:
        ib.client.placeOrder(number, await qualified(ib, "AAPL"), LimitOrder("BUY", 1, 150, tif="DAY", orderRef="c"))
        await barrier(ib)
        assert [(o.ref, o.status) for o in gateway.ledger.orders] == [("a", "Cancelled"), ("c", "Submitted")]


async def test_drafts_of_a_broken_bracket_are_found_as_inactive_and_never_fill(gateway: TwsGateway) -> None:
    async with connected(gateway) as ib:
        aapl = await qualified(ib, "AAPL")
        for order in ib.bracketOrder("BUY", 10, 190.01, 195, 185)[:2]:
            ib.placeOrder(aapl, order)
        await barrier(ib)
    gateway.set_price("AAPL", 180)
    assert gateway.ledger.executions == []
    async with connected(gateway) as ib:
        left = await ib.reqAllOpenOrdersAsync()
        assert [(t.order.orderType, t.orderStatus.status) for t in left] == [("LMT", "Inactive")] * 2
        ib.cancelOrder(left[0].order)
        await barrier(ib)
        assert gateway.ledger.live_orders() == []


async def test_reducing_oca_groups_shrink_and_openers_wait_for_the_open(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    gateway.market.set_liquidity("AAPL", 4)
    one, two = (LimitOrder("BUY", 10, p, tif="GTC", orderRef=r) for p, r in ((180, "low"), (190.01, "near")))
    ib.oneCancelsAll([one, two], "g", 3)
    await place(ib, aapl, one)
    await place(ib, aapl, two)
    assert gateway.ledger.order("low").quantity == 6
    gateway.market.set_liquidity("AAPL", None)
    gateway.close_market()
    opener = Order(action="BUY", totalQuantity=3, orderType="MKT", tif="OPG", orderRef="opg")
    await place(ib, aapl, opener)
    later = LimitOrder("BUY", 3, 191, goodAfterTime="20240105-15:10:00", tif="GTC", orderRef="gat")
    await place(ib, aapl, later)
    assert gateway.ledger.order("opg").status == "PreSubmitted"
    gateway.open_market()
    assert gateway.ledger.order("opg").status == "Filled"
    assert gateway.ledger.order("gat").status == "PreSubmitted"
    gateway.advance(660)
    assert gateway.ledger.order("gat").status == "Filled"


async def test_profit_of_one_position_is_streamed(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    single = ib.reqPnLSingle(ACCOUNT, "", aapl.conId)
    await place(ib, aapl, LimitOrder("BUY", 10, 190.01, orderRef="a"))
    gateway.set_price("AAPL", 191.01)
    gateway.transfer("MSFT", 1, 400)
    await barrier(ib)
    assert (single.position, single.unrealizedPnL, single.value) == (10, 10, 1910.10)
