"""A small deterministic market: quotes set by the test or walked by a seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tests.support.tws_gateway.contracts import Contract, Universe

Listener = Callable[[int, str], None]


def decimal(value: Decimal | float | str | int) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


@dataclass
class Book:
    """Top of book and day statistics of one contract. None means no quote on that side."""

    contract: Contract
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    bid_size: Decimal = Decimal(500)
    ask_size: Decimal = Decimal(500)
    last_size: Decimal = Decimal(100)
    open: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    low: Decimal = Decimal(0)
    close: Decimal = Decimal(0)
    volume: Decimal = Decimal(0)
    halted: int = 0
    shortable: float = 3.0
    shortable_shares: int = 5_000_000
    liquidity: Decimal | None = None
    budget: Decimal | None = None
    data: str = "live"

    @property
    def mid(self) -> Decimal | None:
        if self.bid is None or self.ask is None:
            return self.last
        return (self.bid + self.ask) / 2


class Market:
    """All books; tells listeners `(con_id, "quote" | "trade" | "status")` after each change."""

    def __init__(self, universe: Universe, seed: int) -> None:
        self._universe = universe
        self._books: dict[int, Book] = {}
        self._listeners: list[Listener] = []
        self.rng = Random(seed)
        self.walking: list[int] = []
        self.walk_sigma = 0.0005
        self.session_open = True

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def _tell(self, con_id: int, kind: str) -> None:
        book = self._books[con_id]
        book.budget = book.liquidity
        for listener in self._listeners:
            listener(con_id, kind)

    def book(self, key: int | str) -> Book:
        contract = self._universe.get(key)
        book = self._books.get(contract.con_id)
        if book is None:
            p, step = contract.price, contract.increment_at(contract.price)
            last = p if contract.has_trades else None
            shares = (3.0, 5_000_000) if contract.shortable else (1.5, 0)
            book = Book(contract, p - step, p + step, last, open=p, high=p, low=p, close=p)
            book.shortable, book.shortable_shares = shares
            self._books[contract.con_id] = book
        return book

    def set_quote(
        self,
        key: int | str,
        bid: Decimal | float | str | None,
        ask: Decimal | float | str | None,
        bid_size: Decimal | float | int = 500,
        ask_size: Decimal | float | int = 500,
    ) -> None:
        """Set both sides; None takes the quote away (sent as -1 with size 0)."""
        book = self.book(key)
        book.bid = None if bid is None else decimal(bid)
        book.ask = None if ask is None else decimal(ask)
        book.bid_size = decimal(bid_size) if bid is not None else Decimal(0)
        book.ask_size = decimal(ask_size) if ask is not None else Decimal(0)
        self._tell(book.contract.con_id, "quote")

    def trade(self, key: int | str, price: Decimal | float | str, size: Decimal | float | int = 100) -> None:
        """Print a trade at a price."""
        book = self.book(key)
        book.last, book.last_size = decimal(price), decimal(size)
        book.volume += book.last_size
        book.high, book.low = max(book.high, book.last), min(book.low, book.last)
        self._tell(book.contract.con_id, "trade")

    def set_price(self, key: int | str, price: Decimal | float | str) -> None:
        """Put last at the price and the quotes one increment around it."""
        book = self.book(key)
        p = decimal(price)
        step = book.contract.increment_at(p)
        book.bid, book.ask = p - step, p + step
        book.bid_size = book.ask_size = Decimal(500)
        if book.contract.has_trades:
            self.trade(key, p)
        self._tell(book.contract.con_id, "quote")

    def set_liquidity(self, key: int | str, per_event: float | None) -> None:
        """At most this much is filled per market event; None means as much as asked."""
        book = self.book(key)
        book.liquidity = None if per_event is None else decimal(per_event)
        book.budget = book.liquidity

    def set_halted(self, key: int | str, halted: int) -> None:
        """0 trades, 1 general halt, 2 volatility halt."""
        book = self.book(key)
        book.halted = halted
        self._tell(book.contract.con_id, "status")

    def set_shortable(self, key: int | str, indicator: float, shares: int) -> None:
        book = self.book(key)
        book.shortable, book.shortable_shares = indicator, shares
        self._tell(book.contract.con_id, "status")

    def set_data(self, key: int | str, kind: str) -> None:
        """Which data the login has for the contract: live, delayed or none."""
        if kind not in ("live", "delayed", "none"):
            raise ValueError(f"data kind must be live, delayed or none, not {kind!r}")
        self.book(key).data = kind

    def walk(self, keys: Iterable[int | str], sigma: float = 0.0005) -> None:
        """Let these contracts move by a seeded random walk, one step per gateway heartbeat or `step()`."""
        self.walking = [self._universe.get(k).con_id for k in keys]
        self.walk_sigma = sigma

    def step(self) -> None:
        """One step of the random walk."""
        for con_id in self.walking:
            book = self.book(con_id)
            here = book.mid or book.contract.price
            moved = here * decimal(round(1 + self.rng.gauss(0.0, self.walk_sigma), 8))
            tick = book.contract.increment_at(moved)
            self.set_price(con_id, max(tick * 2, (moved / tick).to_integral_value() * tick))
