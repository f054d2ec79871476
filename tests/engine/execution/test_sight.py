"""What a snapshot does to a record: shown open, shown finished, shown nowhere."""

from decimal import Decimal

import msgspec
import pytest

from engine.execution.fold import Wish, ask_cancel, ask_modify, establish, lose_touch
from engine.execution.record import Heard, OrderRecord
from engine.execution.sight import see_absent, see_completed, see_open
from engine.model.order import OrderState, TimeInForce
from engine.model.report import BrokerStatus
from tests.engine.execution.test_fold import REQUEST, echo, error, execution, sent, shown, status, told

S = OrderState
replace = msgspec.structs.replace


def works() -> OrderRecord:
    return sent(acknowledged=True)


# --- shown open


def test_what_is_shown_open_is_the_new_ground() -> None:
    before = replace(told(sent(), execution(1, 30)), absent_rounds=2, absent_since_ns=5, claimed=Decimal(90))
    after = see_open(before, (shown(),), 9).record
    assert (after.base, after.base_executed, after.claimed, after.acknowledged) == (S.WORKING, 30, 30, True)
    assert (after.absent_rounds, after.absent_since_ns, after.heard) == (0, 0, Heard.NOTHING)
    assert (after.state, after.broker_ids, after.perm_ids) == (S.PARTIAL, ("1",), ("9",))
    assert see_open(sent(), (shown(),), 9).record.acknowledged


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (BrokerStatus.WORKING, S.WORKING),
        (BrokerStatus.PENDING_CANCEL, S.PENDING_CANCEL),
        (BrokerStatus.HELD, S.HELD),
        (BrokerStatus.PENDING, S.HELD),
        (BrokerStatus.INACTIVE, S.CLAIM_REJECTED),
        (BrokerStatus.OTHER, S.UNKNOWN),
    ],
)
def test_each_word_of_an_open_order_has_its_state(word: BrokerStatus, state: OrderState) -> None:
    outcome = see_open(sent(), (shown(word),), 9)
    assert outcome.record.state is state
    assert [alarm.kind for alarm in outcome.alarms] == (["strange-status"] if word is BrokerStatus.OTHER else [])


def test_inactive_that_waits_for_shares_is_held() -> None:
    assert see_open(sent(), (replace(shown(BrokerStatus.INACTIVE), why_held="Locate"),), 9).record.state is S.HELD


def test_a_change_that_the_broker_does_not_show_yet_goes_on_waiting_and_one_it_shows_is_settled() -> None:
    wanted = replace(REQUEST, quantity=Decimal(200))
    asked = ask_modify(works(), wanted, 3).record
    waiting = see_open(asked, (shown(quantity=100),), 9).record
    assert (waiting.state, waiting.modify, waiting.ceiling) == (S.PENDING_MODIFY, wanted, 200)
    settled = see_open(asked, (shown(quantity=200),), 9).record
    assert (settled.state, settled.modify, settled.request.quantity) == (S.WORKING, None, 200)
    doubtful = see_open(lose_touch(asked, 5, "gone").record, (shown(quantity=100),), 9).record
    assert (doubtful.state, doubtful.modify, doubtful.ceiling) == (S.WORKING, None, 100)


def test_a_confirmed_change_of_what_a_snapshot_does_not_show_stays() -> None:
    longer = replace(REQUEST, tif=TimeInForce.GTD, good_till_ns=77)
    asked = ask_modify(works(), longer, 3).record
    confirmed = replace(asked, heard=asked.heard | Heard.ECHO_NEW, state=S.WORKING)
    assert confirmed.effective == longer
    seen = see_open(confirmed, (shown(),), 9).record
    assert (seen.effective.tif, seen.effective.good_till_ns, seen.modify) == (TimeInForce.GTD, 77, None)
    told_other = replace(shown(), request=replace(shown().request, good_till_ns=88))
    assert see_open(confirmed, (told_other,), 9).record.effective.good_till_ns == 88


def test_cancels_that_came_to_nothing_are_forgotten_when_the_order_lives() -> None:
    failed = told(ask_cancel(works(), 3).record, error(10148))
    twice = lose_touch(ask_cancel(ask_cancel(works(), 3).record, 4).record, 5, "no answer").record
    for doubtful in (failed, twice):
        assert doubtful.state is S.UNKNOWN
        after = see_open(doubtful, (shown(),), 9).record
        assert (after.state, after.cancel_asked_ns, after.cancel_tries) == (S.WORKING, 0, 0)


def test_a_first_cancel_goes_on_waiting_when_the_order_is_shown() -> None:
    for asked in (ask_cancel(works(), 3).record, lose_touch(ask_cancel(works(), 3).record, 5, "gone").record):
        after = see_open(asked, (shown(),), 9).record
        assert (after.state, after.cancel_asked_ns, after.cancel_tries) == (S.PENDING_CANCEL, 3, 1)


def test_a_false_claim_names_what_was_claimed() -> None:
    outcome = see_open(told(works(), status(BrokerStatus.CANCELLED)), (shown(),), 9)
    assert outcome.alarms[0].text == "the broker said cancelled, but shows it open"
    assert outcome.wishes == frozenset()


def test_a_filled_order_that_is_still_shown_is_not_resurrected() -> None:
    outcome = see_open(establish(told(works(), execution(1, 100)), S.FILLED, 3).record, (shown(),), 9)
    assert (outcome.record.state, outcome.alarms) == (S.FILLED, ())


def test_of_two_shown_under_one_name_both_ids_count() -> None:
    outcome = see_open(works(), (shown(perm="9"), replace(shown(perm="12"), broker_id="2")), 9)
    assert outcome.record.perm_ids == ("12", "9")
    assert {Wish.HALT, Wish.CANCEL, Wish.QUERY} <= outcome.wishes


# --- shown finished


@pytest.mark.parametrize(
    ("word", "end"),
    [
        (BrokerStatus.CANCELLED, S.CANCELLED),
        (BrokerStatus.EXPIRED, S.EXPIRED),
        (BrokerStatus.REJECTED, S.REJECTED),
        (BrokerStatus.INACTIVE, S.REJECTED),
    ],
)
def test_each_word_of_a_finished_order_has_its_end(word: BrokerStatus, end: OrderState) -> None:
    after = see_completed(told(works(), execution(1, 30)), shown(word), 9).record
    assert (after.state, after.base, after.executed) == (end, end, 30)
    assert see_completed(after, shown(word), 19).record is after


def test_an_end_that_only_the_state_has_is_established() -> None:
    shaky = replace(works(), state=S.CANCELLED)
    assert see_completed(shaky, shown(BrokerStatus.CANCELLED), 9).record.base is S.CANCELLED


def test_cancelled_after_the_word_expired_is_expired() -> None:
    assert (
        see_completed(told(works(), status(BrokerStatus.EXPIRED)), shown(BrokerStatus.CANCELLED), 9).record.state
        is S.EXPIRED
    )


def test_a_word_that_is_no_end_changes_nothing() -> None:
    record = works()
    assert see_completed(record, shown(BrokerStatus.WORKING), 9).record is record


def test_filled_with_all_executions_is_filled_at_the_size_shown_whatever_change_was_open() -> None:
    bigger = ask_modify(works(), replace(REQUEST, quantity=Decimal(200)), 3).record
    after = see_completed(told(bigger, execution(1, 100)), shown(BrokerStatus.FILLED), 9).record
    assert (after.state, after.modify, after.request.quantity, after.ceiling) == (S.FILLED, None, 100, 100)
    smaller = ask_modify(works(), replace(REQUEST, quantity=Decimal(60)), 3).record
    after = see_completed(told(smaller, execution(1, 60)), shown(BrokerStatus.FILLED, quantity=60), 9).record
    assert (after.state, after.request.quantity) == (S.FILLED, 60)
    taken_back = told(bigger, echo(200), execution(1, 100))
    after = see_completed(taken_back, shown(BrokerStatus.FILLED), 9).record
    assert (after.state, after.request.quantity) == (S.FILLED, 100), "the size it ended with, whatever was shown before"
    unsized = see_completed(told(works(), execution(1, 100)), shown(BrokerStatus.FILLED, quantity=0), 9).record
    assert (unsized.state, unsized.request.quantity) == (S.FILLED, 100)


def test_filled_with_an_execution_missing_is_partial_with_an_alarm_once() -> None:
    outcome = see_completed(told(sent(), execution(1, 70)), shown(BrokerStatus.FILLED), 9)
    record = outcome.record
    assert (record.state, record.base_executed, record.heard, record.acknowledged) == (
        S.PARTIAL,
        70,
        Heard.NOTHING,
        True,
    )
    assert [alarm.text for alarm in outcome.alarms] == ["the broker says filled, but 30 of it has no execution"]
    assert outcome.wishes == {Wish.QUERY}
    again = see_completed(record, shown(BrokerStatus.FILLED), 19)
    assert (again.record, again.alarms, again.wishes) == (record, (), frozenset())
    claim = see_completed(told(works(), status(BrokerStatus.FILLED)), shown(BrokerStatus.FILLED), 9).record
    assert (claim.state, claim.heard) == (S.PARTIAL, Heard.NOTHING)
    assert see_completed(sent(), shown(BrokerStatus.FILLED), 9).record.acknowledged


# --- shown nowhere


@pytest.mark.parametrize(
    ("word", "end"),
    [
        (BrokerStatus.CANCELLED, S.CANCELLED),
        (BrokerStatus.EXPIRED, S.EXPIRED),
        (BrokerStatus.REJECTED, S.REJECTED),
        (BrokerStatus.INACTIVE, S.REJECTED),
    ],
)
def test_absence_proves_a_claim(word: BrokerStatus, end: OrderState) -> None:
    assert see_absent(told(works(), status(word)), 9, 8, 0).record.state is end


def test_absence_without_a_claim_is_unknown_and_counted_to_two() -> None:
    first = see_absent(told(works(), execution(1, 30)), 9, 8, 0)
    record = first.record
    assert (record.state, record.absent_rounds, record.absent_since_ns) == (S.UNKNOWN, 1, 8)
    assert (record.base_executed, record.heard, record.acknowledged) == (30, Heard.NOTHING, True)
    assert record.reasons == ("7 the broker does not show it",)
    assert Wish.QUERY in first.wishes
    second = see_absent(record, 19, 18, 0)
    assert (second.record.absent_rounds, second.record.absent_since_ns) == (2, 8)
    assert (second.record.changed_ns, second.wishes, second.alarms) == (record.changed_ns, frozenset(), ())
    third = see_absent(second.record, 29, 28, 0).record
    assert third == second.record


def test_rounds_from_before_the_link_came_up_do_not_count() -> None:
    first = see_absent(works(), 9, 8, 0).record
    again = see_absent(first, 19, 18, link_up_ns=10).record
    assert (again.absent_rounds, again.absent_since_ns) == (1, 18)
    counted = see_absent(first, 19, 18, link_up_ns=8).record
    assert (counted.absent_rounds, counted.absent_since_ns) == (2, 8)
    fresh = see_absent(lose_touch(works(), 5, "gone").record, 9, 8, link_up_ns=0).record
    assert (fresh.absent_rounds, fresh.absent_since_ns) == (1, 8)


def test_of_two_shown_under_one_name_the_one_that_filled_more_is_the_ground() -> None:
    less, more = shown(BrokerStatus.HELD, perm="12"), replace(shown(perm="9"), filled=Decimal(30))
    for seen in ((less, more), (more, less)):
        assert see_open(works(), seen, 9).record.base is S.WORKING


def test_the_stop_price_that_is_shown_is_the_one_that_holds() -> None:
    seen = replace(shown(), request=replace(shown().request, stop_price=Decimal("95.5")))
    assert see_open(works(), (seen,), 9).record.effective.stop_price == Decimal("95.5")


def test_filled_with_an_execution_missing_stands_on_what_has_filled() -> None:
    assert see_completed(told(sent(), execution(1, 70)), shown(BrokerStatus.FILLED), 9).record.base is S.PARTIAL
