"""The price chart widget: holds data, layers and view; painters paint a frame of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.candle_chart.bars import ChartData
from widgets.candle_chart.frame import Frame, Layers, Options
from widgets.candle_chart.framing import (
    DEFAULT_PITCH_PX,
    after_append,
    axis_width,
    bars_width,
    holds_last_bar,
    last_view,
    make_frame,
    with_room,
)
from widgets.candle_chart.interaction import Interaction
from widgets.candle_chart.layers import (
    AgentZone,
    AverageLine,
    BarStyle,
    ChartInstrument,
    CompareSeries,
    Drawing,
    DrawingKind,
    FillMark,
    IndicatorPane,
    LineLayer,
    OrderLine,
    Pin,
    PriceAxis,
    SessionSpan,
)
from widgets.candle_chart.line_store import LineStore
from widgets.candle_chart.scene import Scene
from widgets.candle_chart.style import ChartStyle
from widgets.candle_chart.time_axis import nearest_bar, time_of_bar
from widgets.candle_chart.viewport import Viewport
from widgets.formats import duration, number
from widgets.theme import current_theme
from widgets.throttle import Throttle
from widgets.words import tr


class CandleChart(QWidget):
    """Bars with volume, lines, orders and evidence.

    Feed it with the `set_...` methods and `update_bar`; it asks for nothing. Prices in signals are `Decimal`,
    rounded to the instrument's tick; times are UTC nanoseconds.
    """

    order_dragged = Signal(str, str, object)
    """(ref, leg, new price): a leg was dropped at another price. The line stays until the layer changes."""
    price_clicked = Signal(object, object)
    """(price, keyboard modifiers): a click on empty ground of the price pane."""
    pin_clicked = Signal(str)
    crosshair_moved = Signal(object, object)
    """(bar start, price), or (None, None) when the mouse has left."""
    range_changed = Signal(float, float)
    """(first, end) of the view in bar numbers."""
    drawings_changed = Signal()
    history_wanted = Signal()
    """The view went left of the first bar; said once for each load."""

    def __init__(
        self, parent: QWidget | None = None, *, repaint_ms: int = 16, legend_ms: int = 200, max_bars: int | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._data = ChartData(max_bars)
        self._lines = LineStore()
        self._layers = Layers()
        self._options = Options()
        self._instrument = ChartInstrument(symbol="")
        self._style = ChartStyle.of(current_theme())
        self._view: Viewport | None = None
        self._pitch_px = DEFAULT_PITCH_PX
        self._manual_scale: tuple[float, float] | None = None
        self._scene = Scene()
        self._frame: Frame | None = None
        self._clock: Callable[[], int] | None = None
        self._history_asked = False
        self._dirty = QRegion()
        self._throttle = Throttle(self._flush_dirty, repaint_ms, self)
        # Nobody reads numbers that change twenty times a second: the line above the bars joins every so many ticks, and
        # catches up once they stop.
        self._legend_ms = legend_ms
        self._legend_age = QElapsedTimer()
        self._legend_late = QTimer(self)
        self._legend_late.setSingleShot(True)
        self._legend_late.setInterval(2 * legend_ms)
        self._legend_late.timeout.connect(self._touch_legend)
        self._interaction = Interaction(self)
        self._countdown_timer = QTimer(self)
        self._countdown_timer.setInterval(1000)
        self._countdown_timer.timeout.connect(self._touch_last_price)
        self.set_instrument(self._instrument)

    # ------------------------------------------------------------------ data in

    def set_instrument(self, instrument: ChartInstrument) -> None:
        """Say what is shown; another symbol or interval empties the chart."""
        other = (instrument.symbol, instrument.interval_ns) != (self._instrument.symbol, self._instrument.interval_ns)
        self._instrument = instrument
        self.setAccessibleName(f"{tr('Chart')} {instrument.symbol} {instrument.interval_label}".strip())
        if other:
            self._data = ChartData(self._data.max_bars)
            self._layers = Layers()
            self._view = None
            self._manual_scale = None
            self._interaction.cancel()
        self._relayout()

    def set_bars(
        self,
        ts_ns: NDArray[np.int64],
        open_: NDArray[np.float64],
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        volume: NDArray[np.float64],
    ) -> None:
        """Replace the bars; the view keeps its times. ValueError names a bad column and row; nothing changes then.

        Overlays and panes are dropped: set them again for the new bars. The arrays are read where they stand until a
        bar is put: only the last bar in them may change meanwhile.
        """
        before = int(self._data.ts[0]) if len(self._data) else None
        fresh = ChartData(self._data.max_bars)
        fresh.load(ts_ns, open_, high, low, close, volume)
        self._data = fresh
        self._layers = replace(self._layers, overlays=(), panes=())
        self._history_asked = False
        if before is None or not len(fresh) or self._view is None:
            self._view = None
        else:
            self._view = self._view.moved(float(np.searchsorted(fresh.ts, before))).clamped(len(fresh))
        self._relayout()

    def update_bar(
        self,
        ts_ns: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        lines: Mapping[str, float] | None = None,
    ) -> None:
        """Replace the last bar or append a later one, with the values of lines by name at that bar.

        ValueError for an earlier bar or a value that is not finite, KeyError for an unknown line.
        """
        n = len(self._data)
        dropped = self._data.put(ts_ns, open_, high, low, close, volume)
        size = len(self._data)
        appended = size + dropped > n
        if appended:
            self._lines.resize(size, dropped)
        changed = bool(lines and self._lines.write(lines)) or appended
        if changed:
            self._layers = replace(
                self._layers,
                overlays=tuple(self._lines.view(layer) for layer in self._layers.overlays),
                panes=tuple(self._lines.view_pane(pane) for pane in self._layers.panes),
            )
        if not changed and self._frame is not None and holds_last_bar(self._frame, self._manual_scale is not None):
            self._tick()
            return
        if appended and self._view is not None:
            self._view = after_append(self._view, self._frame, size, dropped)
        self._relayout()

    def set_overlays(self, layers: tuple[LineLayer, ...]) -> None:
        """Show lines over the bars; values are read where they stand, and never written there."""
        adopted = self._lines.adopt(layers, len(self._data))
        self._change(overlays=adopted)

    def set_panes(self, panes: tuple[IndicatorPane, ...]) -> None:
        """Show indicator panes below the volume; values are read as those of overlays."""
        adopted = self._lines.adopt_panes(panes, len(self._data))
        self._change(panes=adopted)

    def set_compare(self, series: tuple[CompareSeries, ...]) -> None:
        """Show other symbols, each starting at the first bar in view."""
        self._change(compare=series)

    def set_sessions(self, spans: tuple[SessionSpan, ...]) -> None:
        """Shade the hours outside the regular session."""
        self._change(sessions=spans)

    def set_zones(self, zones: tuple[AgentZone, ...]) -> None:
        """Show the agent's entry, stop and target zones."""
        self._change(zones=zones)

    def set_orders(self, orders: tuple[OrderLine, ...]) -> None:
        """Show order legs; a drag of a leg that is gone ends."""
        self._change(orders=orders)
        self._interaction.on_orders_changed(orders)

    def set_average(self, average: AverageLine | None) -> None:
        """Show the average price of the position."""
        self._change(average=average)

    def set_fills(self, fills: tuple[FillMark, ...]) -> None:
        """Show executions."""
        self._change(fills=fills)

    def set_pins(self, pins: tuple[Pin, ...]) -> None:
        """Show evidence and news."""
        self._change(pins=pins)

    def set_drawings(self, drawings: tuple[Drawing, ...]) -> None:
        """Replace what was drawn."""
        self._change(drawings=drawings)

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """What is drawn now."""
        return self._layers.drawings

    def start_drawing(self, kind: DrawingKind | None, text: str = "") -> None:
        """Let the next clicks place a drawing; None or Esc ends it."""
        self._interaction.start_drawing(kind, text)

    # ------------------------------------------------------------------ how it looks

    def set_bar_style(self, style: BarStyle) -> None:
        """Draw candles, bars, a line or Heikin-Ashi."""
        self._set_option(bar_style=style)

    def set_price_axis(self, axis: PriceAxis) -> None:
        """Map prices linearly, logarithmically or in percent of the first bar in view."""
        self._manual_scale = None
        self._set_option(price_axis=axis)

    def set_profile_visible(self, visible: bool) -> None:
        """Show or hide the volume profile of the bars in view."""
        self._set_option(show_profile=visible)

    def set_volume_caption(self, text: str) -> None:
        """Write a line into the volume pane, such as `Volume today 36.5 M · 0.92 × usual`."""
        self._set_option(volume_caption=text)

    def set_watermark(self, text: str, role: str = "paper") -> None:
        """Write the mode behind the bars; empty for none."""
        self._set_option(watermark=text, watermark_role=role)

    def set_empty_text(self, text: str) -> None:
        """Say what will appear here and the key that makes it happen, or what is being loaded."""
        self._set_option(empty_text=text)

    def set_clock(self, now_ns: Callable[[], int] | None) -> None:
        """Count down to the close of the bar with this clock; None for no countdown."""
        self._clock = now_ns
        self._countdown_timer.start() if now_ns and self.isVisible() else self._countdown_timer.stop()
        self._touch_last_price()

    # ------------------------------------------------------------------ the view

    @property
    def view(self) -> Viewport:
        """The bars in view, in device pixels."""
        return self.frame().view

    @property
    def bar_count(self) -> int:
        """How many bars there are."""
        return len(self._data)

    def show_range(self, first: float, end: float) -> None:
        """Show bars [first, end)."""
        self.set_view(Viewport(first, end, max(1, round(self._plot_width() * self.devicePixelRatioF()))))

    def show_last(self, bars: int | None = None) -> None:
        """Show the last bars with room for tags on their right; by default as many as read well."""
        room = bars_width(self._plot_width(), self._layers, self._style)
        self._pitch_px = DEFAULT_PITCH_PX if bars is None else max(0.01, room / bars)
        self.set_view(self._last_view())

    def set_view(self, view: Viewport) -> None:
        """Show another stretch of bars, kept within sensible bounds."""
        view = view.clamped(len(self._data))
        if view == self._view:
            return
        self._view = view
        self._pitch_px = view.pitch / self.devicePixelRatioF()
        self._relayout()
        self.range_changed.emit(view.low, view.high)
        if view.low < 0 and len(self._data) and not self._history_asked:
            self._history_asked = True
            self.history_wanted.emit()

    def set_price_range(self, bounds: tuple[float, float] | None) -> None:
        """Fix the prices shown, as (low, high); None scales to the bars in view."""
        self._manual_scale = bounds
        self._relayout()

    @property
    def scales_itself(self) -> bool:
        """Whether prices follow the bars in view."""
        return self._manual_scale is None

    def autoscale(self) -> None:
        """Go back to the last bars and to prices that fit them."""
        self._manual_scale = None
        self.show_last()
        self._relayout()

    def set_crosshair_time(self, ts_ns: int | None) -> None:
        """Show the crosshair another chart has; None hides it."""
        bar = None if ts_ns is None else nearest_bar(self._data.ts, ts_ns, self._instrument.interval_ns)
        self.move_crosshair(bar, None)

    def frame(self) -> Frame:
        """Return the moment that is or will be painted."""
        if self._frame is None:
            self._frame = self._make_frame()
            self._scene.place(self._frame, self._interaction.moved)
        return self._frame

    @property
    def scene(self) -> Scene:
        """Where things were placed; read by the interaction."""
        self.frame()
        return self._scene

    def time_of(self, bar: int) -> int:
        """Return the start of a bar, past or future."""
        return time_of_bar(self._data.ts, bar, self._instrument.interval_ns)

    # ------------------------------------------------------------------ inside

    def _change(self, **layers: Any) -> None:
        before, self._layers = self._layers, replace(self._layers, **layers)
        if self._view is not None:
            self._view = with_room(self._view, len(self._data), self._plot_width(), before, self._layers, self._style)
        self._relayout()

    def _set_option(self, **options: Any) -> None:
        self._options = replace(self._options, **options)
        self._relayout()

    def _plot_width(self) -> int:
        return max(1, self.width() - axis_width(self._data, self._instrument, self._style))

    def _last_view(self) -> Viewport:
        ratio = self.devicePixelRatioF()
        return last_view(len(self._data), self._plot_width(), self._layers, self._style, self._pitch_px, ratio)

    def _make_frame(self) -> Frame:
        frame = make_frame(
            self._data, self._instrument, self._layers, self._options, self._style, self.size(),
            self.devicePixelRatioF(), self._view, self._pitch_px, self._manual_scale,
        )  # fmt: skip
        self._view = frame.view
        return frame

    def _relayout(self) -> None:
        self._frame = None
        self._scene.invalidate()
        self._repaint(QRegion(self.rect()))

    def replace_tags(self) -> None:
        """Place the tags again while a leg is dragged; the bars stay."""
        if self._frame is not None:
            self._scene.place(self._frame, self._interaction.moved)
            geometry = self._frame.geometry
            self._repaint(QRegion(geometry.price.united(geometry.price_axis)))

    def _tick(self) -> None:
        region = self._scene.tick_region(self.frame())
        if not self._legend_age.isValid() or self._legend_age.elapsed() >= self._legend_ms:
            self._legend_late.stop()
            self._legend_age.start()
            region = region + self._scene.legend_region(self.frame())
        elif not self._legend_late.isActive():
            self._legend_late.start()
        self._repaint(region)

    def _repaint(self, region: QRegion) -> None:
        self._dirty += region
        self._throttle.request()

    def _flush_dirty(self) -> None:
        region, self._dirty = self._dirty, QRegion()
        self.update(region)

    def _countdown(self) -> str:
        if self._clock is None or not len(self._data):
            return ""
        left = int(self._data.ts[-1]) + self._instrument.interval_ns - self._clock()
        return duration(left / 1e9) if 0 < left <= self._instrument.interval_ns else ""

    def _touch_legend(self) -> None:
        if self._frame is not None:
            self._repaint(self._scene.legend_region(self._frame))

    def _touch_last_price(self) -> None:
        if self._frame is not None and len(self._data):
            self._repaint(self._scene.price_region(self._frame))

    def set_drag_cursor(self, shape: Qt.CursorShape) -> None:
        """Show what a press would do here."""
        self.setCursor(shape)

    def move_crosshair(self, bar: int | None, y: float | None) -> None:
        """Move the crosshair to a bar and a height; None hides it."""
        frame = self.frame()
        region = self._scene.crosshair_region(frame)
        self._scene.crosshair = None if bar is None else (bar, y)
        self._repaint(region + self._scene.crosshair_region(frame))

    # ------------------------------------------------------------------ Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._frame is not None and self._frame.ratio != self.devicePixelRatioF():
            # The window came to another screen: everything has other pixels.
            self._relayout()
        painter = QPainter(self)
        self._scene.paint(painter, self.frame(), event.region(), self._countdown(), self._interaction.selected)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._relayout()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._style = ChartStyle.of(current_theme())
            self._relayout()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        if self._clock is not None:
            self._countdown_timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._countdown_timer.stop()
        super().hideEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if len(self._data):
            last, orders = number(float(self._data.close[-1]), 2), len(self._layers.orders)
            words = tr("last {price}, {n} order lines", price=last, n=orders)
            self.setAccessibleDescription(words)
        self._repaint(QRegion(0, 0, self.width(), 2))
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._interaction.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._interaction.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._interaction.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._interaction.double_click(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._interaction.leave()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._interaction.wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._interaction.key(event):
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(640, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 140)
