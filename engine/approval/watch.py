"""Which suggestions wait for a price, by symbol: one look-up per tick."""

import math

from engine.api.commands import ApproveIf
from engine.approval.case import Live
from engine.approval.drift import reward_risk
from engine.model.ids import Symbol
from engine.model.money import finite
from engine.model.suggestion import Suggestion


class Watch:
    """Conditional approvals by symbol."""

    def __init__(self) -> None:
        self._watched: dict[Symbol, list[Live]] = {}

    def of(self, symbol: Symbol) -> tuple[Live, ...]:
        """Return those that wait for a price of ``symbol``."""
        watched = self._watched.get(symbol)
        return tuple(watched) if watched is not None else ()

    def add(self, live: Live) -> None:
        watched = self._watched.setdefault(live.case.suggestion.symbol, [])
        if live not in watched:
            watched.append(live)

    def remove(self, live: Live) -> None:
        symbol = live.case.suggestion.symbol
        watched = [other for other in self._watched.get(symbol, []) if other is not live]
        if watched:
            self._watched[symbol] = watched
        else:
            self._watched.pop(symbol, None)


def unsound(command: ApproveIf, suggestion: Suggestion) -> str:
    """Say why a condition makes no sense, empty when it does."""
    if not finite(command.price) or command.price <= 0:
        return "The price must be above zero."
    if not math.isfinite(command.seconds) or command.seconds <= 0:
        return "The time must be above zero."
    if not suggestion.reduces and math.isnan(reward_risk(suggestion, float(command.price))):
        return "That price is beyond the stop or the target."
    return ""
