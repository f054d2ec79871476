"""T-R2 to T-R4 and brackets over drops: what happened while we were away is found, once, and nothing is guessed."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.decision import Mode
from engine.model.events.system import Alarm
from engine.model.ids import OrderRef
from engine.model.report import LinkState
from tests.engine.execution.brokers.ibkr.rig import (
    IbRig,
    LoopClock,
    begin_gateway,
    in_memory,
    run_virtual,
)

ENDS = {
    "open orders": "no_open_orders_end",
    "executions": "no_executions_end",
    "positions": "no_positions_end",
    "account": "no_account_end",
}


@pytest.mark.parametrize(
    "missing",
    [
        ("open orders",),
        ("executions",),
        ("positions",),
        ("account",),
        ("open orders", "executions"),
        ("open orders", "positions"),
        ("executions", "positions"),
    ],
    ids="+".join,
)
def test_t_r2_a_part_that_is_not_answered_halts_trading_and_is_named(tmp_path: Path, missing: tuple[str, ...]) -> None:
    async def story() -> None:
        gateway = begin_gateway()
        for part in missing:
            gateway.faults.add(ENDS[part])
        if "account" in missing:
            gateway.faults.add("mute", messages=["ACCOUNT_SUMMARY_END"])
        rig = IbRig(tmp_path, gateway, LoopClock(), True, {})
        await rig.begin(synced=False)
        await rig.holds(lambda: rig.modes.mode is Mode.HALTED, 60)
        await asyncio.sleep(20)
        assert not rig.desk.synced
        ref = rig.submit(rig.request(price="90.00"))
        assert rig.state(ref) == "NEVER_SENT"
        assert gateway.place_counts() == {}
        texts = [e.happened for e in rig.events if isinstance(e, Alarm)]
        assert any(all(part in text for part in missing) for text in texts), texts
        gateway.faults.clear()
        await rig.holds(lambda: rig.desk.synced, 60)
        assert rig.modes.mode is Mode.HALTED, "a person decides when it goes on"
        await rig.finish()
        await gateway.stop()

    run_virtual(story)


async def busy_book(rig: IbRig) -> dict[str, OrderRef]:
    rig.gateway.set_auto_fill(False)
    refs = {
        "burst": rig.submit(rig.request(price="101.00", quantity=200)),
        "working": rig.submit(rig.request("MSFT", price="90.00")),
        "cancelled": rig.submit(rig.request("NVDA", price="90.00")),
        "changed": rig.submit(rig.request("KO", price="90.00")),
    }
    await rig.holds(lambda: all(rig.state(r) == "WORKING" for r in refs.values()))
    for _ in range(7):
        rig.gateway.fill(refs["burst"], 10)
    await rig.holds(lambda: rig.desk.orders()[refs["burst"]].filled == 70)
    return refs


@pytest.mark.parametrize("how", ["1101", "1102", "drop", "restart"])
def test_t_r3_fills_of_an_outage_are_all_found_once(tmp_path: Path, how: str) -> None:
    async def story(rig: IbRig) -> None:
        refs = await busy_book(rig)
        if how in ("1101", "1102"):
            rig.gateway.link_lost()
        rig.desk.cancel(refs["cancelled"], "test")
        assert rig.desk.modify(refs["changed"], limit_price=Decimal("91")).ok or how in ("1101", "1102")
        if how == "drop":
            rig.gateway.refuses = True
            rig.gateway.drop()
        elif how == "restart":
            rig.gateway.restart(rollback_to=1)
        await rig.holds(lambda: not rig.desk.synced)
        assert rig.state(refs["working"]) == "UNKNOWN"
        for _ in range(13):
            rig.gateway.fill(refs["burst"], 10)
            await asyncio.sleep(6.5)
        rig.gateway.refuses = False
        if how in ("1101", "1102"):
            rig.gateway.link_restored(data_lost=how == "1101")
        await rig.holds(lambda: rig.desk.synced, 120)
        await asyncio.sleep(5)
        burst = rig.desk.orders()[refs["burst"]]
        assert (burst.state.value, burst.filled) == ("FILLED", 200)
        assert rig.ledger.positions()["AAPL"].quantity == 200
        assert rig.state(refs["working"]) == "WORKING"
        await rig.becomes(refs["cancelled"], "CANCELLED", seconds=30)
        assert not list(rig.gateway.wire.select(62, "in")), "the library asked for the account summary behind our back"
        at_gateway = rig.gateway.ledger.order(refs["changed"]).terms.limit
        await rig.holds(lambda: rig.desk.orders()[refs["changed"]].request.limit_price == at_gateway)

    in_memory(tmp_path, story)


def test_t_r4_a_position_changed_by_hand_locks_its_symbol_and_unlocks_when_it_agrees(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        await rig.becomes(rig.submit(rig.request(price="101.00")), "FILLED")
        rig.gateway.transfer("AAPL", 50, 100)
        await rig.holds(lambda: rig.modes.locked("AAPL"), 60)
        assert rig.desk.drifting("AAPL")
        texts = [e.happened for e in rig.events if isinstance(e, Alarm)]
        assert any("100" in t and "150" in t for t in texts)
        rig.gateway.transfer("AAPL", -50, 100)
        await rig.holds(lambda: not rig.modes.locked("AAPL"), 60)

    in_memory(tmp_path, story)


@pytest.mark.parametrize("event", ["place", "accept", "fill", "cancel"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_bracket_with_a_drop_in_the_middle_ends_equal_to_the_gateways_ledger(
    tmp_path: Path, event: str, after: int
) -> None:
    async def story(rig: IbRig) -> None:
        fault = rig.gateway.faults.add("drop", on=event, after=after)
        entry = rig.submit(rig.request(price="99.00"), bracket=True)
        rig.submit(rig.request("MSFT", price="90.00"))
        rig.submit(rig.request("KO", price="90.00"))
        rig.submit(rig.request("NVDA", price="90.00"))
        await asyncio.sleep(0.5)
        rig.gateway.set_liquidity("AAPL", 40)
        for price in (98, 98.5, 98.2, 97, 111, 112, 110.5, 113):
            rig.gateway.set_price("AAPL", price)
            await asyncio.sleep(0.3)
        rig.gateway.set_liquidity("AAPL", None)
        rig.gateway.set_price("AAPL", 98)
        await rig.holds(lambda: rig.desk.synced, 60)
        await asyncio.sleep(20)
        for status in rig.desk.open_orders():
            rig.desk.cancel(status.ref, "test")
        await rig.holds(lambda: not rig.desk.open_orders(), 90)
        assert fault.fired
        assert rig.gateway.place_frames(entry) <= 1

    in_memory(tmp_path, story)


@pytest.mark.parametrize("message", ["open_order", "order_status", "exec_details", "commission_report"])
@pytest.mark.parametrize("fault", ["truncate_frame", "reset_after_frame", "bad_length"])
def test_a_broken_frame_costs_the_connection_and_nothing_else(tmp_path: Path, message: str, fault: str) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add(fault, messages=[message])
        ref = rig.submit(rig.request(price="101.00"))
        await rig.holds(lambda: rig.ib_link.state is not LinkState.UP, 40)
        await rig.becomes(ref, "FILLED", seconds=60)
        assert rig.gateway.place_frames(ref) == 1

    in_memory(tmp_path, story)


def test_a_late_answer_is_not_taken_for_the_answer_to_the_next_question(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        faults = rig.gateway.faults
        late = faults.add("delay", messages=["open_order_end"], seconds=16, times=1)
        await rig.holds(lambda: late.fired, 30)  # an empty list, on its way for 16 s
        await asyncio.sleep(5)
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        await asyncio.sleep(7)
        # The next list shows the order and is slow, too: the empty one arrives while it is awaited.
        faults.add("delay", messages=["open_order", "order_status", "open_order_end"], seconds=3)
        for _ in range(80):
            await asyncio.sleep(0.1)
            assert rig.state(ref) == "WORKING"
        assert len(list(rig.gateway.wire.select(16, "in"))) >= 3
        faults.clear()
        await rig.holds(lambda: rig.desk.synced, 40)

    in_memory(tmp_path, story)
