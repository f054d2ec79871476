"""Which symbols move together: exponentially weighted correlation, shrunk, and the clusters it makes.

Sources: RiskMetrics (1996) for the weights; Ledoit and Wolf (2004), "A well-conditioned estimator", for the shrinkage.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.features.jit import Array, Ints

SPAN: Final = 60
LEAST: Final = 30
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """A shrunk correlation of returns."""

    matrix: Array
    """(symbols, symbols); rows and columns of unknown symbols are NaN."""
    volatility: Array
    """(symbols,): exponentially weighted standard deviation of a return, mean taken as 0; NaN where unknown."""
    known: NDArray[np.bool_]
    """Symbols with enough returns, the newest among them, and some movement."""
    shrinkage: float
    """Share of the identity in the matrix, 0 .. 1."""


def ewma_weights(count: int, span: float = SPAN) -> Array:
    """Return weights of `count` moments, newest last, sum 1: decay 1 - 2/(span + 1) a moment."""
    if count < 1 or not span >= 1:
        raise ValueError(f"count and span must be at least 1, not {count} and {span}")
    weights: Array = (1.0 - 2.0 / (span + 1.0)) ** np.arange(count - 1, -1, -1, dtype=np.float64)
    weights /= weights.sum()
    return weights


def correlate(returns: Array, span: float = SPAN, least: int = LEAST) -> Correlation:
    """Estimate the correlation of (moments, symbols) returns, newest last; NaN or infinite marks a missing return.

    Returns are scaled by each symbol's own weighted volatility; a missing return then counts as 0, which pulls its
    correlations to 0. A symbol with fewer than `least` returns, none at the newest moment, or no movement is unknown.
    """
    returns = np.asarray(returns, dtype=np.float64)
    if returns.ndim != 2 or returns.shape[0] < 1:
        raise ValueError(f"returns must be (moments, symbols) with at least one moment, not {returns.shape}")
    present = np.isfinite(returns)
    weights = ewma_weights(returns.shape[0], span)
    filled = np.where(present, returns, 0.0)
    mass = weights @ present
    with np.errstate(divide="ignore", invalid="ignore"):
        volatility = np.sqrt((weights @ filled**2) / mass)
    known = (present.sum(axis=0) >= least) & present[-1] & (volatility > 1e-12)
    matrix = np.full((returns.shape[1], returns.shape[1]), np.nan)
    shrinkage = 0.0
    if known.any():
        scaled = filled[:, known] / volatility[known]
        raw, shrinkage = ledoit_wolf(scaled, weights)
        size = np.sqrt(np.diag(raw))
        matrix[np.ix_(known, known)] = raw / np.outer(size, size)
        matrix[known, known] = 1.0
    return Correlation(
        matrix=matrix, volatility=np.where(known, volatility, np.nan), known=known, shrinkage=float(shrinkage)
    )


def ledoit_wolf(x: Array, weights: Array | None = None) -> tuple[Array, float]:
    """Return the covariance of (moments, symbols) about 0, shrunk to mean variance x identity, and the share of that.

    Weights must sum to 1; equal ones give the estimator of the paper.
    """
    count, size = x.shape
    w = np.full(count, 1.0 / count) if weights is None else weights
    sample = (x * w[:, None]).T @ x
    level = float(np.trace(sample)) / size
    target = level * np.eye(size)
    spread = float(np.sum((sample - target) ** 2))
    if spread <= 0.0:
        return sample, 0.0
    # sum of w^2 * |x x' - S|^2, expanded so that no (moments, symbols, symbols) array is made
    norms = np.einsum("ij,ij->i", x, x)
    cross = np.einsum("ij,ij->i", x @ sample, x)
    noise = float(np.sum(w**2 * (norms**2 - 2.0 * cross + np.sum(sample**2))))
    share = min(max(noise / spread, 0.0), 1.0)
    return share * target + (1.0 - share) * sample, share


def clusters(matrix: Array, threshold: float = 0.7) -> Ints:
    """Return a cluster number per symbol: two symbols share one when a chain of correlations > threshold joins them.

    This is single linkage cut at the threshold. Numbers count up from 0 in order of first member; a symbol whose own
    correlation is NaN is -1 (unknown): who limits clusters must not read that as independent.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a correlation matrix must be square, not {matrix.shape}")
    if not -1.0 <= threshold <= 1.0:
        raise ValueError(f"threshold must lie inside -1 .. 1, not {threshold}")
    near = matrix > threshold
    near |= near.T
    labels = np.full(matrix.shape[0], UNKNOWN, dtype=np.int64)
    unseen = ~np.isnan(np.diag(matrix))
    number = 0
    for seed in range(labels.size):
        if not unseen[seed]:
            continue
        members = np.zeros(labels.size, dtype=np.bool_)
        edge = members.copy()
        edge[seed] = True
        while edge.any():
            members |= edge
            unseen &= ~edge
            edge = near[edge].any(axis=0) & unseen
        labels[members] = number
        number += 1
    return labels
