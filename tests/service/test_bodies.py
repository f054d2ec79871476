"""What other programs send, read strictly."""

import pytest

from service import bodies
from service.answers import Refusal


@pytest.mark.parametrize("number", ["1e-999999", '"1E-1000000"', '"0.' + "0" * 30_000 + '1"', "1e-19"])
def test_a_number_that_would_be_a_page_long_is_refused_by_its_name(number: str) -> None:
    body = f'{{"id":"a","symbol":"KO","side":"BUY","quantity":{number}}}'.encode()
    with pytest.raises(Refusal, match="quantity"):
        bodies.order(bodies.read(body, bodies.OrderBody))
    with pytest.raises(Refusal, match="quantity"):
        bodies.proposal(bodies.read(body, bodies.ProposalBody))


def test_the_smallest_coin_is_an_amount() -> None:
    body = b'{"id":"a","symbol":"BTC-USD","side":"BUY","quantity":0.00000001,"limit_price":1}'
    assert str(bodies.order(bodies.read(body, bodies.OrderBody)).quantity) == "1E-8"


@pytest.mark.parametrize("field", ["id", "symbol"])
def test_a_line_feed_is_no_part_of_a_name(field: str) -> None:
    names = {"id": "a", "symbol": "KO", field: "KO\\n"}
    body = f'{{"id":"{names["id"]}","symbol":"{names["symbol"]}","side":"BUY"}}'.encode()
    with pytest.raises(Refusal, match=field):
        bodies.read(body, bodies.ProposalBody)
