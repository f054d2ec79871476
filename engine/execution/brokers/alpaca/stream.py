"""The stream of order updates: connects, stays connected, and says how it stands."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from engine.bus.clock import Clock
from engine.bus.errors import BrokerError
from engine.execution.brokers.alpaca.keys import Key
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.model.report import LinkState

OnState = Callable[[LinkState, str], None]
OnUpdate = Callable[[dict[str, Any]], None]


class Stream:
    """One socket, one task."""

    def __init__(
        self,
        clock: Clock,
        settings: AlpacaSettings,
        rng: np.random.Generator,
        *,
        key: Key,
        secret: Key,
        verify: Callable[[], Awaitable[str]],
        on_state: OnState,
        on_update: OnUpdate,
    ) -> None:
        """``verify`` runs when the stream listens: a sentence why this is the wrong account, empty when it is right."""
        self._clock = clock
        self._settings = settings
        self._rng = rng
        self._key = key
        self._secret = secret
        self._verify = verify
        self._on_state = on_state
        self._on_update = on_update
        self._task: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None
        self.state = LinkState.DOWN
        self.text = "not connected yet"

    def start(self) -> None:
        """Begin to connect; safe to call twice."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep(), name="alpaca stream")

    async def stop(self) -> None:
        """End; orders stay at the broker."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._set(LinkState.DOWN, "stopped")

    def fail(self, why: str) -> None:
        """Something that was heard could not be handled: connect anew, and read everything anew."""
        if self._socket is not None:
            self._socket.transport.abort()
        self._set(LinkState.DOWN, why)

    async def _keep(self) -> None:
        wait_s = self._settings.retry_first_s
        while True:
            try:
                async with connect(
                    self._settings.stream_url,
                    proxy=None,
                    open_timeout=self._settings.request_timeout_s,
                    ping_interval=self._settings.ping_s,
                    ping_timeout=self._settings.ping_s,
                    close_timeout=1.0,
                    max_size=4 * 1024 * 1024,
                ) as socket:
                    self._socket = socket
                    await self._greet(socket)
                    wait_s = self._settings.retry_first_s
                    async for frame in socket:
                        self._hear(frame)
                reason = "the stream was closed"
            except (OSError, WebSocketException, TimeoutError, BrokerError) as error:
                reason = str(error) or type(error).__name__
            self._socket = None
            self._set(LinkState.DOWN, reason)
            # Up to a quarter longer, so that many clients do not knock together.
            await self._clock.sleep(wait_s * (1.0 + 0.25 * float(self._rng.random())))
            wait_s = min(2 * wait_s, self._settings.retry_most_s)

    async def _greet(self, socket: ClientConnection) -> None:
        self._set(LinkState.CONNECTING, f"connecting to {self._settings.stream_url}")
        async with asyncio.timeout(self._settings.request_timeout_s):
            keys = {"key_id": self._key.reveal(), "secret_key": self._secret.reveal()}
            await socket.send(msgspec.json.encode({"action": "authenticate", "data": keys}).decode())
            answer = _message(await socket.recv())
            if answer.get("data", {}).get("status") != "authorized":
                raise BrokerError("Alpaca refused the key")
            listen = {"action": "listen", "data": {"streams": ["trade_updates"]}}
            await socket.send(msgspec.json.encode(listen).decode())
            answer = _message(await socket.recv())
            if "trade_updates" not in (answer.get("data", {}).get("streams") or ()):
                raise BrokerError("Alpaca does not let us hear order updates")
        self._set(LinkState.SYNCING, "connected")
        if wrong := await self._verify():
            raise BrokerError(wrong)
        self._set(LinkState.UP, "connected")

    def _hear(self, frame: str | bytes) -> None:
        message = _message(frame)
        data = message.get("data")
        if message.get("stream") == "trade_updates" and isinstance(data, dict):
            try:
                self._on_update(data)
            except Exception as error:
                # What it should have told is unknown, so everything is read anew.
                trouble = {"message": "an order update could not be handled", "exception": error}
                asyncio.get_running_loop().call_exception_handler(trouble)
                raise BrokerError(f"an order update could not be handled: {error!r}") from error
        elif message.get("stream") == "authorization":
            raise BrokerError("Alpaca withdrew its permission")

    def _set(self, state: LinkState, text: str) -> None:
        changed = state is not self.state
        self.state, self.text = state, text
        if changed:
            self._on_state(state, text)


def _message(frame: str | bytes) -> dict[str, Any]:
    """Read a frame; the paper environment sends JSON in binary ones. Raises ``BrokerError``."""
    try:
        found = msgspec.json.decode(frame)
    except msgspec.DecodeError as error:
        raise BrokerError("a message of the stream cannot be read") from error
    if not isinstance(found, dict):
        raise BrokerError("a message of the stream is no object")
    return found
