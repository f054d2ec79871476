"""When to compare with the broker: at start, when asked, and regularly. Rounds never overlap; each has a timeout."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from engine.bus.clock import SECOND, Clock, Timer
from engine.bus.errors import BrokerError
from engine.execution.broker import Broker
from engine.execution.settings import ExecutionSettings
from engine.model.report import BrokerSnapshot, LinkState


class OnSnapshot(Protocol):
    def __call__(self, snapshot: BrokerSnapshot, *, exact: bool) -> object: ...


class Rounds:
    """Drives snapshots: at once where the broker is embedded, else in one owned task."""

    least_gap_s = 0.25

    def __init__(
        self,
        clock: Clock,
        broker: Broker,
        settings: ExecutionSettings,
        on_snapshot: OnSnapshot,
        on_failed: Callable[[Exception], None],
    ) -> None:
        self._clock = clock
        self._broker = broker
        self._settings = settings
        self._on_snapshot = on_snapshot
        self._on_failed = on_failed
        self._soon: Timer | None = None
        self._soon_ns = 0
        self._regular: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._running = False

    def start(self) -> None:
        """Begin; the first round comes at once when the link is up."""
        self._running = True
        if self._broker.link is LinkState.UP:
            self._round()
        self._arm()

    async def stop(self) -> None:
        """End; a round under way is given up."""
        self._running = False
        for timer in (self._soon, self._regular):
            if timer is not None:
                timer.cancel()
        self._soon = self._regular = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def request(self, after_s: float = 0.0) -> None:
        """Ask for a round soon, or after a while; several wishes make one round, at the earliest of their times."""
        if self._task is not None:
            self._again = True
        elif self._running:
            after_s = max(after_s, self.least_gap_s)
            due_ns = self._clock.now() + round(after_s * SECOND)
            if self._soon is not None:
                if self._soon_ns <= due_ns:
                    return
                self._soon.cancel()
            self._soon, self._soon_ns = self._clock.call_later(after_s, self._soon_due), due_ns

    def _arm(self) -> None:
        if self._running:
            self._regular = self._clock.call_later(self._settings.orders_every_s, self._regular_due)

    def _soon_due(self) -> None:
        self._soon = None
        self._round()

    def _regular_due(self) -> None:
        self._round()
        self._arm()

    def _round(self) -> None:
        if self._task is not None or not self._running or self._broker.link is not LinkState.UP:
            return
        snapshot = self._broker.snapshot_now()
        if snapshot is not None:
            self._on_snapshot(snapshot, exact=True)
            return
        self._task = asyncio.get_running_loop().create_task(self._remote_round(), name="reconcile")

    async def _remote_round(self) -> None:
        try:
            async with asyncio.timeout(self._settings.round_timeout_s):
                snapshot = await self._broker.snapshot()
        except (TimeoutError, BrokerError, OSError) as error:
            self._done()
            self._on_failed(error if str(error) else TimeoutError("no answer in time"))
            return
        self._done()
        self._on_snapshot(snapshot, exact=False)

    def _done(self) -> None:
        self._task = None
        if self._again:
            self._again = False
            self.request()
