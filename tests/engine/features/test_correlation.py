"""Correlation that shrinks when it knows little, and clusters that chain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from engine.features.correlation import UNKNOWN, clusters, correlate, ewma_weights, ledoit_wolf


def plain_ledoit_wolf(x: np.ndarray) -> tuple[np.ndarray, float]:
    """The paper's estimator written with one outer product a moment."""
    n, p = x.shape
    s = sum(np.outer(row, row) for row in x) / n
    m = np.trace(s) / p
    d2 = np.linalg.norm(s - m * np.eye(p)) ** 2 / p
    b2 = min(sum(np.linalg.norm(np.outer(row, row) - s) ** 2 / p for row in x) / n**2, d2)
    return b2 / d2 * m * np.eye(p) + (1 - b2 / d2) * s, b2 / d2


@pytest.mark.parametrize(("count", "size"), [(30, 5), (60, 40), (500, 10)])
def test_the_shrinkage_is_that_of_the_paper(count: int, size: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((count, size)) @ rng.standard_normal((size, size))
    ours, share = ledoit_wolf(x)
    theirs, other = plain_ledoit_wolf(x)
    assert share == pytest.approx(other, rel=1e-9)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_weights_halve_as_a_span_of_60_says_and_sum_to_one() -> None:
    weights = ewma_weights(200)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[-2] / weights[-1] == pytest.approx(59 / 61)


def test_a_common_factor_is_found_and_little_data_shrinks_more() -> None:
    rng = np.random.default_rng(2)
    factor = rng.standard_normal((400, 1))
    returns = 0.01 * (factor + 0.5 * rng.standard_normal((400, 20)))
    long, short = correlate(returns), correlate(returns[-35:])
    off = long.matrix[np.triu_indices(20, 1)]
    assert 0.6 < off.mean() < 0.85  # true 0.8
    assert short.shrinkage > long.shrinkage > 0.0
    assert np.linalg.eigvalsh(long.matrix).min() > 0.0
    assert long.volatility == pytest.approx(np.full(20, 0.0112), rel=0.4)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 80), size=st.integers(1, 12))
def test_a_correlation_is_symmetric_with_ones_and_inside_its_bounds(seed: int, count: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((count, size)) * 10.0 ** rng.integers(-6, 3, size)
    returns[rng.random(returns.shape) < 0.1] = np.nan
    result = correlate(returns)
    known = result.matrix[np.ix_(result.known, result.known)]
    assert np.isfinite(known).all()
    np.testing.assert_allclose(known, known.T, atol=1e-12)
    assert (np.abs(known) <= 1.0 + 1e-12).all()
    assert (np.diag(known) == 1.0).all()
    assert np.isnan(result.matrix[~result.known]).all()


def test_a_symbol_without_recent_or_enough_or_moving_returns_is_unknown() -> None:
    returns = np.random.default_rng(3).standard_normal((100, 5)) * 0.01
    returns[-1, 1] = np.nan
    returns[:75, 2] = np.nan
    returns[:, 3] = 0.0
    returns[10, 4] = np.inf
    result = correlate(returns)
    assert result.known.tolist() == [True, False, False, False, True]
    assert np.isnan(result.volatility).tolist() == [False, True, True, True, False]
    assert clusters(result.matrix).tolist() == [0, UNKNOWN, UNKNOWN, UNKNOWN, 1]


@given(seed=st.integers(0, 10_000), size=st.integers(2, 15), threshold=st.floats(-0.2, 0.9))
def test_clusters_are_those_of_single_linkage(seed: int, size: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.corrcoef(rng.standard_normal((6, size)), rowvar=False)
    ours = clusters(matrix, threshold)
    distance = squareform(1.0 - np.maximum(matrix, matrix.T), checks=False)
    theirs = fcluster(linkage(distance, "single"), 1.0 - threshold, "distance")
    assert [a == b for a in ours for b in ours] == [a == b for a in theirs for b in theirs]


def test_a_chain_of_pairs_is_one_cluster() -> None:
    matrix = np.eye(4)
    matrix[0, 1] = matrix[1, 0] = matrix[1, 2] = matrix[2, 1] = 0.8
    assert clusters(matrix, 0.7).tolist() == [0, 0, 0, 1]
    assert clusters(matrix, 0.8).tolist() == [0, 1, 2, 3]


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        clusters(np.ones((2, 3)))
    with pytest.raises(ValueError, match="threshold"):
        clusters(np.eye(2), 1.5)
    with pytest.raises(ValueError, match="moments, symbols"):
        correlate(np.ones(5))
    with pytest.raises(ValueError, match="at least 1"):
        ewma_weights(0)
