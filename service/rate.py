"""How often somebody may ask: a bucket that fills with time."""

from collections.abc import Callable


class Bucket:
    """Lets ``rate`` a second through, and after a pause ``burst`` at once (without it two seconds' worth)."""

    def __init__(self, rate: float, now: Callable[[], float], burst: float | None = None) -> None:
        self._rate, self._now = rate, now
        self._most = max(2.0, rate * 2.0 if burst is None else burst)
        self._held = self._most
        self._at = now()

    def take(self) -> bool:
        """Take one; False when there is none."""
        now = self._now()
        self._held = min(self._most, self._held + (now - self._at) * self._rate)
        self._at = now
        if self._held < 1.0:
            return False
        self._held -= 1.0
        return True
