"""Evaluate strategies when a bar has closed and publish what they say.

A strategy is judged over all the bars the market keeps, as a trial judges it and as a chart draws its indicators: over
the few it needs to be known, an average that remembers would not have forgotten where those began, and the VWAP would
miss the session's morning.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.model.events.thought import FeaturesReady, Scored
from engine.model.ids import SourceId, Symbol
from engine.model.market import BarColumns
from engine.model.score import Evidence, Forecast
from engine.scoring.technical.expression import Bars, Outcome
from engine.scoring.technical.load import CompiledSide, CompiledStrategy

KNOWN_BARS: Final = 20_000
"""What rules and indicators are computed over, wherever: the newest of the bars that are known, at most so many."""


class History(Protocol):
    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None: ...


class Features(Protocol):
    def latest(self, symbol: Symbol, seconds: int) -> Mapping[str, float]: ...


def unpack(columns: BarColumns) -> dict[str, NDArray[Any]]:
    """Columns as arrays; ``session`` changes where a session begins (a gap of more than two hours between bars)."""
    # Kernels take memory that could be written to; copied here it is copied once, and not by each of them.
    arrays: dict[str, NDArray[Any]] = {
        name: np.frombuffer(getattr(columns, name), dtype=np.float64).copy()
        for name in ("open", "high", "low", "close", "volume")
    }
    stamps = np.frombuffer(columns.ts_open, dtype=np.int64)
    gap = max(7200, 2 * columns.seconds) * SECOND
    arrays["session"] = np.cumsum(np.diff(stamps, prepend=stamps[:1]) > gap)
    return arrays


_SHIFTS = {"open": 0.0, "high": 1.0, "low": -1.0, "close": 0.5, "volume": 1000.0}


def source_of(strategy_id: str) -> SourceId:
    """The name under which a strategy keeps its record: each one is a source of its own."""
    return SourceId(f"technical:{strategy_id}")


def rehearse(compiled: CompiledStrategy) -> None:
    """Evaluate every rule once on made-up bars: its kernels are loaded, and one that raises is heard of."""
    count = compiled.warmup + 2
    steps = 100.0 + np.sin(np.arange(count, dtype=np.float64))
    columns = {name: steps + shift for name, shift in _SHIFTS.items()}
    columns["session"] = np.zeros(count, dtype=np.int64)
    bars = Bars(columns=columns)
    for side in compiled.sides.values():
        for rule in side.rules:
            rule.check(bars)


class TechnicalScorer:
    """The technical sources. Observes bars, publishes forecasts, owns nothing else."""

    name = "technical"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        history: History,
        features: Features,
        strategies: Mapping[str, CompiledStrategy],
    ) -> None:
        self._bus, self._clock, self._history, self._features = bus, clock, history, features
        self._strategies: dict[int, list[CompiledStrategy]] = {}
        self.signals: Counter[str] = Counter()
        """Entries each strategy has called for since the start."""
        self.replace(strategies)
        self.counts = {"scored": 0, "silent": 0, "short_history": 0}

    def replace(self, strategies: Mapping[str, CompiledStrategy]) -> None:
        """Take a new set of strategies (hot reload)."""
        self._strategies = {}
        for compiled in strategies.values():
            if compiled.strategy.enabled:
                self._strategies.setdefault(compiled.strategy.bar_seconds, []).append(compiled)

    def warm(self) -> None:
        """Evaluate every rule once, so that no kernel is loaded while the market moves."""
        for strategies in self._strategies.values():
            for compiled in strategies:
                rehearse(compiled)

    async def start(self) -> None:
        """Listen to vectors: they arrive when a bar has closed and its features are there."""
        self._bus.subscribe(FeaturesReady, self._on_features, owner="scoring.technical")

    async def stop(self) -> None:
        """Nothing to finish."""

    def _on_features(self, event: FeaturesReady) -> None:
        symbol = event.symbol
        asked = [c for c in self._strategies.get(event.seconds, ()) if symbol in (c.strategy.symbols or (symbol,))]
        bars = self._bars(symbol, event.seconds) if asked else None
        for compiled in asked:
            self._score(compiled, symbol, bars)

    def score(self, compiled: CompiledStrategy, symbol: Symbol) -> None:
        """Judge the newest closed bar of ``symbol`` and publish a forecast when there is one."""
        self._score(compiled, symbol, self._bars(symbol, compiled.strategy.bar_seconds))

    def _bars(self, symbol: Symbol, seconds: int) -> Bars | None:
        columns = self._history.columns(symbol, seconds, KNOWN_BARS)
        if columns is None:
            return None
        return Bars(columns=unpack(columns), features=self._features.latest(symbol, seconds))

    def _score(self, compiled: CompiledStrategy, symbol: Symbol, bars: Bars | None) -> None:
        strategy = compiled.strategy
        if bars is None or len(bars.columns["close"]) < compiled.warmup:
            self.counts["short_history"] += 1
            return
        for sign, side in compiled.sides.items():
            forecast = self._judge(compiled, symbol, sign, side, bars)
            if forecast is not None:
                self.counts["scored"] += 1
                self.signals[strategy.id] += forecast.score != 0.0
                now = self._clock.now()
                self._bus.publish(Scored(ts_event=now, ts_init=now, forecast=forecast))
            else:
                self.counts["silent"] += 1

    def _judge(
        self, compiled: CompiledStrategy, symbol: Symbol, sign: int, side: CompiledSide, bars: Bars
    ) -> Forecast | None:
        strategy = compiled.strategy
        leaving = next((o for o in (rule.check(bars) for rule in side.exit) if o.holds), None)
        if leaving is not None:
            return self._forecast(compiled, symbol, 0.0, f"exit {'long' if sign > 0 else 'short'}", [leaving], sign)
        held: list[Outcome] = []
        for rule in side.enter:
            outcome = rule.check(bars)
            if not outcome.holds:
                return None
            held.append(outcome)
        score = strategy.base_score
        for rule, weight in side.score:
            outcome = rule.check(bars)
            if outcome.holds:
                score += weight
                held.append(outcome)
        score = min(score, 1.0)
        if score < strategy.min_score:
            return None
        return self._forecast(compiled, symbol, score * sign, "enter", held, sign)

    def _forecast(
        self, compiled: CompiledStrategy, symbol: Symbol, score: float, reason: str, seen: list[Outcome], sign: int
    ) -> Forecast:
        strategy, now = compiled.strategy, self._clock.now()
        evidence = tuple(
            Evidence(
                id=f"T{number}",
                source=strategy.id,
                kind="bar",
                text=outcome.text,
                direction=sign if reason == "enter" else -sign,
                available_at=now,
            )
            for number, outcome in enumerate(seen, 1)
        )
        return Forecast(
            source=source_of(strategy.id),
            symbol=symbol,
            horizon=strategy.horizon,
            score=score,
            reason=reason,
            evidence=evidence,
            available_at=now,
            expires_at=now + round(strategy.expires_bars * strategy.bar_seconds) * SECOND,
        )
