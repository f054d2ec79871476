"""Parents and children before the real gate: what it counts, what it refuses."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.api.commands import Receipt
from engine.execution.algos.desk import AlgoDesk
from engine.execution.algos.plugins import own_algorithms
from engine.execution.algos.settings import AlgoSettings
from engine.model.ids import OrderRef
from engine.model.order import ClearedOrder, OrderState, OrderStatus
from tests.engine.execution.algos.algo_rig import FixedCurve
from tests.engine.risk.world import AAPL, FakeDesk, World, d


class Orders:
    """The small desk of the gate's tests, in the words of ours."""

    halted = False
    synced = True

    def __init__(self, desk: FakeDesk) -> None:
        self.desk = desk

    def submit(self, cleared: ClearedOrder) -> OrderStatus:
        return self.desk.submit(cleared)

    def cancel(self, ref: OrderRef, by: str) -> Receipt:
        self.desk.cancel(ref, by)
        return Receipt(ok=True)

    def modify(self, ref: OrderRef, *, limit_price: Decimal | None = None, by: str = "") -> Receipt:
        return Receipt(ok=False, code="STATE")

    def order(self, ref: OrderRef) -> OrderStatus | None:
        return self.desk.order(ref)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    assert not world.failures


def algo_desk(world: World) -> AlgoDesk:
    return AlgoDesk(
        world.bus,
        world.clock,
        orders=Orders(world.desk),
        gate=world.gate,
        market=world.market,
        curves=FixedCurve(),
        store=world.store,
        settings=AlgoSettings(),
        algorithms=own_algorithms(),
        seed=1,
    )


def fill_all(world: World) -> None:
    for status in tuple(world.desk.open_orders()):
        if status.request.parent_ref is not None and status.request.stop_price is None:
            price = status.request.limit_price
            world.desk.move(status.ref, OrderState.FILLED, filled=status.request.quantity, average_price=price)
            held = world.ledger.held.get(AAPL)
            world.ledger.hold(AAPL, (held.quantity if held else 0) + status.request.quantity)


async def test_slices_of_a_persons_parent_pass_and_the_gate_counts_the_whole_of_it(world: World) -> None:
    desk = algo_desk(world)
    await desk.start()
    request = world.manual(
        quantity=d(100), stop_loss=None, take_profit=None, algo="twap", algo_params={"minutes": "1", "slices": "10"}
    )
    receipt = desk.start_parent(request, "window")
    assert receipt.ok, receipt
    for _ in range(60):
        world.clock.advance(1)
        world.market.set(AAPL, 100.0)
        line = world.gate._exposure.line(AAPL)
        assert line.worst() == 100.0
        fill_all(world)
    (parent,) = desk.parents()
    assert (parent.state.value, parent.filled) == ("DONE", 100)


async def test_a_parent_beyond_a_limit_is_refused_whole(world: World) -> None:
    desk = algo_desk(world)
    await desk.start()
    request = world.manual(quantity=d(9_000), algo="twap", algo_params={"slices": "100"})
    receipt = desk.start_parent(request, "window")
    assert not receipt.ok
    assert receipt.denials[0].code.startswith("G1")
    assert not world.desk.submitted


async def test_a_cancelled_parent_gives_its_reservation_back(world: World) -> None:
    desk = algo_desk(world)
    await desk.start()
    receipt = desk.start_parent(world.manual(quantity=d(100), algo="twap"), "window")
    assert receipt.ok, receipt
    world.clock.advance(1)
    assert world.gate._exposure.line(AAPL).worst() == 100.0
    desk.cancel(OrderRef(str(receipt.data["ref"])), "window")
    world.clock.advance(1)
    assert world.gate._exposure.line(AAPL).worst() == 0.0


async def test_a_child_that_the_rate_holds_back_goes_with_a_later_step_and_stops_nothing(world: World) -> None:
    desk = algo_desk(world)
    await desk.start()
    request = world.manual(
        quantity=d(100), stop_loss=None, take_profit=None, algo="twap", algo_params={"minutes": "1", "slices": "10"}
    )
    assert desk.start_parent(request, "window").ok
    for second in range(60):
        for _ in range(2):
            for _ in range(5 if second < 10 else 0):
                world.gate.note_message()
            world.clock.advance(0.5)
        world.market.set(AAPL, 100.0)
        assert world.gate._exposure.line(AAPL).worst() == 100.0
        fill_all(world)
        if second == 9:
            assert not world.desk.submitted
    (parent,) = desk.parents()
    assert (parent.state.value, parent.filled) == ("DONE", 100)


async def test_equal_slices_are_no_duplicates_and_count_as_one_order_of_the_day(world: World) -> None:
    desk = algo_desk(world)
    await desk.start()
    request = world.manual(
        quantity=d(100), stop_loss=None, take_profit=None, algo="twap", algo_params={"minutes": "1", "slices": "10"}
    )
    assert desk.start_parent(request, "window").ok
    for _ in range(60):
        world.clock.advance(1)
        fill_all(world)
    children = [status for status in world.desk.all.values() if status.request.parent_ref is not None]
    assert len(children) == 10
    assert {status.request.quantity for status in children} == {d(10)}
    assert world.counters.values[("orders.manual", "2026-03-02")] == 1
    stranger = world.manual(quantity=children[-1].request.quantity, limit_price=children[-1].request.limit_price)
    assert "G9" in world.codes(stranger)
