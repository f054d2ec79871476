"""Faults of the wire, the link and the data, seen through plain ib_async."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from ib_async import IB, LimitOrder

from tests.support.tws_gateway.client import barrier, connected, qualified, until, working
from tests.support.tws_gateway.faults import CATALOGUE, Faults
from tests.support.tws_gateway.server import ACTIONS, TwsGateway

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)


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
