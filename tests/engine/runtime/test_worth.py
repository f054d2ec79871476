"""Equity and the result of the day move together: both are reckoned at the same prices."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.model.ids import AccountId
from engine.model.position import Account
from engine.runtime.worth import Worth

D = Decimal
STATED = Account(account=AccountId("DU1"), currency="USD", cash={"USD": D(990_000)}, equity=D(1_000_000))


@given(st.lists(st.integers(-50_000, 50_000), min_size=1, max_size=20))
def test_between_two_messages_of_the_broker_the_equity_moves_by_what_the_day_moves(moves: list[int]) -> None:
    worth, ours = Worth(), D("1000000.37")
    first = worth.equity(STATED, ours)
    for move in moves:
        assert worth.equity(STATED, ours + move) == first + move


def test_a_message_reckoned_at_the_prices_of_another_moment_moves_nothing() -> None:
    worth, ours = Worth(), D(1_000_200)
    before = worth.equity(STATED, ours)
    later = msgspec.structs.replace(STATED, equity=D("1000150.25"), ts_event=5)
    assert worth.equity(later, ours) == before == ours


def test_what_the_broker_counts_beside_our_books_is_in_the_equity_and_stays() -> None:
    worth, ours = Worth(), D(1_000_000)
    paid_in = msgspec.structs.replace(STATED, equity=D(1_050_000))
    assert worth.equity(paid_in, ours) == D(1_050_000)
    assert worth.equity(paid_in, ours - 300) == D(1_049_700)


def test_where_our_books_are_not_known_the_broker_s_own_figure_stands() -> None:
    assert Worth().equity(STATED, None) == D(1_000_000)
    assert Worth().equity(None, D(5)) is None
