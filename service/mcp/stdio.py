"""Standard input and output: a message a line. Each request is a task of its own, so that a halt waits for nothing."""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import BinaryIO

import structlog

from service.link import EngineLink
from service.mcp.protocol import Session, broken
from service.mcp.tools import Toolbox

LINE_BYTES = 1024 * 1024
AT_ONCE = 32
FIRST_LOOK_S = 2.0
_log = structlog.get_logger("mcp")


async def converse(
    profile: Path, version: str, trade: bool, rate: float, source: int, sink: BinaryIO, stop: asyncio.Event
) -> None:
    """Answer until the input ends or ``stop`` is set. ``source`` is a descriptor."""
    link = EngineLink(profile, "mcp")
    session = Session(Toolbox(link, trade), version, rate, time.monotonic)
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop, room = asyncio.get_running_loop(), threading.Semaphore(AT_ONCE)
    # A thread of its own: standard input cannot be awaited on every system, and must not hold up the end.
    threading.Thread(target=_read, args=(source, loop, lines, room), name="mcp-input", daemon=True).start()
    linking = asyncio.create_task(link.run(), name="engine-link")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    calls: set[asyncio.Task[None]] = set()
    try:
        await link.ready(FIRST_LOOK_S)
        while True:
            hearing = asyncio.create_task(lines.get(), name="mcp-hearing")
            await asyncio.wait({hearing, stopping, linking}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                hearing.cancel()
                break
            line = hearing.result()
            room.release()
            if line is None:
                break
            if line.strip():
                call = asyncio.create_task(_answer(session, line, sink), name="mcp-call")
                calls.add(call)
                call.add_done_callback(calls.discard)
                if len(calls) >= AT_ONCE:
                    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        # What was asked before the input ended is still answered.
        await asyncio.gather(*calls, return_exceptions=True)
    finally:
        for task in (linking, stopping, *calls):
            task.cancel()
        ended = await asyncio.gather(linking, *calls, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception) and not isinstance(result, BrokenPipeError):
            raise result


async def _answer(session: Session, line: bytes, sink: BinaryIO) -> None:
    try:
        answer = await session.handle(line)
    except Exception as error:  # noqa: BLE001  one request that fails must not end the conversation
        _log.error("a call failed", error=f"{type(error).__name__}: {error}")
        answer = broken(line)
    if answer is not None:
        try:
            sink.write(answer + b"\n")
            sink.flush()
        except (BrokenPipeError, ValueError):
            # The reader has gone; the end of the input says so too.
            return


def _read(
    source: int, loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[bytes | None]", room: threading.Semaphore
) -> None:
    """Hand over lines as they come; the end of the input, or a line that never ends, is None."""

    def tell(line: bytes | None) -> None:
        room.acquire()
        loop.call_soon_threadsafe(lines.put_nowait, line)

    held = b""
    try:
        # Not through a buffered file: at the end of the program nobody could take its lock from this thread.
        while len(held) <= LINE_BYTES and (piece := os.read(source, 65_536)):
            *whole, held = (held + piece).split(b"\n")
            for line in whole:
                tell(line)
        if held and len(held) <= LINE_BYTES:
            tell(held)
        tell(None)
    except (RuntimeError, OSError):
        # The loop, or the input, has ended.
        return
