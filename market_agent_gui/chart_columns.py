"""The bars of the chart as columns: history from the engine, older history before it, the forming bar at the end."""

import numpy as np
from numpy.typing import NDArray

from engine.api.frames import BarUpdate

NAMES = ("ts_open", "open", "high", "low", "close", "volume")


class ChartColumns:
    """Bars oldest first; ``ts_open`` in UTC ns, the rest float64."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray] = {}
        self.clear()

    def clear(self) -> None:
        self._columns = {name: np.empty(0, np.int64 if name == "ts_open" else np.float64) for name in NAMES}

    @property
    def stamps(self) -> NDArray[np.int64]:
        return self._columns["ts_open"]

    def values(self) -> tuple[NDArray, ...]:
        """Return every column, in the order in which a chart takes them."""
        return tuple(self._columns.values())

    def take(self, data: dict[str, object], *, older: bool) -> None:
        """Take an answer of GetBars, in place of what is here or before it; bars that are not numbers are left out."""
        columns = {}
        for name in NAMES:
            packed = data.get(name, b"")
            kind = np.int64 if name == "ts_open" else np.float64
            columns[name] = np.frombuffer(packed if isinstance(packed, bytes) else b"", kind)
        if older and self.stamps.size:
            fresh = columns["ts_open"] < self.stamps[0]
            columns = {name: np.concatenate([column[fresh], self._columns[name]]) for name, column in columns.items()}
        good = np.isfinite(columns["open"] + columns["high"] + columns["low"] + columns["close"])
        self._columns = {name: column[good] for name, column in columns.items()}

    def put(self, bar: BarUpdate) -> bool:
        """Take the newest bar; True when it is one more. ValueError for a bar before the last."""
        last = int(self.stamps[-1]) if self.stamps.size else 0
        if bar.ts_open < last:
            raise ValueError(f"the bar of {bar.ts_open} is before the last one, {last}")
        if bar.ts_open > last:
            self._columns = {
                name: np.append(column, np.array([getattr(bar, name)], column.dtype))
                for name, column in self._columns.items()
            }
            return True
        for name, column in self._columns.items():
            if not column.flags.writeable:
                column = self._columns[name] = column.copy()
            column[-1] = getattr(bar, name)
        return False
