"""The agent's orders wait for their turn when the message rate (G8) is used up: closing ones, then the strongest.

What waits is judged again at its turn, on the quotes of then. A quote that is old is waited for, too, but not for long.
"""

from collections.abc import Callable

from engine.approval.case import Live
from engine.approval.policy import QUOTE, RATE
from engine.bus.clock import SECOND, Clock, Timer
from engine.model.decision import Denial

EVERY_S = 0.5
QUOTE_S = 30.0
"""How long a suggestion waits for nothing but a newer quote."""


class Turns:
    """A queue; ``take`` is called twice a second for each in it, and puts it back when it is still too early."""

    def __init__(self, clock: Clock, take: Callable[[Live], None]) -> None:
        self._clock = clock
        self._take = take
        self._waiting: list[Live] = []
        self._timer: Timer | None = None
        self._given = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, live: Live, held: tuple[Denial, ...]) -> bool:
        """Queue a suggestion that ``held`` keeps back; False when it has waited for a quote long enough."""
        codes = {denial.code for denial in held}
        now = self._clock.now()
        if codes != {QUOTE}:
            live.stale_ns = 0
        elif not live.stale_ns:
            live.stale_ns = now
        elif now - live.stale_ns > QUOTE_S * SECOND:
            return False
        if not live.turn:
            self._given += 1
            live.turn = self._given
        live.held = held
        self._waiting.append(live)
        self._waiting.sort(key=_order)
        self._arm()
        return True

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
        round_, self._waiting = self._waiting, []
        try:
            while round_:
                live = round_.pop(0)
                self._take(live)
                if any(one is live for one in self._waiting) and any(denial.code == RATE for denial in live.held):
                    # No message is left for it, so none for those behind it.
                    break
        finally:
            # Where one look failed, the others keep their places.
            self._waiting += round_
            self._waiting.sort(key=_order)
            self._arm()


def _order(live: Live) -> tuple[bool, float, int]:
    suggestion = live.case.suggestion
    worth = max((abs(f.score) for f in suggestion.forecasts if not f.abstained), default=0.0)
    return (not suggestion.reduces, -worth, live.turn)
