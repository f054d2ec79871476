"""Every fault does what its name says, seen through plain ib_async.

These tests also characterise the library: they go red when a new release of ib_async behaves differently.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ib_async import IB, LimitOrder, MarketOrder, OrderStatus, Trade

from tests.support.tws_gateway import script
from tests.support.tws_gateway.client import barrier, connected, place, qualified, until
from tests.support.tws_gateway.faults import CATALOGUE, Faults
from tests.support.tws_gateway.process import GatewayProcess
from tests.support.tws_gateway.server import ACTIONS, TwsGateway

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)


@pytest.fixture
async def gateway() -> AsyncIterator[TwsGateway]:
    async with TwsGateway(start=START, messages_per_second=0) as running:
        yield running
        assert running.faults.never_fired() == []


@pytest.fixture
async def ib(gateway: TwsGateway) -> AsyncIterator[IB]:
    async with connected(gateway) as client:
        yield client


@pytest.fixture
def codes(ib: IB) -> list[int]:
    seen: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: seen.append(code)
    return seen


async def working(ib: IB, ref: str = "w", limit: float = 150) -> Trade:
    return await place(ib, await qualified(ib, "AAPL"), LimitOrder("BUY", 100, limit, orderRef=ref, tif="GTC"))


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


# -- drops and silence --------------------------------------------------------------------------


async def test_drop_after_accept_leaves_a_working_order_that_the_next_session_finds(gateway: TwsGateway) -> None:
    gateway.faults.add("drop_after_accept", ref="w")
    gateway.faults.add("client_id_in_use", seconds=0.3)
    async with connected(gateway) as ib:
        aapl = await qualified(ib, "AAPL")
        trade = ib.placeOrder(aapl, LimitOrder("BUY", 10, 150, tif="DAY", orderRef="w"))
        await until(lambda: not ib.isConnected(), "the drop")
        assert trade.orderStatus.status == "PendingSubmit"
    refused = IB()
    with pytest.raises(TimeoutError):
        await refused.connectAsync("127.0.0.1", gateway.port, 7, timeout=0.1)
    gateway.advance(1)
    async with connected(gateway) as ib:
        assert [t.order.orderRef for t in ib.openTrades()] == ["w"]


async def test_a_client_id_that_is_connected_is_refused_with_326(gateway: TwsGateway, ib: IB) -> None:
    second, seen = IB(), []
    second.errorEvent += lambda req_id, code, text, contract: seen.append(code)
    with pytest.raises(TimeoutError):
        await second.connectAsync("127.0.0.1", gateway.port, 7, timeout=0.1)
    assert seen == [326]
    assert ib.isConnected()


async def test_a_lost_order_is_nowhere_and_a_silent_one_is_at_the_broker(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("lost_order", ref="lost")
    gateway.faults.add("silent_accept", ref="silent", seconds=0.1)
    lost, silent = await working(ib, "lost"), await working(ib, "silent")
    assert (lost.orderStatus.status, silent.orderStatus.status) == ("PendingSubmit", "PendingSubmit")
    assert [o.ref for o in gateway.ledger.orders] == ["silent"]
    assert (gateway.place_frames("lost"), gateway.place_frames("silent")) == (1, 1)
    await until(lambda: silent.orderStatus.status == "Submitted", "the late acknowledgement")
    assert lost.orderStatus.status == "PendingSubmit"


async def test_swallowed_and_muted_messages_never_arrive(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("swallow", messages=["account_summary"])
    gateway.faults.add("mute", messages=["order_status"], times=2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.accountSummaryAsync(), 0.1)
    trade = await working(ib)
    assert trade.orderStatus.status == "PendingSubmit"
    assert trade.order.permId
    assert [f.note for f in gateway.wire.frames if f.note] == ["muted"]
    gateway.order_status("w")
    gateway.order_status("w")
    await barrier(ib)
    assert trade.orderStatus.status == "Submitted"


async def test_a_half_open_link_looks_connected_and_answers_nothing(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("half_open")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.reqCurrentTimeAsync(), 0.1)
    assert ib.isConnected()
    silence: list[float] = []
    ib.timeoutEvent += silence.append
    ib.setTimeout(0.05)
    await until(lambda: silence, "the timeout event")


async def test_a_wrong_length_prefix_blocks_the_parser_for_ever(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("bad_length", messages=["current_time"])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.reqCurrentTimeAsync(), 0.1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.reqCurrentTimeAsync(), 0.1)
    assert ib.isConnected()


@pytest.mark.parametrize(("fault", "answered"), [("truncate_frame", False), ("reset_after_frame", True)])
async def test_a_cut_frame_or_a_reset_between_frames_ends_the_connection(
    gateway: TwsGateway, ib: IB, fault: str, answered: bool
) -> None:
    gateway.faults.add(fault, messages=["order_status"])
    trade = ib.placeOrder(await qualified(ib, "AAPL"), LimitOrder("BUY", 10, 150, tif="DAY", orderRef="w"))
    await until(lambda: not ib.isConnected(), "the end")
    assert (trade.orderStatus.status == "Submitted") is answered
    assert gateway.ledger.order("w").live


async def test_callbacks_come_late_twice_or_out_of_order(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("delay", messages=["commission_report"], seconds=0.05, times=1)
    gateway.faults.add("duplicate", messages=["exec_details"], copies=2)
    trade = await working(ib, limit=190.01)
    assert trade.fills[0].commissionReport.execId == ""
    await until(lambda: trade.fills[0].commissionReport.execId, "the commission")
    assert len(trade.fills) == 1
    frames = list(gateway.wire.select(11, "out"))
    assert len(frames) == 3
    gateway.faults.add("reorder", messages=["open_order", "order_status", "exec_details"], window=3)
    mark = len(gateway.wire.frames)
    await working(ib, "second", limit=190.01)
    await until(lambda: any(f.note == "reordered" for f in gateway.wire.frames[mark:]), "the shuffled frames")
    await until(lambda: any(t.order.orderRef == "second" and t.isDone() for t in ib.trades()), "the fill")


async def test_the_rate_limit_warns_and_then_disconnects() -> None:
    async with TwsGateway(start=START, messages_per_second=50) as gateway, connected(gateway) as ib:
        seen: list[int] = []
        ib.errorEvent += lambda req_id, code, text, contract: seen.append(code)
        ib.client.MaxRequests = 0
        for _ in range(60):
            ib.client.reqIds(1)
        await until(lambda: not ib.isConnected(), "the disconnect")
        assert seen == [100, 100, 100]


async def test_pacing_can_be_provoked(gateway: TwsGateway, ib: IB, codes: list[int]) -> None:
    gateway.faults.add("pacing")
    await barrier(ib)
    assert codes == [100]
    assert ib.isConnected()


# -- the link to IB -----------------------------------------------------------------------------


async def test_executions_of_an_outage_are_not_pushed_but_can_be_asked_for(
    gateway: TwsGateway, ib: IB, codes: list[int]
) -> None:
    trade = await working(ib)
    ticker = ib.reqMktData(trade.contract)
    await barrier(ib)
    gateway.faults.add("1100")
    gateway.fill("w", 40, 150)
    gateway.set_price("AAPL", 151)
    gateway.faults.add("1102")
    await barrier(ib)
    assert codes == [1100, 1102]
    assert (trade.filled(), ticker.last) == (0, 190)
    assert [f.execution.shares for f in await ib.reqExecutionsAsync()] == [40]
    gateway.set_price("AAPL", 152)
    await barrier(ib)
    assert ticker.last == 152
    gateway.faults.add("1100")
    gateway.faults.add("1101")
    gateway.set_price("AAPL", 153)
    await barrier(ib)
    assert ticker.last == 152


@pytest.mark.parametrize(("orders", "recorded"), [("lost", []), ("delivered", ["w"])])
async def test_an_order_sent_into_an_outage_is_swallowed(
    gateway: TwsGateway, ib: IB, orders: str, recorded: list[str]
) -> None:
    await qualified(ib, "AAPL")
    gateway.faults.add("1100", orders=orders)
    trade = await working(ib)
    assert trade.orderStatus.status == "PendingSubmit"
    gateway.faults.add("1102")
    await barrier(ib)
    assert [o.ref for o in gateway.ledger.orders] == recorded


async def test_the_link_breaks_after_the_seventh_fill_when_told_so(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("1100", on="fill", after=6)
    gateway.market.set_liquidity("AAPL", 5)
    trade = await working(ib, limit=190.01)
    for _ in range(19):
        gateway.set_price("AAPL", 190)
    await barrier(ib)
    assert (len(trade.fills), len(gateway.ledger.executions)) == (7, 20)
    gateway.faults.add("1102")
    assert len(await ib.reqExecutionsAsync()) == 20


@pytest.mark.parametrize("name", ["2103", "2104", "2105", "2106", "2110"])
async def test_farms_and_notes_are_said_to_every_client(
    gateway: TwsGateway, ib: IB, codes: list[int], name: str
) -> None:
    gateway.faults.add(name)
    gateway.faults.add("say", code=1300, text="Socket port has been reset")
    await barrier(ib)
    assert codes == [int(name), 1300]


async def test_a_competing_session_takes_the_data(gateway: TwsGateway, ib: IB, codes: list[int]) -> None:
    ticker = ib.reqMktData(await qualified(ib, "AAPL"))
    await barrier(ib)
    gateway.faults.add("10197")
    gateway.set_price("AAPL", 170)
    await barrier(ib)
    assert codes == [10197]
    assert ticker.last == 190


async def test_a_restart_ends_every_connection_and_hands_out_old_ids(gateway: TwsGateway, ib: IB) -> None:
    trade = await working(ib)
    gateway.faults.add("restart", rollback_to=2)
    await until(lambda: not ib.isConnected(), "the end")
    assert gateway.next_order_id(7) == 2 < trade.order.orderId


async def test_another_account_is_reported_when_told_so(gateway: TwsGateway) -> None:
    gateway.faults.add("account_mismatch", account="U7654321")
    gateway.faults.add("refuse", messages=["account_updates", "account_updates_multi"], code=162)
    ib = IB()
    await ib.connectAsync("127.0.0.1", gateway.port, 7, timeout=0.2)
    assert ib.managedAccounts() == ["U7654321"]
    ib.disconnect()
    await asyncio.sleep(0)


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


# -- data ---------------------------------------------------------------------------------------


async def test_lines_history_and_depth_faults(gateway: TwsGateway, ib: IB, codes: list[int]) -> None:
    aapl = await qualified(ib, "AAPL")
    gateway.faults.add("max_lines")
    gateway.faults.add("history_pacing", times=1)
    gateway.faults.add("history_silent")
    ib.reqMktData(aapl)
    await barrier(ib)
    assert codes == [101]
    await ib.reqHistoricalDataAsync(aapl, "", "1 D", "1 hour", "TRADES", True)
    assert codes == [101, 162]
    assert list(await ib.reqHistoricalDataAsync(aapl, "", "1 D", "1 hour", "TRADES", True, timeout=0.1)) == []
    book = ib.reqMktDepth(aapl)
    await barrier(ib)
    gateway.faults.add("depth_reset")
    await barrier(ib)
    assert codes[-1] == 317
    assert len(book.domBids) == 5


async def test_a_data_request_refused_with_321_never_ends(gateway: TwsGateway, ib: IB) -> None:
    gateway.faults.add("refuse", messages=["historical_data"], code=321)
    aapl = await qualified(ib, "AAPL")
    assert list(await ib.reqHistoricalDataAsync(aapl, "", "1 D", "1 hour", "TRADES", True, timeout=0.1)) == []


# -- arming -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("nonsense", {}, "unknown fault"),
        ("reject", {"colour": 1}, "no parameter"),
        ("reject", {"on": "fill"}, "is for actions"),
        ("1100", {"on": "breakfast"}, "must be one of"),
        ("mute", {"messages": ["hello"]}, "no message is called"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_by_name(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Faults(1, lambda action, params: None).add(name, **settings)


def test_every_action_of_the_catalogue_exists_and_faults_count_their_chances() -> None:
    assert {s.action for s in CATALOGUE.values() if s.action} <= ACTIONS
    faults = Faults(1, lambda action, params: None)
    faults.add("reject", ref="a", after=1, times=2)
    assert [faults.hit("reject", ref=ref) is not None for ref in "abaaa"] == [False, False, True, True, False]
    assert faults.fired("reject") == 2
    faults.add("lost_order", chance=0.5, times=None)
    hits = sum(faults.hit("lost_order") is not None for _ in range(200))
    assert 60 < hits < 140
    assert faults.never_fired() == []


# -- process and script -------------------------------------------------------------------------


async def test_the_gateway_runs_as_its_own_process_from_a_script(tmp_path: Path, repo_dir: Path) -> None:
    plan = {
        "config": {"accounts": ["DU9"], "start": "2024-01-05T15:00:00+00:00"},
        "prices": {"AAPL": 100},
        "positions": [{"symbol": "MSFT", "quantity": 5, "cost": 400}],
        "faults": [{"name": "lost_order", "ref": "lost"}],
        "steps": [{"at": 0.0, "do": "set_price", "with": {"symbol": "NVDA", "price": 99}}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "tests.support.tws_gateway", "--script", str(tmp_path / "plan.json"), "--control"]
    command += [
        "--ledger",
        str(tmp_path / "ledger.json"),
        "--wire-log",
        str(tmp_path / "wire.jsonl"),
        "--seconds",
        "60",
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=repo_dir, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    port = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["port"]

    async def ask(**step: Any) -> Any:
        process.stdin.write(json.dumps(step).encode() + b"\n")
        return json.loads(await asyncio.wait_for(process.stdout.readline(), 10))

    ib = IB()
    await ib.connectAsync("127.0.0.1", port, 3, raiseSyncErrors=True)
    assert [(p.account, p.position) for p in ib.positions()] == [("DU9", 5)]
    aapl = await qualified(ib, "AAPL")
    await place(ib, aapl, LimitOrder("BUY", 10, 100.5, orderRef="lost"))
    await place(ib, aapl, LimitOrder("BUY", 10, 100.5, orderRef="kept"))
    counts = await ask(do="counts")
    assert counts["place_frames"] == {"lost": 1, "kept": 1}
    assert (await ask(do="snapshot"))["snapshot"]["orders"][0]["ref"] == "kept"
    assert (await ask(do="fly"))["ok"] is False
    assert (await ask(do="fired")) == {"ok": True, "never_fired": []}
    assert (await ask(do="stop"))["ok"] is True
    assert await asyncio.wait_for(process.wait(), 10) == 0
    ib.disconnect()
    ledger = json.loads((tmp_path / "ledger.json").read_text())
    assert [e["ref"] for e in ledger["executions"]] == ["kept"]
    assert len((tmp_path / "wire.jsonl").read_text().splitlines()) > 20


async def test_blocking_code_steers_a_gateway_process() -> None:
    with GatewayProcess({"prices": {"AAPL": 100}}) as process:
        process.fault("reject", ref="no")
        ib = IB()
        await ib.connectAsync("127.0.0.1", process.port, 3, raiseSyncErrors=True)
        aapl = await qualified(ib, "AAPL")
        await place(ib, aapl, LimitOrder("BUY", 10, 99, orderRef="no"))
        trade = await place(ib, aapl, LimitOrder("BUY", 10, 99, orderRef="yes"))
        process.do("set_price", symbol="AAPL", price=98)
        await until(lambda: trade.orderStatus.status == "Filled", "the fill")
        assert [e["ref"] for e in process.snapshot()["executions"]] == ["yes"]
        assert process.counts()["place_frames"] == {"no": 1, "yes": 1}
        assert process.never_fired() == []
        with pytest.raises(ValueError, match="unknown action"):
            process.do("fly")
        ib.disconnect()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"stepz": []}, "the script is an object"),
        ({"steps": [{"at": 1}]}, "exactly one of"),
        ({"steps": [{"do": "fly"}]}, "unknown action"),
        ({"steps": [{"do": "drop", "when": 1}]}, "unknown keys"),
    ],
)
def test_a_script_with_a_mistake_is_refused_by_step(tmp_path: Path, plan: dict[str, Any], message: str) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(ValueError, match=message):
        script.load(tmp_path / "plan.json")


def test_an_unknown_setting_in_a_script_is_named() -> None:
    with pytest.raises(ValueError, match="colour"):
        script.read_config({"colour": "red"})
