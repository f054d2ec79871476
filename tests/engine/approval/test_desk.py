"""The approval desk: one answer, one order, and never on something other than what was shown."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.commands import ApproveIf, Edit, GetSuggestion, Refuse, Requote, Snooze
from engine.approval.mandate import Mandate
from engine.bus.errors import JournalError
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.decision import (
    ApprovalAsked,
    ApprovalExpired,
    Approved,
    Edited,
    Refused,
    RiskCleared,
    RiskDenied,
    Snoozed,
)
from engine.model.events.thought import SuggestionSuperseded, SuggestionWithdrawn
from engine.model.ids import SuggestionId
from engine.model.market import Side
from engine.model.order import OrderState, OrderType, Origin
from engine.model.suggestion import SuggestionState
from engine.suggestion.board import Board
from tests.engine.approval.office import Office
from tests.engine.risk.world import AAPL, MSFT, World, d, limits

S = SuggestionState


def auto(autonomy: Autonomy = Autonomy.AUTO, **world: Any) -> Office:
    return Office(World(mode=Mode.AUTO, **world), autonomy=autonomy)


# --- the ordinary way


async def test_a_suggestion_is_asked_and_approving_it_sends_exactly_its_order() -> None:
    office = await Office().open()
    name = office.suggest()
    asked = office.world.of(ApprovalAsked)[-1]
    assert (asked.suggestion_id, asked.approval_hash) == (name, office.desk.hash_of(name))
    assert office.world.of(RiskCleared)[-1].ref is None
    assert office.sent == []
    receipt = office.approve(name)
    assert receipt.ok, receipt
    (order,) = office.sent
    assert receipt.data["refs"] == [order.ref, *(leg.ref for leg in order.legs)]
    assert order.request.origin is Origin.MANUAL
    assert (order.request.limit_price, order.request.stop_loss, order.request.take_profit) == (
        d("100"),
        d("98"),
        d("104"),
    )
    assert order.decision_id == "d1"
    assert office.world.of(Approved)[-1].refs == tuple(receipt.data["refs"])  # type: ignore[arg-type]
    assert office.desk.state(name) is S.SENT


async def test_a_suggestion_that_is_published_again_is_not_asked_again() -> None:
    office = await Office().open()
    office.suggest(id=SuggestionId("same"))
    office.suggest(id=SuggestionId("same"))
    assert len(office.world.of(ApprovalAsked)) == 1


async def test_what_the_gate_denies_is_not_asked() -> None:
    office = await Office().open()
    name = office.suggest(quantity=d(100_000))
    assert office.world.of(ApprovalAsked) == []
    denied = office.world.of(RiskDenied)[-1]
    assert denied.suggestion_id == name
    assert "G1" in [denial.code for denial in denied.denials]
    assert not office.approve(name).ok
    assert office.sent == []


async def test_a_soft_objection_is_asked_and_needs_its_confirmation() -> None:
    office = await Office().open()
    name = office.suggest(quantity=d(1100), stop=d("99.50"))
    receipt = office.approve(name)
    assert receipt.code == "CONFIRM"
    assert {denial.code for denial in receipt.denials} == {"G1", "G33"}
    assert office.approve(name, confirmed=("G1",)).code == "CONFIRM"
    assert office.approve(name, confirmed=("G1", "G33")).ok
    assert len(office.sent) == 1


# --- T-X5: exactly one order


async def test_t_x5_a_double_click_sends_one_order_and_both_get_the_same_answer() -> None:
    office = await Office().open()
    name = office.suggest()
    shown = office.desk.hash_of(name)
    first = office.approve(name, approval_hash=shown)
    second = office.approve(name, approval_hash=shown)
    assert first == second
    assert len(office.sent) == 1


async def test_t_x5_two_windows_and_a_phone_get_the_first_answer() -> None:
    office = await Office().open()
    name = office.suggest()
    shown = office.desk.hash_of(name)
    assert office.desk.refuse(Refuse(suggestion_id=name, code="PRICE", by="phone")).ok
    receipt = office.approve(name, approval_hash=shown)
    assert receipt.ok  # the outcome of the first answer, which was a refusal that worked
    assert receipt.data["state"] == "REJECTED"
    assert office.sent == []


async def test_t_x5_an_approval_after_a_restart_is_answered_with_the_first_one() -> None:
    office = await Office().open()
    name = office.suggest()
    first = office.approve(name)
    after = await office.restarted()
    again = after.approve(name, by="cli")
    assert again == first
    assert len(office.sent) == 1
    after.world.bus.publish(office_suggested(after, name))
    assert len(office.sent) == 1


def office_suggested(office: Office, name: SuggestionId) -> Any:
    from engine.model.events.thought import Suggested

    now = office.world.clock.now()
    return Suggested(ts_event=now, ts_init=now, suggestion=office.suggestion(id=name))


async def test_t_x5_an_open_question_survives_a_restart_and_is_answered_once() -> None:
    office = await Office().open()
    name = office.suggest(reference_price=100.0)
    shown = office.desk.hash_of(name)
    after = await office.restarted()
    assert after.desk.state(name) is S.PENDING
    assert after.desk.hash_of(name) == shown
    assert after.approve(name, approval_hash=shown).ok
    assert len(office.sent) == 1
    third = await after.restarted()
    assert third.approve(name).data["state"] == "SENT"
    assert len(office.sent) == 1


async def test_t_x5_the_agent_and_a_person_together_make_one_order() -> None:
    office = await auto().open()
    name = office.suggest()
    assert len(office.sent) == 1
    receipt = office.approve(name)
    assert receipt.data["by"] == "agent"
    assert len(office.sent) == 1


async def test_t_x5_a_crash_between_the_durable_answer_and_the_order_never_sends_later() -> None:
    office = await Office().open()
    name = office.suggest()

    class Killed(BaseException):
        """The process dies here."""

    def die(cleared: object) -> None:
        raise Killed

    office.world.desk.submit = die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        office.approve(name)
    after = await office.restarted()
    assert after.approve(name).data["state"] == "SENT"
    assert office.sent == []


async def test_an_answer_that_cannot_be_recorded_sends_nothing_and_can_be_given_again() -> None:
    office = await Office().open()
    name = office.suggest()
    keep = office.world.store.set

    def fail(name: str, value: str) -> None:
        raise JournalError("disk full")

    office.world.store.set = fail  # type: ignore[method-assign]
    assert office.approve(name).code == "JOURNAL"
    assert office.sent == []
    assert office.world.gate._exposure.exposure().gross == 0
    office.world.store.set = keep  # type: ignore[method-assign]
    office.world.clock.advance(11)
    assert office.approve(name).ok
    assert len(office.sent) == 1


async def test_an_order_the_desk_does_not_send_is_said_so() -> None:
    office = await Office().open()
    name = office.suggest()
    put = office.world.desk.put

    def refuse(cleared: Any) -> Any:
        ref = put(cleared.request, cleared.ref, OrderState.NEVER_SENT, reason="the link is down")
        return office.world.desk.all[ref]

    office.world.desk.submit = refuse  # type: ignore[method-assign]
    receipt = office.approve(name)
    assert receipt.code == "NEVER_SENT"
    assert "link is down" in receipt.text
    assert office.approve(name) == receipt
    assert (await office.restarted()).approve(name) == receipt


# --- T-K7: what was shown is what is sent


async def test_t_k7_a_price_that_moved_three_percent_refuses_and_says_both_numbers() -> None:
    office = await Office().open()
    name = office.suggest()
    office.tick(102.99, 103.01)
    receipt = office.approve(name)
    assert receipt.code == "DRIFT"
    assert "100" in receipt.text
    assert "103" in receipt.text
    assert office.sent == []
    assert office.desk.state(name) is S.PENDING


@pytest.mark.parametrize(("mid", "ok"), [(100.5, True), (100.51, False), (99.5, True), (99.49, False)])
async def test_t_k7_the_mid_may_move_half_a_percent(mid: float, ok: bool) -> None:
    office = await Office().open()
    name = office.suggest(atr=50.0)
    office.tick(mid - 0.01, mid + 0.01)
    assert office.approve(name).ok is ok


async def test_t_k7_a_move_of_half_an_atr_refuses_where_that_is_less() -> None:
    office = await Office().open()
    name = office.suggest(atr=0.5)
    office.tick(100.27, 100.29)
    assert office.approve(name).code == "DRIFT"
    assert "ATR" in office.approve(name).text


async def test_t_k7_a_broken_reward_to_risk_refuses() -> None:
    office = await Office().open()
    name = office.suggest(stop=d("99"), target=d("101"), atr=50.0)
    office.tick(100.29, 100.31)
    receipt = office.approve(name)
    assert receipt.code == "DRIFT"
    assert "reward to risk" in receipt.text


async def test_t_k7_a_changed_position_refuses_and_asks_anew() -> None:
    office = await Office().open()
    name = office.suggest()
    shown = office.desk.hash_of(name)
    office.world.ledger.hold(AAPL, 5)
    receipt = office.approve(name)
    assert receipt.code == "G32"
    assert office.sent == []
    assert receipt.data["approval_hash"] == office.desk.hash_of(name) != shown
    assert office.approve(name, approval_hash=shown).code == "HASH"
    assert office.approve(name).ok


async def test_t_k7_changed_open_orders_refuse_and_other_symbols_do_not_matter() -> None:
    office = await Office().open()
    name = office.suggest()
    office.world.desk.put(office.world.manual(symbol=MSFT, limit_price=390, stop_loss=None, take_profit=None))
    office.world.desk.put(office.world.manual(limit_price=95, stop_loss=None, take_profit=None))
    assert office.approve(name).code == "G32"
    assert office.approve(name).ok


async def test_t_k7_changed_limits_refuse() -> None:
    office = await Office().open()
    name = office.suggest()
    assert office.world.limits.change({"manual.gross_percent": "90"}, "window").ok
    assert office.approve(name).code == "G32"


@pytest.mark.parametrize("wrong", ["", "0" * 24, "x"])
async def test_t_k7_an_approval_of_something_else_is_refused(wrong: str) -> None:
    office = await Office().open()
    name = office.suggest()
    assert office.approve(name, approval_hash=wrong).code == "HASH"
    assert office.sent == []


async def test_only_the_command_line_may_leave_the_hash_out() -> None:
    office = await Office().open()
    name = office.suggest()
    assert office.approve(name, by="phone", approval_hash="").code == "HASH"
    assert office.approve(name, by="cli", approval_hash="").ok


async def test_t_k7_the_gate_is_asked_again_on_the_present_book() -> None:
    office = await Office().open()
    name = office.suggest()
    office.world.modes.lock(AAPL, "G20", "rejects")
    assert office.approve(name).code == "G20"
    office.world.modes.unlock(AAPL, "G20")
    office.world.modes.halt("window", "stop")
    assert office.approve(name).code == "MODE"
    assert office.sent == []


async def test_a_shown_check_older_than_two_minutes_is_made_again() -> None:
    office = await Office().open()
    name = office.suggest()
    before = office.desk._cases.open[name].case.checked_ns
    office.world.clock.advance(120)
    office.desk.show(GetSuggestion(suggestion_id=name))
    assert office.desk._cases.open[name].case.checked_ns == before
    office.world.clock.advance(1)
    office.desk.show(GetSuggestion(suggestion_id=name))
    assert office.desk._cases.open[name].case.checked_ns == office.world.clock.now()


fields = st.sampled_from(
    ["quantity", "entry", "stop", "target", "strategy", "invalidation", "expires_ns", "probability"]
)


@given(field=fields)
async def test_any_other_displayed_field_makes_another_hash(field: str) -> None:
    office = await Office().open()
    first = office.suggest(id=SuggestionId("a"))
    base = office.desk.hash_of(first)
    change: dict[str, Any] = {
        "quantity": d(11),
        "entry": d("100.01"),
        "stop": d("97.99"),
        "target": d("104.01"),
        "strategy": "other",
        "invalidation": "x",
        "expires_ns": office.world.clock.now() + 1_000_000_000,
        "probability": 0.6,
    }
    other = await Office().open()
    assert other.desk.hash_of(other.suggest(id=SuggestionId("a"), decision_id="d1")) == base
    third = await Office().open()
    name = third.suggest(id=SuggestionId("a"), decision_id="d1", **{field: change[field]})
    assert third.desk.hash_of(name) != base


# --- expiry


async def test_a_suggestion_expires_by_its_own_clock_and_cannot_be_approved_then() -> None:
    office = await Office().open()
    name = office.suggest()
    shown = office.desk.hash_of(name)
    office.world.clock.advance(600)
    assert office.world.of(ApprovalExpired)[-1].suggestion_id == name
    assert office.approve(name, approval_hash=shown).code == "EXPIRED"
    assert office.sent == []


async def test_expiry_is_enforced_by_the_desk_even_when_no_timer_ran() -> None:
    office = await Office().open()
    name = office.suggest()
    office.world.clock._now += 600 * 10**9
    assert office.approve(name).code == "EXPIRED"
    assert office.sent == []


async def test_what_expired_while_the_program_was_off_expires_at_start() -> None:
    office = await Office().open()
    name = office.suggest()
    office.world.clock._now += 700 * 10**9
    after = await office.restarted()
    assert after.desk.state(name) is S.EXPIRED
    assert after.approve(name).code == "EXPIRED"


async def test_a_suggestion_that_comes_in_expired_is_not_asked() -> None:
    office = await Office().open()
    office.suggest(expires_ns=office.world.clock.now())
    assert office.world.of(ApprovalAsked) == []


# --- edit, refuse, snooze, condition, requote, withdraw


async def test_an_edit_is_judged_again_keeps_the_difference_and_gets_a_new_hash() -> None:
    office = await Office().open()
    name = office.suggest()
    shown = office.desk.hash_of(name)
    receipt = office.desk.edit(Edit(suggestion_id=name, quantity=d(20), stop=d("97")))
    assert receipt.ok
    assert office.world.of(Edited)[-1].changes == {"quantity": ("10", "20"), "stop": ("98.00", "97")}
    assert office.approve(name, approval_hash=shown).code == "HASH"
    assert office.approve(name).ok
    assert (office.sent[0].request.quantity, office.sent[0].request.stop_loss) == (d(20), d("97"))


@pytest.mark.parametrize(
    "changes", [{"quantity": "100000"}, {"stop": "101"}, {"quantity": "NaN"}, {"quantity": "-1"}, {"entry": "0"}]
)
async def test_an_edit_the_gate_refuses_changes_nothing(changes: dict[str, str]) -> None:
    office = await Office().open()
    name = office.suggest()
    shown = office.desk.hash_of(name)
    receipt = office.desk.edit(Edit(suggestion_id=name, **{k: d(v) for k, v in changes.items()}))
    assert not receipt.ok
    assert receipt.denials
    assert office.desk.hash_of(name) == shown
    assert office.approve(name).ok
    assert office.sent[0].request.quantity == 10


async def test_a_refusal_needs_a_known_reason() -> None:
    office = await Office().open()
    name = office.suggest()
    assert office.desk.refuse(Refuse(suggestion_id=name, code="BORED")).code == "CODE"
    assert office.desk.refuse(Refuse(suggestion_id=name, code="SIZE")).ok
    assert office.world.of(Refused)[-1].code == "SIZE"
    assert office.desk.state(name) is S.REJECTED


async def test_a_snoozed_suggestion_comes_back_with_a_new_look() -> None:
    office = await Office().open()
    name = office.suggest()
    assert office.desk.snooze(Snooze(suggestion_id=name, seconds=600)).code == "EXPIRY"
    assert office.desk.snooze(Snooze(suggestion_id=name, seconds=-1)).code == "VALUES"
    assert office.desk.snooze(Snooze(suggestion_id=name, seconds=60)).ok
    assert office.world.of(Snoozed)
    assert office.desk.state(name) is S.SNOOZED
    asked = len(office.world.of(ApprovalAsked))
    office.world.clock.advance(60)
    assert office.desk.state(name) is S.PENDING
    assert len(office.world.of(ApprovalAsked)) == asked + 1
    office.world.clock.advance(600)
    assert office.desk.state(name) is S.EXPIRED


async def test_a_snooze_survives_a_restart() -> None:
    office = await Office().open()
    name = office.suggest()
    office.desk.snooze(Snooze(suggestion_id=name, seconds=60))
    after = await office.restarted()
    assert after.desk.state(name) is S.SNOOZED
    after.world.clock.advance(60)
    assert after.desk.state(name) is S.PENDING


def condition(office: Office, name: SuggestionId, price: str = "99.50", seconds: float = 300) -> Any:
    shown = office.desk.hash_of(name)
    return office.desk.approve_if(
        ApproveIf(suggestion_id=name, price=d(price), seconds=seconds, approval_hash=shown, by="window")
    )


async def test_a_conditional_approval_is_sent_at_the_price_or_better_and_only_once() -> None:
    office = await Office().open()
    name = office.suggest()
    assert condition(office, name).ok
    office.tick(99.60, 99.62)
    assert office.sent == []
    office.world.clock.advance(2)
    office.tick(99.48, 99.50)
    office.tick(99.40, 99.42)
    (order,) = office.sent
    assert order.request.limit_price == d("99.50")
    assert office.world.of(Approved)[-1].by == "window"
    assert not office.world.failures


async def test_a_condition_that_is_not_met_in_time_is_asked_again() -> None:
    office = await Office().open()
    name = office.suggest()
    condition(office, name, seconds=60)
    office.world.clock.advance(60)
    assert office.desk.state(name) is S.PENDING
    office.tick(99.40, 99.42)
    assert office.sent == []


async def test_a_condition_survives_a_restart() -> None:
    office = await Office().open()
    name = office.suggest()
    condition(office, name)
    after = await office.restarted()
    after.tick(99.48, 99.50)
    assert len(after.sent) == 1


async def test_a_condition_whose_book_changed_is_asked_again_instead_of_sent() -> None:
    office = await Office().open()
    name = office.suggest()
    condition(office, name)
    office.world.ledger.hold(AAPL, 5)
    office.tick(99.48, 99.50)
    assert office.sent == []
    assert office.desk.state(name) is S.PENDING


@pytest.mark.parametrize(
    ("price", "seconds"), [("97", 60), ("105", 60), ("-1", 60), ("NaN", 60), ("99.5", 0), ("99.5", float("nan"))]
)
async def test_a_condition_that_makes_no_sense_is_refused(price: str, seconds: float) -> None:
    office = await Office().open()
    name = office.suggest()
    assert not condition(office, name, price, seconds).ok
    assert office.desk.state(name) is S.PENDING


@pytest.mark.parametrize(
    ("bid", "ask"), [(float("nan"), float("nan")), (99.0, float("nan")), (99.0, 0.0), (99.0, -1.0)]
)
async def test_a_nasty_quote_never_meets_a_condition(bid: float, ask: float) -> None:
    office = await Office().open()
    condition(office, office.suggest())
    office.tick(bid, ask)
    assert office.sent == []


async def test_a_requote_moves_all_prices_with_the_market_and_asks_again() -> None:
    office = await Office().open()
    name = office.suggest()
    office.tick(102.99, 103.01)
    assert office.approve(name).code == "DRIFT"
    assert office.desk.requote(Requote(suggestion_id=name)).ok
    suggestion = office.desk.suggestion(name)
    assert suggestion is not None
    assert (suggestion.entry, suggestion.stop, suggestion.target) == (d("103.00"), d("101.00"), d("107.00"))
    assert office.approve(name).ok


async def test_a_withdrawn_and_a_superseded_suggestion_cannot_be_approved() -> None:
    office = await Office().open()
    first, second = office.suggest(), office.suggest()
    now = office.world.clock.now()
    shown = {name: office.desk.hash_of(name) for name in (first, second)}
    publish = office.world.bus.publish
    publish(SuggestionWithdrawn(ts_event=now, ts_init=now, id=first, symbol=AAPL, reason="news"))
    publish(SuggestionSuperseded(ts_event=now, ts_init=now, id=second, symbol=AAPL, by=SuggestionId("s9")))
    assert office.approve(first, approval_hash=shown[first]).code == "WITHDRAWN"
    assert office.approve(second, approval_hash=shown[second]).code == "SUPERSEDED"
    assert office.sent == []


async def test_an_unknown_suggestion_is_answered_plainly() -> None:
    office = await Office().open()
    name = SuggestionId("nope")
    answers = [
        office.approve(name),
        office.desk.edit(Edit(suggestion_id=name)),
        office.desk.refuse(Refuse(suggestion_id=name, code="SIZE")),
        office.desk.snooze(Snooze(suggestion_id=name, seconds=1)),
        office.desk.requote(Requote(suggestion_id=name)),
        office.desk.show(GetSuggestion(suggestion_id=name)),
    ]
    assert {answer.code for answer in answers} == {"UNKNOWN"}


async def test_show_has_everything_the_window_needs() -> None:
    office = await Office().open()
    data = office.desk.show(GetSuggestion(suggestion_id=office.suggest())).data
    assert set(data) == {"suggestion", "verdict", "state", "approval_hash", "drift", "reason"}


# --- suggestions that reduce


async def test_a_suggestion_that_reduces_passes_locks_and_limits_and_never_crosses_zero() -> None:
    office = await Office(World(mode=Mode.REDUCE_ONLY, settings=limits(restricted_list=["AAPL"]))).open()
    office.world.ledger.hold(AAPL, 50)
    office.world.modes.lock(AAPL, "G19", "losses")
    name = office.suggest(side=Side.SELL, quantity=d(80), reduces=True, stop=d(101), target=d(90))
    assert office.approve(name).ok
    (order,) = office.sent
    assert order.request.quantity == 50
    assert order.request.reduce_only
    assert order.request.order_type is OrderType.LIMIT  # marketable
    assert order.legs == ()


async def test_a_suggestion_that_reduces_nothing_is_denied() -> None:
    office = await Office().open()
    office.suggest(side=Side.SELL, reduces=True, stop=d(101), target=d(90))
    assert "G28" in [denial.code for denial in office.world.of(RiskDenied)[-1].denials]


# --- autonomy


@pytest.mark.parametrize(
    ("autonomy", "mode", "sent", "asked"),
    [
        (Autonomy.OBSERVE, Mode.AUTO, 0, 0),
        (Autonomy.SUGGEST, Mode.AUTO, 0, 0),
        (Autonomy.ASK, Mode.AUTO, 0, 1),
        (Autonomy.ASK_ABOVE_LIMITS, Mode.AUTO, 1, 0),
        (Autonomy.AUTO, Mode.AUTO, 1, 0),
        (Autonomy.AUTO, Mode.MANUAL, 0, 1),
        (Autonomy.ASK_ABOVE_LIMITS, Mode.MANUAL, 0, 1),
        (Autonomy.AUTO, Mode.HALTED, 0, 0),
    ],
)
async def test_each_level_of_autonomy_does_what_it_says(autonomy: Autonomy, mode: Mode, sent: int, asked: int) -> None:
    office = await Office(World(mode=mode), autonomy=autonomy).open()
    office.suggest()
    assert (len(office.sent), len(office.world.of(ApprovalAsked))) == (sent, asked)


async def test_what_comes_while_the_agent_only_observes_is_denied_for_everybody_who_listens() -> None:
    office = Office(World(mode=Mode.AUTO), autonomy=Autonomy.OBSERVE)
    board = Board(office.world.bus, office.world.clock, office.world.store)
    await board.start()
    await office.open()
    name = office.suggest()
    assert board.state(name) is SuggestionState.DENIED
    assert board.opened() == []
    assert office.world.of(RiskDenied)[-1].denials[0].code == "OBSERVE"


async def test_the_agents_order_says_so_and_lives_five_minutes() -> None:
    office = await auto().open()
    office.suggest()
    assert office.sent[0].request.origin is Origin.AUTO
    assert office.world.of(Approved)[-1].by == "agent"


async def test_above_the_small_limits_a_person_is_asked_and_says_why() -> None:
    office = await auto(Autonomy.ASK_ABOVE_LIMITS).open()
    office.suggest(quantity=d(101))
    assert office.sent == []
    assert "1.01 % of equity" in office.world.of(ApprovalAsked)[-1].reason
    office.suggest(quantity=d(100), entry=d("100"), stop=d("89.99"), target=d("130"))
    assert office.sent == []
    assert "stop risks" in office.world.of(ApprovalAsked)[-1].reason


async def test_what_only_the_agent_may_not_is_asked_at_ask_above_and_denied_at_auto() -> None:
    for autonomy, asked in ((Autonomy.ASK_ABOVE_LIMITS, 1), (Autonomy.AUTO, 0)):
        office = auto(autonomy)
        office.world.vitals.change(slow_commits=3)
        await office.open()
        office.suggest()
        assert office.sent == []
        assert len(office.world.of(ApprovalAsked)) == asked


async def test_g22_the_agent_does_not_act_on_an_old_decision() -> None:
    office = await auto().open()
    now = office.world.clock.now()
    office.suggest(made_ns=now - 300 * 10**9)
    assert len(office.sent) == 1
    office.world.clock.advance(1)
    office.suggest(
        symbol=MSFT, entry=d(400), stop=d(390), target=d(420), reference_price=400.0, made_ns=now - 300 * 10**9
    )
    assert len(office.sent) == 1
    assert "301 seconds old" in office.world.of(ApprovalAsked)[-1].reason


# --- mandate


def sign(office: Office, by: str = "window", pin: str = "", **caps: Any) -> Any:
    fields: dict[str, Any] = {"max_order": d(1000), "max_day": d(1500), "max_orders": 5}
    return office.mandates.sign(Mandate(**{**fields, **caps}), by, pin)


async def test_with_real_money_the_agent_asks_until_a_mandate_is_signed() -> None:
    office = await auto(book=Book.LIVE, settings=limits(what_if="full_value")).open()
    office.world.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    office.suggest()
    assert office.sent == []
    assert office.world.of(ApprovalAsked)[-1].reason == "No mandate is signed."
    assert "set one first" in sign(office).text
    office.world.pin.set("4711")
    assert sign(office, pin="4711").ok
    office.suggest(quantity=d(5))
    assert len(office.sent) == 1


async def test_the_mandate_bounds_order_day_count_and_universe() -> None:
    office = await auto().open()
    assert sign(office, universe=(AAPL, MSFT)).ok
    beyond = office.mandates.beyond
    date = "2026-03-02"
    assert beyond(AAPL, d(1000), date) is None
    assert "allows 1,000" in str(beyond(AAPL, d("1000.01"), date))
    assert "not in the mandate" in str(beyond(SuggestionId("XOM"), d(1), date))  # type: ignore[arg-type]
    office.suggest()
    assert len(office.sent) == 1
    assert "a day are used" in str(beyond(MSFT, d(501), date))
    for _ in range(4):
        office.mandates.use(d(1), date)
    assert "5 orders a day" in str(beyond(MSFT, d(1), date))
    assert beyond(MSFT, d(1000), "2026-03-03") is None


async def test_the_mandate_is_a_persons_needs_the_pin_and_ends() -> None:
    office = await auto().open()
    assert sign(office, by="agent").code == "PERSON"
    office.world.pin.set("4711")
    assert sign(office).code == "PIN"
    assert office.mandates.sign(Mandate(max_order=d(1), max_day=d(1), max_orders=1), "window", "4711").ok
    office.world.clock.advance_to(office.world.clock.now() + 30 * 86_400 * 10**9)
    assert "sign a new one" in str(office.mandates.beyond(AAPL, d(1), "x"))


@pytest.mark.parametrize("caps", [{"max_order": d(0)}, {"max_day": d("NaN")}, {"max_orders": -1}])
async def test_a_mandate_without_sound_caps_is_refused(caps: dict[str, Any]) -> None:
    assert sign(await auto().open(), **caps).code == "MANDATE"


async def test_a_mandate_that_was_changed_after_signing_is_void() -> None:
    office = await auto().open()
    sign(office)
    text = office.world.store.values["approval.mandate"]
    office.world.store.values["approval.mandate"] = text.replace('"1000"', '"9000"')
    after = await office.restarted()
    assert "changed after it was signed" in str(after.mandates.beyond(AAPL, d(1), "x"))


async def test_anyone_ends_the_mandate() -> None:
    office = await auto(book=Book.LIVE).open()
    sign(office)
    assert office.mandates.revoke("engine").ok
    assert "No mandate" in str(office.mandates.beyond(AAPL, d(1), "x"))
    assert office.mandates.revoke("engine").text == "No mandate is signed."


# --- any order of answers


@given(
    steps=st.lists(
        st.sampled_from(["approve", "refuse", "snooze", "edit", "requote", "condition", "tick", "wait", "restart"]),
        min_size=1,
        max_size=12,
    )
)
async def test_whatever_is_answered_in_whatever_order_there_is_at_most_one_order(steps: list[str]) -> None:
    office = await Office().open()
    name = office.suggest()
    prices = itertools.cycle((99.9, 99.49, 100.2))
    for step in steps:
        if step == "approve":
            office.approve(name)
        elif step == "refuse":
            office.desk.refuse(Refuse(suggestion_id=name, code="SIZE"))
        elif step == "snooze":
            office.desk.snooze(Snooze(suggestion_id=name, seconds=30))
        elif step == "edit":
            office.desk.edit(Edit(suggestion_id=name, quantity=d(11)))
        elif step == "requote":
            office.desk.requote(Requote(suggestion_id=name))
        elif step == "condition":
            condition(office, name)
        elif step == "tick":
            price = next(prices)
            office.tick(price - 0.01, price + 0.01)
        elif step == "wait":
            office.world.clock.advance(45)
        else:
            office = await office.restarted()
        assert len(office.sent) <= 1
        assert not office.world.failures
    state = office.desk.state(name)
    assert state is not None
    assert (state is S.SENT) == (len(office.sent) == 1)
