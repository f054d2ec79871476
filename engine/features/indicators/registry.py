"""The table of the strategy engine's own indicators. Reading it needs no compiler; computing loads the kernels.

`INDICATORS["rsi"].compute({"close": closes}, period=14)["rsi"]` is the whole use of it.
"""

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Any, Final

from engine.features.indicators.spec import SOURCES, IndicatorSpec, Kind, Output, Param, Style

P = Mapping[str, Any]

LONGEST: Final = 5000
SOURCE: Final = Param(name="source", type=str, default="close", choices=SOURCES)
HLC: Final = ("high", "low", "close")
HLCV: Final = ("high", "low", "close", "volume")


def _whole(name: str, default: int, minimum: int = 2) -> Param:
    return Param(name=name, type=int, default=default, minimum=minimum, maximum=LONGEST)


def _number(name: str, default: float, minimum: float, maximum: float) -> Param:
    return Param(name=name, type=float, default=default, minimum=minimum, maximum=maximum)


def _lines(*names: str) -> tuple[Output, ...]:
    return tuple(Output(name=name) for name in names)


def _bands() -> tuple[Output, ...]:
    return (Output(name="upper", style=Style.BAND), Output(name="middle"), Output(name="lower", style=Style.BAND))


def _overlay(
    id: str,
    title: str,
    params: tuple[Param, ...],
    outputs: tuple[Output, ...],
    columns: tuple[str, ...],
    warms: Callable[[P], int],
) -> IndicatorSpec:
    return IndicatorSpec(
        id=id, title=title, kind=Kind.OVERLAY, params=params, outputs=outputs, columns=columns, warms=warms
    )


def _pane(
    id: str,
    title: str,
    params: tuple[Param, ...],
    outputs: tuple[Output, ...],
    columns: tuple[str, ...],
    warms: Callable[[P], int],
    check: Callable[[P], str] | None = None,
) -> IndicatorSpec:
    return IndicatorSpec(
        id=id, title=title, kind=Kind.PANE, params=params, outputs=outputs, columns=columns, warms=warms, check=check
    )


def _fast_below_slow(p: P) -> str:
    return "" if p["fast"] < p["slow"] else f"fast ({p['fast']}) must be below slow ({p['slow']})"


def _full(p: P) -> int:
    return int(p["period"]) - 1


def _change(p: P) -> int:
    return int(p["period"])


_TABLE: Final = (
    _overlay("sma", "Simple moving average", (_whole("period", 20, 1), SOURCE), _lines("sma"), (), _full),
    _overlay("ema", "Exponential moving average", (_whole("period", 20, 1), SOURCE), _lines("ema"), (), _full),
    _overlay("wma", "Weighted moving average", (_whole("period", 20, 1), SOURCE), _lines("wma"), (), _full),
    _overlay(
        "hma",
        "Hull moving average",
        (_whole("period", 20), SOURCE),
        _lines("hma"),
        (),
        lambda p: p["period"] + isqrt(p["period"]) - 2,
    ),
    _overlay(
        "vwma",
        "Volume-weighted moving average",
        (_whole("period", 20, 1), SOURCE),
        _lines("vwma"),
        ("volume",),
        _full,
    ),
    _overlay(
        "bbands",
        "Bollinger bands",
        (_whole("period", 20), _number("width", 2.0, 0.1, 20.0), SOURCE),
        _bands(),
        (),
        _full,
    ),
    _overlay("donchian", "Donchian channel", (_whole("period", 20, 1),), _bands(), ("high", "low"), _full),
    _overlay(
        "keltner",
        "Keltner channel",
        (_whole("period", 20, 1), _whole("atr_period", 10, 1), _number("width", 2.0, 0.1, 20.0), SOURCE),
        _bands(),
        HLC,
        lambda p: max(p["period"] - 1, p["atr_period"]),
    ),
    _overlay(
        "linreg",
        "Linear-regression channel",
        (_whole("period", 100, 3), _number("width", 2.0, 0.1, 20.0), SOURCE),
        (*_bands(), Output(name="slope", style=Style.HIDDEN)),
        (),
        _full,
    ),
    _overlay(
        "vwap",
        "VWAP of the session",
        (_number("width", 1.0, 0.1, 20.0),),
        _bands(),
        (*HLCV, "session"),
        lambda p: 0,
    ),
    _overlay(
        "supertrend",
        "SuperTrend",
        (_whole("period", 10, 1), _number("width", 3.0, 0.1, 50.0)),
        (Output(name="supertrend", style=Style.STEPS), Output(name="side", style=Style.HIDDEN)),
        HLC,
        _change,
    ),
    _overlay(
        "psar",
        "Parabolic SAR",
        (_number("step", 0.02, 0.001, 1.0), _number("maximum", 0.2, 0.001, 1.0)),
        (Output(name="psar", style=Style.DOTS), Output(name="side", style=Style.HIDDEN)),
        ("high", "low"),
        lambda p: 1,
    ),
    _overlay(
        "ichimoku",
        "Ichimoku cloud",
        (_whole("conversion", 9, 1), _whole("base", 26, 1), _whole("span", 52, 1), _whole("displacement", 26, 1)),
        (
            *_lines("tenkan", "kijun"),
            # the cloud that stands over this bar, made `displacement` bars ago: what a rule may compare a price with.
            # Drawn it would be lead_a and lead_b once more.
            Output(name="cloud_a", style=Style.HIDDEN),
            Output(name="cloud_b", style=Style.HIDDEN),
            # the cloud this bar makes, drawn ahead, and its close, drawn behind
            Output(name="lead_a", style=Style.BAND, shift_by="displacement", shift_sign=1),
            Output(name="lead_b", style=Style.BAND, shift_by="displacement", shift_sign=1),
            Output(name="chikou", shift_by="displacement", shift_sign=-1),
        ),
        HLC,
        lambda p: max(p["conversion"], p["base"], p["span"]) - 1 + p["displacement"],
    ),
    _overlay(
        "pivots",
        "Pivot points of the session before",
        (Param(name="kind", type=str, default="classic", choices=("classic", "fibonacci", "camarilla")),),
        tuple(Output(name=name, style=Style.STEPS) for name in ("p", "r1", "r2", "r3", "s1", "s2", "s3")),
        (*HLC, "session"),
        lambda p: 0,
    ),
    _overlay(
        "heikin_ashi",
        "Heikin-Ashi",
        (),
        tuple(Output(name=name, style=Style.CANDLE) for name in ("open", "high", "low", "close")),
        ("open", *HLC),
        lambda p: 0,
    ),
    _pane("rsi", "Relative strength index", (_whole("period", 14, 1), SOURCE), _lines("rsi"), (), _change),
    _pane(
        "macd",
        "MACD",
        (_whole("fast", 12, 1), _whole("slow", 26), _whole("signal", 9, 1), SOURCE),
        (*_lines("macd", "signal"), Output(name="histogram", style=Style.HISTOGRAM)),
        (),
        lambda p: p["slow"] + p["signal"] - 2,
        _fast_below_slow,
    ),
    _pane("atr", "Average true range", (_whole("period", 14, 1),), _lines("atr"), HLC, _change),
    _pane(
        "adx",
        "ADX and directional movement",
        (_whole("period", 14),),
        _lines("adx", "plus_di", "minus_di"),
        HLC,
        lambda p: 2 * p["period"] - 1,
    ),
    _pane(
        "stoch",
        "Stochastic",
        (_whole("period", 14, 1), _whole("smooth", 3, 1), _whole("signal", 3, 1)),
        _lines("k", "d"),
        HLC,
        lambda p: p["period"] + p["smooth"] + p["signal"] - 3,
    ),
    _pane(
        "stochrsi",
        "Stochastic RSI",
        (_whole("rsi_period", 14, 1), _whole("period", 14, 1), _whole("smooth", 3, 1), _whole("signal", 3, 1), SOURCE),
        _lines("k", "d"),
        (),
        lambda p: p["rsi_period"] + p["period"] + p["smooth"] + p["signal"] - 3,
    ),
    _pane("cci", "Commodity channel index", (_whole("period", 20),), _lines("cci"), HLC, _full),
    _pane("willr", "Williams %R", (_whole("period", 14, 1),), _lines("willr"), HLC, _full),
    _pane("roc", "Rate of change", (_whole("period", 10, 1), SOURCE), _lines("roc"), (), _change),
    _pane("mom", "Momentum", (_whole("period", 10, 1), SOURCE), _lines("mom"), (), _change),
    _pane("aroon", "Aroon", (_whole("period", 14, 1),), _lines("up", "down", "oscillator"), ("high", "low"), _change),
    _pane(
        "trix",
        "TRIX",
        (_whole("period", 15, 1), _whole("signal", 9, 1), SOURCE),
        _lines("trix", "signal"),
        (),
        lambda p: 3 * (p["period"] - 1) + p["signal"],
    ),
    _pane("stddev", "Standard deviation", (_whole("period", 20), SOURCE), _lines("stddev"), (), _full),
    _pane("obv", "On-balance volume", (), _lines("obv"), ("close", "volume"), lambda p: 0),
    _pane("mfi", "Money flow index", (_whole("period", 14, 1),), _lines("mfi"), HLCV, _change),
    _pane("cmf", "Chaikin money flow", (_whole("period", 20, 1),), _lines("cmf"), HLCV, _full),
    _pane("ad", "Accumulation/distribution", (), _lines("ad"), HLCV, lambda p: 0),
)

INDICATORS: Final[dict[str, IndicatorSpec]] = {spec.id: spec for spec in _TABLE}


def indicator(id: str) -> IndicatorSpec:
    """Return an indicator; raises ValueError naming the ones there are."""
    if id not in INDICATORS:
        raise ValueError(f"there is no indicator {id!r}; there are {', '.join(sorted(INDICATORS))}")
    return INDICATORS[id]
