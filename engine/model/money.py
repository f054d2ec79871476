"""Exact money. Booked amounts are ``Decimal``; floats enter only through :func:`exact`."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")
MICRO = Decimal("0.000001")


def exact(value: float | int | str | Decimal) -> Decimal:
    """Return the shortest decimal that prints as ``value``; refuse what is not finite.

    Raises ``ValueError`` for NaN and infinities: they must never reach a booked amount.
    """
    number = value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite():
        raise ValueError(f"not a finite amount: {value!r}")
    return number


def units(value: float | int | str | Decimal) -> Decimal:
    """Return a quantity as people write it: 263 and not 263.0, as a broker's float would have it.

    Raises ``ValueError`` for NaN and infinities.
    """
    number = exact(value)
    whole = Decimal(int(number))
    return whole if number == whole else number.normalize()


def finite(value: float | Decimal | None) -> bool:
    """Say whether ``value`` is a number one may trade on (not None, NaN, infinite or IB's 1.797e308 sentinel)."""
    if value is None:
        return False
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value) < Decimal("1e300")
    return math.isfinite(value) and abs(value) < 1e300


def to_tick(price: Decimal, tick: Decimal, *, up: bool | None = None) -> Decimal:
    """Round ``price`` to the grid of ``tick``: half-even, or always up / down when ``up`` is given."""
    if tick <= ZERO:
        raise ValueError(f"tick must be positive: {tick}")
    rounding = ROUND_HALF_EVEN if up is None else (ROUND_CEILING if up else ROUND_FLOOR)
    return (price / tick).to_integral_value(rounding=rounding) * tick


def cents(amount: Decimal) -> Decimal:
    """Round an amount of money to the cent, half-even."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def micro_units(amount: Decimal) -> int:
    """Express an amount as integer micro-units, the form in which it is stored."""
    return int((amount / MICRO).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_micro_units(units: int) -> Decimal:
    """Read an amount back from integer micro-units."""
    return Decimal(units) * MICRO
