"""A live market at Alpaca: the broker and its market data, from one pair of keys."""

from collections.abc import Callable

import numpy as np

from engine.bus.clock import Clock
from engine.bus.errors import SettingsError
from engine.collection.provider import Emit
from engine.collection.providers.alpaca.provider import AlpacaProvider
from engine.execution.brokers.alpaca.broker import AlpacaBroker
from engine.execution.desk import OrderDesk
from engine.market.cache import MarketCache
from engine.model.decision import Book
from engine.model.ids import OrderRef
from engine.model.order import OrderRequest
from engine.runtime.spec import EngineSpec
from engine.security.secret import Secret

NAME = "alpaca"


def keys_of(spec: EngineSpec) -> tuple[Secret, Secret]:
    """Key and secret. Raises ``SettingsError`` naming the settings that say where they are kept."""
    if spec.alpaca_keys is None:
        raise SettingsError("providers.alpaca.api_key and providers.alpaca.api_secret: say where the keys are kept")
    return spec.alpaca_keys


def alpaca_data(
    spec: EngineSpec, clock: Clock, cache: MarketCache, lost: Callable[[str], None], degraded: Callable[[str], None]
) -> Callable[[Emit], AlpacaProvider]:
    """How the collector makes Alpaca's market data."""
    key, secret = keys_of(spec)

    def make(emit: Emit) -> AlpacaProvider:
        return AlpacaProvider(
            emit,
            clock,
            spec.alpaca_data,
            key=key,
            secret=secret,
            session=cache.session,
            lost=lost,
            degraded=degraded,
        )

    return make


def alpaca_broker(spec: EngineSpec, clock: Clock, desk: OrderDesk) -> AlpacaBroker:
    """The broker. ``desk`` is asked for orders and their families; it may be a part that is made later."""
    key, secret = keys_of(spec)

    def family(ref: OrderRef) -> list[tuple[OrderRef, OrderRequest]]:
        return [(status.ref, status.request) for status in desk.orders().values() if status.parent_ref == ref]

    rng = np.random.Generator(np.random.PCG64(spec.seed))
    return AlpacaBroker(
        clock,
        spec.alpaca,
        rng,
        key=key,
        secret=secret,
        live=spec.book is Book.LIVE,
        # Looked up at each call: the desk is made after its broker.
        order=lambda ref: desk.order(ref),
        family=family,
    )
