"""Durable counts per exchange date, and what was sent lately. A day is the exchange's, never UTC's or the user's."""

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from engine.bus.clock import SECOND
from engine.model.ids import IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderStatus, Origin
from engine.risk.exposure import is_closing
from engine.risk.ports import CounterStore

ORDERS = {Origin.AUTO: "orders.auto", Origin.PROGRAM: "orders.auto", Origin.MANUAL: "orders.manual"}
"""Programs use up what the agent may send in a day."""


class DayCounts:
    """Counts of today. The store is the truth; nothing is cached over a restart or a date."""

    def __init__(self, store: CounterStore) -> None:
        self._store = store
        self._cache: dict[tuple[str, str], int] = {}

    def get(self, key: str, date: str) -> int:
        """Return the count of ``key`` on ``date`` (exchange date, ISO)."""
        found = self._cache.get((key, date))
        if found is None:
            if len(self._cache) > 10_000:
                self._cache.clear()
            found = self._cache[(key, date)] = self._store.get(key, date)
        return found

    def add(self, key: str, date: str, n: int = 1) -> None:
        """Count durably; raises ``JournalError`` and counts nothing when that fails."""
        before = self.get(key, date)
        self._store.add(key, date, n)
        self._cache[(key, date)] = before + n

    def orders(self, origin: Origin, date: str) -> int:
        """Return the opening orders of one kind of sender on a date."""
        return self.get(ORDERS.get(origin, ORDERS[Origin.MANUAL]), date)

    def count_order(self, request: OrderRequest, date: str) -> None:
        """Count an opening order at the moment it is cleared, not when the broker echoes it."""
        self.add(ORDERS.get(request.origin, ORDERS[Origin.MANUAL]), date)
        if request.origin.unattended:
            self.add(f"entries.{request.symbol}", date)

    def entries(self, symbol: Symbol, date: str) -> int:
        """Return the agent's entries in one symbol on a date."""
        return self.get(f"entries.{symbol}", date)

    def modifies(self, ref: OrderRef) -> int:
        """Return how often an order was changed."""
        return self.get(f"modifies.{ref}", "all")

    def count_modify(self, ref: OrderRef) -> None:
        self.add(f"modifies.{ref}", "all")


class Sent(NamedTuple):
    """One order that was cleared."""

    at_ns: int
    symbol: Symbol
    side: Side
    quantity: float
    price: float
    notional: float
    strategy: str


class SentLog:
    """Orders cleared in the last hour (newest last), for duplicates and fat fingers; seeded from the desk at start."""

    def __init__(self, keep_ns: int = 3600 * SECOND) -> None:
        self._keep_ns = keep_ns
        self._notionals: deque[float] = deque(maxlen=20)
        self._by_symbol: dict[Symbol, deque[Sent]] = {}

    def add(self, sent: Sent) -> None:
        """Remember an order."""
        if sent.notional > 0:
            self._notionals.append(sent.notional)
        mine = self._by_symbol.setdefault(sent.symbol, deque(maxlen=200))
        mine.append(sent)
        while mine and mine[0].at_ns < sent.at_ns - self._keep_ns:
            mine.popleft()

    def of(self, symbol: Symbol) -> tuple[Sent, ...] | deque[Sent]:
        """Return what was sent in one symbol, oldest first."""
        return self._by_symbol.get(symbol, ())

    def usual_notional(self) -> float | None:
        """Return the median value of the last 20 orders; None while there are fewer than five."""
        return median(self._notionals) if len(self._notionals) >= 5 else None

    def seed(self, orders: list[OrderStatus], multiplier: Callable[[Symbol], float]) -> None:
        """Take over what an earlier run sent (orders with a price); ``multiplier``: units a contract stands for."""
        for status in sorted(orders, key=lambda s: s.created_ns):
            request = status.request
            price = request.limit_price or request.stop_price
            if status.external or is_closing(request) or price is None:
                continue
            value = float(price)
            quantity = float(request.quantity)
            self.add(
                Sent(
                    status.created_ns,
                    request.symbol,
                    request.side,
                    quantity,
                    value,
                    quantity * value * multiplier(request.symbol),
                    request.strategy,
                )
            )


class Messages:
    """Times of messages to the broker, for the rate limits."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=4096)

    def note(self, now: int, count: int = 1) -> None:
        """Count messages (orders, changes, cancels)."""
        self._times.extend([now] * count)

    def within(self, now: int, seconds: float) -> int:
        """Return the messages of the last ``seconds``."""
        since = now - round(seconds * SECOND)
        n = 0
        for at in reversed(self._times):
            if at <= since:
                break
            n += 1
        return n


class Decisions:
    """Identical decisions of a strategy within a window (G10)."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Symbol, Side, float], deque[tuple[int, IntentId]]] = {}

    def note(self, request: OrderRequest, now: int, window_ns: int) -> int:
        """Count a decision and return how many identical ones the window holds; one intent counts once."""
        key = (request.strategy, request.symbol, request.side, float(request.quantity))
        seen = self._seen.setdefault(key, deque(maxlen=1000))
        while seen and seen[0][0] <= now - window_ns:
            seen.popleft()
        if not any(intent == request.intent_id for _, intent in seen):
            seen.append((now, request.intent_id))
        return len(seen)

    def forget(self, strategy: str) -> None:
        """A person re-armed the strategy."""
        for key in [key for key in self._seen if key[0] == strategy]:
            del self._seen[key]
