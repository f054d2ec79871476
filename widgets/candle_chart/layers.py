"""What is drawn over the bars: plain frozen values. Times are UTC nanoseconds, prices float64."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class BarStyle(StrEnum):
    """How bars are drawn."""

    CANDLES = "candles"
    BARS = "bars"
    LINE = "line"
    HEIKIN_ASHI = "heikin-ashi"


class PriceAxis(StrEnum):
    """How prices map to height."""

    LINEAR = "linear"
    LOG = "log"
    PERCENT = "percent"


class OrderState(StrEnum):
    """What is known of an order: only a working one is drawn solid. An alert is no order: a line with a bell."""

    STAGED = "staged"
    WORKING = "working"
    UNKNOWN = "unknown"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartInstrument:
    """What the axes need to know of the instrument and the bars."""

    symbol: str
    interval_label: str = "5 min"
    interval_ns: int = 300_000_000_000
    tick: Decimal = Decimal("0.01")
    zone: str = "America/New_York"
    zone_label: str = "ET"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLayer:
    """A line over the bars; `values[i]` belongs to bar i, NaN leaves a gap."""

    name: str
    values: NDArray[np.float64]
    role: str = "t2"
    width: float = 1.0
    """One pixel is by far the cheapest."""
    dash: tuple[float, ...] = ()
    """Dash and gap lengths in pixels; empty is solid."""
    ahead: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Values for the bars that are still to come: an indicator that is drawn displaced runs ahead of the last bar."""
    ground: str = ""
    """Name of the line down or up to which the ground is tinted: up where this one is above it, down where below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorPane:
    """A pane below the bars with its own axis."""

    title: str
    lines: tuple[LineLayer, ...] = ()
    histogram: LineLayer | None = None
    levels: tuple[float, ...] = ()
    """Horizontal reference lines, such as 30 and 70."""
    decimals: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSeries:
    """Another symbol's closes, drawn from the same start as the bars in view."""

    name: str
    ts_ns: NDArray[np.int64]
    close: NDArray[np.float64]
    role: str = "t2"
    dash: tuple[float, ...] = (8.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpan:
    """A stretch of time shaded apart from the regular session."""

    start_ns: int
    end_ns: int
    label: str
    """Such as `Pre-market` or `After close 16:00`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMark:
    """An execution: `BUY 100 @ 189.52`."""

    ts_ns: int
    price: float
    text: str
    buy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One leg of an order at a price; `role` is its colour, the state its dash and its words."""

    ref: str
    leg: str
    """`entry`, `stop`, `target` or `alert`; handed back when the line is dragged."""
    price: float
    text: str
    state: OrderState
    role: str = "up"
    draggable: bool = True
    since_ns: int | None = None
    """Where the line begins; None begins it at the last bar."""
    filled: float = 0.0
    """Filled part of the quantity, 0 to 1: shaded on the tag."""
    pending_price: float | None = None
    """A price asked for and not yet confirmed: shown dashed beside the old one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageLine:
    """The average price of the open position: `+200 average · +230.00`."""

    price: float
    text: str
    since_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentZone:
    """A price range the agent speaks of; the only hatched thing on the chart."""

    kind: str
    """`entry`, `stop` or `target`."""
    low: float
    high: float
    start_ns: int
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Evidence or news at a time: `E3`, `N2`; `direction` is -1, 0 or 1."""

    id: str
    ts_ns: int
    label: str
    direction: int = 0


class DrawingKind(StrEnum):
    """What a person can draw."""

    TREND = "trend line"
    HORIZONTAL = "horizontal line"
    RAY = "ray"
    RECTANGLE = "rectangle"
    FIBONACCI = "Fibonacci"
    TEXT = "text"

    @property
    def points(self) -> int:
        """How many points place it."""
        return 1 if self in (DrawingKind.HORIZONTAL, DrawingKind.TEXT) else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One drawing: points are (time, price)."""

    id: str
    kind: DrawingKind
    points: tuple[tuple[int, float], ...]
    text: str = ""
    role: str = "t2"
