"""The price stream: one connection, authenticated, with the subscriptions that are wanted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from engine.bus.errors import ProviderError, ProviderRefused
from engine.collection.providers.alpaca.settings import AlpacaDataSettings
from engine.model.ids import Symbol

_REFUSALS = {402: "the key was refused", 409: "the plan does not include this feed", 411: "the key lacks the right"}
_TOO_MANY_SYMBOLS = 405


class PriceStream:
    """Raises from :meth:`open`; afterwards a lost connection is told once."""

    def __init__(
        self,
        settings: AlpacaDataSettings,
        credentials: Callable[[], Mapping[str, str]],
        on_message: Callable[[Mapping[str, Any]], None],
        on_lost: Callable[[str], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        """``credentials()`` gives ``key`` and ``secret`` at the moment they are sent."""
        self._settings = settings
        self._credentials = credentials
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_trouble = on_trouble
        self._socket: ClientConnection | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def open(self) -> None:
        """Connect and authenticate. Raises ``ProviderError`` or ``ProviderRefused``."""
        s = self._settings
        try:
            async with asyncio.timeout(s.timeout_s):
                socket = await connect(
                    s.stream_url,
                    proxy=None,
                    ping_interval=s.ping_s,
                    ping_timeout=s.ping_s,
                    close_timeout=1.0,
                    max_size=16 * 1024 * 1024,
                )
                try:
                    await self._greet(socket)
                except BaseException:
                    socket.transport.abort()
                    raise
        except TimeoutError as error:
            raise ProviderError(f"alpaca: no answer within {s.timeout_s:g} s") from error
        except (OSError, WebSocketException) as error:
            raise ProviderError(f"alpaca: {error}") from error
        self._socket = socket
        self._outbox = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self._tasks = (
            loop.create_task(self._read(socket), name="alpaca prices"),
            loop.create_task(self._write(socket), name="alpaca subscriptions"),
        )

    async def close(self) -> None:
        """End both tasks and the connection. Safe to call twice."""
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._socket is not None:
            socket, self._socket = self._socket, None
            await socket.close()

    def subscribe(self, symbols: Sequence[Symbol]) -> None:
        """Hear these from now on."""
        self._ask("subscribe", symbols)

    def unsubscribe(self, symbols: Sequence[Symbol]) -> None:
        self._ask("unsubscribe", symbols)

    def _ask(self, action: str, symbols: Sequence[Symbol]) -> None:
        if not symbols:
            return
        names = list(symbols)
        kinds = ("quotes", "trades", "statuses", *(("bars",) if self._settings.bars else ()))
        self._outbox.put_nowait({"action": action, **dict.fromkeys(kinds, names)})

    async def _greet(self, socket: ClientConnection) -> None:
        await self._expect(socket, "connected")
        await socket.send(msgspec.json.encode({"action": "auth", **self._credentials()}).decode())
        await self._expect(socket, "authenticated")

    async def _expect(self, socket: ClientConnection, word: str) -> None:
        for message in messages(await socket.recv()):
            if message.get("T") == "error":
                raise refusal(message)
            if message.get("T") == "success" and message.get("msg") == word:
                return
        raise ProviderError(f"alpaca: expected {word!r}")

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            request = await self._outbox.get()
            try:
                await socket.send(msgspec.json.encode(request).decode())
            except WebSocketException:
                return  # the reader says so

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                for message in messages(frame):
                    if message.get("T") == "error":
                        self._hear_error(message)
                    else:
                        self._on_message(message)
            reason = "the connection was closed"
        except (OSError, WebSocketException, ProviderError) as error:
            reason = str(error) or type(error).__name__
        except Exception as error:  # noqa: BLE001  whatever a listener raises, the line is taken up anew
            reason = f"a message could not be handled: {error!r}"
            trouble = {"message": "a price could not be handled", "exception": error}
            asyncio.get_running_loop().call_exception_handler(trouble)
        socket.transport.abort()
        self._on_lost(reason)

    def _hear_error(self, message: Mapping[str, Any]) -> None:
        if message.get("code") == _TOO_MANY_SYMBOLS:
            self._on_trouble("the plan does not allow as many symbols; the last ones are not heard")
            return
        raise refusal(message)


def messages(frame: str | bytes) -> list[Mapping[str, Any]]:
    """Read a frame: a list of objects. Raises ``ProviderError``."""
    try:
        found = msgspec.json.decode(frame)
    except msgspec.DecodeError as error:
        raise ProviderError("alpaca: a message cannot be read") from error
    if not isinstance(found, list) or not all(isinstance(message, dict) for message in found):
        raise ProviderError("alpaca: a message is no list of objects")
    return found


def refusal(message: Mapping[str, Any]) -> ProviderError:
    """The error that an error message means: one that waiting does not mend, or one that it may."""
    code, text = message.get("code"), str(message.get("msg", ""))[:200]
    if code in _REFUSALS:
        return ProviderRefused(f"alpaca: {_REFUSALS[code]} ({code} {text})")
    return ProviderError(f"alpaca: {text or 'an error'} ({code})")
