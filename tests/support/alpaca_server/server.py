"""The fake broker: REST and streams on two loopback ports, one book that is the truth."""

from __future__ import annotations

import asyncio
import hmac
import time
from datetime import datetime
from decimal import Decimal

from tests.support.alpaca_server.book import Book, Fill, Order, Quote, rfc3339
from tests.support.alpaca_server.faults import AlpacaFaults
from tests.support.alpaca_server.http import HttpServer, Request
from tests.support.alpaca_server.rest import Rest
from tests.support.alpaca_server.streams import Streams

REQUESTS_A_MINUTE = 200


class AlpacaServer:
    """Use `async with AlpacaServer() as server`; connect to `base_url`, `order_stream_url`, `data_stream_url`."""

    def __init__(
        self,
        *,
        key: str = "PKTEST",
        secret: str = "not-a-secret",
        cash: str = "100000",
        start: datetime | None = None,
        requests_a_minute: int = REQUESTS_A_MINUTE,
        binary_frames: bool = True,
        symbol_limit: int = 30,
        data_connections: int = 1,
        lifetime: float = 300.0,
    ) -> None:
        self._key, self._secret = key, secret
        self._offset_ns = 0 if start is None else round(start.timestamp() * 1e9) - time.time_ns()
        self._limit, self._lifetime = requests_a_minute, lifetime
        self._window: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self.account_number = "PA0000000001"
        self.binary_frames = binary_frames
        self.symbol_limit = symbol_limit
        self.data_connections = data_connections
        self.faults = AlpacaFaults()
        self.requests: list[Request] = []
        self.streams = Streams(self)
        self.book = Book(self.clock, Decimal(cash), self._publish)
        self.stopped = asyncio.Event()
        self._http = HttpServer(Rest(self).handle)

    # -- life ------------------------------------------------------------------------------

    async def __aenter__(self) -> AlpacaServer:
        await self._http.start()
        await self.streams.start()
        self._timer = asyncio.get_running_loop().call_later(self._lifetime, self.stopped.set)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.stopped.set()
        await self.streams.stop()
        await self._http.stop()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.port}/v2"

    @property
    def order_stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.streams.port}/stream"

    @property
    def data_stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.streams.port}/v2/iex"

    def clock(self) -> int:
        """UTC nanoseconds."""
        return time.time_ns() + self._offset_ns

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # -- access ----------------------------------------------------------------------------

    def keys_match(self, key: object, secret: object) -> bool:
        return hmac.compare_digest(f"{key}:{secret}", f"{self._key}:{self._secret}")

    def authorised(self, headers: dict[str, str]) -> bool:
        return self.keys_match(headers.get("apca-api-key-id"), headers.get("apca-api-secret-key"))

    def count_request(self) -> dict[str, str]:
        """Count a request; returns the rate-limit headers (remaining is negative beyond the limit)."""
        now = self.clock()
        self._window = [t for t in self._window if now - t < 60_000_000_000]
        self._window.append(now)
        left, reset = self._limit - len(self._window), self._window[0] // 1_000_000_000 + 60
        names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
        return dict(zip(names, (str(self._limit), str(left), str(reset)), strict=True))

    # -- market ----------------------------------------------------------------------------

    def _publish(self, event: str, order: Order, fill: Fill | None) -> None:
        self.streams.order_event(event, order, fill)

    def set_quote(self, symbol: str, bid: str, ask: str, liquidity: str | None = None) -> None:
        """New quotes: published, then worked; at most `liquidity` fills per event."""
        old = self.book.quotes[symbol]
        size = None if liquidity is None else Decimal(liquidity)
        self.book.quotes[symbol] = Quote(Decimal(bid), Decimal(ask), old.last, size)
        quote = {"T": "q", "S": symbol, "bx": "V", "bp": float(bid), "bs": 1, "ax": "V", "ap": float(ask), "as": 1}
        self.streams.market({**quote, "c": ["R"], "z": "C", "t": rfc3339(self.clock())})
        self.book.on_quote(symbol)

    def set_price(self, symbol: str, price: str) -> None:
        """A trade at a price, with the quotes a cent around it."""
        p = Decimal(price)
        self.book.quotes[symbol].last = p
        trade = {"T": "t", "S": symbol, "i": 1, "x": "V", "p": float(p), "s": 100, "c": ["@"], "z": "C"}
        self.streams.market({**trade, "t": rfc3339(self.clock())})
        self.set_quote(symbol, str(p - Decimal("0.01")), str(p + Decimal("0.01")))

    def placed(self, client_order_id: str) -> int:
        """How many POST /v2/orders requests carried this client_order_id."""
        needle = f'"{client_order_id}"'.encode()
        return sum(1 for r in self.requests if (r.method, r.path) == ("POST", "/v2/orders") and needle in r.body)
