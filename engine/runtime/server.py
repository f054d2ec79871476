"""The door: one local listener for the window, the command line and whoever comes later."""

import asyncio
import contextlib
import hmac
import itertools
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from engine.api.commands import (
    AnyCommand,
    Approve,
    ApproveIf,
    Edit,
    Halt,
    ModifyOrder,
    PlaceOrder,
    Propose,
    Rearm,
    Receipt,
    Resume,
    SetAutonomy,
    SetMode,
    SignMandate,
)
from engine.api.door import Door, prefers_unix, remove_door, socket_path, write_door
from engine.api.frames import Answer, AnyUp, Refused, Welcome
from engine.api.wire import WIRE_VERSION, Call, Follow, Hello, pack, read_frame, unpack_down
from engine.model.decision import OURS, PROGRAM, PROGRAMS, Autonomy, Mode
from engine.runtime.outbox import ClientOutbox, Outbox
from engine.runtime.programs import stamped

HELLO_TIMEOUT_S = 5.0
HELLO_BYTES = 4096
"""Who has not shown a token is not listened to for longer."""
HIGH_WATER = 4 * 1024 * 1024
"""Bytes waiting for a slow client above which frames are skipped (rows and notices wait as changes)."""
ROWS_HZ = 10.0

LATE_S = 3.0
"""A command of a person that waits longer is not what the person wants any more."""
PERISHABLE = (ModifyOrder, Approve, ApproveIf, Edit, Propose, Resume, Rearm, SignMandate)
"""What may add risk, besides orders, modes and autonomy that do. Whatever cancels, closes, lowers or stops is done
however late it comes."""
QUIET_S = 1.0
"""A client that hears nothing for this long gets an empty frame: silence means that the engine stands still."""

WINDOW = "window"
"""What a window calls itself: it says every two seconds that it lives, and a window that falls silent is missed."""

Handler = Callable[[AnyCommand], Awaitable[Receipt]]


def perishable(command: AnyCommand) -> bool:
    """Whether a command is refused when it comes late."""
    match command:
        case PlaceOrder():
            return not command.request.reduce_only
        case SetMode():
            return command.mode is Mode.AUTO
        case SetAutonomy():
            return command.autonomy in (Autonomy.ASK_ABOVE_LIMITS, Autonomy.AUTO)
    return isinstance(command, PERISHABLE)


def too_late(call: Call, now_s: float) -> Receipt | None:
    """Return why a call is not done any more, or not without knowing when it was sent; None when it is in time."""
    if not perishable(call.command):
        return None
    if not 0.0 < call.sent_s <= now_s + LATE_S:
        text = "It does not say when it was sent and could be an old one, so it was not done."
        return Receipt(ok=False, code="LATE", text=text)
    late_s = now_s - call.sent_s
    if late_s <= LATE_S:
        return None
    # We stood still while it waited in the socket. The person has seen other prices since, or given it up.
    text = f"It reached the engine {late_s:.0f} s late and was not done: look again, then send it again."
    return Receipt(ok=False, code="LATE", text=text)


def _failed(error: Exception) -> Receipt:
    said = f"{type(error).__name__}: {error}"
    text = f"The engine failed at it, and whether it was done is not known; look before you send it again. {said}"
    return Receipt(ok=False, code="FAILED", text=text)


class Presence(Protocol):
    """Who hears that windows live."""

    def beat(self, client: int) -> None:
        """A window lives."""

    def left(self, client: int, in_order: bool) -> None:
        """A window's connection ended; ``in_order`` when it said goodbye."""


class Server:
    """Listens, checks who comes, hands commands to ``handle`` and cuts frames for each client."""

    def __init__(self, profile: Path, build: str, outbox: Outbox, handle: Handler, presence: Presence) -> None:
        self._profile = profile
        self._build = build
        self._outbox = outbox
        self._handle = handle
        self._presence = presence
        self._numbers = itertools.count(1)
        self._token = secrets.token_hex(32)
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._clients: dict[int, str] = {}
        self._socket: Path | None = None
        self._stopping = False

    def clients(self) -> tuple[str, ...]:
        """Who is connected, by name, once for each connection."""
        return tuple(sorted(self._clients.values()))

    async def start(self) -> None:
        """Listen and publish the address in the profile."""
        if prefers_unix():
            path = socket_path(self._profile)
            path.unlink(missing_ok=True)
            old = os.umask(0o177)
            try:
                self._server = await asyncio.start_unix_server(self._accept, str(path))
            finally:
                os.umask(old)
            self._socket = path
            door = Door(kind="unix", path=str(path), token=self._token, pid=os.getpid(), version=WIRE_VERSION)
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            port = self._server.sockets[0].getsockname()[1]
            door = Door(kind="tcp", port=port, token=self._token, pid=os.getpid(), version=WIRE_VERSION)
        write_door(self._profile, door)

    async def stop(self) -> None:
        """Send what is still owed, close every connection and take the address back."""
        if self._server is not None:
            self._server.close()
        self._stopping = True
        for task in tuple(self._sessions):
            task.cancel()
        if self._sessions:
            await asyncio.gather(*self._sessions, return_exceptions=True)
        remove_door(self._profile)
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a session needs a task")
        self._sessions.add(task)
        try:
            hello = await self._greet(reader, writer)
            if hello is not None:
                await self._serve(reader, writer, hello)
        except (ConnectionError, msgspec.DecodeError, OSError):
            # A client that breaks the protocol or goes away ends its own session, nobody else's.
            return
        except asyncio.CancelledError:
            # The engine stops and the session ends in order; any other cancellation is somebody's business.
            if not self._stopping:
                raise
        finally:
            self._sessions.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Hello | None:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                body = await read_frame(reader, HELLO_BYTES)
        except TimeoutError:
            return None
        if body is None:
            return None
        try:
            hello = unpack_down(body)
        except (msgspec.ValidationError, msgspec.DecodeError):
            hello = None
        if not isinstance(hello, Hello):
            await self._refuse(writer, "PROTOCOL", "this is not a Market Agent client")
            return None
        # As bytes: words of other letters than ASCII cannot be compared, and a stranger's must not raise here.
        if not hmac.compare_digest(hello.token.encode(), self._token.encode()):
            await self._refuse(writer, "TOKEN", "the access token is wrong: another user, or an old door file")
            return None
        if hello.version != WIRE_VERSION:
            text = (
                f"the engine speaks protocol {WIRE_VERSION}, this program {hello.version}: "
                "restart both from the same installation"
            )
            await self._refuse(writer, "VERSION", text)
            return None
        return hello

    @staticmethod
    async def _refuse(writer: asyncio.StreamWriter, code: str, text: str) -> None:
        writer.write(pack(Refused(code=code, text=text)))
        await writer.drain()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello) -> None:
        client = ClientOutbox(self._outbox, hello.last_notice)
        welcome = Welcome(
            version=WIRE_VERSION,
            engine_pid=os.getpid(),
            build=self._build,
            profile=str(self._profile),
            notice_seq=self._outbox.notice_seq,
            missed=client.missed(),
        )
        writer.write(pack(welcome))
        number, name = next(self._numbers), hello.client if hello.client in OURS | PROGRAMS else PROGRAM
        program = name if name not in OURS else ""
        self._clients[number] = name
        calls: set[asyncio.Task[None]] = set()
        feeder = asyncio.create_task(self._feed(client, writer), name="door-feeder")
        try:
            while (body := await read_frame(reader)) is not None:
                message = unpack_down(body)
                if isinstance(message, Follow):
                    client.set_follow(message)
                    if hello.client == WINDOW:
                        self._presence.beat(number)
                elif isinstance(message, Call):
                    call = asyncio.create_task(self._call(message, writer, program), name="door-call")
                    calls.add(call)
                    call.add_done_callback(calls.discard)
        finally:
            del self._clients[number]
            goodbye = not client.follow.tables and not client.follow.quotes
            self._presence.left(number, in_order=goodbye or self._stopping)
            # STOP that has arrived is carried out even when the caller has hung up already.
            for task in (feeder, *(t for t in calls if t.get_name() != "door-halt")):
                task.cancel()
            await asyncio.gather(feeder, *calls, return_exceptions=True)

    async def _call(self, call: Call, writer: asyncio.StreamWriter, program: str) -> None:
        task = asyncio.current_task()
        if task is not None and isinstance(call.command, Halt):
            task.set_name("door-halt")
        receipt = too_late(call, asyncio.get_running_loop().time())
        try:
            if receipt is None:
                receipt = await self._handle(stamped(call.command, program))
        except Exception as error:
            # Who asked does not wait for ever. By the raise the keeper of tasks hears of it, and stops trading.
            self._answer(call, _failed(error), writer)
            raise
        self._answer(call, receipt, writer)

    @staticmethod
    def _answer(call: Call, receipt: Receipt, writer: asyncio.StreamWriter) -> None:
        writer.write(pack(Answer(id=call.id, ok=receipt.ok, receipt=msgspec.msgpack.encode(receipt))))

    async def _feed(self, client: ClientOutbox, writer: asyncio.StreamWriter) -> None:
        rows_due = 0.0
        loop = asyncio.get_running_loop()
        spoke = loop.time()
        while True:
            rate = min(max(client.follow.rate_hz, 1.0), 60.0)
            if writer.transport.get_write_buffer_size() < HIGH_WATER:
                if loop.time() >= rows_due:
                    self._outbox.refresh()
                    rows_due = loop.time() + 1.0 / min(ROWS_HZ, rate)
                messages: list[AnyUp] = client.cut_rows()
                frame = client.cut_frame()
                if frame is not None:
                    messages.append(frame)
                if not messages and loop.time() - spoke >= QUIET_S:
                    messages.append(client.sign_of_life())
                if messages:
                    spoke = loop.time()
                    writer.write(b"".join(pack(message) for message in messages))
            await asyncio.sleep(1.0 / rate)
