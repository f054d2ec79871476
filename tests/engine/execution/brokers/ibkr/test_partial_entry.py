"""Exits of an entry that was filled in part at Interactive Brokers: they stay, fit, and can be moved."""

import asyncio
from decimal import Decimal
from pathlib import Path

from engine.execution.guarding import Guard
from engine.model.ids import OrderRef
from engine.model.order import OrderStatus, Origin
from tests.engine.execution.brokers.ibkr.rig import IbRig, in_memory

D = Decimal


def exits(rig: IbRig, ref: str) -> list[OrderStatus]:
    return sorted((s for s in rig.desk.orders().values() if s.parent_ref == ref), key=lambda s: s.ref)


async def partly_filled(rig: IbRig) -> OrderRef:
    """Buy 100 with a stop and a target; 40 of them fill."""
    rig.gateway.set_liquidity("AAPL", 40)
    ref = rig.submit(rig.request(price="99.00", origin=Origin.AUTO), bracket=True)
    await rig.becomes(ref, "WORKING", "HELD")
    rig.gateway.fill(ref, 40, 99.0)
    await rig.becomes(ref, "PARTIAL")
    return ref


async def guarded(rig: IbRig) -> Guard:
    guard = Guard(
        rig.bus,
        rig.clock,
        rig.desk,
        booking=rig.ledger,
        gate=rig.gate,
        settings=rig.settings,
        exits_wait=rig.ib_broker.capabilities.exits_wait,
    )
    await guard.start()
    return guard


def test_a_stop_that_covers_what_has_filled_works_and_the_entry_goes_on(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        guard = await guarded(rig)
        ref = rig.submit(rig.request(price="99.00", origin=Origin.AUTO), bracket=True)
        await rig.becomes(ref, "WORKING")
        stop = next(s.ref for s in exits(rig, ref) if s.request.stop_price is not None)
        await rig.becomes(stop, "HELD")
        rig.gateway.fill(ref, 40, 99.0)
        await rig.becomes(ref, "PARTIAL")
        await rig.becomes(stop, "WORKING")
        await asyncio.sleep(120)
        assert (rig.state(ref), rig.state(stop)) == ("PARTIAL", "WORKING")
        await guard.stop()

    in_memory(tmp_path, story)


def test_at_a_gateway_that_holds_the_exits_back_the_rest_of_the_entry_goes_after_a_while(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        guard = await guarded(rig)
        ref = rig.submit(rig.request(price="99.00", origin=Origin.AUTO), bracket=True)
        await rig.becomes(ref, "WORKING")
        rig.gateway.fill(ref, 40, 99.0)
        await rig.becomes(ref, "PARTIAL")
        await asyncio.sleep(rig.settings.partial_wait_s - 5)
        assert rig.state(ref) == "PARTIAL"
        await rig.becomes(ref, "CANCELLED", seconds=30)
        await rig.holds(lambda: {s.request.quantity for s in exits(rig, ref)} == {D(40)}, 60, "exits for 40")
        assert {s.state.value for s in exits(rig, ref)} == {"WORKING"}
        await guard.stop()

    in_memory(tmp_path, story, config={"accents": ("exits wait",)})


def test_exits_that_are_for_more_than_what_filled_are_made_to_fit_when_the_rest_is_cancelled(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        guard = await guarded(rig)
        ref = await partly_filled(rig)
        rig.desk.cancel(ref, "test")
        await rig.becomes(ref, "CANCELLED")
        await rig.holds(lambda: {s.request.quantity for s in exits(rig, ref)} == {D(40)}, 60, "exits for 40")
        assert all(not s.state.closed for s in exits(rig, ref))
        assert {rig.gateway.ledger.order(s.ref).quantity for s in exits(rig, ref)} == {40}
        await guard.stop()

    in_memory(tmp_path, story)


def test_a_stop_is_moved_after_its_entry_is_over_without_naming_the_entry(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="101.00"), bracket=True)
        await rig.becomes(ref, "FILLED")
        stop = next(s for s in exits(rig, ref) if s.request.stop_price is not None)
        assert rig.desk.modify(stop.ref, stop_price=D("96.00")).ok
        await rig.holds(lambda: rig.desk.orders()[stop.ref].request.stop_price == D(96), 30, "the new stop")
        assert D(rig.gateway.ledger.order(stop.ref).terms["auxPrice"]) == 96

    in_memory(tmp_path, story)


def test_a_stop_whose_entry_still_works_keeps_naming_it(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = await partly_filled(rig)
        stop = next(s for s in exits(rig, ref) if s.request.stop_price is not None)
        assert rig.desk.modify(stop.ref, stop_price=D("96.00")).ok
        await rig.holds(lambda: rig.desk.orders()[stop.ref].request.stop_price == D(96), 30, "the new stop")
        assert rig.gateway.ledger.order(stop.ref).terms.parent_id == rig.gateway.ledger.order(ref).order_id

    in_memory(tmp_path, story)
