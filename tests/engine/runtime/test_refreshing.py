"""G36: the agent's entries end at the broker within minutes; those meant to live longer are moved on, or end."""

from decimal import Decimal

import msgspec
import pytest

from engine.bus.clock import SECOND
from engine.model.decision import Mode
from engine.model.events.thought import Suggested
from engine.model.ids import DecisionId, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import OrderState, OrderStatus, Origin
from engine.model.suggestion import Suggestion
from engine.runtime.engine import Engine

LIFE_S = 300.0
HOUR = 3600


@pytest.fixture
async def engine(make_spec, tmp_path):
    (tmp_path / "none").mkdir()
    engine = Engine(make_spec(symbols=("KO", "AAPL"), strategies=tmp_path / "none"))
    await engine.start()
    await engine.run(400)
    assert (await engine.arm_auto("cli", "test")).ok
    yield engine
    await engine.stop()


def suggest(engine: Engine, live_s: float | None, below: str = "0.8") -> OrderStatus:
    """A suggestion that the agent sends at once and that rests below the market."""
    now, quote = engine.clock.now(), engine.parts.place.cache.quote(Symbol("KO"))
    entry = (Decimal(str(quote.bid)) - Decimal(below)).quantize(Decimal("0.01"))
    suggestion = Suggestion(
        id=SuggestionId("S-1"),
        decision_id=DecisionId("D-1"),
        symbol=Symbol("KO"),
        side=Side.BUY,
        quantity=Decimal(10),
        entry=entry,
        stop=entry - 1,
        target=entry + 3,
        horizon="swing",
        strategy="daily",
        reference_price=quote.mid,
        atr=1.0,
        made_ns=now,
        expires_ns=now + 86_400 * SECOND,
        entry_until_ns=0 if live_s is None else now + round(live_s * SECOND),
    )
    engine.parts.bus.publish(Suggested(ts_event=now, ts_init=now, suggestion=suggestion))
    return next(o for o in engine.parts.trading.desk.open_orders() if o.request.origin is Origin.AUTO)


def left_s(engine: Engine, status: OrderStatus) -> float:
    return (engine.parts.trading.desk.order(status.ref).request.good_till_ns - engine.clock.now()) / SECOND


async def test_a_long_lived_entry_is_moved_on_before_it_ends_and_never_further_than_minutes(engine):
    sent = suggest(engine, 1.0 * HOUR)
    assert left_s(engine, sent) == pytest.approx(LIFE_S, abs=1)
    seen = []
    for _ in range(40):
        await engine.run(60)
        status = engine.parts.trading.desk.order(sent.ref)
        assert status.state in (OrderState.WORKING, OrderState.PENDING_MODIFY)
        seen.append(left_s(engine, sent))
    assert all(0 < left <= LIFE_S for left in seen)
    paper = engine.parts.broker._find(sent.ref)
    assert paper.request.good_till_ns == status.request.good_till_ns


async def test_it_ends_when_its_strategys_time_is_over(engine):
    sent = suggest(engine, 700.0)
    await engine.run(690)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.WORKING
    assert engine.parts.trading.desk.order(sent.ref).request.good_till_ns == sent.request.live_until_ns
    await engine.run(60)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.EXPIRED


async def test_an_entry_of_a_minute_strategy_ends_after_five_minutes_as_ever(engine):
    sent = suggest(engine, None)
    await engine.run(290)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.WORKING
    await engine.run(60)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.EXPIRED


async def test_an_engine_that_is_gone_moves_nothing_on(engine):
    sent = suggest(engine, 1.0 * HOUR)
    await engine.run(30)
    await engine.parts.trading.refresher.stop()
    await engine.run(400)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.EXPIRED


async def test_what_the_gate_would_not_send_now_is_not_kept(engine):
    sent = suggest(engine, 1.0 * HOUR)
    await engine.run(30)
    engine.parts.trading.modes.lock(Symbol("KO"), "G27", "a split is suspected")
    await engine.run(400)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.EXPIRED


async def test_refreshes_are_not_counted_as_changes(engine):
    sent = suggest(engine, 2.0 * HOUR)
    await engine.run(1.5 * HOUR)
    assert engine.parts.trading.desk.order(sent.ref).state is OrderState.WORKING
    assert engine.parts.trading.gate._counts.modifies(sent.ref) == 0
    assert engine.parts.trading.modes.mode is Mode.AUTO


async def test_a_refresh_that_moves_anything_else_is_refused(engine):
    sent = suggest(engine, 1.0 * HOUR)
    await engine.run(5)
    request = engine.parts.trading.desk.order(sent.ref).request
    dearer = msgspec.structs.replace(request, limit_price=request.limit_price + Decimal("0.5"))
    verdict = engine.parts.trading.gate.clear_change(sent.ref, dearer, refresh=True)
    assert [denial.code for denial in verdict.denials] == ["ORDER"]
