"""Faults of orders, cancels and executions, seen through plain ib_async."""

import asyncio

import pytest
from ib_async import IB, MarketOrder

from tests.support.tws_gateway.client import barrier, place, qualified, until, working
from tests.support.tws_gateway.server import TwsGateway

# -- orders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "expected"), [("error_first", "Inactive"), ("status_first", "Inactive"), ("error_only", "Cancelled")]
)
async def test_a_rejection_may_come_error_first_or_status_first(
    gateway: TwsGateway, ib: IB, codes: list[int], style: str, expected: str
) -> None:
    gateway.faults.add("reject", style=style)
    trade = await working(ib)
    assert trade.orderStatus.status == expected
    assert codes == [201]
    assert gateway.ledger.orders == []
    assert [(r.ref, r.what, r.code) for r in gateway.ledger.refusals] == [("w", "new", 201)]


async def test_a_refused_change_looks_cancelled_and_the_old_order_lives(gateway: TwsGateway, ib: IB) -> None:
    trade = await working(ib)
    gateway.faults.add("reject_modify")
    trade.order.lmtPrice = 151
    await place(ib, trade.contract, trade.order)
    assert trade.orderStatus.status == "Cancelled"
    assert (gateway.ledger.order("w").status, gateway.ledger.order("w").terms.limit) == ("Submitted", 150)


@pytest.mark.parametrize("when", ["new", "modify", "fill", "cancel"])
async def test_a_notice_about_a_live_order_comes_at_the_chosen_moment(
    gateway: TwsGateway, ib: IB, codes: list[int], when: str
) -> None:
    gateway.faults.add("notice", code=10233, text="note", when=when)
    trade = await working(ib)
    moments = [list(codes)]
    await place(ib, trade.contract, trade.order) if not trade.isDone() else None
    moments.append(list(codes))
    gateway.fill("w", 10, 150)
    await barrier(ib)
    moments.append(list(codes))
    ib.cancelOrder(trade.order)
    await barrier(ib)
    first = next((n for n, seen in enumerate([*moments, codes]) if 10233 in seen), None)
    assert first == ["new", "modify", "fill", "cancel"].index(when)


async def test_held_located_and_inactive_orders_come_to_life_when_released(
    gateway: TwsGateway, ib: IB, codes: list[int]
) -> None:
    gateway.faults.add("held_399", ref="held")
    gateway.faults.add("locate_404", ref="locate")
    gateway.faults.add("inactive", ref="inactive", why_held="locate")
    gateway.faults.add("ignored_2109", ref="plain")
    trades = {ref: await working(ib, ref) for ref in ("held", "locate", "inactive", "plain")}
    assert codes == [399, 404, 2109]
    assert [gateway.ledger.order(ref).status for ref in trades] == [
        "PreSubmitted",
        "PreSubmitted",
        "Inactive",
        "Submitted",
    ]
    assert trades["inactive"].isDone()
    assert trades["locate"].orderStatus.whyHeld == "locate"
    gateway.set_price("AAPL", 149)
    assert gateway.ledger.executions[0].ref == "plain"
    assert len(gateway.ledger.executions) == 1
    for ref in ("held", "locate", "inactive"):
        gateway.release(ref)
    await barrier(ib)
    assert {t.orderStatus.status for t in trades.values()} == {"Filled"}


async def test_cancelling_an_inactive_order_is_cancelled_in_the_library_before_the_broker_knows(
    gateway: TwsGateway, ib: IB
) -> None:
    gateway.faults.add("inactive")
    gateway.faults.add("cancel_silent")
    trade = await working(ib)
    ib.cancelOrder(trade.order)
    await barrier(ib)
    assert gateway.ledger.order("w").live
    gateway.release("w")
    await barrier(ib)
    assert trade.orderStatus.status == "Submitted"


@pytest.mark.parametrize("code", [161, 10147, 10148])
async def test_a_cancel_may_fail_and_the_order_lives(gateway: TwsGateway, ib: IB, codes: list[int], code: int) -> None:
    gateway.faults.add("cancel_fails", code=code)
    trade = await working(ib)
    ib.cancelOrder(trade.order)
    await barrier(ib)
    assert codes == [code]
    assert trade.orderStatus.status == "Cancelled"
    assert gateway.ledger.order("w").status == "Submitted"


async def test_a_cancel_of_a_filled_order_draws_10148_and_of_nothing_10147(
    gateway: TwsGateway, ib: IB, codes: list[int]
) -> None:
    trade = await working(ib, limit=190.01)
    ib.client.cancelOrder(trade.order.orderId)
    ib.client.cancelOrder(999)
    await barrier(ib)
    assert codes == [10148, 10147]


async def test_pending_cancel_can_still_fill(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("cancel_slow", seconds=0.05)
    trade = await working(ib)
    ib.cancelOrder(trade.order)
    await barrier(ib)
    assert trade.orderStatus.status == "PendingCancel"
    gateway.fill("w", 30, 150)
    await barrier(ib)
    assert trade.filled() == 30
    await until(lambda: trade.orderStatus.status == "Cancelled", "the cancel")


@pytest.mark.parametrize(
    ("fault", "truth"), [("cancel_without_status", "Cancelled"), ("cancel_unfinished", "Submitted")]
)
async def test_202_alone_proves_nothing(gateway: TwsGateway, ib: IB, codes: list[int], fault: str, truth: str) -> None:
    gateway.faults.add(fault)
    trade = await working(ib)
    ib.cancelOrder(trade.order)
    await barrier(ib)
    assert codes == [202]
    assert trade.orderStatus.status == "Cancelled"
    assert gateway.ledger.order("w").status == truth


async def test_an_execution_may_come_after_cancelled(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("late_fill", quantity=40)
    trade = await working(ib)
    ib.cancelOrder(trade.order)
    await barrier(ib)
    assert (trade.orderStatus.status, trade.filled()) == ("Cancelled", 40)
    assert gateway.ledger.held("AAPL") == 40


async def test_an_overfill_is_more_than_was_asked_for(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("overfill", extra=25)
    trade = await working(ib, limit=190.01)
    assert (trade.filled(), trade.remaining()) == (125, -25)
    assert gateway.ledger.held("AAPL") == 125


async def test_one_reference_may_have_two_perm_ids_and_both_fill(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("two_perm_ids")
    trade = await working(ib)
    assert len({o.perm_id for o in gateway.ledger.by_ref("w")}) == 2
    gateway.set_price("AAPL", 149)
    await barrier(ib)
    assert gateway.ledger.held("AAPL") == 200
    assert gateway.place_frames("w") == 1
    assert len({f.execution.permId for f in ib.fills()}) == 2
    assert trade.order.orderRef == "w"


async def test_a_change_may_leave_two_live_orders(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("two_perm_ids", when="modify")
    trade = await working(ib)
    trade.order.lmtPrice = 151
    await place(ib, trade.contract, trade.order)
    assert [o.terms.limit for o in gateway.ledger.live_orders()] == [150, 151]


async def test_executions_may_come_before_open_order(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("execution_first")
    mark = len(gateway.wire.frames)
    await working(ib, limit=190.01)
    sent = [f.message for f in gateway.wire.frames[mark:] if f.direction == "out" and f.message in (3, 5, 11)]
    assert sent[0] == 11


async def test_an_old_status_after_filled_overwrites_it_in_the_library(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("stale_status")
    gateway.faults.add("no_commission")
    gateway.faults.add("repeat_status")
    trade = await working(ib, limit=190.01)
    assert gateway.ledger.order("w").status == "Filled"
    assert trade.filled() == 100
    assert trade.fills[0].commissionReport.execId == ""


async def test_the_commission_may_be_late_and_a_second_query_has_none(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("late_commission", seconds=0.05)
    trade = await working(ib, limit=190.01)
    assert trade.fills[0].commissionReport.execId == ""
    await until(lambda: trade.fills[0].commissionReport.execId, "the commission")
    again = await ib.reqExecutionsAsync()
    assert again[0].commissionReport.execId == ""
    assert ib.fills()[0].commissionReport.commission == 1.0


async def test_read_only_draws_321_and_the_library_believes_in_an_order_that_does_not_exist(
    gateway: TwsGateway, ib: IB, codes: list[int]
) -> None:
    gateway.faults.add("read_only")
    trade = await working(ib)
    assert codes == [321]
    assert trade.isActive()
    assert gateway.ledger.orders == []


async def test_a_refused_what_if_is_an_empty_list_and_unset_margins_never_answer(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("what_if_refused")
    gateway.faults.add("what_if_unset", after=0)
    aapl = await qualified(ib, "AAPL")
    assert await asyncio.wait_for(ib.whatIfOrderAsync(aapl, MarketOrder("BUY", 1, tif="DAY")), 5) == []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.whatIfOrderAsync(aapl, MarketOrder("BUY", 1, tif="DAY")), 0.1)
