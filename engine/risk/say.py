"""Numbers in sentences, and the findings rules return."""

import math
from collections.abc import Callable
from typing import NamedTuple

from engine.model.decision import Denial


class Finding(NamedTuple):
    """One objection of a rule; a warning never denies."""

    denial: Denial
    warning: bool = False


Findings = tuple[Finding, ...]
NOTHING: Findings = ()
UNKNOWN = "unknown"
"""Said for a number that is none: no person can do anything with "nan"."""


def hard(code: str, text: str, limit: object = "", value: object = "") -> Findings:
    """Return an objection no confirmation helps against."""
    return (Finding(Denial(code=code, text=text, hard=True, limit=str(limit), value=str(value))),)


def soft(code: str, text: str, limit: object = "", value: object = "") -> Findings:
    """Return an objection a person may confirm once; for the agent it is hard."""
    return (Finding(Denial(code=code, text=text, hard=False, limit=str(limit), value=str(value))),)


def warn(code: str, text: str, limit: object = "", value: object = "") -> Findings:
    """Return a remark that denies nothing."""
    return (Finding(Denial(code=code, text=text, hard=False, limit=str(limit), value=str(value)), True),)


def percent(value: float, beside: float | None = None) -> str:
    """Write a percentage without needless digits; ``beside``: with as many as tell it from that one."""
    return _told_apart(value, beside, 2, _percent)


def money(value: float, beside: float | None = None) -> str:
    """Write an amount with thousands marks; cents only where they matter, or tell it from ``beside``."""
    return _told_apart(value, beside, 2, _money)


def count(value: float) -> str:
    """Write a number of things."""
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.8f}".rstrip("0").rstrip(".")


def figure(value: float, beside: float, digits: int = 0) -> str:
    """Write a number with at least ``digits`` decimals, and as many as tell it from ``beside``."""
    return _told_apart(value, beside, digits, _figure)


def _told_apart(value: float, beside: float | None, digits: int, write: Callable[[float, int], str]) -> str:
    """Write ``value`` with the fewest digits that do not read like ``beside``: 10.004 is not "10, above 10"."""
    if not math.isfinite(value):
        return UNKNOWN
    text = write(value, digits)
    while beside is not None and value != beside and text == write(beside, digits) and digits < 12:
        digits += 1
        text = write(value, digits)
    return text


def _percent(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:,.{digits - 2}f}"
    return f"{text} %"


def _money(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if abs(value) < 1000 else f"{value:,.{digits - 2}f}"


def _figure(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def above(value: float, limit: float) -> bool:
    """Say whether ``value`` exceeds ``limit`` beyond rounding of floats; NaN counts as above."""
    return not value <= limit * (1.0 + 1e-9)


SHOWN = 5


def shown(denials: tuple[Denial, ...], most: int = SHOWN) -> tuple[Denial, ...]:
    """Return the objections a screen shows: at most five, hard ones first. All are kept in the verdict."""
    return tuple(sorted(denials, key=lambda d: not d.hard))[:most]
