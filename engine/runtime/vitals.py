"""How the engine feels: the numbers behind G23, G24 and G37."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from engine.bus.clock import Clock
from engine.memory.journal import Journal
from engine.operations.clock_watch import ClockGauge
from engine.risk.ports import Vitals
from engine.runtime.lag import LagMeter

DISK_EVERY_NS = 5_000_000_000


class VitalSigns:
    """Collects the vitals. Lag counts only where market time is wall time: an accelerated run is late by design."""

    def __init__(
        self,
        profile: Path,
        clock: Clock,
        journal: Journal,
        lag: LagMeter,
        real_time: Callable[[], bool],
        gauge: ClockGauge,
    ) -> None:
        """``gauge`` measures our clock against the broker's and against itself."""
        self._gauge = gauge
        self._profile, self._clock, self._journal, self._lag, self._real_time = profile, clock, journal, lag, real_time
        self._disk_ns = -DISK_EVERY_NS
        self._disk_mb: float | None = None

    def vitals(self) -> Vitals:
        """The vitals now; the disk is looked at every five seconds."""
        now = self._clock.monotonic()
        if now - self._disk_ns > DISK_EVERY_NS:
            self._disk_ns = now
            self._disk_mb = free_megabytes(self._profile)
        return Vitals(
            lag_ms=self._lag.recent if self._real_time() else 0.0,
            clock_skew_s=self._gauge.skew_s,
            clock_step_ns=self._gauge.step_ns,
            disk_free_mb=self._disk_mb,
            slow_commits=self._journal.times.slow_in_a_row,
        )


def free_megabytes(folder: Path) -> float | None:
    """Free space where ``folder`` lies, None when it cannot be read."""
    try:
        return shutil.disk_usage(folder).free / 2**20
    except OSError:
        return None


def private_token(size: int) -> bytes:
    """Unpredictable bytes of the operating system."""
    return os.urandom(size)
