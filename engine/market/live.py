"""Mutable last values of one symbol; owned by the cache, never handed out."""

from array import array
from collections import deque
from statistics import median

from engine.bus.clock import SECOND
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import DataType, Quote

_NAN = float("nan")
_BUCKET = 10 * SECOND
_BUCKETS = 360
"""Ten-second means of one hour."""
_ENOUGH_SPREADS = 30
"""Minutes of today's spread that may stand for its median when no day is known yet."""


class Live:
    """Last values, day values, price means and spreads of one symbol."""

    __slots__ = (
        "ask",
        "ask_size",
        "bid",
        "bid_size",
        "bucket_counts",
        "bucket_ids",
        "bucket_sums",
        "close_ns",
        "data_type",
        "date",
        "halted",
        "high",
        "instrument",
        "last",
        "last_size",
        "low",
        "next_ns",
        "open",
        "open_ns",
        "previous_close",
        "quote",
        "quote_ns",
        "reference",
        "refused",
        "regular_close",
        "resumed_ns",
        "seen_ns",
        "spread_days",
        "spread_minute",
        "spreads",
        "stale",
        "suspect",
        "suspects",
        "symbol",
        "trade_ns",
        "ts_event",
        "volume",
    )

    def __init__(self, symbol: Symbol, instrument: Instrument, spread_days: int) -> None:
        self.symbol = symbol
        self.instrument = instrument
        self.bid = self.ask = self.bid_size = self.ask_size = _NAN
        self.last = self.last_size = _NAN
        self.volume = 0.0
        self.open = self.high = self.low = self.previous_close = self.regular_close = _NAN
        self.ts_event = self.seen_ns = self.quote_ns = self.trade_ns = 0
        self.data_type = DataType.LIVE
        self.halted = False
        self.resumed_ns = 0
        self.stale = False
        self.quote: Quote | None = None
        # Judging
        self.reference = _NAN
        self.suspect = _NAN
        self.suspects = 0
        self.refused = 0
        # Session: [open_ns, close_ns) is regular; at next_ns the day values start anew.
        self.date = ""
        self.open_ns = self.close_ns = 0
        self.next_ns = 0
        # Means of price
        self.bucket_sums = array("d", bytes(8 * _BUCKETS))
        self.bucket_counts = array("q", bytes(8 * _BUCKETS))
        self.bucket_ids = array("q", bytes(8 * _BUCKETS))
        # Spreads: one a minute today, medians of the days before
        self.spread_minute = 0
        self.spreads = array("d")
        self.spread_days: deque[float] = deque(maxlen=spread_days)

    def note_price(self, ts: int, price: float) -> None:
        """Add one price to the ten-second means."""
        bucket = ts // _BUCKET
        slot = bucket % _BUCKETS
        if self.bucket_ids[slot] != bucket:
            self.bucket_ids[slot] = bucket
            self.bucket_sums[slot] = price
            self.bucket_counts[slot] = 1
        else:
            self.bucket_sums[slot] += price
            self.bucket_counts[slot] += 1

    def mean_price(self, now: int, minutes: float) -> float | None:
        """Mean of the prices of the last ``minutes`` (at most 60), None when there are none."""
        last = now // _BUCKET
        first = last - min(round(minutes * 6), _BUCKETS) + 1
        total, count = 0.0, 0
        for bucket in range(first, last + 1):
            slot = bucket % _BUCKETS
            if self.bucket_ids[slot] == bucket:
                total += self.bucket_sums[slot]
                count += self.bucket_counts[slot]
        return total / count if count else None

    def spread_median(self) -> float | None:
        """Median relative spread: of the daily medians, or of today when that is long enough; None while unknown."""
        if self.spread_days:
            return median(self.spread_days)
        return median(self.spreads) if len(self.spreads) >= _ENOUGH_SPREADS else None

    def end_spread_day(self) -> None:
        """Turn today's spreads into one daily median."""
        if len(self.spreads) >= _ENOUGH_SPREADS:
            self.spread_days.append(median(self.spreads))
        self.spreads = array("d")

    def to_quote(self) -> Quote:
        """The values as a frozen quote; the same object until something changes."""
        if self.quote is None:
            self.quote = Quote(
                symbol=self.symbol,
                bid=self.bid,
                ask=self.ask,
                bid_size=self.bid_size,
                ask_size=self.ask_size,
                last=self.last,
                last_size=self.last_size,
                volume=self.volume,
                open=self.open,
                high=self.high,
                low=self.low,
                previous_close=self.previous_close,
                ts_event=self.ts_event,
                ts_seen=self.seen_ns,
                data_type=self.data_type,
                halted=self.halted,
                quote_ns=self.quote_ns,
            )
        return self.quote
