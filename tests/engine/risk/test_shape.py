"""VALUES: an order's numbers must be finite, fit together and fit the instrument; what does not is named."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.model.market import Side
from engine.model.order import OrderType, TimeInForce
from engine.risk.rules import shape
from tests.engine.risk.world import AAPL, World, d

BARE: dict[str, Any] = {"stop_loss": None, "take_profit": None}


def said(**changes: Any) -> str:
    world = World()
    found = shape.check(world.manual(**changes), world.market.instruments[AAPL])
    assert all(one.denial.code == "VALUES" and one.denial.hard for one in found)
    return found[0].denial.text if found else ""


@pytest.mark.parametrize("field", [name for name in shape.FIELDS if name != "quantity"])
def test_every_number_may_be_missing_save_the_quantity(field: str) -> None:
    assert said(**{"order_type": OrderType.MARKET, "limit_price": None, **BARE, field: None}) == ""
    assert said(quantity=None) == "The quantity is not a number (None)."


@pytest.mark.parametrize("field", shape.FIELDS)
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("NaN"), "is not a number (NaN)."),
        (Decimal("Infinity"), "is not a number (Infinity)."),
        (Decimal("1e300"), "is not a number (1E+300)."),
        ("5", "is not a number (5)."),
        (Decimal(0), "must be above zero, not 0."),
        (Decimal(-1), "must be above zero, not -1."),
        (Decimal("1000000000001"), "1.00e+12 is beyond anything that can be traded."),
    ],
)
def test_a_number_that_cannot_be_traded_on_is_named(field: str, value: object, text: str) -> None:
    assert said(**{field: value}) == f"The {field.replace('_', ' ')} {text}"


def test_the_largest_number_is_allowed() -> None:
    assert said(quantity=Decimal("1e12")) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"order_type": OrderType.LIMIT, "limit_price": None}, "A LMT order needs a limit price."),
        ({"order_type": OrderType.LIMIT_ON_CLOSE, "limit_price": None}, "A LOC order needs a limit price."),
        ({"order_type": OrderType.STOP, "limit_price": None}, "A STP order needs a stop price."),
        ({"order_type": OrderType.STOP_LIMIT}, "A STP LMT order needs a stop price."),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": None, "stop_price": d(102)}, "needs a limit price."),
        ({"order_type": OrderType.TRAIL, "limit_price": None}, "A TRAIL order needs a trailing amount or percentage."),
        ({"order_type": OrderType.TRAIL, "limit_price": None, "trail_amount": d(1)}, ""),
        ({"order_type": OrderType.TRAIL, "limit_price": None, "trail_percent": d(1)}, ""),
        ({"order_type": OrderType.TRAIL_LIMIT, "limit_price": None, "trail_percent": d(1)}, ""),
        ({"order_type": OrderType.TRAIL, "limit_price": None, "trail_percent": d("99.9")}, ""),
        (
            {"order_type": OrderType.TRAIL, "limit_price": None, "trail_percent": d(100)},
            "The trail percent must be below 100.",
        ),
        ({"tif": TimeInForce.GTD}, "A good-till-date order needs its date."),
        ({"tif": TimeInForce.GTD, "good_till_ns": 1}, ""),
        ({"intent_id": ""}, "The order has no intent id, so a repeat could not be told from a new one."),
    ],
)
def test_what_a_kind_of_order_needs(changes: dict[str, Any], text: str) -> None:
    found = said(**{**BARE, **changes})
    assert found.endswith(text) if text else found == ""


def test_a_quantity_is_a_multiple_of_the_lot_and_shows_no_more_than_it_is() -> None:
    world = World()
    hundred = msgspec.structs.replace(world.market.instruments[AAPL], lot=d(100))
    assert shape.check(world.manual(quantity=200), hundred) == ()
    (found,) = shape.check(world.manual(quantity=250), hundred)
    assert (found.denial.text, found.denial.limit) == ("The quantity 250 is not a multiple of 100.", "100")
    assert said(quantity=10, display_quantity=d(10)) == ""
    assert said(quantity=10, display_quantity=d(11)) == "The displayed quantity is larger than the order."


@pytest.mark.parametrize(
    ("side", "stop", "target", "text"),
    [
        (Side.BUY, 99, 101, ""),
        (Side.BUY, 100, None, "The stop 100 must be below the entry 100."),
        (Side.BUY, 101, None, "The stop 101 must be below the entry 100."),
        (Side.BUY, None, 100, "The target 100 must be above the entry 100."),
        (Side.BUY, None, 99, "The target 99 must be above the entry 100."),
        (Side.SELL, 101, 99, ""),
        (Side.SELL, 100, None, "The stop 100 must be above the entry 100."),
        (Side.SELL, 99, None, "The stop 99 must be above the entry 100."),
        (Side.SELL, None, 100, "The target 100 must be below the entry 100."),
        (Side.SELL, None, 101, "The target 101 must be below the entry 100."),
    ],
)
def test_stop_and_target_are_on_their_sides_of_the_entry(
    side: Side, stop: int | None, target: int | None, text: str
) -> None:
    prices = {"stop_loss": None if stop is None else d(stop), "take_profit": None if target is None else d(target)}
    assert said(side=side, limit_price=d(100), **prices) == text
    trigger = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": d(100)}
    assert said(side=side, **trigger, **prices) == text


@pytest.mark.parametrize(
    ("side", "stop", "target"),
    [(Side.BUY, 101, 100), (Side.BUY, 100, 100), (Side.SELL, 99, 100), (Side.SELL, 100, 100)],
)
def test_without_an_entry_stop_and_target_are_on_their_sides_of_each_other(side: Side, stop: int, target: int) -> None:
    market = {"side": side, "order_type": OrderType.MARKET, "limit_price": None}
    found = said(**market, stop_loss=d(stop), take_profit=d(target))
    assert found == f"The stop {stop} and the target {target} are on the wrong sides."
    right = (target - 1, target) if side is Side.BUY else (target + 1, target)
    assert said(**market, stop_loss=d(right[0]), take_profit=d(right[1])) == ""
