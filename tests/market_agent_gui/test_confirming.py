"""Which acts are confirmed, in which book and above which amount; and what a second press is."""

from decimal import Decimal as D

import pytest

from market_agent_gui.keys.confirming import (
    HOLD_S,
    Act,
    Choice,
    Policy,
    Press,
    SecondPress,
    When,
    read_money,
    read_policy,
    worth,
)
from market_agent_gui.keys.guard import SEND_GAP_S
from tests.support_gui.clock import Clock

ORDERS = (Act.KEY, Act.TICKET, Act.CHART)


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("book", ["paper", "replay"])
def test_on_paper_nothing_is_confirmed_unless_a_person_says_so(book: str, act: Act) -> None:
    assert not Policy().asks(book, act, None)
    assert not Policy().asks(book, act, D(10**9))
    assert Policy({("paper", act): Choice(When.ALWAYS)}).asks(book, act, D(1))


@pytest.mark.parametrize("act", ORDERS)
@pytest.mark.parametrize(("notional", "asks"), [(D(25_000), False), (D("25000.01"), True), (D(-30_000), True)])
def test_a_live_order_is_confirmed_above_twenty_five_thousand(act: Act, notional: D, asks: bool) -> None:
    assert Policy().asks("live", act, notional) is asks


@pytest.mark.parametrize("act", ORDERS)
@pytest.mark.parametrize("notional", [None, D("NaN"), D("Infinity")])
def test_an_amount_that_is_not_known_is_confirmed(act: Act, notional: D | None) -> None:
    assert Policy().asks("live", act, notional)


def test_live_by_itself_reverse_and_flatten_all_are_always_confirmed_and_what_cancels_or_exits_never() -> None:
    asked = {act for act in Act if Policy().asks("live", act, D(1))}
    assert asked == {Act.REVERSE, Act.FLATTEN_ALL}
    assert not Policy().asks("live", Act.CANCEL_ALL, None)
    assert not Policy().asks("live", Act.FLATTEN, None)


@pytest.mark.parametrize("book", ["", "demo", "LIVE"])
def test_a_book_that_is_not_known_is_taken_for_live(book: str) -> None:
    assert Policy().asks(book, Act.REVERSE, D(1))


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        (Choice(When.ALWAYS), Choice(When.ABOVE, D(0)), True),
        (Choice(When.ABOVE, D(100)), Choice(When.ABOVE, D(101)), True),
        (Choice(When.ABOVE, D(100)), Choice(When.NEVER), True),
        (Choice(When.ABOVE, D(100)), Choice(When.ABOVE, D(99)), False),
        (Choice(When.NEVER), Choice(When.ABOVE, D(10**9)), False),
        (Choice(When.ABOVE, D(100)), Choice(When.ALWAYS), False),
        *((Choice(when), Choice(when), False) for when in When),
        (Choice(When.ALWAYS, D(1)), Choice(When.ALWAYS, D(2)), False),
    ],
)
def test_only_what_lets_more_through_unasked_is_looser(before: Choice, after: Choice, looser: bool) -> None:
    assert after.looser(before) is looser
    place = ("live", Act.KEY)
    assert Policy({place: after}).looser(Policy({place: before})) is looser


def test_one_stricter_choice_does_not_hide_a_looser_one() -> None:
    after = Policy({("live", Act.KEY): Choice(When.ALWAYS), ("live", Act.REVERSE): Choice(When.NEVER)})
    assert after.looser(Policy())


def test_what_is_stored_is_read_again() -> None:
    policy = Policy({("live", Act.TICKET): Choice(When.ABOVE, D("1250.50")), ("paper", Act.KEY): Choice(When.ALWAYS)})
    assert read_policy(policy.stored()) == (policy, ())
    assert policy.stored()["live.ticket"] == "above 1250.50"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("live.key", "sometimes"),
        ("live.key", "above NaN"),
        ("live.key", "above -1"),
        ("live.key", "above"),
        ("live.key", "never 5"),
        ("live.stop", "always"),
        ("demo.key", "always"),
        ("", ""),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_only_its_default_holds(place: str, text: str) -> None:
    policy, wrong = read_policy({place: text, "paper.reverse": "always"})
    assert wrong == (f"{place}: {text}",)
    assert policy == Policy({("paper", Act.REVERSE): Choice(When.ALWAYS)})


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "Infinity", "1e30"])
def test_an_amount_of_money_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        read_money(text)


def test_an_order_is_worth_its_size_at_the_dearest_price_known() -> None:
    assert worth(D(100), D("190.10"), None, 189.0) == D(19010)
    assert worth(D(-100), None, 191.5) == D(19150), "a sell below the market is filled at the market"
    assert worth(D(100), None, float("nan")) is None
    assert worth(D(100)) is None


def test_a_second_press_is_of_the_same_thing_and_neither_in_haste_nor_long_after() -> None:
    clock = Clock()
    second = SecondPress(clock)
    assert second.press("a") is Press.FIRST
    clock.now += SEND_GAP_S - 0.01
    assert second.press("a") is Press.EARLY
    clock.now += 0.02
    assert second.press("b") is Press.FIRST, "another thing is asked about itself"
    clock.now += SEND_GAP_S
    assert second.press("b") is Press.SECOND
    assert second.press("b") is Press.FIRST, "each is confirmed once"
    clock.now += HOLD_S + 0.01
    assert second.what is None
    assert second.press("b") is Press.FIRST
    second.drop()
    clock.now += SEND_GAP_S
    assert second.press("b") is Press.FIRST
