"""Charts to compare: ours, the textbook pyqtgraph item, and products that live in an environment of their own.

A back end has `widget`, `painted` (the widget whose paint ends an action), `update()` after the last bar moved and
`view(first, end)`.
"""

import importlib
from typing import Any, Protocol

import numpy as np

WIDTH, HEIGHT = 1200, 700


class Bars:
    """A random walk with three overlay lines; `tick` moves the last close inside the visible range."""

    def __init__(self, count: int, seed: int = 7) -> None:
        rng = np.random.default_rng(seed)
        path = 100.0 * np.exp(np.cumsum(rng.standard_normal((count, 4)).ravel() * 0.0005)).reshape(count, 4)
        self.close = path[:, 3].copy()
        self.open = np.concatenate(([100.0], self.close[:-1]))
        self.high = np.maximum(path.max(axis=1), self.open)
        self.low = np.minimum(path.min(axis=1), self.open)
        self.volume = rng.integers(100, 10_000, count).astype(np.float64)
        self.ts = 1_577_975_400_000_000_000 + np.arange(count, dtype=np.int64) * 60_000_000_000
        self.lines = np.vstack([self._mean(length) for length in (20, 50, 100)])
        self._base = self.close[-1]
        self._ticks = 0

    def _mean(self, length: int) -> np.ndarray:
        total = np.cumsum(np.insert(self.close, 0, 0.0))
        mean = self.close.copy()
        mean[length - 1 :] = (total[length:] - total[:-length]) / length
        return mean

    def __len__(self) -> int:
        return len(self.close)

    def tick(self) -> None:
        """Move the last bar."""
        self._ticks += 1
        price = self._base * (1 + 0.0002 * np.sin(self._ticks * 0.7))
        self.close[-1] = price
        self.high[-1], self.low[-1] = max(self.high[-1], price), min(self.low[-1], price)
        self.volume[-1] += 1
        self.lines[:, -1] += (price - self.lines[:, -1]) * 0.01


class Backend(Protocol):
    """What the benchmark needs of a chart."""

    widget: Any
    painted: Any

    def update(self) -> None: ...
    def view(self, first: float, end: float) -> None: ...


class Ours:
    """The product's chart, without the throttle, so that every action ends in its own repaint."""

    def __init__(self, bars: Bars) -> None:
        chart = importlib.import_module("widgets.candle_chart.chart")
        layers = importlib.import_module("widgets.candle_chart.layers")
        self._bars = bars
        self.widget = self.painted = chart.CandleChart(repaint_ms=0)
        self.widget.set_instrument(layers.ChartInstrument(symbol="X", interval_ns=60_000_000_000))
        self.widget.resize(WIDTH, HEIGHT)
        self.widget.set_bars(bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume)
        names = ("a", "b", "c")
        self.widget.set_overlays(
            tuple(layers.LineLayer(name=n, values=v) for n, v in zip(names, bars.lines, strict=True))
        )
        self.widget.show()

    def update(self) -> None:
        """Feed the last bar as the live feed does."""
        b = self._bars
        last = (float(column[-1]) for column in (b.open, b.high, b.low, b.close, b.volume))
        lines = {"a": b.lines[0, -1], "b": b.lines[1, -1], "c": b.lines[2, -1]}
        self.widget.update_bar(int(b.ts[-1]), *last, lines)

    def view(self, first: float, end: float) -> None:
        """Show bars."""
        self.widget.show_range(first, end)


class NaivePyqtgraph:
    """The textbook candlestick item: one QPicture of every bar, drawn anew on each change."""

    def __init__(self, bars: Bars) -> None:
        pg = importlib.import_module("pyqtgraph")
        core, gui = (importlib.import_module(f"PySide6.{name}") for name in ("QtCore", "QtGui"))

        class Candles(pg.GraphicsObject):
            def __init__(self) -> None:
                super().__init__()
                self.redraw()

            def redraw(self) -> None:
                self.picture = gui.QPicture()
                painter = gui.QPainter(self.picture)
                painter.setPen(pg.mkPen("w"))
                up, down, half = pg.mkBrush("g"), pg.mkBrush("r"), 1 / 3.0
                for i in range(len(bars)):
                    painter.drawLine(core.QPointF(i, bars.low[i]), core.QPointF(i, bars.high[i]))
                    painter.setBrush(down if bars.open[i] > bars.close[i] else up)
                    body = core.QRectF(i - half, bars.open[i], 2 * half, bars.close[i] - bars.open[i])
                    painter.drawRect(body)
                painter.end()

            def paint(self, painter: Any, *_: Any) -> None:
                painter.drawPicture(0, 0, self.picture)

            def boundingRect(self) -> Any:
                return core.QRectF(self.picture.boundingRect())

        self._bars = bars
        self.widget = pg.GraphicsLayoutWidget()
        self.widget.resize(WIDTH, HEIGHT)
        self._prices = self.widget.addPlot(row=0, col=0)
        self._volumes = self.widget.addPlot(row=1, col=0)
        self._volumes.setXLink(self._prices)
        self.widget.ci.layout.setRowStretchFactor(0, 3)
        self._candles = Candles()
        self._prices.addItem(self._candles)
        self._x = np.arange(len(bars))
        self._curves = [self._prices.plot(self._x, y, pen=c) for y, c in zip(bars.lines, "ycm", strict=True)]
        self._volume = pg.BarGraphItem(x=self._x, height=bars.volume, width=0.6, brush="b", pen=None)
        self._volumes.addItem(self._volume)
        self.widget.show()
        self.painted = self.widget.viewport()

    def update(self) -> None:
        """Draw the picture anew, as the example does."""
        self._candles.redraw()
        self._candles.update()
        for curve, values in zip(self._curves, self._bars.lines, strict=True):
            curve.setData(self._x, values)
        self._volume.setOpts(height=self._bars.volume)

    def view(self, first: float, end: float) -> None:
        """Show bars with fitting prices."""
        a, b = max(0, int(first)), min(len(self._bars), int(end))
        self._prices.setXRange(first, end, padding=0)
        self._prices.setYRange(self._bars.low[a:b].min(), self._bars.high[a:b].max(), padding=0)
        self._volumes.setYRange(0, self._bars.volume[a:b].max(), padding=0)


class Finplot:
    """finplot, as its live example updates it."""

    def __init__(self, bars: Bars) -> None:
        fplt, pd = importlib.import_module("finplot"), importlib.import_module("pandas")
        fplt.max_zoom_points = 20
        self._bars, self._pd = bars, pd
        self._index = pd.DatetimeIndex(bars.ts)
        columns = {"open": bars.open, "close": bars.close, "high": bars.high, "low": bars.low, "volume": bars.volume}
        self._frame = pd.DataFrame(columns, index=self._index)
        self._prices, volumes = fplt.create_plot("x", rows=2, init_zoom_periods=min(300, len(bars)), maximize=False)
        self._candles = fplt.candlestick_ochl(self._frame[["open", "close", "high", "low"]], ax=self._prices)
        self._curves = [fplt.plot(pd.Series(y, index=self._index), ax=self._prices) for y in bars.lines]
        self._volume = fplt.volume_ocv(self._frame[["open", "close", "volume"]], ax=volumes)
        fplt.show(qt_exec=False)
        self.widget = fplt.windows[-1]
        self.widget.resize(WIDTH, HEIGHT)
        self.widget.show()
        self.painted = self.widget.viewport()

    def update(self) -> None:
        """Hand the whole columns over again, which is its interface."""
        b, frame = self._bars, self._frame
        frame.iloc[-1, :] = [b.open[-1], b.close[-1], b.high[-1], b.low[-1], b.volume[-1]]
        self._candles.update_data(frame[["open", "close", "high", "low"]])
        for curve, values in zip(self._curves, b.lines, strict=True):
            curve.update_data(self._pd.Series(values, index=self._index))
        self._volume.update_data(frame[["open", "close", "volume"]])

    def view(self, first: float, end: float) -> None:
        """Show bars."""
        self._prices.vb.update_y_zoom(first, end)


class Vnpy:
    """The chart widget of vnpy: candles and volume; it has no overlays."""

    def __init__(self, bars: Bars) -> None:
        chart = importlib.import_module("vnpy.chart")
        constant, objects = (importlib.import_module(f"vnpy.trader.{name}") for name in ("constant", "object"))
        pd = importlib.import_module("pandas")
        self._bars = bars
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        rows = zip(pd.DatetimeIndex(bars.ts).to_pydatetime(), *(column.tolist() for column in columns), strict=True)
        self._history = [
            objects.BarData(
                symbol="X", exchange=constant.Exchange.LOCAL, datetime=when, interval=constant.Interval.MINUTE,
                open_price=o, high_price=h, low_price=l, close_price=c, volume=v, gateway_name="B",
            )
            for when, o, h, l, c, v in rows
        ]  # fmt: skip
        self.widget = chart.ChartWidget()
        self.widget.resize(WIDTH, HEIGHT)
        self.widget.add_plot("candle", hide_x_axis=True)
        self.widget.add_plot("volume", maximum_height=200)
        self.widget.add_item(chart.CandleItem, "candle", "candle")
        self.widget.add_item(chart.VolumeItem, "volume", "volume")
        self.widget.show()
        self.widget.update_history(self._history)
        self.painted = self.widget.viewport()

    def update(self) -> None:
        """Update the last bar object."""
        last, b = self._history[-1], self._bars
        last.close_price, last.volume = float(b.close[-1]), float(b.volume[-1])
        last.high_price, last.low_price = float(b.high[-1]), float(b.low[-1])
        self.widget.update_bar(last)

    def view(self, first: float, end: float) -> None:
        """Show bars through its own range method."""
        self.widget._right_ix = int(end)
        self.widget._bar_count = int(end - first)
        self.widget._update_x_range()


BACKENDS: dict[str, type[Backend]] = {
    "ours": Ours,
    "naive pyqtgraph": NaivePyqtgraph,
    "finplot": Finplot,
    "vnpy": Vnpy,
}
HOME = ("ours", "naive pyqtgraph")
"""What runs in our own environment; the others need `--peer`."""
