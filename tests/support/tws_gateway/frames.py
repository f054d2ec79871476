"""Frames of the TWS wire: length prefix, NUL-separated text fields, and a log of every frame."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, Literal

UNSET = "1.7976931348623157E308"
MAX_FRAME = 0xFFFFFF
WHAT_IF = "what-if"
"""Note on a placeOrder frame that is only a question."""
DATA = frozenset({1, 2, 12, 13, 21, 45, 46, 50, 90, 99})
"""Callbacks of market data."""


def text(value: object) -> str:
    """Write one field the way the gateway does: empty for none, 0/1 for flags, plain decimals."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value.is_finite() else str(value)
    return str(value)


def encode(fields: list[str]) -> bytes:
    """Join fields and put the big-endian length before them."""
    body = ("\0".join(fields) + "\0").encode()
    return struct.pack(">I", len(body)) + body


class FrameError(ValueError):
    """The peer sent bytes that are not a frame."""


class FrameBuffer:
    """Collects bytes and gives back whole frames."""

    def __init__(self) -> None:
        self.data = bytearray()

    def take_exact(self, count: int) -> bytes | None:
        if len(self.data) < count:
            return None
        head = bytes(self.data[:count])
        del self.data[:count]
        return head

    def take_frame(self) -> bytes | None:
        if len(self.data) < 4:
            return None
        size = struct.unpack(">I", self.data[:4])[0]
        if size > MAX_FRAME:
            raise FrameError(f"frame of {size} bytes is longer than {MAX_FRAME}")
        if len(self.data) < 4 + size:
            return None
        body = bytes(self.data[4 : 4 + size])
        del self.data[: 4 + size]
        return body


def split(body: bytes) -> list[str]:
    fields = body.decode(errors="backslashreplace").split("\0")
    if fields and fields[-1] == "":
        fields.pop()
    return fields


@dataclass(frozen=True, slots=True)
class WireFrame:
    """One frame seen on the wire; `ts_ns` is gateway time (UTC ns), `note` says what a fault did to it."""

    ts_ns: int
    session: int
    client_id: int
    direction: Literal["in", "out"]
    message: int
    fields: tuple[str, ...]
    note: str = ""
    ref: str = ""


@dataclass
class WireLog:
    """Every frame in both directions, oldest first; optionally also one JSON line per frame in a file.

    Market data callbacks are only counted unless `keep_data` is set: a day of ticks would fill the memory.
    """

    frames: list[WireFrame] = field(default_factory=list)
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(direction, message number) to how many."""
    watchers: list[Callable[[WireFrame], None]] = field(default_factory=list)
    """Called with each kept frame before it is acted on: a test can check its journal at the moment of a placeOrder."""
    keep_data: bool = False
    sink: IO[str] | None = None

    def open_file(self, path: Path) -> None:
        self.sink = path.open("a", encoding="utf-8")

    def close(self) -> None:
        if self.sink is not None:
            self.sink.close()
            self.sink = None

    def add(self, frame: WireFrame) -> None:
        self.counts[frame.direction, frame.message] += 1
        if frame.direction == "out" and frame.message in DATA and not frame.note and not self.keep_data:
            return
        self.frames.append(frame)
        for watcher in self.watchers:
            watcher(frame)
        if self.sink is not None:
            row = [frame.ts_ns, frame.session, frame.client_id, frame.direction, frame.message, frame.note, frame.ref]
            self.sink.write(json.dumps([*row, list(frame.fields)]) + "\n")
            self.sink.flush()

    def select(self, message: int, direction: str | None = None, since: int = 0) -> Iterator[WireFrame]:
        for frame in self.frames[since:]:
            if frame.message == message and (direction is None or frame.direction == direction):
                yield frame
