"""What is drawn at a bar, what a trial says of it and what the scorer judged when it closed are one and the same."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.indicators.registry import INDICATORS
from engine.features.indicators.spec import Kind
from engine.model.market import BarColumns
from engine.runtime.catalogue import IndicatorCatalogue
from engine.runtime.live_history import HISTORY
from engine.runtime.past_features import PastFeatures
from engine.runtime.thought import strategy_reader
from engine.scoring.technical._template import TEXT
from engine.scoring.technical.expression import Bars, Rule, RuleError
from engine.scoring.technical.load import CompiledStrategy
from engine.scoring.technical.scorer import unpack
from engine.scoring.technical.trial import Trial
from tests.support.coming_bars import live_signals
from tests.support.genuine import SERIES, genuine, part

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "strategies"
KEEN = """
id: keen
title: Everything that remembers
horizon: day
bar_seconds: 300
base_score: 0.5
min_score: 0.5
long:
  enter: ["ema(9) > ema(21)", "close > either(vwap(), mean(close, 39))", "macd().histogram > macd().histogram[1]"]
  score: [{when: "adx(14) > 20", weight: 0.2}, {when: "RSV20 > 0.6", weight: 0.1}]
  exit: ["crosses_below(close, supertrend())", "obv() < mean(obv(), 20)"]
short:
  enter: ["trix(5) < trix(5).signal", "close < psar()", "keltner().lower > lowest(mean(low, 5), 10)[1]"]
  exit: ["stochrsi() > 80", "not heikin_ashi().close < heikin_ashi().open"]
"""
LIBRARY = {
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(SHIPPED.glob("*.yaml"))},
    "quiet_rise": TEXT,
    "keen": KEEN,
}
BARS, JUDGED = 800, 120
"""Bars of a series, and how many of the newest are judged live."""

each_strategy = pytest.mark.parametrize("strategy", LIBRARY)
each_series = pytest.mark.parametrize("series", SERIES)


@cache
def compiled_of(strategy: str) -> CompiledStrategy:
    return strategy_reader().compile(strategy, LIBRARY[strategy])


@cache
def bars_of(shared: Path, series: str, newest: int = BARS) -> BarColumns:
    return genuine(shared, series, newest)


@each_series
@each_strategy
def test_the_signals_of_a_trial_are_those_the_scorer_gave_when_the_bars_closed(strategy, series, shared_dir) -> None:
    compiled, whole = compiled_of(strategy), bars_of(shared_dir, series)
    first = whole.count - JUDGED
    tried = Trial(compiled, PastFeatures([whole])).signals(whole)
    live = live_signals(compiled, whole, range(first, whole.count + 1))
    assert live == [signal for signal in tried if signal[0] >= first - 1]


@pytest.mark.long
@each_series
@each_strategy
def test_so_they_are_at_every_bar_of_the_whole_series(strategy, series, shared_dir) -> None:
    compiled, whole = compiled_of(strategy), bars_of(shared_dir, series, 0)
    tried = Trial(compiled, PastFeatures([whole])).signals(whole)
    assert live_signals(compiled, whole, range(1, whole.count + 1)) == tried


@each_series
@each_strategy
def test_a_trial_says_of_a_bar_the_same_whatever_comes_after_it(strategy, series, shared_dir) -> None:
    compiled, whole = compiled_of(strategy), bars_of(shared_dir, series)
    tried = Trial(compiled, PastFeatures([whole])).signals(whole)
    for end in (compiled.warmup, 512, whole.count - 1):
        past = part(whole, 0, end)
        assert Trial(compiled, PastFeatures([past])).signals(past) == [s for s in tried if s[0] < end]


@each_series
@each_strategy
def test_a_chart_draws_at_a_bar_the_value_that_was_scored_there(strategy, series, shared_dir) -> None:
    compiled, whole = compiled_of(strategy), bars_of(shared_dir, series)
    drawn = unpack(whole)
    asked = 0
    for end in (511, whole.count):
        scored = Bars(columns=unpack(part(whole, 0, end)))
        for side in compiled.sides.values():
            for rule in side.rules:
                rule.check(scored)
        for (name, params), outputs in scored.cache.items():
            spec = INDICATORS[name]
            kinds = {param.name: param.type for param in spec.params}
            line = spec.compute(drawn, **{key: kinds[key](value) for key, value in params})
            for output, values in outputs.items():
                assert np.array_equal(line[output][:end], values, equal_nan=True), (name, output, end)
                asked += 1
    assert asked > 0


@each_series
@pytest.mark.parametrize("strategy", ["day_trading", "swing_trading", "long_term"])
def test_what_is_loaded_at_a_live_start_is_enough_to_have_forgotten_where_it_begins(
    strategy, series, shared_dir
) -> None:
    compiled, whole = compiled_of(strategy), bars_of(shared_dir, series, 1_600)
    loaded = HISTORY[compiled.strategy.bar_seconds]
    for end in range(loaded + 1, whole.count + 1, 97):
        before, anew = (Bars(columns=unpack(part(whole, first, end))) for first in (0, end - loaded))
        for side in compiled.sides.values():
            for rule in side.rules:
                rule.check(before)
                rule.check(anew)
        near = 1e-12 * float(before.columns["close"][-1])
        for key, outputs in before.cache.items():
            for name, values in outputs.items():
                value = pytest.approx(values[-1], rel=1e-12, abs=near, nan_ok=True)
                assert anew.cache[key][name][-1] == value, (key, end)


# --- the rule language, on every indicator and on rules that look back in every way

NESTED = (
    "mean(highest(high, 20), 50)",
    "mean(rsi(14), 50)",
    "highest(mean(close, 7)[2], 3 * 4)",
    "lowest(low, 20)[500]",
    "mean(close, 39) - mean(close[1], 39)",
    "crosses_above(ema(9), mean(ema(21), 5))[3]",
    "either(vwap(), mean(close, 39)) / close",
    "abs(close - ema(20)) < 0.5 * atr(14) and not close[1] > close[2]",
    "min(close, sma(50)) - max(open[3], mean(mean(close, 5), 5))",
    "40 < rsi(14)[1] < mean(rsi(7), 9)",
)


def every_rule() -> list[str]:
    named = [f"{spec.id}().{output.name}" for spec in INDICATORS.values() for output in spec.outputs]
    return [*named, *NESTED]


@pytest.mark.parametrize("text", every_rule())
@pytest.mark.parametrize("series", ["daily/SPY_20080101_20180101.csv", "minute/ESTX50_2006_5min.csv"])
def test_the_newest_value_of_a_rule_is_its_value_there_on_a_longer_history(text, series, shared_dir) -> None:
    whole = bars_of(shared_dir, series, 700)
    rule = Rule(text, IndicatorCatalogue())
    everywhere = rule.series(Bars(columns=unpack(whole)))
    for end in (rule.warmup, rule.warmup + 1, 520, 613, 700):
        newest = rule.value(Bars(columns=unpack(part(whole, 0, end))))
        assert np.array_equal([newest], everywhere[end - 1 : end], equal_nan=True), end


@pytest.mark.parametrize("text", NESTED)
def test_a_rule_is_known_as_soon_as_its_warm_up_is_over_and_not_before(text, shared_dir) -> None:
    whole = bars_of(shared_dir, "daily/SPY_20080101_20180101.csv", 700)
    rule = Rule(text, IndicatorCatalogue())
    known = np.isfinite(rule.series(Bars(columns=unpack(whole))))
    assert known[rule.warmup - 1 :].all()
    if "either" not in text:
        assert not known[: rule.warmup - 1].any()


@given(length=st.integers(1, 60), rows=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_a_mean_is_the_same_number_however_many_bars_stand_around_it(length: int, rows: int, seed: int) -> None:
    close = np.random.default_rng(seed).lognormal(4, 0.2, length + rows)
    rule = Rule(f"mean(close, {length})", IndicatorCatalogue())
    assert rule.value(Bars(columns={"close": close})) == rule.series(Bars(columns={"close": close}))[-1]
    assert rule.value(Bars(columns={"close": close[-length:]})) == rule.value(Bars(columns={"close": close}))


@pytest.mark.parametrize(
    "length", ["rsi(14)", "close", "0", "-3", "2.5", "1 / 0", "5001", "RSV20", "highest(close, 3)", "1e400"]
)
def test_a_window_that_moves_with_the_bars_or_is_no_number_of_bars_is_refused(length: str) -> None:
    with pytest.raises(RuleError, match=r"whole number of bars, 1\.\.5000|cannot be computed|newest bar alone"):
        Rule(f"close > highest(high, {length})", IndicatorCatalogue(), frozenset({"RSV20"}))


def test_a_long_window_of_arithmetic_is_read_as_its_result() -> None:
    rule = Rule("mean(close, 2 * 10 + 1)", IndicatorCatalogue())
    assert (rule.warmup, rule.reach) == (21, 20)


def test_every_indicator_is_asked_for_here() -> None:
    assert {spec.kind for spec in INDICATORS.values()} == {Kind.OVERLAY, Kind.PANE}
    assert len(every_rule()) > len(INDICATORS)
