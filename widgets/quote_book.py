"""Prices of a watchlist in numpy columns, by the engine's index; no Python per quote."""

import numpy as np
import numpy.typing as npt

from engine.api.frames import QuoteBlock

STALE, HALTED, DELAYED = 1, 2, 4
SPARK_POINTS = 40
_SPARK_NS = 600 * 1_000_000_000
"""One point per ten minutes: a session fits."""
NIGHT_SLOTS = 18
"""Three hours without a price: what comes then belongs to another day."""

_FLOATS = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "previous_close")
Floats = npt.NDArray[np.float64]


def day_so_far(ts_ns: npt.NDArray[np.int64], prices: Floats) -> tuple[Floats, int]:
    """Return the prices of the last day of bars, one per ten minutes as the picture has them, and when the last was.

    ``ts_ns`` is when each price was known, rising. A day begins after a gap as long as a night's.
    """
    if not len(ts_ns):
        return np.empty(0), 0
    slot = ts_ns // _SPARK_NS
    night = np.flatnonzero(np.diff(slot) > NIGHT_SLOTS)
    first = int(night[-1]) + 1 if len(night) else 0
    slot, prices = slot[first:], prices[first:]
    newest = np.append(slot[1:] != slot[:-1], True)
    return prices[newest][-SPARK_POINTS:], int(ts_ns[-1])


class QuoteBook:
    """Columns ``bid``, ``ask``, ``bid_size``, ``ask_size``, ``last``, ``volume``, ``previous_close`` (float64, NaN
    unknown), ``ts`` (int64 UTC ns), ``flags``, ``dirty``, ``moved`` (-1, 0, +1: the way the last price went)."""

    def __init__(self) -> None:
        self.size = 0
        self.bid = self.ask = self.bid_size = self.ask_size = np.empty(0)
        self.last = self.volume = self.previous_close = np.empty(0)
        self.ts = np.empty(0, np.int64)
        self.flags = np.empty(0, np.uint8)
        self.dirty = np.empty(0, np.bool_)
        self.moved = np.empty(0, np.int8)
        self.spark = np.empty((0, SPARK_POINTS), np.float32)
        self.spark_slot = np.empty(0, np.int64)
        self.quotes = 0
        """Quotes taken so far."""

    def reserve(self, size: int) -> None:
        """Have room for indices below ``size``."""
        if size <= self.size:
            return
        room = max(64, 1 << (size - 1).bit_length())
        for name in _FLOATS:
            setattr(self, name, _grown(getattr(self, name), room, np.nan))
        self.ts = _grown(self.ts, room, 0)
        self.flags = _grown(self.flags, room, 0)
        self.dirty = _grown(self.dirty, room, False)
        self.moved = _grown(self.moved, room, 0)
        spark = np.full((room, SPARK_POINTS), np.nan, np.float32)
        spark[: len(self.spark)] = self.spark
        self.spark = spark
        self.spark_slot = _grown(self.spark_slot, room, 0)
        self.size = room

    def forget(self, index: int) -> None:
        """Clear one index, so that a symbol that takes it over never shows the prices of another."""
        if index < self.size:
            for name in _FLOATS:
                getattr(self, name)[index] = np.nan
            self.ts[index] = self.flags[index] = self.moved[index] = 0
            self.spark[index] = np.nan
            self.spark_slot[index] = 0
            self.dirty[index] = True

    def take(self, block: QuoteBlock) -> None:
        """Take a packed block. Raises ``ValueError`` when its columns differ in length or an index is negative."""
        index = np.frombuffer(block.index, "<i4")
        if not len(index):
            return
        if index.min() < 0:
            raise ValueError(f"QuoteBlock.index holds {int(index.min())}")
        columns = {name: np.frombuffer(getattr(block, name), "<f8") for name in _FLOATS}
        ts = np.frombuffer(block.ts, "<i8")
        flags = np.frombuffer(block.flags, np.uint8)
        for name, column in (*columns.items(), ("ts", ts), ("flags", flags)):
            if len(column) != len(index):
                raise ValueError(f"QuoteBlock.{name} has {len(column)} values for {len(index)} symbols")
        self.reserve(int(index.max()) + 1)
        before = self.last[index]
        now = columns["last"] = _last_or_mid(columns)
        with np.errstate(invalid="ignore"):
            way = (now > before).astype(np.int8) - (now < before).astype(np.int8)
        self.moved[index] = way
        for name, column in columns.items():
            getattr(self, name)[index] = column
        self.ts[index] = ts
        self.flags[index] = flags
        self.dirty[index] = True
        self._sample(index, now, ts)
        self.quotes += len(index)

    def _sample(self, index: npt.NDArray[np.int32], last: Floats, ts: npt.NDArray[np.int64]) -> None:
        slot = ts // _SPARK_NS
        due = slot > self.spark_slot[index]
        if due.any():
            rows = index[due]
            # After a night the picture is another day's.
            self.spark[rows[slot[due] - self.spark_slot[rows] > NIGHT_SLOTS]] = np.nan
            self.spark[rows, :-1] = self.spark[rows, 1:]
            self.spark_slot[rows] = slot[due]
        self.spark[index, -1] = last

    def set_spark(self, index: int, values: npt.ArrayLike, ts_ns: int = 0) -> None:
        """Give a symbol the prices of its day so far, oldest first; ``ts_ns`` is the time of the newest."""
        self.reserve(index + 1)
        self.spark_slot[index] = ts_ns // _SPARK_NS
        points = np.asarray(values, np.float32)[-SPARK_POINTS:]
        self.spark[index] = np.nan
        if len(points):
            self.spark[index, -len(points) :] = points
        self.dirty[index] = True

    def change(self, index: npt.NDArray[np.int64]) -> Floats:
        """Return the changes since the previous close, in price."""
        return self.last[index] - self.previous_close[index]

    def change_percent(self, index: npt.NDArray[np.int64]) -> Floats:
        """Return the changes since the previous close, in percent."""
        with np.errstate(invalid="ignore", divide="ignore"):
            close = self.previous_close[index]
            return np.where(close > 0, (self.last[index] / close - 1.0) * 100.0, np.nan)


def _last_or_mid(columns: dict[str, Floats]) -> Floats:
    """The last trade; the mid where only quotes are made, as with currencies: as the engine values a holding."""
    last = columns["last"]
    known = last > 0.0
    return last if known.all() else np.where(known, last, (columns["bid"] + columns["ask"]) / 2.0)


def _grown(old: npt.NDArray, room: int, fill: float) -> npt.NDArray:  # type: ignore[type-arg]
    new = np.full(room, fill, old.dtype)
    new[: len(old)] = old
    return new
