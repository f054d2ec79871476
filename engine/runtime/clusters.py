"""Which symbols move together, computed once a day from daily closes: the gate's view of correlated risk (G14)."""

import numpy as np

from engine.bus.bus import Bus
from engine.features.correlation import clusters, correlate
from engine.market.bars import BarStore
from engine.model.events.market import BarClosed
from engine.model.ids import Symbol

DAY_S = 86_400
DAYS = 120
LEAST = 30
THRESHOLD = 0.8


class ClusterBook:
    """Clusters of the universe at ρ > 0.8 (EWMA-60 correlation, Ledoit-Wolf); unknown symbols stand alone."""

    def __init__(self, bus: Bus, bars: BarStore) -> None:
        self._bars = bars
        self._of: dict[Symbol, frozenset[Symbol]] = {}
        self._date = -1
        bus.subscribe(BarClosed, self._on_bar, owner="clusters")

    def cluster(self, symbol: Symbol) -> frozenset[Symbol]:
        """Symbols correlated with ``symbol``, itself included; only itself when unknown."""
        return self._of.get(symbol, frozenset((symbol,)))

    def compute(self, symbols: tuple[Symbol, ...]) -> int:
        """Group ``symbols`` by their last daily returns; return how many could be compared."""
        columns: dict[Symbol, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
        for symbol in symbols:
            found = self._bars.arrays(symbol, DAY_S, DAYS + 1)
            if found is not None and found.size > LEAST:
                columns[symbol] = np.diff(np.log(found.close))
        if len(columns) < 2:
            return 0
        length = min(column.size for column in columns.values())
        returns = np.column_stack([column[-length:] for column in columns.values()])
        labels = clusters(correlate(returns).matrix, threshold=THRESHOLD)
        names = list(columns)
        groups: dict[int, list[Symbol]] = {}
        for name, label in zip(names, labels.tolist(), strict=True):
            groups.setdefault(label, []).append(name)
        self._of = {
            name: frozenset(members) if label >= 0 else frozenset((name,))
            for label, members in groups.items()
            for name in members
        }
        return len(names)

    def _on_bar(self, event: BarClosed) -> None:
        if event.seconds == DAY_S and event.ts_open != self._date:
            self._date = event.ts_open
            self.compute(tuple(self._of))
