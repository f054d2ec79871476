"""Entry, stop, target and life of a suggestion: pure arithmetic on prices and bars."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.model.market import BarColumns, Quote, Side
from engine.model.money import exact, finite, to_tick
from engine.model.score import Forecast


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal without a size yet."""

    side: Side
    entry: Decimal
    stop: Decimal
    target: Decimal
    atr: float
    life_s: float


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a strategy turns a forecast into prices."""

    bar_seconds: int
    atr_period: int
    stop_atr: float
    target_atr: float
    risk_percent: float
    expires_bars: float
    cooldown_bars: int
    entry: str


def true_range(high: NDArray[np.float64], low: NDArray[np.float64], close: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wilder's true range; the first bar has only its own range."""
    previous = np.concatenate([close[:1], close[:-1]])
    span: NDArray[np.float64] = np.maximum(high - low, np.maximum(np.abs(high - previous), np.abs(low - previous)))
    return span


def average_range(columns: BarColumns, period: int) -> tuple[float, float]:
    """Mean true range of the last ``period`` bars, and the median of that mean over the window."""
    high, low, close = (np.frombuffer(getattr(columns, n), dtype=np.float64) for n in ("high", "low", "close"))
    if close.size < period + 1:
        return float("nan"), float("nan")
    spans = true_range(high, low, close)
    means = np.convolve(spans, np.ones(period) / period, mode="valid")
    return float(means[-1]), float(np.median(means))


def make_plan(forecast: Forecast, recipe: Recipe, quote: Quote, columns: BarColumns, tick: Decimal) -> Plan | str:
    """Prices of a suggestion, or the reason why there is none."""
    if not quote.two_sided:
        return "no two-sided quote"
    atr, usual = average_range(columns, recipe.atr_period)
    if not finite(atr) or atr <= 0:
        return "not enough bars for a stop"
    side = Side.BUY if forecast.score > 0 else Side.SELL
    touch = quote.ask if side is Side.BUY else quote.bid
    close = float(np.frombuffer(columns.close, dtype=np.float64)[-1])
    wanted = {"touch": touch, "mid": quote.mid, "close": close}[recipe.entry]
    if not finite(wanted) or wanted <= 0:
        return "no price to enter at"
    # Every limit is rounded to the patient side, but one at the touch to the other: prices of imported bars lie between
    # the ticks, and half a tick on the wrong side of the touch never trades.
    entry = to_tick(exact(round(wanted, 8)), tick, up=(side is Side.SELL) is not (recipe.entry == "touch"))
    stop = to_tick(entry - exact(round(atr * recipe.stop_atr, 8)) * side.sign, tick, up=side is Side.SELL)
    target = to_tick(entry + exact(round(atr * recipe.target_atr, 8)) * side.sign, tick, up=side is Side.SELL)
    if min(entry, stop, target) <= 0 or stop == entry or target == entry:
        return "stop and target do not fit the tick"
    # Price needs less time to leave the entry when it moves more than usual, and more when less.
    pace = min(max(usual / atr, 0.5), 2.0)
    return Plan(
        side=side,
        entry=entry,
        stop=stop,
        target=target,
        atr=atr,
        life_s=recipe.expires_bars * recipe.bar_seconds * pace,
    )


def evidence_hash(forecast: Forecast, quote: Quote, columns: BarColumns, features: Mapping[str, float]) -> str:
    """SHA-256 over every row the decision saw: bars, quote, features, forecast."""
    digest = hashlib.sha256()
    for part in (columns.ts_open, columns.open, columns.high, columns.low, columns.close, columns.volume):
        digest.update(part)
    digest.update(msgspec.msgpack.encode(quote))
    digest.update(msgspec.msgpack.encode(sorted(features.items())))
    digest.update(msgspec.msgpack.encode(forecast))
    return digest.hexdigest()
