"""How late a loop runs: the health strip's number, and the gate's reason to stop (G24)."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

INTERVAL_S = 0.05
EXCEEDED_MS = 250.0


class LagMeter:
    """Sleeps for a known time, over and over, and measures how much later it wakes. Milliseconds."""

    def __init__(self, on_exceeded: Callable[[float], None]) -> None:
        self._on_exceeded = on_exceeded
        self._samples: deque[float] = deque(maxlen=1200)
        self.worst = 0.0

    @property
    def recent(self) -> float:
        """Worst of the last second."""
        return max(list(self._samples)[-20:], default=0.0)

    def percentile(self, share: float) -> float:
        """A percentile of the last minute."""
        ordered = sorted(self._samples)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    async def measure(self) -> None:
        """Measure until cancelled; the engine's task keeper runs it."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(INTERVAL_S)
            late = max(0.0, (time.monotonic() - before - INTERVAL_S) * 1000.0)
            self._samples.append(late)
            self.worst = max(self.worst, late)
            if late > EXCEEDED_MS:
                self._on_exceeded(late)
