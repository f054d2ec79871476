"""Price alerts of a person, by symbol, in one file of the profile."""

import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec

from market_agent_gui.symbol_file import SymbolFile

FILE = "alerts.json"
PREFIX = "alert:"
"""How the reference of an alert's line begins, before its id."""
MOST = 50
"""Of one symbol."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A price that is waited for. ``seen``: the price when it was set, it says from which side; None is unknown."""

    id: str
    price: Decimal
    seen: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """An alert whose price has come."""

    symbol: str
    alert: Alert
    last: float
    rose: bool


def crossed(previous: float, last: float, level: float) -> bool:
    """Whether a price that was on one side of a level is at it or past it now. What is no number crosses nothing."""
    if not all(map(math.isfinite, (previous, last, level))):
        return False
    return previous < level <= last or previous > level >= last


class AlertStore(SymbolFile[Alert]):
    """The alerts that wait."""

    def __init__(self, profile: Path) -> None:
        super().__init__(profile / FILE, Alert, _fault)
        self._used = {alert.id for alerts in self.kept.values() for alert in alerts}

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have alerts."""
        return tuple(self.kept)

    def new_id(self) -> str:
        """Return an id that none has, nor has had since the window opened."""
        number = len(self._used) + 1
        while f"a{number}" in self._used:
            number += 1
        self._used.add(f"a{number}")
        return f"a{number}"


def _fault(alert: Alert) -> str:
    good = alert.price.is_finite() and alert.price > 0
    return "" if good else f"{alert.id}: {alert.price} is no price"
