"""Market data of Interactive Brokers, over the connection that the broker owns."""

import asyncio
from collections.abc import Callable, Sequence

from engine.api.rows import SourceRow
from engine.bus.clock import Clock, Timer
from engine.bus.errors import BrokerError, ProviderError
from engine.collection.provider import BarColumnsByName, DataKind, Emit
from engine.collection.providers.ibkr.history import History
from engine.collection.providers.ibkr.instrument import instrument_of
from engine.collection.providers.ibkr.lines import Lines
from engine.collection.providers.ibkr.port import Connection, Listings
from engine.collection.providers.ibkr.settings import IbkrDataSettings
from engine.collection.providers.ibkr.ticks import SOURCE
from engine.model.events.base import Event
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.report import LinkState

_CHECK_S = 5.0
_HISTORY_MOST = 60


class IbkrProvider:
    """A :class:`engine.collection.provider.Provider`. The connection comes and goes by itself; lines follow it."""

    name = SOURCE

    def __init__(
        self,
        emit: Emit,
        clock: Clock,
        settings: IbkrDataSettings,
        connection: Connection,
        listings: Listings,
        degraded: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """``degraded(reason)`` hears what is not as it should be, with an empty reason when all is well again."""
        self._emit = emit
        self._clock = clock
        self._settings = settings
        self._connection = connection
        self._listings = listings
        self._degraded = degraded
        self._running = False
        self._trouble = ""
        self._task: asyncio.Task[None] | None = None
        self._check: Timer | None = None
        self._up = asyncio.Event()
        self._lines = Lines(connection, listings, clock, settings, self._say)
        self._lines.on_trouble = self._on_trouble
        self._history = History(connection, clock, settings)
        connection.listen(self._on_link)
        kinds = {DataKind.QUOTES, DataKind.TRADES, DataKind.DEPTH, DataKind.HISTORY, DataKind.HALTS}
        if settings.news:
            kinds.add(DataKind.NEWS)
        if settings.five_second_bars:
            kinds.add(DataKind.BARS)
        self.kinds = frozenset(kinds)

    # --- Provider

    async def start(self) -> None:
        if self._running:
            return
        if self._connection.state is LinkState.UP:
            self._up.set()
        try:
            async with asyncio.timeout(self._settings.start_timeout_s):
                await self._up.wait()
        except TimeoutError as error:
            raise ProviderError(f"the gateway is not connected: {self._connection.text}") from error
        self._running = True
        self._connection.at_packet_end(self._lines.flush)
        self._task = asyncio.get_running_loop().create_task(self._lines.work(), name="ibkr lines")
        self._check = self._clock.call_later(_CHECK_S, self._check_lines)

    async def stop(self) -> None:
        self._running = False
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._lines.drop_all()

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        for symbol in symbols:
            self._lines.want(symbol, depth)

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        for symbol in symbols:
            self._lines.drop(symbol)

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        try:
            await self._listings.qualify(self._connection, [symbol])
        except BrokerError as error:
            raise ProviderError(str(error)) from error
        listed = self._listings.listing(symbol)
        if listed is None:
            raise ProviderError(self._listings.problems.get(symbol, f"{symbol} is not listed"))
        return await self._history.bars(listed, seconds, count, end_ns)

    # --- more than every provider has

    async def describe(self, symbols: Sequence[Symbol], again: bool = False) -> tuple[Instrument, ...]:
        """Instruments as the broker lists them; those it does not list are left out. Raises ``ProviderError``.

        ``again`` asks the broker also for those it has described before.
        """
        try:
            await self._listings.qualify(self._connection, symbols, again)
        except BrokerError as error:
            raise ProviderError(str(error)) from error
        return tuple(instrument_of(found) for s in symbols if (found := self._listings.listing(s)) is not None)

    def shortable(self, symbol: Symbol) -> tuple[str, float] | None:
        """How hard it is to borrow (easy, locate, none) and how many there are; None when nothing was said."""
        line = self._lines.get(symbol)
        if line is None or not line.ticks.shortable > 0:
            return None
        level = line.ticks.shortable
        return "easy" if level > 2.5 else "locate" if level > 1.5 else "none", line.ticks.shortable_shares

    def meters(self) -> tuple[SourceRow, ...]:
        """Budgets for the health strip: lines of each kind, and historical requests of the last ten minutes."""
        kinds = (("quotes", "price lines"), ("trades", "trade lines"), ("depth", "order books"))
        rows = [
            self._meter(f"{SOURCE} {label}", self._lines.count(kind), self._lines.budget(kind)) for kind, label in kinds
        ]
        used = self._history.meter.used(self._clock.monotonic())
        return (*rows, self._meter(f"{SOURCE} history", used, _HISTORY_MOST))

    def _meter(self, key: str, used: int, most: int) -> SourceRow:
        state = "degraded" if used >= most else "up"
        return SourceRow(key=key, kind="budget", state=state, text=f"{used} of {most}")

    # --- inside

    def _say(self, event: Event) -> None:
        if self._running:
            self._emit(event)

    def _on_link(self, state: LinkState, code: int, text: str) -> None:
        self._lines.on_link(state, code, text)
        if state is LinkState.UP:
            self._up.set()
        else:
            self._up.clear()
        if self._running:
            self._degraded(self._trouble if state is LinkState.UP else f"the gateway: {text}")

    def _on_trouble(self, text: str) -> None:
        if text != self._trouble:
            self._trouble = text
            if self._running:
                self._degraded(text)

    def _check_lines(self) -> None:
        self._lines.check_bars()
        self._check = self._clock.call_later(_CHECK_S, self._check_lines)
