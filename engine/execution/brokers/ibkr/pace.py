"""The budget of messages: cancels first, orders at once or not at all, data with what is left.

The library's own throttle is a queue in which an order can wait and get lost; this budget keeps it out of use. A
cancel that finds the second full waits for the moment at which the window has slid on, so the last one of any burst
leaves within a second.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from engine.bus.clock import SECOND, Clock, Timer

Send = Callable[[], None]


class Pace:
    """Counts messages in a sliding second."""

    def __init__(self, clock: Clock, per_second: int, data_per_second: int) -> None:
        self._clock = clock
        self._limit = per_second
        self._data_limit = min(data_per_second, per_second)
        self._sent: deque[int] = deque()
        self._data: deque[int] = deque()
        self._cancels: deque[Send] = deque()
        self._timer: Timer | None = None
        self._lock = asyncio.Lock()
        self.peak = 0
        """Most messages in any second so far."""

    @property
    def used(self) -> int:
        """Messages in the last second."""
        return self._slide()

    @property
    def waiting(self) -> int:
        """Cancels that wait for room."""
        return len(self._cancels)

    def take(self, count: int) -> bool:
        """Room for ``count`` messages now: taken, or not. Nothing waits."""
        if self._cancels or self._slide() + count > self._limit:
            return False
        self._note(count)
        return True

    def cancel(self, send: Send) -> None:
        """Send a cancel now, or as soon as the second has room."""
        if not self._cancels and self._slide() < self._limit:
            self._note(1)
            send()
            return
        self._cancels.append(send)
        self._arm()

    async def control(self) -> None:
        """Wait for room for a question about orders; a few places stay free for orders."""
        while self._cancels or self._slide() >= self._limit - 5:
            await self._clock.sleep(0.02)
        self._note(1)

    async def data(self) -> None:
        """Wait for room for a data request; half of the second stays free for orders."""
        async with self._lock:
            while True:
                now = self._clock.monotonic()
                while self._data and self._data[0] <= now - SECOND:
                    self._data.popleft()
                busy = self._slide() >= self._limit // 2 or len(self._data) >= self._data_limit
                if not busy and not self._cancels:
                    break
                await self._clock.sleep(0.02)
            self._data.append(now)
            self._note(1)

    def data_now(self) -> None:
        """Count a data message that does not wait: an unsubscribe, a heartbeat."""
        self._slide()
        self._note(1)

    def reset(self) -> None:
        """The connection ended: what waited is gone with it."""
        self._cancels.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _slide(self) -> int:
        edge = self._clock.monotonic() - SECOND
        while self._sent and self._sent[0] < edge:
            self._sent.popleft()
        return len(self._sent)

    def _note(self, count: int) -> None:
        self._sent.extend([self._clock.monotonic()] * count)
        self.peak = max(self.peak, len(self._sent))

    def _arm(self) -> None:
        if self._timer is None and self._cancels:
            wait_ns = self._sent[0] + SECOND - self._clock.monotonic() if self._sent else 0
            self._timer = self._clock.call_later(max(wait_ns, 0) / SECOND + 0.0005, self._drain)

    def _drain(self) -> None:
        self._timer = None
        while self._cancels and self._slide() < self._limit:
            self._note(1)
            self._cancels.popleft()()
        self._arm()
