"""T-M1 and T-M3 at the gate: a split overnight and a halt, for both who trade, and for what protects a position."""

from decimal import Decimal

import msgspec
import pytest

from engine.model.market import DataType, Side
from engine.model.order import OrderState, OrderType, Origin
from tests.engine.risk.world import AAPL, MINUTE, World


@pytest.mark.parametrize("ratio", [10.0, 2.0, 0.1])
def test_t_m1_after_a_split_overnight_no_order_opens_and_what_closes_still_leaves(ratio: float) -> None:
    world = World()
    world.ledger.hold(AAPL, 100)
    price = 100.0
    world.market.set(AAPL, price, previous_close=price * ratio)
    for request in (world.request(), world.manual()):
        assert "G27" in world.codes(request)
        assert world.clear(request) is None
    assert "G27" not in world.codes(world.close(100))


def test_t_m1_the_old_price_is_no_price_either() -> None:
    """An entry with the price of yesterday's terms, ten times the market, is refused on its price too."""
    world = World()
    world.market.set(AAPL, 10.0, previous_close=100.0)
    codes = world.codes(world.manual(limit_price=100, stop_loss=98, take_profit=104))
    assert {"G27", "G4"} <= set(codes)


@pytest.mark.parametrize("kind", list(DataType))
def test_t_m3_no_entry_while_trading_is_halted_however_fresh_its_frozen_quote(kind: DataType) -> None:
    world = World()
    world.market.set(AAPL, 100.0, halted=True, data_type=kind)
    for request in (world.request(), world.manual()):
        assert "G26" in world.codes(request)
        assert world.clear(request) is None


def test_t_m3_after_a_halt_the_agent_is_quiet_for_five_minutes_and_a_person_is_not() -> None:
    world = World()
    world.market.resumed[AAPL] = world.clock.now() - 4 * MINUTE
    assert world.codes(world.request()) == ["G26"]
    assert world.codes(world.manual()) == []
    world.market.resumed[AAPL] = world.clock.now() - 5 * MINUTE
    assert world.codes(world.request()) == []


def test_limits_in_one_currency_are_not_measured_with_an_account_in_another() -> None:
    """Equity of a hundred million yen is no hundred million dollars: nothing is opened, what is held can be sold."""
    world = World()
    world.ledger.hold(AAPL, 100)
    world.ledger.change(currency="JPY", equity=Decimal(100_000_000))
    for request in (world.request(), world.manual()):
        assert "G3" in world.codes(request)
        assert world.clear(request) is None
    assert "G3" not in world.codes(world.close(100))
    assert "G3" not in world.codes(world.close(100, origin=Origin.FLATTEN))


def test_a_crossed_quote_is_refused_for_being_crossed_alone() -> None:
    world = World()
    world.market.set(AAPL, 100.0, spread=-0.02)
    assert "G21" in world.codes(world.manual(limit_price=99.9, stop_loss=98, take_profit=104))
    assert "G21" in world.codes(world.request(limit_price=99.9))


@pytest.mark.parametrize("multiplier", [1, 50])
def test_exposure_counts_in_what_a_unit_stands_for(multiplier: int) -> None:
    """200 units at 100 are 2 % of a million; of a contract of fifty they are all of it, and the limits say so."""
    world = World()
    instrument = world.market.instruments[AAPL]
    world.market.instruments[AAPL] = msgspec.structs.replace(instrument, multiplier=Decimal(multiplier))
    codes = world.codes(world.manual(quantity=200))
    assert ({"G1", "G12"} <= set(codes)) is (multiplier == 50)


def test_an_own_order_without_a_price_at_work_meets_every_order_of_the_other_side() -> None:
    world = World()
    world.ledger.hold(AAPL, 100)
    resting = world.close(100, order_type=OrderType.RELATIVE, limit_price=None)
    world.desk.put(resting, "ma-1", OrderState.WORKING)
    assert resting.side is Side.SELL
    assert "G29" in world.codes(world.manual())
