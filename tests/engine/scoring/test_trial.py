"""A trial on the bars that are known says what the scorer would have said, bar by bar."""

import numpy as np
import pytest

from engine.model.ids import Symbol
from engine.model.market import BarColumns
from engine.runtime.past_features import PastFeatures
from engine.runtime.thought import strategy_reader
from engine.scoring.technical.trial import Trial
from tests.support.coming_bars import ComingBars, scorer_of

MINUTE = 60 * 10**9
TEXT = """
id: rest
title: A rest
horizon: day
bar_seconds: 300
cooldown_bars: {pause}
atr_period: 2
base_score: 0.5
min_score: 0.75
long:
  enter: ["close > sma(5)", "close > open", {feature}]
  score: [{{when: "volume > mean(volume, 4)", weight: 0.25}}]
  exit: ["volume > 800"]
short:
  enter: ["close < sma(5)"]
  score: [{{when: "volume > mean(volume, 4)", weight: 0.25}}]
"""


def bars(symbol: str = "AAPL", count: int = 400, seed: int = 3) -> BarColumns:
    random = np.random.default_rng(seed)
    close = 100 + np.cumsum(random.normal(0, 0.5, count))
    opening = close + random.normal(0, 0.3, count)
    high, low = np.maximum(close, opening) + 0.2, np.minimum(close, opening) - 0.2
    stamps = 10**18 + np.arange(count, dtype=np.int64) * 5 * MINUTE
    volume = random.integers(100, 1000, count).astype(np.float64)
    packed = {"open": opening, "high": high, "low": low, "close": close, "volume": volume}
    return BarColumns(
        symbol=Symbol(symbol), seconds=300, ts_open=stamps.tobytes(), **{n: v.tobytes() for n, v in packed.items()}
    )


@pytest.mark.parametrize("feature", ["close > 0", "RSV20 > 0.6"])
def test_the_signals_of_a_trial_are_those_the_scorer_gives_when_the_bars_close(feature: str) -> None:
    compiled = strategy_reader().compile("t", TEXT.format(pause=1, feature=feature))
    columns = bars()
    coming = ComingBars(columns, vectors=True)
    scorer, heard = scorer_of(compiled, coming)
    for coming.end in range(1, columns.count + 1):
        scorer.score(compiled, Symbol("AAPL"))
    trial = Trial(compiled, PastFeatures([columns]))
    found = trial.judge(columns)
    assert (found.long, found.short) == tuple(sum(side == s for _, s in heard) for side in (1, -1))
    assert found.long > 5
    assert found.short > 5
    stamps = np.frombuffer(columns.ts_open, np.int64)
    assert found.last == [(int(stamps[p]), "long" if side > 0 else "short") for p, side in reversed(heard[-5:])]
    assert scorer.signals["rest"] == len(heard) == found.entries


def test_the_pause_leaves_fewer_entries_and_each_rule_is_counted() -> None:
    compiled = strategy_reader().compile("t", TEXT.format(pause=20, feature="close > 0"))
    trial = Trial(compiled, PastFeatures([]))
    found = trial.judge(bars())
    assert found.entries < (found.long + found.short) / 2
    rules = {(rule.side, rule.part, rule.text): rule for rule in trial.rules}
    always = rules["long", "enter", "close > 0"]
    assert always.held == always.known == found.bars
    assert 0 < rules["long", "enter", "close > open"].held < found.bars


def test_bars_before_the_longest_rule_is_known_are_not_judged() -> None:
    compiled = strategy_reader().compile("t", TEXT.format(pause=1, feature="close > 0"))
    assert Trial(compiled, PastFeatures([])).judge(bars(count=40)).bars == 40 - compiled.warmup + 1
