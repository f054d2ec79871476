"""Alpaca's prices and history over real sockets: what is heard, what is refused, what is lost."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, LiveClock
from engine.bus.errors import ProviderError, ProviderRefused
from engine.collection.collector import Collector
from engine.collection.provider import DataKind
from engine.collection.providers.alpaca.provider import AlpacaProvider
from engine.collection.providers.alpaca.reading import event_of, nanoseconds
from engine.collection.providers.alpaca.settings import AlpacaDataSettings
from engine.collection.settings import CollectionSettings
from engine.model.events.base import Event
from engine.model.events.market import (
    BarClosed,
    HaltChanged,
    ProviderConnected,
    ProviderLost,
    QuoteTick,
    TradeTick,
)
from engine.model.ids import Symbol
from engine.model.market import DataType, Session
from engine.security.secret import Secret
from tests.engine.risk.world import DAY, OPEN_NS, session_at
from tests.support.alpaca_server.http import Answer, HttpServer, Request
from tests.support.alpaca_server.server import AlpacaServer

A, B, C = Symbol("AAPL"), Symbol("MSFT"), Symbol("NVDA")


def session_of(symbol: Symbol, at_ns: int) -> Session | None:
    return session_at(at_ns)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer() as running:
        yield running
        assert running.faults.never_fired() == []


class Case:
    """A provider, and what it said."""

    def __init__(self, server: AlpacaServer, key: str = "PKTEST", **values: Any) -> None:
        self.heard: list[Event] = []
        self.lost: list[str] = []
        self.degraded: list[str] = []
        fields = {"stream_url": server.data_stream_url, "timeout_s": 1.0, **values}
        self.provider = AlpacaProvider(
            self.heard.append,
            LiveClock(),
            AlpacaDataSettings(**fields),
            key=Secret(key),
            secret=Secret("not-a-secret"),
            session=session_of,
            lost=self.lost.append,
            degraded=self.degraded.append,
        )

    async def until(self, holds: Callable[[], object]) -> None:
        for _ in range(200):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not come to hold in time")

    async def subscribed(self, server: AlpacaServer, *symbols: Symbol) -> None:
        await self.until(lambda: server.streams.data and server.streams.data[0].wants["quotes"] == set(symbols))

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.heard if type(event) is kind]


@pytest.fixture
async def case(server: AlpacaServer) -> AsyncIterator[Case]:
    case = Case(server)
    yield case
    await case.provider.stop()


async def test_it_tells_quotes_and_trades_of_watched_symbols_with_the_times_of_the_source(
    server: AlpacaServer, case: Case
) -> None:
    await case.provider.start()
    case.provider.watch([A, B])
    await case.subscribed(server, A, B)
    before = server.clock()
    server.set_price("AAPL", "191.5")
    server.set_price("NVDA", "120")
    await case.until(lambda: case.of(QuoteTick) and case.of(TradeTick))
    (trade,), (quote,) = case.of(TradeTick), case.of(QuoteTick)
    assert (trade.symbol, trade.price, trade.size, trade.source) == (A, 191.5, 100.0, "alpaca")
    assert (quote.bid, quote.ask, quote.data_type) == (191.49, 191.51, DataType.LIVE)
    assert before <= trade.ts_event <= quote.ts_event <= quote.ts_init


async def test_it_is_silent_after_unwatch_and_after_stop_and_may_be_stopped_twice(
    server: AlpacaServer, case: Case
) -> None:
    await case.provider.stop()
    await case.provider.start()
    case.provider.watch([A, B])
    await case.subscribed(server, A, B)
    case.provider.unwatch([A, Symbol("NEVER")])
    server.set_price("AAPL", "191")
    server.set_price("MSFT", "411")
    await case.until(lambda: case.of(QuoteTick))
    assert {event.symbol for event in case.heard} == {B}  # type: ignore[attr-defined]
    await case.subscribed(server, B)
    await case.provider.stop()
    case.heard.clear()
    server.set_price("MSFT", "412")
    await asyncio.sleep(0.05)
    assert case.heard == []
    await case.provider.stop()
    assert case.lost == []


async def test_a_wrong_key_is_a_refusal_and_a_taken_connection_is_tried_again(server: AlpacaServer) -> None:
    wrong = Case(server, key="WRONG")
    with pytest.raises(ProviderRefused, match="key was refused"):
        await wrong.provider.start()
    first, second = Case(server), Case(server)
    await first.provider.start()
    with pytest.raises(ProviderError, match="connection limit") as error:
        await second.provider.start()
    assert not isinstance(error.value, ProviderRefused)
    await first.provider.stop()
    await second.provider.stop()


async def test_a_server_that_is_not_there_or_says_nothing_is_a_provider_error(server: AlpacaServer) -> None:
    gone = Case(server, stream_url="ws://127.0.0.1:9/v2/iex")
    with pytest.raises(ProviderError):
        await gone.provider.start()
    server.faults.add("stream_silent")
    silent = Case(server, timeout_s=0.2)
    with pytest.raises(ProviderError, match="within"):
        await silent.provider.start()


@pytest.mark.parametrize("fault", ["drop", "slow_client"])
async def test_a_line_that_breaks_is_told_once(server: AlpacaServer, case: Case, fault: str) -> None:
    if fault == "slow_client":
        server.faults.add("slow_client")
    await case.provider.start()
    case.provider.watch([A])
    if fault == "drop":
        await case.subscribed(server, A)
        server.streams.drop()
    await case.until(lambda: case.lost)
    assert len(case.lost) == 1
    assert fault == "drop" or "407" in case.lost[0]


async def test_the_collector_takes_up_a_lost_line_with_all_its_symbols(server: AlpacaServer) -> None:
    said: list[Event] = []
    bus = Bus(lambda owner, role, event, error: pytest.fail(repr(error)))
    for kind in (ProviderConnected, ProviderLost):
        bus.subscribe(kind, said.append, owner="test")
    heard: list[Event] = []
    settings = AlpacaDataSettings(stream_url=server.data_stream_url, timeout_s=1.0)

    def factory(emit: Callable[[Event], None]) -> AlpacaProvider:
        return AlpacaProvider(
            emit,
            LiveClock(),
            settings,
            key=Secret("PKTEST"),
            secret=Secret("not-a-secret"),
            session=session_of,
            lost=lambda reason: collector.lost("alpaca", reason),
            degraded=lambda reason: collector.degraded("alpaca", reason),
        )

    quick = CollectionSettings(retry_first_s=0.05)
    collector = Collector(bus, LiveClock(), quick, heard.append, [factory], np.random.default_rng(1))
    await collector.start()
    collector.watch([A, B])
    server.streams.drop()
    for _ in range(200):
        await asyncio.sleep(0.01)
        wanted = server.streams.data and server.streams.data[0].wants["quotes"] == {A, B}
        if wanted and any(isinstance(event, ProviderLost) for event in said):
            break
    server.set_price("AAPL", "191")
    await asyncio.sleep(0.05)
    assert [type(event).__name__ for event in said] == ["ProviderConnected", "ProviderLost", "ProviderConnected"]
    assert any(isinstance(event, QuoteTick) for event in heard)
    await collector.stop()


async def test_more_symbols_than_the_plan_allows_wait_for_a_place_and_it_says_so(server: AlpacaServer) -> None:
    case = Case(server, symbols=2)
    await case.provider.start()
    case.provider.watch([A, B, C])
    await case.subscribed(server, A, B)
    assert case.degraded[-1] == "1 symbols are not heard: the plan allows 2"
    case.provider.unwatch([A])
    await case.subscribed(server, B, C)
    assert case.degraded[-1] == ""
    await case.provider.stop()


async def test_a_plan_that_allows_fewer_symbols_than_the_settings_say_is_told(server: AlpacaServer) -> None:
    server.symbol_limit = 1
    case = Case(server)
    await case.provider.start()
    case.provider.watch([A, B])
    await case.until(lambda: case.degraded and "plan" in case.degraded[-1])
    assert case.lost == []
    await case.provider.stop()


async def test_each_feed_says_what_its_prices_are(server: AlpacaServer) -> None:
    delayed = Case(server, stream_url=server.data_stream_url.replace("iex", "delayed_sip"))
    await delayed.provider.start()
    delayed.provider.watch([A])
    await delayed.subscribed(server, A)
    server.set_price("AAPL", "191")
    await delayed.until(lambda: delayed.of(QuoteTick))
    assert delayed.of(QuoteTick)[0].data_type is DataType.DELAYED
    assert "late" in delayed.provider.text
    assert "IEX" in Case(server).provider.text
    await delayed.provider.stop()


async def test_bars_and_halts_are_told(server: AlpacaServer) -> None:
    case = Case(server, bars=True)
    assert DataKind.BARS in case.provider.kinds
    await case.provider.start()
    case.provider.watch([A])
    await case.subscribed(server, A)
    at = "2024-01-05T15:00:00Z"
    bar = {"T": "b", "S": "AAPL", "o": 1, "h": 3, "l": 0.5, "c": 2, "v": 10, "vw": 1.5, "n": 4, "t": at}
    server.streams.market(bar)
    server.streams.market({"T": "s", "S": "AAPL", "sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "News", "t": at})
    server.streams.market({"T": "s", "S": "AAPL", "sc": "Q", "t": at})
    server.streams.market({"T": "s", "S": "AAPL", "sc": "T", "t": at})
    await case.until(lambda: len(case.of(HaltChanged)) == 2)
    (made,) = case.of(BarClosed)
    assert (made.seconds, made.ts_event - made.ts_open, made.close, made.vwap, made.trades) == (
        60,
        60 * SECOND,
        2,
        1.5,
        4,
    )
    assert [(e.halted, e.reason) for e in case.of(HaltChanged)] == [(True, "News"), (False, "")]
    await case.provider.stop()


def test_a_side_without_a_price_is_unknown_and_an_unreadable_message_is_an_error() -> None:
    quote = {"T": "q", "S": "AAPL", "bp": 0, "bs": 0, "ap": 10, "as": 2, "t": "2024-01-05T15:00:00.000000001Z"}
    event = event_of(quote, 1, DataType.LIVE, 100)
    assert isinstance(event, QuoteTick)
    assert math.isnan(event.bid)
    assert (event.ask, event.ask_size) == (10.0, 200.0)
    assert event.ts_event % SECOND == 1
    assert event_of({"T": "d"}, 1, DataType.LIVE, 1) is None
    for broken in ({"bp": "x"}, {"t": "yesterday"}, {"ap": None}):
        with pytest.raises(ProviderError):
            event_of({**quote, **broken}, 1, DataType.LIVE, 1)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01T00:00:01.5Z", SECOND * 3 // 2),
        ("1970-01-01T01:00:01.000000007+01:00", SECOND + 7),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, ns: int) -> None:
    assert nanoseconds(text) == ns


# -- history


class DataServer:
    """Bars over REST, in pages."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: Answer | None = None
        self.page = 50
        self._http = HttpServer(self._handle)

    async def __aenter__(self) -> "DataServer":
        self.port = await self._http.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.stop()

    async def _handle(self, request: Request) -> Answer:
        self.asked.append(request.query)
        if self.answer is not None:
            return self.answer
        if request.headers.get("apca-api-key-id") != "PKTEST":
            return Answer(401, {"message": "no"})
        q = request.query
        start, end = (round(datetime.fromisoformat(q[k].replace("Z", "+00:00")).timestamp()) for k in ("start", "end"))
        if q["timeframe"] == "1Day":
            first = OPEN_NS // SECOND // 86_400 * 86_400 + 5 * 3600
            times = [first + n * 86_400 for n in range(-60, 60) if session_at(first * SECOND + n * DAY).open_ns
                     == OPEN_NS + n * DAY]  # fmt: skip
        else:
            step = {"1Min": 60, "5Min": 300}[q["timeframe"]]
            times = [OPEN_NS // SECOND + n * step for n in range(100)]
        times = [t for t in times if start <= t <= end][::-1]
        at = int(q.get("page_token", "0"))
        part = times[at : at + min(self.page, int(q["limit"]))]
        more = str(at + len(part)) if at + len(part) < len(times) else None
        rows = [
            {"t": datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "o": 1, "h": 2, "l": 1, "c": 2, "v": 5,
             "n": 3, "vw": 1.5}
            for t in part
        ]  # fmt: skip
        return Answer(200, {"bars": {q["symbols"]: rows} if rows else {}, "next_page_token": more})


@pytest.fixture
async def data() -> AsyncIterator[DataServer]:
    async with DataServer() as running:
        yield running


async def with_history(server: AlpacaServer, data: DataServer) -> Case:
    case = Case(server, base_url=f"http://127.0.0.1:{data.port}")
    await case.provider.start()
    return case


@pytest.mark.parametrize("page", [7, 50])
async def test_history_is_in_order_over_pages_and_never_ahead_of_its_time(
    server: AlpacaServer, data: DataServer, page: int
) -> None:
    data.page = page
    case = await with_history(server, data)
    end = OPEN_NS + 61 * 300 * SECOND + 100
    bars = await case.provider.history(A, 300, 20, end)
    assert bars is not None
    assert bars["ts_open"].tolist() == [OPEN_NS + n * 300 * SECOND for n in range(41, 61)]
    assert int(bars["ts_close"][-1]) <= end
    assert data.asked[0]["adjustment"] == "split"
    assert data.asked[0]["feed"] == "iex"
    await case.provider.stop()


async def test_bars_of_days_begin_and_end_with_their_session(server: AlpacaServer, data: DataServer) -> None:
    case = await with_history(server, data)
    during = OPEN_NS + 3600 * SECOND
    bars = await case.provider.history(A, 86_400, 5, during)
    assert bars is not None
    assert int(bars["ts_open"][-1]) == OPEN_NS - 3 * DAY, "today's is not finished; before it was a weekend"
    assert all(int(t) == session_at(int(t)).open_ns for t in bars["ts_open"])
    assert (bars["ts_close"] - bars["ts_open"]).tolist() == [int(6.5 * 3600) * SECOND] * 5
    await case.provider.stop()


async def test_what_it_does_not_have_is_none_and_what_fails_is_an_error(server: AlpacaServer, data: DataServer) -> None:
    case = await with_history(server, data)
    assert await case.provider.history(A, 7, 10, OPEN_NS) is None
    assert await case.provider.history(A, 300, 10, OPEN_NS - 30 * DAY) is None
    data.answer = Answer(403, {"message": "subscription does not permit querying recent SIP data"})
    with pytest.raises(ProviderError, match="recent SIP data"):
        await case.provider.history(A, 300, 10, OPEN_NS)
    data.answer = Answer(200, raw=b"<html>")
    with pytest.raises(ProviderError, match="cannot be read"):
        await case.provider.history(A, 300, 10, OPEN_NS)
    data.answer = Answer(401, {})
    with pytest.raises(ProviderRefused):
        await case.provider.history(A, 300, 10, OPEN_NS)
    data.answer = Answer(drop=True)
    with pytest.raises(ProviderError, match="no answer"):
        await case.provider.history(A, 300, 10, OPEN_NS)
    await case.provider.stop()
    with pytest.raises(ProviderError, match="not connected"):
        await case.provider.history(A, 300, 10, OPEN_NS)
