"""Ends of orders that Alpaca does not keep: a good-till time, and a day whose bracket outlives it.

What is to end is read from the order desk, which has it from its journal: so it is known after a restart, too. A timer
ends an order on time; each comparison with the broker looks again and repeats what did not arrive.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from engine.bus.clock import SECOND, Clock, Timer
from engine.bus.errors import BrokerError
from engine.execution.brokers.alpaca.names import Names, Row
from engine.execution.brokers.alpaca.rest import Rest
from engine.execution.brokers.alpaca.words import nanoseconds
from engine.model.ids import OrderRef
from engine.model.order import OrderStatus, TimeInForce

DAY_NS = 86_400 * SECOND
_UNDER_WAY = ("pending_cancel", "pending_replace")


class Expiring:
    """Knows when orders are over."""

    def __init__(
        self,
        clock: Clock,
        rest: Rest,
        names: Names,
        *,
        order: Callable[[OrderRef], OrderStatus | None],
        end: Callable[[OrderRef], Awaitable[None]],
        now: Callable[[OrderRef], None],
    ) -> None:
        """``end(ref)`` asks the broker to cancel; ``now(ref)`` begins to, without waiting."""
        self._clock = clock
        self._rest = rest
        self._names = names
        self._order = order
        self._end = end
        self._now = now
        self._timers: dict[OrderRef, tuple[int, Timer]] = {}

    def stop(self) -> None:
        """Forget the timers."""
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def watch(self, ref: OrderRef, until_ns: int) -> None:
        """End an order at a time (UTC ns), unless it is moved on until then."""
        running = self._timers.get(ref)
        if running is not None:
            if running[0] == until_ns:
                return
            running[1].cancel()
        self._timers[ref] = until_ns, self._clock.call_at(until_ns, lambda: self._due(ref))

    def _due(self, ref: OrderRef) -> None:
        self._timers.pop(ref, None)
        status = self._order(ref)
        if status is None or status.state.closed:
            return
        until = status.request.good_till_ns
        if until is not None and until > self._clock.now():
            self.watch(ref, until)
        else:
            self._now(ref)

    async def sweep(self, rows: Iterable[Row]) -> None:
        """Look at all open orders: cancel those that are over, and wait for the others."""
        now = self._clock.now()
        days: list[tuple[OrderRef, Any]] = []
        for row in rows:
            ref = self._names.ref(str(row["id"]))
            status = self._order(ref) if ref else None
            if status is None or row.get("status") in _UNDER_WAY or status.parent_ref is not None:
                continue
            wanted = status.request
            if wanted.tif is TimeInForce.GTD and wanted.good_till_ns is not None:
                if wanted.good_till_ns <= now:
                    await self._end(ref)
                else:
                    self.watch(ref, wanted.good_till_ns)
            elif wanted.tif is TimeInForce.DAY and row.get("time_in_force") == "gtc":
                days.append((ref, row))
        if days:
            await self._end_days(days)

    async def _end_days(self, days: list[tuple[OrderRef, Any]]) -> None:
        """Entries for the day that are open after their day because their legs are to outlive it."""
        try:
            is_open = (await self._rest.read("/clock")).get("is_open")
        except (BrokerError, AttributeError):
            return
        for ref, row in days:
            if is_open is False or self._clock.now() - nanoseconds(row["created_at"]) > DAY_NS:
                await self._end(ref)
