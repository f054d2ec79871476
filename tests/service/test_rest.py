"""REST over real sockets: what is told, what is done, and what is refused."""

import asyncio

from engine.model.decision import Autonomy, Mode
from engine.model.ids import Symbol
from engine.model.order import Origin
from engine.model.suggestion import SuggestionState
from service.link import SILENT_S, EngineLink
from service.tokens import Scope
from tests.service.house import Begun, make_engine, running, served

KO = Symbol("KO")


def bid(begun: Begun, off: float = 1.0) -> str:
    return str(round(begun.engine.parts.place.cache.quote(KO).bid * off, 2))


async def get(begun: Begun, path: str, status: int = 200):
    response = await begun.http.get(path)
    assert response.status_code == status, response.text
    return response.json()


async def post(begun: Begun, path: str, body: object, status: int = 200):
    response = await begun.http.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()


# --- reading


async def test_every_reading_route_answers_with_what_the_engine_shows(begun):
    health = await get(begun, "/health")
    assert (health["mode"], health["clients"]) == ("MANUAL", ["api"])
    status = await get(begun, "/status")
    assert (status["book"], status["programs_trade"], status["cash"]) == ("paper", False, {"USD": "1000000"})
    assert (await get(begun, "/positions"))["rows"] == []
    assert (await get(begun, "/fills"))["rows"] == []
    assert (await get(begun, "/orders"))["rows"] == []
    assert {row["use"]["code"] for row in (await get(begun, "/limits"))["rows"]} >= {"G11", "G12", "G17"}
    assert isinstance((await get(begun, "/alarms"))["rows"], list)
    quotes = await get(begun, "/quotes?symbols=ko,NOPE")
    quote = begun.engine.parts.place.cache.quote(KO)
    assert [(row["symbol"], row["bid"], row["ask"]) for row in quotes["rows"]] == [("KO", quote.bid, quote.ask)]
    assert quotes["unknown"] == ["NOPE"]
    assert {row["symbol"] for row in (await get(begun, "/quotes"))["rows"]} == {"AAPL", "KO", "MSFT"}
    bars = await get(begun, "/bars?symbol=KO&step=5m&count=3")
    assert (bars["symbol"], bars["seconds"], len(bars["bars"])) == ("KO", 300, 3)
    times = [bar["ts_open"] for bar in bars["bars"]]
    assert times == sorted(times)
    assert all(bar["low"] <= min(bar["open"], bar["close"]) <= bar["high"] for bar in bars["bars"])


async def test_a_question_that_makes_no_sense_is_refused_by_name(begun):
    for path, word in (
        ("/bars", "symbol"),
        ("/bars?symbol=KO,AAPL", "symbol"),
        ("/bars?symbol=KO&step=7m", "step"),
        ("/bars?symbol=KO&count=0", "count"),
        ("/bars?symbol=KO&count=x", "count"),
        ("/bars?symbol=KO&end=-1", "end"),
        ("/quotes?symbols=%3Cimg%3E", "<img>"),
        ("/orders?all=maybe", "all"),
        ("/fills?limit=99999999999999999999", "limit"),
    ):
        assert word in (await get(begun, path, 422))["text"], path
    assert (await get(begun, "/orders/NOPE", 404))["code"] == "NO_SUCH"
    assert (await get(begun, "/suggestions/S-9", 404))["code"] == "NO_SUCH"
    assert (await get(begun, "/bars?symbol=NOPE", 404))["code"] == "NO_BARS"
    assert (await get(begun, "/nowhere", 404))["code"] == "PATH"
    response = await begun.http.delete("/status")
    assert (response.status_code, response.json()["code"]) == (405, "PATH")
    allowed = (await begun.http.delete("/orders")).headers["allow"]
    assert {word.strip() for word in allowed.split(",")} == {"GET", "HEAD", "POST"}


async def test_no_question_changes_anything(begun):
    for path in ("/orders", "/halt", "/suggestions", "/hooks/tv"):
        await begun.http.get(path)
    assert begun.engine.parts.trading.modes.mode is Mode.MANUAL
    assert begun.engine.parts.board.entries() == []


# --- doing, with the setting off


async def test_with_the_setting_off_nothing_trades_with_any_token(begun):
    name = (await post(begun, "/suggestions", {"id": "p1", "symbol": "KO", "side": "BUY"}))["data"]["suggestion_id"]
    shown = await get(begun, f"/suggestions/{name}")
    order = {"id": "o1", "text": f"buy KO 10 @ {bid(begun)} stop {bid(begun, 0.98)}"}
    assert (await post(begun, "/orders", order, 403))["code"] == "TRADE"
    assert (await post(begun, f"/suggestions/{name}/approve", {"hash": shown["approval_hash"]}, 403))["code"] == "TRADE"
    assert (await post(begun, f"/suggestions/{name}/reject", {}, 403))["code"] == "TRADE"
    response = await begun.http.delete("/orders/X-1")
    assert (response.status_code, response.json()["code"]) == (403, "TRADE")
    assert begun.orders == {}
    assert begun.engine.parts.board.state(name) is SuggestionState.PENDING


async def test_the_token_of_reading_reads_previews_and_halts_and_no_more(begun):
    async with begun.client(Scope.READ) as reader:
        preview = {"text": f"buy KO 10 @ {bid(begun)} stop {bid(begun, 0.98)}", "preview": True}
        told = await reader.post("/orders", json=preview)
        assert (told.status_code, told.json()["ok"]) == (200, True)
        assert told.json()["data"]["verdict"]["notional"]
        for path, body in (
            ("/orders", {"id": "o1", "text": "buy KO 10 @ 1"}),
            ("/suggestions", {"id": "p1", "symbol": "KO", "side": "BUY"}),
            ("/suggestions/S-1/approve", {"hash": "x"}),
            ("/suggestions/S-1/reject", {}),
        ):
            response = await reader.post(path, json=body)
            assert (response.status_code, response.json()["code"]) == (403, "SCOPE"), path
        assert (await reader.delete("/orders/X-1")).json()["code"] == "SCOPE"
        assert begun.engine.parts.board.entries() == []
        assert (await reader.post("/halt", json={"reason": "enough"})).json()["ok"]
    assert begun.engine.parts.trading.modes.mode is Mode.HALTED


async def test_an_idea_waits_in_the_queue_until_a_person_answers(begun):
    body = {"id": "p1", "symbol": "ko", "side": "BUY", "quantity": 20, "comment": "a <b>bold</b> idea"}
    made = await post(begun, "/suggestions", body)
    name = made["data"]["suggestion_id"]
    assert made["data"]["state"] == "PENDING"
    assert (await post(begun, "/suggestions", body))["code"] == "REPEAT"
    rows = (await begun.told("/suggestions", lambda found: found["rows"]))["rows"]
    assert [(row["key"], row["strategy"], row["quantity"]) for row in rows] == [(name, "api", "20")]
    assert (await get(begun, f"/suggestions/{name}"))["suggestion"]["evidence"][0]["text"] == "a bold idea"
    assert begun.orders == {}


# --- doing, with the setting on and AUTO armed


async def test_an_order_is_sent_once_however_often_it_is_posted(trading):
    body = {"id": "mine-1", "text": f"buy KO 10 @ {bid(trading, 0.995)} stop {bid(trading, 0.98)}"}
    answers = await asyncio.gather(*(trading.http.post("/orders", json=body) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"]["ref"] for answer in answers}) == 1
    ref = answers[0].json()["data"]["ref"]
    entries = [o for o in trading.orders.values() if o.request.origin is Origin.PROGRAM]
    assert [(o.ref, o.request.strategy) for o in entries] == [(ref, "api")]
    other = {"id": "mine-1", "text": f"buy KO 11 @ {bid(trading, 0.995)} stop {bid(trading, 0.98)}"}
    assert (await post(trading, "/orders", other, 409))["code"] == "REUSED"
    await trading.told("/orders", lambda found: ref in [row["key"] for row in found["rows"]])
    assert (await get(trading, f"/orders/{ref}"))["origin"] == "R"
    response = await trading.http.delete(f"/orders/{ref}")
    assert response.status_code == 200, response.text


async def test_an_order_survives_the_service_and_is_still_one(trading):
    body = {"id": "mine-2", "text": f"buy KO 10 @ {bid(trading, 0.995)} stop {bid(trading, 0.98)}"}
    first = await post(trading, "/orders", body)
    async with served(trading.spec) as port:
        again = Begun(trading.engine, trading.spec, port)
        async with again.http:
            await again.told("/health", lambda health: health["engine"])
            assert (await post(again, "/orders", body))["data"] == first["data"]
    assert len([o for o in trading.orders.values() if o.request.origin is Origin.PROGRAM]) == 1


async def test_the_gate_refuses_a_programs_order_as_it_would_the_agents(trading):
    huge = {"id": "x", "text": f"buy KO 90000 @ {bid(trading)} stop {bid(trading, 0.98)}"}
    told = await post(trading, "/orders", huge, 422)
    assert told["denials"]
    assert all(denial["hard"] for denial in told["denials"])
    trading.engine.parts.trading.modes.lower(Mode.MANUAL, "test", "test")
    small = {"id": "y", "text": f"buy KO 10 @ {bid(trading)} stop {bid(trading, 0.98)}"}
    assert (await post(trading, "/orders", small, 422))["code"] == "MODE"
    assert trading.orders == {}


async def test_a_yes_is_to_what_was_shown_and_a_no_has_a_reason(tmp_path):
    async with running(tmp_path / "profile", programs_trade=True) as begun:
        assert (await begun.engine.arm_auto("cli", "test")).ok
        name = (await post(begun, "/suggestions", {"id": "p1", "symbol": "KO", "side": "BUY"}))["data"]["suggestion_id"]
        assert (await post(begun, f"/suggestions/{name}/approve", {"hash": "stale"}, 422))["code"] == "HASH"
        await begun.told(f"/suggestions/{name}", lambda found: found["approval_hash"])
        await begun.engine.run(2.0)  # a bracket of the agent itself may have filled this second (G8)
        shown = await get(begun, f"/suggestions/{name}")
        told = await post(begun, f"/suggestions/{name}/approve", {"hash": shown["approval_hash"]})
        assert told["data"]["state"] == "SENT"
        entry = next(o for o in begun.orders.values() if o.request.suggestion_id == name)
        assert entry.request.origin is Origin.PROGRAM
        await begun.engine.run(2.0)
        other = await post(begun, "/suggestions", {"id": "p2", "symbol": "MSFT", "side": "BUY"})
        name = other["data"]["suggestion_id"]
        assert (await post(begun, f"/suggestions/{name}/reject", {"code": "WHY"}, 422))["code"] == "BODY"
        assert (await post(begun, f"/suggestions/{name}/reject", {"code": "PRICE"}))["ok"]
        assert begun.engine.parts.board.state(name) is SuggestionState.REJECTED


async def test_a_body_that_is_not_understood_is_refused_by_field(trading):
    for body, word in (
        ({}, "id"),
        ({"id": "a"}, "symbol"),
        ({"id": "a", "symbol": "KO", "side": "BUY"}, "quantity"),
        ({"id": "a", "symbol": "KO", "side": "HOLD", "quantity": 1}, "side"),
        ({"id": "a", "symbol": "KO", "side": "BUY", "quantity": "NaN"}, "quantity"),
        ({"id": "a", "symbol": "KO", "side": "BUY", "quantity": -1}, "quantity"),
        ({"id": "a", "symbol": "KO", "side": "BUY", "quantity": 1, "limit_price": "Infinity"}, "limit_price"),
        ({"id": "a", "symbol": "<KO>", "side": "BUY", "quantity": 1}, "symbol"),
        ({"id": "a", "symbol": "KO", "side": "BUY", "quantity": 1, "origin": "M"}, "origin"),
        ({"id": "a", "symbol": "KO", "side": "BUY", "quantity": 1, "confirmed": ["G4"]}, "confirmed"),
        ({"id": "a b", "text": "buy KO 1 @ 1"}, "id"),
        ({"id": "a", "text": "buy KO much"}, "much"),
        ({"id": "a", "text": "flatten all"}, "buy and sell"),
        ({"id": "a", "text": "buy KO 1 @ 1", "quantity": 5}, "text"),
        ([], "object"),
    ):
        told = await post(trading, "/orders", body, 422)
        assert word in told["text"], (body, told)
    assert trading.orders == {}


# --- the engine is not there


async def test_without_an_engine_nothing_old_is_told_and_a_halt_leaves_the_flag(tmp_path):
    profile = tmp_path / "profile"
    async with running(profile) as begun:
        await begun.engine.stop()
        begun.engine.stop = lambda: asyncio.sleep(0)
        assert (await begun.told("/health", lambda health: not health["engine"]))["why"]
        for path in ("/positions", "/orders", "/quotes", "/status", "/bars?symbol=KO"):
            assert (await get(begun, path, 503))["code"] == "NO_ENGINE", path
        assert not (profile / "HALT").exists()
        assert "HALT" in (await post(begun, "/halt", {}, 503))["text"]
        assert (profile / "HALT").exists()
        (profile / "HALT").unlink()
        later = make_engine(profile, autonomy=Autonomy.ASK)
        await later.start()
        await later.listen()
        await begun.told("/health", lambda health: health["engine"])
        assert (await get(begun, "/status"))["book"] == "paper"
        await later.stop()


async def test_what_an_engine_told_that_says_nothing_any_more_is_not_told_as_if_it_were_true(begun, monkeypatch):
    monkeypatch.setattr("service.link.SILENT_S", -1.0)
    for path in ("/positions", "/orders", "/quotes"):
        told = await get(begun, path, 503)
        assert (told["code"], "said nothing" in told["text"]) == ("NO_ENGINE", True), path
    health = await get(begun, "/health")
    assert (health["engine"], "said nothing" in health["why"]) == (False, True)
    monkeypatch.undo()
    assert (await get(begun, "/health"))["engine"]


async def test_an_engine_that_goes_on_speaking_is_up_again(begun):
    at = [0.0]
    link = EngineLink(begun.spec.profile, "api", now=lambda: at[0])
    running_link = asyncio.create_task(link.run())
    assert await link.ready(20.0)
    at[0] += SILENT_S + 1
    assert not link.up
    assert "said nothing for 6 s" in link.why
    for _ in range(400):
        if link.up:
            break
        await asyncio.sleep(0.05)
    assert link.up
    running_link.cancel()
    await asyncio.gather(running_link, return_exceptions=True)
    assert not link.up
