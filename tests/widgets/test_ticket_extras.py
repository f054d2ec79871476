"""Dates, trailing percentages, shown parts and algorithms in the ticket: only what is offered, never half an order."""

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from engine.model.order import OrderRequest, OrderType, TimeInForce
from widgets.order_ticket import OrderTicket
from widgets.ticket_draft import Around, from_request, problems, to_request
from widgets.ticket_extras import SHOWN, Algo, AlgoParam, moment_text, read_moment, usual_moment

D = Decimal
NOW = 1_800_000_000 * 10**9
MINUTES = AlgoParam(name="minutes", title="Minutes", default="30", least=D("0.1"), most=D(1440))
STYLE = AlgoParam(name="style", title="Style", default="passive", choices=("passive", "mid", "cross"))
CAP = AlgoParam(name="cap", title="Largest share", default="", least=D("0.01"), most=D(1))
TWAP = Algo(name="twap", title="TWAP", params=(MINUTES, STYLE, CAP))
AROUND = Around(bid=190.0, ask=190.1, last=190.05, equity=D(100_000), now_ns=NOW, algos=(TWAP,))


@pytest.fixture
def ticket(qtbot: QtBot) -> OrderTicket:
    ids = count(1)
    made = OrderTicket(lambda: f"i-{next(ids)}")
    qtbot.addWidget(made)
    made.resize(520, 400)
    made.show()
    made.set_market(AROUND)
    made.offer(("LMT", "MKT", "TRAIL"), ("DAY", "GTD"), (TWAP,))
    made.open_symbol("AAPL")
    type_in(made.sentence.size_field, "100")
    type_in(made.sentence.limit, "190.00")
    return made


def type_in(field, text: str) -> None:
    field.setText(text)
    field.textEdited.emit(text)


def offered(token) -> list[str]:
    return [action.text() for action in token.menu().actions()]


def test_only_what_the_broker_and_the_engine_offer_can_be_chosen(ticket: OrderTicket) -> None:
    assert offered(ticket.sentence.type) == ["limit", "market", "trailing stop"]
    assert offered(ticket.sentence.tif) == ["day", "until"]
    assert offered(ticket.sentence.work) == ["sent whole", "shown in part", "TWAP"]


def test_a_date_is_read_in_the_exchanges_zone_and_starts_a_month_ahead(ticket: OrderTicket) -> None:
    assert ticket.sentence.until.isHidden()
    ticket.sentence.tif.choose("GTD")
    assert not ticket.sentence.until.isHidden()
    assert ticket.request().good_till_ns == usual_moment(NOW)
    type_in(ticket.sentence.until, "2027-03-01 16:00")
    assert ticket.request().good_till_ns == 1_803_934_800 * 10**9  # 21:00 UTC: New York is five hours behind
    type_in(ticket.sentence.until, "2027-03-01")
    assert ticket.request() is None
    type_in(ticket.sentence.until, "2020-03-01 16:00")
    assert ticket.request() is None
    assert "over" in problems(ticket.draft, AROUND)["good_till"]
    ticket.sentence.tif.choose("DAY")
    assert ticket.request().good_till_ns is None


@pytest.mark.parametrize("text", ["2027-03-14 02:30", "2027-02-30 10:00", "tomorrow", "", "2027-03-01 25:00"])
def test_a_moment_that_does_not_exist_is_none(text: str) -> None:
    assert read_moment(text) is None


@given(minute=st.integers(min_value=26_000_000, max_value=40_000_000))
def test_a_moment_reads_back_as_it_was_written_but_for_the_hour_that_comes_twice(minute: int) -> None:
    ns = minute * 60 * 10**9
    again = read_moment(moment_text(ns))
    assert again in (ns, ns - 3_600 * 10**9)
    assert moment_text(again) == moment_text(ns)


def test_a_trail_is_an_amount_or_a_percentage_never_both(ticket: OrderTicket) -> None:
    sentence = ticket.sentence
    sentence.type.choose("TRAIL")
    type_in(sentence.trail, "1.25")
    assert (ticket.request().trail_amount, ticket.request().trail_percent) == (D("1.25"), None)
    sentence.trail_in.choose("%")
    type_in(sentence.trail, "2.125")
    assert (ticket.request().trail_amount, ticket.request().trail_percent) == (None, D("2.125"))
    type_in(sentence.trail, "100")
    assert ticket.request() is None


@pytest.mark.parametrize(("text", "shown"), [("30", D(30)), ("100", None), ("", None), ("x", None)])
def test_a_shown_part_is_smaller_than_the_order(ticket: OrderTicket, text: str, shown: Decimal | None) -> None:
    ticket.sentence.work.choose(SHOWN)
    type_in(ticket.sentence.display, text)
    request = ticket.request()
    assert (request and request.display_quantity) == shown
    ticket.sentence.work.choose("")
    assert ticket.request().display_quantity is None


def test_an_algorithm_travels_with_its_parameters_and_bad_ones_stop_it(ticket: OrderTicket) -> None:
    sentence = ticket.sentence
    sentence.work.choose("twap")
    assert ticket.request().algo == "twap"
    assert ticket.request().algo_params == {"minutes": "30", "style": "passive"}
    tokens = sentence.params._tokens
    type_in(tokens["minutes"], "2000")
    assert ticket.request() is None
    assert "from 0.1 to 1440" in tokens["minutes"].toolTip()
    type_in(tokens["minutes"], "nan")
    assert ticket.request() is None
    type_in(tokens["minutes"], "12,5")
    type_in(tokens["cap"], "0.1")
    tokens["style"].choose("mid")
    assert ticket.request().algo_params == {"minutes": "12.5", "style": "mid", "cap": "0.1"}
    sentence.work.choose("")
    assert (ticket.request().algo, ticket.request().algo_params, sentence.params._tokens) == ("", {}, {})


def test_an_algorithm_the_engine_does_not_have_is_not_sent() -> None:
    request = OrderRequest(intent_id="i", symbol="AAPL", side="BUY", quantity=D(1), limit_price=D(190), algo="magic")
    assert to_request(from_request(request), AROUND) is None


@pytest.mark.parametrize(
    "extra",
    [
        {"tif": TimeInForce.GTD, "good_till_ns": NOW + 60 * 10**9},
        {"order_type": OrderType.TRAIL, "trail_percent": D("1.5"), "limit_price": None},
        {"display_quantity": D(10)},
        {"algo": "twap", "algo_params": {"minutes": "5", "style": "cross"}},
    ],
)
def test_a_request_comes_back_from_the_ticket_as_it_went_in(ticket: OrderTicket, extra: dict) -> None:
    fields = {"limit_price": D("190.00"), **extra}
    request = OrderRequest(intent_id="i-9", symbol="AAPL", side=ticket.draft.side, quantity=D(100), **fields)
    ticket.open_request(request)
    assert ticket.request() == request
