"""The engine's own desk of strategies, over the bars of the small engine."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.ids import Symbol
from engine.runtime.strategies import Shelf, StrategyDesk
from engine.runtime.thought import OWN_FOLDER, strategy_reader
from tests.support_gui.fake_queries import FakeHistory

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "strategies"


class FakeScorer:
    def __init__(self) -> None:
        self.signals = Counter({"day_trading": 3})
        self.replaced: list[list[str]] = []

    def replace(self, strategies) -> None:
        self.replaced.append(list(strategies))


class FakeProposer:
    def use(self, recipes) -> None:
        pass


class FakeFeatures:
    intervals = (60, 300, 86_400)

    def follow(self, seconds, history) -> None:
        raise AssertionError("every interval is followed")


class FakeStore(dict):
    def set(self, name: str, value: str) -> None:
        self[name] = value


def fake_strategies(
    bus: Bus, clock: Clock, profile: Path, bars_data, symbols: Callable[[], Iterable[Symbol]]
) -> StrategyDesk:
    """The real desk over what the fake knows."""
    shelf = Shelf(strategy_reader(), SHIPPED, profile / OWN_FOLDER)
    history, store = FakeHistory(bars_data), FakeStore()
    return StrategyDesk(bus, clock, shelf, FakeScorer(), FakeProposer(), FakeFeatures(), history, symbols, dict, store)
