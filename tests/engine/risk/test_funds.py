"""G15: what an order may bind, in a cash account and in a margin account, with the broker's answer and without."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.model.broker import WhatIf
from engine.model.market import Side
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, MSFT, Book, World, d


def cash_account(settled: int) -> World:
    world = wide()
    world.ledger.change(margin_account=False, settled_cash=d(settled))
    return world


def asked(**answer: Any) -> World:
    """A live world in which the broker has answered."""
    world = wide({"funds_percent": 80, "cushion_percent": 30}, world={"book": Book.LIVE})
    world.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    fields = {"initial_margin_after": d(1), "maintenance_margin_after": d(0), "equity_after": d(1_000_000)}
    world.what_ifs.answer = WhatIf(**{**fields, **answer})
    return world


def funds(world: World, **changes: Any) -> list[str]:
    found = world.gate.check(world.request(**changes)).denials
    return [one.text for one in found if one.code in ("G15", "WHATIF")]


# --- cash


def test_cash_that_waits_for_another_symbol_is_not_there_twice() -> None:
    world = cash_account(10_000)
    other = world.manual(symbol=MSFT, limit_price=400, stop_loss=None, take_profit=None, quantity=20)
    world.desk.put(other)
    assert funds(world, quantity=20) == []
    assert funds(world, quantity=21) == ["The order needs 10,100; 10,000 of settled cash may be used."]
    world.desk.all.clear()
    assert funds(world, quantity=100) == []


def test_cash_that_is_reserved_for_an_order_on_its_way_is_not_there_twice() -> None:
    world = cash_account(10_000)
    first = world.clear(world.manual(symbol=MSFT, limit_price=400, stop_loss=None, take_profit=None, quantity=20))
    assert first is not None
    assert funds(world, quantity=21) != []
    world.gate.release(first.ref)
    assert funds(world, quantity=21) == []


def test_cash_of_a_contract_counts_its_multiplier() -> None:
    world = cash_account(10_000)
    world.market.instruments[MSFT] = msgspec.structs.replace(world.market.instruments[MSFT], multiplier=d(2))
    world.desk.put(world.manual(symbol=MSFT, limit_price=400, stop_loss=None, take_profit=None, quantity=10))
    assert funds(world, quantity=20) == []
    assert funds(world, quantity=21) != []
    world.market.instruments[AAPL] = msgspec.structs.replace(world.market.instruments[AAPL], multiplier=d(2))
    world.desk.all.clear()
    world.desk.put(world.manual(quantity=25))
    assert funds(world, quantity=25) == []
    assert funds(world, quantity=26) != []


def test_cash_for_what_waits_in_the_symbol_counts_the_dearer_of_limit_and_market() -> None:
    world = cash_account(10_000)
    world.desk.put(world.manual(quantity=50, limit_price=95))
    assert funds(world, quantity=50, limit_price=d(100)) == []
    assert funds(world, quantity=50, limit_price=d("100.50")) != []
    assert funds(world, quantity=50, limit_price=d("99.00"), stop_loss=d(98)) == []
    assert funds(world, quantity=51, limit_price=d("99.00"), stop_loss=d(98)) != []


@pytest.mark.parametrize("settled", [None, Decimal("NaN"), Decimal("Infinity")])
def test_unknown_settled_cash_lets_nothing_open(settled: Decimal | None) -> None:
    world = cash_account(10_000)
    world.ledger.change(settled_cash=settled)
    assert funds(world) == ["The settled cash of the account is not known."]


def test_a_cash_account_does_not_sell_short() -> None:
    world = cash_account(1_000_000)
    sale = {"side": Side.SELL, "stop_loss": d(102), "take_profit": d(95)}
    assert funds(world, **sale) == ["A cash account cannot sell short."]


# --- the broker's answer


def test_while_the_broker_is_asked_the_order_waits() -> None:
    world = asked(pending=True)
    verdict = world.gate.check(world.request())
    assert [(found.code, found.text) for found in verdict.denials] == [
        ("WHATIF", "The broker is being asked what margin this order would need.")
    ]


def test_margin_is_what_one_answer_adds_and_only_where_it_lacks_a_before_the_account_s_own() -> None:
    world = asked(initial_margin_before=d(300_000), initial_margin_after=d(1_100_000))
    world.ledger.change(available_funds=d(1_000_000), initial_margin=d(1_100_000))
    assert funds(world) == []
    world.what_ifs.answer = msgspec.structs.replace(world.what_ifs.answer, initial_margin_after=d(1_100_001))
    assert funds(world) == ["The order binds 800,001; 800,000 of the available funds may be used."]
    world.what_ifs.answer = msgspec.structs.replace(world.what_ifs.answer, initial_margin_before=None)
    assert funds(world) == []


@pytest.mark.parametrize("margin", [None, Decimal("NaN"), Decimal("1.7976931348623157E+308")])
def test_an_answer_without_a_margin_is_none(margin: Decimal | None) -> None:
    text = "The broker's what-if answer has no usable margin figure."
    assert funds(asked(initial_margin_after=margin)) == [text]
    if margin is not None:
        assert funds(asked(initial_margin_before=margin)) == [text]
    world = asked()
    world.ledger.change(initial_margin=margin)
    assert funds(world) == [text]


def test_an_order_that_frees_margin_needs_none() -> None:
    world = asked(initial_margin_before=d(500_000), initial_margin_after=d(100_000))
    world.ledger.change(available_funds=d(0))
    assert funds(world) == []


@pytest.mark.parametrize("missing", ["equity_after", "maintenance_margin_after"])
@pytest.mark.parametrize("value", [None, Decimal("NaN")])
def test_a_cushion_that_cannot_be_reckoned_is_not_there(missing: str, value: Decimal | None) -> None:
    assert funds(asked(**{missing: value})) == ["The account's excess liquidity is not known."]


def test_the_cushion_may_end_exactly_at_its_least() -> None:
    assert funds(asked(maintenance_margin_after=d(700_000))) == []
    assert funds(asked(maintenance_margin_after=d(700_100))) == [
        "The margin cushion would be 29.99 % of equity; at least 30 % must remain."
    ]


def test_without_an_answer_a_live_order_binds_its_full_value_and_paper_its_margin() -> None:
    for book, most in ((Book.PAPER, 200), (Book.LIVE, 100)):
        world = wide(what_if="full_value", world={"book": book})
        world.ledger.change(available_funds=d(10_000))
        for quantity, denied in ((most, False), (most + 1, True)):
            found = world.gate.check(world.manual(quantity=quantity)).denials
            assert any("binds" in one.text for one in found) is denied


@pytest.mark.parametrize("value", [None, Decimal("NaN")])
def test_unknown_available_funds_let_nothing_open(value: Decimal | None) -> None:
    world = wide()
    world.ledger.change(available_funds=value)
    assert funds(world) == ["The broker did not say how much is available."]
