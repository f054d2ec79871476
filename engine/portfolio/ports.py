"""What the ledger needs of other parts."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.model.fill import Fill
from engine.model.ids import OrderRef, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session


class FillJournal(Protocol):
    """Durable fills."""

    def fills(self) -> Iterable[Fill]: ...
    def commit(self, entries: Sequence[tuple[OrderRef, str, int, bytes]] = (), *, fills: Sequence[Fill] = ()) -> None:
        """Make fills durable. Raises ``JournalError``."""


class Store(Protocol):
    """Small durable values."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...


class Market(Protocol):
    """Prices and instruments; ``None`` is unknown."""

    def symbols(self) -> Iterable[Symbol]: ...
    def quote(self, symbol: Symbol) -> Quote | None: ...
    def instrument(self, symbol: Symbol) -> Instrument | None: ...
    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...


class Rates(Protocol):
    """Exchange rates."""

    def rate(self, currency: str, base: str) -> float | None:
        """Units of ``base`` for one ``currency``; None is unknown."""


class OneCurrency:
    """No exchange rates: everything but the base currency is unknown."""

    def rate(self, currency: str, base: str) -> float | None:
        return 1.0 if currency == base else None
