"""What follows from agreeing, or not agreeing, with the broker: modes, locks, and what is said."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from engine.bus.errors import JournalError
from engine.model.decision import Mode
from engine.model.events.book import AccountChanged, Reconciled
from engine.model.events.system import Alarm
from engine.model.market import Session, Side
from engine.model.report import BrokerStatus, LinkReport, LinkState
from tests.support.desk_rig import Rig


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    built = await Rig(tmp_path).start()
    built.events.clear()
    yield built
    await built.close()


def alarms(rig: Rig, code: str) -> list[Alarm]:
    return [event for event in rig.events if isinstance(event, Alarm) and event.code == code]


async def test_a_lost_link_lowers_the_mode_and_says_how_many_orders_are_in_doubt(rig: Rig) -> None:
    rig.modes.mode = Mode.AUTO
    for symbol in ("AAPL", "MSFT"):
        rig.submit(rig.request(symbol))
    claimed = rig.submit(rig.request("NVDA"))
    rig.broker.say_status(claimed, BrokerStatus.CANCELLED)
    rig.broker.say_link(LinkState.DEGRADED, 1100)
    assert [alarm.happened for alarm in alarms(rig, "LINK")] == ["Broker link lost (1100). 2 orders unconfirmed."]
    assert rig.modes.mode is Mode.MANUAL
    assert not rig.desk.synced
    rig.broker.say_link(LinkState.DOWN)
    assert len(alarms(rig, "LINK")) == 1, "from broken to gone is not news"


async def test_the_reason_of_a_lost_link_is_its_text_its_code_or_its_state(rig: Rig) -> None:
    rig.desk.on_report(LinkReport(ts_event=1, ts_seen=1, state=LinkState.DOWN, text="reset"))
    assert alarms(rig, "LINK")[-1].happened.startswith("Broker link lost (reset)")
    rig.broker.say_link(LinkState.UP)
    rig.broker.say_link(LinkState.DOWN)
    assert alarms(rig, "LINK")[-1].happened.startswith("Broker link lost (down)")


async def test_a_link_that_is_back_is_said_when_orders_and_positions_agree_and_only_then(rig: Rig) -> None:
    rig.broker.say_link(LinkState.DOWN)
    rig.broker.faults.missing = {"positions"}
    rig.broker.say_link(LinkState.UP)
    rig.events.clear()
    rig.clock.advance(20)
    assert not alarms(rig, "LINK")
    assert alarms(rig, "SYNC")[0].happened == "Could not read positions from the broker."
    assert rig.modes.mode is Mode.HALTED
    rig.broker.faults.missing = set()
    rig.clock.advance(20)
    for code in ("LINK", "SYNC"):
        assert [alarm.cleared for alarm in alarms(rig, code)][-1] is True
    said = len(alarms(rig, "LINK"))
    rig.clock.advance(60)
    assert len(alarms(rig, "LINK")) == said, "said once"


async def test_a_hole_after_the_first_agreement_is_not_a_reason_to_halt(rig: Rig) -> None:
    rig.broker.faults.missing = {"positions"}
    rig.clock.advance(60)
    assert rig.modes.mode is Mode.AUTO
    assert not alarms(rig, "SYNC")


async def test_the_report_of_a_round_says_what_was_compared(rig: Rig) -> None:
    rig.submit()
    filled = rig.submit(rig.request("MSFT"))
    rig.broker.fill(rig.broker.truth(filled), 100, "100", tell=False)
    rig.events.clear()
    rig.clock.advance(16)
    first = next(event for event in rig.events if isinstance(event, Reconciled))
    assert (first.orders, first.positions, first.complete, first.missing) == (1, 1, True, ())
    assert first.changes > 0
    rig.events.clear()
    rig.broker.faults.missing = {"executions"}
    rig.clock.advance(16)
    second = next(event for event in rig.events if isinstance(event, Reconciled))
    assert (second.changes, second.complete, second.missing) == (0, False, ("executions",))


async def test_account_values_ride_with_a_round(rig: Rig) -> None:
    rig.broker.cash = Decimal(77)
    rig.clock.advance(16)
    assert rig.ledger.account().cash == {"USD": 77}
    assert [event for event in rig.events if isinstance(event, AccountChanged)]


async def test_orders_that_the_journal_did_not_know_end_auto_and_are_counted(rig: Rig) -> None:
    known = rig.submit()
    rig.back_up()
    rig.submit(rig.request("MSFT"))
    rig.die()
    rig.bring_back()
    await rig.restart(Mode.AUTO)
    rig.clock.advance(5)
    assert [alarm.happened.split(" ")[0] for alarm in alarms(rig, "ADOPTED")] == ["1"]
    assert rig.modes.mode is Mode.MANUAL
    assert known in rig.desk.orders()


async def test_a_count_of_references_that_cannot_be_kept_halts(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(ref: str) -> None:
        raise JournalError("full")

    rig.back_up()
    rig.submit()
    rig.die()
    rig.bring_back()
    rig._build(Mode.AUTO)
    monkeypatch.setattr(rig.references, "saw", full)
    await rig.start()
    rig.clock.advance(5)
    assert rig.modes.mode is Mode.HALTED


async def test_the_book_is_not_opened_from_a_picture_with_a_hole(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.broker.by_hand("AAPL", 70)
    rig.broker.faults.missing = {"account"}
    await rig.start()
    assert not rig.ledger.positions()
    rig.broker.faults.missing = set()
    rig.clock.advance(30)
    assert rig.ledger.positions()["AAPL"].quantity == 70
    assert not rig.modes.locks
    await rig.close()


async def test_what_was_bought_elsewhere_later_is_a_drift_and_not_an_opening(rig: Rig) -> None:
    rig.broker.by_hand("AAPL", 70)
    rig.clock.advance(30)
    assert not rig.ledger.positions()
    assert ("AAPL", "DRIFT") in rig.modes.locks
    rig.broker.by_hand("AAPL", -70)
    rig.events.clear()
    rig.clock.advance(30)
    assert [alarm.cleared for alarm in alarms(rig, "DRIFT:AAPL")] == [True]


async def test_a_drift_is_not_judged_while_executions_cannot_be_read(rig: Rig) -> None:
    rig.broker.by_hand("AAPL", 70)
    rig.clock.advance(30)
    for hole in ("executions", "positions"):
        rig.broker.faults.missing = {hole}
        rig.clock.advance(30)
        assert ("AAPL", "DRIFT") in rig.modes.locks


async def test_absence_before_the_program_began_does_not_count(rig: Rig) -> None:
    rig.broker.faults.swallow = True
    rig.broker.faults.lose = {"EchoReport", "StatusReport"}
    ref = rig.submit()
    rig.clock.advance(11)
    assert rig.state(ref) == "UNKNOWN"
    rig.clock.advance(9)
    assert rig.state(ref) == "UNKNOWN", "two rounds, but not ten seconds apart"
    rig.clock.advance(30)
    assert rig.state(ref) == "NOT_AT_BROKER"


async def test_without_a_calendar_an_absent_order_stays_unknown(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(symbol: str, at_ns: int) -> Session | None:
        return None

    monkeypatch.setattr(rig.market, "session", closed)
    rig.broker.faults.swallow = True
    ref = rig.submit()
    rig.clock.advance(120)
    assert rig.state(ref) == "UNKNOWN"


async def test_a_stop_that_was_not_finished_is_finished_by_the_next_round(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.faults.silent_cancel = True
    rig.stop_switch.stop("person", "enough")
    rig.clock.advance(30)
    rig.broker.faults.silent_cancel = False
    rig.clock.advance(60)
    assert rig.state(ref) == "CANCELLED"


async def test_nothing_leaves_when_the_link_is_down_at_the_start(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.broker.link = LinkState.DOWN
    await rig.start()
    assert rig.desk.link is LinkState.DOWN
    assert not rig.desk.synced
    status = rig.desk.submit(rig.cleared())
    assert status.reason == "LINK: the broker link is down"
    assert not rig.broker.wire
    await rig.close()


@pytest.mark.parametrize("born", ["before", "with the link up"])
async def test_absence_counts_from_the_return_of_the_link_only(rig: Rig, born: str) -> None:
    """Seen nowhere once before a break and once after is not seen nowhere twice: it may have been under way."""
    rig.broker.faults.swallow = True
    rig.broker.faults.lose = {"EchoReport", "StatusReport"}
    ref = rig.submit()
    rig.clock.advance(11)
    assert rig.state(ref) == "UNKNOWN"
    if born == "before":
        rig.broker.say_link(LinkState.DOWN)
        rig.clock.advance(60)
        rig.broker.say_link(LinkState.UP)
        rig.clock.advance(1)
    else:
        rig.die()
        await rig.restart(rig.modes.mode)
        rig.clock.advance(1)
    record = rig.desk._records.by_ref[ref]
    assert (record.state.value, record.absent_rounds) == ("UNKNOWN", 1)
    assert record.absent_since_ns >= rig.clock.now() - 2 * 10**9
    rig.clock.advance(40)
    assert rig.state(ref) == "NOT_AT_BROKER"


async def test_a_lost_link_ends_auto_also_while_no_order_is_at_work(rig: Rig) -> None:
    rig.modes.mode = Mode.AUTO
    rig.broker.say_link(LinkState.DOWN)
    assert rig.modes.mode is Mode.MANUAL


async def test_hanging_up_ourselves_is_no_lost_link(rig: Rig) -> None:
    await rig.desk.stop()
    rig.desk.on_report(LinkReport(ts_event=1, ts_seen=1, state=LinkState.DOWN, text="stopped"))
    assert not alarms(rig, "LINK")
    assert not rig.desk.synced


async def test_a_broker_that_never_answered_is_told_once_until_it_has(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.broker.link = LinkState.DOWN
    await rig.start()
    assert rig.desk.reconciled_ns == 0
    for _ in range(2):
        rig.desk.on_report(LinkReport(ts_event=1, ts_seen=1, state=LinkState.DOWN, text="connection refused"))
    told = [(alarm.severity, alarm.happened) for alarm in alarms(rig, "LINK")]
    assert told == [("red", "The broker does not answer: connection refused")]
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(20)
    assert [alarm.cleared for alarm in alarms(rig, "LINK")] == [False, True]
    await rig.close()


async def test_a_cancel_that_was_lost_with_the_link_is_asked_again_with_the_first_agreement(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.faults.silent_cancel = True
    rig.desk.cancel(ref, "person")
    rig.broker.say_link(LinkState.DOWN)
    rig.broker.faults.silent_cancel = False
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(2)
    assert rig.broker.cancel_frames[ref] == 2
    assert rig.state(ref) in ("CANCELLED", "CLAIM_CANCELLED")


async def test_a_difference_is_known_with_both_sides_to_whoever_may_take_it_over(rig: Rig) -> None:
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    assert [(d.symbol, d.ours, d.theirs) for d in rig.desk.adoption.differences] == [("AAPL", 0, 50)]


async def test_what_was_held_at_the_start_and_cannot_be_recorded_is_an_alarm(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*what: object) -> None:
        raise JournalError("full")

    monkeypatch.setattr(rig.ledger, "adopt_opening", full)
    rig.broker.say_link(LinkState.DOWN)
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(16)
    told = alarms(rig, "OPENING")
    assert told[0].happened == "The positions held at the start could not be recorded: full."


async def test_account_values_are_compared_only_with_executions_beside_them(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bool] = []
    monkeypatch.setattr(rig.ledger, "on_account", lambda account, compared: heard.append(compared))
    rig.clock.advance(16)
    assert set(heard) == {True}
    heard.clear()
    rig.broker.faults.missing = {"executions"}
    rig.clock.advance(16)
    assert set(heard) == {False}


async def test_a_picture_that_took_its_time_does_not_contradict_what_was_heard_meanwhile(rig: Rig) -> None:
    ref = rig.submit()
    rig.clock.advance(30)
    rig.broker.say_status(ref, BrokerStatus.CANCELLED)
    picture = rig.broker.picture()
    assert rig.state(ref) == "CLAIM_CANCELLED"
    rig.desk.reconcile(picture)
    assert rig.state(ref) == "CLAIM_CANCELLED"
    rig.clock.advance(0.001)
    rig.desk.reconcile(rig.broker.picture())
    assert rig.state(ref) == "CLAIM_CANCELLED", "the grace is more than a thousandth of a second"


async def test_a_picture_of_this_very_instant_is_believed_at_once(rig: Rig) -> None:
    ref = rig.submit()
    rig.clock.advance(30)
    rig.broker.say_status(ref, BrokerStatus.CANCELLED)
    rig.desk.reconcile(rig.broker.picture(), exact=True)
    assert rig.state(ref) == "WORKING"


async def test_settled_orders_that_cannot_be_read_are_a_comparison_that_failed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(ref: str) -> None:
        raise JournalError("damaged")

    rig.broker.foreign_order("MSFT", Side.BUY, 5, "50")
    rig.broker.say_link(LinkState.DOWN)
    monkeypatch.setattr(rig.desk._records, "recall", damaged)
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(16)
    assert rig.modes.mode is Mode.HALTED
    assert alarms(rig, "SYNC")[0].happened == "Could not read orders and positions: damaged."
    assert not rig.desk.synced


async def test_a_claim_too_young_for_a_picture_is_looked_at_as_soon_as_its_grace_is_over(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = rig.submit()
    rig.clock.advance(30)
    asked: list[float] = []
    rounds = rig.desk._agreement._rounds
    monkeypatch.setattr(rounds, "request", lambda after_s=0.0: asked.append(after_s))
    rig.desk.reconcile(rig.broker.picture())
    assert asked == []
    rig.broker.say_status(ref, BrokerStatus.CANCELLED)
    asked.clear()
    rig.clock.advance(0.25)
    rig.desk.reconcile(rig.broker.picture())
    assert asked == [0.75]
    rig.clock.advance(0.75)
    asked.clear()
    rig.desk.reconcile(rig.broker.picture())
    assert rig.state(ref) == "WORKING", "the broker shows it open, so the claim was false"
    assert asked == []


async def test_a_round_that_is_wished_for_later_comes_then(rig: Rig) -> None:
    rig.clock.advance(15.01)
    before = rig.desk.reconciled_ns
    rig.desk._agreement._rounds.request(3.0)
    rig.clock.advance(2.9)
    assert rig.desk.reconciled_ns == before
    rig.clock.advance(0.2)
    assert rig.desk.reconciled_ns > before
