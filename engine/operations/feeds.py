"""Prices that stopped, are late, or come by a contract that makes them late (§7.1: stale, delayed, frozen)."""

from collections.abc import Callable

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.model.decision import Mode
from engine.model.events.market import FeedStale, ProviderConnected, ProviderLost
from engine.model.ids import Symbol
from engine.model.market import DataType, SessionState
from engine.operations.lamps import Lamps
from engine.operations.ports import Market, Modes
from engine.operations.settings import OperationsSettings

CODE = "PRICES"
SCAN_NS = 5 * SECOND
CALM_SCAN_NS = 60 * SECOND


class FeedWatch:
    """Ends AUTO when too much of the open universe has no live price. One symbol is the gate's business (G21)."""

    name = "prices"

    def __init__(
        self, bus: Bus, clock: Clock, market: Market, modes: Modes, lamps: Lamps, settings: OperationsSettings
    ) -> None:
        self._bus, self._clock, self._market = bus, clock, market
        self._modes, self._lamps, self._settings = modes, lamps, settings
        self._silent_sources: set[str] = set()
        self._silent: set[Symbol] = set()
        self._since_ns = 0
        self._scanned_ns = 0
        self._leave: list[Callable[[], None]] = []

    def start(self) -> None:
        self._since_ns = self._scanned_ns = self._clock.now()
        on = self._bus.subscribe
        self._leave = [
            on(FeedStale, self._on_stale, owner=self.name, role=Role.DECIDER),
            on(ProviderLost, self._on_lost, owner=self.name, role=Role.DECIDER),
            on(ProviderConnected, self._on_connected, owner=self.name, role=Role.DECIDER),
        ]

    def stop(self) -> None:
        for leave in self._leave:
            leave()
        self._leave = []

    def look(self) -> None:
        """Count the open symbols without a live price: every few seconds in trouble, once a minute in calm."""
        now = self._clock.now()
        trouble = bool(self._silent_sources or self._silent) or self._lamps.lit(CODE)
        if now - self._scanned_ns >= (SCAN_NS if trouble else CALM_SCAN_NS):
            self._scan(now)

    def _scan(self, now: int) -> None:
        self._scanned_ns = now
        patience = self._settings.source_silent_s if self._silent_sources else self._settings.symbol_silent_s
        patience_ns = round(patience * SECOND)
        counted, silent, late, bare = 0, 0, 0, 0
        for symbol in self._market.symbols():
            session = self._market.session(symbol, now)
            if session is None or session.state is not SessionState.OPEN:
                continue
            quote = self._market.quote(symbol)
            if quote is not None and quote.halted:
                continue
            counted += 1
            seen_ns = max(quote.ts_seen if quote is not None else 0, session.open_ns, self._since_ns)
            if now - seen_ns > patience_ns:
                silent += 1
            elif quote is not None and quote.data_type is not DataType.LIVE:
                late += 1
            elif quote is not None and not quote.two_sided and now - max(session.open_ns, self._since_ns) > patience_ns:
                bare += 1
        self._judge(counted, silent, late, bare)

    def _judge(self, counted: int, silent: int, late: int, bare: int) -> None:
        if counted and 100.0 * (silent + late + bare) / counted > self._settings.universe_percent:
            words = [
                f"{n} of {counted} symbols {what}"
                for n, what in (
                    (silent, "have no fresh price"),
                    (late, "are delayed or frozen"),
                    (bare, "have no bid and ask"),
                )
                if n
            ]
            text = f"Prices: {', '.join(words)}."
            self._modes.lower(Mode.MANUAL, self.name, text)
            self._lamps.light(
                CODE,
                "amber",
                text,
                "AUTO is off; the agent opens nothing on such prices.",
                "Look at the data source; arm AUTO again when prices flow.",
            )
        else:
            self._lamps.over(CODE, "Prices flow again.", self._settings.over_s)

    def _on_stale(self, event: FeedStale) -> None:
        if event.symbol is not None:
            (self._silent.discard if event.fresh else self._silent.add)(event.symbol)
            return
        code = f"FEED-{event.source}"
        if event.fresh:
            self._silent_sources.discard(event.source)
            self._lamps.over(code, f"{event.source} speaks again.")
            return
        self._silent_sources.add(event.source)
        self._lamps.light(
            code,
            "amber",
            f"{event.source} has said nothing for {event.age_s:.0f} s while the market is open.",
            "Suggestions that need its prices are not sent.",
            "Look at the source in the health strip.",
        )
        self._scan(self._clock.now())

    def _on_lost(self, event: ProviderLost) -> None:
        self._lamps.light(
            f"SOURCE-{event.source}",
            "amber",
            f"{event.source} is lost: {event.reason or 'no reason given'}.",
            "It is tried again; the rest goes on.",
            "Look at the source in the health strip.",
        )

    def _on_connected(self, event: ProviderConnected) -> None:
        self._lamps.over(f"SOURCE-{event.source}", f"{event.source} is connected again.")
