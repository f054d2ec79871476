"""The stream over real sockets: snapshots, changes, ordered notices, and resuming where it was lost."""

import asyncio
import json

import pytest
import websockets

from engine.api.commands import CancelAll, PlaceOrder
from engine.api.frames import Notice, RowsChanged
from engine.api.rows import AlarmRow
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.money import exact
from engine.model.order import OrderRequest
from service.mirror import GONE_KEPT, Mirror
from service.stream import Cursor, Streams, Wish, read_wish
from service.tokens import Scope
from tests.service.house import Begun, running, served

KO = Symbol("KO")


def connect(begun, query: str = ""):
    url = f"ws://127.0.0.1:{begun.port}/stream{query}"
    return websockets.connect(url, additional_headers=begun.headers(Scope.READ))


async def until(socket, done, seen: list | None = None) -> list:
    found = [] if seen is None else seen
    async with asyncio.timeout(20):
        while not done(found):
            found.append(json.loads(await socket.recv()))
    return found


async def trade(begun, name: str) -> None:
    price = begun.engine.parts.place.cache.quote(KO)
    request = OrderRequest(
        intent_id=IntentId(name),
        symbol=KO,
        side=Side.BUY,
        quantity=exact(5),
        limit_price=exact(round(price.bid * 0.99, 2)),
    )
    handle = begun.engine.parts.handler.handle
    assert (await handle(PlaceOrder(request=request, by="cli"))).ok
    await handle(CancelAll(by="cli"))
    await begun.engine.run(2.0)


def notices(messages: list) -> list:
    return [message for message in messages if message["type"] == "notice"]


async def test_snapshots_come_first_then_changes_and_notices_in_order(begun):
    async with connect(begun, "?tables=orders,state&rate=10") as socket:
        seen = await until(socket, lambda m: len([x for x in m if x.get("reset")]) == 2)
        assert seen[0]["type"] == "hello"
        assert not seen[0]["missed"]
        await trade(begun, "one")
        await until(socket, lambda m: any(x.get("table") == "orders" and x["rows"] and not x["reset"] for x in m), seen)
        await until(socket, lambda m: len(notices(m)) >= 3, seen)
    numbers = [notice["seq"] for notice in notices(seen)]
    assert numbers == list(range(seen[0]["seq"] + 1, seen[0]["seq"] + 1 + len(numbers)))
    assert any(notice["kind"].startswith("Order") for notice in notices(seen))


async def test_prices_come_for_the_symbols_that_were_named(begun):
    async with connect(begun, "?tables=&quotes=KO&rate=10") as socket:
        seen = await until(socket, lambda m: any(x["type"] == "quotes" for x in m))
        await begun.engine.run(5.0)
        await until(socket, lambda m: len([x for x in m if x["type"] == "quotes"]) >= 2, seen)
    rows = [row for message in seen if message["type"] == "quotes" for row in message["rows"]]
    assert {row["symbol"] for row in rows} == {"KO"}
    assert rows[-1]["bid"] == begun.engine.parts.place.cache.quote(KO).bid


async def test_a_client_that_comes_back_gets_what_it_missed_and_nothing_twice(begun):
    async with connect(begun, "?tables=") as socket:
        hello = json.loads(await socket.recv())
        await trade(begun, "one")
        seen = await until(socket, lambda m: len(notices(m)) >= 2)
    last = notices(seen)[-1]["seq"]
    await trade(begun, "two")
    query = f"?tables=&epoch={hello['epoch']}&since={last}"
    async with connect(begun, query) as socket:
        again = await until(socket, lambda m: len(notices(m)) >= 3)
    assert again[0] == {"type": "hello", "epoch": hello["epoch"], "seq": last, "missed": False}
    assert [notice["seq"] for notice in notices(again)][:3] == [last + 1, last + 2, last + 3]
    async with connect(begun, f"?tables=&epoch=another&since={last}") as socket:
        assert json.loads(await socket.recv())["missed"] is True


async def test_a_service_that_was_restarted_still_knows_what_was_missed(tmp_path):
    async with running(tmp_path / "profile") as begun:
        async with connect(begun, "?tables=") as socket:
            hello = json.loads(await socket.recv())
        await trade(begun, "one")
        async with served(begun.spec) as port:
            again = Begun(begun.engine, begun.spec, port)
            async with again.http:
                await again.told("/health", lambda health: health["engine"])
            async with connect(again, f"?tables=&epoch={hello['epoch']}&since={hello['seq']}") as socket:
                seen = await until(socket, lambda m: len(notices(m)) >= 2)
    assert not seen[0]["missed"]
    assert notices(seen)[0]["seq"] == hello["seq"] + 1


async def test_the_stream_ends_with_the_engine_and_says_to_come_again(tmp_path):
    async with running(tmp_path / "profile") as begun:
        async with connect(begun, "?tables=state") as socket:
            await socket.recv()
            await begun.engine.stop()
            begun.engine.stop = lambda: asyncio.sleep(0)
            async with asyncio.timeout(20):
                await socket.wait_closed()
        assert socket.close_code == 1012


@pytest.mark.parametrize("query", ["?tables=nope", "?quotes=%3Cx%3E", "?rate=0", "?rate=99", "?since=-1", "?since=x"])
async def test_a_stream_that_makes_no_sense_is_not_opened(begun, query):
    with pytest.raises((websockets.exceptions.InvalidStatus, websockets.exceptions.ConnectionClosed)):
        async with connect(begun, query) as socket:
            await socket.recv()


# --- the cursor, pure


def notice(seq: int) -> Notice:
    return Notice(seq=seq, kind="Alarm", event={})


def rows(*keys: str, reset: bool = False, removed: tuple[str, ...] = ()) -> RowsChanged:
    made = tuple(AlarmRow(key=key, severity="red", happened=key) for key in keys)
    return RowsChanged(table="alarms", rows=made, reset=reset, removed=removed)


def told(cursor: Cursor) -> list:
    found = list(cursor.cut())
    return [(m.get("seq") or m["reset"], [r.key for r in m.get("rows", [])], m.get("removed")) for m in found]


def test_a_slow_client_gets_the_newest_state_and_every_notice():
    mirror = Mirror()
    mirror.begin("a")
    cursor = Cursor(mirror, Wish(tables=("alarms",)))
    mirror.apply(rows("a", "b", reset=True))
    assert told(cursor) == [(True, ["a", "b"], [])]
    for change in (rows("a"), rows("c"), rows("a"), rows(removed=("b",)), notice(1), notice(2)):
        mirror.apply(change)
    assert told(cursor) == [(1, [], None), (2, [], None), (False, ["c", "a"], ["b"])]
    assert told(cursor) == []
    mirror.apply(rows("z", reset=True))
    assert told(cursor) == [(True, ["z"], [])]


def test_a_client_that_fell_out_of_what_is_kept_is_told_so():
    mirror = Mirror()
    mirror.begin("a")
    cursor = Cursor(mirror, Wish(tables=()))
    mirror.apply(notice(7))
    assert [m["type"] for m in cursor.cut()] == ["missed", "notice"]
    assert Cursor(mirror, Wish(epoch="a", since=3)).missed
    assert not Cursor(mirror, Wish(epoch="a", since=6)).missed
    assert Cursor(mirror, Wish(epoch="a", since=8)).missed
    assert not Cursor(mirror, Wish()).missed


def test_a_repeated_notice_is_told_once_and_another_engine_starts_at_nothing():
    mirror = Mirror()
    mirror.begin("a")
    for seq in (1, 2, 2, 1, 3):
        mirror.apply(notice(seq))
    assert [n.seq for n in mirror.notices_since(0)] == [1, 2, 3]
    mirror.begin("a")
    assert mirror.last_seq == 3
    mirror.begin("b")
    assert (mirror.last_seq, list(mirror.notices_since(0))) == (0, [])


def test_the_wish_is_read_with_its_defaults():
    assert read_wish({}).tables[0] == "state"
    assert read_wish({"quotes": "ko, aapl"}).quotes == ("KO", "AAPL")
    assert read_wish({"quotes": "*", "notices": "false"}).notices is False


def test_rows_that_come_and_go_for_days_do_not_pile_up_and_who_missed_them_starts_anew():
    mirror = Mirror()
    mirror.begin("a")
    quick, slow = Cursor(mirror, Wish(tables=("alarms",))), Cursor(mirror, Wish(tables=("alarms",)))
    mirror.apply(rows("stays", reset=True))
    told(quick), told(slow)
    for number in range(3 * GONE_KEPT):
        mirror.apply(rows(f"r{number}"))
        mirror.apply(rows(removed=(f"r{number}",)))
        assert told(quick) == [(False, [], [f"r{number}"])]
    assert len(mirror.tables["alarms"].changed) <= GONE_KEPT + 2
    assert told(slow) == [(True, ["stays"], [])]


class Stuck:
    """A client that has opened a stream and reads nothing."""

    query_params: dict[str, str] = {}

    async def accept(self) -> None:
        return

    async def receive(self) -> None:
        await asyncio.Event().wait()

    async def send_text(self, text: str) -> None:
        raise TimeoutError

    async def close(self, code: int, reason: str) -> None:
        await asyncio.Event().wait()


class Up:
    """A link to an engine."""

    up = True

    def __init__(self) -> None:
        self.mirror = Mirror()


async def test_a_client_that_reads_nothing_is_left_and_holds_nothing(monkeypatch):
    monkeypatch.setattr("service.stream.CLOSE_PATIENCE_S", 0.05)
    async with asyncio.timeout(5):
        await Streams(Up()).serve(Stuck())
