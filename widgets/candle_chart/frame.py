"""One consistent moment of the chart: what every painter reads and none changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from widgets.candle_chart.bars import ChartData
from widgets.candle_chart.geometry import Geometry
from widgets.candle_chart.layers import (
    AgentZone,
    AverageLine,
    BarStyle,
    ChartInstrument,
    CompareSeries,
    Drawing,
    FillMark,
    IndicatorPane,
    LineLayer,
    OrderLine,
    Pin,
    PriceAxis,
    SessionSpan,
)
from widgets.candle_chart.price_scale import PriceScale
from widgets.candle_chart.style import ChartStyle
from widgets.candle_chart.time_axis import bar_of_time, nearest_bar
from widgets.candle_chart.viewport import Viewport
from widgets.formats import decimals_of, number, signed


@lru_cache(maxsize=8192)
def number_text(value: float, decimals: int) -> str:
    """Return a formatted number; an axis asks for the same ones at every frame."""
    return number(value, decimals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Everything fed from outside besides the bars."""

    overlays: tuple[LineLayer, ...] = ()
    panes: tuple[IndicatorPane, ...] = ()
    compare: tuple[CompareSeries, ...] = ()
    sessions: tuple[SessionSpan, ...] = ()
    zones: tuple[AgentZone, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    average: AverageLine | None = None
    fills: tuple[FillMark, ...] = ()
    pins: tuple[Pin, ...] = ()
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the chart is drawn."""

    bar_style: BarStyle = BarStyle.CANDLES
    price_axis: PriceAxis = PriceAxis.LINEAR
    show_volume: bool = True
    show_profile: bool = False
    volume_caption: str = "Volume"
    watermark: str = ""
    watermark_role: str = "paper"
    empty_text: str = "No bars yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Data, layers and the mapping to pixels. Heights and widths are logical pixels of the widget."""

    data: ChartData
    instrument: ChartInstrument
    layers: Layers
    options: Options
    style: ChartStyle
    geometry: Geometry
    view: Viewport
    scale: PriceScale
    volume_max: float
    pane_scales: tuple[PriceScale, ...]
    base_price: float
    """The close the percent axis counts from."""
    price_sample: str
    """A price as long as the longest to be expected; what shows values keeps this much room."""
    ratio: float
    """Device pixels per logical pixel."""
    line_values: Mapping[str, float] = field(default_factory=dict)

    @property
    def decimals(self) -> int:
        """Decimals of a price."""
        return decimals_of(self.instrument.tick)

    def x(self, bar: float) -> float:
        """Return the logical x of a bar coordinate."""
        return self.view.x(bar) / self.ratio

    def middle(self, bar: float) -> float:
        """Return the logical x of the middle of a bar, on the wick."""
        return (int(self.view.x(bar + 0.5)) + 0.5 * max(1, int(self.ratio + 0.25))) / self.ratio

    def y(self, price: float) -> float:
        """Return the logical height of a price."""
        return self.scale.y(price)

    def volume_y(self, volume: float) -> float:
        """Return the logical height of a volume in its pane, where there is one."""
        pane = self.geometry.volume
        return pane.bottom() + 1 - volume * ((pane.height() - self.style.px(6)) / self.volume_max)

    def x_of_time(self, ts_ns: int) -> float:
        """Return the logical x of a time."""
        return self.x(bar_of_time(self.data.ts, ts_ns, self.instrument.interval_ns))

    def x_of_bar_at(self, ts_ns: int) -> float:
        """Return the logical x of the middle of the bar a time belongs to."""
        return self.middle(nearest_bar(self.data.ts, ts_ns, self.instrument.interval_ns))

    @property
    def last_x(self) -> float:
        """Right edge of the last bar."""
        return self.x(len(self.data))

    def price_text(self, price: float) -> str:
        """Format a price for the axis: a price, or its distance in percent from the first bar in view."""
        if self.options.price_axis is PriceAxis.PERCENT and self.base_price:
            return signed((price / self.base_price - 1) * 100, 2) + "%"
        return number_text(price, self.decimals)
