"""Black-Scholes numbers for the option ticks (Hull, Options, Futures and Other Derivatives, chapters 15 and 19)."""

from __future__ import annotations

import math
from dataclasses import dataclass

VOLATILITY = 0.30


@dataclass(frozen=True)
class OptionValues:
    volatility: float
    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


def _cdf(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def option_values(spot: float, strike: float, years: float, right: str, volatility: float = VOLATILITY) -> OptionValues:
    """Price and greeks without rates or dividends; vega per volatility point, theta per day."""
    years = max(years, 1e-6)
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + 0.5 * volatility**2 * years) / spread
    d2 = d1 - spread
    density = math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    call = spot * _cdf(d1) - strike * _cdf(d2)
    price, delta = (call, _cdf(d1)) if right == "C" else (call - spot + strike, _cdf(d1) - 1.0)
    theta = -spot * density * volatility / (2.0 * math.sqrt(years)) / 365.0
    vega = spot * density * math.sqrt(years) / 100.0
    return OptionValues(volatility, price, delta, density / (spot * spread), vega, theta)


def implied_volatility(spot: float, strike: float, years: float, right: str, price: float) -> float:
    """Bisection on the price; -1 when no volatility between 0.1 % and 500 % gives it."""
    low, high = 0.001, 5.0
    if not (option_values(spot, strike, years, right, low).price <= price):
        return -1.0
    if not (option_values(spot, strike, years, right, high).price >= price):
        return -1.0
    for _ in range(80):
        middle = (low + high) / 2
        if option_values(spot, strike, years, right, middle).price < price:
            low = middle
        else:
            high = middle
    return (low + high) / 2
