"""Market impact of own trades: a propagator with memory.

A trade of q shares moves the price by `unit · f(q) · K(t)` standard deviations of the day, K a sum of six exponentials
fitted to (1 + t / 30 s)^-1/2 (Bouchaud et al. 2004). f is linear up to a quarter percent of the average daily volume
and grows like a square root beyond. The memory ends with the session.
"""

import math

import numpy as np

from engine.simulation.market.columns import Floats, Ints
from engine.simulation.market.jit import kernel

TIME_SCALES = np.array([25.0, 125.0, 625.0, 3125.0, 15_625.0, 78_125.0])
"""Time scales of the six exponentials, s."""
WEIGHTS = np.array([0.29567, 0.35395, 0.18935, 0.08998, 0.03268, 0.03837])
"""Their weights: the least-squares fit, within 1.1 % of the power law over a session; they sum to 1, so K(0) = 1."""
BLOCK = 0.0025
"""Share of the average daily volume up to which impact is linear."""
UNIT = 35.0
"""Daily standard deviations per average daily volume traded in an instant; with the kernel this is 0.8 σ √(Q/V) for an
order worked at a tenth of the volume."""


def concave(share: float) -> float:
    """f: a traded share of the daily volume, signed, after the block discount."""
    size = abs(share)
    if size > BLOCK:
        size = 2.0 * math.sqrt(size * BLOCK) - BLOCK
    return math.copysign(size, share)


@kernel
def fill_shift(times: Ints, sizes: Floats, scales: Floats, weights: Floats, out: Floats) -> None:
    """Fill `out` with the shift at 0, 1, 2 … s; `times` (ns, sorted) may be negative."""
    state = np.zeros(scales.shape[0])
    decay = np.exp(-1.0 / scales)
    at = 0
    for second in range(out.shape[0]):
        now = second * 1_000_000_000
        if second > 0:
            state *= decay
        while at < times.shape[0] and times[at] < now:
            state += sizes[at] * weights * np.exp((times[at] - now) / 1e9 / scales)
            at += 1
        out[second] = np.sum(state)


class Propagator:
    """What own trades in one symbol and session still do to its price."""

    def __init__(self, sigma: float, adv: float) -> None:
        self._scale = UNIT * sigma
        self._adv = adv
        self._times: list[int] = []
        self._sizes: list[float] = []

    @property
    def count(self) -> int:
        """Own trades remembered."""
        return len(self._times)

    def add(self, ts_ns: int, signed_qty: float) -> None:
        """Remember a trade; buys are positive."""
        if not math.isfinite(signed_qty):
            raise ValueError(f"signed_qty: {signed_qty!r} is not a number of shares")
        self._times.append(ts_ns)
        self._sizes.append(concave(signed_qty / self._adv))

    def jump_of(self, signed_qty: float) -> float:
        """Relative price move a trade would cause at once."""
        return self._scale * concave(signed_qty / self._adv)

    def shift(self, start_ns: int, seconds: int) -> Floats:
        """Relative price shift at `start_ns` and every second after it; a trade acts after its own time, not at it."""
        order = np.argsort(np.array(self._times, dtype=np.int64), kind="stable")
        times = np.array(self._times, dtype=np.int64)[order] - start_ns
        out = np.zeros(seconds)
        fill_shift(times, self._scale * np.array(self._sizes)[order], TIME_SCALES, WEIGHTS, out)
        return out
