"""The stream: changed rows, prices and ordered notices as JSON over a WebSocket, resumed where it was lost.

Every client has a cursor of its own into what the service has heard. A slow client gets the newest state of what
changed meanwhile, and every notice; nothing piles up for it.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.api.rows import TABLES
from service.answers import Refusal
from service.bodies import symbols, whole
from service.link import EngineLink
from service.mirror import Mirror, Table

MOST_STREAMS = 16
USUAL = ("state", "positions", "orders", "fills", "suggestions", "alarms")
BEGIN_AGAIN, TOO_MANY = 1012, 1013
WRITE_PATIENCE_S, CLOSE_PATIENCE_S = 20.0, 2.0


@dataclass(frozen=True)
class Wish:
    """What a client wants to see."""

    tables: tuple[str, ...] = USUAL
    quotes: tuple[str, ...] = ()
    """Symbols; a star is all of them."""
    notices: bool = True
    rate: int = 5
    """Frames a second at most."""
    epoch: str = ""
    since: int | None = None


def read_wish(query: dict[str, str]) -> Wish:
    """Read the parameters of a stream. Raises :class:`Refusal`."""
    tables = tuple(query["tables"].replace(",", " ").split()) if "tables" in query else USUAL
    for name in tables:
        if name not in TABLES:
            raise Refusal(422, "QUERY", f"{name[:30]!r} is not one of {', '.join(TABLES)}")
    quotes = query.get("quotes", "")
    return Wish(
        tables=tables,
        quotes=("*",) if quotes == "*" else symbols(quotes),
        notices=query.get("notices", "true").lower() not in ("false", "0"),
        rate=whole(query.get("rate", "5"), "rate", 1, 10),
        epoch=query.get("epoch", ""),
        since=whole(query["since"], "since", 0, 2**63 - 1) if "since" in query else None,
    )


class Cursor:
    """How far one client has read."""

    def __init__(self, mirror: Mirror, wish: Wish) -> None:
        self._mirror, self._wish = mirror, wish
        self._tables: dict[str, tuple[Table, int]] = {}
        self._prices = 0
        resumed = wish.since is not None and wish.epoch == mirror.epoch and mirror.has_all_since(wish.since)
        self.missed = wish.since is not None and not resumed
        self._seq = wish.since if resumed and wish.since is not None else mirror.last_seq

    def hello(self) -> dict[str, Any]:
        """The first message: where the client stands, and whether something is lost for it."""
        return {"type": "hello", "epoch": self._mirror.epoch, "seq": self._seq, "missed": self.missed}

    def cut(self) -> Iterator[dict[str, Any]]:
        """Yield what has changed since the last cut: notices first, then rows, then prices."""
        if self._wish.notices:
            yield from self._notices()
        for name in self._wish.tables:
            yield from self._rows(name, self._mirror.tables[name])
        if self._wish.quotes:
            yield from self._quotes()

    def _notices(self) -> Iterator[dict[str, Any]]:
        if self._seq < self._mirror.last_seq and not self._mirror.has_all_since(self._seq):
            yield {"type": "missed", "after": self._seq}
        for notice in self._mirror.notices_since(self._seq):
            self._seq = notice.seq
            yield {"type": "notice", "seq": notice.seq, "kind": notice.kind, "event": notice.event}

    def _rows(self, name: str, table: Table) -> Iterator[dict[str, Any]]:
        known, seen = self._tables.get(name, (None, 0))
        self._tables[name] = (table, table.version)
        if known is not table or seen < table.born:
            yield {"type": "rows", "table": name, "reset": True, "rows": list(table.rows.values()), "removed": []}
        elif seen < table.version:
            rows, removed = table.since(seen)
            yield {"type": "rows", "table": name, "reset": False, "rows": rows, "removed": removed}

    def _quotes(self) -> Iterator[dict[str, Any]]:
        mirror, seen = self._mirror, self._prices
        self._prices = mirror.price_version
        wanted = mirror.prices if self._wish.quotes == ("*",) else self._wish.quotes
        rows = [mirror.prices[name] for name in wanted if mirror.price_versions.get(name, 0) > seen]
        if rows:
            yield {"type": "quotes", "rows": rows}


class Streams:
    """All streams of the service."""

    def __init__(self, link: EngineLink) -> None:
        self._link = link
        self._open = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it leaves, or the engine does."""
        try:
            wish = read_wish(dict(socket.query_params))
        except Refusal as refusal:
            await socket.close(1008, refusal.text[:100])
            return
        await socket.accept()
        if self._open >= MOST_STREAMS or not self._link.up:
            many = self._open >= MOST_STREAMS
            await socket.close(TOO_MANY, f"at most {MOST_STREAMS} streams" if many else "no engine answers")
            return
        self._open += 1
        hearing = asyncio.create_task(self._hear(socket), name="stream-hearing")
        telling = asyncio.create_task(self._tell(socket, wish), name="stream-telling")
        try:
            done, _ = await asyncio.wait({hearing, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= 1
            for task in (hearing, telling):
                task.cancel()
            ended = await asyncio.gather(hearing, telling, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | OSError | TimeoutError):
                raise result
        if telling in done or not any(isinstance(result, WebSocketDisconnect) for result in ended):
            # Who reads nothing is not told for ever, either.
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                async with asyncio.timeout(CLOSE_PATIENCE_S):
                    await socket.close(BEGIN_AGAIN, "the engine is gone; come again with epoch and since")

    async def _tell(self, socket: WebSocket, wish: Wish) -> None:
        mirror, epoch = self._link.mirror, self._link.mirror.epoch
        cursor = Cursor(mirror, wish)
        await self._send(socket, cursor.hello())
        while self._link.up and mirror.epoch == epoch:
            for message in cursor.cut():
                await self._send(socket, message)
            await asyncio.sleep(1.0 / wish.rate)

    @staticmethod
    async def _send(socket: WebSocket, message: dict[str, Any]) -> None:
        async with asyncio.timeout(WRITE_PATIENCE_S):
            await socket.send_text(msgspec.json.encode(message).decode())

    @staticmethod
    async def _hear(socket: WebSocket) -> None:
        """Nothing is asked over a stream; only that the client is there."""
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1005)
