"""The state machine in detail: what each piece of evidence leaves behind, and what it makes the desk do."""

from decimal import Decimal

import msgspec
import pytest

from engine.execution.fold import (
    Wish,
    ask_cancel,
    ask_modify,
    establish,
    hear,
    identify,
    lose_touch,
    split_exec_id,
)
from engine.execution.record import ACKNOWLEDGED, Heard, OrderRecord
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderState, OrderType, Origin, is_protective
from engine.model.report import BrokerStatus
from tests.engine.execution.test_fold import REQUEST, commission, echo, error, execution, sent, status, told

S = OrderState
replace = msgspec.structs.replace


def works() -> OrderRecord:
    return sent(acknowledged=True)


def closed(state: OrderState = S.CANCELLED) -> OrderRecord:
    return establish(works(), state, 3).record


def kinds(outcome: object) -> list[str]:
    return [alarm.kind for alarm in outcome.alarms]  # type: ignore[attr-defined]


# --- what is stored


def test_words_are_distinct_bits_that_never_change_because_they_are_stored() -> None:
    names = (
        *("PENDING", "HELD_NOTE", "ECHO", "HELD", "LOCATE", "WORKING", "PENDING_CANCEL", "CANCELLED", "EXPIRED"),
        *("FILLED", "INACTIVE", "REJECTED", "STRANGE", "ERROR_REJECT", "ERROR_CANCEL_FAILED", "ERROR_MODIFY_FAILED"),
        "ECHO_NEW",
    )
    assert Heard.NOTHING == 0
    assert {name: Heard[name].value for name in names} == {name: 1 << n for n, name in enumerate(names)}


@pytest.mark.parametrize("word", ["ECHO", "HELD", "LOCATE", "WORKING", "PENDING_CANCEL", "ECHO_NEW"])
def test_each_word_that_shows_the_order_alive_acknowledges_it(word: str) -> None:
    assert ACKNOWLEDGED & Heard[word]
    assert replace(sent(), heard=Heard[word]).known_to_broker


@pytest.mark.parametrize("word", ["NOTHING", "PENDING", "HELD_NOTE", "CANCELLED", "FILLED", "REJECTED", "ERROR_REJECT"])
def test_other_words_do_not(word: str) -> None:
    assert not replace(sent(), heard=Heard[word]).known_to_broker


def test_a_fresh_record_has_no_past() -> None:
    record = OrderRecord(ref=OrderRef("r"), account=works().account, request=REQUEST)
    assert (record.absent_rounds, record.absent_since_ns, record.created_ns, record.sent_ns) == (0, 0, 0, 0)
    assert (record.changed_ns, record.cancel_asked_ns, record.cancel_tries, record.modifies) == (0, 0, 0, 0)


def test_only_commissions_of_known_executions_count() -> None:
    record = told(works(), execution(1, 60), commission(1, "1.5"))
    record = told(record, commission(2, "9"))
    assert record.status().commission == Decimal("1.5")


def test_an_execution_id_without_a_revision_is_the_first() -> None:
    assert split_exec_id("abc") == ("abc", 1)
    assert split_exec_id("abc.01.02") == ("abc.01", 2)


def test_that_touch_was_lost_is_no_longer_said_of_an_order_whose_state_is_known_again() -> None:
    lost = lose_touch(works(), 5, "the broker link was lost").record
    assert lost.status().reason == "the broker link was lost"
    found = told(lost, echo(100))
    assert (found.state, found.status().reason) == (S.HELD, "")
    assert establish(lost, S.CANCELLED, 6).record.status().reason == ""
    refused = told(found, error(110, "the price is off the tick"))
    assert "off the tick" in refused.status().reason, "what the broker said stays"


def test_protective_is_what_says_so_and_a_child_of_an_algorithm_does_not() -> None:
    entry = works().status()
    assert not is_protective(replace(entry, parent_ref=OrderRef("p")))
    assert is_protective(replace(entry, request=replace(REQUEST, origin=Origin.PROTECTIVE)))


# --- signs of life


def test_one_sign_of_life_is_enough_after_touch_was_lost() -> None:
    lost = lose_touch(works(), 5, "gone").record
    assert lost.state is S.UNKNOWN
    assert told(lost, status(BrokerStatus.WORKING)).state is S.WORKING
    assert told(lost, execution(1, 40)).state is S.PARTIAL
    assert told(lost, status(BrokerStatus.PENDING)).state is S.UNKNOWN


def test_the_highest_claimed_quantity_is_kept_and_none_or_nonsense_claims_nothing() -> None:
    record = told(works(), status(BrokerStatus.WORKING, filled=60), status(BrokerStatus.WORKING, filled=30))
    assert record.claimed == 60
    assert told(works(), status(BrokerStatus.WORKING)).claimed == 0
    odd = replace(status(BrokerStatus.WORKING), filled=Decimal("NaN"))
    assert told(works(), odd).claimed == 0


def test_the_text_of_a_status_is_kept_as_a_reason_and_silence_is_not() -> None:
    assert told(works(), replace(status(BrokerStatus.WORKING), text="margin")).reasons == ("2 margin",)
    assert told(works(), status(BrokerStatus.WORKING)).reasons == ()


def test_a_word_nobody_knows_raises_an_alarm_with_its_text() -> None:
    outcome = hear(works(), replace(status(BrokerStatus.OTHER), text="Odd"))
    assert kinds(outcome) == ["strange-status"]
    assert "Odd" in outcome.alarms[0].text


def test_ids_are_collected_once_and_sorted() -> None:
    record = identify(identify(identify(works(), "7", ""), "3", "8"), "7", "8")
    assert (record.broker_ids, record.perm_ids) == (("3", "7"), ("8", "9"))
    assert identify(record, "3", "9") is record
    assert identify(record, "", "") is record


# --- fields that the broker shows


def test_fields_that_nobody_here_asked_for_are_looked_up() -> None:
    assert Wish.QUERY in hear(works(), echo(100, 11)).wishes
    assert Wish.QUERY in hear(works(), echo(90, 10)).wishes
    assert hear(works(), echo(100, 10)).wishes == frozenset()
    assert hear(closed(), echo(100, 11)).wishes == frozenset()


def test_fields_that_are_asked_for_are_not_strange() -> None:
    asked = ask_modify(works(), replace(REQUEST, limit_price=Decimal(12)), 3).record
    assert hear(asked, echo(100, 10)).wishes == frozenset()
    assert hear(asked, echo(100, 12)).record.effective.limit_price == 12


def test_a_price_that_was_not_asked_for_is_not_compared() -> None:
    market = replace(REQUEST, order_type=OrderType.MARKET, limit_price=None)
    assert hear(replace(works(), request=market), echo(100, 11)).wishes == frozenset()
    stop = replace(REQUEST, order_type=OrderType.STOP, limit_price=None, stop_price=Decimal(9))
    assert Wish.QUERY in hear(replace(works(), request=stop), replace(echo(100, 11), stop_price=Decimal(8))).wishes
    assert hear(replace(works(), request=stop), replace(echo(100, 11), stop_price=Decimal(9))).wishes == frozenset()


# --- executions


def test_an_execution_corrected_to_nothing_is_undone() -> None:
    record = told(works(), execution(1, 40), execution(1, 0, revision=2))
    assert (record.executed, record.state) == (0, S.WORKING)


def test_the_same_execution_heard_later_again_is_not_news() -> None:
    record = told(works(), execution(1, 40))
    again = hear(record, replace(execution(1, 40), ts_seen=99))
    assert again.record == record
    assert again.record.changed_ns == record.changed_ns


@pytest.mark.parametrize("change", [{"symbol": Symbol("MSFT")}, {"side": Side.SELL}])
def test_an_execution_of_something_else_is_booked_with_an_alarm(change: dict[str, object]) -> None:
    outcome = hear(works(), replace(execution(1, 40), **change))
    assert kinds(outcome) == ["wrong-execution"]
    assert outcome.record.executed == 40
    assert kinds(hear(works(), execution(1, 40))) == []


def test_a_fill_after_the_end_says_how_much_and_is_looked_up() -> None:
    outcome = hear(told(establish(told(works(), execution(1, 30)), S.CANCELLED, 3).record), execution(2, 40))
    assert outcome.alarms[0].text.startswith("40 filled after the order was closed as CANCELLED")
    assert Wish.QUERY in outcome.wishes


def test_an_execution_of_an_order_that_never_left_halts() -> None:
    outcome = hear(establish(sent(), S.NEVER_SENT, 3).record, execution(1, 40))
    assert kinds(outcome) == ["unsent-fill"]
    assert Wish.HALT in outcome.wishes
    assert kinds(hear(outcome.record, execution(2, 10))) == ["late-fill"]


def test_orders_of_others_and_adopted_ones_grow_with_what_fills() -> None:
    for kind in ("external", "adopted"):
        record = replace(works(), request=replace(REQUEST, quantity=Decimal(50)), **{kind: True})
        outcome = hear(record, execution(1, 80))
        assert outcome.record.request.quantity == 80
        assert outcome.record.request.limit_price == REQUEST.limit_price
        assert (kinds(outcome), outcome.record.state) == ([], S.FILLED)
    own = hear(replace(works(), request=replace(REQUEST, quantity=Decimal(50))), execution(1, 80))
    assert own.record.request.quantity == 50


def test_a_status_that_claims_more_than_was_executed_is_looked_up_once() -> None:
    record = told(works(), execution(1, 40))
    claim = hear(record, status(BrokerStatus.WORKING, filled=60))
    assert Wish.QUERY in claim.wishes
    assert Wish.QUERY not in hear(claim.record, status(BrokerStatus.WORKING, filled=60)).wishes
    assert Wish.QUERY not in hear(record, status(BrokerStatus.WORKING, filled=40)).wishes
    assert Wish.QUERY not in hear(works(), status(BrokerStatus.WORKING, filled=60)).wishes
    lower = hear(claim.record, execution(2, 5))
    assert Wish.QUERY not in lower.wishes


def test_a_late_word_on_a_filled_order_is_not_looked_up() -> None:
    filled = establish(told(works(), execution(1, 100)), S.FILLED, 3).record
    assert hear(filled, status(BrokerStatus.WORKING)).wishes == frozenset()
    assert hear(closed(), status(BrokerStatus.PENDING)).wishes == frozenset()


# --- codes


def test_the_broker_complaining_about_the_rate_slows_us_down_and_asks() -> None:
    assert hear(works(), error(100)).wishes == {Wish.PACE, Wish.DEMOTE, Wish.QUERY}


@pytest.mark.parametrize("code", [1100, 10148, 201, 104, 4711])
def test_codes_that_leave_doubt_are_looked_up(code: int) -> None:
    outcome = hear(works(), error(code))
    assert outcome.wishes == {Wish.QUERY}
    assert outcome.record.state is S.WORKING


@pytest.mark.parametrize("code", [399, 404, 10349, 2109])
def test_information_asks_nothing(code: int) -> None:
    assert hear(works(), error(code)).wishes == frozenset()


# --- time


def test_news_moves_the_time_of_change_forward_only() -> None:
    record = told(sent(), replace(status(BrokerStatus.WORKING), ts_seen=70))
    assert record.changed_ns == 70
    quiet = told(record, replace(status(BrokerStatus.HELD), ts_seen=80))
    assert (quiet.state, quiet.changed_ns) == (S.WORKING, 80)
    assert told(quiet, replace(status(BrokerStatus.PENDING_CANCEL), ts_seen=60)).changed_ns == 80
    assert told(quiet, replace(status(BrokerStatus.HELD), ts_seen=90)) == quiet


# --- what we establish


def test_a_new_base_forgets_absence_and_spends_the_evidence() -> None:
    record = replace(told(works(), execution(1, 40)), absent_rounds=2, absent_since_ns=7, cancel_asked_ns=4)
    record = replace(record, claimed=Decimal(90))
    for base in (S.WORKING, S.HELD, S.PARTIAL, S.CANCELLED):
        after = establish(record, base, 9).record
        assert (after.absent_rounds, after.absent_since_ns, after.heard) == (0, 0, Heard.NOTHING)
        assert (after.claimed, after.base_executed, after.acknowledged) == (40, 40, True)
        assert after.cancel_asked_ns == (0 if base is S.CANCELLED else 4)
        assert (after.sent_ns, after.reasons) == (record.sent_ns, record.reasons)
    assert establish(record, S.UNKNOWN, 9).record.claimed == 90
    assert establish(record, S.CANCELLED, 9, "why").record.reasons == ("0 why",)


def test_what_was_heard_while_sending_is_kept_when_it_is_sent() -> None:
    sending = establish(OrderRecord(ref=works().ref, account=works().account, request=REQUEST), S.SENDING, 1).record
    early = told(sending, status(BrokerStatus.WORKING))
    after = establish(early, S.SENT, 2).record
    assert (after.sent_ns, after.heard, after.state) == (2, Heard.WORKING, S.WORKING)
    assert establish(early, S.HELD, 2).record.sent_ns == 0


def test_losing_touch_counts_absence_anew_and_keeps_an_open_change() -> None:
    wanted = replace(REQUEST, quantity=Decimal(200))
    asked = replace(ask_modify(works(), wanted, 3).record, absent_rounds=1, absent_since_ns=7)
    lost = lose_touch(told(asked, execution(1, 10)), 5, "gone").record
    assert (lost.absent_rounds, lost.absent_since_ns, lost.modify, lost.ceiling) == (0, 0, wanted, 200)
    assert (lost.base, lost.base_executed, lost.heard, lost.acknowledged) == (S.UNKNOWN, 10, Heard.NOTHING, True)
    assert lost.reasons == ("7 gone",)
    settled = lose_touch(told(asked, echo(200)), 5, "gone").record
    assert (settled.modify, settled.request) == (None, wanted)


@pytest.mark.parametrize("state", [S.CANCELLED, S.REJECTED, S.NEVER_SENT])
def test_losing_touch_does_not_open_what_is_closed(state: OrderState) -> None:
    record = closed(state)
    assert lose_touch(record, 5, "gone").record is record


def test_losing_touch_leaves_claims_and_intents_as_they_are() -> None:
    claim = told(works(), status(BrokerStatus.CANCELLED))
    intent = OrderRecord(ref=works().ref, account=works().account, request=REQUEST)
    assert lose_touch(claim, 5, "gone").record is claim
    assert lose_touch(intent, 5, "gone").record is intent


def test_a_second_cancel_is_counted_and_forgets_that_the_first_failed() -> None:
    once = told(ask_cancel(works(), 3).record, error(10148))
    assert (once.state, once.cancel_tries) == (S.UNKNOWN, 1)
    twice = ask_cancel(once, 8).record
    assert (twice.state, twice.cancel_tries, twice.cancel_asked_ns) == (S.PENDING_CANCEL, 2, 8)


def test_a_second_change_forgets_the_answers_to_the_first() -> None:
    first = ask_modify(works(), replace(REQUEST, limit_price=Decimal(11)), 3).record
    refused = told(first, error(104))
    second = ask_modify(refused, replace(REQUEST, limit_price=Decimal(12)), 4).record
    assert (second.state, second.modifies, second.request.limit_price) == (S.PENDING_MODIFY, 2, 10)
    assert not second.heard & (Heard.ERROR_MODIFY_FAILED | Heard.ERROR_REJECT | Heard.ECHO_NEW)
    shown = told(first, echo(100, 11))
    third = ask_modify(shown, replace(REQUEST, limit_price=Decimal(12)), 4).record
    assert (third.state, third.request.limit_price, third.acknowledged) == (S.PENDING_MODIFY, 11, True)


# --- changes that are under way when something else happens


def grown(quantity: int = 200) -> OrderRecord:
    return ask_modify(works(), replace(REQUEST, quantity=Decimal(quantity)), 3).record


def test_what_fills_beyond_the_old_size_shows_that_the_change_was_taken() -> None:
    """Nobody echoed the change, the broker filled it: at the end of the day that is no overfill and halts nothing."""
    record = told(grown(), execution(1, 150))
    assert record.status().request.quantity == 200
    assert record.status().pending is None
    assert record.state is S.PARTIAL
    for outcome in (
        establish(told(record, execution(2, 50)), S.SETTLED, 9),
        establish(record, S.CANCELLED, 9),
        lose_touch(record, 9, "the line broke"),
    ):
        assert outcome.alarms == ()
        assert Wish.HALT not in outcome.wishes
        assert outcome.record.request.quantity == 200


def test_what_fills_beyond_the_new_size_too_is_an_overfill() -> None:
    outcome = hear(told(grown(120), execution(1, 100)), execution(2, 30))
    assert kinds(outcome) == ["overfill"]
    assert Wish.HALT in outcome.wishes


def test_a_change_that_was_refused_and_filled_all_the_same_was_taken() -> None:
    record = told(grown(), error(104), execution(1, 150))
    assert record.status().request.quantity == 200
    assert "overfill" not in record.alarms


def test_a_shrinking_change_that_is_shown_is_the_size_that_counts() -> None:
    shrunk = told(ask_modify(works(), replace(REQUEST, quantity=Decimal(40)), 3).record, echo(40))
    assert shrunk.ceiling == 40
    assert told(shrunk, execution(1, 40)).state is S.FILLED


def test_an_order_that_ends_takes_the_shown_change_with_it_and_forgets_the_one_that_was_not() -> None:
    shown = establish(told(grown(), echo(200)), S.CANCELLED, 9).record
    assert (shown.request.quantity, shown.modify, shown.ceiling) == (200, None, 200)
    silent = establish(grown(), S.CANCELLED, 9).record
    assert (silent.request.quantity, silent.modify, silent.ceiling) == (100, None, 100)


def test_an_order_the_broker_has_shown_stays_known_to_it_when_the_line_breaks() -> None:
    """A code of refusal that comes after the break is then no rejection of an order that works."""
    lost = lose_touch(works(), 9, "the line broke").record
    assert lost.known_to_broker
    assert told(lost, error(201)).state is not S.CLAIM_REJECTED


def test_an_order_of_unreadable_size_is_not_filled_by_being_there() -> None:
    strange = replace(works(), request=replace(REQUEST, quantity=Decimal(0)), external=True)
    assert establish(strange, S.WORKING, 4).record.state is S.WORKING


def test_of_what_the_broker_says_eight_sentences_are_kept() -> None:
    record = works()
    for number in range(12):
        record = told(record, error(9000 + number, f"sentence {number}"))
    assert len(record.reasons) == 8


def test_of_two_words_about_a_commission_the_later_revision_counts_in_whatever_order_they_come() -> None:
    words = (commission(1, "1.50"), commission(1, "0.35", revision=2))
    for heard in (words, words[::-1], (*words, words[0])):
        assert told(works(), execution(1, 60), *heard).status().commission == Decimal("0.35")
