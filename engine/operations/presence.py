"""The window: a person's view. When it freezes the engine goes on, but AUTO gets a short lease."""

from engine.bus.clock import SECOND, Clock
from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes
from engine.operations.settings import OperationsSettings

CODE, LEASE = "WINDOW", "G34"


class WindowWatch:
    """Hears the beats of windows. Only a window that has beaten can be missed; one that leaves in order is not.

    The door calls :meth:`beat` for each message of a window that says it beats (every two seconds or so) and
    :meth:`left` when its connection ends; ``in_order`` when it said goodbye.
    """

    name = "window"

    def __init__(self, clock: Clock, modes: Modes, lamps: Lamps, settings: OperationsSettings) -> None:
        self._clock, self._modes, self._lamps = clock, modes, lamps
        self._silent_ns = round(settings.window_silent_s * SECOND)
        self._lease_ns = round(settings.window_lease_minutes * 60 * SECOND)
        self._over_s = settings.over_s
        self._minutes = settings.window_lease_minutes
        self._heard: dict[int, int] = {}
        self._frozen_ns = 0

    def start(self) -> None:
        return

    def stop(self) -> None:
        self._heard.clear()

    @property
    def frozen(self) -> bool:
        return self._frozen_ns != 0

    def beat(self, client: int) -> None:
        """A window lives."""
        now = self._clock.monotonic()
        if self._frozen_ns:
            seconds = (now - self._frozen_ns) / SECOND
            self._frozen_ns = 0
            self._lamps.light(CODE, "yellow", f"The window was frozen for {seconds:.0f} s.", "The engine went on.")
        self._heard[client] = now

    def left(self, client: int, in_order: bool) -> None:
        """A window's connection ended. Torn off, it counts as frozen until a window beats again."""
        heard = self._heard.pop(client, None)
        if heard is not None and not in_order and not self._heard:
            self._freeze(heard)

    def look(self) -> None:
        now = self._clock.monotonic()
        if self._heard and all(now - heard > self._silent_ns for heard in self._heard.values()):
            self._freeze(max(self._heard.values()))
        if not self._frozen_ns:
            self._lamps.over(CODE, after_s=self._over_s)
            return
        if now - self._frozen_ns >= self._lease_ns and self._modes.lower(
            Mode.MANUAL, self.name, f"the window has not answered for {self._minutes:g} minutes"
        ):
            self._lamps.light(
                LEASE,
                "red",
                "AUTO is over: nobody could see it.",
                "Entries are cancelled, stops stay.",
                "Arm AUTO again when the window works.",
            )

    def _freeze(self, since_ns: int) -> None:
        if self._frozen_ns:
            return
        self._frozen_ns = since_ns
        self._lamps.light(
            CODE,
            "yellow",
            "The window does not answer.",
            f"The engine goes on; AUTO ends in {self._minutes:g} minutes if it stays so.",
            "STOP works from the command line: main.py halt.",
        )
