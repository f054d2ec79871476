"""The archive of market history: one flat file a symbol, interval and kind, read by memory map."""

import os
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import numpy as np

from engine.bus.errors import UserError
from engine.memory.bar_archive_format import (
    DATA,
    FIELDS,
    SLOT,
    VERSION,
    Columns,
    Header,
    Kind,
    Rows,
    check_words,
    pack_header,
    record_type,
    to_columns,
    to_rows,
    unpack_header,
)

_SUFFIX = ".bars"
_DAMAGED = ".damaged"


class ArchiveDamaged(UserError):
    """A file of the archive cannot be believed; it was set aside, all others are unaffected."""


class SeriesInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One series of the archive. Times in UTC ns; 0 when empty."""

    symbol: str
    seconds: int
    kind: Kind
    count: int
    first_ns: int
    last_ns: int
    source: str
    size: int
    """Bytes on disk."""


class AppendResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an append did."""

    added: int
    replaced: int = 0
    """Records that were there with other values."""
    unchanged: int = 0


class BarArchive:
    """Series of bars, quotes, trades and rates under one folder. One writer; any number of readers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsynced: set[Path] = set()

    # --- writing

    def append(
        self,
        symbol: str,
        seconds: int,
        arrays: Columns,
        *,
        kind: Kind | str = Kind.BAR,
        source: str = "",
        sync: bool = True,
    ) -> AppendResult:
        """Add records, in order of time. What is new goes to the end; what overlaps replaces what was there.

        Either everything is written or nothing. ``sync`` waits for the disk. Raises ``ValueError`` naming the column
        that is wrong, :class:`ArchiveDamaged` when the file cannot be believed.
        """
        kind = Kind(kind)
        rows = to_rows(kind, arrays, seconds)
        times = rows[kind.time]
        strict = kind.is_bar or kind in (Kind.RATE, Kind.ACTION)
        if len(rows) > 1 and not bool((np.diff(times) > 0 if strict else np.diff(times) >= 0).all()):
            raise ValueError(f"{symbol}: records are not in order of time{', or one occurs twice' if strict else ''}")
        if len(rows) == 0:
            return AppendResult(added=0)
        path = self._path(symbol, seconds, kind)
        if not sync:
            self._unsynced.add(path)
        header = self._header(path) if path.exists() else None
        if header is None:
            self._write_new(path, Header(kind=kind, symbol=symbol, seconds=seconds, fields=tuple(FIELDS[kind]),
                                         source=source), rows, sync)  # fmt: skip
            return AppendResult(added=len(rows))
        old = self._map(path, header)
        if header.count == 0 or int(times[0]) > int(old[kind.time][-1]):
            self._write_end(path, header, rows, source, sync)
            return AppendResult(added=len(rows))
        self._believe(path, old)
        merged, result = _merged(kind, old, rows)
        del old
        if result.added or result.replaced:
            sources = header.source if source in header.source.split(" + ") else f"{header.source} + {source}"
            self._write_new(path, msgspec.structs.replace(header, source=sources), merged, sync)
        return result

    def remove(self, symbol: str, seconds: int, kind: Kind | str = Kind.BAR) -> None:
        """Delete a series; nothing happens when it is absent."""
        self._path(symbol, seconds, Kind(kind)).unlink(missing_ok=True)

    def sync(self) -> None:
        """Wait until what was written with ``sync=False`` is on the disk."""
        for path in self._unsynced:
            if path.exists():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        self._unsynced.clear()

    # --- reading

    def read(
        self,
        symbol: str,
        seconds: int,
        from_ns: int | None = None,
        to_ns: int | None = None,
        *,
        kind: Kind | str = Kind.BAR,
    ) -> Columns | None:
        """Return the records that start in [from_ns, to_ns) as columns; None when there is no such series."""
        kind = Kind(kind)
        path = self._path(symbol, seconds, kind)
        if not path.exists():
            return None
        rows = self._map(path, self._header(path))
        times = rows[kind.time]
        first = 0 if from_ns is None else bisect_left(times, from_ns)
        last = len(rows) if to_ns is None else bisect_left(times, to_ns)
        return self._copied(path, kind, rows[first:last])

    def last(
        self, symbol: str, seconds: int, count: int, *, end_ns: int | None = None, kind: Kind | str = Kind.BAR
    ) -> Columns | None:
        """Return the newest ``count`` records (bars: that had ended by ``end_ns``); None when there is no series."""
        kind = Kind(kind)
        path = self._path(symbol, seconds, kind)
        if not path.exists():
            return None
        rows = self._map(path, self._header(path))
        stop = len(rows)
        if end_ns is not None:
            stop = bisect_left(rows["ts_close" if kind.is_bar else kind.time], end_ns + 1)
        return self._copied(path, kind, rows[max(0, stop - count) : stop])

    def list(self) -> tuple[SeriesInfo, ...]:
        """Describe every series, by symbol; damaged files are set aside and left out (see :meth:`damaged`)."""
        found = []
        for path in self._paths():
            try:
                header = self._header(path)
                rows = self._map(path, header)
            except ArchiveDamaged:
                continue  # set aside; damaged() tells
            times = rows[header.kind.time]
            found.append(
                SeriesInfo(
                    symbol=header.symbol,
                    seconds=header.seconds,
                    kind=header.kind,
                    count=header.count,
                    first_ns=int(times[0]) if len(times) else 0,
                    last_ns=int(times[-1]) if len(times) else 0,
                    source=header.source,
                    size=path.stat().st_size,
                )
            )
        return tuple(sorted(found, key=lambda info: (info.symbol, info.kind, info.seconds)))

    def damaged(self) -> tuple[Path, ...]:
        """Return the files that were set aside."""
        return tuple(sorted(self._folder.rglob(f"*{_DAMAGED}*"))) if self._folder.is_dir() else ()

    def verify(self) -> tuple[str, ...]:
        """Check every record of every file; set damaged ones aside and say which and why."""
        faults: list[str] = []
        for path in self._paths():
            try:
                self._believe(path, self._map(path, self._header(path)))
            except ArchiveDamaged as damage:
                faults.append(str(damage))
        return tuple(faults)

    # --- files

    def _path(self, symbol: str, seconds: int, kind: Kind) -> Path:
        # Escaped, and with a prefix: no symbol can leave the folder or be a device name.
        return self._folder / kind.value / str(seconds) / f"s-{quote(symbol, safe='')}{_SUFFIX}"

    def _paths(self) -> Iterator[Path]:
        return iter(sorted(self._folder.glob(f"*/*/s-*{_SUFFIX}"))) if self._folder.is_dir() else iter(())

    def _header(self, path: Path) -> Header:
        with path.open("rb") as file:
            header = unpack_header(file.read(DATA))
        if header is None:
            raise self._set_aside(path, "its header is damaged")
        if header.version != VERSION:
            raise UserError(f"{path} has format {header.version}; this program reads format {VERSION}")
        if header.fields != tuple(FIELDS[header.kind]):
            raise self._set_aside(path, "its fields are not those of its kind")
        if unquote(path.name[2 : -len(_SUFFIX)]) != header.symbol:
            raise UserError(f"{path} holds {header.symbol}: two symbols that differ in case share a file name here")
        return header

    def _map(self, path: Path, header: Header) -> Rows:
        record = record_type(header.kind)
        size = path.stat().st_size
        if size < DATA + header.count * record.itemsize:
            have = max(0, size - DATA) // record.itemsize
            raise self._set_aside(path, f"it is cut off: {have} of {header.count} records are there")
        if header.count == 0:
            return np.zeros(0, dtype=record)
        return np.asarray(np.memmap(path, dtype=record, mode="r", offset=DATA, shape=(header.count,)))

    def _believe(self, path: Path, rows: Rows, first: int = 0) -> None:
        bad = np.flatnonzero(rows["check"] != check_words(rows))
        if len(bad):
            raise self._set_aside(path, f"record {first + int(bad[0])} is damaged ({len(bad)} in all)")

    def _copied(self, path: Path, kind: Kind, rows: Rows) -> Columns:
        copy = np.array(rows)
        self._believe(path, copy)
        return to_columns(kind, copy)

    def _set_aside(self, path: Path, why: str) -> ArchiveDamaged:
        target = path.with_name(path.name + _DAMAGED)
        number = 1
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}{_DAMAGED}-{number}")
        path.rename(target)
        return ArchiveDamaged(f"{path.name}: {why}. It was set aside as {target.name}; import the data again.")

    def _write_new(self, path: Path, header: Header, rows: Rows, sync: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        slot = pack_header(msgspec.structs.replace(header, count=len(rows), sequence=header.sequence + 1))
        with part.open("wb") as file:
            file.write(slot)
            file.write(slot)
            file.write(rows.tobytes())
            file.flush()
            if sync:
                os.fsync(file.fileno())
        part.replace(path)
        if sync:
            _sync_folder(path.parent)

    def _write_end(self, path: Path, header: Header, rows: Rows, source: str, sync: bool) -> None:
        sources = header.source
        if source not in sources.split(" + "):
            sources = f"{sources} + {source}" if sources else source
        sequence = header.sequence + 1
        slot = pack_header(
            msgspec.structs.replace(header, count=header.count + len(rows), sequence=sequence, source=sources)
        )
        with path.open("r+b") as file:
            file.seek(DATA + header.count * rows.dtype.itemsize)
            file.write(rows.tobytes())
            file.flush()
            if sync:
                os.fsync(file.fileno())
            file.seek(SLOT * (sequence % 2))
            file.write(slot)
            file.flush()
            if sync:
                os.fsync(file.fileno())


def _merged(kind: Kind, old: Rows, new: Rows) -> tuple[Rows, AppendResult]:
    times, fresh = old[kind.time], new[kind.time]
    if kind in (Kind.QUOTE, Kind.TRADE):
        # Ticks may share an instant: the new ones stand for everything in their span.
        inside = (times >= fresh[0]) & (times <= fresh[-1])
        if int(inside.sum()) == len(new) and bool((old[inside]["check"] == new["check"]).all()):
            return np.array(old), AppendResult(added=0, unchanged=len(new))
        before, after = old[times < fresh[0]], old[times > fresh[-1]]
        replaced = int(inside.sum())
        return np.concatenate((before, new, after)), AppendResult(added=max(0, len(new) - replaced), replaced=replaced)
    at = np.searchsorted(np.ascontiguousarray(times), fresh)
    known = (at < len(old)) & (times[np.minimum(at, len(old) - 1)] == fresh)
    same = np.zeros(len(new), dtype=bool)
    same[known] = old["check"][at[known]] == new["check"][known]
    kept = old[~np.isin(times, fresh)]
    joined = np.concatenate((kept, new))
    return joined[np.argsort(joined[kind.time], kind="stable")], AppendResult(
        added=int((~known).sum()), replaced=int((known & ~same).sum()), unchanged=int(same.sum())
    )


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
