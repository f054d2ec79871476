"""Reports of the broker, taken one at a time and in order; while a message of ours is handed over they wait."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.model.report import AnyReport


class Inbox:
    """A report that comes while another is taken, or while held, waits for its turn."""

    def __init__(self, take: Callable[[AnyReport], None]) -> None:
        self._take = take
        self._waiting: deque[AnyReport] = deque()
        self._busy = False

    def put(self, report: AnyReport) -> None:
        """Take the report, now or in its turn."""
        self._waiting.append(report)
        self.drain()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let reports wait. The caller drains afterwards, when it has done its own."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def drain(self) -> None:
        """Take what waits, unless held."""
        if self._busy:
            return
        with self.held():
            while self._waiting:
                self._take(self._waiting.popleft())
