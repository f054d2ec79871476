"""Ranks inside a universe, robust z against one's own past, and what a universe can prove."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.features.cross_section import (
    Z_LIMIT,
    Scale,
    detectability,
    detectable_ic,
    normalise,
    robust_z,
)

values = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0, np.nan]))


@given(
    x=hnp.arrays(np.float64, (40, 3), elements=values),
    stale=hnp.arrays(np.bool_, 40, elements=st.sampled_from([False, False, False, False, True])),
)
def test_a_rank_is_that_of_pandas_among_fresh_symbols_and_inside_the_open_half_interval(
    x: np.ndarray, stale: np.ndarray
) -> None:
    if (~stale).sum() < 30:
        return
    result = normalise(x, ~stale)
    assert result.scale is Scale.RANK
    frame = pd.DataFrame(x).mask(np.repeat(stale[:, None], 3, axis=1))
    expected = (frame.rank() - 0.5) / frame.count() - 0.5
    np.testing.assert_allclose(result.values, expected.to_numpy(), atol=1e-12)
    assert np.isnan(result.values[stale]).all()
    assert (np.abs(result.values[~np.isnan(result.values)]) < 0.5).all()


def test_a_rank_only_asks_for_order() -> None:
    x = np.random.default_rng(1).standard_normal((50, 4))
    fresh = np.ones(50, dtype=bool)
    assert normalise(x, fresh).values.tobytes() == normalise(np.exp(3 * x), fresh).values.tobytes()


def test_twenty_nine_fresh_symbols_make_no_cross_section() -> None:
    rng = np.random.default_rng(2)
    past = rng.standard_normal((40, 252, 5))
    fresh = np.arange(40) < 29
    result = normalise(past[:, -1], fresh, past)
    assert result.scale is Scale.OWN_PAST
    assert np.isfinite(result.values[:29]).all()
    assert np.isnan(result.values[29:]).all()
    assert normalise(past[:, -1], np.arange(40) < 30, past).scale is Scale.RANK


def test_a_small_universe_without_a_past_gives_nothing() -> None:
    result = normalise(np.ones((3, 2)), np.ones(3, dtype=bool))
    assert result.scale is Scale.OWN_PAST
    assert np.isnan(result.values).all()


def test_a_past_that_does_not_end_now_is_refused() -> None:
    past = np.random.default_rng(3).standard_normal((3, 100, 2))
    with pytest.raises(ValueError, match="last moment of past"):
        normalise(past[:, -1] + 1.0, np.ones(3, dtype=bool), past)
    with pytest.raises(ValueError, match="past must be"):
        normalise(past[:, -1], np.ones(3, dtype=bool), past[:, :, :1])
    with pytest.raises(ValueError, match="one flag each"):
        normalise(past[:, -1], np.ones(2, dtype=bool))


@given(x=hnp.arrays(np.float64, (70, 2), elements=values), width=st.integers(5, 40))
def test_a_robust_z_is_median_and_mad_of_the_window(x: np.ndarray, width: int) -> None:
    ours = robust_z(x, width=width, least=5)
    for t in range(70):
        for f in range(2):
            window = x[max(0, t + 1 - width) : t + 1, f]
            window = window[~np.isnan(window)]
            if math.isnan(x[t, f]) or window.size < 5:
                assert math.isnan(ours[t, f])
                continue
            off = x[t, f] - np.median(window)
            mad = np.median(np.abs(window - np.median(window)))
            if mad > 1e-300:
                z = off / 1.4826 / mad
            elif off == 0:
                z = 0.0
            else:
                z = math.copysign(Z_LIMIT, off)
            assert ours[t, f] == pytest.approx(min(Z_LIMIT, max(-Z_LIMIT, z)), rel=1e-6, abs=1e-9)


def test_a_robust_z_does_not_see_the_future() -> None:
    x = np.random.default_rng(4).standard_normal((400, 3))
    assert robust_z(x)[:300].tobytes() == robust_z(x[:300]).tobytes()


def test_a_robust_z_of_the_last_window_is_that_of_the_whole_history() -> None:
    x = np.random.default_rng(5).standard_normal((700, 3))
    assert robust_z(x)[-1].tobytes() == robust_z(x[-252:])[-1].tobytes()


@pytest.mark.parametrize(
    ("symbols", "periods", "ic"), [(500, 600, 0.007), (100, 600, 0.016), (30, 600, 0.029), (10, 600, 0.050)]
)
def test_what_a_universe_can_prove(symbols: int, periods: int, ic: float) -> None:
    assert round(detectable_ic(symbols, periods), 3) == ic


def test_ten_symbols_are_told_that_their_edge_may_stay_unproven() -> None:
    assert "unproven" in detectability(10, 600)
    assert "0.050" in detectability(10, 600)
    assert "unproven" not in detectability(500, 600)
    with pytest.raises(ValueError, match="at least 1"):
        detectable_ic(0, 5)
