"""A client of an engine in another process."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from engine.api.commands import AnyCommand, Receipt
from engine.api.door import Door, read_door
from engine.api.frames import Answer, AnyUp, Refused, Welcome
from engine.api.wire import Call, Follow, Hello, pack, read_frame, unpack_up


class EngineUnavailable(ConnectionError):
    """No engine answers for this profile; the message says why in plain words."""


class EngineClient:
    """One connection. What is not an answer is read with :meth:`messages`; it waits until it is read."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: Welcome, *, listens: bool = True
    ) -> None:
        self.welcome = welcome
        self._listens = listens
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Receipt]] = {}
        self._inbox: asyncio.Queue[AnyUp | None] = asyncio.Queue()
        self._pump = asyncio.create_task(self._read(), name="engine-client-reader")

    @classmethod
    async def connect(
        cls,
        profile: Path,
        *,
        client: str = "window",
        last_notice: int = -1,
        timeout_s: float = 5.0,
        listens: bool = True,
    ) -> "EngineClient":
        """Open the door of ``profile``. Raises :class:`EngineUnavailable` when nobody answers or it is refused.

        Who only sends commands does not listen: what the engine says each second would pile up unread.
        """
        door = read_door(profile)
        if door is None:
            raise EngineUnavailable(f"no engine is running for the profile {profile}")
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await _open(door)
                body = await _greet(reader, writer, Hello(token=door.token, client=client, last_notice=last_notice))
        except TimeoutError as error:
            raise EngineUnavailable(f"the engine of {profile} does not answer") from error
        except OSError as error:
            raise EngineUnavailable(f"no engine is running for the profile {profile} ({error})") from error
        try:
            message = unpack_up(body) if body is not None else None
        except msgspec.MsgspecError as error:
            writer.close()
            raise EngineUnavailable("what answers there is not an engine of this installation") from error
        if isinstance(message, Refused):
            writer.close()
            raise EngineUnavailable(message.text)
        if not isinstance(message, Welcome):
            writer.close()
            raise EngineUnavailable("the engine closed the connection")
        return cls(reader, writer, message, listens=listens)

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        return self._pump.done()

    async def send(self, command: AnyCommand) -> Receipt:
        """Deliver a command and wait for its receipt. Raises :class:`EngineUnavailable` when the engine is gone."""
        if self._pump.done():
            raise EngineUnavailable("the engine is gone")
        number = next(self._ids)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._waiting[number] = future
        try:
            self._writer.write(pack(Call(id=number, command=command, sent_s=loop.time())))
            await self._writer.drain()
            return await future
        except EngineUnavailable:
            raise
        except OSError as error:
            raise EngineUnavailable(f"the connection to the engine broke: {error}") from error
        finally:
            self._waiting.pop(number, None)

    async def follow(self, follow: Follow) -> None:
        """Say what this client wants to see from now on."""
        self._writer.write(pack(follow))
        await self._writer.drain()

    async def messages(self) -> AsyncIterator[AnyUp]:
        """Everything but answers, in order, until the connection ends."""
        while (message := await self._inbox.get()) is not None:
            yield message

    async def close(self) -> None:
        """Leave; the engine goes on."""
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        reason = "the engine is gone"
        try:
            while (body := await read_frame(self._reader)) is not None:
                message = unpack_up(body)
                if isinstance(message, Answer):
                    future = self._waiting.get(message.id)
                    if future is not None and not future.done():
                        future.set_result(msgspec.msgpack.decode(message.receipt, type=Receipt))
                elif self._listens:
                    self._inbox.put_nowait(message)
        except (OSError, msgspec.DecodeError) as error:
            reason = f"the connection to the engine broke: {error}"
        finally:
            self._inbox.put_nowait(None)
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(EngineUnavailable(reason))


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello) -> bytes | None:
    """Say hello and return the answer's body. Whatever keeps it from coming, the connection is closed."""
    answered = False
    try:
        writer.write(pack(hello))
        await writer.drain()
        body = await read_frame(reader)
        answered = True
        return body
    finally:
        if not answered:
            writer.close()


async def _open(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if door.kind == "unix":
        return await asyncio.open_unix_connection(door.path)
    return await asyncio.open_connection("127.0.0.1", door.port)
