"""What is said of a position's stop: at the broker, for a part, waiting, not confirmed, or none."""

from decimal import Decimal

import pytest

from engine.api.rows import OrderRow
from engine.model.ids import AccountId, Symbol
from engine.model.position import Position
from engine.views.positions import _protection

D = Decimal
HELD = Position(account=AccountId("DU1"), symbol=Symbol("AAPL"), quantity=D(100), average_price=D(190))


def order(key: str, state: str = "WORKING", **changes: object) -> OrderRow:
    fields: dict[str, object] = {
        "key": key,
        "symbol": "AAPL",
        "side": "SELL",
        "quantity": D(100),
        "filled": D(0),
        "state": state,
        "order_type": "STP",
        "stop_price": D(185),
        "working": True,
    }
    return OrderRow(**{**fields, **changes})


ENTRY = order("e", "PARTIAL", side="BUY", quantity=D(200), filled=D(100), order_type="LMT", stop_price=None)


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        ([], "no stop"),
        ([order("s")], "stop at broker"),
        ([order("s", quantity=D(40))], "stop for 40 of 100"),
        ([order("s", "UNKNOWN")], "not confirmed"),
        ([ENTRY, order("s", "HELD", parent="e")], "stop waits for the entry"),
        ([order("s", "HELD", parent="e")], "stop at broker"),
        ([ENTRY, order("s", "HELD", parent="e"), order("t", quantity=D(40))], "stop for 40 of 100"),
        ([ENTRY, order("s", parent="e")], "stop at broker"),
    ],
)
def test_the_word_is_what_is_true_of_the_stop(orders: list[OrderRow], said: str) -> None:
    stop, _, word = _protection(orders, Symbol("AAPL"), HELD)
    assert word == said
    assert (stop is None) is (said == "no stop")
