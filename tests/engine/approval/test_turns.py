"""The agent's suggestions wait for their turn instead of being lost when many come at once."""

from engine.api.commands import Refuse
from engine.model.broker import WhatIf
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.decision import ApprovalAsked, RiskDenied
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Side
from engine.model.suggestion import SuggestionState
from tests.engine.approval.office import Office
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, World, d, limits


def many(office: Office, n: int) -> list[str]:
    names = []
    for k in range(n):
        symbol = Symbol(f"T{k}")
        office.world.market.instruments[symbol] = Instrument(symbol=symbol, sector=f"s{k}", adv20=1e7)
        office.world.market.set(symbol, 100.0)
        names.append(office.suggest(symbol=symbol))
    return names


async def busy() -> Office:
    world = wide({"positions": 1000, "open_orders": 1000, "orders_per_day": 1000})
    assert world.modes.mode is Mode.AUTO
    return await Office(world, autonomy=Autonomy.AUTO).open()


async def test_a_burst_is_sent_at_the_rate_that_is_allowed_and_in_order() -> None:
    office = await busy()
    many(office, 10)
    assert len(office.sent) == 2
    for second in range(1, 5):
        office.world.clock.advance(1)
        assert len(office.sent) <= 2 + 2 * second
    office.world.clock.advance(2)
    assert [order.request.symbol for order in office.sent] == [f"T{k}" for k in range(10)]
    assert office.world.of(RiskDenied) == []
    assert not office.world.failures


async def test_no_more_than_thirty_go_in_a_minute() -> None:
    office = await busy()
    many(office, 50)
    office.world.clock.advance(59)
    assert len(office.sent) == 30
    office.world.clock.advance(60)
    assert len(office.sent) == 50


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
    assert len(office.sent) <= 2 + 2 * 6
    states = {office.desk.state(name) for name in names}
    assert SuggestionState.PENDING in states  # a decision older than 300 s is asked
    office.world.clock.advance(600)
    assert {office.desk.state(name) for name in names} <= {SuggestionState.SENT, SuggestionState.EXPIRED}


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
    assert len(office.sent) == 2
    assert {event.denials[0].code for event in office.world.of(RiskDenied)} == {"MODE"}


async def test_a_stopped_desk_sends_nothing_more() -> None:
    office = await busy()
    many(office, 5)
    await office.desk.stop()
    office.world.clock.advance(30)
    assert len(office.sent) == 2
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
