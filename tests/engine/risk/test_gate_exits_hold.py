"""Where resting exits hold what they would close, a strategy's exit is cleared for when they are gone, nothing else."""

from typing import Any

import pytest

from engine.model.events.decision import RiskDenied
from engine.model.ids import SuggestionId
from engine.model.order import OrderState, OrderType, Origin
from tests.engine.risk.world import AAPL, World, d


def world(**fields: Any) -> World:
    """A hundred AAPL with a stop and a target at work."""
    made = World(exits_hold=True, **fields)
    made.ledger.hold(AAPL, 100)
    protective = {"origin": Origin.PROTECTIVE, "oca_group": "x"}
    stop = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": 95, **protective}
    made.desk.put(made.close(100, **stop), state=OrderState.WORKING)
    made.desk.put(made.close(100, limit_price=110, **protective), state=OrderState.WORKING)
    return made


def leaving(made: World, quantity: int = 100, **fields: Any) -> Any:
    market = {"order_type": OrderType.MARKET, "limit_price": None, "origin": Origin.AUTO}
    return made.close(quantity, **{**market, "suggestion_id": SuggestionId("s"), **fields})


@pytest.mark.parametrize("quantity", [100, 25])
def test_an_exit_of_a_strategy_is_cleared_and_joins_no_group(quantity: int) -> None:
    made = world()
    cleared = made.clear(leaving(made, quantity))
    assert cleared is not None
    assert (cleared.request.oca_group, cleared.request.reduce_only) == ("", True)


def test_more_than_is_held_is_not_cleared_whatever_makes_way() -> None:
    made = world()
    assert "G28" in made.codes(leaving(made, 101))


def test_a_second_exit_is_not_cleared_while_the_first_waits() -> None:
    made = world()
    assert made.clear(leaving(made)) is not None
    assert "G28" in made.codes(leaving(made))


def test_orders_that_protect_nothing_do_not_make_way() -> None:
    made = world()
    made.desk.put(made.close(100, limit_price=120), state=OrderState.WORKING)
    assert "G28" in made.codes(leaving(made))


@pytest.mark.parametrize("origin", [Origin.MANUAL, Origin.PROGRAM])
def test_an_order_that_no_strategy_asked_for_is_denied_with_what_to_do(origin: Origin) -> None:
    made = world()
    denial = made.gate.check(leaving(made, suggestion_id=None, origin=origin)).denials[0]
    assert (denial.code, "cancel those first, or flatten" in denial.text) == ("G28", True)


@pytest.mark.parametrize("origin", [Origin.AUTO, Origin.MANUAL, Origin.PROGRAM])
def test_an_exit_that_waited_is_judged_anew_and_keeps_its_reference(origin: Origin) -> None:
    made = world()
    cleared = made.clear(leaving(made, 60, origin=origin))
    assert cleared is not None
    made.desk.all.clear()
    for _ in range(2):
        made.gate.note_message()  # the cancels of stop and target: with it more than a second allows the agent
    verdict, again = made.gate.clear_again(cleared, leaving(made, 60, origin=origin))
    assert verdict.cleared
    assert again is not None
    assert (again.ref, again.account, again.request.quantity) == (cleared.ref, cleared.account, d(60))
    assert (again.request.order_type, again.request.account) == (OrderType.LIMIT, cleared.account)
    made.clock.advance(2)
    assert "G28" in made.codes(leaving(made, 41))
    assert made.codes(leaving(made, 40)) == []


def test_an_exit_that_waited_and_is_denied_is_told_and_reserved_no_more() -> None:
    made = world()
    cleared = made.clear(leaving(made))
    assert cleared is not None
    verdict, again = made.gate.clear_again(cleared, leaving(made, 101))
    assert (verdict.cleared, again) == (False, None)
    assert made.of(RiskDenied)
    assert made.codes(leaving(made)) == []
