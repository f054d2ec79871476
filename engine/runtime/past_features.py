"""The feature vector of bars that are over: by the kernel that computes the newest one."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.features.engine import NAMES, market_index
from engine.features.names import WINDOW
from engine.features.window import WindowStore
from engine.model.market import BarColumns

_PLACES = {name: place for place, name in enumerate(NAMES)}


class PastFeatures:
    """Vectors of any bar of the history given; the market is the mean of its symbols, as it is live."""

    def __init__(self, history: Iterable[BarColumns]) -> None:
        """``history`` is that of the whole universe, also where few symbols are asked about."""
        self._index = market_index([(_stamps(c), np.frombuffer(c.close, np.float64)) for c in history])
        self._store = WindowStore(1)

    def __call__(
        self, columns: BarColumns, at: NDArray[np.int64], names: frozenset[str]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Return columns as long as the bars: the features at those places, NaN elsewhere."""
        stamps = _stamps(columns)
        parts = [
            np.frombuffer(getattr(columns, name), np.float64) for name in ("open", "high", "low", "close", "volume")
        ]
        if self._index is None:
            parts.append(np.full(stamps.size, np.nan))
        else:
            places = np.searchsorted(self._index[0], stamps).clip(max=self._index[0].size - 1)
            parts.append(self._index[1][places])
        found = {name: np.full(stamps.size, np.nan) for name in sorted(names)}
        for place in at.tolist():
            window = slice(max(0, place + 1 - WINDOW), place + 1)
            self._store.load(0, stamps[window], [part[window] for part in parts])
            vector = self._store.features()[0]
            for name, column in found.items():
                column[place] = vector[_PLACES[name]]
        return found


def _stamps(columns: BarColumns) -> NDArray[np.int64]:
    return np.frombuffer(columns.ts_open, np.int64)
