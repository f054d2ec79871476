"""Numbers and times as a trader reads them. Pure functions; every missing value is an en dash."""

import math
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

THIN = "\u2009"
MINUS = "\u2212"
MISSING = "–"
UP_ARROW = "▲"
DOWN_ARROW = "▼"

Number = float | int | Decimal


@lru_cache(maxsize=256)
def decimals_of(tick: Decimal) -> int:
    """Return how many decimals a tick size needs: 0.01 -> 2, 0.25 -> 2, 1 -> 0."""
    exponent = tick.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or tick <= 0:
        raise ValueError(f"tick size must be a positive number, not {tick}")
    return max(0, -exponent)


def round_to_tick(price: Number, tick: Decimal) -> Decimal:
    """Return the multiple of `tick` nearest to a price, ties upwards; ValueError for NaN."""
    if not math.isfinite(price):
        raise ValueError(f"price must be finite, not {price}")
    steps = (Decimal(str(price)) / tick).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return (steps * tick).quantize(Decimal(1).scaleb(-decimals_of(tick)))


def _missing(value: Number | None) -> bool:
    return value is None or not math.isfinite(value)


def _grouped(value: Number, decimals: int) -> str:
    if not isinstance(value, Decimal):
        # A number that ends in a 5 behind the last decimal is rounded as it is written, not as it is stored; every
        # other one is the same either way.
        written = repr(float(value))
        if not ("e" in written or (written[-1] == "5" and len(written) - written.index(".") == decimals + 2)):
            return f"{abs(value):,.{decimals}f}".replace(",", THIN)
    quantum = Decimal(1).scaleb(-decimals)
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    rounded = abs(exact.quantize(quantum, rounding=ROUND_HALF_EVEN))
    return f"{rounded:,f}".replace(",", THIN)


def number(value: Number | None, decimals: int = 2) -> str:
    """Format with thin-space thousands and a true minus sign."""
    if _missing(value):
        return MISSING
    assert value is not None
    text = _grouped(value, decimals)
    return MINUS + text if value < 0 and text.strip("0.") else text


def price(value: Number | None, tick: Decimal) -> str:
    """Format a price with the precision of its tick size."""
    return number(value, decimals_of(tick))


def signed(value: Number | None, decimals: int = 2) -> str:
    """Format a change with its sign; a change that rounds to nothing has none."""
    text = number(value, decimals)
    if text == MISSING or text.startswith(MINUS) or not text.replace(THIN, "").strip("0."):
        return text
    return "+" + text


def arrow(value: Number | None) -> str:
    """Return ▲, ▼ or nothing for a change."""
    if _missing(value) or value == 0:
        return ""
    assert value is not None
    return UP_ARROW if value > 0 else DOWN_ARROW


def change(value: Number | None, decimals: int = 2) -> str:
    """Format a change with arrow and sign: `▲ +1.25`."""
    text = signed(value, decimals)
    return f"{arrow(value)} {text}" if text[:1] in ("+", MINUS) else text


def percent(value: Number | None, decimals: int = 2) -> str:
    """Format a signed percentage, given in percent: `+0.12 %` with a thin space."""
    text = signed(value, decimals)
    return text if text == MISSING else f"{text}{THIN}%"


def quantity(value: Number | None) -> str:
    """Format a quantity: whole if it is whole, else up to 8 decimals."""
    if _missing(value):
        return MISSING
    assert value is not None
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    shown = exact.quantize(Decimal(1).scaleb(-8), rounding=ROUND_HALF_EVEN).normalize()
    exponent = shown.as_tuple().exponent
    return number(shown, max(0, -exponent) if isinstance(exponent, int) else 0)


_UNITS = ((999.5, 1.0, ""), (999.5e3, 1e3, "k"), (999.5e6, 1e6, "M"), (999.5e9, 1e9, "G"), (math.inf, 1e12, "T"))


def compact(value: Number | None) -> str:
    """Format a large amount briefly: `212 k`, `36.5 M`, `1.2 T`."""
    if _missing(value):
        return MISSING
    assert value is not None
    size = abs(float(value))
    for limit, divisor, unit in _UNITS:
        if size < limit:
            scaled = float(value) / divisor
            decimals = 0 if not unit or abs(scaled) >= 99.95 else 1
            text = number(scaled, decimals)
            return f"{text}{THIN}{unit}" if unit else text
    return MISSING


def money(value: Number | None, currency: str = "", decimals: int = 2) -> str:
    """Format an amount; the currency follows when given."""
    text = number(value, decimals)
    return f"{text}{THIN}{currency}" if currency and text != MISSING else text


def duration(seconds: float | None) -> str:
    """Format a duration: `6:12`, `1:05:09`, `3 d 4:00:00`."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    sign = MINUS if seconds <= -1 else ""
    whole = abs(int(seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    clock = f"{hours}:{minutes:02}:{left:02}" if hours or days else f"{minutes}:{left:02}"
    return f"{sign}{days} d {clock}" if days else sign + clock


@lru_cache(maxsize=32)
def _zone(name: str) -> "ZoneInfo":
    # Nothing before the first paint tells a time, and zones are dear to import.
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def local_time(ts_ns: int, zone: str) -> datetime:
    """Return the wall clock of a zone for UTC nanoseconds (whole microseconds)."""
    seconds, nanos = divmod(int(ts_ns), 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000).astimezone(_zone(zone))


def clock(ts_ns: int | None, zone: str, label: str = "", seconds: bool = True) -> str:
    """Format a time of day with its zone: `15:42:07 ET`."""
    if ts_ns is None:
        return MISSING
    moment = local_time(ts_ns, zone)
    text = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{text} {label or moment.tzname()}"
