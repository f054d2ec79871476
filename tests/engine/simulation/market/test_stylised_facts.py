"""The market looks like a market: every row of the table of stylised facts."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

_spec = importlib.util.spec_from_file_location("simulated_market_facts", Path(__file__).with_name("facts.py"))
facts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(facts)

QUICK_SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def quick_daily():
    return [facts.daily_facts(seed) for seed in QUICK_SEEDS]


@pytest.fixture(scope="module")
def quick_tape():
    return [facts.tape_facts(seed, days=2) for seed in QUICK_SEEDS]


@pytest.mark.parametrize("name", facts.RULES)
def test_daily_fact_holds_in_the_mean_of_some_seeds(quick_daily, name):
    low, high = facts.RULES[name]
    assert low <= np.mean([row[name] for row in quick_daily]) <= high


@pytest.mark.parametrize("name", facts.TAPE_RULES)
def test_tape_fact_holds_in_the_mean_of_some_seeds(quick_tape, name):
    low, high = facts.TAPE_RULES[name]
    assert low <= np.mean([row[name] for row in quick_tape]) <= high


def test_the_median_spread_is_one_to_five_ticks_by_liquidity(make_market):
    market = make_market(symbols=None)
    spreads = []
    for day in range(-60, 0, 6):
        quotes = market.quotes(day, 3600, 20_000)
        spreads.append(np.round((quotes.ask - quotes.bid)[:, ::60] / 0.01))
    median = np.median(np.concatenate(spreads, axis=1), axis=1)
    usual = np.array([instrument.spread_ticks for instrument in market.instruments])
    assert set(usual) == {1, 2, 3, 4, 5}
    assert np.corrcoef(median, usual)[0, 1] > 0.8
    assert median.min() >= 1
    assert np.quantile(median, 0.9) <= 5


@pytest.mark.long
def test_nine_seeds_of_ten_keep_every_daily_fact():
    rows = [facts.daily_facts(seed) for seed in range(1, 41)]
    for name, (low, high) in facts.RULES.items():
        inside = np.mean([low <= row[name] <= high for row in rows])
        assert inside >= 0.9, (name, inside)
    assert np.median([row["market skew"] for row in rows]) < 0


@pytest.mark.long
def test_nine_seeds_of_ten_keep_every_tape_fact():
    rows = [facts.tape_facts(seed) for seed in range(1, 41)]
    for name, (low, high) in facts.TAPE_RULES.items():
        inside = np.mean([low <= row[name] <= high for row in rows])
        assert inside >= 0.9, (name, inside)
