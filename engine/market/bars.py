"""Bars: ticks to minutes, minutes to five minutes and days, by one fold.

A closed bar never changes. A tick that arrives after its bar has closed is counted and left out. Minutes in which
nothing traded have no bar. Coarser bars are folded from the stored finer ones, so seeded history takes part in them.
"""

from bisect import insort
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.bus.bus import Bus
from engine.bus.clock import MILLISECOND, SECOND, Clock
from engine.market.bar_history import day_closes, folded
from engine.market.bar_series import Bar, BarArrays, BarSeries, from_mapping
from engine.market.calendars import DAY, Calendars
from engine.market.folding import fold_one, true_range_mean
from engine.market.forming import Forming
from engine.market.instruments import Instruments
from engine.market.settings import MarketSettings
from engine.model.events.market import BarClosed, QuoteTick, TradeTick
from engine.model.ids import Symbol
from engine.model.instrument import InstrumentKind
from engine.model.market import BarColumns, Session, SessionState

MINUTE_S, FIVE_S, DAY_S = 60, 300, 86_400
INTERVALS = (MINUTE_S, FIVE_S, DAY_S)
"""Seconds of the bars that are made here. Others are kept when somebody gives them, else folded when asked."""
_MINUTE = MINUTE_S * SECOND
_FIVE = FIVE_S * SECOND
_QUOTED = frozenset({InstrumentKind.FOREX})
"""Kinds without a tape: their bars are made of mid prices, and volume counts the quotes."""
_SOURCE = "bars"


class BarStore:
    """Bars by symbol and seconds; publishes ``BarClosed`` for 60, 300 and 86 400 s."""

    name = "bars"

    def __init__(
        self, bus: Bus, clock: Clock, settings: MarketSettings, instruments: Instruments, calendars: Calendars
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._instruments = instruments
        self._calendars = calendars
        self._grace = settings.bar_grace_ms * MILLISECOND
        self._extended = settings.extended_hours
        self._keep = {
            MINUTE_S: settings.keep_minutes,
            FIVE_S: settings.keep_five_minutes,
            DAY_S: settings.keep_days,
        }
        self._series: dict[tuple[Symbol, int], BarSeries] = {}
        self._intervals: dict[Symbol, list[int]] = {}
        """Seconds of the series of each symbol, finest first."""
        self._forming: dict[Symbol, Forming] = {}
        self._due: dict[tuple[int, int], dict[tuple[Symbol, int], int]] = {}
        """(when, seconds) -> (symbol, start) and end of the bars to close then."""
        self._atr: dict[Symbol, tuple[int, float | None]] = {}
        self.late: Counter[Symbol] = Counter()
        """Ticks that came after their bar had closed, by symbol."""

    async def start(self) -> None:
        """Listen to ticks."""
        self._bus.subscribe(TradeTick, self._on_trade, owner=self.name)
        self._bus.subscribe(QuoteTick, self._on_quote, owner=self.name)

    async def stop(self) -> None:
        """Nothing to end: what has not closed is not a bar."""

    # --- asked by others

    def arrays(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarArrays | None:
        """Return the newest ``count`` bars that had ended by ``end_ns``, as views; None when none are known.

        Intervals that are not kept are folded from finer ones, aligned to the session (or ISO week for 604 800 s); the
        last group is left out while it can still grow.
        """
        series = self._series.get((symbol, seconds))
        if series is not None and (found := series.last(count, end_ns)).size:
            return found
        base = self._base(symbol, seconds)
        if base is None:
            return None
        finer = base.last(len(base), end_ns)
        instrument = self._instruments.get(symbol)
        if instrument is None or not finer.size:
            return None
        now = self._clock.now() if end_ns is None else end_ns
        coarser = folded(finer, seconds, instrument.calendar, self._calendars, now)
        return coarser.slice(-count, None) if coarser is not None and coarser.size else None

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None:
        """Return the same as packed columns that live on."""
        found = self.arrays(symbol, seconds, count, end_ns)
        if found is None:
            return None
        return BarColumns(
            symbol=symbol,
            seconds=seconds,
            ts_open=found.ts_open.tobytes(),
            open=found.open.tobytes(),
            high=found.high.tobytes(),
            low=found.low.tobytes(),
            close=found.close.tobytes(),
            volume=found.volume.tobytes(),
        )

    def atr(self, symbol: Symbol) -> float | None:
        """Return the 14-day average true range in price units, None when history is short."""
        series = self._series.get((symbol, DAY_S))
        if series is None:
            return None
        known = self._atr.get(symbol)
        if known is None or known[0] != series.last_open:
            known = self._atr[symbol] = (series.last_open, true_range_mean(series.last(15)))
        return known[1]

    def forming(self, symbol: Symbol, seconds: int) -> tuple[int, float, float, float, float, float] | None:
        """Return (ts_open, open, high, low, close, volume) of the bar that is being built, or of the one just closed.

        Without a tick since the last closed bar, what the closed ones make of it so far; None when nothing is known.
        """
        minute = self._forming.get(symbol)
        if minute is None:
            return None
        span = seconds * SECOND
        if minute.count == 0:
            return self._of_closed(minute, seconds, span)
        anchor = minute.day_open if 0 < minute.day_open <= minute.start else 0
        start = minute.start if seconds <= MINUTE_S else anchor + (minute.start - anchor) // span * span
        opened, high, low, volume = minute.open, minute.high, minute.low, minute.volume
        closed = self.arrays(symbol, MINUTE_S, max(seconds // MINUTE_S, 1)) if seconds > MINUTE_S else None
        if closed is not None:
            first = int(np.searchsorted(closed.ts_open, start))
            if first < closed.size:
                opened = float(closed.open[first])
                high = max(high, float(closed.high[first:].max()))
                low = min(low, float(closed.low[first:].min()))
                volume += float(closed.volume[first:].sum())
        return start, opened, high, low, minute.close, volume

    def _of_closed(
        self, minute: Forming, seconds: int, span: int
    ) -> tuple[int, float, float, float, float, float] | None:
        """Fold the newest closed bars: they come ready-made from some providers and in a replay of bars."""
        finest = next(
            (known for known in self._intervals.get(minute.symbol, ()) if len(self._series[minute.symbol, known])), 0
        )
        if not finest or finest > seconds or seconds % finest:
            return None
        parts = self._series[minute.symbol, finest].last(seconds // finest)
        newest = int(parts.ts_open[-1])
        anchor = minute.day_open if 0 < minute.day_open <= newest else 0
        start = newest if finest == seconds else anchor + (newest - anchor) // span * span
        own = self._series.get((minute.symbol, seconds))
        if own is not None and own.last_open >= start:
            parts, start = own.last(1), own.last_open
        parts = parts.slice(int(np.searchsorted(parts.ts_open, start)), None)
        volume = float(np.nansum(parts.volume))
        opened, close = float(parts.open[0]), float(parts.close[-1])
        return start, opened, float(parts.high.max()), float(parts.low.min()), close, volume

    def newest(self, symbol: Symbol, seconds: int) -> int:
        """Return the end of the newest kept bar, UTC ns, nothing folded; 0 when none is kept."""
        series = self._series.get((symbol, seconds))
        return int(series.last(1).ts_close[-1]) if series is not None and len(series) else 0

    def last_close(self, symbol: Symbol) -> float | None:
        """Return the close of the newest daily bar, None when there is none."""
        series = self._series.get((symbol, DAY_S))
        return float(series.last(1).close[-1]) if series is not None and len(series) else None

    # --- told by the composition

    def seed(self, symbol: Symbol, seconds: int, arrays: Mapping[str, NDArray[np.generic]]) -> int:
        """Take history, oldest first. Bars already known stay as they are. Return how many were added.

        Columns ``ts_open, open, high, low, close, volume`` and, when known, ``ts_close, vwap, trades``. Nothing is
        published. Raises ``ValueError`` naming what is wrong.
        """
        if seconds <= 0:
            raise ValueError(f"{symbol}: an interval must be positive, not {seconds} s")
        given = from_mapping(arrays, seconds)
        if seconds == DAY_S and "ts_close" not in arrays:
            instrument = self._instruments.get(symbol)
            calendar = "" if instrument is None else instrument.calendar
            given = given._replace(ts_close=day_closes(given.ts_open, calendar, self._calendars))
        prices = np.stack(given[2:6])
        if given.size and (not np.isfinite(prices).all() or prices.min() <= 0):
            raise ValueError(f"{symbol}: a seeded price is missing, not finite or not positive")
        series = self._series_of(symbol, seconds)
        if len(series) == 0:
            series.replace(given)
            added = given.size
        else:
            old = series.arrays()
            fresh = ~np.isin(given.ts_open, old.ts_open)
            added = int(fresh.sum())
            joined = BarArrays._make(np.concatenate((a, b[fresh])) for a, b in zip(old, given, strict=True))
            series.replace(joined.take(np.argsort(joined.ts_open, kind="stable")))
        self._atr.pop(symbol, None)
        return added

    def rebase(self, symbol: Symbol, ratio: float, before_ns: int) -> int:
        """Put bars before ``before_ns`` on the terms after a ``ratio``:1 split; return how many bars were changed."""
        if not 0.0 < ratio < 1e6:
            raise ValueError(f"{symbol}: split ratio must be positive, not {ratio}")
        self._atr.pop(symbol, None)
        return sum(series.scale(1.0 / ratio, before_ns) for (name, _), series in self._series.items() if name == symbol)

    def described(self, symbol: Symbol) -> None:
        """The instrument of ``symbol`` has changed, perhaps its hours: look for its session anew."""
        forming = self._forming.get(symbol)
        if forming is not None:
            forming.recheck = 0

    def forget(self, symbol: Symbol) -> None:
        """Drop all bars of ``symbol``."""
        for seconds in self._intervals.pop(symbol, ()):
            self._series.pop((symbol, seconds), None)
        self._forming.pop(symbol, None)
        self._atr.pop(symbol, None)

    def accept(self, bar: BarClosed) -> bool:
        """Take a ready bar from a provider: keep it, publish it, fold it on. False when it is already known or late."""
        series = self._series_of(bar.symbol, bar.seconds)
        if len(series) and bar.ts_open <= series.last_open:
            return False
        vwap, trades = bar.vwap, float(bar.trades)
        self._store(
            bar.symbol,
            bar.seconds,
            Bar(bar.ts_open, bar.ts_event, bar.open, bar.high, bar.low, bar.close, bar.volume, vwap, trades),
            series,
        )
        self._bus.publish(bar)
        if bar.seconds < DAY_S:
            forming = self._forming.get(bar.symbol) or self._form(bar.symbol)
            if forming is not None:
                self._expect_folds(forming, bar.ts_open, bar.seconds, self._grace)
                self._close_complete(forming, bar.seconds, bar.ts_event)
        return True

    # --- ticks

    def _on_trade(self, tick: TradeTick) -> None:
        forming = self._forming.get(tick.symbol) or self._form(tick.symbol)
        if forming is None or forming.quoted or tick.synthetic:
            return
        ts, price, size = tick.ts_event, tick.price, tick.size
        if ts >= forming.end and not self._begin(forming, ts, price, tick.ts_init):
            return
        if ts < forming.start:
            self.late[tick.symbol] += 1
            return
        if price > forming.high:
            forming.high = price
        elif price < forming.low:
            forming.low = price
        forming.close = price
        forming.volume += size
        forming.money += price * size
        forming.count += 1

    def _on_quote(self, tick: QuoteTick) -> None:
        forming = self._forming.get(tick.symbol)
        if forming is None:
            forming = self._form(tick.symbol)
        if forming is None or not forming.quoted or tick.synthetic:
            return
        ts, price = tick.ts_event, (tick.bid + tick.ask) * 0.5
        if ts >= forming.end and not self._begin(forming, ts, price, tick.ts_init):
            return
        if ts < forming.start:
            self.late[tick.symbol] += 1
            return
        if price > forming.high:
            forming.high = price
        elif price < forming.low:
            forming.low = price
        forming.close = price
        forming.volume += 1.0
        forming.money += price
        forming.count += 1

    def _form(self, symbol: Symbol) -> Forming | None:
        instrument = self._instruments.get(symbol)
        if instrument is None:
            return None
        forming = self._forming[symbol] = Forming(symbol, instrument.kind in _QUOTED)
        return forming

    def _session(self, forming: Forming, ts: int) -> Session | None:
        instrument = self._instruments.get(forming.symbol)
        return None if instrument is None else self._calendars.session(instrument.calendar, ts)

    def _begin(self, forming: Forming, ts: int, price: float, ts_init: int) -> bool:
        """Close the minute before ``ts`` and open the one that holds it. False when no bar is to hold it."""
        if forming.count and ts == forming.day_close and ts == forming.end:
            return True  # the closing auction prints at the close itself: it belongs to the last minute
        if forming.count:
            self._close_minute(forming)
        if not forming.day_open <= ts < forming.day_close and not self._find_day(forming, ts):
            return False
        start = forming.day_open + (ts - forming.day_open) // _MINUTE * _MINUTE
        end = min(start + _MINUTE, forming.day_close)
        if start <= self._series_of(forming.symbol, MINUTE_S).last_open:
            self.late[forming.symbol] += 1
            return False
        forming.start, forming.end = start, end
        forming.open = forming.high = forming.low = price
        forming.volume = forming.money = 0.0
        forming.count = 0
        # A delayed feed closes its bars as much later as it runs behind.
        delay = self._grace + max(0, ts_init - ts)
        self._expect(forming.symbol, MINUTE_S, start, end, end + delay)
        self._expect_folds(forming, start, MINUTE_S, delay)
        return True

    def _find_day(self, forming: Forming, ts: int) -> bool:
        if ts < forming.recheck:
            return False
        session = self._session(forming, ts)
        if session is None:
            forming.recheck = ts + _MINUTE
            return False
        if session.state is SessionState.OPEN:
            forming.day_open, forming.day_close = session.open_ns, session.close_ns
        elif self._extended and session.state is SessionState.PRE:
            forming.day_open, forming.day_close = session.open_ns - DAY // 4, session.open_ns
        elif self._extended and session.state is SessionState.POST:
            forming.day_open, forming.day_close = session.close_ns, session.close_ns + DAY // 6
        else:
            forming.recheck = max(session.next_open_ns, ts + 1) if not self._extended else ts + _MINUTE
            return False
        return True

    def _close_minute(self, forming: Forming) -> None:
        volume = forming.volume
        vwap = forming.money / volume if volume > 0 else float("nan")
        bar = Bar(
            forming.start,
            forming.end,
            forming.open,
            forming.high,
            forming.low,
            forming.close,
            volume,
            vwap,
            float(forming.count),
        )
        forming.count = 0
        forming.start = forming.end  # what comes now for this minute is late
        series = self._series_of(forming.symbol, MINUTE_S)
        if len(series) and bar.ts_open <= series.last_open:
            self.late[forming.symbol] += 1
            return
        self._store(forming.symbol, MINUTE_S, bar, series)
        self._publish(forming.symbol, MINUTE_S, bar)
        self._close_complete(forming, MINUTE_S, bar.ts_close)

    # --- closing on time

    def _expect_folds(self, forming: Forming, ts: int, seconds: int, delay: int) -> None:
        """See to it that the five minutes and the day that hold ``ts`` close, also when nothing trades any more."""
        if seconds < FIVE_S and forming.five_start <= ts < forming.five_end:
            return
        session = self._session(forming, ts)
        if session is None or not session.open_ns <= ts < session.close_ns:
            return
        if seconds < FIVE_S:
            start = session.open_ns + (ts - session.open_ns) // _FIVE * _FIVE
            end = min(start + _FIVE, session.close_ns)
            forming.five_start, forming.five_end = start, end
            self._expect(forming.symbol, FIVE_S, start, end, end + delay)
        if forming.day_start != session.open_ns:
            forming.day_start = session.open_ns
            forming.day_open, forming.day_close = session.open_ns, session.close_ns
            self._expect(forming.symbol, DAY_S, session.open_ns, session.close_ns, session.close_ns + delay)

    def _close_complete(self, forming: Forming, seconds: int, ts_close: int) -> None:
        """Close what is complete now that a bar of ``seconds`` has ended at ``ts_close``."""
        if seconds < FIVE_S and ts_close == forming.five_end:
            self._close_fold(forming.symbol, FIVE_S, forming.five_start, ts_close)
        if forming.day_start and ts_close == forming.day_close:
            self._close_fold(forming.symbol, DAY_S, forming.day_start, ts_close)

    def _expect(self, symbol: Symbol, seconds: int, start: int, end: int, when: int) -> None:
        # Delays differ by a little from symbol to symbol; one timer a grid of a quarter second serves them all.
        when = -(-when // (SECOND // 4)) * (SECOND // 4)
        due = self._due.get((when, seconds))
        if due is None:
            if not any((when, other) in self._due for other in INTERVALS):
                self._clock.call_at(when, lambda: self._close_due(when))
            due = self._due[when, seconds] = {}
        due[symbol, start] = end

    def _close_due(self, when: int) -> None:
        for seconds in INTERVALS:
            for (symbol, start), end in self._due.pop((when, seconds), {}).items():
                forming = self._forming.get(symbol)
                if forming is not None and forming.count and forming.end <= end:
                    self._close_minute(forming)
                if seconds != MINUTE_S:
                    self._close_fold(symbol, seconds, start, end)

    def _close_fold(self, symbol: Symbol, seconds: int, start: int, end: int) -> None:
        series = self._series_of(symbol, seconds)
        if len(series) and start <= series.last_open:
            return
        for finer in self._intervals[symbol]:
            if finer >= seconds:
                return
            if (parts := self._series[symbol, finer].between(start, end)).size:
                bar = fold_one(parts, start, end)
                self._store(symbol, seconds, bar, series)
                self._publish(symbol, seconds, bar)
                return

    def _store(self, symbol: Symbol, seconds: int, bar: Bar, series: BarSeries) -> None:
        series.append(bar)
        if seconds == DAY_S:
            self._atr.pop(symbol, None)

    def _publish(self, symbol: Symbol, seconds: int, bar: Bar) -> None:
        self._bus.publish(
            BarClosed(
                ts_event=bar.ts_close,
                ts_init=self._clock.now(),
                symbol=symbol,
                seconds=seconds,
                ts_open=bar.ts_open,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
                vwap=bar.vwap,
                trades=int(bar.trades),
                source=_SOURCE,
            )
        )

    # --- history

    def _series_of(self, symbol: Symbol, seconds: int) -> BarSeries:
        series = self._series.get((symbol, seconds))
        if series is None:
            keep = self._keep.get(seconds, self._keep[FIVE_S])
            series = self._series[symbol, seconds] = BarSeries(keep)
            insort(self._intervals.setdefault(symbol, []), seconds)
        return series

    def _base(self, symbol: Symbol, seconds: int) -> BarSeries | None:
        if seconds <= 0:
            return None
        for finer in reversed(self._intervals.get(symbol, ())):
            if finer < DAY_S < seconds:
                return None  # weeks are made of sessions, not of minutes
            if finer < seconds and seconds % finer == 0 and len(series := self._series[symbol, finer]):
                return series
        return None
