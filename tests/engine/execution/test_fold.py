"""The state machine: claims become facts, and neither order nor repetition of messages matters."""

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.execution.error_codes import classify
from engine.execution.fold import (
    Wish,
    ask_cancel,
    ask_modify,
    derive,
    establish,
    hear,
    lose_touch,
    split_exec_id,
)
from engine.execution.record import OrderRecord
from engine.execution.sight import see_absent, see_open
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState
from engine.model.report import (
    AnyReport,
    BrokerStatus,
    CommissionReport,
    EchoReport,
    ErrorClass,
    ErrorReport,
    ExecutionReport,
    OpenOrder,
    StatusReport,
)
from engine.portfolio.holding import Holding

S = OrderState
REF = OrderRef("MA-4567-260102-0001-M")
REQUEST = OrderRequest(
    intent_id=IntentId("i"), symbol=Symbol("AAPL"), side=Side.BUY, quantity=Decimal(100), limit_price=Decimal(10)
)


def sent(acknowledged: bool = False) -> OrderRecord:
    record = OrderRecord(ref=REF, account=AccountId("a"), request=REQUEST)
    record = establish(establish(record, S.SENDING, 1).record, S.SENT, 2).record
    return told(record, status(BrokerStatus.WORKING)) if acknowledged else record


def status(word: BrokerStatus, perm: str = "9", filled: int | None = None, why: str = "") -> StatusReport:
    amount = None if filled is None else Decimal(filled)
    return StatusReport(ts_event=5, ts_seen=5, ref=REF, status=word, perm_id=perm, filled=amount, why_held=why)


def execution(number: int, quantity: int, price: str = "10", revision: int = 1) -> ExecutionReport:
    return ExecutionReport(
        ts_event=10 + number,
        ts_seen=50,
        ref=REF,
        exec_id=f"0000e0d5.{number}.01.{revision:02d}",
        account=AccountId("a"),
        symbol=Symbol("AAPL"),
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(price),
        perm_id="9",
    )


def commission(number: int, amount: str, revision: int = 1) -> CommissionReport:
    return CommissionReport(
        ts_event=5, ts_seen=5, exec_id=f"0000e0d5.{number}.01.{revision:02d}", commission=Decimal(amount)
    )


def error(code: int, text: str = "why") -> ErrorReport:
    return ErrorReport(ts_event=5, ts_seen=5, ref=REF, code=code, text=text, error_class=classify(code))


def echo(quantity: int = 100, price: int = 10) -> EchoReport:
    return EchoReport(
        ts_event=5, ts_seen=5, ref=REF, quantity=Decimal(quantity), limit_price=Decimal(price), perm_id="9"
    )


def told(record: OrderRecord, *reports: AnyReport) -> OrderRecord:
    for report in reports:
        record = hear(record, report).record
    return record


def shown(word: BrokerStatus = BrokerStatus.WORKING, quantity: int = 100, perm: str = "9") -> OpenOrder:
    return OpenOrder(
        ref=REF,
        perm_id=perm,
        broker_id="1",
        account=AccountId("a"),
        status=word,
        request=msgspec.structs.replace(REQUEST, quantity=Decimal(quantity)),
    )


def final(record: OrderRecord) -> tuple[object, ...]:
    """Everything that must not depend on the order of messages."""
    book = Holding()
    for key in record.executions:
        book.book(record.fill(key))
    return (
        record.state,
        record.executions,
        record.commissions,
        record.perm_ids,
        record.reasons,
        record.effective,
        record.status().filled,
        record.status().average_price,
        book.tally,
    )


REPORTS = st.lists(
    st.one_of(
        st.builds(status, st.sampled_from(list(BrokerStatus)), st.sampled_from(["", "9"])),
        st.just(status(BrokerStatus.INACTIVE, why="locate")),
        st.builds(
            execution, st.integers(1, 4), st.sampled_from([20, 30]), st.sampled_from(["9.9", "10"]), st.integers(1, 3)
        ),
        st.builds(commission, st.integers(1, 4), st.sampled_from(["1", "0.35"]), st.integers(1, 3)),
        st.builds(error, st.sampled_from([110, 201, 202, 10147, 10148, 399, 404, 10349, 2109, 103, 9999, 100, 1100])),
        st.builds(echo, st.just(100), st.sampled_from([10, 11])),
    ),
    max_size=9,
)


@given(reports=REPORTS, seed=st.integers(0, 2**31), situation=st.integers(0, 5))
def test_t_p1_any_order_and_repetition_of_callbacks_gives_the_same_end(
    reports: list[AnyReport], seed: int, situation: int
) -> None:
    start = sent()
    match situation:
        case 1:
            start = ask_cancel(start, 3).record
        case 2:
            start = establish(start, S.CANCELLED, 3).record
        case 3:
            start = establish(start, S.REJECTED, 3).record
        case 4:
            working = sent(acknowledged=True)
            start = ask_modify(working, msgspec.structs.replace(REQUEST, limit_price=Decimal(11)), 3).record
        case 5:
            start = lose_touch(sent(acknowledged=True), 3, "link").record
    rng = random.Random(seed)
    straight = told(start, *reports)
    shuffled = [*reports, *(r for r in reports if rng.random() < 0.5)]
    rng.shuffle(shuffled)
    other = told(start, *shuffled)
    assert final(straight) == final(other)
    assert other.state is derive(other)


@given(reports=REPORTS)
def test_t_p1_filled_never_decreases_but_by_a_correction(reports: list[AnyReport]) -> None:
    record = sent()
    for report in reports:
        after = hear(record, report).record
        if after.executed < record.executed:
            assert isinstance(report, ExecutionReport)
            assert split_exec_id(report.exec_id)[0] in record.executions
        record = after


@pytest.mark.parametrize("closed", [S.CANCELLED, S.REJECTED, S.EXPIRED, S.NOT_AT_BROKER])
@pytest.mark.parametrize(("quantity", "expected"), [(40, S.PARTIAL), (100, S.FILLED)])
def test_t_p1_a_fill_after_the_end_is_booked_with_an_alarm(closed: OrderState, quantity: int, expected: S) -> None:
    outcome = hear(establish(sent(), closed, 3).record, execution(1, quantity))
    assert outcome.record.state is expected
    assert [a.kind for a in outcome.alarms] == ["late-fill"]
    assert hear(outcome.record, execution(1, quantity)).alarms == ()


def test_t_r6_a_correction_replaces_the_execution_and_its_price_counts() -> None:
    record = told(sent(), execution(1, 100, "10.00"), execution(1, 100, "9.50", revision=2))
    assert record.executed == 100
    assert record.state is S.FILLED
    assert record.status().average_price == Decimal("9.50")
    late = told(record, execution(1, 100, "10.00"))
    assert late.status().average_price == Decimal("9.50"), "the older revision does not come back"


def test_t_r6_a_correction_to_less_reopens_the_order() -> None:
    record = told(sent(), execution(1, 100), execution(1, 60, revision=2))
    assert (record.state, record.executed) == (S.PARTIAL, 60)


@pytest.mark.parametrize(
    ("code", "on_new", "on_working"),
    [
        (10349, S.SENT, S.WORKING),
        (399, S.HELD, S.WORKING),
        (2109, S.SENT, S.WORKING),
        (202, S.CLAIM_CANCELLED, S.CLAIM_CANCELLED),
        (201, S.CLAIM_REJECTED, S.WORKING),
        (110, S.CLAIM_REJECTED, S.WORKING),
        (4711, S.SENT, S.WORKING),
    ],
)
def test_t_r7_codes_act_by_their_class_and_a_later_fill_is_accepted(code: int, on_new: S, on_working: S) -> None:
    for start, expected in ((sent(), on_new), (sent(acknowledged=True), on_working)):
        outcome = hear(start, error(code, "the reason"))
        assert outcome.record.state is expected
        assert any("the reason" in reason for reason in outcome.record.reasons) == (code != 0)
        assert Wish.HALT not in outcome.wishes
        filled = told(outcome.record, execution(1, 100))
        assert filled.state is S.FILLED


def test_t_r7_an_unknown_code_changes_nothing_raises_an_alarm_and_asks() -> None:
    outcome = hear(sent(acknowledged=True), error(4711))
    assert outcome.record.state is S.WORKING
    assert [a.kind for a in outcome.alarms] == ["code-4711"]
    assert Wish.QUERY in outcome.wishes


def test_t_r8_inactive_waiting_for_shares_is_held_then_working_then_filled() -> None:
    record = told(sent(), status(BrokerStatus.INACTIVE, why="locate"))
    assert record.state is S.HELD
    record = told(record, status(BrokerStatus.WORKING))
    assert record.state is S.WORKING
    record = told(record, execution(1, 40), execution(2, 60))
    assert record.state is S.FILLED


def test_t_r8_a_cancel_while_inactive_stays_pending_until_there_is_evidence() -> None:
    record = told(sent(), status(BrokerStatus.INACTIVE))
    assert record.state is S.CLAIM_REJECTED
    record = ask_cancel(record, 5).record
    assert record.state is S.PENDING_CANCEL
    record = told(record, status(BrokerStatus.INACTIVE))
    assert record.state is S.PENDING_CANCEL
    assert told(record, execution(1, 100)).state is S.FILLED
    assert see_absent(told(record, error(202)), 9, 9, 0).record.state is S.CANCELLED


def test_inactive_without_a_locate_is_a_claim_of_rejection() -> None:
    assert told(sent(), status(BrokerStatus.INACTIVE)).state is S.CLAIM_REJECTED


def test_a_cancel_that_failed_makes_the_order_unknown_and_asks() -> None:
    outcome = hear(ask_cancel(sent(acknowledged=True), 3).record, error(10148, "state: Filled"))
    assert outcome.record.state is S.UNKNOWN
    assert Wish.QUERY in outcome.wishes


@pytest.mark.parametrize("code", [103, 104, 105, 110, 321, 329, 201])
def test_a_modification_that_failed_leaves_the_old_order_working(code: int) -> None:
    wanted = msgspec.structs.replace(REQUEST, limit_price=Decimal(12))
    asked = ask_modify(sent(acknowledged=True), wanted, 3).record
    assert asked.state is S.PENDING_MODIFY
    assert asked.status().pending == wanted
    outcome = hear(asked, error(code))
    assert outcome.record.state is S.WORKING
    assert outcome.record.status().request.limit_price == 10
    assert Wish.QUERY in outcome.wishes


def test_a_growing_modification_counts_the_larger_quantity_until_it_is_settled() -> None:
    wanted = msgspec.structs.replace(REQUEST, quantity=Decimal(200))
    asked = ask_modify(sent(acknowledged=True), wanted, 3).record
    filled = told(asked, execution(1, 100))
    assert filled.state is S.PENDING_MODIFY
    outcome = hear(filled, execution(2, 50))
    assert outcome.alarms == ()
    assert told(outcome.record, echo(200)).state is S.PARTIAL


def test_more_than_ordered_is_an_alarm_and_a_halt_once() -> None:
    outcome = hear(told(sent(), execution(1, 100)), execution(2, 30))
    assert [a.kind for a in outcome.alarms] == ["overfill"]
    assert Wish.HALT in outcome.wishes
    again = hear(outcome.record, execution(2, 30))
    assert (again.alarms, Wish.HALT in again.wishes) == ((), False)


def test_two_permanent_ids_freeze_the_order() -> None:
    outcome = hear(sent(acknowledged=True), status(BrokerStatus.WORKING, perm="10"))
    assert [a.kind for a in outcome.alarms] == ["two-ids"]
    assert {Wish.HALT, Wish.CANCEL} <= outcome.wishes
    assert outcome.record.perm_ids == ("10", "9")


def test_a_closed_order_that_is_seen_open_is_resurrected_with_an_alarm() -> None:
    outcome = see_open(establish(sent(), S.CANCELLED, 3).record, (shown(),), 9)
    assert outcome.record.state is S.WORKING
    assert [a.kind for a in outcome.alarms] == ["resurrected"]
    assert Wish.DEMOTE in outcome.wishes


def test_a_late_status_does_not_resurrect_a_closed_order_but_asks() -> None:
    outcome = hear(establish(sent(), S.CANCELLED, 3).record, status(BrokerStatus.WORKING))
    assert outcome.record.state is S.CANCELLED
    assert Wish.QUERY in outcome.wishes


def test_a_false_claim_is_withdrawn_by_a_snapshot_with_an_alarm() -> None:
    outcome = see_open(told(sent(acknowledged=True), status(BrokerStatus.CANCELLED)), (shown(),), 9)
    assert outcome.record.state is S.WORKING
    assert [a.kind for a in outcome.alarms] == ["false-claim"]


def test_filled_is_a_claim_until_the_executions_are_there() -> None:
    record = told(sent(acknowledged=True), status(BrokerStatus.FILLED, filled=100))
    assert record.state is S.CLAIM_FILLED
    assert told(record, execution(1, 100)).state is S.FILLED


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-5", "1.797e308"])
def test_an_execution_without_a_usable_quantity_books_nothing_and_raises_an_alarm(bad: str) -> None:
    report = msgspec.structs.replace(execution(1, 1), quantity=Decimal(bad))
    outcome = hear(sent(), report)
    assert outcome.record.executed == 0
    assert [a.kind for a in outcome.alarms] == ["bad-execution"]


def test_classes_cover_the_table() -> None:
    assert classify(2150) is ErrorClass.INFO
    assert classify(2170) is ErrorClass.UNKNOWN
    assert classify(1100) is ErrorClass.LINK
