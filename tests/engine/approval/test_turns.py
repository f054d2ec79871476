"""The agent's suggestions wait for their turn instead of being lost when many come at once."""

import msgspec
import pytest

from engine.api.commands import Refuse
from engine.approval.turns import QUOTE_S
from engine.bus.clock import SECOND
from engine.model.broker import WhatIf
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.decision import ApprovalAsked, ApprovalExpired, Edited, RiskDenied
from engine.model.ids import SourceId, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Side
from engine.model.score import Forecast
from engine.model.suggestion import SuggestionState
from tests.engine.approval.office import Office
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, World, d, limits


def many(office: Office, n: int) -> list[str]:
    names = []
    for k in range(n):
        add(office, f"T{k}")
        names.append(office.suggest(symbol=Symbol(f"T{k}")))
    return names


def add(office: Office, name: str) -> None:
    symbol = Symbol(name)
    office.world.market.instruments[symbol] = Instrument(symbol=symbol, sector=f"sector of {name}", adv20=1e7)
    office.world.market.set(symbol, 100.0)


def age(office: Office, symbol: str, seconds: float) -> None:
    """From now on quotes are as old as they are; one of them is older."""
    market, at = office.world.market, office.world.clock.now() - round(seconds * SECOND)
    market.fresh = False
    market.quotes[Symbol(symbol)] = msgspec.structs.replace(market.quotes[Symbol(symbol)], ts_event=at, ts_seen=at)


async def busy(autonomy: Autonomy = Autonomy.AUTO, **world_of: bool) -> Office:
    world = wide({"positions": 1000, "open_orders": 1000, "orders_per_day": 1000}, world=world_of)
    assert world.modes.mode is Mode.AUTO
    return await Office(world, autonomy=autonomy).open()


async def test_a_burst_of_brackets_is_sent_one_a_second_and_in_order() -> None:
    office = await busy()
    many(office, 5)
    for second in range(5):
        assert [order.request.symbol for order in office.sent] == [f"T{k}" for k in range(second + 1)]
        office.world.clock.advance(1)
    assert len(office.sent) == 5
    assert office.world.of(RiskDenied) == []
    assert not office.world.failures


async def test_where_a_bracket_is_one_message_two_go_in_a_second() -> None:
    office = await busy(brackets_in_one=True)
    many(office, 10)
    for second in range(5):
        assert len(office.sent) == 2 + 2 * second
        office.world.clock.advance(1)
    assert [order.request.symbol for order in office.sent] == [f"T{k}" for k in range(10)]


async def test_what_waits_when_the_agent_is_told_to_only_observe_is_denied() -> None:
    office = await busy()
    names = many(office, 3)
    office.world.modes._autonomy = Autonomy.OBSERVE
    office.world.clock.advance(10)
    assert len(office.sent) == 1
    assert [office.desk.state(name) for name in names[1:]] == [SuggestionState.DENIED] * 2
    assert [event.denials[0].code for event in office.world.of(RiskDenied)] == ["OBSERVE"] * 2


async def test_what_would_only_be_asked_is_not_lost_to_the_message_rate_of_this_second() -> None:
    office = await busy(Autonomy.ASK)
    (first,) = many(office, 1)
    assert office.approve(first).ok
    add(office, "NEXT")
    name = office.suggest(symbol=Symbol("NEXT"))
    assert office.desk.state(name) is not SuggestionState.DENIED
    office.world.clock.advance(2)
    assert office.desk.state(name) is SuggestionState.PENDING
    assert office.world.of(ApprovalAsked)[-1].suggestion_id == name


async def test_no_more_than_thirty_messages_go_in_a_minute() -> None:
    office = await busy()
    many(office, 20)
    office.world.clock.advance(59)
    assert len(office.sent) == 10
    office.world.clock.advance(60)
    assert len(office.sent) == 20


async def test_the_strongest_that_waits_goes_first() -> None:
    office = await busy()
    many(office, 1)
    for symbol, score in (("WEAK", 0.2), ("STRONG", -0.9), ("MIDDLE", 0.5), ("SILENT", 1.0)):
        add(office, symbol)
        forecast = Forecast(
            source=SourceId("technical:x"), symbol=Symbol(symbol), horizon="day", score=score,
            abstained=symbol == "SILENT", expires_at=office.world.clock.now() + 3600 * SECOND,
        )  # fmt: skip
        office.suggest(symbol=Symbol(symbol), forecasts=(forecast,))
    office.world.clock.advance(10)
    assert [order.request.symbol for order in office.sent] == ["T0", "STRONG", "MIDDLE", "WEAK", "SILENT"]


async def test_an_old_quote_is_waited_for_and_holds_up_nobody_else() -> None:
    office = await busy()
    for symbol in ("OLD", "NEW"):
        add(office, symbol)
    age(office, "OLD", 4)
    office.suggest(symbol=Symbol("OLD"))
    office.suggest(symbol=Symbol("NEW"))
    assert [order.request.symbol for order in office.sent] == ["NEW"]
    office.world.clock.advance(2)
    assert len(office.sent) == 1
    office.world.market.set(Symbol("OLD"), 100.0)
    office.world.clock.advance(0.5)
    assert [order.request.symbol for order in office.sent] == ["NEW", "OLD"]
    assert office.world.of(RiskDenied) == []


async def test_one_that_waits_for_a_quote_lets_those_behind_it_in_the_queue_pass() -> None:
    office = await busy()
    many(office, 1)
    for symbol in ("OLD", "NEW"):
        add(office, symbol)
    age(office, "OLD", 4)
    for symbol in ("OLD", "NEW"):
        office.suggest(symbol=Symbol(symbol))
    assert len(office.sent) == 1
    office.world.clock.advance(1.1)
    assert [order.request.symbol for order in office.sent] == ["T0", "NEW"]


async def test_a_quote_that_stays_old_is_waited_for_no_longer_than_half_a_minute() -> None:
    office = await busy()
    add(office, "OLD")
    age(office, "OLD", 4)
    name = office.suggest(symbol=Symbol("OLD"))
    office.world.clock.advance(QUOTE_S)
    assert office.desk.state(name) is SuggestionState.DRAFT
    office.world.clock.advance(1)
    assert office.desk.state(name) is SuggestionState.DENIED
    assert [denial.code for denial in office.world.of(RiskDenied)[-1].denials] == ["G21"]
    assert not office.sent


async def test_time_in_which_the_rate_held_it_does_not_count_as_waiting_for_a_quote() -> None:
    office = await busy()
    many(office, 1)
    add(office, "OLD")
    age(office, "OLD", 4)
    name = office.suggest(symbol=Symbol("OLD"))
    for _ in range(int(QUOTE_S) + 2):
        office.world.gate.note_message()
        office.world.gate.note_message()
        office.world.clock.advance(0.9)
    assert office.desk.state(name) is SuggestionState.DRAFT


async def test_what_else_stands_against_it_is_no_reason_to_wait() -> None:
    office = await busy()
    many(office, 1)
    add(office, "CHEAP")
    office.world.market.set(Symbol("CHEAP"), 2.0)
    office.suggest(symbol=Symbol("CHEAP"), entry=d("2.00"), stop=d("1.90"), target=d("2.20"), reference_price=2.0)
    codes = {denial.code for denial in office.world.of(RiskDenied)[-1].denials}
    assert {"G3", "G8"} <= codes


async def test_within_its_small_limits_the_agent_waits_instead_of_asking() -> None:
    office = await busy(autonomy=Autonomy.ASK_ABOVE_LIMITS)
    many(office, 3)
    assert not office.world.of(ApprovalAsked)
    office.world.clock.advance(3)
    assert len(office.sent) == 3


async def test_what_reduces_goes_first() -> None:
    office = await busy()
    many(office, 5)
    office.world.ledger.hold(AAPL, 10)
    office.suggest(side=Side.SELL, reduces=True, stop=d(101), target=d(90))
    office.world.clock.advance(1.1)
    assert AAPL in [order.request.symbol for order in office.sent[:4]]


async def test_what_drifted_while_it_waited_is_not_sent() -> None:
    office = await busy()
    names = many(office, 3)
    office.world.market.set(Symbol("T2"), 103.0)
    office.world.clock.advance(3)
    assert len(office.sent) == 2
    assert office.world.of(RiskDenied)[-1].denials[0].code == "DRIFT"
    assert office.desk.state(names[2]) is SuggestionState.DENIED


async def test_what_expires_or_is_too_old_while_it_waits_is_not_sent_by_the_agent() -> None:
    office = await busy()
    office.world.limits.change({"auto.messages_per_minute": "2"}, "window")
    names = many(office, 20)
    office.world.clock.advance(400)
    assert len(office.sent) <= 1 + 6
    states = {office.desk.state(name) for name in names}
    assert SuggestionState.PENDING in states  # a decision older than 300 s is asked
    office.world.clock.advance(600)
    assert {office.desk.state(name) for name in names} <= {SuggestionState.SENT, SuggestionState.EXPIRED}


async def test_what_expires_in_the_queue_says_what_it_waited_for() -> None:
    office = await busy()
    office.world.limits.change({"auto.messages_per_minute": "1"}, "window")
    many(office, 1)
    office.world.clock.advance(10)
    add(office, "LATE")
    name = office.suggest(symbol=Symbol("LATE"), expires_ns=office.world.clock.now() + 5 * SECOND)
    office.world.clock.advance(6)
    assert office.desk.state(name) is SuggestionState.EXPIRED
    (told,) = office.world.of(ApprovalExpired)
    assert told.unasked
    assert told.reason == (
        "Its turn did not come in time: 3 messages in the last minute and 3 to send; the limit is 1."
    )
    assert office.approve(name).text == told.reason


async def test_a_question_that_expires_was_asked() -> None:
    office = await Office(wide(), autonomy=Autonomy.ASK).open()
    office.suggest()
    office.world.clock.advance(601)
    (told,) = office.world.of(ApprovalExpired)
    assert (told.unasked, told.reason) == (False, "its time is over")


@pytest.mark.parametrize(("equity", "sent"), [(1_000_000, 500), (999_000, 499), (981_000, 490), (979_000, 0)])
async def test_a_size_that_no_longer_fits_by_a_trace_is_made_to_fit_and_by_more_is_denied(
    equity: int, sent: int
) -> None:
    world = wide({"order_notional_percent": 5, "order_notional_soft_percent": 5})
    office = await Office(world, autonomy=Autonomy.AUTO).open()
    many(office, 1)
    add(office, "FULL")
    name = office.suggest(symbol=Symbol("FULL"), quantity=d(500))
    assert len(office.sent) == 1
    world.ledger.change(equity=d(equity))
    world.clock.advance(1.1)
    if sent:
        assert [order.request.quantity for order in office.sent[1:]] == [sent]
        edits = [(e.by, e.changes) for e in world.of(Edited)]
        assert edits == ([("agent", {"quantity": ("500", str(sent))})] if sent < 500 else [])
    else:
        assert len(office.sent) == 1
        assert office.desk.state(name) is SuggestionState.DENIED
        assert "G1" in [denial.code for denial in world.of(RiskDenied)[-1].denials]


async def test_what_closes_is_never_made_smaller_while_it_waits() -> None:
    office = await busy()
    many(office, 1)
    office.world.gate.note_message()
    office.world.gate.note_message()
    office.world.ledger.hold(AAPL, 10)
    office.suggest(side=Side.SELL, reduces=True, stop=d(101), target=d(90))
    office.world.ledger.change(equity=d(1))
    office.world.clock.advance(1.5)
    assert [order.request.quantity for order in office.sent if order.request.symbol == AAPL] == [10]
    assert office.world.of(Edited) == []


async def test_a_withdrawn_suggestion_leaves_the_queue() -> None:
    from engine.model.events.thought import SuggestionWithdrawn

    office = await busy()
    names = many(office, 3)
    now = office.world.clock.now()
    office.world.bus.publish(
        SuggestionWithdrawn(ts_event=now, ts_init=now, id=names[2], symbol=Symbol("T2"), reason="news")
    )
    office.world.clock.advance(5)
    assert len(office.sent) == 2


async def test_a_halt_empties_the_queue_into_denials() -> None:
    office = await busy()
    many(office, 5)
    office.world.modes.halt("window", "stop")
    office.world.clock.advance(30)
    assert len(office.sent) == 1
    assert {event.denials[0].code for event in office.world.of(RiskDenied)} == {"MODE"}


async def test_a_stopped_desk_sends_nothing_more() -> None:
    office = await busy()
    many(office, 5)
    await office.desk.stop()
    office.world.clock.advance(30)
    assert len(office.sent) == 1
    assert isinstance(office.world, World)


async def test_a_suggestion_with_real_money_waits_for_the_brokers_what_if_and_is_refused_when_none_comes() -> None:
    world = World(book=Book.LIVE, mode=Mode.MANUAL, settings=limits(what_if="required"))
    office = await Office(world, autonomy=Autonomy.ASK).open()
    world.what_ifs.answer = WhatIf(pending=True)
    answered, silent = office.suggest(), office.suggest()
    world.clock.advance(3)
    assert world.of(RiskDenied) == []
    assert not world.of(ApprovalAsked)
    world.what_ifs.answer = WhatIf(
        initial_margin_before=d(0),
        initial_margin_after=d(500),
        maintenance_margin_after=d(500),
        equity_after=d(1_000_000),
    )
    office.desk.refuse(Refuse(suggestion_id=silent, code="OTHER", by="window"))
    world.clock.advance(1)
    assert [asked.suggestion_id for asked in world.of(ApprovalAsked)] == [answered]
    world.what_ifs.answer = WhatIf(pending=True)
    third = office.suggest()
    world.what_ifs.answer = None
    world.clock.advance(1)
    assert office.desk.state(third) is SuggestionState.DENIED
    assert world.of(RiskDenied)[-1].denials[0].code == "G15"
