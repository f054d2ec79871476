"""Entries with a good-till time at Alpaca, which has none: this program ends them, whatever comes in between."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from engine.bus.clock import SECOND
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.brokers.alpaca.wire_order import NO_GOOD_TILL, body, misfit
from engine.execution.guarding import Guard
from engine.model.ids import OrderRef
from engine.model.order import ClearedOrder, OrderRequest, OrderType, Origin, TimeInForce
from tests.engine.execution.brokers.alpaca.rig import AlpacaRig, alpaca_rig
from tests.engine.risk.world import AAPL, World, d

D = Decimal


@pytest_asyncio.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlpacaRig]:
    async with alpaca_rig(tmp_path, monkeypatch, expire_by_program=True) as built:
        yield built


def entry(rig: AlpacaRig, seconds: float, legs_tif: TimeInForce = TimeInForce.GTC) -> OrderRef:
    """What the gate makes of the agent's suggestion: a good-till time, and legs that outlive the day."""
    till = rig.clock.now() + round(seconds * SECOND)
    request = rig.request("AAPL", quantity=10, price="150", origin=Origin.AUTO, tif=TimeInForce.GTD, good_till_ns=till)
    cleared = rig.cleared(request, bracket=True)
    legs = tuple(
        msgspec.structs.replace(leg, request=msgspec.structs.replace(leg.request, tif=legs_tif, **target(leg.request)))
        for leg in cleared.legs
    )
    return rig.desk.submit(msgspec.structs.replace(cleared, legs=legs)).ref


def target(leg: OrderRequest) -> dict[str, Decimal]:
    return {"limit_price": D("200.00")} if leg.limit_price is not None else {}


def at_broker(rig: AlpacaRig, ref: str) -> str:
    return rig.server.book.by_client_id(ref).status


async def test_an_entry_of_the_agent_goes_as_a_bracket_and_is_cancelled_at_its_good_till_time(rig: AlpacaRig) -> None:
    ref = entry(rig, 1.0)
    await rig.until_state(ref, "WORKING")
    sent = rig.server.book.by_client_id(ref)
    assert (sent.order_class, sent.tif) == ("bracket", "gtc")
    status = rig.desk.order(ref)
    assert status is not None
    assert status.request.tif is TimeInForce.GTD
    assert status.request.good_till_ns is not None
    assert at_broker(rig, ref) == "new"
    await rig.until_state(ref, "CANCELLED")
    assert rig.clock.now() >= status.request.good_till_ns
    after = rig.desk.order(ref)
    assert after is not None
    assert "time at the broker is over" in after.reason
    assert not any(order.open for order in rig.server.book.orders)


async def test_legs_for_the_day_make_the_bracket_one_for_the_day(rig: AlpacaRig) -> None:
    ref = entry(rig, 60, TimeInForce.DAY)
    await rig.until_state(ref, "WORKING")
    assert {order.tif for order in rig.server.book.orders} == {"day"}


async def test_an_entry_whose_time_passed_while_the_program_was_away_is_cancelled_at_the_start(rig: AlpacaRig) -> None:
    ref = entry(rig, 0.8)
    await rig.until_state(ref, "WORKING")
    await rig.desk.stop()
    await rig.alpaca.stop()
    await asyncio.sleep(1.0)
    assert at_broker(rig, ref) == "new"
    await rig.restart()
    await rig.until_state(ref, "CANCELLED")
    assert at_broker(rig, ref) == "canceled"


async def test_the_end_survives_a_crash_before_it(rig: AlpacaRig) -> None:
    ref = entry(rig, 2.0)
    await rig.until_state(ref, "WORKING")
    await rig.restart()
    assert at_broker(rig, ref) == "new"
    await rig.until_state(ref, "CANCELLED")
    status = rig.desk.order(ref)
    assert status is not None
    assert status.request.good_till_ns is not None
    assert status.request.good_till_ns <= rig.clock.now()


async def test_a_cancel_that_did_not_arrive_is_repeated_at_the_next_comparison(rig: AlpacaRig) -> None:
    ref = entry(rig, 0.6)
    await rig.until_state(ref, "WORKING")
    rig.server.faults.add("error_before", method="DELETE")
    await rig.wait(lambda: not rig.server.faults.never_fired())
    assert at_broker(rig, ref) == "new"
    rig.desk.check_now()
    await rig.until_state(ref, "CANCELLED")


async def test_moving_the_end_on_keeps_the_order_and_its_place_at_the_broker(rig: AlpacaRig) -> None:
    ref = entry(rig, 1.0)
    await rig.until_state(ref, "WORKING")
    before = rig.server.book.by_client_id(ref).id
    until = rig.clock.now() + 3 * SECOND
    receipt = rig.desk.extend(ref, until, "test")
    assert receipt.ok, receipt.text
    await rig.until_state(ref, "WORKING")
    status = rig.desk.order(ref)
    assert status is not None
    assert status.request.good_till_ns == until
    await asyncio.sleep(1.5)
    assert at_broker(rig, ref) == "new"
    assert rig.server.book.by_client_id(ref).id == before
    await rig.until_state(ref, "CANCELLED")
    assert rig.clock.now() >= until


@pytest.mark.parametrize("kept", [True, False], ids=["the legs live on", "the legs end with the entry"])
async def test_the_rest_of_a_partly_filled_entry_ends_and_what_filled_is_held(rig: AlpacaRig, kept: bool) -> None:
    rig.server.book.keep_legs = kept
    ref = entry(rig, 1.2)
    await rig.until_state(ref, "WORKING")
    rig.server.set_quote("AAPL", "149.98", "150.00", liquidity="4")
    await rig.until_state(ref, "PARTIAL")
    await rig.until_state(ref, "CANCELLED")
    status = rig.desk.order(ref)
    assert status is not None
    assert status.filled == D(4)
    assert rig.ledger.positions()["AAPL"].quantity == D(4)
    legs = [s for s in rig.desk.orders().values() if s.parent_ref == ref]
    await rig.wait(lambda: all(rig.desk.orders()[leg.ref].state.closed is not kept for leg in legs))


async def test_what_filled_gets_stop_and_target_of_its_own_at_once_when_the_bracket_ends_with_its_entry(
    rig: AlpacaRig,
) -> None:
    guard = Guard(
        rig.bus,
        rig.clock,
        rig.desk,
        booking=rig.ledger,
        gate=rig.gate,
        settings=rig.settings,
        exits_wait=rig.broker.capabilities.exits_wait,
        pairs_in_one=rig.broker.capabilities.brackets_in_one,
    )
    await guard.start()
    ref = entry(rig, 1.2)
    await rig.until_state(ref, "WORKING")
    rig.server.set_quote("AAPL", "149.98", "150.00", liquidity="4")
    await rig.until_state(ref, "PARTIAL")
    await rig.until_state(ref, "CANCELLED")
    await rig.wait(lambda: len([order for order in rig.server.book.orders if order.open]) == 2)
    target, stop = [order for order in rig.server.book.orders if order.open]
    assert (target.type, target.side, target.qty, target.limit, target.tif) == ("limit", "sell", D(4), D(200), "gtc")
    assert (stop.type, stop.side, stop.qty, stop.stop, stop.tif) == ("stop", "sell", D(4), D(95), "gtc")
    assert (target.order_class, stop.order_class, stop.parent) == ("oco", "oco", target)
    (told,) = [order for order in rig.desk.open_orders() if order.request.stop_price is not None]
    await rig.until_state(told.ref, "WORKING")
    await guard.stop()
    await rig.restart()
    await rig.until_state(told.ref, "WORKING")
    rig.server.set_quote("AAPL", "200.00", "200.02", liquidity="100")
    await rig.until_state(told.ref, "CANCELLED")
    assert not rig.ledger.positions()


def pair(**changes: Any) -> ClearedOrder:
    """A target with its stop, as the guard sends them."""
    world = World()
    world.ledger.hold(AAPL, 100)
    fields = {"origin": Origin.PROTECTIVE, "oca_group": "g", "tif": TimeInForce.GTC}
    target = world.send(world.close(100, limit_price=d(110), **fields))
    stop = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": d(95), **fields, **changes}
    return msgspec.structs.replace(target, legs=(world.send(world.close(100, **stop)),))


def test_a_target_with_its_stop_goes_as_one_cancels_other() -> None:
    order = pair()
    assert misfit(order, AlpacaSettings()) == ""
    assert body(order) == {
        "client_order_id": order.ref,
        "symbol": "AAPL",
        "side": "sell",
        "type": "limit",
        "time_in_force": "gtc",
        "qty": "100",
        "order_class": "oco",
        "take_profit": {"limit_price": "110"},
        "stop_loss": {"stop_price": "95"},
    }


@pytest.mark.parametrize("changes", [{"order_type": OrderType.LIMIT, "limit_price": d(120), "stop_price": None}])
def test_two_targets_are_no_pair(changes: dict[str, Any]) -> None:
    assert "group of exits" in misfit(pair(**changes), AlpacaSettings())


def test_what_the_gate_makes_of_a_suggestion_of_the_agent_fits_alpaca_with_the_setting_and_not_without() -> None:
    world = World()
    cleared = world.clear(world.request())
    assert cleared is not None
    assert cleared.request.tif is TimeInForce.GTD
    assert misfit(cleared, AlpacaSettings(expire_by_program=True)) == ""
    sent = body(cleared)
    assert (sent["order_class"], sent["time_in_force"], sent["type"]) == ("bracket", "gtc", "limit")
    assert (sent["stop_loss"], sent["take_profit"]) == ({"stop_price": "98"}, {"limit_price": "104"})
    assert misfit(cleared, AlpacaSettings()) == NO_GOOD_TILL
