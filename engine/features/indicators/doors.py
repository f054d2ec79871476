"""From columns and parameters to kernels: one function per indicator, named by its id, outputs in the spec's order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.features.indicators import averages, levels, momentum, ranges, trend, volatility, volume
from engine.features.jit import Array

Data = dict[str, Any]
Out = tuple[Array, ...]


def _source(d: Data, source: str) -> Array:
    if source == "hl2":
        x = (d["high"] + d["low"]) / 2.0
    elif source == "hlc3":
        x = (d["high"] + d["low"] + d["close"]) / 3.0
    elif source == "ohlc4":
        x = (d["open"] + d["high"] + d["low"] + d["close"]) / 4.0
    else:
        x = d[source]
    return np.asarray(x)


def _after(x: Array, average: Callable[[Array, int], Array], n: int) -> Array:
    """Average what follows the leading NaN."""
    out = np.full(x.size, np.nan)
    there = np.isfinite(x)
    first = int(there.argmax()) if there.any() else x.size
    out[first:] = average(x[first:], n)
    return out


def sma(d: Data, *, period: int, source: str) -> Out:
    return (averages.sma(_source(d, source), period),)


def ema(d: Data, *, period: int, source: str) -> Out:
    return (averages.ema(_source(d, source), period),)


def wma(d: Data, *, period: int, source: str) -> Out:
    return (averages.wma(_source(d, source), period),)


def hma(d: Data, *, period: int, source: str) -> Out:
    return (averages.hma(_source(d, source), period),)


def vwma(d: Data, *, period: int, source: str) -> Out:
    return (averages.vwma(_source(d, source), d["volume"], period),)


def macd(d: Data, *, fast: int, slow: int, signal: int, source: str) -> Out:
    return averages.macd(_source(d, source), fast, slow, signal)


def trix(d: Data, *, period: int, signal: int, source: str) -> Out:
    return averages.trix(_source(d, source), period, signal)


def rsi(d: Data, *, period: int, source: str) -> Out:
    return (momentum.rsi(_source(d, source), period),)


def roc(d: Data, *, period: int, source: str) -> Out:
    return (momentum.roc(_source(d, source), period),)


def mom(d: Data, *, period: int, source: str) -> Out:
    return (momentum.mom(_source(d, source), period),)


def cci(d: Data, *, period: int) -> Out:
    return (momentum.cci(d["high"], d["low"], d["close"], period),)


def bbands(d: Data, *, period: int, width: float, source: str) -> Out:
    return volatility.bbands(_source(d, source), period, width)


def stddev(d: Data, *, period: int, source: str) -> Out:
    return (volatility.stddev(_source(d, source), period),)


def atr(d: Data, *, period: int) -> Out:
    return (volatility.atr(d["high"], d["low"], d["close"], period),)


def linreg(d: Data, *, period: int, width: float, source: str) -> Out:
    return volatility.regression(_source(d, source), period, width)


def keltner(d: Data, *, period: int, atr_period: int, width: float, source: str) -> Out:
    middle = averages.ema(_source(d, source), period)
    spread = width * volatility.atr(d["high"], d["low"], d["close"], atr_period)
    return middle + spread, middle, middle - spread


def donchian(d: Data, *, period: int) -> Out:
    return ranges.donchian(d["high"], d["low"], period)


def stoch(d: Data, *, period: int, smooth: int, signal: int) -> Out:
    k = _after(ranges.percent_k(d["high"], d["low"], d["close"], period), averages.sma, smooth)
    return k, _after(k, averages.sma, signal)


def stochrsi(d: Data, *, rsi_period: int, period: int, smooth: int, signal: int, source: str) -> Out:
    strength = momentum.rsi(_source(d, source), rsi_period)
    out = np.full(strength.size, np.nan)
    x = strength[rsi_period:].copy()
    out[rsi_period:] = ranges.percent_k(x, x, x, period)
    k = _after(out, averages.sma, smooth)
    return k, _after(k, averages.sma, signal)


def willr(d: Data, *, period: int) -> Out:
    return (ranges.percent_k(d["high"], d["low"], d["close"], period) - 100.0,)


def aroon(d: Data, *, period: int) -> Out:
    return ranges.aroon(d["high"], d["low"], period)


def adx(d: Data, *, period: int) -> Out:
    return trend.adx(d["high"], d["low"], d["close"], period)


def supertrend(d: Data, *, period: int, width: float) -> Out:
    spread = volatility.atr(d["high"], d["low"], d["close"], period)
    return trend.supertrend(d["high"], d["low"], d["close"], spread, width)


def psar(d: Data, *, step: float, maximum: float) -> Out:
    return trend.psar(d["high"], d["low"], step, maximum)


def heikin_ashi(d: Data) -> Out:
    return trend.heikin_ashi(d["open"], d["high"], d["low"], d["close"])


def ichimoku(d: Data, *, conversion: int, base: int, span: int, displacement: int) -> Out:
    h, l = d["high"], d["low"]
    tenkan = ranges.donchian(h, l, conversion)[1]
    kijun = ranges.donchian(h, l, base)[1]
    lead_a = 0.5 * (tenkan + kijun)
    lead_b = ranges.donchian(h, l, span)[1]
    cloud_a, cloud_b = ranges.delay(lead_a, displacement), ranges.delay(lead_b, displacement)
    return tenkan, kijun, cloud_a, cloud_b, lead_a, lead_b, d["close"].copy()


def obv(d: Data) -> Out:
    return (volume.obv(d["close"], d["volume"]),)


def mfi(d: Data, *, period: int) -> Out:
    return (volume.mfi(d["high"], d["low"], d["close"], d["volume"], period),)


def vwap(d: Data, *, width: float) -> Out:
    return volume.vwap(d["high"], d["low"], d["close"], d["volume"], d["session"], width)


def cmf(d: Data, *, period: int) -> Out:
    return (volume.cmf(d["high"], d["low"], d["close"], d["volume"], period),)


def ad(d: Data) -> Out:
    return (volume.ad(d["high"], d["low"], d["close"], d["volume"]),)


def pivots(d: Data, *, kind: str) -> Out:
    return levels.pivots(d["high"], d["low"], d["close"], d["session"], kind)
