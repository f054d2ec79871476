"""Price alerts of a person, by symbol, in one file of the profile."""

import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec

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


class AlertStore:
    """Reads once, writes on change in one step."""

    def __init__(self, profile: Path) -> None:
        self._path = profile / FILE
        self.problem = ""
        """Why the file could not be used, in words; it is then left as it is."""
        self._kept = self._read()
        self._used = {alert.id for alerts in self._kept.values() for alert in alerts}

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have alerts."""
        return tuple(self._kept)

    def get(self, symbol: str) -> tuple[Alert, ...]:
        """Return the alerts of a symbol."""
        return self._kept.get(symbol, ())

    def new_id(self) -> str:
        """Return an id that none has, nor has had since the window opened."""
        number = len(self._used) + 1
        while f"a{number}" in self._used:
            number += 1
        self._used.add(f"a{number}")
        return f"a{number}"

    def put(self, symbol: str, alerts: tuple[Alert, ...]) -> None:
        """Keep the alerts of a symbol. Raises ``OSError``; they hold until the end anyway."""
        if alerts:
            self._kept[symbol] = alerts
        else:
            self._kept.pop(symbol, None)
        if self.problem:
            raise OSError(self.problem)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self._kept)))
        temporary.replace(self._path)

    def _read(self) -> dict[str, tuple[Alert, ...]]:
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=dict[str, tuple[Alert, ...]])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            self.problem = f"{FILE} cannot be used: {error}"
            return {}
        for symbol, alerts in found.items():
            for alert in alerts:
                if not alert.price.is_finite() or alert.price <= 0:
                    self.problem = f"{FILE} cannot be used: {symbol}, {alert.id}: {alert.price} is no price"
                    return {}
        return {symbol: alerts for symbol, alerts in found.items() if alerts}
