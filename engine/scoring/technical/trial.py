"""What a strategy would have said on the bars that are known: signals, not profit.

The same judgement as that of the scorer (``scorer.py``), over every bar instead of the newest: what it says of a bar is
what the scorer said when that bar had closed, on the same bars. They are not the same where the market has since let go
of its oldest bars, or has loaded fewer at a start: an average that remembers begins later then, and within some hundred
bars forgets that it did. A bar too early for the longest rule is not judged.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.model.market import BarColumns
from engine.scoring.technical.expression import Bars, Column, Rule
from engine.scoring.technical.load import CompiledSide, CompiledStrategy
from engine.scoring.technical.scorer import unpack

Vectors = Callable[[BarColumns, NDArray[np.int64], frozenset[str]], Mapping[str, Column]]
"""(bars, places, names) -> columns of features as long as the bars, NaN but at those places."""
LAST = 5


@dataclass
class RuleCount:
    """How often one rule held, over all symbols."""

    side: str
    part: str
    """enter, score or exit."""
    text: str
    held: int = 0
    known: int = 0


@dataclass
class SymbolSignals:
    """The signals of one symbol; times are when the bar began, UTC ns."""

    symbol: str
    bars: int
    long: int = 0
    short: int = 0
    entries: int = 0
    """Signals that the pause between entries leaves."""
    last: list[tuple[int, str]] = field(default_factory=list)
    """(bar, side) of the newest, newest first."""


class Trial:
    """Counts over one symbol after the other."""

    def __init__(self, compiled: CompiledStrategy, vectors: Vectors) -> None:
        self._compiled, self._vectors = compiled, vectors
        self._rules: dict[tuple[int, str, int], RuleCount] = {}
        for sign, side in compiled.sides.items():
            for part, rules in _parts(side).items():
                for number, rule in enumerate(rules):
                    self._rules[sign, part, number] = RuleCount("long" if sign > 0 else "short", part, rule.text)

    @property
    def rules(self) -> list[RuleCount]:
        """Every rule with what was counted so far, in the order of the file."""
        return list(self._rules.values())

    def judge_all(self, some: Iterable[BarColumns]) -> list[SymbolSignals]:
        """Count the signals of some symbols."""
        return [self.judge(columns) for columns in some]

    def judge(self, columns: BarColumns) -> SymbolSignals:
        """Count the signals of one symbol."""
        signals = self.signals(columns)
        found = SymbolSignals(
            symbol=columns.symbol,
            bars=max(columns.count - self._compiled.warmup + 1, 0),
            long=sum(sign > 0 for _, sign in signals),
            short=sum(sign < 0 for _, sign in signals),
        )
        stamps = np.frombuffer(columns.ts_open, np.int64)
        pause = max(self._compiled.strategy.cooldown_bars, 1)
        entered: int | None = None
        for place, _ in signals:
            if entered is None or place - entered >= pause:
                found.entries += 1
                entered = place
        found.last = [
            (int(stamps[place]), "long" if sign > 0 else "short") for place, sign in signals[: -LAST - 1 : -1]
        ]
        return found

    def signals(self, columns: BarColumns) -> list[tuple[int, int]]:
        """(place of the bar, 1 long or -1 short) of every signal of one symbol, in order of time."""
        judged = np.arange(columns.count) >= self._compiled.warmup - 1
        bars = Bars(columns=unpack(columns))
        found: list[tuple[int, int]] = []
        for sign, side in self._compiled.sides.items():
            at = np.flatnonzero(self._side(sign, side, columns, bars, judged))
            found += [(int(place), sign) for place in at]
        return sorted(found)

    def _side(
        self, sign: int, side: CompiledSide, columns: BarColumns, bars: Bars, judged: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """The bars at which this side gives a signal."""
        plain = [rule for rule in side.enter if not rule.features]
        asked = judged.copy()
        for rule in plain:
            value = rule.series(bars)
            asked &= np.isfinite(value) & (value != 0.0)
        names = frozenset(name for rule in side.rules for name in rule.features)
        if names:
            # A feature is computed where it can matter: where every rule without one holds.
            bars = Bars(bars.columns, self._vectors(columns, np.flatnonzero(asked), names), bars.cache)
        held = {
            (part, number): self._count((sign, part, number), rule, bars, judged)
            for part, rules in _parts(side).items()
            for number, rule in enumerate(rules)
        }
        signal = judged.copy()
        score = np.full(columns.count, self._compiled.strategy.base_score)
        for (part, number), holds in held.items():
            if part == "enter":
                signal &= holds
            elif part == "exit":
                signal &= ~holds
            else:
                score += np.where(holds, side.score[number][1], 0.0)
        signal &= np.minimum(score, 1.0) >= self._compiled.strategy.min_score
        return signal

    def _count(self, key: tuple[int, str, int], rule: Rule, bars: Bars, judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
        value = rule.series(bars)
        known = judged & np.isfinite(value)
        holds: NDArray[np.bool_] = known & (value != 0.0)
        self._rules[key].held += int(holds.sum())
        self._rules[key].known += int(known.sum())
        return holds


def _parts(side: CompiledSide) -> dict[str, tuple[Rule, ...]]:
    return {"enter": side.enter, "score": tuple(rule for rule, _ in side.score), "exit": side.exit}
