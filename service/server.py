"""The listener: one loopback address, short patience, and an orderly end."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.app import build_app
from service.link import EngineLink
from service.spec import ServiceSpec, local
from service.tokens import Tokens

MOST_CONNECTIONS = 64
HEADER_BYTES = 16 * 1024
END_S = 3
BACKLOG = 64


class Hurried(H11Protocol):
    """HTTP/1.1 in which a request that does not come to its point is cut off."""

    patience_s = 10.0
    _deadline: asyncio.TimerHandle | None = None
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._upgraded = True
        self._forget()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect(self) -> None:
        """The clock runs while no request is being answered; it is set at the first byte and not by the next ones."""
        if self._upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.patience_s, self._late)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._forget()
        self._expect()

    def _late(self) -> None:
        self._deadline = None
        if (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing():
            self.transport.close()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """Leaves the signals to who started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(spec: ServiceSpec) -> socket.socket:
    """Open the address. Raises ``OSError`` when it is taken, or is not one of this machine."""
    family = socket.AF_INET6 if ":" in spec.address else socket.AF_INET
    opened = socket.create_server((spec.address, spec.port), family=family, backlog=BACKLOG)
    # Only what is called TCP is answered without delay (asyncio sets TCP_NODELAY by it); else each answer takes 40 ms.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=opened.detach())


async def serve(
    spec: ServiceSpec, tokens: Tokens, opened: socket.socket, stop: asyncio.Event, begun: Callable[[], None]
) -> None:
    """Serve until ``stop`` is set; ``begun`` is called once it answers."""
    link = EngineLink(spec.profile, "api")
    port = opened.getsockname()[1]
    app = build_app(spec, tokens, link, lambda: port)
    protocol: Any = type("Hurried", (Hurried,), {"patience_s": spec.patience_s})
    server = _Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="websockets-sansio",
            loop="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=END_S,
            ws_max_size=spec.body_limit,
            ws_per_message_deflate=False,
        )
    )
    linking = asyncio.create_task(link.run(), name="engine-link")
    serving = asyncio.create_task(server.serve(sockets=[opened]), name="listener")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110  a flag is all that says it
            await asyncio.sleep(0.01)
        begun()
        await asyncio.wait({linking, serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        for task in (linking, stopping):
            task.cancel()
        ended = await asyncio.gather(serving, linking, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result


def refusal(spec: ServiceSpec, allow_network: bool) -> str:
    """Why the address is not listened on; empty when it may be."""
    if local(spec.address) or allow_network:
        return ""
    return (
        f"serve.address: {spec.address} is reached from other machines, the tokens would cross the network "
        "in plain text, and whoever holds one reads the account; keep 127.0.0.1 and reach it through an encrypted "
        "tunnel, or set serve.allow_network: true"
    )
