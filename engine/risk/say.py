"""Numbers in sentences, and the findings rules return."""

from typing import NamedTuple

from engine.model.decision import Denial


class Finding(NamedTuple):
    """One objection of a rule; a warning never denies."""

    denial: Denial
    warning: bool = False


Findings = tuple[Finding, ...]
NOTHING: Findings = ()


def hard(code: str, text: str, limit: object = "", value: object = "") -> Findings:
    """Return an objection no confirmation helps against."""
    return (Finding(Denial(code=code, text=text, hard=True, limit=str(limit), value=str(value))),)


def soft(code: str, text: str, limit: object = "", value: object = "") -> Findings:
    """Return an objection a person may confirm once; for the agent it is hard."""
    return (Finding(Denial(code=code, text=text, hard=False, limit=str(limit), value=str(value))),)


def warn(code: str, text: str, limit: object = "", value: object = "") -> Findings:
    """Return a remark that denies nothing."""
    return (Finding(Denial(code=code, text=text, hard=False, limit=str(limit), value=str(value)), True),)


def percent(value: float) -> str:
    """Write a percentage without needless digits."""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:,.0f}"
    return f"{text} %"


def money(value: float) -> str:
    """Write an amount with thousands marks; cents only where they matter."""
    return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def count(value: float) -> str:
    """Write a number of things."""
    return f"{value:,.8f}".rstrip("0").rstrip(".")


def above(value: float, limit: float) -> bool:
    """Say whether ``value`` exceeds ``limit`` beyond rounding of floats; NaN counts as above."""
    return not value <= limit * (1.0 + 1e-9)


SHOWN = 5


def shown(denials: tuple[Denial, ...], most: int = SHOWN) -> tuple[Denial, ...]:
    """Return the objections a screen shows: at most five, hard ones first. All are kept in the verdict."""
    return tuple(sorted(denials, key=lambda d: not d.hard))[:most]
