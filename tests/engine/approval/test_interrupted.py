"""What waits for its turn while a person, its maker or the disk comes in between: it is theirs, over, or told."""

import pytest

from engine.api.commands import ApproveIf, Edit, Snooze
from engine.approval.case import Case, Live
from engine.approval.policy import Action, decide
from engine.approval.turns import EVERY_S, Turns
from engine.model.decision import Autonomy, Denial, Mode, Verdict
from engine.model.events.decision import ApprovalAsked, ApprovalExpired, RiskDenied
from engine.model.events.thought import SuggestionWithdrawn
from engine.model.ids import SuggestionId, Symbol
from engine.model.market import Side
from engine.model.suggestion import SuggestionState
from engine.suggestion.board import Board
from tests.engine.approval.office import Office
from tests.engine.approval.test_turns import add, age, busy, many
from tests.engine.risk.world import AAPL, World, d

S = SuggestionState


async def waiting() -> tuple[Office, SuggestionId]:
    """One is sent, the other waits for the message rate."""
    office = await busy()
    _, name = many(office, 2)
    assert len(office.sent) == 1
    assert office.desk.state(name) is S.DRAFT
    return office, name


# --- the disk


async def test_what_the_agent_cannot_record_is_denied_for_everybody_who_listens_and_blocks_no_later_exit() -> None:
    office = Office(World(mode=Mode.AUTO), autonomy=Autonomy.AUTO)
    board = Board(office.world.bus, office.world.clock, office.world.store)
    await board.start()
    await office.open()
    office.world.ledger.hold(AAPL, 10)
    office.world.store.broken = True
    name = office.suggest(side=Side.SELL, reduces=True, stop=d(101), target=d(90))
    assert not office.sent
    (denied,) = [event for event in office.world.of(RiskDenied) if event.suggestion_id == name]
    assert [denial.code for denial in denied.denials] == ["JOURNAL"]
    assert board.state(name) is S.DENIED
    assert board.open_for(AAPL) == []
    assert office.desk.state(name) is S.DENIED


async def test_a_question_that_cannot_be_kept_is_denied_and_told_instead_of_asked() -> None:
    office = await Office().open()
    office.world.store.broken = True
    name = office.suggest()
    assert [event.denials[0].code for event in office.world.of(RiskDenied)] == ["JOURNAL"]
    assert not office.world.of(ApprovalAsked)
    assert office.desk.open() == ()
    assert office.desk.state(name) is S.DENIED


async def test_what_waits_expires_also_where_that_cannot_be_recorded() -> None:
    office, name = await waiting()
    for _ in range(700):
        office.world.gate.note_message()
        office.world.gate.note_message()
        office.world.clock.advance(0.9)
        office.world.store.broken = True
    assert office.desk.state(name) is S.EXPIRED
    assert [event.suggestion_id for event in office.world.of(ApprovalExpired)] == [name]


async def test_what_was_withdrawn_is_never_sent_also_where_that_cannot_be_recorded() -> None:
    office, name = await waiting()
    now = office.world.clock.now()
    office.world.store.broken = True
    office.world.bus.publish(SuggestionWithdrawn(ts_event=now, ts_init=now, id=name, symbol=AAPL, reason="exit rule"))
    office.world.store.broken = False
    office.world.clock.advance(10)
    assert len(office.sent) == 1
    assert office.desk.state(name) is S.WITHDRAWN


# --- a person


async def test_what_a_person_put_aside_while_it_waited_is_not_sent_by_the_agent() -> None:
    office, name = await waiting()
    assert office.desk.snooze(Snooze(suggestion_id=name, seconds=60)).ok
    office.world.clock.advance(30)
    assert len(office.sent) == 1
    assert office.desk.state(name) is S.SNOOZED
    office.world.clock.advance(31)
    assert len(office.sent) == 1
    assert office.desk.state(name) is S.PENDING


async def test_what_a_person_changed_while_it_waited_is_theirs_to_approve() -> None:
    office = await busy()
    add(office, "OLD")
    age(office, "OLD", 4)
    name = office.suggest(symbol=Symbol("OLD"))
    assert office.desk.edit(Edit(suggestion_id=name, quantity=d(5))).ok
    office.world.market.set(Symbol("OLD"), 100.0)
    office.world.clock.advance(2)
    assert not office.sent
    assert office.desk.state(name) is S.PENDING
    assert office.approve(name).ok
    assert office.sent[0].request.quantity == 5


async def test_what_a_person_named_a_price_for_while_it_waited_waits_for_that_price() -> None:
    office, name = await waiting()
    command = ApproveIf(suggestion_id=name, approval_hash=office.desk.hash_of(name), price=d("99.50"), seconds=300)
    assert office.desk.approve_if(command).ok
    office.world.clock.advance(30)
    assert len(office.sent) == 1
    assert office.desk.state(name) is S.CONDITIONAL


# --- the queue and the policy


async def test_where_one_look_fails_the_others_keep_their_places() -> None:
    office = Office()
    asked: list[str] = []

    def take(live: Live) -> None:
        asked.append(live.case.suggestion.id)
        if len(asked) == 1:
            raise RuntimeError("a fault")

    turns = Turns(office.world.clock, take)
    for _ in range(3):
        turns.wait(Live(case=Case(suggestion=office.suggestion()), timers=[]), (Denial(code="G8", text="x"),))
    with pytest.raises(RuntimeError):
        office.world.clock.advance(EVERY_S)
    assert len(turns) == 2
    office.world.clock.advance(EVERY_S)
    assert asked == ["s1", "s2", "s3"]


@pytest.mark.parametrize(
    ("codes", "action"),
    [
        ((("WHATIF", True), ("G7", False)), Action.WAIT),
        ((("G8", True), ("G33", False)), Action.WAIT),
        ((("WHATIF", True), ("G3", True)), Action.DENY),
        ((("G7", False),), Action.ASK),
    ],
)
def test_what_only_needs_a_confirmation_does_not_deny_what_passes_by_itself(
    codes: tuple[tuple[str, bool], ...], action: Action
) -> None:
    denials = tuple(Denial(code=code, text=code, hard=hard) for code, hard in codes)
    verdict = Verdict(request=Office().world.request(), denials=denials)
    assert decide(Autonomy.ASK, Mode.MANUAL, person=verdict, agent=None, beyond=None).action is action
