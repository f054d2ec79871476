"""The whole engine on the simulated market: from a tick to a filled order, twice the same."""

import json
from decimal import Decimal
from io import StringIO

import pytest

from engine.api.commands import CancelAll, GetStatus, PlaceOrder, PreviewOrder, Resume, SetSpeed, Shutdown
from engine.bus.bus import Role
from engine.model.decision import Mode
from engine.model.events.market import NewsArrived
from engine.model.events.order import OrderFilled
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderType
from engine.runtime.engine import Engine


async def run(spec, seconds: float, auto: bool = False):
    """Run an engine for some market time; return its summary and its events."""
    lines = StringIO()
    engine = Engine(spec, lines)
    await engine.start()
    if auto:
        receipt = await engine.arm_auto("cli", "test")
        assert receipt.ok, receipt.text
    await engine.run(seconds)
    summary = await engine.stop()
    return summary, [json.loads(line) for line in lines.getvalue().splitlines()]


async def test_an_hour_goes_from_suggestion_to_position_and_the_books_agree(make_spec):
    summary, events = await run(make_spec(), 3600, auto=True)
    kinds = [event["event"] for event in events]
    first = [kinds.index(k) for k in ("Suggested", "RiskCleared", "Approved", "OrderInitialized", "OrderSubmitted")]
    assert first == sorted(first)
    assert {"OrderFilled", "PositionOpened"} <= set(kinds)
    assert summary.reconciled
    assert summary.counts["Suggested"] == kinds.count("Suggested")
    assert kinds[-1] == "RunSummary"


async def test_the_same_seed_decides_the_same_and_another_seed_does_not(make_spec):
    first, _ = await run(make_spec("a"), 1800, auto=True)
    again, _ = await run(make_spec("b"), 1800, auto=True)
    other, _ = await run(make_spec("c", seed=8), 1800, auto=True)
    assert first.decision_hash == again.decision_hash
    assert first.cash == again.cash
    assert first.decision_hash != other.decision_hash


async def test_without_auto_the_agent_asks_and_sends_nothing(make_spec):
    summary, events = await run(make_spec(), 1800)
    kinds = {event["event"] for event in events}
    assert "ApprovalAsked" in kinds
    assert not kinds & {"OrderInitialized", "OrderSubmitted", "Approved"}
    assert summary.cash == {"USD": Decimal(1_000_000)}


@pytest.fixture
async def engine(make_spec):
    """An engine five minutes into its day, standing still."""
    engine = Engine(make_spec(symbols=("AAPL", "MSFT", "KO")))
    await engine.start()
    await engine.run(300)
    yield engine
    await engine.stop()


def buy(engine: Engine, symbol: str = "AAPL", quantity: int = 10, **fields) -> OrderRequest:
    quote = engine.parts.place.cache.quote(Symbol(symbol))
    price = Decimal(str(round(quote.ask, 2)))
    values = {"intent_id": "i-1", "symbol": symbol, "side": Side.BUY, "quantity": Decimal(quantity)}
    values |= {"order_type": OrderType.LIMIT, "limit_price": price}
    return OrderRequest(**{**values, **fields})


async def test_a_hand_made_order_fills_and_shows_in_status(engine):
    receipt = await engine.parts.handler.handle(PlaceOrder(request=buy(engine)))
    assert receipt.ok, receipt.text
    await engine.run(10)
    status = (await engine.parts.handler.handle(GetStatus())).data
    assert [(p["symbol"], p["quantity"]) for p in status["positions"]] == [("AAPL", Decimal(10))]
    rows = {row.key: row for row in engine.parts.showing.tables["fills"].rows()}
    assert len(rows) == 1


async def test_the_same_intent_twice_is_one_order(engine):
    request = buy(engine)
    first = await engine.parts.handler.handle(PlaceOrder(request=request))
    second = await engine.parts.handler.handle(PlaceOrder(request=request))
    await engine.run(10)
    assert first == second
    assert sum(engine.parts.broker.placements.values()) == 1


async def test_a_preview_sends_nothing(engine):
    receipt = await engine.parts.handler.handle(PreviewOrder(request=buy(engine)))
    assert receipt.ok
    await engine.run(5)
    assert not engine.parts.broker.placements


async def test_an_order_beyond_a_limit_is_denied_with_its_code(engine):
    receipt = await engine.parts.handler.handle(PlaceOrder(request=buy(engine, quantity=5_000)))
    assert not receipt.ok
    assert receipt.code in {"G1", "G12"}
    assert receipt.denials[0].text


async def test_stop_cancels_what_works_and_nothing_is_sent_until_a_person_resumes(engine):
    price = Decimal(str(round(engine.parts.place.cache.quote(Symbol("AAPL")).bid - 1, 2)))
    placed = await engine.parts.handler.handle(PlaceOrder(request=buy(engine, limit_price=price)))
    await engine.run(2)
    stopped = engine.parts.stop.stop("window", "test")
    engine.clock.advance(2)
    receipt = await stopped
    assert receipt.ok
    assert engine.parts.trading.modes.mode is Mode.HALTED
    engine.clock.advance(2)
    assert engine.parts.trading.desk.order(placed.data["ref"]).state is OrderState.CANCELLED
    denied = await engine.parts.handler.handle(PlaceOrder(request=buy(engine, intent_id="i-2")))
    assert denied.code == "MODE"
    resumed = await engine.parts.handler.handle(Resume(typed="RESUME", reason="all is well"))
    assert resumed.ok, resumed.text
    allowed = await engine.parts.handler.handle(PlaceOrder(request=buy(engine, intent_id="i-3")))
    assert allowed.ok, allowed.text


async def test_a_deciders_failure_halts_and_an_observers_does_not(engine):
    bus = engine.parts.bus

    def broken(event) -> None:
        raise RuntimeError("broken on purpose")

    bus.subscribe(NewsArrived, broken, owner="a view", role=Role.OBSERVER)
    news = {"ts_event": 1, "ts_init": 1, "id": "n", "symbols": (), "headline": "h"}
    bus.publish(NewsArrived(**news))
    assert engine.parts.trading.modes.mode is not Mode.HALTED
    bus.subscribe(NewsArrived, broken, owner="a decider", role=Role.DECIDER)
    bus.publish(NewsArrived(**news))
    assert engine.parts.trading.modes.mode is Mode.HALTED


async def test_what_was_filled_is_there_after_a_restart(make_spec):
    spec = make_spec(symbols=("AAPL", "MSFT", "KO"))
    engine = Engine(spec)
    await engine.start()
    await engine.run(300)
    await engine.parts.handler.handle(PlaceOrder(request=buy(engine)))
    price = Decimal(str(round(engine.parts.place.cache.quote(Symbol("MSFT")).bid - 3, 2)))
    await engine.parts.handler.handle(PlaceOrder(request=buy(engine, "MSFT", intent_id="i-2", limit_price=price)))
    await engine.run(10)
    before = await engine.stop()
    again = Engine(spec)
    await again.start()
    await again.run(30)
    status = (await again.parts.handler.handle(GetStatus())).data
    after = await again.stop()
    assert after.cash == before.cash
    assert after.positions == before.positions
    assert after.reconciled
    assert [order["symbol"] for order in status["orders"]] == ["MSFT"]
    assert status["unknown"] == []
    assert status["locks"] == []


async def test_commands_that_ask_for_nothing_possible_are_refused_in_words(engine):
    handler = engine.parts.handler
    assert (await handler.handle(SetSpeed(speed=-1))).code == "ARGUMENT"
    assert (await handler.handle(CancelAll())).ok
    algo = await handler.handle(PlaceOrder(request=buy(engine, algo="nosuch")))
    assert algo.code == "ALGO"
    assert (await handler.handle(Shutdown())).ok


async def test_every_fill_is_seen_by_the_views_and_the_run_ledger(make_spec):
    engine = Engine(make_spec(symbols=("AAPL",)))
    seen: list[OrderFilled] = []
    engine.parts.bus.subscribe(OrderFilled, seen.append, owner="test")
    await engine.start()
    await engine.run(300)
    await engine.parts.handler.handle(PlaceOrder(request=buy(engine)))
    await engine.run(10)
    summary = await engine.stop()
    assert len(seen) == summary.counts["OrderFilled"] == 1
