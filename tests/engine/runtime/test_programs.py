"""Other programs at the engine's door: the gate below every tool, and proposals that become suggestions.

Whatever a program claims to be, the engine treats it as the program it connected as.
"""

import asyncio
from types import SimpleNamespace

import pytest

from engine.api import commands as c
from engine.api.client import EngineClient
from engine.model.decision import Autonomy, Mode
from engine.model.events.decision import TradingHalted
from engine.model.ids import IntentId, OrderRef, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType, Origin
from engine.model.suggestion import SuggestionState
from engine.runtime.engine import Engine
from engine.runtime.enquiry import PROGRAMS_ASK
from engine.runtime.programs import Programs
from engine.suggestion.proposals import MOST_A_MINUTE, MOST_OPEN

KO = Symbol("KO")


async def begun(spec) -> Engine:
    engine = Engine(spec)
    await engine.start()
    await engine.listen()
    # Past the first minutes of the session, in which nothing is opened (G25).
    await engine.run(400.0)
    return engine


@pytest.fixture
async def engine(request, make_spec):
    """With the setting off; a test may ask for it on."""
    trade = getattr(request, "param", False)
    engine = await begun(make_spec(symbols=("AAPL", "KO", "MSFT", "JPM", "XOM"), programs_trade=trade))
    yield engine
    await engine.stop()


@pytest.fixture
async def api(engine):
    client = await EngineClient.connect(engine.spec.profile, client="api")
    yield client
    await client.close()


def price(engine: Engine, symbol: str = "KO"):
    return engine.parts.place.cache.quote(Symbol(symbol))


def buy(name: str = "one", quantity: int = 10, **changes) -> OrderRequest:
    fields = {"intent_id": IntentId(name), "symbol": KO, "side": Side.BUY, "quantity": c.Decimal(quantity)}
    return OrderRequest(**{**fields, **changes})


def proposal(name: str = "p1", **changes) -> c.Propose:
    return c.Propose(**{"intent_id": IntentId(name), "symbol": KO, "side": Side.BUY, **changes})


def d(value: float) -> c.Decimal:
    return c.Decimal(str(round(value, 2)))


PEOPLES = [
    c.SetMode(mode=Mode.AUTO),
    c.SetMode(mode=Mode.OBSERVE),
    c.SetAutonomy(autonomy=Autonomy.AUTO),
    c.SetPin(new="4711"),
    c.SignMandate(max_order=c.Decimal(1), max_day=c.Decimal(1), max_orders=1),
    c.RevokeMandate(),
    c.ChangeLimits(changes={"auto.position_percent": "1"}),
    c.Resume(typed="RESUME", reason="x"),
    c.Rearm(code="G10", reason="x"),
    c.Flatten(),
    c.CancelAll(),
    c.ModifyOrder(ref=OrderRef("x"), intent_id=IntentId("x")),
    c.ApproveIf(suggestion_id=SuggestionId("S-1"), price=c.Decimal(1), seconds=1.0),
    c.Edit(suggestion_id=SuggestionId("S-1")),
    c.Snooze(suggestion_id=SuggestionId("S-1"), seconds=1.0),
    c.ResolveUnknown(ref=OrderRef("x"), state="FILLED", note="x"),
    c.AdoptExternal(ref=OrderRef("x")),
    c.Acknowledge(code="x"),
    c.SetSpeed(speed=0.0),
    c.Shutdown(force=True),
    c.Halt(flatten=True),
    c.Halt(protective=True),
]


async def test_what_is_a_persons_is_refused_to_a_program_that_calls_itself_a_window(engine, api):
    for command in PEOPLES:
        for by in ("window", "cli", "api"):
            receipt = await api.send(c.msgspec.structs.replace(command, by=by))
            assert (receipt.ok, receipt.code) == (False, "PERSON"), command
    assert engine.parts.trading.modes.mode is Mode.MANUAL


async def test_with_the_setting_off_no_program_trades_whatever_it_says(engine, api):
    name = SuggestionId("S-1")
    for command in (
        c.PlaceOrder(request=buy(limit_price=d(price(engine).bid)), by="window"),
        c.CancelOrder(ref=OrderRef("x"), by="cli"),
        c.Approve(suggestion_id=name, by="cli"),
        c.Refuse(suggestion_id=name, code="OTHER", by="window"),
    ):
        receipt = await api.send(command)
        assert (receipt.ok, receipt.code) == (False, "TRADE"), command
    assert engine.parts.trading.desk.orders() == {}


@pytest.mark.parametrize("engine", [False, True], indirect=True, ids=["programs read", "programs trade"])
async def test_a_pane_of_a_package_looks_cancels_and_closes_and_opens_nothing_whatever_programs_may(engine):
    handle = engine.parts.handler.handle
    pane = "pane:heat"
    for command in (c.GetStrategies(by=pane), c.GetStatus(by=pane), c.CancelAll(by=pane)):
        assert (await handle(command)).ok, command
    assert (await handle(c.Flatten(symbol=KO, intent_id=IntentId("f"), by=pane))).code == "CANNOT", "nothing is held"
    assert (await handle(c.CancelOrder(ref=OrderRef("x"), by=pane))).code == "NO_SUCH_ORDER"
    for command in (
        c.CancelAll(protective=True, by=pane),
        c.Flatten(intent_id=IntentId("all"), by=pane),
        c.SetAutonomy(autonomy=Autonomy.AUTO, by=pane),
        c.PlaceOrder(request=buy(limit_price=d(price(engine).bid)), by=pane),
        c.Approve(suggestion_id=SuggestionId("S-1"), by=pane),
    ):
        receipt = await handle(command)
        assert (receipt.ok, receipt.code) == (False, "PERSON"), command


@pytest.mark.parametrize(
    "command",
    [
        c.PlaceOrder(request=buy(limit_price=c.Decimal(1))),
        c.Approve(suggestion_id=SuggestionId("S-1")),
        c.Refuse(suggestion_id=SuggestionId("S-1"), code="OTHER"),
    ],
    ids=["order", "approval", "refusal"],
)
def test_that_programs_may_trade_says_nothing_of_the_panes_of_a_package(command):
    nobody = SimpleNamespace()
    gate = Programs(nobody, nobody, trade=True)
    assert gate.refusal(c.msgspec.structs.replace(command, by="api")) is None
    assert gate.refusal(c.msgspec.structs.replace(command, by="pane:heat")).code == "PERSON"


async def test_a_question_of_the_window_proves_nobodys_presence_and_an_act_does(engine):
    handle, modes = engine.parts.handler.handle, engine.parts.trading.modes
    before = modes._present_ns
    for question in (c.GetStatus(by="window"), c.GetBars(symbol=KO, seconds=60, by="window"), c.GetStrategies()):
        assert (await handle(question)).ok
    assert modes._present_ns == before
    await handle(c.CancelAll(by="window"))
    assert modes._present_ns > before


async def test_a_program_reads_and_halts_and_proves_nobodys_presence(engine, api):
    before = engine.parts.trading.modes._present_ns
    assert (await api.send(c.GetStatus(by="window"))).ok
    assert (await api.send(c.GetBars(symbol=KO, seconds=60))).ok
    assert engine.parts.trading.modes._present_ns == before
    assert (await api.send(c.Halt(reason="from a script"))).ok
    assert engine.parts.trading.modes.mode is Mode.HALTED


async def test_a_proposal_waits_in_the_queue_with_its_source_and_its_words(engine, api):
    quote = price(engine)
    command = proposal(source="hook:tv", comment="breakout <b>now</b>\u202e\x00 " + "x" * 900, by="window")
    receipt = await api.send(command)
    assert receipt.ok, receipt.text
    assert receipt.data["state"] == "PENDING"
    name = SuggestionId(str(receipt.data["suggestion_id"]))
    made = engine.parts.board.suggestion(name)
    assert (made.source, made.strategy, made.entry) == ("hook:tv", "hook:tv", d(quote.ask))
    assert made.stop < made.entry < made.target
    assert made.quantity > 0
    said = made.evidence[0].text
    assert said.startswith("breakout now")
    assert len(said) <= 200
    assert not set("<\u202e\x00") & set(said)
    row = engine.parts.showing.tables["suggestions"].get(name)
    assert (row.strategy, row.source, row.state) == ("hook:tv", "hook:tv", "PENDING")
    assert engine.parts.trading.desk.orders() == {}


async def test_the_same_delivery_twice_is_one_suggestion_also_after_a_restart(engine, api, make_spec):
    first = await api.send(proposal(source="hook:tv"))
    again = await api.send(proposal(source="hook:tv"))
    assert again.code == "REPEAT"
    assert again.data["suggestion_id"] == first.data["suggestion_id"]
    other = await api.send(proposal(source="hook:other", symbol=Symbol("MSFT")))
    assert other.data["suggestion_id"] != first.data["suggestion_id"]
    await api.close()
    await engine.stop()
    later = Engine(make_spec(symbols=("AAPL", "KO", "MSFT", "JPM", "XOM")))
    await later.start()
    receipt = await later.parts.handler.handle(proposal(source="hook:tv", by="api"))
    assert (receipt.code, receipt.data["suggestion_id"]) == ("REPEAT", first.data["suggestion_id"])
    await later.stop()
    engine.stop = lambda: asyncio.sleep(0)


async def test_a_newer_proposal_of_a_source_takes_the_place_of_its_older_one(engine, api):
    first = await api.send(proposal("a", source="hook:tv"))
    second = await api.send(proposal("b", source="hook:tv"))
    state = engine.parts.board.state
    assert state(first.data["suggestion_id"]) is SuggestionState.SUPERSEDED
    assert state(second.data["suggestion_id"]) is SuggestionState.PENDING


async def test_the_queue_of_programs_has_an_end_and_so_has_their_pace(engine, api):
    for symbol in ("AAPL", "KO", "MSFT", "JPM")[:MOST_OPEN]:
        receipt = await api.send(proposal(symbol, symbol=Symbol(symbol), source="hook:tv"))
        assert receipt.data["state"] == "PENDING", receipt.text
    assert (await api.send(proposal("x", symbol=Symbol("XOM"), source="hook:tv"))).code == "FULL"
    codes = [(await api.send(proposal(f"n{i}", source="hook:tv"))).code for i in range(MOST_A_MINUTE)]
    assert codes[-1] == "RATE"


async def test_at_auto_a_proposal_is_asked_until_a_mandate_names_its_source(engine, api):
    armed = await engine.arm_auto("cli", "test")
    assert armed.ok, armed.text
    receipt = await api.send(proposal("a", source="hook:tv"))
    assert (receipt.data["state"], receipt.text) == ("PENDING", "It comes from hook:tv, which no mandate names.")
    assert not [o for o in engine.parts.trading.desk.orders().values() if o.request.suggestion_id]
    mandate = c.SignMandate(
        max_order=c.Decimal(50_000), max_day=c.Decimal(90_000), max_orders=9, sources=("hook:tv",), by="cli"
    )
    assert (await engine.parts.handler.handle(mandate)).ok
    receipt = await api.send(proposal("b", source="hook:tv", quantity=c.Decimal(20)))
    assert receipt.data["state"] == "SENT", receipt.text
    order = next(o for o in engine.parts.trading.desk.orders().values() if o.request.suggestion_id)
    assert (order.request.origin, order.request.strategy) == (Origin.AUTO, "hook:tv")


async def test_against_a_position_it_closes_and_never_turns_it(engine, api):
    handle = engine.parts.handler.handle
    bought = buy(quantity=30, limit_price=d(price(engine).ask * 1.002), stop_loss=d(price(engine).bid * 0.97))
    assert (await handle(c.PlaceOrder(request=bought, by="cli"))).ok
    await engine.run(5.0)
    assert engine.parts.trading.ledger.positions()[KO].quantity == 30
    receipt = await api.send(proposal(side=Side.SELL, quantity=c.Decimal(500)))
    made = engine.parts.board.suggestion(SuggestionId(str(receipt.data["suggestion_id"])))
    assert (made.reduces, made.quantity) == (True, 30)


UNSOUND = [
    ({"symbol": Symbol("NOPE")}, "G3"),
    ({"quantity": c.Decimal("NaN")}, "VALUES"),
    ({"quantity": c.Decimal(0)}, "VALUES"),
    ({"entry": c.Decimal(-1)}, "VALUES"),
    ({"entry": c.Decimal("Infinity")}, "VALUES"),
    ({"stop": c.Decimal(100_000)}, "VALUES"),
    ({"target": c.Decimal("0.01")}, "VALUES"),
    ({"seconds": float("nan")}, "VALUES"),
    ({"seconds": 1e9}, "VALUES"),
    ({"intent_id": IntentId("")}, "INTENT"),
    ({"intent_id": IntentId("x" * 97)}, "INTENT"),
    ({"intent_id": IntentId("a b")}, "INTENT"),
    ({"source": "window"}, "SOURCE"),
    ({"source": "mcp"}, "SOURCE"),
    ({"source": "hook:Loud Name"}, "SOURCE"),
]


async def test_an_unsound_proposal_is_refused_with_a_code_and_shows_nothing(engine, api):
    for changes, code in UNSOUND:
        receipt = await api.send(proposal(**changes))
        assert (receipt.ok, receipt.code) == (False, code), changes
    assert engine.parts.board.entries() == []


async def test_without_a_price_nothing_is_proposed(engine, api, monkeypatch):
    cache = engine.parts.place.cache
    monkeypatch.setattr(type(cache), "quote", lambda self, symbol: None)
    assert (await api.send(proposal())).code == "G21"


async def test_while_the_agent_only_observes_nothing_is_proposed(engine, api):
    await engine.parts.handler.handle(c.SetAutonomy(autonomy=Autonomy.OBSERVE, by="cli"))
    assert (await api.send(proposal())).code == "OBSERVE"


async def test_with_the_setting_on_a_programs_order_is_sent_in_auto_and_its_stop_stays(make_spec):
    engine = await begun(make_spec(symbols=("AAPL", "KO"), programs_trade=True))
    client = await EngineClient.connect(engine.spec.profile, client="api")
    bid = price(engine).bid
    order = c.PlaceOrder(request=buy(limit_price=d(bid), stop_loss=d(bid * 0.98)), by="window")
    assert (await client.send(order)).code == "MODE"
    assert (await engine.arm_auto("cli", "test")).ok
    placed = await client.send(order)
    assert placed.ok, (placed.text, placed.denials)
    assert (await client.send(order)).data == placed.data
    entry, stop = (engine.parts.trading.desk.order(OrderRef(ref)) for ref in placed.data["refs"][:2])
    assert (entry.request.origin, entry.request.strategy) == (Origin.PROGRAM, "api")
    assert entry.request.good_till_ns is not None  # nobody looks: it ends at the broker by itself (G36)
    assert engine.parts.trading.desk._references.origin(entry.ref) is Origin.PROGRAM
    assert engine.parts.trading.desk._references.ours(entry.ref)
    assert (await client.send(c.CancelOrder(ref=stop.ref))).code == "PERSON"
    assert (await client.send(c.CancelOrder(ref=entry.ref))).ok
    again = c.PlaceOrder(request=buy("two", limit_price=d(bid * 0.99), stop_loss=d(bid * 0.97)))
    await engine.run(400.0)  # past the time in which the same order again is a duplicate (G9)
    placed = await client.send(again)
    assert placed.ok, (placed.text, placed.denials)
    assert (await engine.parts.handler.handle(c.SetMode(mode=Mode.MANUAL, by="cli"))).ok
    await engine.run(2.0)
    assert engine.parts.trading.desk.order(OrderRef(str(placed.data["ref"]))).state.closed
    await client.close()
    await engine.stop()


async def test_a_program_cancels_no_stop_that_a_person_placed_by_hand(make_spec):
    engine = await begun(make_spec(symbols=("AAPL", "KO", "MSFT", "JPM", "XOM"), programs_trade=True))
    api = await EngineClient.connect(engine.spec.profile, client="api")
    try:
        bid = price(engine).bid
        stop = buy("by-hand", 10, order_type=OrderType.STOP, stop_price=d(bid * 1.02))
        placed = await engine.parts.handler.handle(c.PlaceOrder(request=stop, by="window"))
        assert placed.ok, placed.text
        receipt = await api.send(c.CancelOrder(ref=OrderRef(str(placed.data["ref"]))))
        assert (receipt.ok, receipt.code) == (False, "PERSON")
        assert engine.parts.trading.desk.order(placed.data["ref"]).state.closed is False
    finally:
        await api.close()
        await engine.stop()


async def test_the_words_of_a_program_reach_people_as_one_visible_line(engine, api):
    heard = []
    engine.parts.bus.subscribe(TradingHalted, heard.append, owner="test")
    await api.send(c.Halt(reason="all fine\u202e\n\u0007  AUTO armed" + "!" * 500))
    assert heard[0].reason.startswith("all fine AUTO armed!")
    assert len(heard[0].reason) == 200


async def test_previews_of_programs_ask_the_broker_a_few_times_a_minute_and_then_not(engine, api, monkeypatch):
    asked = []

    async def ask(request, *, exact=False):
        asked.append(request)

    monkeypatch.setattr(engine.parts.trading.what_ifs, "ask", ask)
    limit = d(price(engine).bid)
    for quantity in range(1, PROGRAMS_ASK + 5):
        receipt = await api.send(c.PreviewOrder(request=buy("p", quantity, limit_price=limit)))
        assert receipt.data["verdict"]
    assert len(asked) == PROGRAMS_ASK
    await engine.parts.handler.handle(c.PreviewOrder(request=buy("p", 99, limit_price=limit), by="window"))
    assert asked[-1].quantity == 99


async def test_who_gives_no_name_of_ours_at_the_door_is_a_program_whatever_its_commands_say(engine):
    for name in ("bench", "Window", "phone", "pane:heat", "", "system"):
        client = await EngineClient.connect(engine.spec.profile, client=name)
        for command in (
            c.SetAutonomy(autonomy=Autonomy.AUTO, by="window"),
            c.Flatten(symbol=KO, intent_id=IntentId("f"), by="pane:heat"),
            c.Shutdown(force=True, by="cli"),
        ):
            receipt = await client.send(command)
            assert (receipt.ok, receipt.code) == (False, "PERSON"), (name, command)
        order = c.PlaceOrder(request=buy(limit_price=d(price(engine).bid)), by="window")
        assert (await client.send(order)).code == "TRADE"
        await client.close()
    assert engine.parts.trading.desk.orders() == {}


@pytest.mark.parametrize("name", ["window", "cli", "console"])
async def test_a_person_at_the_window_the_shell_and_the_console_is_one(engine, name):
    client = await EngineClient.connect(engine.spec.profile, client=name)
    assert (await client.send(c.SetMode(mode=Mode.OBSERVE, by="cli"))).ok
    await client.close()


async def test_who_is_connected_is_told_by_name(engine, api):
    status = engine.parts.status
    bench = await EngineClient.connect(engine.spec.profile, client="bench")
    window = await EngineClient.connect(engine.spec.profile)
    told = (await window.send(c.GetStatus())).data
    assert (told["clients"], told["programs_trade"]) == (["api", "program", "window"], False)
    await bench.close()
    await window.close()
    for _ in range(2_000):
        if status.row().clients == ("api",):
            break
        await asyncio.sleep(0.01)
    assert status.row().clients == ("api",)
