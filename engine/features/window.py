"""The last closed bars of every symbol, each window always one contiguous slice: a ring written twice."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.features.jit import Array, Ints, kernel, plain
from engine.features.kernel import features_live
from engine.features.names import FEATURE_COUNT, WINDOW

COLUMNS: Final = ("open", "high", "low", "close", "volume", "market")

NEVER: Final = np.iinfo(np.int64).min


class WindowStore:
    """Windows of `symbols` rows over `width` bars: open, high, low, close, volume and the market's close at that bar.

    Times are UTC nanoseconds. Rows are numbers; who owns which row is the caller's business.
    """

    def __init__(self, symbols: int, width: int = WINDOW) -> None:
        if symbols < 1 or width < 1:
            raise ValueError(f"symbols and width must be at least 1, not {symbols} and {width}")
        self.width = width
        self._rings: Array = np.full((len(COLUMNS), symbols, 2 * width), np.nan)
        self._starts: Ints = np.full(symbols, width, dtype=np.int64)
        self._stops: Ints = np.full(symbols, width, dtype=np.int64)
        self._last: Ints = np.full(symbols, NEVER, dtype=np.int64)

    @property
    def symbols(self) -> int:
        return self._starts.size

    def push(
        self, row: int, ts_event: int, o: float, h: float, l: float, c: float, v: float, mkt: float = np.nan
    ) -> bool:
        """Append one closed bar in O(1); False, and nothing changes, when it is not newer than the last one."""
        self._check(row)
        return bool(_push(self._rings, self._starts, self._stops, self._last, row, ts_event, o, h, l, c, v, mkt))

    def push_many(self, rows: Ints, ts_event: Ints, bars: Array) -> int:
        """Append one bar per row, `bars` being (rows, 6) in the order of COLUMNS; return how many were taken."""
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        times = np.ascontiguousarray(ts_event, dtype=np.int64)
        bars = plain(bars)
        if bars.shape != (rows.size, len(COLUMNS)) or times.shape != rows.shape:
            raise ValueError(f"bars must be ({rows.size}, 6) with one time each, not {bars.shape} and {times.shape}")
        if rows.size and (rows.min() < 0 or rows.max() >= self.symbols):
            raise IndexError(f"rows must lie inside 0 .. {self.symbols - 1}")
        return int(_push_many(self._rings, self._starts, self._stops, self._last, rows, times, bars))

    def load(self, row: int, ts_event: Ints, columns: Sequence[Array]) -> None:
        """Replace a row by a history (six columns, oldest first), as at start or after a split re-wrote the past.

        Raises ValueError when the columns differ in length or times do not rise.
        """
        self._check(row)
        times = np.ascontiguousarray(ts_event, dtype=np.int64)
        bars = np.column_stack([plain(x) for x in columns]) if len(columns) == len(COLUMNS) else None
        if bars is None or bars.shape[0] != times.size:
            raise ValueError(f"a row needs {', '.join(COLUMNS)} with one value for each of {times.size} times")
        if times.size and (np.any(times[1:] <= times[:-1]) or times[0] == NEVER):
            raise ValueError("the times of a row must rise")
        self.clear(row)
        kept = slice(max(0, times.size - self.width), None)
        times, bars = times[kept], plain(bars[kept])
        self.push_many(np.full(times.size, row, dtype=np.int64), times, bars)

    def clear(self, row: int) -> None:
        """Forget a row."""
        self._check(row)
        self._rings[:, row, :] = np.nan
        self._starts[row] = self._stops[row] = self.width
        self._last[row] = NEVER

    def window(self, row: int) -> Array:
        """Return a read-only (6, bars) view of a row, oldest first; it moves on with the next push."""
        self._check(row)
        view = self._rings[:, row, self._starts[row] : self._stops[row]]
        view.flags.writeable = False
        return view

    def count(self, row: int) -> int:
        """Return how many bars a row holds, at most `width`."""
        self._check(row)
        return int(self._stops[row] - self._starts[row])

    def last_times(self) -> Ints:
        """Return the time of each row's last bar in ns; `NEVER` for an empty row."""
        return self._last.copy()

    def fresh(self, since_ns: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which rows have a bar at or after a time; the others are stale and leave the cross-section."""
        return self._last >= since_ns

    def features(self, rows: Ints | None = None, out: Array | None = None) -> Array:
        """Return (rows, 93): the features of each row's last bar. An empty row is all NaN."""
        if rows is None:
            rows = np.arange(self.symbols, dtype=np.int64)
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= self.symbols):
            raise IndexError(f"rows must lie inside 0 .. {self.symbols - 1}")
        if out is None:
            out = np.empty((rows.size, FEATURE_COUNT))
        elif out.shape != (rows.size, FEATURE_COUNT):
            raise ValueError(f"out must be ({rows.size}, {FEATURE_COUNT}), not {out.shape}")
        features_live(self._rings, self._starts, self._stops, rows, out)
        return out

    def _check(self, row: int) -> None:
        if not 0 <= row < self.symbols:
            raise IndexError(f"row {row} is outside 0 .. {self.symbols - 1}")


@kernel
def _push(
    rings: Array,
    starts: Ints,
    stops: Ints,
    last: Ints,
    row: int,
    ts: int,
    o: float,
    h: float,
    l: float,
    c: float,
    v: float,
    mkt: float,
) -> bool:
    if ts <= last[row]:
        return False
    width = rings.shape[2] // 2
    count = min(stops[row] - starts[row] + 1, width)
    # the window always ends in the upper copy: slot `at` is written there and again one width below
    at = stops[row] if stops[row] < 2 * width else width
    for base in (at, at - width):
        rings[0, row, base] = o
        rings[1, row, base] = h
        rings[2, row, base] = l
        rings[3, row, base] = c
        rings[4, row, base] = v
        rings[5, row, base] = mkt
    stops[row] = at + 1
    starts[row] = at + 1 - count
    last[row] = ts
    return True


@kernel
def _push_many(rings: Array, starts: Ints, stops: Ints, last: Ints, rows: Ints, times: Ints, bars: Array) -> int:
    taken = 0
    for i in range(rows.size):
        b = bars[i]
        if _push(rings, starts, stops, last, rows[i], times[i], b[0], b[1], b[2], b[3], b[4], b[5]):
            taken += 1
    return taken
