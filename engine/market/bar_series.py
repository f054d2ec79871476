"""Bars of one symbol and interval as columns: appended at the end, read as contiguous views."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NAMES = ("open", "high", "low", "close", "volume", "vwap", "trades")


class Bar(NamedTuple):
    """One bar; times are UTC ns, ``ts_close`` is its end."""

    ts_open: int
    ts_close: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    trades: float


class BarArrays(NamedTuple):
    """Columns of bars, oldest first; views, not to be written to."""

    ts_open: Ints
    ts_close: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    vwap: Floats
    trades: Floats

    @property
    def size(self) -> int:
        return len(self.ts_open)

    def slice(self, start: int | None, stop: int | None) -> "BarArrays":
        return BarArrays._make(column[start:stop] for column in self)

    def take(self, positions: Ints) -> "BarArrays":
        return BarArrays._make(column[positions] for column in self)

    def bar(self, position: int) -> Bar:
        return Bar(
            int(self.ts_open[position]),
            int(self.ts_close[position]),
            *(float(column[position]) for column in self[2:]),
        )


class BarSeries:
    """The newest ``keep`` bars. Room is twice that, so that shifting costs one copy in ``keep`` appends."""

    __slots__ = ("_keep", "_start", "_stop", "_times", "_values", "first_open", "last_open")

    def __init__(self, keep: int) -> None:
        self._keep = keep
        room = min(64, 2 * keep)
        self._times: Ints = np.empty((2, room), dtype=np.int64)
        self._values: Floats = np.empty((len(NAMES), room), dtype=np.float64)
        self._start = self._stop = 0
        self.first_open = self.last_open = 0

    def __len__(self) -> int:
        return self._stop - self._start

    def append(self, bar: Bar) -> None:
        """Add a bar that starts after every other; raises ``ValueError`` when it does not."""
        if len(self) and bar.ts_open <= self.last_open:
            raise ValueError(f"bar at {bar.ts_open} is not after {self.last_open}")
        if self._stop == self._times.shape[1]:
            self._make_room()
        at = self._stop
        self._times[:, at] = bar[:2]
        self._values[:, at] = bar[2:]
        self._stop += 1
        if len(self) > self._keep:
            self._start += 1
        elif len(self) == 1:
            self.first_open = bar.ts_open
        self.first_open = int(self._times[0, self._start])
        self.last_open = bar.ts_open

    def _make_room(self) -> None:
        count = len(self)
        room = self._times.shape[1]
        if room < 2 * self._keep and count > room // 2:
            room = min(2 * room, 2 * self._keep)
        times = np.empty((2, room), dtype=np.int64)
        values = np.empty((len(NAMES), room), dtype=np.float64)
        times[:, :count] = self._times[:, self._start : self._stop]
        values[:, :count] = self._values[:, self._start : self._stop]
        self._times, self._values = times, values
        self._start, self._stop = 0, count

    def replace(self, arrays: BarArrays) -> None:
        """Hold exactly the newest ``keep`` of ``arrays``, which must be in order of time."""
        if arrays.size > 1 and not bool((np.diff(arrays.ts_open) > 0).all()):
            raise ValueError("bars are not in order of time, or one occurs twice")
        newest = [column[-self._keep :] for column in arrays]
        count = len(newest[0])
        room = min(max(64, 2 * count), 2 * self._keep)
        self._times = np.empty((2, room), dtype=np.int64)
        self._values = np.empty((len(NAMES), room), dtype=np.float64)
        self._times[:, :count] = newest[:2]
        self._values[:, :count] = newest[2:]
        self._start, self._stop = 0, count
        self.first_open = int(newest[0][0]) if count else 0
        self.last_open = int(newest[0][-1]) if count else 0

    def arrays(self) -> BarArrays:
        """All bars as views; valid until the next append."""
        return self._view(self._start, self._stop)

    def last(self, count: int, end_ns: int | None = None) -> BarArrays:
        """The newest ``count`` bars that had ended by ``end_ns`` (UTC ns; None: all)."""
        stop = self._stop
        if end_ns is not None:
            stop = self._start + int(np.searchsorted(self._times[1, self._start : self._stop], end_ns, side="right"))
        return self._view(max(self._start, stop - max(count, 0)), stop)

    def between(self, from_ns: int, to_ns: int) -> BarArrays:
        """The bars that start in [from_ns, to_ns)."""
        starts = self._times[0, self._start : self._stop]
        first, last = np.searchsorted(starts, (from_ns, to_ns), side="left").tolist()
        return self._view(self._start + first, self._start + last)

    def scale(self, factor: float, before_ns: int) -> int:
        """Multiply the prices of bars that start before ``before_ns`` and divide their volumes; return how many."""
        stop = self._start + int(np.searchsorted(self._times[0, self._start : self._stop], before_ns, side="left"))
        self._values[0:4, self._start : stop] *= factor
        self._values[5, self._start : stop] *= factor
        self._values[4, self._start : stop] /= factor
        return stop - self._start

    def _view(self, start: int, stop: int) -> BarArrays:
        return BarArrays(*self._times[:, start:stop], *self._values[:, start:stop])


def from_mapping(arrays: Mapping[str, NDArray[np.generic]], seconds: int) -> BarArrays:
    """Bars from columns by name; ``ts_close``, ``vwap`` and ``trades`` may be absent.

    Raises ``ValueError`` naming the column that is absent or of another length.
    """
    if "ts_open" not in arrays:
        raise ValueError("bars without a column ts_open")
    ts_open = np.ascontiguousarray(arrays["ts_open"], dtype=np.int64)
    count = len(ts_open)
    end = arrays.get("ts_close")
    ts_close = ts_open + seconds * 1_000_000_000 if end is None else np.ascontiguousarray(end, dtype=np.int64)
    columns: list[Floats] = []
    for name in NAMES:
        given = arrays.get(name)
        if given is None:
            if name in ("open", "high", "low", "close"):
                raise ValueError(f"bars without a column {name}")
            columns.append(np.full(count, 0.0 if name == "trades" else np.nan))
        else:
            columns.append(np.ascontiguousarray(given, dtype=np.float64))
    for name, column in zip(("ts_close", *NAMES), (ts_close, *columns), strict=True):
        if len(column) != count:
            raise ValueError(f"column {name} has {len(column)} values, ts_open has {count}")
    return BarArrays(ts_open, ts_close, *columns)
