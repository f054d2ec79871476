"""What a trader reads: sentences and figures of objections, word for word."""

from typing import Any

import msgspec
import pytest

from engine.bus.clock import SECOND
from engine.model.decision import Denial
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType
from engine.risk.ports import ShortFacts
from engine.risk.say import figure, money, percent
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, MINUTE, MSFT, XOM, World, d, limits


def said(world: World, request: OrderRequest, code: str) -> Denial:
    verdict = world.gate.check(request)
    return next(found for found in (*verdict.denials, *verdict.warnings) if found.code == code)


def instrument(world: World, **changes: Any) -> None:
    world.market.instruments[AAPL] = msgspec.structs.replace(world.market.instruments[AAPL], **changes)


# --- numbers


def test_a_figure_has_as_many_digits_as_tell_it_from_its_limit() -> None:
    assert percent(12.346, 10.0) == "12.35 %"
    assert percent(10.0004, 10.0) == "10.0004 %"
    assert percent(10.0, 10.0) == "10 %"
    assert percent(250.2, 250.0) == "250.2 %"
    assert money(50_000.4, 50_000.0) == "50,000.4"
    assert money(50_100.4, 50_000.0) == "50,100"
    assert money(12.0) == "12.00"
    assert figure(3.04, 3.0) == "3.04"
    assert figure(17.4, 3.0) == "17"
    assert figure(4.9999, 5.0, 1) == "4.9999"


def test_just_beyond_a_limit_the_sentence_says_by_how_much() -> None:
    world = wide({"position_percent": 10})
    found = said(world, world.request(quantity=1001), "G12")
    assert found.text == "This order would make AAPL 10.01 % of equity; the limit is 10 %."
    world = wide({"risk_percent": 0.5})
    found = said(world, world.request(quantity=2501), "G16")
    assert found.text == "The stop would cost 0.5002 % of equity; the limit is 0.5 %."
    assert (found.limit, found.value) == ("0.5 %", "0.5002 %")
    world = wide()
    world.market.set(AAPL, 100.0, ts_event=world.clock.now() - 3 * SECOND - SECOND // 4)
    found = said(world, world.request(), "G21")
    assert found.text == "The quote of AAPL is 3.2 seconds old; the limit is 3."
    world.market.set(AAPL, 100.0, ts_event=world.clock.now() - 90 * SECOND)
    assert said(world, world.request(), "G21").value == "90 s"


# --- what is not known is said, not written as a number


def test_an_unknown_spread_is_said_to_be_unknown() -> None:
    world = wide()
    world.market.set(AAPL, 100.0, ask=float("nan"))
    for request in (world.manual(), world.request()):
        assert said(world, request, "G7").text == "The spread of AAPL is not known."
    assert "G7" in world.codes(world.request())
    assert "G7" not in world.codes(world.manual())


def test_without_a_price_the_distance_is_said_to_be_unknown() -> None:
    world = wide()
    del world.market.quotes[AAPL]
    text = "How far the price is from the market is not known; it needs a confirmation."
    assert said(world, world.manual(), "G5").text == text
    stop = world.manual(order_type=OrderType.STOP_LIMIT, stop_price=d(102), limit_price=d(103), take_profit=d(110))
    assert "nan" not in " ".join(found.text for found in world.gate.check(stop).denials)


def test_an_unknown_traded_value_is_said_to_be_unknown() -> None:
    world = wide()
    instrument(world, adv20=float("nan"))
    found = said(world, world.request(), "G3")
    assert found.text == "How much of AAPL is traded a day is not known; the agent needs 5,000,000."


# --- word for word


def test_no_quote_is_soft_for_a_person_and_hard_for_the_agent() -> None:
    world = wide()
    del world.market.quotes[AAPL]
    assert said(world, world.manual(), "G21") == Denial(code="G21", text="There is no quote of AAPL.", hard=False)
    assert said(world, world.request(), "G21").hard


def test_a_spread_far_from_its_median_says_both() -> None:
    world = wide()
    world.market.medians[AAPL] = 0.0004
    world.market.set(AAPL, 100.0, spread=0.4)
    found = said(world, world.request(), "G7")
    assert found.text == "The spread of AAPL is more than 5 times its usual."
    assert (found.limit, found.value) == ("0.2 %", "0.4 %")


def test_a_duplicate_says_how_long_ago_it_was_sent() -> None:
    world = wide()
    world.send(world.manual())
    world.clock.advance(7)
    found = said(world, world.manual(), "G9")
    assert (found.text, found.limit, found.value) == ("The same order was sent 7 seconds ago.", "10 s", "7 s")


@pytest.mark.parametrize(
    ("sector", "text"),
    [
        ("Technology", "Sector Technology would be 50 % of equity; the limit is 40 %."),
        ("", "Symbols without a known sector would be 50 % of equity; the limit is 20 %."),
    ],
)
def test_a_sector_is_named_and_so_is_its_lack(sector: str, text: str) -> None:
    world = wide(manual={"sector_percent": 40, "unknown_sector_percent": 20})
    instrument(world, sector=sector)
    assert said(world, world.manual(quantity=5000), "G14").text == text


def test_a_sector_and_a_cluster_object_both() -> None:
    world = wide({"sector_percent": 25, "cluster_percent": 30})
    world.clusters.sets.append(frozenset({AAPL, XOM}))
    world.ledger.hold(MSFT, 500)
    world.ledger.hold(XOM, 2500)
    texts = [found.text for found in world.gate.check(world.request(quantity=2000)).denials if found.code == "G14"]
    assert texts == [
        "Sector Technology would be 40 % of equity; the limit is 25 %.",
        "Symbols that move with AAPL would be 35 % of equity; the limit is 30 %.",
    ]


def test_a_symbol_that_moves_with_no_other_is_no_cluster() -> None:
    world = wide({"cluster_percent": 1})
    assert world.codes(world.request(quantity=200)) == []


def test_what_cannot_be_closed_any_more_says_why() -> None:
    world = World()
    world.ledger.hold(AAPL, 100)
    assert said(world, world.close(101), "G28").text == "100 AAPL can still be closed; the order is for 101."
    world.desk.put(world.close(40, limit_price=110))
    assert said(world, world.close(61), "G28").text == (
        "60 AAPL can still be closed; the order is for 61. "
        "The rest is already offered by working orders: cancel those first, or flatten."
    )


@pytest.mark.parametrize("missing", ["shortable", "shares", "fee_percent", ""])
def test_a_short_sale_needs_every_fact_about_borrowing(missing: str) -> None:
    world = wide(allow_short=True)
    facts = {"shortable": 3.0, "shares": 1e6, "fee_percent": 1.0}
    world.shorts.answer = ShortFacts(**{**facts, missing: None}) if missing else None
    short = world.manual(side=Side.SELL, stop_loss=102, take_profit=95)
    assert said(world, short, "G28").text == "Whether AAPL can be borrowed is not known."


def test_larger_than_usual_says_what_was_usual() -> None:
    world = wide(manual={"fat_finger_multiple": 3})
    for n in range(5):
        world.send(world.manual(symbol=XOM, limit_price=60, stop_loss=None, take_profit=None, quantity=10 + n))
        world.clock.advance(11)
    found = said(world, world.manual(quantity=30), "G33")
    assert found.text == "The order is worth 3,000; your last orders were about 720.00. Type it again."
    assert (found.limit, found.value) == ("2,160", "3,000")


def test_a_strategy_without_a_name_is_called_that() -> None:
    world = wide({"identical_decisions": 1, "working_entries": 9, "duplicate_seconds": 1})
    for _ in range(2):
        world.gate.clear(world.request(strategy=""))
        world.clock.advance(2)
    found = said(world, world.request(strategy=""), "G10")
    assert found.text == (
        "Strategy without a name is off until a person re-arms it: it decided the same thing 2 times within 30 minutes."
    )


def test_the_quiet_after_a_halt_counts_down() -> None:
    world = wide()
    world.market.resumed[AAPL] = world.clock.now() - 2 * MINUTE
    found = said(world, world.request(), "G26")
    assert (found.text, found.limit, found.value) == ("AAPL resumed 2.0 minutes ago; the agent waits 5.", "5.0", "2.0")
    world.market.resumed[AAPL] = world.clock.now() - 5 * MINUTE + 1
    assert "resumed 5.0 minutes ago" not in said(world, world.request(), "G26").text


def test_hard_objections_stand_before_those_a_person_may_confirm() -> None:
    world = World(settings=limits(restricted_list=["AAPL"]))
    denials = world.gate.check(world.manual(limit_price=d(79), stop_loss=d(70))).denials
    assert [(found.code, found.hard) for found in denials] == [("G3", True), ("G5", False)]
    world = World(settings=limits(manual={"price_floor": 200}))
    world.market.set(AAPL, 100.0, ts_event=world.clock.now() - 20 * SECOND)
    denials = world.gate.check(world.manual()).denials
    assert [(found.code, found.hard) for found in denials] == [("G3", True), ("G21", False)]
