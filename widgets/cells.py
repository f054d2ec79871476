"""Words and numbers that several tables write the same way."""

import math
from decimal import Decimal

from widgets import dates, formats
from widgets.words import tr

NEW_YORK = "America/New_York"
_SHORT_ZONES = {NEW_YORK: "ET", "America/Chicago": "CT", "Europe/London": "London", "UTC": "UTC", "Etc/UTC": "UTC"}


def zone_label(zone: str) -> str:
    """Return the short name a trader uses for a zone."""
    return _SHORT_ZONES.get(zone, zone.rsplit("/", 1)[-1].replace("_", " "))


def price_text(value: Decimal | float | None, decimals: int | None = None) -> str:
    """Return a price with its own decimals, two at least; an average is cut to two (four below 1)."""
    if value is None or not math.isfinite(value):
        return formats.MISSING
    if decimals is None:
        exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
        exponent = exact.normalize().as_tuple().exponent
        own = -exponent if isinstance(exponent, int) else 2
        decimals = max(2, own if own <= 4 and abs(exact) < 1 else min(own, 2))
    return formats.number(value, decimals)


def time_text(ts_ns: int, zone: str) -> str:
    """Return day and time in a zone, the zone itself being in the column's title: `22 Nov 15:42:07`."""
    if not ts_ns:
        return formats.MISSING
    moment = formats.local_time(ts_ns, zone)
    return f"{dates.day_of_month(moment):>6} {moment:%H:%M:%S}"


def time_plain(ts_ns: int, zone: str) -> str:
    """Return a time for a file: date, time and offset, `2026-11-22T15:42:07.123-05:00`; empty where there is none."""
    return formats.local_time(ts_ns, zone).isoformat(timespec="milliseconds") if ts_ns else ""


def clock_text(ts_ns: int, zone: str) -> str:
    """Return the time of day with milliseconds."""
    if not ts_ns:
        return formats.MISSING
    moment = formats.local_time(ts_ns, zone)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def direction_role(value: Decimal | float | None) -> str:
    """Return the colour role of a gain, a loss or neither."""
    if value is None or not math.isfinite(value) or value == 0:
        return "t2"
    return "up" if value > 0 else "down"


def direction_mark(value: Decimal | float | None) -> str:
    """Return the arrow that says the same as the colour."""
    return role if (role := direction_role(value)) in ("up", "down") else ""


def short_account(account: str) -> str:
    """Return an account that can be told apart but not copied from a screen: `DU…567`."""
    if len(account) <= 5:
        return account
    head = "".join(letter for letter in account[:2] if letter.isalpha()) or account[:1]
    return f"{head}…{account[-3:]}"


def side_text(side: str) -> str:
    """Return BUY or SELL in the person's language."""
    return tr("BUY") if side.upper() == "BUY" else tr("SELL") if side.upper() == "SELL" else side


def side_role(side: str) -> str:
    return "up" if side.upper() == "BUY" else "down"


ORIGINS = {
    "M": "you",
    "A": "agent",
    "P": "protection",
    "F": "flatten",
    "X": "elsewhere",
    "R": "program",
}


def origin_text(origin: str, suggestion: str = "") -> str:
    """Return who wanted it, with the suggestion behind it."""
    word = tr(ORIGINS.get(origin, origin)) if origin else formats.MISSING
    return f"{word} {suggestion}" if suggestion else word
