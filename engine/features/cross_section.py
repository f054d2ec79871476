"""From raw features to comparable ones: ranks inside the universe, or, for a small one, each symbol's own past."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.features.jit import Array, kernel, part, plain

SMALLEST_UNIVERSE: Final = 30
PAST: Final = 252
ENOUGH_PAST: Final = 60
Z_LIMIT: Final = 8.0
CERTAINTY: Final = 3.84
"""z for t >= 3 (3.0) plus z for 80 % power (0.84)."""

MAD_TO_SD: Final = 1.4826


class Scale(StrEnum):
    """How features were made comparable."""

    RANK = "rank"
    OWN_PAST = "own_past"


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """Comparable features of one moment."""

    values: Array
    """(symbols, features); a stale symbol and a missing value are NaN."""
    scale: Scale
    used: NDArray[np.bool_]
    """Which symbols took part."""


def normalise(features: Array, fresh: NDArray[np.bool_], past: Array | None = None) -> Normalised:
    """Make one moment's features comparable. Stale symbols take no part and get NaN.

    With at least 30 fresh symbols: rank inside the universe, (-0.5, 0.5), ties share their mean. With fewer: robust z
    against `past`, (symbols, up to 252 moments, features) ending at this moment; without `past` all is NaN.
    """
    features = plain(features)
    used = np.ascontiguousarray(fresh, dtype=np.bool_)
    if features.ndim != 2 or used.shape != features.shape[:1]:
        raise ValueError(f"features must be (symbols, features) with one flag each, not {features.shape}, {used.shape}")
    out = np.full(features.shape, np.nan)
    if int(used.sum()) >= SMALLEST_UNIVERSE:
        rank_columns(features, used, out)
        return Normalised(values=out, scale=Scale.RANK, used=used)
    if past is not None:
        past = plain(past)
        if past.ndim != 3 or (past.shape[0], past.shape[2]) != features.shape:
            raise ValueError(f"past must be (symbols, moments, features) for {features.shape}, not {past.shape}")
        for row in np.flatnonzero(used):
            if past.shape[1] and np.array_equal(past[row, -1], features[row], equal_nan=True):
                out[row] = robust_z(past[row, -PAST:])[-1]
            else:
                raise ValueError(f"the last moment of past is not the one to scale (symbol row {row})")
    return Normalised(values=out, scale=Scale.OWN_PAST, used=used)


def robust_z(values: Array, width: int = PAST, least: int = ENOUGH_PAST) -> Array:
    """Return (moments, features): distance from the rolling median in rolling MADs (scaled to a standard deviation).

    Row t sees the rows up to t, at most `width`; NaN rows are skipped; fewer than `least` values give NaN. Held inside
    +-8; where the MAD is 0 a value off the median is +-8.
    """
    values = plain(values)
    if values.ndim != 2:
        raise ValueError(f"values must be (moments, features), not {values.shape}")
    if not 1 <= least <= width:
        raise ValueError(f"least must lie inside 1 .. {width}, not {least}")
    out = np.empty(values.shape)
    _robust_z(values, width, least, out)
    return out


@kernel
def rank_columns(x: Array, used: NDArray[np.bool_], out: Array) -> None:
    """Write (rank - 0.5)/n - 0.5 per column over the used, non-NaN rows; others are left as they are."""
    rows = np.empty(x.shape[0], dtype=np.int64)
    column = np.empty(x.shape[0])
    for f in range(x.shape[1]):
        n = 0
        for i in range(x.shape[0]):
            if used[i] and not math.isnan(x[i, f]):
                rows[n] = i
                column[n] = x[i, f]
                n += 1
        order = np.argsort(column[:n])
        a = 0
        while a < n:
            b = a + 1
            while b < n and column[order[b]] == column[order[a]]:
                b += 1
            place = 0.5 * (a + b) / n - 0.5
            for j in range(a, b):
                out[rows[order[j]], f] = place
            a = b


@part
def _search(ordered: Array, n: int, x: float) -> int:
    low = 0
    high = n
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _nearest(ordered: Array, n: int, centre: float, k: int) -> float:
    """The k-th (from 0) smallest distance from a centre, walking outward from it."""
    right = _search(ordered, n, centre)
    left = right - 1
    distance = 0.0
    for _ in range(k + 1):
        if left < 0 or (right < n and ordered[right] - centre < centre - ordered[left]):
            distance = ordered[right] - centre
            right += 1
        else:
            distance = centre - ordered[left]
            left -= 1
    return distance


@kernel
def _robust_z(x: Array, width: int, least: int, out: Array) -> None:
    ordered = np.empty(width + 1)
    for f in range(x.shape[1]):
        n = 0
        for t in range(x.shape[0]):
            if t >= width and not math.isnan(x[t - width, f]):
                at = _search(ordered, n, x[t - width, f])
                for j in range(at, n - 1):
                    ordered[j] = ordered[j + 1]
                n -= 1
            value = x[t, f]
            out[t, f] = np.nan
            if math.isnan(value):
                continue
            j = n
            while j > 0 and ordered[j - 1] > value:
                ordered[j] = ordered[j - 1]
                j -= 1
            ordered[j] = value
            n += 1
            if n < least:
                continue
            half = n // 2
            if n % 2:
                median = ordered[half]
                mad = _nearest(ordered, n, median, half)
            else:
                median = 0.5 * ordered[half - 1] + 0.5 * ordered[half]
                mad = 0.5 * _nearest(ordered, n, median, half - 1) + 0.5 * _nearest(ordered, n, median, half)
            off = value - median
            if mad > 0.0:
                out[t, f] = min(Z_LIMIT, max(-Z_LIMIT, off / (MAD_TO_SD * mad)))
            elif off == 0.0:
                out[t, f] = 0.0
            else:
                out[t, f] = Z_LIMIT if off > 0.0 else -Z_LIMIT


def detectable_ic(symbols: int, periods: int) -> float:
    """Return the smallest information coefficient that data of this size can prove: 3.84 / sqrt(N T).

    For t >= 3 with 80 % power; the spread of the IC without any edge is 1 / sqrt(N T).
    """
    if symbols < 1 or periods < 1:
        raise ValueError(f"symbols and periods must be at least 1, not {symbols} and {periods}")
    return CERTAINTY / math.sqrt(symbols * periods)


def detectability(symbols: int, periods: int) -> str:
    """Say in a sentence what this universe can prove."""
    ic = detectable_ic(symbols, periods)
    head = f"{symbols} symbols over {periods} periods can prove an edge with an IC of {ic:.3f} or more"
    if ic > 0.04:
        return f"{head}; good models on real markets reach about 0.05, so a real edge may well stay unproven here."
    return f"{head}."
