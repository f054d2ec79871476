"""The disk: low, full, slow, and a journal that cannot be written (G37)."""

from collections.abc import Callable

from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import CommitTimes, Modes, StorageLimits, VitalSigns
from engine.operations.settings import OperationsSettings

DISK, SLOW, JOURNAL, BLIND = "DISK", "DISK-SLOW", "JOURNAL", "DISK-UNKNOWN"


class StorageWatch:
    """Lowers the mode before the disk is what decides."""

    name = "storage"

    def __init__(
        self,
        vitals: VitalSigns,
        times: CommitTimes,
        modes: Modes,
        lamps: Lamps,
        settings: OperationsSettings,
        limits: Callable[[], StorageLimits],
    ) -> None:
        self._vitals, self._times, self._modes = vitals, times, modes
        self._lamps, self._settings, self._limits = lamps, settings, limits
        self._failed = times.failed

    def start(self) -> None:
        self._failed = self._times.failed

    def stop(self) -> None:
        return

    def look(self) -> None:
        vitals, limits = self._vitals.vitals(), self._limits()
        self._look_at_space(vitals.disk_free_mb, limits.disk_stop_mb)
        if vitals.slow_commits >= limits.commit_slow_times:
            self._modes.lower(Mode.MANUAL, self.name, "the journal is slow")
            self._lamps.light(
                SLOW, "amber", "The disk is slow: orders wait to be recorded.", "AUTO is off.", _SLOW_CURE
            )
        else:
            self._lamps.over(SLOW, "The disk keeps up again.", self._settings.over_s)
        self._look_at_failures()

    def _look_at_space(self, free_mb: float | None, stop_mb: float) -> None:
        over_s = self._settings.over_s
        if free_mb is None:
            self._lamps.light(BLIND, "amber", "The free space of the disk cannot be read.", "", "Look at the disk.")
            return
        self._lamps.over(BLIND, "The free space of the disk is known again.")
        if free_mb >= stop_mb:
            self._lamps.over(DISK, "There is room on the disk again.", over_s)
            return
        self._modes.lower(Mode.REDUCE_ONLY, self.name, f"less than {stop_mb:g} MB of disk are free")
        self._lamps.light(
            DISK,
            "red",
            f"The disk is almost full: less than {stop_mb:g} MB are free.",
            "Only closing is allowed. Stops at the broker remain.",
            "Free disk space, then set the mode again.",
        )

    def _look_at_failures(self) -> None:
        failed = self._times.failed
        if failed == self._failed:
            self._lamps.over(JOURNAL, "The order journal is written again.", self._settings.over_s)
            return
        self._failed = failed
        self._modes.lower(Mode.REDUCE_ONLY, self.name, "the order journal cannot be written")
        self._lamps.light(
            JOURNAL,
            "red",
            "The order journal cannot be written.",
            "No new order is sent. Stops at the broker remain.",
            "Free disk space, then set the mode again.",
        )


_SLOW_CURE = "Close what writes much, or move the profile to another disk; then arm AUTO again."
