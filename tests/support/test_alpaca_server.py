"""The fake Alpaca speaks REST and both streams, and goes wrong by name."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.alpaca_server.faults import AlpacaFaults
from tests.support.alpaca_server.server import AlpacaServer

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)
KEYS = {"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "not-a-secret"}


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer(start=START) as running:
        yield running
        assert running.faults.never_fired() == []


@pytest.fixture
async def rest(server: AlpacaServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.base_url, headers=KEYS, trust_env=False) as client:
        yield client


def body(ref: str = "a", **more: Any) -> dict[str, Any]:
    plain = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "limit", "time_in_force": "day"}
    return {**plain, "limit_price": "150", "client_order_id": ref, **more}


async def post(rest: httpx2.AsyncClient, ref: str = "a", **more: Any) -> httpx2.Response:
    return await rest.post("/orders", json=body(ref, **more))


async def updates(server: AlpacaServer) -> ClientConnection:
    socket = await connect(server.order_stream_url, proxy=None)
    await socket.send(
        json.dumps({"action": "authenticate", "data": {"key_id": "PKTEST", "secret_key": "not-a-secret"}})
    )
    assert json.loads(await socket.recv())["data"]["status"] == "authorized"
    await socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
    assert json.loads(await socket.recv())["data"]["streams"] == ["trade_updates"]
    return socket


async def test_an_order_rests_is_changed_into_a_new_id_and_is_cancelled(
    server: AlpacaServer, rest: httpx2.AsyncClient
) -> None:
    made = (await post(rest)).json()
    assert (made["status"], made["qty"], made["limit_price"]) == ("new", "10", "150")
    changed = (await rest.patch(f"/orders/{made['id']}", json={"limit_price": "151"})).json()
    assert changed["id"] != made["id"]
    assert changed["replaces"] == made["id"]
    old = (await rest.get(f"/orders/{made['id']}")).json()
    assert (old["status"], old["replaced_by"]) == ("replaced", changed["id"])
    assert [o["id"] for o in (await rest.get("/orders")).json()] == [changed["id"]]
    assert (await rest.delete(f"/orders/{changed['id']}")).status_code == 204
    again = await rest.delete(f"/orders/{changed['id']}")
    assert (again.status_code, again.json()["code"]) == (422, 42210000)


async def test_a_client_order_id_is_unique_and_finds_its_order(rest: httpx2.AsyncClient) -> None:
    assert (await post(rest, "one")).status_code == 200
    second = await post(rest, "one")
    assert (second.status_code, second.json()["message"]) == (422, "client_order_id must be unique")
    found = await rest.get("/orders:by_client_order_id", params={"client_order_id": "one"})
    assert found.json()["client_order_id"] == "one"
    assert (await rest.get("/orders:by_client_order_id", params={"client_order_id": "two"})).status_code == 404


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"symbol": "NOSUCH"}, 422),
        ({"qty": "0"}, 422),
        ({"qty": "nan"}, 422),
        ({"limit_price": None}, 422),
        ({"limit_price": "150.005"}, 422),
        ({"extended_hours": True, "time_in_force": "gtc"}, 422),
        ({"qty": "1000000"}, 403),
        ({"client_order_id": "x" * 129}, 422),
    ],
)
async def test_a_bad_order_is_refused(
    server: AlpacaServer, rest: httpx2.AsyncClient, more: dict[str, Any], status: int
) -> None:
    answer = await post(rest, **more)
    assert answer.status_code == status
    assert str(answer.json()["code"]).startswith(str(status))
    assert server.book.orders == []


async def test_fills_move_position_cash_and_activities(server: AlpacaServer, rest: httpx2.AsyncClient) -> None:
    server.set_quote("AAPL", "189.99", "190.01", liquidity="4")
    first = (await post(rest, limit_price="190.01")).json()
    assert (first["status"], first["filled_qty"]) == ("partially_filled", "4")
    server.set_quote("AAPL", "189.98", "190.00")
    position = (await rest.get("/positions/AAPL")).json()
    assert (position["qty"], position["avg_entry_price"]) == ("10", "190.004")
    assert (await rest.get("/account")).json()["cash"] == "98099.96"
    fills = (await rest.get("/account/activities", params={"activity_types": "FILL", "direction": "asc"})).json()
    assert [f["qty"] for f in fills] == ["4", "6"]
    page = {"direction": "asc", "page_token": fills[0]["id"]}
    assert [f["qty"] for f in (await rest.get("/account/activities", params=page)).json()] == ["6"]
    assert (await rest.delete("/positions/AAPL")).json()["status"] == "filled"
    assert (await rest.get("/positions")).json() == []


async def test_a_second_sell_of_the_same_shares_is_refused(server: AlpacaServer, rest: httpx2.AsyncClient) -> None:
    await post(rest, type="market", limit_price=None)
    sell = {"side": "sell", "limit_price": "250"}
    assert (await post(rest, "s1", **sell)).status_code == 200
    second = await post(rest, "s2", **sell)
    assert second.status_code == 403
    assert second.json()["available_qty"] == "0"


async def test_an_order_that_would_trade_with_our_own_is_refused(rest: httpx2.AsyncClient) -> None:
    await post(rest, "buy", type="market", limit_price=None)
    await post(rest, "sell", side="sell", limit_price="195")
    wash = await post(rest, "cross", limit_price="196")
    assert "wash trade" in wash.json()["message"]


async def test_a_bracket_arms_its_exits_with_the_fill_and_one_cancels_the_other(
    server: AlpacaServer, rest: httpx2.AsyncClient
) -> None:
    exits = {"take_profit": {"limit_price": "200"}, "stop_loss": {"stop_price": "180"}}
    made = (await post(rest, limit_price="189", order_class="bracket", **exits)).json()
    assert [leg["status"] for leg in made["legs"]] == ["held", "held"]
    server.set_price("AAPL", "188.99")
    assert [o.status for o in server.book.orders] == ["filled", "new", "new"]
    server.set_price("AAPL", "180")
    assert [o.status for o in server.book.orders] == ["filled", "canceled", "filled"]
    assert server.book.held("AAPL") == 0


@pytest.mark.parametrize(("price", "states"), [("200", ["filled", "canceled"]), ("180", ["canceled", "filled"])])
async def test_one_exit_of_an_oco_pair_cancels_the_other(
    server: AlpacaServer, rest: httpx2.AsyncClient, price: str, states: list[str]
) -> None:
    pair = {"side": "sell", "order_class": "oco", "limit_price": "199.99"}
    pair |= {"take_profit": {"limit_price": "199.99"}, "stop_loss": {"stop_price": "180"}}
    assert (await post(rest, "early", **pair)).status_code == 422
    await post(rest, "in", type="market", limit_price=None)
    assert (await post(rest, "out", **pair)).json()["legs"][0]["stop_price"] == "180"
    server.set_price("AAPL", price)
    assert [o.status for o in server.book.orders[1:]] == states
    assert server.book.held("AAPL") == 0


async def test_day_orders_expire_at_the_close_and_reference_data_is_served(
    server: AlpacaServer, rest: httpx2.AsyncClient
) -> None:
    made = (await post(rest)).json()
    server.book.close_day()
    assert (await rest.get(f"/orders/{made['id']}")).json()["status"] == "expired"
    clock = (await rest.get("/clock")).json()
    assert (clock["is_open"], clock["next_close"][:16]) == (False, "2024-01-05T16:00")
    days = (await rest.get("/calendar", params={"start": "2024-01-05", "end": "2024-01-09"})).json()
    assert [d["date"] for d in days] == ["2024-01-05", "2024-01-08", "2024-01-09"]
    assert (await rest.get("/assets/AAPL")).json()["tradable"] is True
    assert (await rest.get("/assets/NOSUCH")).status_code == 404


async def test_without_the_key_everything_is_401_and_too_many_requests_are_429() -> None:
    async with AlpacaServer(start=START, requests_a_minute=2) as server:
        async with httpx2.AsyncClient(base_url=server.base_url, trust_env=False) as nobody:
            assert (await nobody.get("/account")).status_code == 401
        async with httpx2.AsyncClient(base_url=server.base_url, headers=KEYS, trust_env=False) as rest:
            answers = [await rest.get("/account") for _ in range(3)]
        assert [a.status_code for a in answers] == [200, 200, 429]
        assert answers[0].headers["x-ratelimit-remaining"] == "1"
        assert int(answers[2].headers["x-ratelimit-reset"]) > START.timestamp()


# -- streams ------------------------------------------------------------------------------------


async def test_trade_updates_come_as_binary_frames_in_order(server: AlpacaServer, rest: httpx2.AsyncClient) -> None:
    socket = await updates(server)
    await post(rest, limit_price="190.01")
    frames = [await socket.recv() for _ in range(3)]
    assert all(isinstance(f, bytes) for f in frames)
    events = [json.loads(f)["data"] for f in frames]
    assert [e["event"] for e in events] == ["pending_new", "new", "fill"]
    assert (events[2]["qty"], events[2]["price"], events[2]["position_qty"]) == ("10", "190.01", "10")
    assert events[2]["order"]["client_order_id"] == "a"
    await socket.close()


async def test_a_wrong_key_is_unauthorized_on_both_streams(server: AlpacaServer) -> None:
    async with connect(server.order_stream_url, proxy=None) as socket:
        await socket.send(json.dumps({"action": "auth", "key": "x", "secret": "y"}))
        assert json.loads(await socket.recv())["data"]["status"] == "unauthorized"
    async with connect(server.data_stream_url, proxy=None) as socket:
        await socket.recv()
        await socket.send(json.dumps({"action": "subscribe", "trades": ["AAPL"]}))
        assert json.loads(await socket.recv())[0]["code"] == 401
        await socket.send(json.dumps({"action": "auth", "key": "x", "secret": "y"}))
        assert json.loads(await socket.recv())[0]["code"] == 402
        await socket.send("{")
        assert json.loads(await socket.recv())[0]["code"] == 400


@pytest.mark.parametrize("packed", [False, True])
async def test_market_data_comes_as_json_or_msgpack(server: AlpacaServer, packed: bool) -> None:
    def encode(message: object) -> Any:
        return msgspec.msgpack.encode(message) if packed else json.dumps(message)

    def decode(frame: Any) -> Any:
        return msgspec.msgpack.decode(frame) if packed else json.loads(frame)

    headers = {"Content-Type": "application/msgpack"} if packed else {}
    async with connect(server.data_stream_url, additional_headers=headers, proxy=None) as socket:
        assert decode(await socket.recv()) == [{"T": "success", "msg": "connected"}]
        await socket.send(encode({"action": "auth", "key": "PKTEST", "secret": "not-a-secret"}))
        assert decode(await socket.recv())[0]["msg"] == "authenticated"
        await socket.send(encode({"action": "subscribe", "trades": ["AAPL"], "quotes": ["*"]}))
        state = decode(await socket.recv())[0]
        assert (state["trades"], state["quotes"], state["bars"]) == (["AAPL"], ["*"], [])
        server.set_price("MSFT", "411")
        server.set_price("AAPL", "191")
        got = [decode(await socket.recv())[0] for _ in range(3)]
        assert [(m["T"], m["S"]) for m in got] == [("q", "MSFT"), ("t", "AAPL"), ("q", "AAPL")]
        async with connect(server.data_stream_url, proxy=None) as second:
            await second.recv()
            await second.send(json.dumps({"action": "auth", "key": "PKTEST", "secret": "not-a-secret"}))
            assert json.loads(await second.recv())[0]["code"] == 406


# -- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "recorded"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_connection_that_ends_says_nothing_about_the_order(
    server: AlpacaServer, rest: httpx2.AsyncClient, fault: str, recorded: int
) -> None:
    server.faults.add(fault, method="POST")
    with pytest.raises(httpx2.TransportError):
        await post(rest, "lost")
    assert len(server.book.orders) == recorded
    assert server.placed("lost") == 1
    found = await rest.get("/orders:by_client_order_id", params={"client_order_id": "lost"})
    assert found.status_code == (200 if recorded else 404)


@pytest.mark.parametrize(
    ("fault", "status", "recorded"), [("error_before", 500, 0), ("error_after", 504, 1), ("rate_limit", 429, 0)]
)
async def test_an_error_answer_may_hide_an_order(
    server: AlpacaServer, rest: httpx2.AsyncClient, fault: str, status: int, recorded: int
) -> None:
    server.faults.add(fault, method="POST", path="/v2/orders")
    assert (await post(rest)).status_code == status
    assert len(server.book.orders) == recorded


async def test_slow_broken_and_missing_answers(server: AlpacaServer, rest: httpx2.AsyncClient) -> None:
    server.faults.add("slow", seconds=0.3)
    with pytest.raises(httpx2.TimeoutException):
        await rest.get("/account", timeout=0.05)
    server.faults.add("bad_json")
    with pytest.raises(ValueError, match="Expecting value"):
        (await rest.get("/account")).json()
    server.faults.add("missing", path="/v2/positions")
    assert (await rest.get("/positions")).status_code == 404
    server.faults.add("auth_refused", path="/v2/account")
    assert (await rest.get("/account")).status_code == 401


async def test_rejections_and_late_fills_come_over_the_stream(server: AlpacaServer, rest: httpx2.AsyncClient) -> None:
    server.faults.add("rejected", client_order_id="r")
    server.faults.add("cancel_rejected", client_order_id="c")
    server.faults.add("late_fill", client_order_id="c", qty=3)
    server.faults.add("cancel_pending", client_order_id="p")
    server.faults.add("replace_rejected", client_order_id="p")
    server.faults.add("lost_event", event="pending_new")
    server.faults.add("duplicate_event", event="new", client_order_id="c")
    socket = await updates(server)
    assert (await post(rest, "r")).json()["status"] == "rejected"
    made = (await post(rest, "c")).json()
    await rest.delete(f"/orders/{made['id']}")
    await rest.delete(f"/orders/{made['id']}")
    other = (await post(rest, "p")).json()
    await rest.patch(f"/orders/{other['id']}", json={"qty": "11"})
    await rest.delete(f"/orders/{other['id']}")
    expected = ["rejected", "pending_new", "new", "new", "order_cancel_rejected", "canceled", "partial_fill"]
    expected += ["pending_new", "new", "order_replace_rejected", "pending_cancel"]
    assert [json.loads(await socket.recv())["data"]["event"] for _ in expected] == expected
    assert server.book.held("AAPL") == 3
    await socket.close()


def test_a_fault_that_makes_no_sense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        AlpacaFaults().add("nonsense")
    with pytest.raises(ValueError, match="no parameter"):
        AlpacaFaults().add("slow", colour=1)
