"""Room to grow for the lines over the bars, so that a tick writes one number instead of copying a column."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from widgets.candle_chart.layers import IndicatorPane, LineLayer


class LineStore:
    """Own copies of line values, by name; layers handed out are views of them."""

    def __init__(self) -> None:
        self._buffers: dict[str, np.ndarray] = {}
        self._size = 0

    def adopt(self, layers: Iterable[LineLayer], size: int) -> tuple[LineLayer, ...]:
        """Copy layers for `size` bars; a short one ends in NaN, a longer one is refused."""
        self._size = size
        adopted = []
        for layer in layers:
            if len(layer.values) > size:
                raise ValueError(f"line {layer.name!r}: {len(layer.values)} values for {size} bars")
            buffer = np.full(size + size // 8 + 64, np.nan)
            buffer[: len(layer.values)] = layer.values
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
            if dropped:
                buffer[:-dropped] = buffer[dropped:].copy()
                buffer[-dropped:] = np.nan
            if size > len(buffer):
                grown = np.full(size + size // 2 + 64, np.nan)
                grown[: len(buffer)] = buffer
                self._buffers[name] = grown

    def write(self, values: Mapping[str, float]) -> None:
        """Write the values of the last bar; unknown names are refused."""
        for name, value in values.items():
            if name not in self._buffers:
                raise KeyError(f"no line {name!r} on this chart; there are {sorted(self._buffers)}")
            self._buffers[name][self._size - 1] = value

    def view(self, layer: LineLayer) -> LineLayer:
        """Return a layer over the current columns."""
        return replace(layer, values=self._buffers[layer.name][: self._size])

    def view_pane(self, pane: IndicatorPane) -> IndicatorPane:
        """Return a pane over the current columns."""
        histogram = self.view(pane.histogram) if pane.histogram is not None else None
        return replace(pane, lines=tuple(self.view(layer) for layer in pane.lines), histogram=histogram)
