"""The chart's bars: growable numpy columns and a pyramid of extremes above them."""

from dataclasses import dataclass
from math import isfinite
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BASE = 64
_FAN = 8
_COLUMNS = ("open", "high", "low", "close", "volume")
_DIRECT = 4096
"""Extremes of so few bars are read off the bars themselves: most charts never build the pyramid."""


@dataclass(slots=True)
class _Level:
    step: int
    high: Floats
    low: Floats
    volume: Floats


class ChartData:
    """Open, high, low, close, volume (float64) by bar start (UTC ns, rising).

    With `max_bars`, the oldest bars fall off in blocks once twice as many have come.
    """

    def __init__(self, max_bars: int | None = None) -> None:
        if max_bars is not None and max_bars < 1:
            raise ValueError(f"max_bars must be at least 1, not {max_bars}")
        self._max_bars = max_bars
        self._ts = np.empty(1024, np.int64)
        self._columns: NDArray[np.float64] | tuple[Floats, ...] = np.empty((5, 1024))
        self._pyramid: list[_Level] | None = None
        self.size = 0

    @property
    def _levels(self) -> list[_Level]:
        """The pyramid, built when somebody first looks from afar."""
        if self._pyramid is None:
            self._pyramid = []
            step = _BASE
            while step < len(self._ts):
                cells = -(-len(self._ts) // step)
                self._pyramid.append(_Level(step, np.empty(cells), np.empty(cells), np.empty(cells)))
                step *= _FAN
            self._fold(0)
        return self._pyramid

    def _move(self, first: int, capacity: int) -> None:
        """Go on with bars from `first` in columns of our own with room for `capacity`."""
        stop = self.size
        ts, columns = np.empty(capacity, np.int64), np.empty((5, capacity))
        ts[: stop - first] = self._ts[first:stop]
        for own, column in zip(columns, self._columns, strict=True):
            own[: stop - first] = column[first:stop]
        self._ts, self._columns, self._pyramid, self.size = ts, columns, None, stop - first

    @property
    def max_bars(self) -> int | None:
        """How many bars are kept at least; None keeps all."""
        return self._max_bars

    def __len__(self) -> int:
        return self.size

    @property
    def ts(self) -> NDArray[np.int64]:
        """Bar starts."""
        return self._ts[: self.size]

    @property
    def open(self) -> Floats:
        """Open prices."""
        return self._columns[0][: self.size]

    @property
    def high(self) -> Floats:
        """Highest prices."""
        return self._columns[1][: self.size]

    @property
    def low(self) -> Floats:
        """Lowest prices."""
        return self._columns[2][: self.size]

    @property
    def close(self) -> Floats:
        """Close prices."""
        return self._columns[3][: self.size]

    @property
    def volume(self) -> Floats:
        """Volumes."""
        return self._columns[4][: self.size]

    def values(self, bar: int) -> tuple[float, float, float, float, float]:
        """Return open, high, low, close and volume of one bar, counted from the first."""
        columns = self._columns
        if isinstance(columns, tuple):
            opened, high, low, close, volume = (float(column[bar]) for column in columns)
        else:
            opened, high, low, close, volume = columns[:, bar].tolist()
        return opened, high, low, close, volume

    def load(
        self, ts: NDArray[np.int64], open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats
    ) -> None:
        """Replace all bars; ValueError names the column and row that cannot be drawn.

        The columns are read where they stand, and copied when a bar is first put: of a million bars that nobody adds
        to, none is ever copied.
        """
        ts = np.ascontiguousarray(ts, dtype=np.int64)
        n = len(ts)
        given = [np.ascontiguousarray(column, dtype=np.float64) for column in (open_, high, low, close, volume)]
        for name, column in zip(_COLUMNS, given, strict=True):
            if column.shape != (n,):
                raise ValueError(f"{name}: {column.shape} values for {n} bars")
            if not np.isfinite(column).all():
                raise ValueError(f"{name}: row {int(np.argmin(np.isfinite(column)))} is not a finite number")
        if n > 1:
            rising = ts[1:] > ts[:-1]
            if not rising.all():
                raise ValueError(f"ts: row {int(np.argmin(rising)) + 1} is not later than the row before it")
        if self._max_bars is not None and n > self._max_bars:
            ts, given, n = ts[-self._max_bars :], [column[-self._max_bars :] for column in given], self._max_bars
        self._ts, self._columns, self._pyramid, self.size = ts, tuple(given), None, n

    def put(self, ts: int, open_: float, high: float, low: float, close: float, volume: float) -> int:
        """Replace the last bar or append a later one; return how many old bars fell off.

        ValueError for a bar before the last one or a value that is not finite.
        """
        values = (open_, high, low, close, volume)
        if not all(map(isfinite, values)):
            raise ValueError(f"{_COLUMNS[int(np.argmin(np.isfinite(values)))]}: not a finite number")
        dropped = 0
        n = self.size
        borrowed = isinstance(self._columns, tuple)
        if n and ts < self._ts[n - 1]:
            raise ValueError(f"ts: {ts} is before the last bar {int(self._ts[n - 1])}")
        appended = not n or ts > self._ts[n - 1]
        if borrowed:
            self._move(0, max(1024, n + n // 8 + 64))
        if appended:
            dropped = self._make_room()
            n = self.size = self.size + 1
            self._ts[n - 1] = ts
        columns = cast(Floats, self._columns)
        if self._pyramid is None:
            columns[:, n - 1] = values
            return dropped
        before = columns[:, n - 1].tolist()
        columns[:, n - 1] = values
        if appended or high < before[1] or low > before[2] or volume < before[4]:
            self._fold(self.size - 1)
        else:
            self._widen_last(before, high, low, volume)
        return dropped

    def _widen_last(self, before: list[float], high: float, low: float, volume: float) -> None:
        # A bar that only grew can only raise the extremes above it.
        at = self.size - 1
        for level in self._levels:
            cell = at // level.step
            if high > before[1] and high > level.high[cell]:
                level.high[cell] = high
            if low < before[2] and low < level.low[cell]:
                level.low[cell] = low
            if volume > before[4] and volume > level.volume[cell]:
                level.volume[cell] = volume

    def _make_room(self) -> int:
        keep = self._max_bars
        if keep is not None and self.size >= 2 * keep:
            dropped = self.size - keep
            self._move(dropped, len(self._ts))
            return dropped
        if self.size == len(self._ts):
            self._move(0, 2 * self.size)
        return 0

    def _fold(self, first_bar: int) -> None:
        high, low, volume = self.high, self.low, self.volume
        step = 1
        for level in self._pyramid or ():
            fan = level.step // step
            first = first_bar // level.step
            edges = np.arange(first * fan, len(high), fan)
            if len(edges):
                stop = first + len(edges)
                level.high[first:stop] = np.maximum.reduceat(high, edges)
                level.low[first:stop] = np.minimum.reduceat(low, edges)
                level.volume[first:stop] = np.maximum.reduceat(volume, edges)
            cells = -(-self.size // level.step)
            high, low, volume, step = level.high[:cells], level.low[:cells], level.volume[:cells], level.step

    def extremes(self, first: int, stop: int) -> tuple[float, float, float]:
        """Return the highest high, lowest low and largest volume of bars [first, stop); there must be one."""
        first, stop = max(0, first), min(self.size, stop)
        if first >= stop:
            raise ValueError(f"no bars in [{first}, {stop})")
        high, low, volume = self.high, self.low, self.volume
        highs: list[float] = []
        lows: list[float] = []
        volumes: list[float] = []

        def take(a: int, b: int) -> None:
            if a < b:
                highs.append(float(high[a:b].max()))
                lows.append(float(low[a:b].min()))
                volumes.append(float(volume[a:b].max()))

        step = 1
        a, b = first, stop
        for level in self._levels if stop - first > _DIRECT else ():
            fan = level.step // step
            if b - a <= 64:
                break
            inner_a, inner_b = -(-a // fan), b // fan
            take(a, inner_a * fan)
            take(inner_b * fan, b)
            a, b, step = inner_a, inner_b, level.step
            high, low, volume = level.high, level.low, level.volume
        take(a, b)
        return max(highs), min(lows), max(volumes)

    def columns(self, edges: NDArray[np.int64], per_column: float) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Fold bars into pixel columns: column k is bars [edges[k], edges[k+1]).

        Extremes come from the pyramid level whose cells are small against a column, so the cost does not grow with
        the number of bars; a spike may move by a fraction of a pixel. Open and close are exact.
        """
        high, low, volume, step = self.high, self.low, self.volume, 1
        for level in self._levels if per_column >= 4 * _BASE else ():
            if level.step * 4 > per_column:
                break
            cells = -(-self.size // level.step)
            high, low, volume, step = level.high[:cells], level.low[:cells], level.volume[:cells], level.step
        starts = edges[:-1] // step
        last = -(-int(edges[-1]) // step)
        return (
            self.open[edges[:-1]],
            np.maximum.reduceat(high[:last], starts),
            np.minimum.reduceat(low[:last], starts),
            self.close[edges[1:] - 1],
            np.maximum.reduceat(volume[:last], starts),
        )
