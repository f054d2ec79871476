"""The order ticket: what it writes, what it refuses, that it sends once."""

import itertools
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel

from engine.model.decision import Denial, Verdict
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType
from widgets.order_ticket import READ_MS, OrderTicket
from widgets.ticket_draft import Around, Draft, SizeIn, from_request, needs, problems, quantity, to_request

AROUND = Around(bid=190.33, ask=190.35, last=190.34, equity=Decimal(1_000_000))
REQUEST = OrderRequest(
    intent_id=IntentId("first"),
    symbol=Symbol("AAPL"),
    side=Side.BUY,
    quantity=Decimal(100),
    limit_price=Decimal("190.10"),
    stop_loss=Decimal("187.90"),
    take_profit=Decimal("194.00"),
)
HARD = Denial(code="G9", text="an order is not confirmed")
SOFT = Denial(code="G30", text="wash sale", hard=False)
FAT = Denial(code="G33", text="type the amount again", hard=False)


def verdict(request: OrderRequest, *denials: Denial, warnings: tuple[Denial, ...] = ()) -> Verdict:
    return Verdict(
        request=request,
        denials=denials,
        warnings=warnings,
        notional=Decimal(19010),
        risk=Decimal(220),
        margin=Decimal(9505),
        position_after=Decimal(300),
        risk_used_after=0.41,
    )


@pytest.fixture
def ticket(qtbot):
    numbers = itertools.count()
    made = OrderTicket(lambda: f"i{next(numbers)}")
    qtbot.addWidget(made)
    made.resize(476, 320)
    made.show()
    made.set_book("paper", "DU…567")
    made.set_market(AROUND)
    return made


@pytest.fixture
def out(ticket):
    told: list[OrderRequest] = []
    ticket.send_wanted.connect(told.append)
    return told


def asked(qtbot, ticket: OrderTicket) -> OrderRequest:
    """Wait until the ticket asks the gate."""
    with qtbot.waitSignal(ticket.preview_wanted, timeout=2000) as waiting:
        pass
    return waiting.args[0]


def opened(qtbot, ticket: OrderTicket, *denials: Denial, request: OrderRequest = REQUEST) -> OrderRequest:
    """Open a request and let the gate answer."""
    ticket.open_request(request)
    wanted = asked(qtbot, ticket)
    ticket.set_verdict(verdict(wanted, *denials), wanted, 0.38)
    return wanted


# --- the draft


prices = st.decimals(min_value="0.01", max_value="9999", places=2)


@given(
    prices,
    prices,
    prices,
    st.sampled_from(list(Side)),
    st.sampled_from(list(SizeIn)),
    st.decimals("0.01", "1e7", places=2),
)
def test_a_request_is_made_only_from_a_draft_without_problems(limit, stop, target, side, size_in, size):
    draft = Draft(
        intent="i", symbol="AAPL", side=side, size=size, size_in=size_in, limit=limit, stop=stop, target=target
    )
    request = to_request(draft, AROUND)
    if problems(draft, AROUND):
        assert request is None
        return
    assert request is not None
    assert request.quantity > 0
    assert (limit - stop) * side.sign > 0, "the stop is on the losing side"
    assert (target - limit) * side.sign > 0, "the target is on the winning side"
    if size_in is SizeIn.RISK:
        assert abs(limit - stop) * request.quantity <= size, "never more at risk than asked"
    if size_in is SizeIn.MONEY:
        assert limit * request.quantity <= size, "never more money than asked"
        assert request.intended_notional == size


@given(prices, st.sampled_from(list(OrderType)))
def test_an_order_never_carries_a_price_its_type_has_no_place_for(price, order_type):
    draft = Draft(
        intent="i", symbol="A", size=Decimal(1), order_type=order_type, limit=price, trigger=price, trail=price
    )
    request = to_request(draft, AROUND)
    assert request is not None
    if order_type is OrderType.MARKET:
        assert (request.limit_price, request.stop_price, request.trail_amount) == (None, None, None)
    for field, name in (("limit", "limit_price"), ("trigger", "stop_price"), ("trail", "trail_amount")):
        if field in needs(order_type):
            assert getattr(request, name) == price


def test_a_request_survives_the_way_through_the_draft():
    assert to_request(from_request(REQUEST), AROUND) == REQUEST


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"symbol": ""}, "symbol", "symbol"),
        ({"size": None}, "size", "size"),
        ({"size": Decimal(0)}, "size", "above zero"),
        ({"limit": None}, "limit", "needs this price"),
        ({"limit": Decimal("190.105")}, "limit", "multiple of 0.01"),
        ({"stop": Decimal("195")}, "stop", "below"),
        ({"target": Decimal("150")}, "target", "above"),
        ({"size_in": SizeIn.RISK, "stop": None}, "size", "stop on the losing side"),
        ({"size_in": SizeIn.MONEY, "size": Decimal(5)}, "size", "less than one share"),
    ],
)
def test_every_problem_names_its_field(changes, field, word):
    draft = Draft(intent="i", symbol="AAPL", size=Decimal(100), limit=Decimal("190.10"))
    found = problems(msgspec_replace(draft, **changes), AROUND)
    assert word in found[field]


def msgspec_replace(draft: Draft, **changes: object) -> Draft:
    from dataclasses import replace

    return replace(draft, **changes)


def test_money_without_any_price_is_not_turned_into_shares():
    draft = Draft(intent="i", symbol="A", size=Decimal(1000), size_in=SizeIn.MONEY, order_type=OrderType.MARKET)
    assert quantity(draft, Around(bid=float("nan"), ask=float("nan"), last=None)) is None
    assert "size" in problems(draft, Around())


# --- the ticket


def test_the_figures_come_from_the_verdict(qtbot, ticket):
    opened(qtbot, ticket)
    texts = ticket.figures.texts
    assert texts["Risks"] == "220.00 (0.02\u2009%)"
    assert texts["Could make"] == "390.00"
    assert texts["Margin after"] == "9\u2009505.00"
    assert texts["Risk used · position"] == "38 → 41\u2009% · +300"


def test_enter_sends_once(qtbot, ticket, out):
    wanted = opened(qtbot, ticket)
    for _ in range(3):
        qtbot.keyClick(ticket.sentence.limit, Qt.Key.Key_Return)
    assert out == [wanted]


def test_a_held_enter_sends_nothing(qtbot, ticket, out):
    opened(qtbot, ticket)
    ticket.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", True))
    assert out == []


def test_nothing_is_sent_before_the_gate_has_answered(ticket, out):
    ticket.open_request(REQUEST)
    ticket.press_send()
    assert out == []
    assert "asking the gate" in ticket.send.text()


def test_an_edit_makes_the_old_verdict_worthless(qtbot, ticket, out):
    wanted = opened(qtbot, ticket)
    ticket.sentence.size_field.setText("900")
    ticket.sentence.size_field.textEdited.emit("900")
    ticket.press_send()
    ticket.set_verdict(verdict(wanted), wanted)
    ticket.press_send()
    assert out == [], "the answer was about another size"
    fresh = asked(qtbot, ticket)
    assert fresh.quantity == 900
    ticket.set_verdict(verdict(fresh), fresh)
    ticket.press_send()
    assert out == [fresh]


def test_a_hard_objection_blocks_and_names_its_code_on_the_button(qtbot, ticket, out):
    opened(qtbot, ticket, HARD)
    ticket.press_send()
    ticket.press_send()
    assert out == []
    assert ticket.send.text() == "Send PAPER DU…567 · blocked by G9"
    assert ticket.send.blocked
    assert any("G9 denies" in line for line in ticket.objections.texts)


def test_a_soft_objection_wants_a_second_press_and_travels_as_confirmed(qtbot, ticket, out):
    opened(qtbot, ticket, SOFT)
    ticket.press_send()
    assert out == []
    assert "G30" in ticket.send.text()
    ticket.press_send()
    assert out == [], "a second press in haste has not read what it confirms"
    qtbot.wait(READ_MS + 20)
    ticket.press_send()
    assert [request.confirmed for request in out] == [("G30",)]


def test_a_fat_finger_is_confirmed_only_by_typing_the_quantity_again(qtbot, ticket, out):
    opened(qtbot, ticket, FAT)
    ticket.press_send()
    ticket.press_send()
    assert out == []
    assert ticket._retype.isVisible()
    for text, sent in (("10", 0), ("100", 1)):
        ticket._retype.setText(text)
        ticket._retype.textEdited.emit(text)
        ticket.press_send()
        assert len(out) == sent
    assert out[0].confirmed == ("G33",)


def test_what_blocks_the_shell_blocks_the_ticket_whatever_the_gate_says(qtbot, ticket, out):
    opened(qtbot, ticket)
    ticket.set_blocked("G21", "AAPL: the quote is stale")
    ticket.press_send()
    assert out == []
    ticket.set_blocked("", "")
    ticket.press_send()
    assert len(out) == 1


def test_a_change_of_account_wants_a_new_verdict(qtbot, ticket, out):
    opened(qtbot, ticket)
    ticket.set_book("live", "U…318")
    ticket.press_send()
    assert out == []
    assert "LIVE U…318" in ticket.send.text()
    assert ticket.send.mode == "live"


def test_escape_drops_everything_but_the_symbol(qtbot, ticket, out):
    opened(qtbot, ticket)
    with qtbot.waitSignal(ticket.dropped):
        qtbot.keyClick(ticket.sentence.limit, Qt.Key.Key_Escape)
    assert ticket.request() is None
    assert ticket.draft.symbol == "AAPL"
    assert ticket.sentence.limit.text() == ""


def test_an_order_being_sent_can_be_neither_edited_nor_dropped_nor_replaced(qtbot, ticket, out):
    wanted = opened(qtbot, ticket)
    ticket.press_send()
    ticket.sentence.limit.setText("1")
    ticket.sentence.limit.textEdited.emit("1")
    ticket.drop()
    ticket.open_symbol("MSFT")
    ticket.open_request(msgspec.structs.replace(REQUEST, quantity=Decimal(7)))
    assert ticket.request() == wanted
    assert "Sending" in ticket.send.text()


def test_a_refused_order_stays_with_the_reason_and_a_new_intent(qtbot, ticket, out):
    wanted = opened(qtbot, ticket)
    ticket.press_send()
    ticket.sent(False, "the collar is 189.00", (Denial(code="G4", text="the collar is 189.00"),))
    assert any("G4" in line for line in ticket.objections.texts)
    again = asked(qtbot, ticket)
    assert again.intent_id != wanted.intent_id
    assert msgspec.structs.replace(again, intent_id=wanted.intent_id) == wanted


def test_a_sent_order_empties_the_ticket_and_the_next_has_another_intent(qtbot, ticket, out):
    first = opened(qtbot, ticket)
    ticket.press_send()
    ticket.sent(True)
    assert ticket.request() is None
    assert ticket.draft.intent != first.intent_id
    ticket.press_send()
    assert len(out) == 1


def test_size_from_risk_is_reckoned_and_shown(qtbot, ticket):
    ticket.open_request(REQUEST)
    ticket.sentence.size_in.choose("risk to stop")
    ticket.sentence.size_field.setText("250")
    ticket.sentence.size_field.textEdited.emit("250")
    assert ticket.sentence.shares.text() == "= 113 shares"
    assert ticket.request().quantity == 113


def test_a_moving_quote_reckons_a_size_in_money_again_and_asks_again(qtbot, ticket, out):
    market = msgspec.structs.replace(
        REQUEST, order_type=OrderType.MARKET, limit_price=None, stop_loss=None, take_profit=None
    )
    ticket.open_request(market)
    ticket.sentence.size_in.choose("money")
    ticket.sentence.size_field.setText("19035")
    ticket.sentence.size_field.textEdited.emit("19035")
    wanted = asked(qtbot, ticket)
    assert wanted.quantity == 100
    ticket.set_verdict(verdict(wanted), wanted)
    ticket.set_market(Around(bid=200.0, ask=200.0, last=200.0))
    ticket.press_send()
    assert out == []
    assert ticket.request().quantity == 95


def test_arrows_step_a_price_by_its_tick_and_shift_by_ten(qtbot, ticket):
    ticket.open_request(REQUEST)
    qtbot.keyClick(ticket.sentence.limit, Qt.Key.Key_Up)
    assert ticket.draft.limit == Decimal("190.11")
    qtbot.keyClick(ticket.sentence.limit, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert ticket.draft.limit == Decimal("190.01")


def test_nonsense_in_a_field_is_marked_and_never_sent(qtbot, ticket, out):
    opened(qtbot, ticket)
    ticket.sentence.stop.setText("187.x")
    ticket.sentence.stop.textEdited.emit("187.x")
    assert ticket.sentence.stop.property("invalid")
    assert ticket.request() is None, "an unreadable stop is not the same as no stop"
    with qtbot.assertNotEmitted(ticket.preview_wanted, wait=100):
        ticket.press_send()
    assert out == []


def test_fields_appear_with_the_type_that_needs_them(ticket):
    ticket.open_request(REQUEST)
    assert ticket.sentence.limit.isVisible()
    assert not ticket.sentence.trigger.isVisible()
    ticket.sentence.type.choose("STP LMT")
    assert ticket.sentence.trigger.isVisible()
    assert ticket.sentence.limit.isVisible()
    ticket.sentence.type.choose("MKT")
    assert not ticket.sentence.limit.isVisible()


def test_every_part_of_the_sentence_can_be_reached_and_is_named(ticket):
    for part in (
        ticket.sentence.side,
        ticket.sentence.size_field,
        ticket.sentence.size_in,
        ticket.sentence.symbol,
        ticket.sentence.limit,
        ticket.sentence.type,
        ticket.sentence.tif,
    ):
        assert part.accessibleName()
        assert part.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize("width", [280, 360, 476])
def test_the_sentence_breaks_and_no_part_is_cut(qtbot, ticket, width):
    ticket.resize(width, 500)
    ticket.open_request(REQUEST)
    qtbot.wait(1)
    for part, _ in ticket.sentence._parts:
        if part.isVisible():
            assert part.geometry().right() <= ticket.sentence.width(), part.accessibleName()
            assert part.geometry().bottom() <= ticket.sentence.height()


@pytest.mark.parametrize("height", [210, 240, 320])
def test_a_refusal_is_seen_without_scrolling_however_many_there_are(qtbot, ticket, height):
    ticket.resize(476, height)
    reasons = [
        Denial(code=f"G{n}", text=f"reason number {n} of the gate, in a sentence of its own") for n in range(1, 8)
    ]
    opened(qtbot, ticket, *reasons)
    qtbot.wait(20)
    said = ticket.objections
    assert not ticket._area.isAncestorOf(said)
    assert said.visibleRegion().boundingRect() == said.rect(), "all of it is in sight"
    assert said.geometry().bottom() < ticket.send.geometry().top()
    assert said._shown()[0][0][0] == "G1 denies"
    assert said.folded == f"also: {' '.join(f'G{n}' for n in range(len(said._shown()[0]) + 1, 8))} denies"
    assert "reason number 7" in said.toolTip()
    assert ticket.sentence.size_field.visibleRegion().boundingRect().height() > 10, "and the order itself"
    ticket.resize(476, 700)
    qtbot.wait(20)
    assert said.folded == ""
    assert len(said._shown()[0]) == 7


def test_the_button_says_what_is_sent_and_whose_money_it_is(qtbot, ticket):
    ticket.set_book("live", "U…567")
    opened(qtbot, ticket)
    assert ticket.send.text() == "BUY 100 AAPL · LIVE U…567"
    opened(
        qtbot, ticket, SOFT, request=msgspec.structs.replace(REQUEST, side=Side.SELL, stop_loss=None, take_profit=None)
    )
    ticket.press_send()
    assert ticket.send.text() == "Confirm G30: SELL 100 AAPL · LIVE U…567"


def test_the_box_for_other_hours_stays_last_when_an_algorithm_adds_its_fields(qtbot, ticket):
    ticket.resize(700, 500)
    before = ticket.sentence._groups()[-1]
    ticket.sentence.add(extra := QLabel("over 30 minutes"))
    assert ticket.sentence._groups()[-1] == before == [ticket._outside]
    assert ticket.sentence._groups()[-2] == [extra]


def test_a_denied_order_on_a_held_symbol_offers_the_way_out(qtbot, ticket):
    opened(qtbot, ticket, HARD)
    assert not ticket.flatten.isVisible()
    ticket.set_position(Decimal(20))
    assert ticket.flatten.text() == "Flatten PAPER DU…567: SELL 20 AAPL"
    with qtbot.waitSignal(ticket.flatten_wanted) as told:
        qtbot.mouseClick(ticket.flatten, Qt.MouseButton.LeftButton)
    assert told.args == ["AAPL"]


def test_a_quote_that_changes_nothing_keeps_the_verdict(qtbot, ticket, out):
    opened(qtbot, ticket)
    ticket.set_market(Around(bid=190.40, ask=190.42, last=190.41, equity=Decimal(1_000_000)))
    ticket.press_send()
    assert len(out) == 1


def test_a_long_reason_on_the_send_button_does_not_widen_the_ticket(ticket):
    before = ticket.minimumSizeHint().width()
    ticket.set_blocked("", "trading is halted: the day's loss has reached its limit and nobody has resumed it yet")
    QApplication.sendPostedEvents()
    assert ticket.minimumSizeHint().width() <= max(before, 320)
    assert "nobody has resumed it yet" in ticket.send.text()
    assert any("nobody has resumed it yet" in text for text in ticket.objections.texts)
