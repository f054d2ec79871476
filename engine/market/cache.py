"""The cache of last values: judge a tick, write it down, then publish it. O(1) a tick."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.bus.bus import Bus
from engine.bus.clock import MILLISECOND, SECOND, Clock
from engine.market.bars import BarStore
from engine.market.calendars import Calendars
from engine.market.corporate_actions import CorporateActions
from engine.market.instruments import Instruments
from engine.market.live import Live
from engine.market.quality import TEXTS, Fault, bar_fault, depth_fault, quote_fault, trade_fault
from engine.market.settings import MarketSettings
from engine.market.staleness import StaleWatch
from engine.model.events.base import Event
from engine.model.events.market import BarClosed, BookChanged, HaltChanged, QuoteTick, TickRejected, TradeTick
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session

_MINUTE = 60 * SECOND


class MarketCache:
    """The one owner of last prices. Providers hand events to :meth:`accept`; everybody else asks.

    Guarantee: when a market event is delivered, the cache already holds it. A refused tick changes no price, except
    that a quote without a side, or ``void_after`` refused quotes in a row, make bid and ask unknown (NaN).
    """

    name = "market"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: MarketSettings,
        instruments: Instruments,
        calendars: Calendars,
        bars: BarStore,
        actions: CorporateActions | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._instruments = instruments
        self._calendars = calendars
        self._bars = bars
        self._actions = actions
        self._live: dict[Symbol, Live] = {}
        self._rejected: Counter[tuple[str, str]] = Counter()
        self._future_ns = settings.future_ms * MILLISECOND
        self._spike = settings.spike_fraction
        self._gap_ns = round(settings.spike_gap_s * SECOND)
        self._stale = StaleWatch(bus, clock, settings, self._live, self.session)
        self._entries: dict[type[Event], Callable[[Any], None]] = {
            QuoteTick: self._on_quote,
            TradeTick: self._on_trade,
            BarClosed: self._on_bar,
            BookChanged: self._on_book,
            HaltChanged: self._on_halt,
        }

    async def start(self) -> None:
        """Begin to look for silence."""
        self._stale.start()

    async def stop(self) -> None:
        self._stale.stop()

    def accept(self, event: Event) -> None:
        """Take one event from a provider: judge market data, pass everything else on."""
        entry = self._entries.get(type(event))
        if entry is None:
            self._bus.publish(event)
        else:
            entry(event)

    # --- asked by others

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the last known prices, None when nothing was ever seen."""
        live = self._live.get(symbol)
        return None if live is None or live.ts_event == 0 else live.to_quote()

    def mark(self, symbol: Symbol) -> float:
        """Return the price that values a holding: the last trade, else the mid; NaN when neither is known."""
        live = self._live.get(symbol)
        if live is None:
            return float("nan")
        return live.last if live.last > 0.0 else (live.bid + live.ask) / 2.0

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self._instruments.get(symbol)

    def symbols(self) -> tuple[Symbol, ...]:
        """Return every symbol an instrument is known for."""
        return self._instruments.symbols()

    def session(self, symbol: Symbol, at_ns: int) -> Session | None:
        """Return the session at ``at_ns``; None (unknown symbol or calendar) means closed."""
        instrument = self._instruments.get(symbol)
        return None if instrument is None else self._calendars.session(instrument.calendar, at_ns)

    def spread_median(self, symbol: Symbol) -> float | None:
        """Return the 20-day median of the relative spread, None while it is unknown."""
        live = self._live.get(symbol)
        return None if live is None else live.spread_median()

    def mean_price(self, symbol: Symbol, minutes: float) -> float | None:
        """Return the mean price of the last ``minutes`` (≤ 60), None when there was none."""
        live = self._live.get(symbol)
        return None if live is None else live.mean_price(self._clock.now(), minutes)

    def resumed_ns(self, symbol: Symbol) -> int:
        """Return when the last halt ended, UTC ns; 0 when it was never halted."""
        live = self._live.get(symbol)
        return 0 if live is None else live.resumed_ns

    def atr(self, symbol: Symbol) -> float | None:
        """Return the 14-day average true range in price units, None when history is short."""
        return self._bars.atr(symbol)

    def rejected(self) -> Mapping[tuple[str, str], int]:
        """Return how many ticks were refused, by (source, reason)."""
        return self._rejected

    def stale_sources(self) -> tuple[str, ...]:
        return self._stale.sources()

    # --- told by the composition

    def described(self, symbol: Symbol) -> None:
        """The instrument of ``symbol`` has changed, perhaps its hours: look for its session anew."""
        live, instrument = self._live.get(symbol), self._instruments.get(symbol)
        if live is not None and instrument is not None:
            live.instrument = instrument
            live.next_ns = 0

    def seed_close(self, symbol: Symbol, price: float) -> None:
        """Set the previous close of a symbol nothing has been heard of yet."""
        live = self._known(symbol)
        if live is not None and price > 0.0:
            live.previous_close = price
            live.quote = None

    def seed_spreads(self, symbol: Symbol, medians: Iterable[float]) -> None:
        """Set the daily medians of the relative spread, oldest first."""
        live = self._known(symbol)
        if live is not None:
            live.spread_days.extend(value for value in medians if 0.0 <= value < 1.0)

    def spreads(self, symbol: Symbol) -> tuple[float, ...]:
        """Return the daily medians, oldest first, to be kept until the next start."""
        live = self._live.get(symbol)
        return () if live is None else tuple(live.spread_days)

    def forget(self, symbol: Symbol) -> None:
        """Drop the last values of a symbol that is no longer watched."""
        self._live.pop(symbol, None)

    # --- ticks

    def _on_quote(self, tick: QuoteTick) -> None:
        live = self._live.get(tick.symbol) or self._known(tick.symbol)
        if live is None:
            self._reject(tick, tick.source, Fault.UNKNOWN_SYMBOL)
            return
        ts = tick.ts_event
        bid, ask = tick.bid, tick.ask
        fault = quote_fault(bid, ask, tick.bid_size, tick.ask_size)
        if fault is None:
            if ts < live.quote_ns:
                # An old message changes nothing, nor does it cast doubt on what is newer.
                self._reject(tick, tick.source, Fault.OUT_OF_ORDER)
                return
            if ts > tick.ts_init + self._future_ns:
                fault = Fault.FUTURE
            elif self._is_spike(live, ts, (bid + ask) * 0.5):
                fault = Fault.SPIKE
        self._stale.heard(tick.source, tick.ts_init, live)
        if fault is not None:
            live.refused += 1
            if fault is Fault.NO_QUOTE or fault is Fault.NOT_A_NUMBER or live.refused >= self._settings.void_after:
                live.bid = live.ask = live.bid_size = live.ask_size = float("nan")
                live.quote = None
            self._reject(tick, tick.source, fault)
            return
        if ts >= live.next_ns:
            self._roll(live, ts, (bid + ask) * 0.5)
        live.refused = 0
        live.bid = bid
        live.ask = ask
        live.bid_size = tick.bid_size
        live.ask_size = tick.ask_size
        live.data_type = tick.data_type
        live.quote_ns = ts
        if ts > live.ts_event:
            live.ts_event = ts
        live.seen_ns = tick.ts_init
        live.quote = None
        mid = (bid + ask) * 0.5
        live.reference = mid
        if live.trade_ns == 0:
            live.note_price(ts, mid)
        minute = ts // _MINUTE
        if minute != live.spread_minute and live.open_ns <= ts < live.close_ns:
            live.spread_minute = minute
            live.spreads.append((ask - bid) / mid)
        self._bus.publish(tick)

    def _on_trade(self, tick: TradeTick) -> None:
        live = self._live.get(tick.symbol) or self._known(tick.symbol)
        if live is None:
            self._reject(tick, tick.source, Fault.UNKNOWN_SYMBOL)
            return
        ts = tick.ts_event
        price = tick.price
        fault = trade_fault(price, tick.size)
        if fault is None:
            if ts < live.trade_ns:
                fault = Fault.OUT_OF_ORDER
            elif ts > tick.ts_init + self._future_ns:
                fault = Fault.FUTURE
            elif self._is_spike(live, ts, price):
                fault = Fault.SPIKE
        self._stale.heard(tick.source, tick.ts_init, live)
        if fault is not None:
            self._reject(tick, tick.source, fault)
            return
        if ts >= live.next_ns:
            self._roll(live, ts, price)
        live.last = price
        live.last_size = tick.size
        live.trade_ns = ts
        if ts > live.ts_event:
            live.ts_event = ts
        live.seen_ns = tick.ts_init
        live.reference = price
        live.quote = None
        if live.bid != live.bid:
            live.data_type = tick.data_type
        if live.open_ns <= ts <= live.close_ns:  # the closing auction prints at the close itself
            if live.open != live.open:
                live.open = live.high = live.low = price
            elif price > live.high:
                live.high = price
            elif price < live.low:
                live.low = price
            live.volume += tick.size
            live.regular_close = price
        live.note_price(ts, price)
        self._bus.publish(tick)

    def _is_spike(self, live: Live, ts: int, price: float) -> bool:
        reference = live.reference
        if reference != reference or abs(price - reference) <= self._spike * reference:
            live.suspects = 0
            return False
        if ts - live.ts_event > self._gap_ns or ts >= live.next_ns:
            live.suspects = 0
            return False  # nothing to compare with; the jump check of the session's first price looks at it
        if live.suspects and abs(price - live.suspect) <= self._spike * live.suspect:
            live.suspects += 1
        else:
            live.suspects = 1
        live.suspect = price
        if live.suspects >= self._settings.spike_confirmations:
            live.suspects = 0
            return False
        return True

    def _on_bar(self, bar: BarClosed) -> None:
        live = self._live.get(bar.symbol) or self._known(bar.symbol)
        if live is None:
            self._reject(bar, bar.source, Fault.UNKNOWN_SYMBOL)
            return
        fault = bar_fault(bar.open, bar.high, bar.low, bar.close, bar.volume)
        if fault is None and bar.ts_event <= bar.ts_open:
            fault = Fault.BAD_BAR
        if fault is None and bar.ts_event > bar.ts_init + self._future_ns:
            fault = Fault.FUTURE
        self._stale.heard(bar.source, bar.ts_init, live)
        if fault is None and not self._bars.accept(bar):  # stores it and publishes it
            fault = Fault.DUPLICATE_BAR
        if fault is not None:
            self._reject(bar, bar.source, fault)

    def _on_book(self, book: BookChanged) -> None:
        live = self._live.get(book.symbol) or self._known(book.symbol)
        if live is None:
            self._reject(book, book.source, Fault.UNKNOWN_SYMBOL)
            return
        fault = depth_fault(book.bid_prices, book.ask_prices)
        if fault is not None:
            self._reject(book, book.source, fault)
            return
        self._stale.heard(book.source, book.ts_init, live)
        self._bus.publish(book)

    def _on_halt(self, event: HaltChanged) -> None:
        live = self._live.get(event.symbol) or self._known(event.symbol)
        if live is None:
            self._reject(event, event.source, Fault.UNKNOWN_SYMBOL)
            return
        if live.halted == event.halted:
            return
        live.halted = event.halted
        live.quote = None
        if not event.halted:
            live.resumed_ns = event.ts_event
        self._bus.publish(event)

    def _roll(self, live: Live, ts: int, price: float) -> None:
        """Start the day values of the session that holds ``ts`` or comes next."""
        session = self._calendars.session(live.instrument.calendar, ts)
        if session is None:
            live.open_ns = live.close_ns = 0
            live.next_ns = ts + _MINUTE  # closed as far as anybody knows; ask again later
            return
        if session.open_ns <= ts:  # a session has begun: this is its first price
            if live.date != session.date:
                if live.regular_close == live.regular_close:
                    live.previous_close = live.regular_close
                if self._actions is not None:
                    self._actions.session_opened(live.symbol, session.date, live.previous_close, price)
                live.end_spread_day()
                live.date = session.date
                live.open = live.high = live.low = live.regular_close = float("nan")
                live.volume = 0.0
            live.next_ns = session.next_open_ns
        else:
            live.next_ns = session.open_ns
        live.open_ns = session.open_ns
        live.close_ns = session.close_ns

    def _known(self, symbol: Symbol) -> Live | None:
        live = self._live.get(symbol)
        if live is None:
            instrument = self._instruments.get(symbol)
            if instrument is None:
                return None
            live = self._live[symbol] = Live(symbol, instrument, self._settings.spread_days)
            close = self._bars.last_close(symbol)
            if close is not None:
                live.previous_close = close
        return live

    def _reject(
        self, event: QuoteTick | TradeTick | BarClosed | BookChanged | HaltChanged, source: str, fault: Fault
    ) -> None:
        self._rejected[source, fault.value] += 1
        self._bus.publish(
            TickRejected(
                ts_event=event.ts_event,
                ts_init=event.ts_init,
                symbol=event.symbol,
                reason=fault.value,
                text=TEXTS[fault],
                source=source,
            )
        )
