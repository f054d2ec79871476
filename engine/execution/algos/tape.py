"""What has traded since a parent began: volume, and the volume-weighted price."""

import math

import msgspec


class Tape(msgspec.Struct, kw_only=True):
    """Sums over the prints since the parent began. Not heard while the program was away: then it knows less."""

    volume: float = 0.0
    value: float = 0.0
    gaps: int = 0
    """How often the program was away in between."""

    def hear(self, price: float, size: float) -> None:
        """Add a print; one without usable numbers is left out."""
        if 0.0 < price < math.inf and 0.0 < size < math.inf:
            self.volume += size
            self.value += price * size

    @property
    def vwap(self) -> float | None:
        """Volume-weighted price of the interval, None when nothing was heard."""
        return self.value / self.volume if self.volume > 0.0 else None
