"""T-X1: SIGKILL at every named point, for every kind of order. The broker's file is the truth, and survives."""

import asyncio
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.clock import StepClock
from engine.model.decision import Mode
from engine.model.order import OrderState, Origin
from tests.support.desk_rig import SECOND, START, Rig
from tests.support.failpoints import FINISHED, KILLED, Killer, run_child
from tests.support.fake_broker import FakeBroker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs child processes by fork")

SENDING = ("before intent", "intent durable", "sending durable", "broker wire", "broker accepted", "placed")
LATER = ("report EchoReport", "report ExecutionReport", "cancel noted", "cancel sent", "modify durable", "modify sent")


def trade(rig: Rig, kind: str) -> None:
    """One life of an order of each kind: sent, changed, partly filled, cancelled, stopped."""
    if kind == "flatten":
        first = rig.submit(bracket=True)
        rig.broker.fill(rig.broker.truth(first), 100, "100")
        rig.stop_switch.stop("test", "enough", flatten=True)
        for _ in range(8):
            rig.clock.advance(0.5)
            for truth in list(rig.broker.orders):
                if truth.open and truth.ref.endswith("F"):
                    rig.broker.fill(truth, 100, "99")
        return
    origin = Origin.AUTO if kind == "auto" else Origin.MANUAL
    ref = rig.submit(rig.request(origin=origin), bracket=kind == "bracket")
    rig.desk.modify(ref, limit_price=Decimal("100.50"))
    rig.broker.fill(rig.broker.truth(ref), 40, "100")
    rig.desk.cancel(ref, "test")
    rig.clock.advance(2)
    rig.submit(rig.request("MSFT", origin=origin))
    rig.stop_switch.stop("test", "enough")
    rig.clock.advance(2)


def in_child(folder: Path, kind: str) -> Callable[[], None]:
    def work() -> None:
        async def live() -> None:
            rig = await Rig(folder, broker_path=folder / "broker.json").start()
            trade(rig, kind)
            await rig.close()

        asyncio.run(live())

    return work


async def check_after_restart(folder: Path, mode: Mode) -> Rig:
    """Begin again on the same disk and broker: truth and journal agree, and nothing was sent a second time."""
    clock = StepClock(START + 120 * SECOND)
    broker = FakeBroker(clock, folder / "broker.json")
    wire = dict(broker.wire)
    rig = await Rig(folder, broker=broker, clock=clock, mode=mode).start()
    rig.clock.advance(90)
    assert dict(broker.wire) == wire, "nothing is sent by itself after a restart"
    assert all(count == 1 for count in wire.values()), "at most one placeOrder frame per reference, ever"
    orders = rig.desk.orders()
    for truth in broker.orders:
        ours = orders[truth.ref]
        assert ours.filled == Decimal(truth.filled)
        assert ours.state.closed is not truth.open, f"{truth.ref}: {ours.state} but the truth is {truth.status}"
    at_broker = {truth.ref for truth in broker.orders}
    for ref, ours in orders.items():
        if ref not in at_broker:
            assert ours.state in (OrderState.NEVER_SENT, OrderState.NOT_AT_BROKER), f"{ref} is {ours.state}"
            assert not (ours.state is OrderState.NEVER_SENT and ref in wire)
    held = {symbol: position.quantity for symbol, position in rig.ledger.positions().items()}
    assert held == broker.positions()
    assert not rig.modes.locks, "every doubt is resolved"
    await rig.close()
    return rig


def crash(folder: Path, kind: str, point: str, n: int = 0) -> str:
    folder.mkdir(parents=True)
    log = folder / "child.log"
    ended = run_child(in_child(folder, kind), log, Killer(point, n))
    assert ended in (KILLED, FINISHED), log.read_text()
    return ended


def points_of(kind: str) -> tuple[str, ...]:
    if kind == "flatten":
        return (*SENDING, "report ExecutionReport", "cancel noted", "cancel sent")
    return (*SENDING, *LATER)


CASES = [(kind, point) for kind in ("manual", "auto", "bracket", "flatten") for point in points_of(kind)]


@pytest.mark.parametrize(("kind", "point"), CASES, ids=[f"{k}-{p.replace(' ', '_')}" for k, p in CASES])
async def test_t_x1_killed_at_each_point_nothing_is_doubled_or_lost(tmp_path: Path, kind: str, point: str) -> None:
    for repeat in range(2):
        folder = tmp_path / str(repeat)
        ended = crash(folder, kind, point, repeat)
        assert ended == KILLED or repeat, f"the point {point!r} is not on the way of {kind}"
        await check_after_restart(folder, Mode.HALTED)


@pytest.mark.long
@pytest.mark.parametrize(("kind", "point"), CASES, ids=[f"{k}-{p.replace(' ', '_')}" for k, p in CASES])
async def test_t_x1_twenty_repeats_per_point(tmp_path: Path, kind: str, point: str) -> None:
    for repeat in range(20):
        folder = tmp_path / str(repeat)
        crash(folder, kind, point, repeat % 4)
        await check_after_restart(folder, Mode.HALTED if repeat % 2 else Mode.MANUAL)


async def test_t_x1_killed_in_the_middle_of_a_stop_the_next_start_finishes_it(tmp_path: Path) -> None:
    folder = tmp_path / "stop"
    folder.mkdir()

    def work() -> None:
        async def live() -> None:
            rig = await Rig(folder, broker_path=folder / "broker.json").start()
            for _ in range(5):
                rig.submit()
            rig.stop_switch.stop("test", "enough")

        asyncio.run(live())

    assert run_child(work, folder / "child.log", Killer("cancel sent", 2)) == KILLED
    clock = StepClock(START + 60 * SECOND)
    broker = FakeBroker(clock, folder / "broker.json")
    assert sum(truth.open for truth in broker.orders) == 2
    rig = await Rig(folder, broker=broker, clock=clock, mode=Mode.HALTED).start()
    rig.clock.advance(5)
    assert not any(truth.open for truth in broker.orders)
    assert not rig.desk.open_orders()
    await rig.close()
