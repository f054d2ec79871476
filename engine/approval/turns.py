"""The agent's orders wait for their turn when the message rate (G8) is used up; closing ones go first."""

from collections.abc import Callable

from engine.approval.case import Live
from engine.bus.clock import Clock, Timer

EVERY_S = 0.5


class Turns:
    """A queue; ``take`` is called for the first in it twice a second, and puts it back when it is still too early."""

    def __init__(self, clock: Clock, take: Callable[[Live], None]) -> None:
        self._clock = clock
        self._take = take
        self._waiting: list[Live] = []
        self._timer: Timer | None = None
        self._given = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, live: Live) -> None:
        """Queue a suggestion: in the order in which they were made, those that reduce first."""
        if not live.turn:
            self._given += 1
            live.turn = self._given
        self._waiting.append(live)
        self._waiting.sort(key=_order)
        self._arm()

    def stop(self) -> None:
        """Forget the queue."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = self._clock.call_later(EVERY_S, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        while self._waiting:
            live = self._waiting.pop(0)
            before = len(self._waiting)
            self._take(live)
            if len(self._waiting) > before:
                break
        self._arm()


def _order(live: Live) -> tuple[bool, int]:
    return (not live.case.suggestion.reduces, live.turn)
