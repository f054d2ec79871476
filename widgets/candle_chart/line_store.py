"""Room to grow for the lines over the bars, so that a tick writes one number instead of copying a column."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from widgets.candle_chart.layers import IndicatorPane, LineLayer


class LineStore:
    """Line values by name, read where they stand until one is written; layers handed out are views of them."""

    def __init__(self) -> None:
        self._buffers: dict[str, np.ndarray] = {}
        self._borrowed: set[str] = set()
        self._size = 0

    def adopt(self, layers: Iterable[LineLayer], size: int) -> tuple[LineLayer, ...]:
        """Take layers for `size` bars; a short one ends in NaN, a longer one is refused."""
        self._size = size
        adopted = []
        for layer in layers:
            if len(layer.values) > size:
                raise ValueError(f"line {layer.name!r}: {len(layer.values)} values for {size} bars")
            values = np.asarray(layer.values, np.float64)
            if len(values) == size:
                buffer = values
                self._borrowed.add(layer.name)
            else:
                buffer = _roomy(values, size + size // 8 + 64)
                self._borrowed.discard(layer.name)
            self._buffers[layer.name] = buffer
            adopted.append(replace(layer, values=buffer[:size]))
        return tuple(adopted)

    def adopt_panes(self, panes: Iterable[IndicatorPane], size: int) -> tuple[IndicatorPane, ...]:
        """Copy the lines of panes."""
        adopted = []
        for pane in panes:
            histogram = self.adopt((pane.histogram,), size)[0] if pane.histogram is not None else None
            adopted.append(replace(pane, lines=self.adopt(pane.lines, size), histogram=histogram))
        return tuple(adopted)

    def resize(self, size: int, dropped: int) -> None:
        """Follow the bars: `dropped` fell off the front, then the column has `size` values."""
        self._size = size
        for name, buffer in self._buffers.items():
            if dropped or size > len(buffer):
                self._buffers[name] = _roomy(buffer[dropped:], max(len(buffer), size + size // 2 + 64))
                self._borrowed.discard(name)

    def write(self, values: Mapping[str, float]) -> bool:
        """Write the values of the last bar; unknown names are refused. True: a column moved, take new views."""
        moved = False
        for name, value in values.items():
            if name not in self._buffers:
                raise KeyError(f"no line {name!r} on this chart; there are {sorted(self._buffers)}")
            if name in self._borrowed:
                self._borrowed.remove(name)
                self._buffers[name] = _roomy(self._buffers[name], self._size + self._size // 8 + 64)
                moved = True
            self._buffers[name][self._size - 1] = value
        return moved

    def view(self, layer: LineLayer) -> LineLayer:
        """Return a layer over the current columns."""
        return replace(layer, values=self._buffers[layer.name][: self._size])

    def view_pane(self, pane: IndicatorPane) -> IndicatorPane:
        """Return a pane over the current columns."""
        histogram = self.view(pane.histogram) if pane.histogram is not None else None
        return replace(pane, lines=tuple(self.view(layer) for layer in pane.lines), histogram=histogram)


def _roomy(values: np.ndarray, capacity: int) -> np.ndarray:
    """Copy values into a column with room behind them; what is not known is NaN."""
    column = np.empty(capacity)
    column[: len(values)] = values
    column[len(values) :] = np.nan
    return column
