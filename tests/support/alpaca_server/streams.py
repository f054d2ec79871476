"""Both websockets: `/stream` for order updates, `/v2/{feed}` for market data."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.support.alpaca_server.book import Fill, Order, rfc3339, text

if TYPE_CHECKING:
    from tests.support.alpaca_server.server import AlpacaServer

KINDS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")
LETTER = {"t": "trades", "q": "quotes", "b": "bars", "u": "updatedBars", "d": "dailyBars", "s": "statuses"}
LETTER |= {"l": "lulds", "c": "corrections", "x": "cancelErrors", "n": "news"}
ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    410: "invalid subscribe action for this feed",
}


@dataclass
class Client:
    """One open stream; its outbox keeps the order of messages."""

    socket: ServerConnection
    packed: bool
    outbox: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    ready: bool = False
    listening: bool = False
    wants: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in (*KINDS, "news")})


class Streams:
    """The websocket server."""

    def __init__(self, server: AlpacaServer) -> None:
        self._server = server
        self._socket: Server | None = None
        self.orders: list[Client] = []
        self.data: list[Client] = []
        self.port = 0

    async def start(self) -> int:
        self._socket = await serve(self._connection, "127.0.0.1", 0)
        self.port = int(next(iter(self._socket.sockets)).getsockname()[1])
        return self.port

    async def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            await self._socket.wait_closed()

    def drop(self) -> None:
        """Reset every stream."""
        for client in [*self.orders, *self.data]:
            client.socket.transport.abort()

    async def _connection(self, socket: ServerConnection) -> None:
        request = socket.request
        path = request.path if request is not None else ""
        kind = request.headers.get("Content-Type", "") if request is not None else ""
        client = Client(socket, "msgpack" in kind)
        is_orders = path == "/stream"
        if not is_orders and not path.startswith(("/v2/", "/v1beta1/news")):
            await socket.close(1008, "unknown path")
            return
        clients = self.orders if is_orders else self.data
        clients.append(client)
        writing = asyncio.create_task(self._write(client))
        try:
            if not is_orders:
                self._say(client, [{"T": "success", "msg": "connected"}])
            async for message in socket:
                await self._receive(client, message, is_orders)
        except ConnectionClosed:
            return
        finally:
            clients.remove(client)
            writing.cancel()

    async def _write(self, client: Client) -> None:
        while True:
            message = await client.outbox.get()
            try:
                await client.socket.send(message)
            except ConnectionClosed:
                return

    def _say(self, client: Client, message: Any) -> None:
        if not self._server.faults.hit("stream_silent"):
            data: Any = msgspec.msgpack.encode(message) if client.packed else json.dumps(message)
            client.outbox.put_nowait(data)

    def _say_order(self, client: Client, message: dict[str, Any]) -> None:
        """The paper environment sends binary frames that hold JSON."""
        if client.packed or not self._server.binary_frames:
            self._say(client, message)
        elif not self._server.faults.hit("stream_silent"):
            client.outbox.put_nowait(json.dumps(message).encode())

    async def _receive(self, client: Client, message: str | bytes, is_orders: bool) -> None:
        try:
            if client.packed and isinstance(message, bytes):
                request = msgspec.msgpack.decode(message)
            else:
                request = json.loads(message)
            action = request.get("action")
        except (ValueError, AttributeError, msgspec.DecodeError):
            self._error(client, 400)
            return
        if is_orders:
            self._order_request(client, action, request)
        else:
            self._data_request(client, action, request)

    # -- orders ----------------------------------------------------------------------------

    def _order_request(self, client: Client, action: str, request: dict[str, Any]) -> None:
        if action in ("authenticate", "auth"):
            keys = request.get("data") or {"key_id": request.get("key"), "secret_key": request.get("secret")}
            good = self._server.keys_match(keys.get("key_id"), keys.get("secret_key"))
            client.ready = good and not self._server.faults.hit("auth_refused", path="/stream")
            status = "authorized" if client.ready else "unauthorized"
            self._say_order(client, {"stream": "authorization", "data": {"status": status, "action": "authenticate"}})
        elif action == "listen" and client.ready:
            streams = [s for s in request.get("data", {}).get("streams", []) if s == "trade_updates"]
            client.listening = bool(streams)
            self._say_order(client, {"stream": "listening", "data": {"streams": streams}})
        else:
            self._say_order(client, {"stream": "authorization", "data": {"status": "unauthorized", "action": action}})

    def order_event(self, event: str, order: Order, fill: Fill | None) -> None:
        """Publish one trade update; nothing is replayed to those who come later."""
        faults = self._server.faults
        where = {"event": event, "symbol": order.symbol, "client_order_id": order.client_order_id}
        if faults.hit("lost_event", **where):
            return
        data: dict[str, Any] = {"event": event, "order": order.json(self._server.book.legs(order))}
        data["timestamp"] = rfc3339(self._server.clock())
        if fill is not None:
            data |= {"price": text(fill.price), "qty": text(fill.qty), "position_qty": text(fill.position)}
            data["execution_id"] = fill.execution_id
        copies = 2 if faults.hit("duplicate_event", **where) else 1
        for client in self.orders:
            for _ in range(copies if client.listening else 0):
                self._say_order(client, {"stream": "trade_updates", "data": data})

    # -- market data -----------------------------------------------------------------------

    def _error(self, client: Client, code: int) -> None:
        self._say(client, [{"T": "error", "code": code, "msg": ERRORS[code]}])

    def _data_request(self, client: Client, action: str, request: dict[str, Any]) -> None:
        if action == "auth":
            if client.ready:
                self._error(client, 403)
            elif not self._server.keys_match(request.get("key"), request.get("secret")) or self._server.faults.hit(
                "auth_refused", path="/v2"
            ):
                self._error(client, 402)
            elif sum(c.ready for c in self.data) >= self._server.data_connections:
                self._error(client, 406)
            else:
                client.ready = True
                self._say(client, [{"T": "success", "msg": "authenticated"}])
        elif not client.ready:
            self._error(client, 401)
        elif action in ("subscribe", "unsubscribe"):
            self._subscribe(client, action, request)
        else:
            self._error(client, 400)

    def _subscribe(self, client: Client, action: str, request: dict[str, Any]) -> None:
        wants = {kind: set(symbols) for kind, symbols in client.wants.items()}
        for kind, symbols in request.items():
            if kind in wants:
                wants[kind] = wants[kind] | set(symbols) if action == "subscribe" else wants[kind] - set(symbols)
        limit = self._server.symbol_limit
        if any(len(wants[kind] - {"*"}) > limit for kind in ("trades", "quotes")):
            self._error(client, 405)
            return
        client.wants = wants
        self._say(client, [{"T": "subscription", **{kind: sorted(symbols) for kind, symbols in wants.items()}}])
        if self._server.faults.hit("slow_client"):
            self._error(client, 407)

    def market(self, message: dict[str, Any]) -> None:
        """Publish one market data message (`T` names its kind, `S` its symbol) to those who asked for it."""
        kind = LETTER[message["T"]]
        symbols = set(message.get("symbols", [message.get("S")]))
        for client in self.data:
            if client.ready and (client.wants[kind] & symbols or "*" in client.wants[kind]):
                self._say(client, [message])
