"""Which bars are in view: bar numbers to pixels and back."""

from dataclasses import dataclass

MIN_BARS = 8.0
EDGE_BARS = 3.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """Bars [low, high) across `width` device pixels; bar i covers [i, i + 1)."""

    low: float
    high: float
    width: int

    @property
    def span(self) -> float:
        """How many bars fit."""
        return self.high - self.low

    @property
    def pitch(self) -> float:
        """Device pixels per bar."""
        return self.width / self.span

    def x(self, bar: float) -> float:
        """Return the device pixel of a bar coordinate; the middle of bar i is i + 0.5."""
        return (bar - self.low) * self.width / self.span

    def bar(self, x: float) -> float:
        """Return the bar coordinate of a device pixel."""
        return self.low + x * self.span / self.width

    def visible(self, size: int) -> tuple[int, int]:
        """Return the bars that touch the view, as [first, stop) of `size` bars."""
        first = min(size, max(0, int(self.low)))
        return first, max(first, min(size, int(-(-self.high // 1))))

    def moved(self, bars: float) -> "Viewport":
        """Return the view moved to the right by some bars."""
        return Viewport(self.low + bars, self.high + bars, self.width)

    def zoomed(self, factor: float, anchor: float) -> "Viewport":
        """Return the view with `factor` times as many bars, the bar at `anchor` staying where it is."""
        span = max(MIN_BARS, self.span * factor)
        share = (anchor - self.low) / self.span
        low = anchor - span * share
        return Viewport(low, low + span, self.width)

    def clamped(self, size: int) -> "Viewport":
        """Return the view with at least a few bars in it and not absurdly wide."""
        span = min(self.span, max(64.0, size * 1.6 + 64.0))
        low = self.low + (self.span - span) / 2
        low = min(max(low, EDGE_BARS - span), max(0.0, size - EDGE_BARS))
        return Viewport(low, low + span, self.width)
