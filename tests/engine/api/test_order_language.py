"""One line of text is exactly one order, or a sentence that names the word."""

from decimal import Decimal

import pytest

from engine.api.commands import CancelAll, CancelOrder, Flatten, ModifyOrder, PlaceOrder
from engine.api.order_language import OrderTextError, parse_order_text
from engine.model.market import Side
from engine.model.order import OrderType, TimeInForce


def read(text: str):
    return parse_order_text(text, "intent")


def test_the_line_of_the_manual_becomes_a_bracket():
    request = read("buy AAPL 100 @ 190.10 stop 185 target 200 day").request
    assert (request.symbol, request.side, request.quantity) == ("AAPL", Side.BUY, Decimal(100))
    assert (request.order_type, request.limit_price) == (OrderType.LIMIT, Decimal("190.10"))
    assert (request.stop_loss, request.take_profit) == (Decimal(185), Decimal(200))
    assert request.tif is TimeInForce.DAY


def test_an_order_without_a_price_is_a_market_order():
    assert read("sell msft 5").request.order_type is OrderType.MARKET


def test_money_buys_whole_units_and_needs_a_price():
    assert read("buy AAPL $10_000 @190.10").request.quantity == Decimal(52)
    with pytest.raises(OrderTextError, match="needs a price"):
        read("buy AAPL $10000")


def test_a_risk_buys_what_loses_no_more_than_it_at_the_stop():
    assert read("buy AAPL risk 250 @ 190.33 stop 188").request.quantity == Decimal(107)
    assert read("sell AAPL risk 250 stp 188 stop 190.33").request.quantity == Decimal(107)
    for text in ("buy AAPL risk 250 stop 188", "buy AAPL risk 250 @ 190", "buy AAPL risk 250 @ 190 stop 191"):
        with pytest.raises(OrderTextError, match="losing side"):
            read(text)
    with pytest.raises(OrderTextError, match=r"one unit risks 5, more than 4"):
        read("buy AAPL risk 4 @ 190 stop 185")


@pytest.mark.parametrize(
    ("text", "kind", "limit"),
    [
        ("moo", OrderType.MARKET_ON_OPEN, None),
        ("loo 190", OrderType.LIMIT_ON_OPEN, Decimal(190)),
        ("rel", OrderType.RELATIVE, None),
        ("rel @ 190", OrderType.RELATIVE, Decimal(190)),
        ("mid", OrderType.MIDPRICE, None),
        ("mid @ 190", OrderType.MIDPRICE, Decimal(190)),
        ("loc 190", OrderType.LIMIT_ON_CLOSE, Decimal(190)),
    ],
)
def test_every_type_of_the_ticket_can_be_typed(text: str, kind: OrderType, limit: Decimal | None):
    request = read(f"buy AAPL 10 {text}").request
    assert (request.order_type, request.limit_price) == (kind, limit)


def test_a_trigger_with_a_limit_is_a_stop_limit():
    request = read("sell AAPL 10 stp 180 @ 179.5 gtc").request
    assert request.order_type is OrderType.STOP_LIMIT
    assert (request.stop_price, request.limit_price) == (Decimal(180), Decimal("179.5"))


def test_trailing_takes_an_amount_or_a_percentage():
    assert read("sell AAPL 10 trail 2.5").request.trail_amount == Decimal("2.5")
    assert read("sell AAPL 10 trail 1%").request.trail_percent == Decimal(1)


def test_an_algorithm_takes_its_parameters():
    request = read("buy AAPL 1000 @ 190 via twap minutes=30 slices=6").request
    assert request.algo == "twap"
    assert request.algo_params == {"minutes": "30", "slices": "6"}


def test_cancel_tells_references_from_symbols():
    assert isinstance(read("cancel MA-0567-261122-AAAB-M"), CancelOrder)
    assert read("cancel aapl") == CancelAll(symbol="AAPL", by="cli")
    assert read("cancel all") == CancelAll(by="cli")


def test_modify_and_flatten():
    modify = read("modify MA-0567-261122-AAAB-M @ 190.20 qty 50")
    assert isinstance(modify, ModifyOrder)
    assert (modify.limit_price, modify.quantity) == (Decimal("190.20"), Decimal(50))
    assert read("flatten AAPL 1/2").fraction == Decimal("0.5")
    assert isinstance(read("flatten all"), Flatten)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "missing"),
        ("hold AAPL 100", "hold"),
        ("buy AAPL", "quantity"),
        ("buy AAPL many", "many"),
        ("buy AAPL -5", "-5"),
        ("buy AAPL nan", "nan"),
        ("buy AAPL 5 @ x", "limit price"),
        ("buy AAPL 5 tomorrow", "tomorrow"),
        ("modify X-1", "what to change"),
        ("flatten AAPL 3/2", "3/2"),
        ("cancel", "missing"),
    ],
)
def test_what_does_not_fit_is_named(text: str, word: str):
    with pytest.raises(OrderTextError, match=word):
        read(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("sell AAPL 10 trail 1 @ 185", "@"),  # it would be a limit that sells at once
        ("buy AAPL 10 mkt @ 190", "@"),
        ("buy AAPL 10 moc @ 190", "@"),
        ("buy AAPL 10 @ 190 @ 191", "@"),
        ("buy AAPL 10 stp 190 @ 191 @ 192", "@"),
        ("buy AAPL 10 @ 191 stp 190", "stp"),  # it would be a stop without the limit
        ("buy AAPL 10 @ 190 mkt", "mkt"),
        ("buy AAPL 10 moc loc 190", "loc"),
        ("buy AAPL 10 @ 190 stop 180 stop 185", "stop"),
        ("buy AAPL 10 @ 190 target 200 target 210", "target"),
    ],
)
def test_what_contradicts_itself_is_no_order(text: str, word: str):
    with pytest.raises(OrderTextError, match=f"'{word}' does not belong there"):
        read(text)


def test_an_order_is_always_a_place_order():
    assert isinstance(read("buy AAPL 1 @ 1"), PlaceOrder)


def test_an_amount_and_a_risk_are_reckoned_in_contracts_of_many_units() -> None:
    def size(text: str) -> Decimal:
        return parse_order_text(text, "i", multiplier=lambda symbol: Decimal(50)).request.quantity

    assert size("buy ES risk 250 @ 5000.25 stop 4998.25") == 2
    assert size("buy ES $600000 @ 5000") == 2
    with pytest.raises(OrderTextError, match=r"one unit risks 100.00, more than 99"):
        size("buy ES risk 99 @ 5000.25 stop 4998.25")
