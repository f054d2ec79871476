"""The scorer as it judges while bars come, one after the other, knowing only those that have come."""

from collections.abc import Iterable, Mapping

import numpy as np

from engine.bus.bus import Bus
from engine.bus.clock import ReplayClock
from engine.features.engine import NAMES
from engine.features.window import WindowStore
from engine.model.events.thought import Scored
from engine.model.ids import Symbol
from engine.model.market import BarColumns
from engine.scoring.technical.load import CompiledStrategy
from engine.scoring.technical.scorer import TechnicalScorer
from tests.support.genuine import part


class ComingBars:
    """History and feature vector as they stood when ``end`` bars had closed."""

    def __init__(self, whole: BarColumns, *, vectors: bool) -> None:
        self._whole, self._vectors, self.end = whole, vectors, 0
        self._store = WindowStore(1)

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns:
        return part(self._whole, max(0, self.end - count), self.end)

    def latest(self, symbol: Symbol, seconds: int) -> Mapping[str, float]:
        if not self._vectors:
            return {}
        names = ("open", "high", "low", "close", "volume", "close")
        first = max(0, self.end - 252)
        parts = [np.frombuffer(getattr(self._whole, n), np.float64)[first : self.end] for n in names]
        self._store.load(0, np.arange(first, self.end, dtype=np.int64), parts)
        return dict(zip(NAMES, self._store.features()[0].tolist(), strict=True))


def scorer_of(compiled: CompiledStrategy, coming: ComingBars) -> tuple[TechnicalScorer, list[tuple[int, int]]]:
    """A scorer on coming bars, and the list to which it adds (place of the bar, 1 long or -1 short)."""

    def failed(*what: object) -> None:
        raise AssertionError(what)

    bus = Bus(failed)
    scorer = TechnicalScorer(bus, ReplayClock(0), coming, coming, {compiled.strategy.id: compiled})
    heard: list[tuple[int, int]] = []

    def hear(event: Scored) -> None:
        if event.forecast.score:
            heard.append((coming.end - 1, 1 if event.forecast.score > 0 else -1))

    bus.subscribe(Scored, hear, owner="test")
    return scorer, heard


def live_signals(compiled: CompiledStrategy, whole: BarColumns, ends: Iterable[int]) -> list[tuple[int, int]]:
    """What the scorer calls for when so many bars have closed, bar by bar."""
    coming = ComingBars(whole, vectors=bool(compiled.features))
    scorer, heard = scorer_of(compiled, coming)
    for coming.end in ends:
        scorer.score(compiled, whole.symbol)
    return sorted(heard)
