"""Presets: the nearest wins by field, legs stand at their distance, and nothing that cannot be placed is left out."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderType, TimeInForce
from widgets.order_ticket import OrderTicket
from widgets.ticket_draft import Around, Away, AwayIn, Draft, SizeIn, TrailIn, problems, to_request
from widgets.ticket_preset import (
    Filling,
    Preset,
    after_edit,
    begin,
    join,
    place_legs,
    preset_of,
    preset_words,
    read_texts,
    to_texts,
)

D = Decimal
AROUND = Around(bid=190.33, ask=190.35, last=190.34, equity=D(1_000_000), atr=D("3.2"))
SCALP = Preset(size=(D(200), SizeIn.SHARES), stop=Away(D(20), AwayIn.TICKS), target=Away(D(1), AwayIn.PERCENT))


def test_the_nearest_preset_wins_field_by_field_and_says_who_gave_what() -> None:
    found = join(
        [
            ("name Scalp", Preset(size=(D(200), SizeIn.SHARES))),
            ("symbol AAPL", Preset(size=(D(50), SizeIn.SHARES), tif=TimeInForce.GTC)),
            ("kind STK", Preset(tif=TimeInForce.IOC)),
            ("all", Preset(outside_rth=False)),
        ]
    )
    assert found.preset == Preset(size=(D(200), SizeIn.SHARES), tif=TimeInForce.GTC, outside_rth=False)
    assert found.sources == ("name Scalp", "symbol AAPL", "all")


def test_what_the_broker_does_not_take_is_left_to_the_next_preset_and_named() -> None:
    near = Preset(order_type=OrderType.RELATIVE, tif=TimeInForce.OPG, size=(D(10), SizeIn.SHARES))
    far = Preset(order_type=OrderType.MARKET)
    found = join([("symbol AAPL", near), ("all", far)], types=("LMT", "MKT"), tifs=("DAY",))
    assert found.preset == Preset(order_type=OrderType.MARKET, size=(D(10), SizeIn.SHARES))
    assert found.left == ("REL", "OPG")
    words = preset_words(begin(Draft(intent="i", symbol="AAPL"), found))
    assert words == ["preset: AAPL, all orders", "not taken by the broker: REL, OPG"]
    assert join([("all", near)]).left == (), "what the broker takes is not known yet"


@pytest.mark.parametrize(
    ("away", "side", "stop"),
    [
        (Away(D(20), AwayIn.TICKS), Side.BUY, "189.80"),
        (Away(D(20), AwayIn.TICKS), Side.SELL, "190.20"),
        (Away(D(1), AwayIn.PERCENT), Side.BUY, "188.10"),
        (Away(D("1.5"), AwayIn.ATR), Side.BUY, "185.20"),
        (Away(D("0.0001"), AwayIn.PERCENT), Side.BUY, "189.99"),
    ],
)
def test_a_stop_stands_at_its_distance_on_the_losing_side_and_never_at_the_price(
    away: Away, side: Side, stop: str
) -> None:
    draft = Draft(intent="i", symbol="AAPL", side=side, limit=D("190.00"), stop_away=away)
    assert place_legs(draft, AROUND).stop == D(stop)


def test_a_stop_that_cannot_be_placed_holds_the_order_back() -> None:
    draft = Draft(intent="i", symbol="AAPL", size=D(10), limit=D(190), stop_away=Away(D(1), AwayIn.ATR))
    unknown = replace(AROUND, atr=None)
    placed = place_legs(draft, unknown)
    assert placed.stop is None
    assert "average range is not known" in problems(placed, unknown)["stop"]
    assert to_request(placed, unknown) is None
    request = to_request(place_legs(draft, AROUND), AROUND)
    assert request is not None
    assert request.stop_loss == D("186.80")
    below_zero = Draft(intent="i", symbol="AAPL", size=D(10), limit=D(1), stop_away=Away(D(2), AwayIn.ATR))
    assert "cannot be placed" in problems(place_legs(below_zero, AROUND), AROUND)["stop"]


def test_a_leg_a_hand_has_set_stays_and_the_other_keeps_its_distance() -> None:
    filled = place_legs(begin(Draft(intent="i", symbol="AAPL", limit=D(190)), Filling(preset=SCALP)), AROUND)
    assert (filled.stop, filled.target) == (D("189.80"), D("191.90"))
    by_hand = after_edit(filled, replace(filled, stop=D(185)), AROUND)
    moved = after_edit(by_hand, replace(by_hand, limit=D(200)), AROUND)
    assert (moved.stop, moved.target) == (D(185), D("202.00"))
    turned = after_edit(filled, replace(filled, side=Side.SELL), AROUND)
    assert (turned.stop, turned.target) == (D("190.20"), D("188.10"))


def test_what_is_written_becomes_a_preset_with_distances_in_ticks() -> None:
    draft = Draft(
        intent="i", symbol="AAPL", size=D(100), limit=D("190.10"), stop=D("187.90"), target=D("194.00"),
        tif=TimeInForce.GTD,
    )  # fmt: skip
    found = preset_of(draft, AROUND)
    assert (found.stop, found.target) == (Away(D(220), AwayIn.TICKS), Away(D(390), AwayIn.TICKS))
    assert found.tif is None, "a date is of one order alone"
    again = place_legs(begin(Draft(intent="j", symbol="AAPL", limit=D("190.10")), Filling(preset=found)), AROUND)
    assert (again.stop, again.target) == (draft.stop, draft.target)


AMOUNTS = st.decimals(min_value=D("0.01"), max_value=D("99.9"), places=2)
AWAYS = st.builds(Away, AMOUNTS, st.sampled_from(AwayIn))
PRESETS = st.builds(
    Preset,
    order_type=st.none() | st.sampled_from(OrderType),
    tif=st.none() | st.sampled_from([tif for tif in TimeInForce if tif is not TimeInForce.GTD]),
    outside_rth=st.none() | st.booleans(),
    size=st.none() | st.tuples(AMOUNTS, st.sampled_from(SizeIn)),
    stop=st.none() | AWAYS,
    target=st.none() | AWAYS,
    trail=st.none() | st.tuples(AMOUNTS, st.sampled_from(TrailIn)),
)


@given(PRESETS)
def test_a_preset_is_read_as_it_was_written(preset: Preset) -> None:
    assert read_texts(to_texts(preset)) == preset


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (["LMT"], "table of fields"),
        ({"typ": "LMT"}, "no field 'typ'"),
        ({"type": "LIMIT"}, "type: 'LIMIT' is not known"),
        ({"tif": "GTD"}, "tif: a date"),
        ({"outside": "maybe"}, "outside: wanted yes or no"),
        ({"size": "100 lots"}, "size: 'lots' is not known"),
        ({"size": "NaN shares"}, "size: 'NaN' is not a number"),
        ({"size": "-5 shares"}, "size: '-5' is not a number"),
        ({"size": 100}, "size: wanted a text"),
        ({"stop": "120 %"}, "stop: the percentage"),
        ({"target": "1e99 ticks"}, "target: '1e99' is not a number"),
    ],
)
def test_a_bad_field_is_named(raw: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_texts(raw)


# --- the ticket


@pytest.fixture
def ticket(qtbot):
    numbers = itertools.count()
    made = OrderTicket(lambda: f"i{next(numbers)}")
    qtbot.addWidget(made)
    made.show()
    made.set_market(AROUND)
    made.set_begin(lambda draft, sized: begin(draft, Filling(preset=SCALP, sources=("name Scalp",)), sized=sized))
    return made


def write(ticket: OrderTicket, name: str, text: str) -> None:
    field = ticket.sentence._fields[name]
    field.setText(text)
    field.textEdited.emit(text)


def test_an_order_begins_with_its_preset_and_the_legs_follow_the_limit(ticket: OrderTicket) -> None:
    ticket.open_symbol("AAPL")
    assert ticket.draft.size == D(200)
    assert ticket.draft.stop is None, "the quote may still be that of the symbol before"
    ticket.set_market(replace(AROUND, now_ns=1))
    assert ticket.sentence._fields["stop"].text() == "190.15"
    write(ticket, "limit", "189.00")
    request = ticket.request()
    assert request is not None
    assert (request.quantity, request.stop_loss, request.take_profit) == (D(200), D("188.80"), D("190.89"))
    ticket.set_market(replace(AROUND, ask=191.0))
    assert ticket.request() == request, "a quote moves nothing that can be read"
    write(ticket, "stop", "188.5")
    assert ticket.sentence._fields["stop"].text() == "188.5", "nobody writes into a field while one types"
    write(ticket, "limit", "189.50")
    assert ticket.request().stop_loss == D("188.5")
    assert ("preset: “Scalp”", "t2", 400) in ticket.head._words


def test_after_an_order_was_sent_or_dropped_the_size_is_for_the_person_to_type(ticket: OrderTicket) -> None:
    ticket.open_symbol("AAPL")
    ticket.sent(True)
    assert ticket.draft.size is None, "a second Enter would send it again"
    assert ticket.draft.stop_away is not None
    ticket.open_symbol("MSFT")
    assert ticket.draft.size == D(200)
    ticket.drop()
    assert ticket.draft.size is None


def test_a_change_of_presets_begins_anew_only_what_nobody_has_touched(ticket: OrderTicket) -> None:
    ticket.open_symbol("AAPL")
    bigger = Filling(preset=Preset(size=(D(500), SizeIn.SHARES)))
    ticket.set_begin(lambda draft, sized: begin(draft, bigger, sized=sized))
    ticket.renew()
    assert ticket.draft.size == D(500)
    write(ticket, "size", "30")
    ticket.renew()
    assert ticket.draft.size == D(30)
    ticket.fill_in(lambda draft: begin(draft, Filling(preset=SCALP)))
    assert ticket.draft.size == D(200), "a preset by name is a person's choice"
    assert ticket.draft.symbol == Symbol("AAPL")


def test_a_symbol_without_presets_gets_nothing_of_the_last_one(ticket: OrderTicket) -> None:
    ticket.open_symbol("AAPL")
    ticket.set_begin(lambda draft, _sized: draft)
    ticket.open_symbol("MSFT")
    draft = ticket.draft
    assert (draft.size, draft.stop_away, draft.preset, draft.tif) == (None, None, (), TimeInForce.DAY)
