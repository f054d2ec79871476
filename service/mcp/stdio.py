"""Standard input and output: a message a line. Each request is a task of its own, so that a halt waits for nothing."""

import asyncio
import contextlib
import os
import queue
import threading
import time
from pathlib import Path

import structlog

from service.link import EngineLink
from service.mcp.protocol import Session, broken
from service.mcp.tools import Toolbox

LINE_BYTES = 1024 * 1024
AT_ONCE = 32
FIRST_LOOK_S = 2.0
_log = structlog.get_logger("mcp")


async def converse(
    profile: Path, version: str, trade: bool, rate: float, source: int, sink: int, stop: asyncio.Event
) -> None:
    """Answer until the input ends or ``stop`` is set. ``source`` and ``sink`` are descriptors."""
    link = EngineLink(profile, "mcp")
    session = Session(Toolbox(link, trade), version, rate, time.monotonic)
    lines, voice = _Lines(source), _Voice(sink)
    linking = asyncio.create_task(link.run(), name="engine-link")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    talking = asyncio.create_task(_talk(link, session, lines, voice), name="mcp-talk")
    tasks = (linking, stopping, talking)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result


async def _talk(link: EngineLink, session: Session, lines: "_Lines", voice: "_Voice") -> None:
    """Answer line by line; what was asked before the input ended is still answered."""
    await link.ready(FIRST_LOOK_S)
    room = asyncio.Semaphore(AT_ONCE)

    async def call(line: bytes) -> None:
        try:
            await _answer(session, line, voice)
        finally:
            room.release()

    async with asyncio.TaskGroup() as calls:
        while (line := await lines.next()) is not None:
            if line.strip():
                await room.acquire()
                calls.create_task(call(line), name="mcp-call")


async def _answer(session: Session, line: bytes, voice: "_Voice") -> None:
    try:
        answer = await session.handle(line)
    except Exception as error:  # noqa: BLE001  one request that fails must not end the conversation
        _log.error("a call failed", error=f"{type(error).__name__}: {error}")
        answer = broken(line)
    if answer is not None:
        await voice.say(answer + b"\n")


class _Lines:
    """The input, read in a thread of its own: it cannot be awaited on every system, and must not hold up the end."""

    def __init__(self, source: int) -> None:
        self._source, self._loop = source, asyncio.get_running_loop()
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = threading.Semaphore(AT_ONCE)
        threading.Thread(target=self._read, name="mcp-input", daemon=True).start()

    async def next(self) -> bytes | None:
        """Wait for a line; None at the end of the input, at one that cannot be read, or at a line that never ends."""
        line = await self._waiting.get()
        self._room.release()
        return line

    def _read(self) -> None:
        held = b""
        try:
            # Not through a buffered file: at the end of the program nobody could take its lock from this thread.
            while len(held) <= LINE_BYTES and (piece := os.read(self._source, 65_536)):
                *whole, held = (held + piece).split(b"\n")
                for line in whole:
                    self._tell(line)
            if len(held) > LINE_BYTES:
                _log.warning("a line is too long; the conversation ends", bytes=len(held))
            elif held:
                self._tell(held)
        except OSError as error:
            _log.warning("the input cannot be read; the conversation ends", error=str(error))
        self._tell(None)

    def _tell(self, line: bytes | None) -> None:
        self._room.acquire()
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody hears any more
            self._loop.call_soon_threadsafe(self._waiting.put_nowait, line)


class _Voice:
    """The output, written in a thread of its own: who does not read holds up his own answers, and not our end."""

    def __init__(self, sink: int) -> None:
        self._sink, self._loop = sink, asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="mcp-output", daemon=True).start()

    async def say(self, line: bytes) -> None:
        """Write a line, and wait until it is written; a reader who has gone says so at the end of the input too."""
        written: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((line, written))
        await written

    def _write(self) -> None:
        while True:
            line, written = self._waiting.get()
            with contextlib.suppress(OSError):
                while line:
                    line = line[os.write(self._sink, line) :]
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(_settle, written)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
