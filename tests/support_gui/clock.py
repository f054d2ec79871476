"""Seconds that pass when a test says so, where the program asks ``time.monotonic``."""


class Clock:
    """Call it for the time; set ``now`` for another."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
