"""Reading everything the broker holds: one survey at a time, part after part, each with its own time limit.

A part that is not answered in time is ``None``: unknown, never empty.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ib_async import Contract, ExecutionFilter, Order, OrderState

from engine.bus.clock import Clock
from engine.bus.errors import BrokerError
from engine.execution.brokers.ibkr.pace import Pace
from engine.execution.brokers.ibkr.wire import Wire
from engine.model.report import CommissionReport, ExecutionReport

T = TypeVar("T")
_SILENT_S = 1.0
"""How long completed orders are waited for at a gateway that did not tell them twice."""
OrderRow = tuple[Contract, Order, OrderState]
PositionRow = tuple[str, Contract, float, float]


class Found:
    """The raw rows of one survey."""

    def __init__(self) -> None:
        self.open_orders: list[OrderRow] | None = None
        self.statuses: dict[tuple[int, int, int], tuple[str, float, str]] = {}
        """(client id, order id, permanent id) -> status, filled, why held; follows each open order."""
        self.completed: list[OrderRow] | None = None
        self.executions: list[ExecutionReport] | None = None
        self.commissions: list[CommissionReport] = []
        self.positions: list[PositionRow] | None = None


class Survey:
    """Asks, collects and waits. The broker feeds it what it hears."""

    def __init__(self, clock: Clock, pace: Pace, part_s: float, budget_s: float) -> None:
        self._clock = clock
        self._pace = pace
        self._part_s = part_s
        self._budget_s = budget_s
        self._lock = asyncio.Lock()
        self._rows: dict[str, list[object]] = {}
        self._end: dict[str, asyncio.Future[None]] = {}
        self._owed: dict[str, bool] = {}
        """Parts whose last answer did not come in time: should it come, it does not answer the next question."""
        self.statuses: dict[tuple[int, int, int], tuple[str, float, str]] = {}
        self._silent = 0
        """How often in a row the completed orders were not told on this connection."""
        self.request_id = 0
        """Of the executions being read; 0 when none are."""

    def collecting(self, what: str) -> bool:
        """Whether a part is being read now."""
        return what in self._end

    def add(self, what: str, row: object) -> None:
        """A row of a part; ignored when that part is not being read."""
        if what in self._rows:
            self._rows[what].append(row)

    def end(self, what: str) -> None:
        """A part is complete."""
        if self._owed.pop(what, False):
            self._rows.get(what, []).clear()
            if what == "open_orders":
                self.statuses.clear()
            return
        future = self._end.get(what)
        if future is not None and not future.done():
            future.set_result(None)

    def give_up(self, reason: str) -> None:
        """The connection ended: nothing of what is being read will come."""
        self._owed.clear()
        self._silent = 0
        for future in self._end.values():
            if not future.done():
                future.set_exception(BrokerError(reason))

    async def read(self, client: Callable[[], Wire], new_id: Callable[[], int]) -> Found:
        """Ask for all parts. Raises ``BrokerError`` when the connection ends."""
        async with self._lock:
            found = Found()
            until = self._clock.monotonic() + round(self._budget_s * 1e9)
            self.statuses = found.statuses
            found.open_orders = await self._part("open_orders", until, lambda: client().reqAllOpenOrders())
            found.completed = await self._completed(until, client)
            self.request_id = new_id()
            wanted = ExecutionFilter()
            self._rows["commissions"] = found.commissions  # type: ignore[assignment]
            try:
                found.executions = await self._part(
                    "executions", until, lambda: client().reqExecutions(self.request_id, wanted)
                )
            finally:
                self.request_id = 0
                del self._rows["commissions"]
            found.positions = await self._part("positions", until, lambda: client().reqPositions())
            return found

    async def _completed(self, until: int, client: Callable[[], Wire]) -> list[OrderRow] | None:
        """Completed orders. A gateway need not have them: what is over is also missing from the open orders, and an
        order that is nowhere is closed only after two rounds, by its executions and the position.
        """
        while True:
            limit_s = self._part_s if self._silent < 2 else _SILENT_S
            rows: list[OrderRow] | None = await self._part(
                "completed", until, lambda: client().reqCompletedOrders(False), limit_s
            )
            self._silent = 0 if rows is not None else self._silent + 1
            if rows is not None or self._silent >= 2:
                return rows or []

    async def _part(
        self, what: str, until: int, ask: Callable[[], None], limit_s: float | None = None
    ) -> list[T] | None:
        left_s = (until - self._clock.monotonic()) / 1e9
        if left_s <= 0:
            return None
        rows: list[T] = []
        owed = self._owed.get(what, False)
        self._rows[what] = rows  # type: ignore[assignment]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end[what] = done
        try:
            async with asyncio.timeout(min(limit_s or self._part_s, left_s)):
                await self._pace.control()
                ask()
                await done
        except TimeoutError:
            # Executions carry the number of their question; lists do not. An answer that was taken for the late one
            # leaves nothing owed, else a lost answer would be waited for for ever.
            if what != "executions" and not (owed and what not in self._owed):
                self._owed[what] = True
            return None
        finally:
            del self._rows[what], self._end[what]
        return rows
