"""Two protocols joined without a socket, for loops that have no I/O (virtual time)."""

from __future__ import annotations

import asyncio


class MemoryTransport(asyncio.Transport):
    """Hands what is written to the peer's protocol on the next turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self.peer: MemoryTransport | None = None
        self._queue: list[bytes] = []
        self._scheduled = False
        self._closing = False
        self._lost = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or self.peer is None:
            return
        self.peer.queue(bytes(data))

    def queue(self, data: bytes) -> None:
        self._queue.append(data)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        data, self._queue = b"".join(self._queue), []
        if data and not self._lost:
            self._protocol.data_received(data)

    def write_eof(self) -> None:
        """Half-closing is not modelled: the peer learns of the end by `close`."""

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lose)

    def abort(self) -> None:
        self.close()

    def _lose(self) -> None:
        if self._lost:
            return
        self._deliver()
        self._lost = self._closing = True
        self._protocol.connection_lost(None)
        if self.peer is not None:
            self._loop.call_soon(self.peer._lose)


def connect_in_memory(
    loop: asyncio.AbstractEventLoop, client: asyncio.Protocol, server: asyncio.Protocol
) -> MemoryTransport:
    """Join two protocols; returns the client's transport."""
    near, far = MemoryTransport(loop, client), MemoryTransport(loop, server)
    near.peer, far.peer = far, near
    server.connection_made(far)
    client.connection_made(near)
    return near
