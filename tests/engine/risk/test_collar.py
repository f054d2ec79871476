"""G4 and G6 where a market order was turned into a limit: collared from the far side of the quote, to the tick."""

import pytest

from engine.model.market import Side
from engine.model.order import OrderType, Origin
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, World, d

MARKET = {"order_type": OrderType.MARKET, "limit_price": None}


@pytest.mark.parametrize("held", [10, -10])
@pytest.mark.parametrize("spread", [0.02, 1.0, 2.0, 8.0, 30.0])
def test_flatten_leaves_a_position_however_wide_the_spread_is(held: int, spread: float) -> None:
    world = wide()
    world.ledger.hold(AAPL, held)
    world.market.set(AAPL, 100.0, spread=spread)
    side = Side.SELL if held > 0 else Side.BUY
    verdict = world.gate.check(world.close(10, side=side, origin=Origin.FLATTEN, **MARKET))
    assert verdict.cleared, verdict.denials


@pytest.mark.parametrize(
    ("held", "limit", "passes"),
    [(-10, "103.02", True), (-10, "103.03", False), (10, "97.02", True), (10, "97.01", False)],
)
def test_flatten_goes_two_percent_beyond_the_far_side_and_no_tick_more(held: int, limit: str, passes: bool) -> None:
    world = wide()
    world.ledger.hold(AAPL, held)
    world.market.set(AAPL, 100.0, spread=2.0)
    side = Side.SELL if held > 0 else Side.BUY
    codes = world.codes(world.close(10, side=side, origin=Origin.FLATTEN, limit_price=d(limit)))
    assert codes == ([] if passes else ["G4"])


def test_a_market_order_by_hand_is_asked_about_only_when_its_own_collar_is_wider_than_the_rule_s() -> None:
    for market_collar, codes in ((2.0, []), (2.1, ["G4"])):
        world = wide(manual={"market_collar_percent": market_collar, "spread_percent": 50})
        world.market.set(AAPL, 100.0, spread=2.0)
        verdict = world.gate.check(world.manual(**MARKET, take_profit=d(110)))
        assert [found.code for found in verdict.denials] == codes
        assert not any(found.hard for found in verdict.denials)


def test_a_limit_order_is_collared_from_the_mid_however_wide_the_spread_is() -> None:
    world = wide(manual={"spread_percent": 50, "collar_soft_percent": 50})
    world.market.set(AAPL, 100.0, spread=2.0)
    assert world.codes(world.manual(limit_price=d("103.00"))) == []
    assert world.codes(world.manual(limit_price=d("103.01"))) == ["G4"]


def test_a_market_order_of_the_agent_passes_a_wide_spread_its_collar_allows() -> None:
    world = wide({"spread_percent": 50})
    world.market.set(AAPL, 100.0, spread=2.0)
    verdict = world.gate.check(world.request(**MARKET))
    assert verdict.cleared, verdict.denials
    assert verdict.request.limit_price == d("101.50")


@pytest.mark.parametrize(("mid", "limit"), [(25.0, "27.50"), (50.0, "52.50")])
def test_the_wider_band_holds_up_to_its_price_and_at_it(mid: float, limit: str) -> None:
    world = wide(manual={"collar_soft_percent": 50})
    world.market.set(AAPL, mid)
    fields = {"stop_loss": d("20"), "take_profit": d("90")}
    assert world.codes(world.manual(limit_price=d(limit), **fields)) == []
    assert world.codes(world.manual(limit_price=d(limit) + d("0.01"), **fields)) == ["G4"]


def test_only_a_stop_limit_is_measured_from_its_stop() -> None:
    world = wide(manual={"collar_soft_percent": 50})
    fields = {"limit_price": d(104), "stop_price": d(102), "take_profit": d(110)}
    assert world.codes(world.manual(order_type=OrderType.STOP_LIMIT, **fields)) == []
    assert world.codes(world.manual(order_type=OrderType.LIMIT, **fields)) == ["G4"]


def test_with_half_a_quote_a_limit_is_collared_from_the_last_price() -> None:
    world = World()
    world.ledger.hold(AAPL, 10)
    world.market.set(AAPL, 100.0, ask=float("nan"))
    close = {"side": Side.SELL, "origin": Origin.FLATTEN}
    assert world.codes(world.close(10, **close, limit_price=d("98.00"))) == []
    assert world.codes(world.close(10, **close, limit_price=d("97.99"))) == ["G4"]
