"""The plan in detail: who is joined with whom, what is news, what absence proves, and when a time in force is over."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from engine.bus.clock import SECOND
from engine.execution.fold import ask_modify, establish, lose_touch
from engine.execution.opening import opening
from engine.execution.reconcile import Plan, Rules, mentioned, plan
from engine.execution.record import OrderRecord
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderState, TimeInForce
from engine.model.position import Account
from engine.model.report import BrokerPosition, BrokerSnapshot, BrokerStatus
from tests.engine.execution.test_fold import REF, REQUEST, commission, execution, sent, shown, status, told
from tests.support.fake_broker import ACCOUNT

S = OrderState
T = 1000 * SECOND
AAPL = Symbol("AAPL")
replace = msgspec.structs.replace


def rules(now: int = T, grace: int = 0, gap: int = 10, day: Callable[[Symbol, int], str | None] | None = None) -> Rules:
    return Rules(
        now_ns=now,
        grace_ns=grace * SECOND,
        absent_gap_ns=gap * SECOND,
        link_up_ns=0,
        ours=lambda ref: ref.startswith("MA-"),
        day=day or (lambda symbol, at_ns: "day"),
    )


def snapshot(taken: int = T, **parts: object) -> BrokerSnapshot:
    whole = {
        "open_orders": (),
        "completed": (),
        "executions": (),
        "positions": (),
        "account": Account(account=ACCOUNT, cash={}, equity=None, ts_event=taken),
    }
    return BrokerSnapshot(taken_ns=taken, **{**whole, **parts})


def position(quantity: int, symbol: str = "AAPL") -> BrokerPosition:
    return BrokerPosition(account=ACCOUNT, symbol=Symbol(symbol), quantity=Decimal(quantity), average_price=Decimal(10))


def agree(record: OrderRecord, picture: BrokerSnapshot, held: int = 0, given: Rules | None = None) -> Plan:
    return plan({record.ref: record}, {AAPL: Decimal(held)} if held else {}, picture, given or rules())


def last(result: Plan) -> OrderRecord:
    return result.changes[-1][0].record


def works() -> OrderRecord:
    return sent(acknowledged=True)


# --- who is who


def test_an_order_of_ours_that_the_journal_did_not_know_is_adopted_whole() -> None:
    result = plan({}, {}, snapshot(open_orders=(shown(),)), rules())
    assert result.adopted == (REF,)
    assert [kind for _, kind, _ in result.changes] == ["ADOPTED", "seen open"]
    record = last(result)
    assert (record.external, record.adopted, record.acknowledged) == (False, False, True)
    assert (record.created_ns, record.state, record.request.quantity) == (T, S.WORKING, 100)
    assert result.changes[0][0].record.changed_ns == 0, "older than any snapshot: the snapshot speaks at once"


@pytest.mark.parametrize("ref", ["", "OTHER-1"])
def test_an_order_of_somebody_else_is_external_under_its_permanent_id(ref: str) -> None:
    result = plan({}, {}, snapshot(open_orders=(replace(shown(), ref=OrderRef(ref)),)), rules())
    assert (result.adopted, result.changes[0][1], last(result).ref, last(result).external) == (
        (),
        "EXTERNAL",
        "X-9",
        True,
    )


def test_an_execution_alone_adopts_an_order_that_grows_with_it() -> None:
    pieces = (execution(1, 30), execution(2, 20))
    result = plan({}, {}, snapshot(executions=pieces, positions=(position(50),)), rules())
    assert result.adopted == (REF,)
    assert [kind for _, kind, _ in result.changes][:3] == ["ADOPTED", "execution", "execution"]
    record = result.changes[2][0].record
    assert (record.adopted, record.request.quantity, record.executed, record.state) == (True, 50, 50, S.FILLED)
    assert result.drifts == ()


def test_an_execution_of_somebody_else_is_external_by_its_permanent_id_or_its_own() -> None:
    foreign = replace(execution(1, 30), ref=OrderRef(""))
    result = plan({}, {}, snapshot(executions=(foreign,), positions=(position(30),)), rules())
    assert (last(result).ref, result.adopted, result.changes[0][1]) == ("X-9", (), "EXTERNAL")
    nameless = replace(foreign, perm_id="")
    result = plan({}, {}, snapshot(executions=(nameless,), positions=(position(30),)), rules())
    assert last(result).ref == "X-0000e0d5.1.01"


def test_an_order_without_our_reference_is_found_by_its_permanent_id() -> None:
    result = agree(works(), snapshot(open_orders=(replace(shown(), ref=OrderRef("")),)))
    assert {outcome.record.ref for outcome, _, _ in result.changes} <= {REF}
    assert result.adopted == ()
    assert (
        agree(replace(works(), perm_ids=()), snapshot(executions=(replace(execution(1, 5), perm_id=""),))).adopted == ()
    )


def test_mentioned_are_the_orders_that_are_not_known_by_either_name() -> None:
    records = {REF: works()}

    def known(ref: OrderRef, perm_id: str) -> object:
        return records.get(ref) or next((r for r in records.values() if perm_id in r.perm_ids), None)

    picture = snapshot(
        open_orders=(shown(), replace(shown(perm="12"), ref=OrderRef(""))),
        completed=(replace(shown(perm="13"), ref=OrderRef("MA-x")),),
        executions=(
            execution(1, 5),
            replace(execution(2, 5), ref=OrderRef("Z"), perm_id=""),
            replace(execution(3, 5), ref=OrderRef("MA-y"), perm_id="14"),
        ),
    )
    assert mentioned(picture, rules().ours, known) == ("X-12", "MA-x", "X-0000e0d5.2.01", "MA-y")
    empty = snapshot(open_orders=None, completed=None, executions=None)
    assert mentioned(empty, rules().ours, known) == ()


# --- executions and commissions


def test_an_execution_counts_once_however_often_it_is_told() -> None:
    pieces = (execution(1, 30), execution(1, 30), execution(1, 20, revision=2))
    result = agree(works(), snapshot(open_orders=(shown(),), executions=pieces, positions=(position(20),)))
    assert last(result).executed == 20
    assert result.drifts == ()
    assert [kind for _, kind, _ in result.changes].count("execution") == 2


def test_an_execution_that_another_order_has_is_not_booked_again() -> None:
    record = told(works(), execution(1, 30))
    stolen = replace(execution(1, 30), ref=OrderRef("MA-other"), perm_id="77")
    result = agree(record, snapshot(open_orders=(shown(),), executions=(stolen,), positions=(position(30),)), held=30)
    assert result.adopted == ()
    assert result.drifts == ()


def test_a_correction_moves_the_position_by_the_difference() -> None:
    record = told(works(), execution(1, 30))
    picture = snapshot(open_orders=(shown(),), executions=(execution(1, 25, revision=2),), positions=(position(25),))
    assert agree(record, picture, held=30).drifts == ()
    sold = replace(works(), request=replace(REQUEST, side=Side.SELL))
    sold = told(sold, replace(execution(1, 30), side=Side.SELL))
    fixed = replace(execution(1, 25, revision=2), side=Side.SELL)
    picture = snapshot(open_orders=(), executions=(fixed,), positions=(position(-25),))
    assert agree(sold, picture, held=-30).drifts == ()


def test_a_commission_told_again_by_the_snapshot_is_booked_once() -> None:
    record = told(works(), execution(1, 30))
    picture = snapshot(
        open_orders=(shown(),),
        executions=(execution(1, 30),),
        positions=(position(30),),
        commissions=(commission(1, "1.5"), commission(7, "9")),
    )
    result = agree(record, picture, held=30)
    assert [kind for _, kind, _ in result.changes].count("commission") == 1
    booked = next(outcome.record for outcome, kind, _ in result.changes if kind == "commission")
    assert booked.status().commission == Decimal("1.5")
    again = agree(last(result), picture, held=30)
    assert "commission" not in [kind for _, kind, _ in again.changes]
    alone = agree(record, replace(picture, executions=()), held=30)
    assert "commission" in [kind for _, kind, _ in alone.changes]


# --- news


def test_news_younger_than_the_grace_is_not_contradicted() -> None:
    record = replace(works(), changed_ns=T - 5 * SECOND)
    assert agree(record, snapshot(), given=rules(grace=6)).changes == ()
    assert last(agree(record, snapshot(), given=rules(grace=5))).state is S.UNKNOWN
    done = snapshot(completed=(shown(BrokerStatus.CANCELLED),))
    assert agree(record, done, given=rules(grace=6)).changes == ()
    assert last(agree(record, done, given=rules(grace=4))).state is S.CANCELLED


def test_an_unknown_order_that_is_shown_is_believed_at_once() -> None:
    lost = lose_touch(works(), T, "gone").record
    assert last(agree(lost, snapshot(open_orders=(shown(),)), given=rules(grace=6))).state is S.WORKING
    assert agree(lost, snapshot(), given=rules(grace=6)).changes == ()
    fresh = replace(works(), changed_ns=T)
    assert agree(fresh, snapshot(open_orders=(shown(quantity=70),)), given=rules(grace=6)).changes == ()


def test_an_external_order_is_believed_at_once_and_gone_when_it_is_not_shown() -> None:
    record = replace(works(), external=True, changed_ns=T)
    result = agree(record, snapshot(), given=rules(grace=6))
    assert (last(result).state, last(result).reasons) == (S.CANCELLED, ("0 no longer at the broker",))


def test_what_is_shown_finished_waits_for_the_executions() -> None:
    record = told(works(), status(BrokerStatus.CANCELLED))
    done = (shown(BrokerStatus.CANCELLED),)
    assert agree(record, snapshot(completed=done, executions=None)).changes == ()
    assert last(agree(record, snapshot(completed=done))).state is S.CANCELLED
    both = agree(record, snapshot(completed=done, open_orders=(shown(),)))
    assert last(both).state is S.WORKING, "open counts more than finished"


@pytest.mark.parametrize("hole", ["open_orders", "completed", "executions", "positions", "account"])
def test_absence_from_a_picture_with_a_hole_proves_nothing(hole: str) -> None:
    assert agree(works(), snapshot(**{hole: None})).changes == ()


# --- nowhere


def absent(record: OrderRecord, rounds: int = 1, since: int = 0) -> OrderRecord:
    return replace(lose_touch(record, 5, "gone").record, absent_rounds=rounds, absent_since_ns=since)


def test_absence_needs_two_rounds_far_enough_apart() -> None:
    assert last(agree(absent(works(), since=T - 10 * SECOND), snapshot())).state is S.NOT_AT_BROKER
    assert last(agree(absent(works(), since=T - 10 * SECOND + 1), snapshot())).state is S.UNKNOWN
    assert last(agree(absent(works(), rounds=0), snapshot())).state is S.UNKNOWN
    assert last(agree(works(), snapshot())).state is S.UNKNOWN


def test_absence_proves_nothing_while_the_position_says_otherwise() -> None:
    gone = absent(works())
    assert last(agree(gone, snapshot(positions=(position(40),)))).state is S.UNKNOWN
    assert last(agree(gone, snapshot(positions=(position(40),)), held=40)).state is S.NOT_AT_BROKER
    other = replace(execution(5, 40), ref=OrderRef("MA-other"), perm_id="77")
    explained = snapshot(executions=(other,), positions=(position(40),))
    result = agree(gone, explained)
    states = {outcome.record.ref: outcome.record.state for outcome, _, _ in result.changes}
    assert states[REF] is S.NOT_AT_BROKER, "the other order explains the position"


def test_an_order_that_is_being_sent_is_not_missed() -> None:
    for state in (S.SENDING, S.SENT):
        record = establish(replace(sent(), heard=sent().heard), state, 3).record
        assert record.state is state
        assert agree(record, snapshot()).changes == ()


@pytest.mark.parametrize("state", [S.NEVER_SENT, S.SETTLED])
def test_what_is_final_is_left_alone(state: OrderState) -> None:
    record = establish(works(), state, 3).record
    assert agree(record, snapshot(open_orders=(shown(),))).changes == ()


def days(symbol: Symbol, at_ns: int) -> str | None:
    return "day 2" if at_ns >= T else "day 1"


def test_a_day_order_of_an_earlier_day_has_expired() -> None:
    gone = absent(works())
    result = agree(gone, snapshot(), given=rules(day=days))
    assert (last(result).state, last(result).reasons[0]) == (S.EXPIRED, "0 its time in force is over")
    reborn = replace(gone, created_ns=T)
    assert last(agree(reborn, snapshot(), given=rules(day=days))).state is S.NOT_AT_BROKER
    backwards = rules(day=lambda symbol, at_ns: "day 1" if at_ns >= T else "day 2")
    assert last(agree(gone, snapshot(), given=backwards)).state is S.UNKNOWN


@pytest.mark.parametrize("blind", [0, 1, 2])
def test_without_a_calendar_nothing_is_concluded(blind: int) -> None:
    def day(symbol: Symbol, at_ns: int) -> str | None:
        return None if blind == 2 or (at_ns >= T) == bool(blind) else "day"

    assert last(agree(absent(works()), snapshot(), given=rules(day=day))).state is S.UNKNOWN


def test_a_good_till_cancelled_order_never_expires_by_itself() -> None:
    gone = absent(replace(works(), request=replace(REQUEST, tif=TimeInForce.GTC)))
    assert last(agree(gone, snapshot(), given=rules(day=days))).state is S.UNKNOWN


def test_a_good_till_date_order_expires_a_second_after_its_date() -> None:
    request = replace(REQUEST, tif=TimeInForce.GTD, good_till_ns=T - SECOND)
    gone = absent(replace(works(), request=request))
    assert last(agree(gone, snapshot(), given=rules(day=days))).state is S.UNKNOWN
    later = rules(now=T + 1, day=days)
    assert last(agree(gone, snapshot(), given=later)).state is S.EXPIRED
    dateless = absent(replace(works(), request=replace(request, good_till_ns=None)))
    assert last(agree(dateless, snapshot(), given=rules(day=days))).state is S.EXPIRED


def test_a_day_order_with_a_date_in_it_goes_by_the_day() -> None:
    gone = absent(replace(works(), request=replace(REQUEST, good_till_ns=T + 9 * SECOND)))
    assert last(agree(gone, snapshot(), given=rules(day=days))).state is S.EXPIRED


# --- positions


def test_a_position_that_differs_is_a_drift_and_one_that_cannot_be_read_is_none() -> None:
    result = agree(works(), snapshot(open_orders=(shown(),), positions=(position(3), position(4))), held=5)
    assert [(d.symbol, d.ours, d.theirs) for d in result.drifts] == [("AAPL", 5, 7)]
    assert agree(works(), snapshot(open_orders=(shown(),), positions=None), held=5).drifts == ()
    assert agree(works(), snapshot(open_orders=(shown(),), executions=None), held=5).drifts == ()
    assert [d.theirs for d in agree(works(), snapshot(open_orders=(shown(),)), held=5).drifts] == [0]


def test_an_open_change_of_size_does_not_count_as_a_position() -> None:
    asked = ask_modify(works(), replace(REQUEST, quantity=Decimal(200)), 3).record
    assert agree(asked, snapshot(open_orders=(shown(),))).drifts == ()


# --- the opening


def test_the_opening_is_the_position_less_what_was_traded_today() -> None:
    pieces = (
        execution(1, 30, "11"),
        execution(1, 20, "12", revision=2),
        replace(execution(2, 5, "13"), side=Side.SELL),
        replace(execution(4, 10, "52"), symbol=Symbol("MSFT"), side=Side.SELL),
        replace(execution(3, 10, "51"), symbol=Symbol("MSFT"), side=Side.SELL),
    )
    picture = snapshot(executions=pieces, positions=(position(40), position(10), position(7, "NVDA")))
    found = {p.symbol: (p.quantity, p.average_price) for p in opening(picture)}
    assert found == {"AAPL": (35, 10), "MSFT": (20, 51), "NVDA": (7, 10)}


def test_an_opening_made_today_is_none() -> None:
    assert opening(snapshot(executions=(execution(1, 30),), positions=(position(30),))) == ()
    assert opening(snapshot(executions=None, positions=None)) == ()


def test_an_order_is_known_by_our_reference_before_its_permanent_id() -> None:
    """The broker's id points at another order of ours: what is shown under our reference is the one we named."""
    mine = sent(acknowledged=True)
    other = replace(sent(), ref=OrderRef("MA-4567-260102-0002-M"), perm_ids=("77",))
    picture = snapshot(open_orders=(replace(shown(), perm_id="77"),))
    result = plan({mine.ref: mine, other.ref: other}, {}, picture, rules())
    assert [outcome.record.ref for outcome, kind, _ in result.changes if kind == "seen open"] == [REF]


def test_a_stranger_with_a_fill_is_found_once_under_a_name_of_forty_letters() -> None:
    perm = "7" * 60
    seen = replace(shown(perm=perm), ref=OrderRef(""))
    fill = replace(execution(1, 30), ref=OrderRef(""), perm_id=perm)
    result = plan({}, {}, snapshot(open_orders=(seen,), executions=(fill,), positions=(position(30),)), rules())
    assert [kind for _, kind, _ in result.changes].count("EXTERNAL") == 1
    record = last(result)
    assert (record.ref, len(record.ref), record.executed) == (f"X-{perm}"[:40], 40, 30)
    assert result.changes[0][0].record.acknowledged, "the broker shows it, so the broker has it"


def test_a_correction_that_names_its_execution_alone_corrects_it_and_makes_no_stranger() -> None:
    first = execution(1, 30)
    corrected = replace(first, exec_id=f"{first.exec_id[:-2]}02", quantity=Decimal(20), ref=OrderRef(""), perm_id="")
    result = agree(works(), snapshot(executions=(first, corrected), positions=(position(20),)))
    assert {outcome.record.ref for outcome, _, _ in result.changes} == {REF}
    assert last(result).executed == 20
    assert result.drifts == ()
