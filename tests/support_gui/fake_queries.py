"""The engine's own answers to questions, over the bars of the small engine."""

from collections.abc import Mapping

from engine.api.frames import BarUpdate
from engine.execution.algos.algorithm import Algorithm
from engine.execution.algos.plugins import own_algorithms
from engine.model.broker import BrokerCapabilities
from engine.model.ids import Symbol
from engine.model.market import BarColumns
from engine.model.order import OrderType, TimeInForce
from engine.runtime.queries import Queries


class FakeHistory:
    def __init__(self, bars_data) -> None:
        self._bars_data = bars_data

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None:
        return BarColumns(**self._bars_data(symbol, seconds, min(count, 1_000)))


class NothingForms:
    def forming(self, symbol: str, seconds: int) -> BarUpdate | None:
        return None


class NoFeatures:
    def latest(self, symbol: Symbol, seconds: int) -> Mapping[str, float]:
        return {}


class FakeBroker:
    """Offers less than everything; tests change it."""

    name = "fake"

    def __init__(self) -> None:
        self.capabilities = BrokerCapabilities(
            order_types=tuple(kind for kind in OrderType if kind is not OrderType.RELATIVE), tifs=tuple(TimeInForce)
        )


class FakeAlgorithms:
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(own_algorithms()))

    def algorithm(self, name: str) -> Algorithm | None:
        return own_algorithms().get(name)


def fake_queries(bars_data, symbols, broker: FakeBroker) -> Queries:
    """The real queries over what the fake knows."""
    return Queries(FakeHistory(bars_data), NothingForms(), NoFeatures(), symbols, broker, FakeAlgorithms())
