"""A small HTTP/1.1 server on h11: whole requests in, JSON answers out, loopback only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import h11


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """`drop` ends the connection without an answer; `raw` replaces the JSON body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drop: bool = False


Handler = Callable[[Request], Awaitable[Answer]]


class HttpServer:
    """Owns its listening socket and the connections made to it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = h11.Connection(h11.SERVER)
        while True:
            request = await self._read(wire, reader)
            if request is None:
                return
            answer = await self._handler(request)
            if answer.drop:
                writer.transport.abort()
                return
            body = answer.raw if answer.raw is not None else b""
            if answer.raw is None and answer.body is not None:
                body = json.dumps(answer.body).encode()
            headers = {"content-type": "application/json", "content-length": str(len(body)), **answer.headers}
            writer.write(wire.send(h11.Response(status_code=answer.status, headers=list(headers.items()))) or b"")
            writer.write((wire.send(h11.Data(data=body)) or b"") if body else b"")
            writer.write(wire.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            if wire.our_state is h11.MUST_CLOSE:
                return
            wire.start_next_cycle()

    async def _read(self, wire: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
        head: h11.Request | None = None
        body = b""
        while True:
            event = wire.next_event()
            if event is h11.NEED_DATA:
                wire.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                parts = urlsplit(head.target.decode())
                query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
                headers = {k.decode().lower(): v.decode() for k, v in head.headers}
                return Request(head.method.decode(), unquote(parts.path), query, headers, body)
            elif isinstance(event, h11.ConnectionClosed):
                return None
