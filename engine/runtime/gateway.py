"""A live market at Interactive Brokers: one connection, the broker on it, and its market data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.bus.clock import Clock
from engine.bus.errors import ProviderError
from engine.collection.provider import Emit
from engine.collection.providers.ibkr.provider import IbkrProvider
from engine.execution.brokers.ibkr.broker import IbkrBroker
from engine.execution.brokers.ibkr.contracts import Catalogue
from engine.execution.brokers.ibkr.link import Link
from engine.model.decision import Book
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.runtime.spec import EngineSpec


@dataclass
class Gateway:
    """The connection and what hangs on it."""

    link: Link
    broker: IbkrBroker
    provider: IbkrProvider | None = None

    async def describe(self, symbols: tuple[Symbol, ...]) -> tuple[Instrument, ...]:
        """Instruments as the broker lists them. Raises ``ProviderError``."""
        return await self._describe(symbols, again=False)

    async def describe_again(self, symbols: tuple[Symbol, ...]) -> tuple[Instrument, ...]:
        """The same, asked anew. Raises ``ProviderError``."""
        return await self._describe(symbols, again=True)

    async def _describe(self, symbols: tuple[Symbol, ...], again: bool) -> tuple[Instrument, ...]:
        if self.provider is None:
            raise ProviderError("the gateway's market data is not made yet")
        return await self.provider.describe(symbols, again)

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
