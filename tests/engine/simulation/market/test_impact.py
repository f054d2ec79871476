"""The propagator follows its power law, and kept machine code follows its sources."""

import numpy as np
import pytest

from engine.simulation.market import jit
from engine.simulation.market.draws import bits
from engine.simulation.market.impact import TIME_SCALES, WEIGHTS, Propagator


def test_six_exponentials_follow_the_power_law_over_a_session():
    t = np.concatenate(([0.0], np.geomspace(1, 23_400, 500)))
    memory = np.exp(-t[:, None] / TIME_SCALES) @ WEIGHTS
    assert WEIGHTS.sum() == pytest.approx(1.0, abs=1e-4)
    assert np.max(np.abs(memory / (1 + t / 30) ** -0.5 - 1)) < 0.015


def test_shift_is_the_sum_over_all_trades_whatever_their_order():
    trades = [(0, 1e5), (7_500_000_000, -2e5), (600_000_000_000, 3e5)]
    forward, backward = Propagator(0.02, 5e7), Propagator(0.02, 5e7)
    for at, qty in trades:
        forward.add(at, qty)
    for at, qty in reversed(trades):
        backward.add(at, qty)
    grid = np.arange(1000)
    direct = np.zeros(1000)
    for at, qty in trades:
        age = grid - at / 1e9
        memory = np.exp(-np.maximum(age, 0)[:, None] / TIME_SCALES) @ WEIGHTS
        direct += np.where(age > 0, forward.jump_of(qty) * memory, 0.0)
    assert np.allclose(forward.shift(0, 1000), direct, rtol=1e-9, atol=1e-15)
    assert np.allclose(forward.shift(0, 1000), backward.shift(0, 1000), rtol=1e-12)
    assert forward.shift(0, 1)[0] == 0.0


def test_a_trade_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="signed_qty"):
        Propagator(0.02, 5e7).add(0, float("nan"))


def test_kept_code_is_stamped_with_all_sources_of_the_package():
    # Kernels are compiled into their callers: a change in one file must drop the code kept for another.
    assert jit.sources_stamp() in bits._cache._cache_file._source_stamp
