"""Where one symbol trades, as far as ticks tell: touch, depth, last print, halt; and how orders fill against it.

Marketable orders walk the displayed depth level by level. Passive orders join the back of their level: prints at the
price serve those ahead first, cancels ahead move us up in proportion (Rigtorp's and hftbacktest's queue estimates),
a print or a touch through the price fills us. Times are UTC ns.
"""

import math
from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.market import Side
from engine.model.money import exact

SYNTHETIC_LEVELS = 20


class Venue:
    """The market of one symbol."""

    def __init__(self, instrument: Instrument, queue: str) -> None:
        self.instrument = instrument
        self.tick = float(instrument.tick)
        self.bid = self.ask = self.last = math.nan
        self.bid_size = self.ask_size = 0.0
        self.halted = False
        self.quoted_ns = 0
        self._depth: tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]] | None = None
        self._depth_ns = 0
        self._proportional = queue == "proportional"
        self._taken: dict[Side, float] = {Side.BUY: 0.0, Side.SELL: 0.0}
        self.printed: dict[int, float] = {1: 0.0, -1: 0.0}
        """Units printed at the bid (1) and at the ask (-1) since the last touch."""

    @property
    def tradable(self) -> bool:
        return not self.halted and 0.0 < self.bid < self.ask

    def on_quote(self, bid: float, ask: float, bid_size: float, ask_size: float, at: int) -> None:
        """Take a new touch. What we had taken of the old one is replenished with it."""
        self.bid, self.ask, self.bid_size, self.ask_size, self.quoted_ns = bid, ask, bid_size, ask_size, at
        self._taken = {Side.BUY: 0.0, Side.SELL: 0.0}
        self.printed = {1: 0.0, -1: 0.0}

    def on_print(self, price: float, size: float) -> None:
        """Take a trade."""
        self.last = price
        if abs(price - self.bid) < self.tick / 2:
            self.printed[1] += size
        elif abs(price - self.ask) < self.tick / 2:
            self.printed[-1] += size

    def on_depth(self, bids: tuple[tuple[float, float], ...], asks: tuple[tuple[float, float], ...], at: int) -> None:
        """Take displayed depth, best first."""
        self._depth, self._depth_ns = (bids, asks), at

    def levels(self, side: Side) -> list[tuple[float, float]]:
        """Levels a ``side`` order would take, best first: displayed depth where it is fresh, then thinning ticks."""
        best, size = (self.ask, self.ask_size) if side is Side.BUY else (self.bid, self.bid_size)
        shown: list[tuple[float, float]] = []
        if self._depth is not None and self.quoted_ns - self._depth_ns < 2_000_000_000:
            book = self._depth[1] if side is Side.BUY else self._depth[0]
            shown = [(price, s) for price, s in book if (price >= best if side is Side.BUY else price <= best)]
        if not shown:
            shown = [(best, max(size, 1.0))]
        step = self.tick * side.sign
        last_price, last_size = shown[-1]
        for level in range(1, SYNTHETIC_LEVELS + 1):
            shown.append((last_price + step * level, last_size))
        first_price, first_size = shown[0]
        shown[0] = (first_price, max(first_size - self._taken[side], 0.0))
        return shown

    def take(self, side: Side, quantity: Decimal, limit: float | None) -> list[tuple[Decimal, Decimal]]:
        """Fill a marketable order now: (price, quantity) per level, in whole lots, within ``limit``."""
        fills: list[tuple[Decimal, Decimal]] = []
        lot = self.instrument.lot
        left = quantity
        for index, (price, size) in enumerate(self.levels(side)):
            if left <= 0:
                break
            if limit is not None and (price - limit) * side.sign > 1e-9:
                break
            available = (exact(size) // lot) * lot
            amount = min(left, available)
            if amount <= 0:
                continue
            fills.append((self._price(price), amount))
            left -= amount
            if index == 0:
                self._taken[side] += float(amount)
        return fills

    def queue_ahead(self, side: Side, price: float) -> float:
        """Units displayed at ``price`` on our own side when we join."""
        best, size = (self.bid, self.bid_size) if side is Side.BUY else (self.ask, self.ask_size)
        behind = (best - price) * side.sign
        if behind < -self.tick / 2:
            return 0.0
        if behind < self.tick / 2:
            return size
        if self._depth is not None:
            book = self._depth[0] if side is Side.BUY else self._depth[1]
            for level, displayed in book:
                if abs(level - price) < self.tick / 2:
                    return displayed
        return size * 1.5

    def cancelled_ahead(self, ahead: float, before: float, after: float, traded: float) -> float:
        """Move a resting order up when its level shrank by more than what traded there."""
        cancelled = before - after - traded
        if not self._proportional or cancelled <= 0 or before <= 0:
            return min(ahead, after)
        return max(0.0, min(ahead - cancelled * min(1.0, ahead / before), after))

    def _price(self, price: float) -> Decimal:
        ticks = round(price / self.tick)
        return ticks * self.instrument.tick
