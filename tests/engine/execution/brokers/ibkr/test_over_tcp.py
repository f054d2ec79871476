"""The same stack over a real socket in real time: bytes, drops and dead lines as they are."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.model.decision import Mode
from engine.model.ids import OrderRef
from engine.model.report import LinkState
from tests.engine.execution.brokers.ibkr.rig import BEGIN, PRICES, IbRig, LoopClock
from tests.support.tws_gateway.server import TwsGateway

QUICK: dict[str, Any] = {"retry_first_s": 0.1, "heartbeat_s": 0.5, "heartbeat_answer_s": 1.0, "read_timeout_s": 1.0}


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[TwsGateway]:
    async with TwsGateway(start=BEGIN) as running:
        yield running


@pytest_asyncio.fixture
async def rig(gateway: TwsGateway, tmp_path: Path) -> AsyncIterator[IbRig]:
    built = await IbRig(tmp_path, gateway, LoopClock(), False, QUICK).begin()
    yield built
    await built.finish()


async def test_t_x3_a_bracket_lives_and_ends_over_tcp_with_every_frame_recorded_before(rig: IbRig) -> None:
    ref = rig.submit(rig.request(price="99.00"), bracket=True)
    await rig.becomes(ref, "WORKING")
    rig.gateway.set_price("AAPL", 98)
    await rig.becomes(ref, "FILLED")
    rig.gateway.set_price("AAPL", 111)
    await rig.holds(lambda: not rig.desk.open_orders())
    assert rig.breaches == []
    assert "AAPL" not in rig.ledger.positions()
    assert sorted(rig.gateway.place_counts().values()) == [1, 1, 1]


@pytest.mark.parametrize("fault", ["drop_before_accept", "drop_after_accept"])
async def test_t_x4_a_drop_in_the_middle_of_a_bracket_over_tcp_ends_equal_to_the_ledger(rig: IbRig, fault: str) -> None:
    cleared = rig.cleared(rig.request(price="90.00"), bracket=True)
    rig.gateway.faults.add(fault, ref=cleared.legs[-1].ref)
    rig.desk.submit(cleared)
    await rig.holds(lambda: rig.ib_link.sessions >= 2 and rig.desk.synced)
    if fault == "drop_before_accept":
        await rig.becomes(cleared.ref, "CANCELLED")
        assert rig.gateway.ledger.live_orders() == []
        # The leg that never arrived is proved absent by two looks ten seconds apart; that is told in virtual time.
        rig.desk.resolve(cleared.legs[-1].ref, "NOT_AT_BROKER", "never arrived", "test")
    else:
        await rig.becomes(cleared.ref, "WORKING")
    assert rig.gateway.place_frames(cleared.ref) == 1


async def test_t_x6_a_burst_and_a_drop_over_tcp_lose_no_order_silently(rig: IbRig) -> None:
    refs: list[OrderRef] = []
    for number in range(60):
        refs.append(rig.submit(rig.request(sorted(PRICES)[number % 5], price="90.00", quantity=1)))
        assert not rig.ib_link._ib.client._msgQ
    rig.ib_link._ib.client.conn.transport.abort()
    await rig.holds(lambda: rig.ib_link.sessions >= 2 and rig.desk.synced)
    sent = [ref for ref in refs if rig.state(ref) != "NEVER_SENT"]
    assert 0 < len(sent) < 60
    await rig.holds(lambda: all(rig.state(r) == "WORKING" for r in sent if rig.gateway.ledger.by_ref(r)))
    for ref in sent:
        if not rig.gateway.ledger.by_ref(ref):
            assert rig.state(ref) == "UNKNOWN"
            rig.desk.resolve(ref, "NOT_AT_BROKER", "never arrived", "test")


@pytest.mark.long
async def test_t_s1_fifty_working_orders_are_cancelled_and_nothing_is_placed_after(rig: IbRig) -> None:
    refs = []
    for number in range(50):
        refs.append(rig.submit(rig.request(sorted(PRICES)[number % 5], price="90.00", quantity=1)))
        await asyncio.sleep(0.06)
    await rig.holds(lambda: all(rig.state(r) == "WORKING" for r in refs))
    rig.modes.halt("test", "STOP")
    await rig.holds(lambda: all(rig.state(r) == "CANCELLED" for r in refs))
    assert rig.state(rig.submit(rig.request("KO", price="90.00"))) == "NEVER_SENT"
    assert (rig.gateway.last_place_ns() or 0) < (rig.gateway.last_cancel_ns() or 0)


async def test_t_l1_a_dead_line_over_tcp_is_noticed_and_left(rig: IbRig) -> None:
    rig.gateway.half_open()
    await rig.holds(lambda: rig.ib_link.state is LinkState.DOWN)
    assert "dead" in rig.ib_link.text
    await rig.holds(lambda: rig.desk.synced)


async def test_t_l1_a_client_id_in_use_over_tcp_is_waited_for(rig: IbRig) -> None:
    rig.gateway.faults.add("client_id_in_use", seconds=0.4)
    rig.gateway.drop()
    await rig.holds(lambda: "already in use" in rig.ib_link.text)
    await rig.holds(lambda: rig.desk.synced)


@pytest.mark.long
@pytest.mark.parametrize("message", ["open_order", "exec_details"])
@pytest.mark.parametrize("fault", ["truncate_frame", "reset_after_frame", "bad_length"])
async def test_a_broken_frame_over_tcp_costs_the_connection_and_nothing_else(
    rig: IbRig, message: str, fault: str
) -> None:
    rig.gateway.faults.add(fault, messages=[message])
    ref = rig.submit(rig.request(price="101.00"))
    await rig.holds(lambda: rig.ib_link.sessions >= 2)
    await rig.becomes(ref, "FILLED")
    assert rig.gateway.place_frames(ref) == 1


@pytest.mark.parametrize("missing", ["no_open_orders_end", "no_executions_end", "no_positions_end"])
async def test_t_r2_over_tcp_a_missing_part_halts(gateway: TwsGateway, tmp_path: Path, missing: str) -> None:
    gateway.faults.add(missing)
    rig = await IbRig(tmp_path, gateway, LoopClock(), False, QUICK).begin(synced=False)
    await rig.holds(lambda: rig.modes.mode is Mode.HALTED)
    assert not rig.desk.synced
    assert rig.state(rig.submit(rig.request(price="90.00"))) == "NEVER_SENT"
    await rig.finish(same=False)
