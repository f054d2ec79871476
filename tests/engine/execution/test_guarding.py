"""Exits of entries filled in part: no part is left without a stop in silence, and no exit closes more than is held."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.order_language import parse_order_text
from engine.bus.clock import SECOND
from engine.execution.guarding import Guard
from engine.execution.settings import ExecutionSettings
from engine.model.events.order import OrderCanceled
from engine.model.events.system import Alarm
from engine.model.ids import OrderRef
from engine.model.market import Side
from engine.model.order import OrderStatus, OrderType, Origin, TimeInForce
from engine.model.report import BrokerStatus
from tests.support.desk_rig import Rig

D = Decimal
AUTO = Origin.AUTO
WAIT_S = 30.0


@pytest_asyncio.fixture
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """A desk with its guard; a test may say what the broker does with exits."""
    built = Rig(tmp_path)
    await built.start()
    await guarded(built, **getattr(request, "param", {}))
    yield built
    await built.close()


exits_at_once = pytest.mark.parametrize("rig", [{"exits_wait": False}], indirect=True)
pairs_in_one = pytest.mark.parametrize("rig", [{"pairs_in_one": True}], indirect=True)


async def guarded(rig: Rig, exits_wait: bool = True, pairs_in_one: bool = False) -> Guard:
    guard = Guard(
        rig.bus,
        rig.life,
        rig.desk,
        booking=rig.ledger,
        gate=rig.gate,
        settings=ExecutionSettings(partial_wait_s=WAIT_S),
        exits_wait=exits_wait,
        pairs_in_one=pairs_in_one,
    )
    await guard.start()
    return guard


def enter(rig: Rig, origin: Origin = AUTO, filled: int = 40) -> OrderRef:
    ref = rig.submit(rig.request(origin=origin), bracket=True)
    rig.broker.fill(rig.broker.truth(ref), filled, "100.00")
    return ref


def legs(rig: Rig, ref: str) -> list[OrderStatus]:
    return [s for s in rig.desk.orders().values() if s.parent_ref == ref]


def working_stops(rig: Rig, ref: str) -> list[OrderStatus]:
    return [s for s in legs(rig, ref) if s.request.stop_price is not None and s.state.value in ("WORKING", "HELD")]


def alarms(rig: Rig) -> list[Alarm]:
    return [e for e in rig.events if isinstance(e, Alarm) and e.code.startswith("EXITS")]


def command_in(alarm: Alarm) -> Any:
    """What the alarm tells a person to type is understood."""
    return parse_order_text(alarm.you_can.split('"')[1], "i-1")


def end_group(rig: Rig, ref: str) -> None:
    """The broker cancels an entry with all its exits, as Alpaca's pages say."""
    family = [t for t in rig.broker.orders if t.open and (t.ref == ref or t.parent == rig.broker.truth(ref).broker_id)]
    for truth in family:
        rig.broker.finish(truth, BrokerStatus.CANCELLED)


def end_entry_alone(rig: Rig, ref: OrderRef) -> None:
    """The broker cancels the rest of an entry; its exits work on, whole."""
    for leg in legs(rig, ref):
        rig.broker.truth(leg.ref).status = BrokerStatus.WORKING.value
        rig.broker.acknowledge(rig.broker.truth(leg.ref))
    rig.broker.finish(rig.broker.truth(ref), BrokerStatus.CANCELLED)


async def test_the_rest_of_the_agents_entry_is_cancelled_when_its_stop_waits_too_long(rig: Rig) -> None:
    ref = enter(rig)
    rig.clock.advance(WAIT_S - 5)
    assert rig.state(ref) == "PARTIAL"
    rig.until(lambda: rig.state(ref) == "CANCELLED", seconds=20)
    assert rig.broker.cancel_frames[ref] == 1
    assert "is filled in part (40 of 100)" in alarms(rig)[0].happened
    assert "The rest of the entry is cancelled" in alarms(rig)[0].did


async def test_a_persons_entry_is_left_and_the_alarm_names_what_to_do(rig: Rig) -> None:
    ref = enter(rig, Origin.MANUAL)
    rig.clock.advance(WAIT_S + 60)
    assert rig.state(ref) == "PARTIAL"
    assert rig.broker.cancel_frames[ref] == 0
    told = alarms(rig)
    assert [a.severity for a in told] == ["red"]
    assert "40 have no stop" in told[0].happened
    assert type(command_in(told[0])).__name__ == "CancelOrder"


async def test_an_entry_that_completes_in_time_is_left_alone(rig: Rig) -> None:
    ref = enter(rig)
    rig.clock.advance(10)
    rig.broker.fill(rig.broker.truth(ref), 60, "100.00")
    for leg in legs(rig, ref):
        rig.broker.acknowledge(rig.broker.truth(leg.ref))
    rig.clock.advance(WAIT_S + 30)
    assert rig.state(ref) == "FILLED"
    assert rig.broker.cancel_frames[ref] == 0
    assert not alarms(rig)


@exits_at_once
async def test_where_exits_cover_what_has_filled_a_partly_filled_entry_goes_on(rig: Rig) -> None:
    ref = enter(rig)
    rig.clock.advance(WAIT_S * 4)
    assert rig.state(ref) == "PARTIAL"
    assert not alarms(rig)


async def test_stop_and_target_that_ended_with_the_agents_entry_are_placed_again_once_as_a_pair(rig: Rig) -> None:
    ref = enter(rig)
    end_group(rig, ref)
    rig.until(lambda: bool(working_stops(rig, ref)), seconds=15)
    rig.clock.advance(60)
    (stop,) = working_stops(rig, ref)
    assert (stop.request.quantity, stop.request.stop_price) == (D(40), D("95.00"))
    assert (stop.request.order_type, stop.request.origin) == (OrderType.STOP, Origin.PROTECTIVE)
    assert stop.request.reduce_only
    (target,) = [leg for leg in legs(rig, ref) if leg.state.value == "WORKING" and leg.ref != stop.ref]
    assert (target.request.quantity, target.request.limit_price) == (D(40), D("110.00"))
    assert (target.request.order_type, target.request.reduce_only) == (OrderType.LIMIT, True)
    assert stop.request.oca_group == target.request.oca_group == f"{ref}-x1"
    assert [rig.broker.wire[leg.ref] for leg in (stop, target)] == [1, 1]
    assert alarms(rig)[0].did == "A stop at 95.00 and a target at 110.00 for 40 are placed again."
    assert alarms(rig)[-1].cleared


async def test_a_stop_is_placed_again_in_the_moment_in_which_the_end_of_its_family_is_certain(rig: Rig) -> None:
    ref = enter(rig)
    rig.clock.advance(10)
    end_group(rig, ref)
    rig.until(lambda: bool(working_stops(rig, ref)), seconds=15)
    ended = max(event.ts_event for event in rig.events if isinstance(event, OrderCanceled))
    (stop,) = working_stops(rig, ref)
    assert stop.created_ns - ended == 0


def placed_pair(rig: Rig, ref: OrderRef) -> tuple[OrderStatus, OrderStatus]:
    """End an entry with its exits and return (target, stop) that are placed again as one."""
    end_group(rig, ref)
    rig.until(lambda: len(legs(rig, ref)) > 2, seconds=15)
    (target,) = [leg for leg in legs(rig, ref) if not leg.state.closed]
    (stop,) = legs(rig, target.ref)
    return target, stop


@pairs_in_one
async def test_where_a_pair_is_one_message_stop_and_target_go_as_one(rig: Rig) -> None:
    target, stop = placed_pair(rig, enter(rig))
    assert (target.request.limit_price, stop.request.stop_price) == (D("110.00"), D("95.00"))
    assert [rig.broker.wire[leg.ref] for leg in (stop, target)] == [1, 1]
    assert rig.gate.reserved.keys() >= {stop.ref, target.ref}


@pairs_in_one
async def test_a_pair_that_is_refused_is_followed_by_the_stop_alone(rig: Rig) -> None:
    ref = enter(rig)
    for leg in placed_pair(rig, ref):
        rig.broker.finish(rig.broker.truth(leg.ref), BrokerStatus.CANCELLED)
    rig.until(lambda: bool(working_stops(rig, ref)), seconds=15)
    rig.clock.advance(60)
    (alone,) = working_stops(rig, ref)
    assert (alone.request.stop_price, alone.request.oca_group, alone.parent_ref) == (D("95.00"), "", ref)
    assert sum(not leg.state.closed for leg in legs(rig, ref)) == 1


async def test_a_stop_that_ended_beside_a_target_that_fills_is_not_placed_in_haste(rig: Rig) -> None:
    ref = enter(rig)
    rig.clock.advance(10)
    (target,) = [leg for leg in legs(rig, ref) if leg.request.stop_price is None]
    (stop,) = [leg for leg in legs(rig, ref) if leg.request.stop_price is not None]
    rig.broker.finish(rig.broker.truth(ref), BrokerStatus.CANCELLED)
    rig.broker.finish(rig.broker.truth(stop.ref), BrokerStatus.CANCELLED)
    rig.until(lambda: rig.state(stop.ref) == "CANCELLED", seconds=15, step=0.1)
    rig.broker.fill(rig.broker.truth(target.ref), 40, "110.00")
    rig.clock.advance(30)
    assert len(legs(rig, ref)) == 2
    assert rig.broker.cancel_frames[target.ref] == 1, "the rest of the target would open a position"


async def test_a_lost_stop_is_placed_again_after_a_restart_in_between(rig: Rig) -> None:
    ref = enter(rig)
    end_group_silently(rig, ref)
    await rig.restart()
    await guarded(rig)
    rig.until(lambda: bool(working_stops(rig, ref)), seconds=40)
    assert [s.request.quantity for s in working_stops(rig, ref)] == [D(40)]
    await rig.restart()
    await guarded(rig)
    rig.clock.advance(60)
    assert len(working_stops(rig, ref)) == 1


def end_group_silently(rig: Rig, ref: str) -> None:
    rig.broker.faults.lose = {"StatusReport"}
    end_group(rig, ref)
    rig.broker.faults.lose = set()


async def test_a_persons_lost_stop_is_told_with_its_price_and_not_placed(rig: Rig) -> None:
    ref = enter(rig, Origin.MANUAL)
    end_group(rig, ref)
    rig.clock.advance(30)
    assert not working_stops(rig, ref)
    told = alarms(rig)
    assert [a.severity for a in told] == ["red"]
    assert "40 have no stop" in told[0].happened
    request = command_in(told[0]).request
    assert (request.side, request.quantity, request.stop_price) == (Side.SELL, D(40), D(95))
    assert (request.order_type, request.tif) == (OrderType.STOP, TimeInForce.GTC)


async def test_the_alarm_is_over_when_the_person_has_placed_what_it_named(rig: Rig) -> None:
    ref = enter(rig, Origin.MANUAL)
    end_group(rig, ref)
    rig.clock.advance(30)
    rig.submit(command_in(alarms(rig)[0]).request)
    rig.until(lambda: alarms(rig)[-1].cleared, seconds=15)


async def test_stops_of_other_entries_do_not_hide_that_this_one_has_none(rig: Rig) -> None:
    first = enter(rig, Origin.MANUAL, filled=100)
    for leg in legs(rig, first):
        rig.broker.acknowledge(rig.broker.truth(leg.ref))
    second = enter(rig, Origin.MANUAL)
    end_group(rig, second)
    rig.clock.advance(30)
    assert "40 have no stop" in alarms(rig)[0].happened


async def test_the_alarm_is_over_with_the_position(rig: Rig) -> None:
    ref = enter(rig, Origin.MANUAL)
    end_group(rig, ref)
    rig.clock.advance(30)
    sale = rig.submit(rig.request(side=Side.SELL, quantity=40))
    rig.broker.fill(rig.broker.truth(sale), 40, "100.00")
    rig.until(lambda: alarms(rig)[-1].cleared, seconds=15)


@pytest.mark.parametrize("restarted", [False, True], ids=["same run", "restarted"])
async def test_a_stop_that_a_person_cancels_stays_cancelled_without_an_alarm(rig: Rig, restarted: bool) -> None:
    ref = enter(rig, filled=100)
    for leg in legs(rig, ref):
        if leg.request.stop_price is not None:
            rig.desk.cancel(leg.ref, "person")
    if restarted:
        await rig.restart(crash=False)
        await guarded(rig)
        target = next(leg for leg in legs(rig, ref) if not leg.state.closed)
        rig.broker.fill(rig.broker.truth(target.ref), 10, "110.00")
    rig.clock.advance(60)
    assert not working_stops(rig, ref)
    assert not alarms(rig)


async def test_a_stop_that_the_broker_ends_under_a_whole_position_is_told_and_never_placed_at_an_old_price(
    rig: Rig,
) -> None:
    ref = enter(rig, filled=100)
    for leg in legs(rig, ref):
        rig.broker.finish(rig.broker.truth(leg.ref), BrokerStatus.CANCELLED)
    rig.clock.advance(30)
    assert not working_stops(rig, ref)
    assert "100 have no stop" in alarms(rig)[0].happened


async def test_a_stop_that_followed_one_that_was_taken_away_is_looked_after(rig: Rig) -> None:
    ref = enter(rig, filled=100)
    for leg in legs(rig, ref):
        rig.desk.cancel(leg.ref, "a strategy leaves the position")
    rig.clock.advance(10)
    fields = {"order_type": OrderType.STOP, "stop_price": D(95), "reduce_only": True, "parent_ref": ref}
    stop = rig.submit(rig.request(side=Side.SELL, price=None, origin=Origin.PROTECTIVE, **fields))
    rig.clock.advance(10)
    assert not alarms(rig)
    rig.broker.finish(rig.broker.truth(stop), BrokerStatus.CANCELLED)
    rig.clock.advance(30)
    assert "100 have no stop" in alarms(rig)[0].happened


async def test_nothing_is_placed_when_what_filled_has_been_sold_again(rig: Rig) -> None:
    ref = enter(rig)
    sale = rig.submit(rig.request(side=rig.request().side.opposite, quantity=40))
    rig.broker.fill(rig.broker.truth(sale), 40, "100.00")
    end_group(rig, ref)
    rig.clock.advance(60)
    assert not working_stops(rig, ref)
    assert not alarms(rig)


async def test_exits_that_stay_larger_than_what_is_held_are_made_to_fit(rig: Rig) -> None:
    ref = enter(rig)
    end_entry_alone(rig, ref)
    rig.clock.advance(5)
    assert {leg.request.quantity for leg in legs(rig, ref)} == {D(100)}
    rig.until(lambda: {leg.request.quantity for leg in legs(rig, ref)} == {D(40)}, seconds=40)
    rig.clock.advance(60)
    assert not alarms(rig)


async def test_exits_of_a_person_are_told_and_not_made_smaller(rig: Rig) -> None:
    ref = enter(rig, Origin.MANUAL)
    end_entry_alone(rig, ref)
    rig.clock.advance(60)
    assert {leg.request.quantity for leg in legs(rig, ref)} == {D(100)}
    assert alarms(rig)[-1].did == "They were left as they are: they are yours."


@pytest.mark.parametrize("origin", [AUTO, Origin.MANUAL])
async def test_exits_of_what_is_not_held_any_more_end_or_are_told(rig: Rig, origin: Origin) -> None:
    ref = enter(rig, origin)
    end_entry_alone(rig, ref)
    sale = rig.submit(rig.request(side=Side.SELL, quantity=40))
    rig.broker.fill(rig.broker.truth(sale), 40, "100.00")
    rig.clock.advance(60)
    assert all(leg.state.closed for leg in legs(rig, ref)) is (origin is AUTO)
    if origin is Origin.MANUAL:
        assert "its exits still work" in alarms(rig)[-1].happened


async def test_a_stop_the_gate_refuses_three_times_is_a_red_alarm(rig: Rig) -> None:
    ref = enter(rig)
    rig.gate.deny = "G4"
    end_group(rig, ref)
    rig.clock.advance(60)
    assert not working_stops(rig, ref)
    (told,) = alarms(rig)
    assert told.severity == "red"
    assert "denied by the test" in told.happened
    assert told.ts_event > 8 * SECOND
