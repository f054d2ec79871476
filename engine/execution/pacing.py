"""A budget of messages per second, so that nothing ever waits in a broker library's queue."""

from collections import deque

from engine.bus.clock import SECOND


class Pacing:
    """Counts sends in a sliding second. A denied send is denied, not queued."""

    def __init__(self, per_second: int) -> None:
        self._limit = per_second
        self._sent: deque[int] = deque()
        self._closed_until = 0

    def take(self, count: int, now_ns: int) -> bool:
        """Take ``count`` sends, or none when the budget does not hold them."""
        if now_ns < self._closed_until:
            return False
        while self._sent and self._sent[0] <= now_ns - SECOND:
            self._sent.popleft()
        if self._sent and len(self._sent) + count > self._limit:
            return False
        self._sent.extend([now_ns] * count)
        return True

    def close(self, seconds: float, now_ns: int) -> None:
        """Send nothing for a while: the broker complained about the rate."""
        self._closed_until = max(self._closed_until, now_ns + round(seconds * SECOND))
