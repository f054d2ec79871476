"""Small markets to test on."""

from collections.abc import Callable
from datetime import date

import pytest

from engine.simulation.market.instruments import default_universe, instruments_for
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import weekday_sessions
from engine.simulation.market.world import World

SYMBOLS = ("AAPL", "F", "BLK", "MSFT", "KO", "NVDA", "PCG", "ZZTOP")

MakeMarket = Callable[..., SimulatedMarket]


@pytest.fixture
def make_market() -> MakeMarket:
    """Build a fresh market: name of the world, seed, symbols (None: the whole universe) and World fields."""

    def make(
        name: str = "mixed", seed: int = 1, symbols: tuple[str, ...] | None = SYMBOLS, **fields: object
    ) -> SimulatedMarket:
        instruments = default_universe() if symbols is None else instruments_for(symbols)
        return SimulatedMarket(World(name, seed, **fields), instruments, weekday_sessions(date(2025, 1, 6), 10))  # type: ignore[arg-type]

    return make
