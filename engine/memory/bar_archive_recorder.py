"""Keep every closed bar: first in one shared journal, later, in small steps, in the archive's own files.

One write a second for all symbols keeps the loop free; opening hundreds of files each minute would not. A journal that
was left by a crash is taken into the archive at the next start; doing so twice changes nothing.
"""

import struct
import zlib
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.bus.bus import Bus
from engine.bus.clock import Clock, Timer
from engine.memory.bar_archive import BarArchive
from engine.memory.bar_archive_format import Columns
from engine.model.events.market import BarClosed

_RECORD = struct.Struct("<32sI2q7d")
_CHECK = struct.Struct("<I")
_SIZE = _RECORD.size + _CHECK.size
_NAMES = ("open", "high", "low", "close", "volume", "vwap", "trades")
_WRITE_S = 1.0
_MERGE_S = 14_400.0
"""Rarely: opening a file costs more than hundreds of its records."""
_STEP_S = 0.02
_STEP = 8
"""Series taken into the archive at once: a few milliseconds."""

Row = tuple[int, int, float, float, float, float, float, float, float]
"""ts_open, ts_close, open, high, low, close, volume, vwap, trades."""


class BarRecorder:
    """Subscribes to ``BarClosed`` and keeps bars of the chosen intervals."""

    name = "bar recorder"

    def __init__(
        self, bus: Bus, clock: Clock, archive: BarArchive, folder: Path, seconds: tuple[int, ...] = (60, 86_400)
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._archive = archive
        self._folder = folder
        self._seconds = frozenset(seconds)
        self._buffer: list[bytes] = []
        self._rows: defaultdict[tuple[str, int], list[Row]] = defaultdict(list)
        self._merging: deque[tuple[tuple[str, int], list[Row]]] = deque()
        self._old: list[Path] = []
        self._number = 0
        self._write_timer: Timer | None = None
        self._merge_timer: Timer | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.broken = 0
        """Records of a journal that could not be believed and were left out."""

    async def start(self) -> None:
        """Take in what a crash left, then listen."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("bars-*.journal")):
            self._number = max(self._number, int(path.stem.split("-")[1]))
            for key, row in self._read(path):
                self._rows[key].append(row)
            self._old.append(path)
        if self._old:
            self._begin_merge()
            self._finish_merge()
        self._unsubscribe = self._bus.subscribe(BarClosed, self._on_bar, owner=self.name)

    async def stop(self) -> None:
        """Write everything into the archive."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        for timer in (self._write_timer, self._merge_timer):
            if timer is not None:
                timer.cancel()
        self._write_timer = self._merge_timer = None
        self.flush()
        self._begin_merge()
        self._finish_merge()

    def flush(self) -> None:
        """Hand what is buffered to the operating system in one write."""
        self._write_timer = None
        if not self._buffer:
            return
        block = b"".join(self._buffer)
        with self._path().open("ab") as file:
            file.write(block)
        self._buffer.clear()

    def _on_bar(self, bar: BarClosed) -> None:
        if bar.seconds not in self._seconds:
            return
        row: Row = (
            bar.ts_open,
            bar.ts_event,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
            bar.vwap,
            float(bar.trades),
        )
        self._rows[bar.symbol, bar.seconds].append(row)
        name = bar.symbol.encode()
        if len(name) <= 32:  # a longer one waits for the merge in memory alone
            record = _RECORD.pack(name, bar.seconds, *row)
            self._buffer.append(record + _CHECK.pack(zlib.crc32(record)))
        if self._write_timer is None:
            self._write_timer = self._clock.call_later(_WRITE_S, self.flush)
        if self._merge_timer is None:
            self._merge_timer = self._clock.call_later(_MERGE_S, self._on_merge)

    def _on_merge(self) -> None:
        self.flush()
        self._begin_merge()
        self._on_step()

    def _on_step(self) -> None:
        for _ in range(min(_STEP, len(self._merging))):
            self._merge_one()
        if self._merging:
            self._merge_timer = self._clock.call_later(_STEP_S, self._on_step)
        else:
            self._merge_timer = self._clock.call_later(_MERGE_S, self._on_merge) if self._rows else None
            self._drop_old()

    def _begin_merge(self) -> None:
        """From now on new bars go to a new journal; the old one stays until all of it is in the archive."""
        if self._path().exists():
            self._old.append(self._path())
        self._number += 1
        self._merging.extend(self._rows.items())
        self._rows = defaultdict(list)

    def _finish_merge(self) -> None:
        while self._merging:
            self._merge_one()
        self._drop_old()

    def _merge_one(self) -> None:
        (symbol, seconds), rows = self._merging.popleft()
        newest = {row[0]: row for row in rows}
        ordered = [newest[ts] for ts in sorted(newest)]
        times = np.array([row[:2] for row in ordered], dtype=np.int64)
        values = np.array([row[2:] for row in ordered], dtype=np.float64)
        columns: Columns = {"ts_open": times[:, 0], "ts_close": times[:, 1]}
        columns |= {name: values[:, position] for position, name in enumerate(_NAMES)}
        self._archive.append(symbol, seconds, columns, source="recorded", sync=False)

    def _drop_old(self) -> None:
        if self._old:
            self._archive.sync()
        for path in self._old:
            path.unlink(missing_ok=True)
        self._old.clear()

    def _path(self) -> Path:
        return self._folder / f"bars-{self._number:08}.journal"

    def _read(self, path: Path) -> list[tuple[tuple[str, int], Row]]:
        block = path.read_bytes()
        found: list[tuple[tuple[str, int], Row]] = []
        for at in range(0, len(block) - _SIZE + 1, _SIZE):
            record = block[at : at + _RECORD.size]
            (check,) = _CHECK.unpack_from(block, at + _RECORD.size)
            if zlib.crc32(record) != check:
                self.broken += 1
                continue
            name, seconds, *row = _RECORD.unpack(record)
            found.append(((name.rstrip(b"\0").decode(), seconds), (*row,)))
        self.broken += len(block) % _SIZE > 0
        return found
