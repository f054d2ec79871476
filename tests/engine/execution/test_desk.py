"""The order desk on a fake broker."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest_asyncio

from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType
from engine.model.report import BrokerStatus
from tests.support.desk_rig import Rig


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    built = await Rig(tmp_path).start()
    yield built
    await built.close()


async def test_an_order_goes_from_intent_to_filled_and_the_ledger_holds_it(rig: Rig) -> None:
    ref = rig.submit()
    assert rig.state(ref) == "WORKING"
    rig.broker.fill(rig.broker.truth(ref), 40, "99.98")
    assert rig.state(ref) == "PARTIAL"
    rig.broker.fill(rig.broker.truth(ref), 60, "99.99")
    assert rig.state(ref) == "FILLED"
    assert rig.ledger.positions()["AAPL"].quantity == 100
    assert rig.ledger.positions()["AAPL"].commission == Decimal("2.00")
    assert rig.broker.wire[ref] == 1
    assert [k for k in rig.kinds() if k.startswith("Order")] == [
        "OrderInitialized",
        "OrderSubmitted",
        "OrderHeld",
        "OrderAccepted",
        "OrderPartlyFilled",
        "OrderFilled",
    ]


async def test_the_same_cleared_order_submitted_again_is_not_sent_again(rig: Rig) -> None:
    cleared = rig.cleared()
    first = rig.desk.submit(cleared)
    assert rig.desk.submit(cleared).ref == first.ref
    assert rig.broker.wire[first.ref] == 1


async def test_a_cancel_is_a_claim_until_the_broker_no_longer_shows_the_order(rig: Rig) -> None:
    ref = rig.submit()
    assert rig.desk.cancel(ref, "test").ok
    assert rig.state(ref) == "CLAIM_CANCELLED"
    rig.clock.advance(1)
    assert rig.state(ref) == "CANCELLED"
    assert not rig.gate.reserved


async def test_a_modification_is_pending_until_the_broker_shows_the_new_fields(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.faults.lose.add("EchoReport")
    assert rig.desk.modify(ref, limit_price=Decimal("101")).ok
    assert rig.state(ref) == "PENDING_MODIFY"
    rig.broker.faults.lose.clear()
    rig.broker.acknowledge(rig.broker.truth(ref))
    assert rig.state(ref) == "WORKING"
    assert rig.desk.orders()[ref].request.limit_price == Decimal("101")


async def test_a_bracket_is_three_orders_in_one_step(rig: Rig) -> None:
    ref = rig.submit(bracket=True)
    legs = [o for o in rig.desk.orders().values() if o.parent_ref == ref]
    assert len(legs) == 2
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    stop = next(t for t in rig.broker.orders if t.stop_price)
    rig.broker.fill(stop, 100, "95")
    rig.clock.advance(2)
    assert rig.ledger.positions().get("AAPL") is None
    assert sorted(o.state.value for o in rig.desk.orders().values()) == ["CANCELLED", "FILLED", "FILLED"]


async def test_a_second_pass_with_the_same_snapshot_tells_nothing(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 40, "99.98", tell=False)
    rig.clock.advance(2)
    rig.desk.reconcile(rig.broker.picture())
    seen = len(rig.kinds())
    rig.desk.reconcile(rig.broker.picture())
    assert rig.kinds()[seen:] == []
    assert rig.state(ref) == "PARTIAL"


async def test_a_stop_cancels_entries_and_keeps_protection(rig: Rig) -> None:
    entry = rig.submit(rig.request("MSFT"))
    ref = rig.submit(bracket=True)
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    receipt = rig.stop_switch.stop("test", "enough")
    assert receipt.ok
    rig.clock.advance(2)
    assert rig.state(entry) == "CANCELLED"
    assert sum(1 for o in rig.desk.open_orders()) == 2
    late = rig.submit()
    assert rig.state(late) == "NEVER_SENT"
    assert rig.broker.wire[late] == 0


def stop_by_hand(rig: Rig, **fields: object) -> OrderRequest:
    given: dict[str, object] = {"order_type": OrderType.STOP, "stop_price": Decimal("95.00"), "reduce_only": True}
    side = fields.pop("side", Side.SELL)
    return rig.request("AAPL", side, 100, None, **{**given, **fields})


async def test_a_stop_placed_by_hand_behind_a_position_stays_when_entries_are_cancelled(rig: Rig) -> None:
    rig.broker.fill(rig.broker.truth(rig.submit()), 100, "100")
    guard, entry = rig.submit(stop_by_hand(rig)), rig.submit(rig.request("AAPL", price="99.00"))
    breakout = rig.submit(stop_by_hand(rig, side=Side.BUY, reduce_only=False))
    target = rig.submit(rig.request("AAPL", Side.SELL, 100, "110.00", reduce_only=True))
    rig.desk.cancel_all(symbol=Symbol("AAPL"), by="test")
    rig.clock.advance(2)
    assert rig.state(guard) == "WORKING"
    assert [rig.state(ref) for ref in (entry, breakout, target)] == ["CANCELLED"] * 3
    rig.stop_switch.stop("test", "enough")
    rig.clock.advance(2)
    assert rig.state(guard) == "WORKING"
    rig.stop_switch.stop("test", "enough", protective=True)
    rig.clock.advance(2)
    assert rig.state(guard) == "CANCELLED"


async def test_flatten_closes_everything_and_ends_flat(rig: Rig) -> None:
    ref = rig.submit(bracket=True)
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    for _ in range(3):
        rig.stop_switch.stop("test", "enough", flatten=True)
    for _ in range(40):
        rig.clock.advance(0.5)
        for truth in rig.broker.orders:
            if truth.open and truth.ref.endswith("F"):
                rig.broker.fill(truth, 50, "99")
    assert rig.broker.positions() == {}
    assert rig.ledger.positions() == {}
    assert rig.stop_switch.closing == ()


async def test_a_broker_word_we_do_not_know_makes_the_order_unknown_with_an_alarm(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.say_status(ref, BrokerStatus.OTHER, text="Quantum")
    assert rig.state(ref) == "UNKNOWN"
    assert rig.modes.locked("AAPL")
    rig.clock.advance(2)
    assert rig.state(ref) == "WORKING"
    assert not rig.modes.locked("AAPL")
