"""T-S1, T-S2: STOP cancels at once; FLATTEN ends at zero and never crosses it."""

import random
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.clock import SECOND
from engine.bus.errors import BrokerError
from engine.model.events.system import Alarm
from engine.model.market import Side
from engine.model.order import OrderState, OrderType
from tests.support.desk_rig import Rig


async def build(folder: Path) -> Rig:
    return await Rig(folder).start()


async def hold(rig: Rig, symbol: str, side: Side = Side.BUY, quantity: int = 100) -> str:
    ref = rig.submit(rig.request(symbol, side, quantity), bracket=True)
    rig.broker.fill(rig.broker.truth(ref), quantity, "100")
    return ref


async def flatten_campaign(folder: Path, seed: int) -> None:
    """Three presses, late and partial fills, one position half closed by its own stop."""
    rng = random.Random(seed)
    rig = await build(folder)
    for symbol in ("AAPL", "MSFT", "NVDA"):
        await hold(rig, symbol, rng.choice(list(Side)))
    start = rig.broker.positions()
    stop = next(t for t in rig.broker.orders if t.stop_price and t.symbol == "MSFT")
    presses = sorted(rng.uniform(0, 4) for _ in range(3))
    hit = rng.uniform(0, 2)
    now = 0.0
    while now < 60:
        for press in [p for p in presses if p <= now]:
            presses.remove(press)
            rig.stop_switch.stop("test", "enough", flatten=True)
        if hit is not None and now >= hit:
            hit = None
            if stop.open:
                rig.broker.fill(stop, 50, "95", tell=rng.random() < 0.5)
        for truth in list(rig.broker.orders):
            if truth.open and truth.ref.endswith("F") and rng.random() < 0.2:
                part = min(truth.remaining, Decimal(rng.choice([10, 30, 100])))
                rig.broker.fill(truth, part, "99", tell=rng.random() < 0.7)
        for symbol, quantity in start.items():
            held = rig.broker.positions().get(symbol, Decimal(0))
            assert held * quantity >= 0, f"seed {seed}: {symbol} crossed zero"
            assert abs(held) <= abs(quantity)
        rig.clock.advance(0.25)
        now += 0.25
    for _ in range(400):
        rig.clock.advance(0.5)
        for truth in list(rig.broker.orders):
            if truth.open and truth.ref.endswith("F"):
                rig.broker.fill(truth, truth.remaining, "99")
    assert rig.broker.positions() == {}, f"seed {seed}"
    assert rig.ledger.positions() == {}
    assert not [t for t in rig.broker.orders if t.open]
    await rig.close()


@pytest.mark.parametrize("seed", range(8))
async def test_t_s2_flatten_pressed_three_times_ends_at_zero_and_never_crosses_it(tmp_path: Path, seed: int) -> None:
    await flatten_campaign(tmp_path / str(seed), seed)


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
async def test_t_s2_a_thousand_seeds(tmp_path: Path, block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        await flatten_campaign(tmp_path / str(seed), seed)


async def test_t_s1_stop_cancels_fifty_orders_at_once_with_everything_else_broken(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    refs = []
    for n in range(50):
        refs.append(rig.submit(rig.request(price=f"{90 + n / 10:.2f}")))
        rig.clock.advance(0.1)
    rig.modes.broken = True
    rig.journal.database.connection.execute("PRAGMA query_only = ON")
    before = rig.clock.now()
    receipt = rig.stop_switch.stop("test", "enough")
    assert receipt.ok
    assert receipt.data["recorded"] is False
    assert rig.clock.now() == before
    assert sum(rig.broker.cancel_frames.values()) == 50
    late = rig.submit()
    assert rig.broker.wire[late] == 0
    assert any(isinstance(e, Alarm) and e.code == "HALT_NOT_DURABLE" for e in rig.events)
    rig.journal.database.connection.execute("PRAGMA query_only = OFF")
    await rig.close()


async def test_t_s1_stop_cancels_unknown_orders_too(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    rig.broker.faults.lose = {"EchoReport", "StatusReport"}
    rig.broker.faults.missing = {"open_orders"}
    ref = rig.submit()
    rig.clock.advance(11)
    assert rig.state(ref) == "UNKNOWN"
    rig.stop_switch.stop("test", "enough")
    assert rig.broker.cancel_frames[ref] == 1
    rig.broker.faults.missing = set()
    rig.clock.advance(20)
    assert rig.state(ref) == "CANCELLED"
    await rig.close()


async def test_a_cancel_that_could_not_be_sent_is_sent_when_the_link_is_back(tmp_path: Path) -> None:
    from engine.model.report import LinkState

    rig = await build(tmp_path)
    ref = rig.submit()
    rig.broker.say_link(LinkState.DOWN)
    receipt = rig.stop_switch.stop("test", "enough")
    assert receipt.ok
    assert rig.broker.truth(ref).open
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(3)
    assert not rig.broker.truth(ref).open
    assert rig.state(ref) == "CANCELLED"
    await rig.close()


async def test_what_cannot_be_closed_now_is_said_and_keeps_its_stop(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    await hold(rig, "AAPL")
    await hold(rig, "MSFT")
    rig.market.halted.add("MSFT")
    receipt = rig.stop_switch.stop("test", "enough", flatten=True)
    assert receipt.data["cannot"] == {"MSFT": "it is halted"}
    rig.clock.advance(3)
    stops = [t for t in rig.broker.orders if t.symbol == "MSFT" and t.open]
    assert len(stops) == 2
    assert rig.stop_switch.closing == ("AAPL",)
    await rig.close()


async def test_a_cancel_that_is_not_confirmed_is_reported_not_guessed(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    await hold(rig, "AAPL")
    rig.broker.faults.silent_cancel = True
    rig.stop_switch.flatten()
    rig.clock.advance(12)
    assert rig.stop_switch.closing == ()
    assert not [ref for ref in rig.broker.wire if ref.endswith("F")], "no closing order was sent"
    assert any(isinstance(e, Alarm) and e.code == "FLATTEN:AAPL" and e.severity == "red" for e in rig.events)
    await rig.close()


async def test_half_of_a_position_is_closed_and_the_rest_keeps_its_protection(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    await hold(rig, "AAPL")
    assert rig.stop_switch.flatten("AAPL", Decimal("0.5")).ok
    for _ in range(20):
        rig.clock.advance(0.5)
        for truth in list(rig.broker.orders):
            if truth.open and truth.ref.endswith("F"):
                rig.broker.fill(truth, truth.remaining, "99")
    assert rig.broker.positions() == {"AAPL": 50}
    protecting = [o for o in rig.desk.open_orders() if o.parent_ref is not None]
    assert [o.remaining for o in protecting] == [50, 50]
    await rig.close()


async def test_a_stop_placed_by_hand_is_made_to_fit_what_is_kept(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    rig.broker.fill(rig.broker.truth(rig.submit(rig.request("AAPL"))), 100, "100")
    stop = rig.request(
        "AAPL",
        Side.SELL,
        100,
        None,
        order_type=OrderType.STOP,
        stop_price=Decimal("95.00"),
        reduce_only=True,
    )
    guard = rig.submit(stop)
    assert rig.stop_switch.flatten("AAPL", Decimal("0.5")).ok
    for _ in range(20):
        rig.clock.advance(0.5)
        for truth in list(rig.broker.orders):
            if truth.open and truth.ref.endswith("F"):
                rig.broker.fill(truth, truth.remaining, "99")
    assert rig.broker.positions() == {"AAPL": 50}
    assert [(o.ref, o.remaining) for o in rig.desk.open_orders()] == [(guard, 50)]
    await rig.close()


async def test_a_limit_the_market_ran_away_from_is_cancelled_and_priced_anew(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    await hold(rig, "AAPL")
    rig.stop_switch.flatten()
    rig.clock.advance(3)
    first = [o for o in rig.desk.open_orders() if o.ref.endswith("F")]
    assert first[0].request.limit_price == Decimal("98.00")
    rig.market.prices["AAPL"] = 90.0
    rig.clock.advance(13)
    second = [o for o in rig.desk.open_orders() if o.ref.endswith("F")]
    assert second[0].request.limit_price == Decimal("88.20")
    assert rig.desk.order(first[0].ref).state is OrderState.CANCELLED
    await rig.close()


async def test_a_broker_that_raises_on_cancel_does_not_stop_the_stop(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    refs = [rig.submit(rig.request(price=f"{90 + n}.00")) for n in range(3)]
    real = rig.broker.cancel

    def cancel(ref: str) -> None:
        if ref == refs[0]:
            raise BrokerError("gone")
        real(ref)

    rig.broker.cancel = cancel  # type: ignore[method-assign]
    receipt = rig.stop_switch.stop("test", "enough")
    assert len(receipt.data["cancelled"]) == 2
    assert rig.broker.cancel_frames[refs[2]] == 1
    rig.broker.cancel = real  # type: ignore[method-assign]
    rig.clock.advance(25)
    assert rig.state(refs[0]) == "CANCELLED"
    assert rig.clock.now() % SECOND == 0
    await rig.close()


async def test_the_position_is_read_again_before_it_is_closed(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    elsewhere = rig.broker.foreign_order("AAPL", Side.SELL, 60, "100")
    rig.broker.fill(elsewhere, 60, "100", tell=False)
    rig.stop_switch.flatten()
    rig.clock.advance(3)
    closing = [o for o in rig.desk.open_orders() if o.ref.endswith("F")]
    assert [o.request.quantity for o in closing] == [40]
    await rig.close()


async def test_positions_that_cannot_be_read_are_unknown_never_a_reason_to_close(tmp_path: Path) -> None:
    rig = await build(tmp_path)
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    rig.broker.faults.missing = {"positions"}
    rig.stop_switch.flatten()
    rig.clock.advance(15)
    assert not [ref for ref in rig.broker.wire if ref.endswith("F")]
    said = [e.happened for e in rig.events if isinstance(e, Alarm) and e.code == "FLATTEN:AAPL"]
    assert "could not be read" in said[-1]
    await rig.close()
