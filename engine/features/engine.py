"""The feature engine: closed bars in, vectors out. Waits for the universe's bars of one moment, then computes once.

The market's column is the universe's own equal-weight index: every bar it moves by the mean return of the symbols that
closed then. Vectors are computed when 95 % of the live symbols have closed, or two seconds after the first; they are
published a few at a time.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.bus.bus import Bus
from engine.bus.clock import Clock, Timer
from engine.features.names import FEATURES
from engine.features.version import feature_version
from engine.features.window import WindowStore
from engine.model.events.market import BarClosed
from engine.model.events.thought import FeaturesReady
from engine.model.ids import Symbol

ENOUGH = 0.95
AT_ONCE = 8
"""Vectors published in one go: some 5 ms of judging, so that five hundred symbols hold up no tick for long."""
WAIT_S = 2.0
NAMES = tuple(name for name, _, _ in FEATURES)


class _Series:
    """Windows of one bar length."""

    def __init__(self, symbols: int) -> None:
        self.store = WindowStore(symbols)
        self.closes: dict[int, float] = {}
        self.market = 100.0
        self.pending: dict[int, BarClosed] = {}
        self.at = 0
        self.timer: Timer | None = None
        self.vectors: dict[int, NDArray[np.float64]] = {}
        self.untold: deque[tuple[int, int, bytes]] = deque()
        """Row, end of its bar and vector of what is computed and not published yet."""
        self.teller: Timer | None = None


class FeatureEngine:
    """Owner of the windows and the newest vectors."""

    name = "features"

    def __init__(self, bus: Bus, clock: Clock, symbols: Sequence[Symbol], intervals: Sequence[int]) -> None:
        self._bus, self._clock = bus, clock
        self._symbols = list(symbols)
        self._rows = {symbol: row for row, symbol in enumerate(symbols)}
        self._series = {seconds: _Series(len(self._symbols)) for seconds in intervals}
        self._version = ""

    @property
    def intervals(self) -> tuple[int, ...]:
        """Bar lengths in seconds that it follows."""
        return tuple(self._series)

    async def start(self) -> None:
        """Name the kernel and listen to bars."""
        self._version = feature_version()[:16]
        self._bus.subscribe(BarClosed, self._on_bar, owner="features")

    async def stop(self) -> None:
        """What is not told yet is not told any more."""
        for series in self._series.values():
            for timer in (series.timer, series.teller):
                if timer is not None:
                    timer.cancel()
            series.timer = series.teller = None

    def warm(self) -> None:
        """Load the kernels now; the first use costs seconds, which no running loop can spare."""
        store = WindowStore(1)
        bars = np.full((1, 6), 100.0)
        store.push_many(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), bars)
        store.features(np.zeros(1, dtype=np.int64))

    def seed(self, seconds: int, history: Mapping[Symbol, Mapping[str, NDArray[np.float64]]]) -> None:
        """Load history: per symbol ``ts_event`` (int64 end of bar) and open, high, low, close, volume, oldest first."""
        series = self._series[seconds]
        index = market_index([(np.asarray(h["ts_event"], np.int64), h["close"]) for h in history.values()])
        if index is not None and series.closes:
            # Others are followed already: what comes later ends where the market stands, so that nobody's market jumps.
            index = index[0], index[1] * (series.market / float(index[1][-1]))
        elif index is not None:
            series.market = float(index[1][-1])
        for symbol, columns in history.items():
            row = self._rows.get(symbol)
            stamps = np.asarray(columns["ts_event"], np.int64)
            if row is None or stamps.size == 0 or index is None:
                continue
            market = index[1][np.searchsorted(index[0], stamps)]
            parts = [columns[name] for name in ("open", "high", "low", "close", "volume")]
            series.store.load(row, stamps, [*parts, market])
            series.closes[row] = float(columns["close"][-1])

    def follow(self, seconds: int, history: Mapping[Symbol, Mapping[str, NDArray[np.float64]]]) -> None:
        """Follow one more bar length from now on, beginning with its history (see :meth:`seed`)."""
        if seconds not in self._series:
            self._series[seconds] = _Series(len(self._symbols))
            self.seed(seconds, history)
            self.compute(seconds)

    def latest(self, symbol: Symbol, seconds: int) -> Mapping[str, float]:
        """Return the newest vector by name; empty when there is none."""
        series, row = self._series.get(seconds), self._rows.get(symbol)
        if series is None or row is None or row not in series.vectors:
            return {}
        return dict(zip(NAMES, series.vectors[row].tolist(), strict=True))

    def compute(self, seconds: int) -> int:
        """Compute vectors of every seeded row now, without a new bar; return how many (used once after seeding)."""
        series = self._series[seconds]
        rows = np.array(sorted(series.closes), dtype=np.int64)
        if rows.size:
            vectors = series.store.features(rows)
            series.vectors.update(zip(rows.tolist(), vectors, strict=True))
        return int(rows.size)

    def announce(self, seconds: int, symbol: Symbol, as_of: int) -> None:
        """Publish the newest vector of ``symbol`` as that of its bar that ended at ``as_of``; nothing without one."""
        row = self._rows.get(symbol, -1)
        vector = self._series[seconds].vectors.get(row)
        if vector is not None:
            self._publish(seconds, row, as_of, vector.tobytes())

    def _on_bar(self, event: BarClosed) -> None:
        series, row = self._series.get(event.seconds), self._rows.get(event.symbol)
        if series is None or row is None:
            return
        if series.pending and event.ts_event != series.at:
            self._flush(event.seconds)
        series.at = event.ts_event
        series.pending[row] = event
        if len(series.pending) >= ENOUGH * max(len(series.closes), 1):
            self._schedule(series, event.seconds, 0.0)
        elif series.timer is None:
            self._schedule(series, event.seconds, WAIT_S)

    def _schedule(self, series: _Series, seconds: int, delay_s: float) -> None:
        if series.timer is not None:
            series.timer.cancel()
        series.timer = self._clock.call_later(delay_s, lambda: self._flush(seconds))

    def _flush(self, seconds: int) -> None:
        series = self._series[seconds]
        if series.timer is not None:
            series.timer.cancel()
            series.timer = None
        pending, series.pending = series.pending, {}
        if not pending:
            return
        returns = [
            bar.close / series.closes[row] - 1.0 for row, bar in pending.items() if series.closes.get(row, 0) > 0
        ]
        if returns:
            series.market *= 1.0 + float(np.mean(returns))
        rows = np.array(sorted(pending), dtype=np.int64)
        bars = np.array(
            [[b.open, b.high, b.low, b.close, b.volume, series.market] for b in (pending[r] for r in rows.tolist())]
        )
        stamps = np.array([pending[row].ts_event for row in rows.tolist()], dtype=np.int64)
        series.store.push_many(rows, stamps, bars)
        for row, bar in pending.items():
            series.closes[row] = bar.close
        vectors = series.store.features(rows)
        for position, row in enumerate(rows.tolist()):
            series.vectors[row] = vectors[position].copy()
            series.untold.append((row, pending[row].ts_event, vectors[position].tobytes()))
        if series.teller is None:
            self._tell(seconds)

    def _tell(self, seconds: int) -> None:
        """Publish a few vectors, then let others have their turn: what listens judges every strategy of a symbol."""
        series = self._series[seconds]
        for _ in range(min(AT_ONCE, len(series.untold))):
            self._publish(seconds, *series.untold.popleft())
        series.teller = self._clock.call_later(0.0, lambda: self._tell(seconds)) if series.untold else None

    def _publish(self, seconds: int, row: int, as_of: int, vector: bytes) -> None:
        self._bus.publish(
            FeaturesReady(
                ts_event=as_of,
                ts_init=self._clock.now(),
                symbol=self._symbols[row],
                seconds=seconds,
                as_of=as_of,
                vector=vector,
                version=self._version,
            )
        )


def market_index(
    closes: list[tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Chain the mean return of all symbols over the union of their times; starts at 100."""
    closes = [(stamps, values) for stamps, values in closes if stamps.size]
    if not closes:
        return None
    stamps = np.unique(np.concatenate([s for s, _ in closes]))
    total = np.zeros(stamps.size)
    count = np.zeros(stamps.size)
    for times, values in closes:
        at = np.searchsorted(stamps, times[1:])
        change = np.asarray(values[1:]) / np.asarray(values[:-1]) - 1.0
        good = np.isfinite(change)
        total[at[good]] += change[good]
        count[at[good]] += 1
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return stamps.astype(np.int64), np.asarray(100.0 * np.cumprod(1.0 + mean), dtype=np.float64)
