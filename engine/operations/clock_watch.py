"""Our clock: steps of the wall clock, and how far it is from the broker's (G23)."""

from collections.abc import Callable

from engine.bus.clock import SECOND, Clock
from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import ClockLimits, Modes
from engine.operations.settings import OperationsSettings

STEP, SKEW = "CLOCK", "CLOCK-SKEW"


class ClockGauge:
    """Measures; decides nothing. The gate's vitals read it, so it is made before anything that trades."""

    def __init__(
        self, clock: Clock, real_time: Callable[[], bool], skew: Callable[[], float | None], step_s: float
    ) -> None:
        """``skew``: our wall clock less the broker's in seconds, None while unknown, 0 where the broker is embedded."""
        self._clock, self._real_time, self._skew = clock, real_time, skew
        self._step_s = step_s
        self._last: tuple[int, int] | None = None
        self.step_ns = 0
        """When the wall clock last stepped, UTC ns by the clock after the step; 0 never."""
        self.step_size_s = 0.0

    @property
    def skew_s(self) -> float | None:
        return self._skew()

    def measure(self) -> bool:
        """Compare the wall clock's advance with the steady one's since the last time; say whether it stepped.

        A computer that slept looks the same: its steady clock stands still, and what it believed is just as old.
        """
        if not self._real_time():
            self._last = None
            return False
        now, steady = self._clock.now(), self._clock.monotonic()
        last, self._last = self._last, (now, steady)
        if last is None:
            return False
        stepped_s = ((now - last[0]) - (steady - last[1])) / SECOND
        if abs(stepped_s) <= self._step_s:
            return False
        self.step_ns, self.step_size_s = now, stepped_s
        return True


class ClockWatch:
    """Says what the gauge shows; ends AUTO when the clocks are too far apart. The gate waits after a step."""

    name = "clock"

    def __init__(
        self,
        gauge: ClockGauge,
        modes: Modes,
        lamps: Lamps,
        settings: OperationsSettings,
        limits: Callable[[], ClockLimits],
    ) -> None:
        self._gauge, self._modes, self._lamps, self._settings, self._limits = gauge, modes, lamps, settings, limits

    def start(self) -> None:
        self._gauge.measure()

    def stop(self) -> None:
        return

    def look(self) -> None:
        limits = self._limits()
        if self._gauge.measure():
            size = self._gauge.step_size_s
            self._lamps.light(
                STEP,
                "amber",
                f"The clock jumped by {size:+.0f} s, or the computer slept.",
                f"The agent sends nothing for {limits.clock_step_pause_s:g} s.",
                "Let the system keep its time from the network.",
            )
        else:
            self._lamps.over(
                STEP, "The clock runs evenly again.", max(self._settings.over_s, limits.clock_step_pause_s)
            )
        self._look_at_skew(limits)

    def _look_at_skew(self, limits: ClockLimits) -> None:
        skew = self._gauge.skew_s
        if skew is None or abs(skew) <= limits.clock_warn_s:
            self._lamps.over(SKEW, "The clock agrees with the broker's again.", self._settings.over_s)
            return
        far = abs(skew) > limits.clock_auto_s
        if far:
            self._modes.lower(Mode.MANUAL, self.name, f"the clock is {abs(skew):.0f} s off the broker's")
        # The seconds waver: the words name the bound that was crossed, so that the line is said once.
        bound = limits.clock_auto_s if far else limits.clock_warn_s
        self._lamps.light(
            SKEW,
            "amber",
            f"The clock is more than {bound:g} s off the broker's.",
            "AUTO is off." if far else "It is watched; AUTO ends when it is too far off.",
            "Let the system keep its time from the network.",
        )
