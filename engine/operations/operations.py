"""Everything that watches, as one component: started last, stopped first, looking once a second of market time."""

import traceback
from collections.abc import Sequence

import structlog

from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import Clock, Timer
from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes, Watch
from engine.operations.tasks import TaskKeeper

EVERY_S = 1.0
PATIENCE = 1
"""A watch that fails more often than this is off, and trading goes down: nobody looks at its subject any more."""
_log = structlog.get_logger("operations")


class Operations:
    """Owns the watches. A watch that raises never keeps another from looking."""

    name = "operations"

    def __init__(
        self, bus: Bus, clock: Clock, modes: Modes, lamps: Lamps, tasks: TaskKeeper, watches: Sequence[Watch]
    ) -> None:
        self._bus, self._clock, self._modes, self._lamps = bus, clock, modes, lamps
        self.tasks = tasks
        self.watches: tuple[Watch, ...] = (tasks, *watches)
        self._failures: dict[str, int] = {}
        self._timer: Timer | None = None

    async def start(self) -> None:
        """Begin to look. The market and the broker run already."""
        for watch in self.watches:
            self._guard(watch, starting=True)
        self._timer = self._clock.call_later(EVERY_S, self._tick)

    async def stop(self) -> None:
        """Stop looking. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for watch in reversed(self.watches):
            watch.stop()
        await self.tasks.wait()

    def look(self) -> None:
        """Let every watch look now."""
        for watch in self.watches:
            if self._failures.get(watch.name, 0) <= PATIENCE:
                self._guard(watch)

    def _tick(self) -> None:
        self._timer = self._clock.call_later(EVERY_S, self._tick)
        self.look()

    def _guard(self, watch: Watch, starting: bool = False) -> None:
        try:
            (watch.start if starting else watch.look)()
        except Exception as error:  # noqa: BLE001  the boundary between watches: it is said, and trading goes down
            self._failed(watch, error, starting)

    def _failed(self, watch: Watch, error: Exception, starting: bool) -> None:
        count = self._failures.get(watch.name, 0) + (PATIENCE + 1 if starting else 1)
        self._failures[watch.name] = count
        off = count > PATIENCE
        _log.error("watch failed", watch=watch.name, error="".join(traceback.format_exception(error)))
        did = "It looks again."
        if off:
            watch.stop()
            self._modes.lower(Mode.MANUAL, self.name, f"nobody watches {watch.name} any more: {error}")
            did = "It is off, and AUTO is off."
        Bell(self._bus, self._clock).failed(f"watch of {watch.name}", error, f"The watch of {watch.name} failed. {did}")
        self._lamps.light(
            f"WATCH-{watch.name}",
            "red" if off else "amber",
            f"The watch of {watch.name} failed: {error}",
            did,
            "Look at the log, and start the engine again." if off else "Look at the log.",
        )
