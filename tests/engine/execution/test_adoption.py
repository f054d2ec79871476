"""What a person takes over from the broker, and what is refused because it is no longer what the person saw."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest_asyncio

from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from tests.support.desk_rig import Rig

AAPL = Symbol("AAPL")


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    built = await Rig(tmp_path).start()
    yield built
    await built.close()


async def test_a_difference_stands_beside_ours_until_it_is_taken_and_the_symbol_is_free_again(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    (found,) = rig.desk.adoption.differences
    assert (found.symbol, found.ours, found.theirs) == ("AAPL", 100, 150)
    since = found.since_ns
    rig.clock.advance(16)
    assert rig.desk.adoption.differences[0].since_ns == since
    receipt = rig.desk.adoption.take_position(AAPL, Decimal(150))
    assert receipt.ok, receipt.text
    rig.desk.check_now()
    rig.clock.advance(1)
    assert rig.ledger.positions()["AAPL"].quantity == 150
    assert rig.desk.adoption.differences == ()
    assert not rig.modes.locked("AAPL")


async def test_what_changed_since_it_was_seen_is_not_taken_and_what_agrees_neither(rig: Rig) -> None:
    assert rig.desk.adoption.take_position(AAPL, Decimal(50)).code == "AGREED"
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    assert rig.desk.adoption.take_position(AAPL, Decimal(40)).code == "CHANGED"
    assert "AAPL" not in rig.ledger.positions()


async def test_a_fill_that_arrived_since_the_comparison_is_not_booked_away(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    receipt = rig.desk.adoption.take_position(AAPL, Decimal(50))
    assert receipt.code == "CHANGED", receipt
    assert "100" in receipt.text
    assert rig.ledger.positions()["AAPL"].quantity == 100


async def test_where_we_held_nothing_the_price_is_the_brokers_own(rig: Rig) -> None:
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    theirs = rig.desk.adoption.differences[0].average_price
    assert theirs is not None
    assert rig.desk.adoption.take_position(AAPL, Decimal(50)).ok
    assert rig.ledger.positions()["AAPL"].average_price == theirs


async def test_a_disk_that_refuses_leaves_the_difference_and_the_lock(rig: Rig) -> None:
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    rig.break_disk()
    assert rig.desk.adoption.take_position(AAPL, Decimal(50)).code == "JOURNAL"
    assert rig.desk.adoption.differences
    assert rig.modes.locked("AAPL")
    assert "AAPL" not in rig.ledger.positions()
    rig.break_disk(False)


async def test_an_order_of_another_program_is_taken_over_and_then_stopped_with_ours(rig: Rig) -> None:
    truth = rig.broker.foreign_order("MSFT", Side.BUY, 30, "50")
    rig.clock.advance(16)
    (external,) = (order for order in rig.desk.open_orders() if order.external)
    assert rig.desk.modify(external.ref, limit_price=Decimal(49)).code == "EXTERNAL"
    assert rig.desk.adoption.take_order(external.ref, "window").ok
    assert rig.desk.adoption.take_order(external.ref, "window").code == "OURS"
    rig.clock.advance(16)
    assert [order.external for order in rig.desk.open_orders()] == [False]
    rig.stop_switch.stop("test", "enough")
    rig.clock.advance(5)
    assert not truth.open


async def test_an_adopted_order_stays_ours_over_a_restart(rig: Rig) -> None:
    rig.broker.foreign_order("MSFT", Side.BUY, 30, "50")
    rig.clock.advance(16)
    ref = next(order.ref for order in rig.desk.open_orders())
    rig.desk.adoption.take_order(ref, "window")
    await rig.restart()
    rig.clock.advance(16)
    assert [(order.ref, order.external) for order in rig.desk.open_orders()] == [(ref, False)]


async def test_what_the_broker_lets_only_its_maker_change_is_not_taken(rig: Rig) -> None:
    rig.broker.foreign_order("MSFT", Side.BUY, 30, "50")
    rig.clock.advance(16)
    ref = next(order.ref for order in rig.desk.open_orders())
    rig.broker.manages = lambda ref: False
    assert rig.desk.adoption.take_order(ref, "window").code == "UNABLE"
    assert rig.desk.adoption.take_order(OrderRef("no-such"), "window").code == "NO_SUCH_ORDER"
    assert [order.external for order in rig.desk.open_orders()] == [True]
