"""The wire: length-prefixed msgpack frames over one local stream.

A frame is a 4-byte big-endian length and that many bytes of msgpack. The client speaks first (:class:`Hello`); the
engine answers :class:`engine.api.frames.Welcome` or :class:`engine.api.frames.Refused` and closes. Never pickle.
"""

import asyncio

import msgspec

from engine.api.commands import AnyCommand
from engine.api.frames import AnyUp

WIRE_VERSION = 1
MAX_FRAME = 64 * 1024 * 1024
_PREFIX = 4


class DownMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="down", tag=lambda name: name):
    """Base of everything a client sends."""


class Hello(DownMessage, frozen=True, kw_only=True):
    version: int = WIRE_VERSION
    token: str = ""
    """Proof of access on loopback TCP; a Unix socket is guarded by its file mode."""
    client: str = "window"
    last_notice: int = -1
    """Sequence of the last notice this client has, -1 for none: what it missed is sent again."""


class Follow(DownMessage, frozen=True, kw_only=True):
    """What this client wants to see from now on; replaces its earlier wish.

    A window repeats it every two seconds as a sign of life, and leaves with an empty one.
    """

    tables: tuple[str, ...] = ()
    quotes: bool = False
    bars: tuple[tuple[str, int], ...] = ()
    """(symbol, seconds) of the charts on screen."""
    depth: tuple[str, ...] = ()
    tape: tuple[str, ...] = ()
    notices: bool = True
    rate_hz: float = 30.0


class Call(DownMessage, frozen=True, kw_only=True):
    """A command; the answer carries the same ``id``."""

    id: int
    command: AnyCommand
    sent_s: float = 0.0
    """When it was sent, by the monotonic clock that all processes of a machine share; 0 for not told, and then nothing
    that may add risk is done."""


AnyDown = Hello | Follow | Call

_encoder = msgspec.msgpack.Encoder()
_up: msgspec.msgpack.Decoder[AnyUp] = msgspec.msgpack.Decoder(AnyUp)
_down: msgspec.msgpack.Decoder[AnyDown] = msgspec.msgpack.Decoder(AnyDown)


def pack(message: msgspec.Struct) -> bytes:
    """Encode one message as a frame."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise ValueError(f"message of {len(body)} bytes does not fit a frame")
    return len(body).to_bytes(_PREFIX, "big") + body


def unpack_up(body: bytes) -> AnyUp:
    """Decode a message from the engine. Raises ``msgspec.DecodeError`` or ``msgspec.ValidationError``."""
    return _up.decode(body)


def unpack_down(body: bytes) -> AnyDown:
    """Decode a message from a client. Raises ``msgspec.DecodeError`` or ``msgspec.ValidationError``."""
    return _down.decode(body)


async def read_frame(reader: asyncio.StreamReader, most: int = MAX_FRAME) -> bytes | None:
    """Read one frame's body; ``None`` at a clean end. Raises ``ConnectionError`` for a broken or oversized frame."""
    try:
        size = int.from_bytes(await reader.readexactly(_PREFIX), "big")
        if size > most:
            raise ConnectionError(f"frame of {size} bytes refused")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ConnectionError("the stream ended inside a frame") from error
        return None
