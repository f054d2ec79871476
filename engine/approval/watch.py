"""Which suggestions wait for a price, by symbol: one look-up per tick."""

from engine.approval.case import Live
from engine.model.ids import Symbol


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
