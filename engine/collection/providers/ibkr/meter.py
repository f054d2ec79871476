"""The broker's budget of historical requests, kept before it is broken (60 in ten minutes, 6 of one contract in two
seconds, the same again not within 15 s). Pure state."""

from collections import deque

from engine.bus.clock import SECOND

_TEN_MINUTES = 600 * SECOND
_MOST, _MOST_OF_ONE = 60, 5
_TWO_SECONDS = 2 * SECOND
_SAME = 15 * SECOND


class Meter:
    """When may the next one go?"""

    def __init__(self) -> None:
        self._sent: deque[int] = deque()
        self._of_one: dict[int, deque[int]] = {}
        self._same: dict[str, int] = {}
        self._closed_until = 0

    def wait_ns(self, contract: int, request: str, now: int) -> int:
        """Nanoseconds until this request is within the budget; 0 when it is now."""
        self._slide(now)
        free = self._closed_until
        if len(self._sent) >= _MOST:
            free = max(free, self._sent[len(self._sent) - _MOST] + _TEN_MINUTES)
        recent = self._of_one.get(contract)
        if recent is not None and len(recent) >= _MOST_OF_ONE:
            free = max(free, recent[len(recent) - _MOST_OF_ONE] + _TWO_SECONDS)
        if request in self._same:
            free = max(free, self._same[request] + _SAME)
        return max(0, free - now)

    def note(self, contract: int, request: str, now: int) -> None:
        """It goes now."""
        self._sent.append(now)
        self._of_one.setdefault(contract, deque()).append(now)
        self._same[request] = now

    def violated(self, now: int) -> None:
        """The broker complained: nothing for a minute."""
        self._closed_until = max(self._closed_until, now + 60 * SECOND)

    def used(self, now: int) -> int:
        """Requests of the last ten minutes."""
        self._slide(now)
        return len(self._sent)

    def _slide(self, now: int) -> None:
        while self._sent and self._sent[0] <= now - _TEN_MINUTES:
            self._sent.popleft()
        for contract in [c for c, times in self._of_one.items() if times[-1] <= now - _TWO_SECONDS]:
            del self._of_one[contract]
        for times in self._of_one.values():
            while times[0] <= now - _TWO_SECONDS:
                times.popleft()
        for request in [r for r, at in self._same.items() if at <= now - _SAME]:
            del self._same[request]
