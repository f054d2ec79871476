"""Prices to heights: linear or logarithmic, and the round numbers on the axis."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices [low, high] over pixels [top, bottom]; `logarithmic` needs low > 0."""

    low: float
    high: float
    top: float
    bottom: float
    logarithmic: bool = False

    def _bounds(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)

    def y(self, price: float) -> float:
        """Return the height of one price; a price <= 0 on a logarithmic scale is far below."""
        if self.logarithmic:
            if price <= 0:
                return 1e7
            price = math.log(price)
        low, high = self._bounds()
        return self.top + (high - price) * ((self.bottom - self.top) / (high - low))

    def mapper(self) -> Callable[[float], float]:
        """Return `y` as a function with the bounds worked out."""
        if self.logarithmic:
            return self.y
        top, high, factor = self.top, self.high, (self.bottom - self.top) / (self.high - self.low)
        return lambda price: top + (high - price) * factor

    def ys(self, prices: Floats) -> Floats:
        """Return the heights of many prices."""
        low, high = self._bounds()
        if self.logarithmic:
            prices = np.log(np.maximum(prices, 1e-300))
        return self.top + (high - prices) * ((self.bottom - self.top) / (high - low))

    def price(self, y: float) -> float:
        """Return the price at a height."""
        low, high = self._bounds()
        value = high - (y - self.top) * (high - low) / (self.bottom - self.top)
        return math.exp(value) if self.logarithmic else value

    def moved(self, pixels: float) -> "PriceScale":
        """Return the scale shifted so that its content moves down by some pixels."""
        return PriceScale(
            self.price(self.bottom - pixels), self.price(self.top - pixels), self.top, self.bottom, self.logarithmic
        )

    def zoomed(self, factor: float) -> "PriceScale":
        """Return the scale showing `factor` times the range around its middle."""
        middle = (self.top + self.bottom) / 2
        half = (self.bottom - self.top) / 2 * factor
        return PriceScale(self.price(middle + half), self.price(middle - half), self.top, self.bottom, self.logarithmic)

    @staticmethod
    def around(
        low: float, high: float, top: float, bottom: float, logarithmic: bool, margin: float = 0.06
    ) -> "PriceScale":
        """Return a scale that shows [low, high] with some air above and below; a flat range gets a height."""
        logarithmic = logarithmic and low > 0
        if logarithmic:
            a, b = math.log(low), math.log(high)
            pad = max((b - a) * margin, 1e-6)
            return PriceScale(math.exp(a - pad), math.exp(b + pad), top, bottom, True)
        pad = max((high - low) * margin, abs(high) * 1e-6, 1e-9)
        return PriceScale(low - pad, high + pad, top, bottom)


def nice_step(span: float, most: int, smallest: float = 0.0) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that cuts `span` into at most `most` parts.

    With `smallest` (the tick) only multiples of it count, so that labels stand at prices that exist.
    """
    if not (span > 0 and math.isfinite(span)):
        return 1.0
    raw = span / max(1, most)
    base = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 25.0, 50.0):
        step = factor * base
        if step >= raw * (1 - 1e-9) and (smallest <= 0 or _is_multiple(step, smallest)):
            return step
    return max(10.0 * base, smallest)


def _is_multiple(step: float, smallest: float) -> bool:
    ratio = step / smallest
    return ratio > 0.5 and abs(ratio - round(ratio)) < 1e-6


def axis_prices(scale: PriceScale, spacing: float, smallest: float = 0.0) -> list[float]:
    """Return round prices at least `spacing` pixels apart; steps are not finer than `smallest`."""
    most = max(1, int((scale.bottom - scale.top) / spacing))
    step = nice_step(scale.high - scale.low, most, smallest)
    if not scale.logarithmic:
        first = math.ceil(scale.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(scale.high / step + 1e-9) + 1)]
    prices: list[float] = []
    price, last_y = scale.low, math.inf
    while price < scale.high and len(prices) < 200:
        # A step that suits this height: the price range the next `spacing` pixels cover.
        y = scale.y(price)
        local = nice_step(abs(scale.price(y - spacing) - price), 1, smallest)
        price = math.ceil(price / local + 1e-9) * local
        y = scale.y(price)
        if price < scale.high and last_y - y >= spacing * 0.6:
            prices.append(price)
            last_y = y
    return prices
