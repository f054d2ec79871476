"""Alpaca as a provider of US market data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from engine.bus.clock import Clock
from engine.collection.provider import BarColumnsByName, DataKind, Emit
from engine.collection.providers.alpaca.history import History, SessionOf
from engine.collection.providers.alpaca.reading import SOURCE, event_of
from engine.collection.providers.alpaca.settings import AlpacaDataSettings
from engine.collection.providers.alpaca.stream import PriceStream
from engine.model.ids import Symbol
from engine.model.market import DataType

_TEXTS = {
    "iex": "prices and volume of one exchange (IEX), live",
    "sip": "prices of all exchanges, live",
    "delayed_sip": "prices of all exchanges, a quarter of an hour late",
    "test": "test prices",
}


class Key(Protocol):
    """Something that shows itself when asked, and in no log."""

    def reveal(self) -> str: ...


class AlpacaProvider:
    """A :class:`engine.collection.provider.Provider`. A lost line is told; whoever keeps it starts it again."""

    name = SOURCE

    def __init__(
        self,
        emit: Emit,
        clock: Clock,
        settings: AlpacaDataSettings,
        *,
        key: Key,
        secret: Key,
        session: SessionOf,
        lost: Callable[[str], None] = lambda reason: None,
        degraded: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """``lost`` and ``degraded`` hear why; ``session`` gives the session of a symbol at an instant."""
        self._emit = emit
        self._clock = clock
        self._settings = settings
        self._lost = lost
        self._degraded = degraded
        self._wanted: dict[Symbol, None] = {}
        self._heard: dict[Symbol, None] = {}
        self._running = False
        self.feed = settings.stream_url.rpartition("/")[2]
        self.data_type = DataType.DELAYED if self.feed == "delayed_sip" else DataType.LIVE
        kinds = {DataKind.QUOTES, DataKind.TRADES, DataKind.HISTORY, DataKind.HALTS}
        self.kinds = frozenset(kinds | ({DataKind.BARS} if settings.bars else set()))
        headers = {"APCA-API-KEY-ID": key.reveal(), "APCA-API-SECRET-KEY": secret.reveal()}
        self._history = History(settings, headers, session)
        self._stream = PriceStream(
            settings,
            lambda: {"key": key.reveal(), "secret": secret.reveal()},
            self._hear,
            self._on_lost,
            self._on_trouble,
        )

    @property
    def text(self) -> str:
        """What these prices are, for the person."""
        return _TEXTS[self.feed]

    async def start(self) -> None:
        if self._running:
            return
        await self._stream.open()
        self._history.open()
        self._running = True
        self._heard.clear()
        self._fill_lines()

    async def stop(self) -> None:
        self._running = False
        self._wanted.clear()
        self._heard.clear()
        await self._stream.close()
        await self._history.close()

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        """There are no order books: ``depth`` adds nothing."""
        self._wanted.update(dict.fromkeys(symbols))
        self._fill_lines()

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        gone = [symbol for symbol in symbols if symbol in self._heard]
        for symbol in symbols:
            self._wanted.pop(symbol, None)
            self._heard.pop(symbol, None)
        if self._running:
            self._stream.unsubscribe(gone)
            self._fill_lines()

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        return await self._history.bars(symbol, seconds, count, end_ns)

    def _fill_lines(self) -> None:
        """Hear as many of the wanted symbols as the plan allows, in the order in which they were asked for."""
        if not self._running:
            return
        room = self._settings.symbols - len(self._heard)
        waiting = [symbol for symbol in self._wanted if symbol not in self._heard]
        fresh = waiting[: max(room, 0)]
        self._heard.update(dict.fromkeys(fresh))
        self._stream.subscribe(fresh)
        left = len(waiting) - len(fresh)
        self._degraded(f"{left} symbols are not heard: the plan allows {self._settings.symbols}" if left else "")

    def _hear(self, message: Mapping[str, Any]) -> None:
        event = event_of(message, self._clock.now(), self.data_type, self._settings.size_unit)
        # Messages of a symbol may still come for a moment after it was given up.
        if event is not None and self._running and getattr(event, "symbol", None) in self._heard:
            self._emit(event)

    def _on_lost(self, reason: str) -> None:
        if self._running:
            self._running = False
            self._lost(reason)

    def _on_trouble(self, text: str) -> None:
        self._degraded(text)
