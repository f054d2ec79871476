"""The queue of suggestions: nothing stale, drifted, denied, changed or unseen is approved."""

from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import Qt

from engine.api.commands import REASON_CODES
from engine.model.decision import Denial
from engine.model.score import Evidence
from tests.widgets.factories import NOW, SECOND, suggestion
from widgets.evidence_panel import EvidencePanel
from widgets.paint import TEXTS
from widgets.suggestion_card import about
from widgets.suggestion_queue import CHANGED_MS, SuggestionQueue
from widgets.suggestion_standing import Guards, agreement, chance_text, in_points, record_text, standing
from widgets.waterfall import steps

HARD = Denial(code="G9", text="an order is not confirmed")
SOFT = Denial(code="G30", text="wash sale", hard=False)


@pytest.fixture
def queue(qtbot):
    made = SuggestionQueue()
    qtbot.addWidget(made)
    made.resize(476, 700)
    made.show()
    made.set_now(NOW)
    made.set_book("paper", "DU…567")
    return made


@pytest.fixture
def answers(queue):
    told: list[tuple[object, ...]] = []
    for name in ("approve", "edit", "refuse", "snooze", "approve_if", "requote", "evidence"):
        getattr(queue, name).connect(lambda *what, name=name: told.append((name, *what)))
    return told


def settle(qtbot, queue: SuggestionQueue) -> None:
    """Let the time pass in which a card that has just changed is not approved."""
    qtbot.wait(CHANGED_MS + 30)


def test_a_card_says_which_program_proposes_it():
    assert about(suggestion(key="S-7", horizon="day")) == "S-7 · day trade"
    assert about(suggestion(key="S-7", horizon="day", source="hook:tv", reduces=True)) == "S-7 · by hook:tv · reduces"


def test_what_nobody_scored_has_no_table_of_scores(qtbot, monkeypatch):
    panel = EvidencePanel()
    qtbot.addWidget(panel)
    panel.resize(476, 400)
    painted: list[str] = []
    draw = TEXTS.draw
    monkeypatch.setattr(TEXTS, "draw", lambda *a, **k: painted.append(a[4]) or draw(*a, **k))
    scored = suggestion()
    for row, wanted in ((scored, True), (msgspec.structs.replace(scored, sources=(), source="hook:tv"), False)):
        painted.clear()
        panel.show_suggestion(row)
        panel.grab()
        assert ("weight" in painted) is wanted


# --- the judgement


def test_a_fresh_checked_card_may_be_approved():
    assert standing(suggestion(), NOW, Guards()).approvable


@pytest.mark.parametrize(
    ("changes", "now", "guards", "word"),
    [
        ({}, 0, Guards(), "clock"),
        ({}, NOW + 400 * SECOND, Guards(), "time is over"),
        ({}, NOW + 360 * SECOND, Guards(), "time is over"),
        ({}, NOW, Guards(blocked="broker link lost"), "broker link lost"),
        ({"denials": (HARD,)}, NOW, Guards(), "G9"),
        ({"drift": None}, NOW, Guards(), "no fresh price"),
        ({"drift": 1.65, "drift_atr": 1.4}, NOW, Guards(), "price moved"),
        ({"drift": 1.65, "drift_atr": None}, NOW, Guards(), "price moved"),
        ({"drift": -1.65, "drift_atr": None}, NOW, Guards(), "price moved"),
        ({"approval_hash": ""}, NOW, Guards(), "gate has not checked"),
        ({"state": "DRAFT"}, NOW, Guards(), "gate has not checked"),
        ({"state": "REJECTED", "reason": "PRICE"}, NOW, Guards(), "PRICE"),
    ],
)
def test_what_is_not_known_or_not_right_is_said_and_cannot_be_approved(changes, now, guards, word):
    judged = standing(suggestion(**changes), now, guards)
    assert not judged.approvable
    assert word in judged.text


def test_a_drifted_card_says_what_is_left_of_the_reward():
    judged = standing(suggestion(drift=2.0, drift_atr=1.4), NOW, Guards())
    assert judged.requote
    assert "reward to risk 1.8 → 0.5" in judged.text


def test_a_soft_objection_is_confirmed_by_its_code():
    assert standing(suggestion(denials=(SOFT,)), NOW, Guards()).confirm == ("G30",)


def test_sources_of_a_sale_agree_when_they_point_down():
    scores = (("a", -0.5, 0.0, ""), ("b", 0.2, 0.0, ""), ("null", -0.1, 0.0, ""), ("c", 0.0, 0.0, "abstains"))
    assert agreement(suggestion(side="SELL", sources=scores)) == (1, 2)
    assert not in_points(suggestion(sources=scores))


def test_no_record_is_called_no_record():
    assert chance_text(suggestion(probability=None)) == ("", "")
    assert chance_text(suggestion()) == (".57", "[.52–.61]")
    assert record_text(suggestion(record_n=0)).startswith("No record")


def test_steps_of_the_waterfall_end_at_the_sum():
    sources = (("a", 2.1, 0.1, ""), ("b", -0.7, 0.1, ""), ("c", 1.0, 0.1, ""))
    assert steps(sources)[-1][1] == pytest.approx(2.4)
    assert steps(()) == []


# --- approving


def test_a_approves_the_selected_card_with_the_hash_it_shows(qtbot, queue, answers):
    queue.apply([suggestion("S-1"), suggestion("S-2", made_ns=NOW - 90 * SECOND, approval_hash="hash-2")])
    settle(qtbot, queue)
    qtbot.keyClick(queue, Qt.Key.Key_J)
    qtbot.keyClick(queue, Qt.Key.Key_A)
    assert answers == [("approve", "S-2", "hash-2", ())]


def test_a_second_press_while_the_first_is_not_answered_sends_nothing(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    for _ in range(3):
        qtbot.keyClick(queue, Qt.Key.Key_A)
    assert len(answers) == 1


def test_a_failed_answer_is_shown_and_may_be_repeated(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    queue.act("A")
    queue.failed("S-1", "the price has moved")
    assert "the price has moved" in " ".join(queue._cards["S-1"]._objection_lines())
    queue.act("A")
    assert len(answers) == 2


def test_a_card_that_has_just_changed_is_not_approved_by_the_press_meant_for_the_old_one(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    queue.apply([suggestion(approval_hash="other", quantity=Decimal(900))])
    queue.act("A")
    assert answers == []
    settle(qtbot, queue)
    queue.act("A")
    assert answers == [("approve", "S-1", "other", ())]


def test_the_card_that_takes_the_place_of_one_that_left_is_not_approved_at_once(qtbot, queue, answers):
    queue.apply([suggestion("S-1"), suggestion("S-2", made_ns=NOW - 90 * SECOND)])
    settle(qtbot, queue)
    assert queue.current == "S-1"
    queue.apply([suggestion("S-1", state="WITHDRAWN")])
    assert queue.current == "S-2"
    queue.act("A")
    assert answers == []


def test_a_new_card_never_takes_the_selection(qtbot, queue):
    queue.apply([suggestion("S-1")])
    queue.apply([suggestion("S-9", made_ns=NOW)])
    assert queue.shown_keys() == ["S-9", "S-1"]
    assert queue.current == "S-1"


def test_price_drift_alone_does_not_hold_up_an_approval(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    queue.apply([suggestion(drift=0.05)])
    queue.act("A")
    assert len(answers) == 1


@pytest.mark.parametrize("changes", [{"drift": 2.0, "drift_atr": 1.4}, {"denials": (HARD,)}, {"approval_hash": ""}])
def test_a_card_that_may_not_be_approved_ignores_a(qtbot, queue, answers, changes):
    queue.apply([suggestion(**changes)])
    settle(qtbot, queue)
    queue.act("A")
    queue.act("A")
    assert answers == []
    assert not queue._cards["S-1"]._buttons["A"].isEnabled()


def test_a_card_expires_under_the_eyes(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    queue.set_now(NOW + 361 * SECOND)
    queue.act("A")
    assert answers == []


def test_a_lost_link_blocks_every_card_until_it_is_back(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    queue.set_blocked("broker link lost")
    queue.act("A")
    assert answers == []
    queue.set_blocked("")
    queue.act("A")
    assert len(answers) == 1


def test_a_soft_objection_wants_a_second_press_and_sends_its_code(qtbot, queue, answers):
    queue.apply([suggestion(denials=(SOFT,))])
    settle(qtbot, queue)
    queue.act("A")
    assert answers == []
    assert "G30" in queue._cards["S-1"]._buttons["A"].text()
    queue.act("A")
    assert answers == [], "a second press in haste has not read what it confirms"
    settle(qtbot, queue)
    queue.act("A")
    assert answers == [("approve", "S-1", "hash-1", ("G30",))]


def test_a_card_out_of_sight_is_shown_before_it_can_be_approved(qtbot, queue, answers):
    queue.resize(476, 260)
    queue.apply([suggestion(f"S-{n}", made_ns=NOW - n * SECOND) for n in range(8)])
    settle(qtbot, queue)
    bar = queue._area.verticalScrollBar()
    bar.setValue(bar.maximum())
    queue.act("A")
    assert answers == []
    queue.act("A")
    assert [what[:2] for what in answers] == [("approve", "S-0")]


def test_the_button_says_whose_money_it_is(queue):
    queue.apply([suggestion()])
    queue.set_book("live", "U…318")
    button = queue._cards["S-1"]._buttons["A"]
    assert "LIVE U…318" in button.text()
    assert button.mode == "live"


# --- the other answers


def test_held_keys_answer_once(qtbot, queue, answers):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    queue.apply([suggestion()])
    settle(qtbot, queue)
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a", True)
    queue.keyPressEvent(held)
    assert answers == []


def test_letters_with_ctrl_are_not_the_queues(qtbot, queue, answers):
    queue.apply([suggestion()])
    settle(qtbot, queue)
    qtbot.keyClick(queue, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(queue, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert answers == []


def test_reject_asks_for_a_reason_by_digit(qtbot, queue, answers):
    queue.apply([suggestion()])
    qtbot.keyClick(queue, Qt.Key.Key_X)
    assert answers == []
    qtbot.keyClick(queue, Qt.Key.Key_2)
    assert answers == [("refuse", "S-1", list(REASON_CODES)[1])]


def test_escape_leaves_the_reasons_and_digits_mean_nothing_again(qtbot, queue, answers):
    queue.apply([suggestion()])
    qtbot.keyClick(queue, Qt.Key.Key_X)
    qtbot.keyClick(queue, Qt.Key.Key_Escape)
    qtbot.keyClick(queue, Qt.Key.Key_2)
    assert answers == []


def test_edit_snooze_and_evidence(qtbot, queue, answers):
    queue.apply([suggestion()])
    for key in (Qt.Key.Key_E, Qt.Key.Key_Z, Qt.Key.Key_Space):
        qtbot.keyClick(queue, key)
    assert answers == [("edit", "S-1"), ("snooze", "S-1", 180.0), ("evidence", "S-1")], "half of what is left"


def test_a_condition_carries_hash_price_and_seconds(qtbot, queue, answers):
    queue.apply([suggestion()])
    qtbot.keyClick(queue, Qt.Key.Key_C)
    form = queue._cards["S-1"]._form
    form.price.setText("189.90")
    form.minutes.setText("abc")
    qtbot.keyClick(form.minutes, Qt.Key.Key_Return)
    assert answers == []
    form.minutes.setText("5")
    qtbot.keyClick(form.minutes, Qt.Key.Key_Return)
    assert answers == [("approve_if", "S-1", "hash-1", Decimal("189.90"), 300.0)]


def test_a_drifted_card_offers_a_new_price(qtbot, queue, answers):
    queue.apply([suggestion(drift=2.0, drift_atr=1.4)])
    qtbot.keyClick(queue, Qt.Key.Key_R)
    assert answers == [("requote", "S-1")]


def test_answered_cards_move_to_done_with_their_outcome(queue):
    counted = []
    queue.counts_changed.connect(lambda *n: counted.append(n))
    queue.apply([suggestion("S-1"), suggestion("S-2")])
    queue.apply([suggestion("S-1", state="APPROVED", reason="approved by window")])
    assert counted[-1] == (1, 1)
    queue.head.set_current("done")
    assert queue.shown_keys() == ["S-1"]


def test_the_empty_queue_says_what_will_come(queue):
    assert queue._empty.isVisible()
    queue.apply([suggestion()])
    assert not queue._empty.isVisible()
    queue.apply([], (), True)
    assert queue._empty.isVisible()


def test_the_line_of_time_left_gets_thinner(queue):
    queue.apply([suggestion()])
    card = queue._cards["S-1"]
    first = card.life
    queue.set_now(NOW + 180 * SECOND)
    assert 0 < card.life < first


def test_a_card_is_spoken_with_side_size_risk_and_time(queue):
    queue.apply([suggestion()])
    spoken = queue._cards["S-1"].accessibleName()
    for part in ("BUY 100 AAPL", "190.10", "187.90", "194.00", "220.00", "6:00"):
        assert part in spoken


@pytest.mark.parametrize("width", [300, 476])
def test_buttons_never_leave_the_card(qtbot, queue, width):
    queue.resize(width, 700)
    queue.apply([suggestion(denials=(SOFT,))])
    card = queue._cards["S-1"]
    card.ask_reason()
    qtbot.wait(1)
    for button in card._reasons:
        assert card.rect().contains(button.geometry()), button.text()


# --- why


def test_evidence_is_chosen_by_keys_and_clicks(qtbot):
    panel = EvidencePanel()
    qtbot.addWidget(panel)
    panel.resize(476, 400)
    panel.show()
    rows = tuple(Evidence(id=f"E{n}", source="news", kind="news", text=f"<b>{n}</b>", direction=1) for n in (1, 2))
    panel.show_suggestion(suggestion(evidence=rows))
    chosen = []
    panel.evidence_chosen.connect(lambda *what: chosen.append(what))
    qtbot.keyClick(panel._picture, Qt.Key.Key_Down)
    qtbot.keyClick(panel._picture, Qt.Key.Key_Down)
    panel.grab()
    assert chosen == [("S-1", "E1"), ("S-1", "E2")]


def test_the_panel_empties_and_survives_odd_rows(qtbot):
    panel = EvidencePanel()
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    for row in (
        suggestion(sources=(), probability=None),
        suggestion(sources=(("x" * 90, 0.0, 0.0, "y" * 90),), invalidation="z" * 400),
        suggestion(probability_low=None, probability_high=None),
    ):
        panel.show_suggestion(msgspec.structs.replace(row))
        panel.grab()
    panel.show_suggestion(None)
    assert panel.suggestion == ""


# --- what is selected stays in sight


def many(count: int, first: int = 1) -> list:
    return [suggestion(f"S-{number}", made_ns=NOW - (90 - number) * SECOND) for number in range(first, first + count)]


def in_sight(queue: SuggestionQueue) -> bool:
    card = queue._cards[queue.current]
    view = queue._area.viewport()
    top = card.mapTo(view, card.rect().topLeft()).y()
    return top >= 0 and top + card.height() <= view.height()


@pytest.mark.parametrize("height", [270, 340, 420])
@pytest.mark.parametrize("width", [360, 476])
def test_every_button_of_the_selected_card_is_in_sight(qtbot, queue, width, height):
    queue.apply(many(3))
    queue.select("S-1")
    queue.resize(width, height)
    qtbot.waitUntil(lambda: in_sight(queue))
    for key in ("S-1", "S-2", "S-3", "S-2", "S-1"):
        queue.select(key)
        qtbot.waitUntil(lambda: in_sight(queue))
        card = queue._cards[key]
        shown = [button for button in card._buttons.values() if button.isVisible()]
        assert len(shown) == 5
        assert all(card.rect().contains(button.geometry()) for button in shown)


def test_new_suggestions_do_not_push_the_selected_one_out_of_sight(qtbot, queue):
    queue.resize(476, 340)
    queue.apply(many(2))
    queue.select("S-1")
    qtbot.waitUntil(lambda: in_sight(queue))
    queue.apply(many(12, first=3))
    qtbot.waitUntil(lambda: queue._area.verticalScrollBar().maximum() > 300)
    assert queue.current == "S-1"
    qtbot.waitUntil(lambda: in_sight(queue))


def test_a_hand_that_scrolled_away_is_not_called_back_until_the_next_choice(qtbot, queue):
    queue.resize(476, 340)
    queue.apply(many(12))
    queue.select("S-1")
    bar = queue._area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() > 100)
    bar.triggerAction(bar.SliderAction.SliderToMinimum)
    queue.apply(many(2, first=13))
    qtbot.wait(30)
    assert not in_sight(queue)
    qtbot.keyClick(queue, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: in_sight(queue))


def test_when_the_selected_one_goes_the_queue_says_so_and_what_is_selected_now(queue):
    queue.apply([*many(2), suggestion("S-9", side="SELL", symbol="NVDA", made_ns=NOW)])
    queue.select("S-2")
    assert not queue._note.isVisible()
    queue.apply([suggestion("S-2", state="EXPIRED", made_ns=NOW - 88 * SECOND)])
    assert queue._note.isVisible()
    assert "S-2 BUY AAPL: EXPIRED" in queue._note.text
    assert f"Selected now: {queue.current}" in queue._note.text
    queue.apply((), removed=["S-9"])
    assert "S-9" not in queue._note.text
