"""How often somebody may ask: a bucket that fills with time."""

from collections.abc import Callable


class Bucket:
    """Lets ``rate`` a second through, and a burst of twice that (at least two) after a pause."""

    def __init__(self, rate: float, now: Callable[[], float]) -> None:
        self._rate, self._now = rate, now
        self._most = max(2.0, rate * 2.0)
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
