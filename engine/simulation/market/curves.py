"""The shape of a trading day: where volume and volatility fall."""

from functools import cache

import numpy as np

from engine.simulation.market.columns import Floats


@cache
def volume_curve(slots: int) -> Floats:
    """Share of the day's volume in each slot: a U with the two auctions at its ends; sums to 1."""
    x = (np.arange(slots) + 0.5) / slots
    curve = 0.62 + 2.0 * np.exp(-x / 0.055) + 0.55 * np.exp(-x / 0.25) + 1.5 * np.exp(-(1.0 - x) / 0.09)
    curve[-1] *= 1.6  # closing auction
    return _frozen(curve / curve.sum())


@cache
def variance_curve(slots: int) -> Floats:
    """Share of the session's variance in each slot: high after the open, low at noon, a little up at the close."""
    x = (np.arange(slots) + 0.5) / slots
    volatility = 0.78 + 1.25 * np.exp(-x / 0.08) + 0.28 * np.exp(-(1.0 - x) / 0.10)
    return _frozen(volatility**2 / np.sum(volatility**2))


def _frozen(array: Floats) -> Floats:
    array.setflags(write=False)
    return array
