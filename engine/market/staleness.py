"""Silence, noticed: a source or a symbol that says nothing while its market is open."""

from collections.abc import Callable, Mapping

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock, Timer
from engine.market.live import Live
from engine.market.settings import MarketSettings
from engine.model.events.market import FeedStale
from engine.model.ids import Symbol
from engine.model.market import Session, SessionState


class _Source:
    __slots__ = ("heard_ns", "stale", "symbols")

    def __init__(self) -> None:
        self.heard_ns = 0
        self.stale = False
        self.symbols: set[Symbol] = set()


class StaleWatch:
    """Publishes ``FeedStale`` when silence begins and again (``fresh=True``) when it ends.

    It scans every few seconds of market time while a market is open, and sleeps until the next open otherwise, so that
    an accelerated clock that skips closed hours pays nothing for them.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: MarketSettings,
        live: Mapping[Symbol, Live],
        session: Callable[[Symbol, int], Session | None],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._live = live
        self._session = session
        self._source_ns = round(settings.source_stale_s * SECOND)
        self._symbol_ns = round(settings.symbol_stale_s * SECOND)
        self._scan_ns = round(settings.scan_s * SECOND)
        self._sources: dict[str, _Source] = {}
        self._timer: Timer | None = None
        self._running = False

    def start(self) -> None:
        if not self._running:
            self._running = True
            self._arm(self._clock.now() + self._scan_ns)

    def stop(self) -> None:
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heard(self, name: str, now: int, live: Live) -> None:
        """Note that ``name`` spoke about a symbol at ``now``."""
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = _Source()
        source.heard_ns = now
        source.symbols.add(live.symbol)
        if source.stale:
            source.stale = False
            self._publish(now, name, None, 0, fresh=True)
        if live.stale:
            live.stale = False
            self._publish(now, name, live.symbol, 0, fresh=True)

    def sources(self) -> tuple[str, ...]:
        """Name the sources that are silent now."""
        return tuple(name for name, source in self._sources.items() if source.stale)

    def _arm(self, when: int) -> None:
        self._timer = self._clock.call_at(when, self._scan)

    def _scan(self) -> None:
        if not self._running:
            return
        now = self._clock.now()
        next_open = now + 3_600 * SECOND
        any_open = False
        open_symbols: dict[Symbol, int] = {}
        for symbol, live in self._live.items():
            session = self._session(symbol, now)
            if session is None:
                continue
            if session.state is not SessionState.OPEN:
                next_open = min(next_open, max(session.next_open_ns, now + self._scan_ns))
                continue
            any_open = True
            open_symbols[symbol] = session.open_ns
            # Silence before the open is no silence.
            age = now - max(live.seen_ns, session.open_ns)
            if live.ts_event and not live.halted and age > self._symbol_ns and not live.stale:
                live.stale = True
                self._publish(now, "", symbol, age)
        for name, source in self._sources.items():
            opens = [open_symbols[symbol] for symbol in source.symbols if symbol in open_symbols]
            if opens and not source.stale:
                age = now - max(source.heard_ns, min(opens))
                if age > self._source_ns:
                    source.stale = True
                    self._publish(now, name, None, age)
        self._arm(now + self._scan_ns if any_open else next_open)

    def _publish(self, now: int, source: str, symbol: Symbol | None, age_ns: int, *, fresh: bool = False) -> None:
        self._bus.publish(
            FeedStale(ts_event=now, ts_init=now, source=source, symbol=symbol, age_s=age_ns / SECOND, fresh=fresh)
        )
