"""The gateway's own restarts: warned of before, nothing opened around them."""

from engine.bus.clock import Clock
from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes, RestartWindows
from engine.operations.settings import OperationsSettings

CODE = "RESTART"


class RestartWatch:
    """Amber before, REDUCE_ONLY within; the broker itself refuses to send then."""

    name = "gateway restart"

    def __init__(
        self, clock: Clock, windows: RestartWindows, modes: Modes, lamps: Lamps, settings: OperationsSettings
    ) -> None:
        self._clock, self._windows, self._modes, self._lamps, self._settings = clock, windows, modes, lamps, settings

    def start(self) -> None:
        self.look()

    def stop(self) -> None:
        return

    def look(self) -> None:
        now, windows = self._clock.now(), self._windows
        window = windows.holding(now)
        if window is not None:
            at, end = windows.local(window.at_ns), windows.local(window.end_ns)
            self._modes.lower(Mode.REDUCE_ONLY, self.name, f"{window.name} of the gateway at {at}")
            self._lamps.light(
                CODE,
                "amber",
                f"The gateway restarts at {at} ({window.name}).",
                f"Nothing is sent until {end} and until the books agree again.",
                "Then set the mode again.",
            )
            return
        coming = windows.coming(now, self._settings.restart_warn_s)
        if coming is None:
            self._lamps.over(CODE, "The gateway's restart is over.")
            return
        at, start = windows.local(coming.at_ns), windows.local(coming.start_ns)
        self._lamps.light(
            CODE,
            "amber",
            f"The gateway restarts at {at} ({coming.name}).",
            f"From {start} on nothing is opened.",
            "Stops at the broker remain.",
        )
