"""A live market at Interactive Brokers: one connection, the broker on it, and its market data."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import ProviderError
from engine.collection.collector import Collector
from engine.collection.provider import Emit
from engine.collection.providers.ibkr.provider import IbkrProvider
from engine.execution.brokers.ibkr.broker import IbkrBroker
from engine.execution.brokers.ibkr.contracts import Catalogue
from engine.execution.brokers.ibkr.link import Link
from engine.features.engine import FeatureEngine
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.instruments import Authority, Instruments
from engine.model.decision import Book
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.runtime.spec import EngineSpec

HISTORY = {86_400: 320, 300: 320, 60: 400}
NAMES = ("open", "high", "low", "close", "volume")
_log = structlog.get_logger("gateway")


@dataclass
class Gateway:
    """The connection and what hangs on it."""

    link: Link
    broker: IbkrBroker
    provider: IbkrProvider | None = None

    async def describe(self, symbols: tuple[Symbol, ...]) -> tuple[Instrument, ...]:
        """Instruments as the broker lists them. Raises ``ProviderError``."""
        if self.provider is None:
            raise ProviderError("the gateway's market data is not made yet")
        return await self.provider.describe(symbols)

    def factory(
        self, spec: EngineSpec, clock: Clock, degraded: Callable[[str], None]
    ) -> Callable[[Emit], IbkrProvider]:
        """How the collector makes the market data of this connection."""

        def make(emit: Emit) -> IbkrProvider:
            self.provider = IbkrProvider(
                emit, clock, spec.ibkr_data, self.link, self.broker.contracts, degraded=degraded
            )
            return self.provider

        return make


def open_gateway(spec: EngineSpec, clock: Clock, catalogue: Catalogue) -> Gateway:
    """Make the connection of a profile; nothing is sent yet. Raises ``SettingsError`` naming the key."""
    rng = np.random.Generator(np.random.PCG64(spec.seed))
    link = Link(clock, spec.ibkr, rng, live=spec.book is Book.LIVE)
    return Gateway(link=link, broker=IbkrBroker(clock, link, spec.ibkr, catalogue))


Describe = Callable[[tuple[Symbol, ...]], Awaitable[tuple[Instrument, ...]]]


async def fetch_history(
    name: str,
    describe: Describe | None,
    clock: Clock,
    collector: Collector,
    cache: MarketCache,
    bars: BarStore,
    instruments: Instruments,
    features: FeatureEngine,
) -> None:
    """Once ``name`` is connected: learn what the instruments are and load their past, a symbol at a time.

    ``describe`` asks the broker for its contract lists; None where it has none worth asking.
    """
    symbols = tuple(cache.symbols())
    described = describe is None
    loaded: dict[int, dict[Symbol, dict[str, NDArray[np.float64]]]] = {seconds: {} for seconds in HISTORY}
    for seconds, count in HISTORY.items():
        for symbol in symbols:
            while True:
                try:
                    if describe is not None and not described:
                        for instrument in await describe(symbols):
                            instruments.add(instrument, Authority.BROKER)
                        described = True
                    found = await collector.history(symbol, seconds, count, clock.now())
                    break
                except ProviderError as error:
                    _log.warning("history is late", symbol=symbol, seconds=seconds, reason=str(error))
                    await clock.sleep(5.0)
            if found is None:
                continue
            columns = found[1]
            bars.seed(symbol, seconds, columns)
            ends = columns.get("ts_close", np.asarray(columns["ts_open"], np.int64) + seconds * SECOND)
            loaded[seconds][symbol] = {
                "ts_event": np.asarray(ends),
                **{name: np.asarray(columns[name], np.float64) for name in NAMES},
            }
        if seconds in features.intervals:
            features.seed(seconds, loaded[seconds])
            features.compute(seconds)
    _log.info("history is loaded", source=name, symbols=len(symbols))
