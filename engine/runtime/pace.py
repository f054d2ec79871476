"""How fast market time goes in a demo or a replay: speed, pause, one step. A live market has its own speed."""

import math

from engine.api.commands import Receipt
from engine.bus.clock import SECOND, Clock, ReplayClock, Timer

LONGEST_STEP_S = 86_400.0
_LIVE = Receipt(ok=False, code="LIVE", text="A live market has its own speed.")


class Pace:
    """Sets the clock; owns the end of a step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end: Timer | None = None
        self._speed: float | None = None
        """To go on with after a step."""

    def set(self, speed: float | None) -> Receipt:
        """Market seconds per second; None is as fast as it goes, 0 pauses. A step under way ends."""
        clock = self._clock
        if not isinstance(clock, ReplayClock):
            return _LIVE
        if speed is not None and not (math.isfinite(speed) and speed >= 0):
            return Receipt(ok=False, code="ARGUMENT", text="Speed is a positive number; 0 pauses.")
        if self._end is not None:
            self._end.cancel()
            self._end = None
            clock.set_speed(self._speed)
        clock.pause(speed == 0)
        if speed != 0:
            clock.set_speed(speed)
        return Receipt(ok=True)

    def step(self, seconds: float) -> Receipt:
        """Let that much market time pass as fast as it goes, then pause."""
        clock = self._clock
        if not isinstance(clock, ReplayClock):
            return _LIVE
        if not 0 < seconds <= LONGEST_STEP_S:
            return Receipt(ok=False, code="ARGUMENT", text=f"A step is above 0 and at most {LONGEST_STEP_S:g} s.")
        if self._end is not None:
            return Receipt(ok=False, code="STEPPING", text="The step before has not ended yet.")
        self._speed = clock.speed
        self._end = clock.call_at(clock.now() + round(seconds * SECOND), self._on_end)
        clock.set_speed(None)
        clock.pause(False)
        return Receipt(ok=True)

    def _on_end(self) -> None:
        clock, self._end = self._clock, None
        if isinstance(clock, ReplayClock):
            clock.pause()
            clock.set_speed(self._speed)
