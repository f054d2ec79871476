"""The format of an archive file: a header written twice, then records of fixed size, each with a check word.

Header: two slots of 2 048 bytes; the newer valid one counts. A slot is written only after the records it counts, so a
crash leaves the file as it was before. Records: little-endian 8-byte words; the last word is the check of the others.
"""

import struct
import zlib
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

VERSION = 1
SLOT = 2_048
DATA = 2 * SLOT
_MAGIC = b"MABARS\x00\x01"
_FRAME = struct.Struct("<8sII")
"""Magic, length and CRC-32 of the slot's message."""

Rows = NDArray[np.void]
Columns = dict[str, NDArray[np.generic]]


class Kind(StrEnum):
    """What a series holds; each kind has fields of its own."""

    BAR = "bar"
    BID = "bid"
    """Bars of bid prices."""
    ASK = "ask"
    """Bars of ask prices."""
    QUOTE = "quote"
    TRADE = "trade"
    RATE = "rate"
    """One number an instant: yields, rates, indices without a bar."""
    ACTION = "action"
    """Dividends and splits."""

    @property
    def is_bar(self) -> bool:
        return self in (Kind.BAR, Kind.BID, Kind.ASK)

    @property
    def time(self) -> str:
        """Name of the field that orders the series."""
        return "ts_open" if self.is_bar else "ts"


_BAR = {
    "ts_open": "<i8",
    "ts_close": "<i8",
    "open": "<f8",
    "high": "<f8",
    "low": "<f8",
    "close": "<f8",
    "volume": "<f8",
    "vwap": "<f8",
    "trades": "<f8",
    "adj_close": "<f8",
    "open_interest": "<f8",
}
FIELDS: dict[Kind, dict[str, str]] = {
    Kind.BAR: _BAR,
    Kind.BID: _BAR,
    Kind.ASK: _BAR,
    Kind.QUOTE: {"ts": "<i8", "bid": "<f8", "ask": "<f8", "bid_size": "<f8", "ask_size": "<f8"},
    Kind.TRADE: {"ts": "<i8", "price": "<f8", "size": "<f8", "aggressor": "<i8"},
    Kind.RATE: {"ts": "<i8", "value": "<f8"},
    Kind.ACTION: {"ts": "<i8", "dividend": "<f8", "split": "<f8"},
}
REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.BAR: ("ts_open", "open", "high", "low", "close"),
    Kind.BID: ("ts_open", "open", "high", "low", "close"),
    Kind.ASK: ("ts_open", "open", "high", "low", "close"),
    Kind.QUOTE: ("ts", "bid", "ask"),
    Kind.TRADE: ("ts", "price"),
    Kind.RATE: ("ts", "value"),
    Kind.ACTION: ("ts",),
}


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself."""

    kind: Kind
    symbol: str
    seconds: int
    fields: tuple[str, ...]
    count: int = 0
    sequence: int = 0
    source: str = ""
    version: int = VERSION


def record_type(kind: Kind) -> np.dtype[np.void]:
    """The structured type of one record, check word included."""
    return np.dtype([*FIELDS[kind].items(), ("check", "<u8")])


def pack_header(header: Header) -> bytes:
    """One slot. Raises ``ValueError`` when the names in it are too long."""
    message = msgspec.msgpack.encode(header)
    if len(message) > SLOT - _FRAME.size:
        raise ValueError(f"symbol or source is too long for the archive: {header.symbol[:40]!r}")
    return (_FRAME.pack(_MAGIC, len(message), zlib.crc32(message)) + message).ljust(SLOT, b"\0")


def unpack_header(block: bytes) -> Header | None:
    """The newer valid slot of a file's first :data:`DATA` bytes, None when neither is valid."""
    found = [header for at in (0, SLOT) if (header := _unpack_slot(block[at : at + SLOT])) is not None]
    return max(found, key=lambda header: header.sequence, default=None)


def _unpack_slot(slot: bytes) -> Header | None:
    if len(slot) < _FRAME.size:
        return None
    magic, length, checksum = _FRAME.unpack_from(slot)
    message = slot[_FRAME.size : _FRAME.size + length]
    if magic != _MAGIC or len(message) != length or zlib.crc32(message) != checksum:
        return None
    try:
        return msgspec.msgpack.decode(message, type=Header)
    except msgspec.DecodeError:
        return None


_ODD = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F,
     0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165,
     0x9C6E6877736C46E3, 0xC1342543DE82EF95],
    dtype=np.uint64,
)  # fmt: skip
_OFFSET = np.uint64(0x27D4EB2F165667C5)


def check_words(rows: Rows) -> NDArray[np.uint64]:
    """The check of each record: its words times odd constants, summed modulo 2^64. Any one changed word changes it."""
    if len(rows) == 0:
        return np.empty(0, dtype=np.uint64)
    words = rows.view(np.uint64).reshape(len(rows), -1)[:, :-1]
    with np.errstate(over="ignore"):
        mixed = (words ^ (words >> np.uint64(29))) * _ODD[: words.shape[1]]
        total: NDArray[np.uint64] = mixed.sum(axis=1, dtype=np.uint64)
        return total + _OFFSET


def to_rows(kind: Kind, columns: Columns, seconds: int) -> Rows:
    """Records of columns by name; absent optional fields are NaN (sizes of quotes, dividends 0, splits 1).

    Raises ``ValueError`` naming a column that is absent, unknown or of another length.
    """
    for name in REQUIRED[kind]:
        if name not in columns:
            raise ValueError(f"{kind} without a column {name}")
    unknown = set(columns) - set(FIELDS[kind])
    if unknown:
        raise ValueError(f"{kind} has no column {', '.join(sorted(unknown))}")
    count = len(columns[kind.time])
    rows = np.zeros(count, dtype=record_type(kind))
    for name, form in FIELDS[kind].items():
        given = columns.get(name)
        if given is not None and len(given) != count:
            raise ValueError(f"column {name} has {len(given)} values, {kind.time} has {count}")
        if given is not None:
            rows[name] = given
        elif name == "ts_close":
            rows[name] = rows["ts_open"] + seconds * 1_000_000_000
        elif form == "<f8":
            rows[name] = {"dividend": 0.0, "split": 1.0}.get(name, np.nan)
    rows["check"] = check_words(rows)
    return rows


def to_columns(kind: Kind, rows: Rows) -> Columns:
    """Contiguous columns of records, without the check."""
    return {name: np.ascontiguousarray(rows[name]) for name in FIELDS[kind]}
