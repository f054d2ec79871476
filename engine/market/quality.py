"""Judge one tick: pure functions from numbers to a reason, or to none."""

from enum import StrEnum
from itertools import pairwise
from math import isfinite

_UNSET = 1e300
"""IB writes 1.797e308 for a value that is not set."""


class Fault(StrEnum):
    """Why a tick was refused. The word is the code shown and counted."""

    NOT_A_NUMBER = "NOT_A_NUMBER"
    NO_QUOTE = "NO_QUOTE"
    """A side is absent: -1, 0 or the broker's word for unset."""
    CROSSED = "CROSSED"
    BAD_SIZE = "BAD_SIZE"
    SPIKE = "SPIKE"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    FUTURE = "FUTURE"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    BAD_BAR = "BAD_BAR"
    DUPLICATE_BAR = "DUPLICATE_BAR"
    BAD_DEPTH = "BAD_DEPTH"


TEXTS = {
    Fault.NOT_A_NUMBER: "a price is not a number",
    Fault.NO_QUOTE: "bid or ask is missing",
    Fault.CROSSED: "the bid is above the ask",
    Fault.BAD_SIZE: "a size is negative or not a number",
    Fault.SPIKE: "the price is far from the last good one and not yet confirmed",
    Fault.OUT_OF_ORDER: "it is older than what is already known",
    Fault.FUTURE: "its time lies ahead of our clock",
    Fault.UNKNOWN_SYMBOL: "nobody has said what this symbol is",
    Fault.BAD_BAR: "its open, high, low and close contradict each other",
    Fault.DUPLICATE_BAR: "this bar is already known",
    Fault.BAD_DEPTH: "its levels are not in order, or the sides cross",
}


def quote_fault(bid: float, ask: float, bid_size: float, ask_size: float) -> Fault | None:
    """Return what is wrong with a quote taken by itself, None when nothing is."""
    # One chain of comparisons passes the good quote; every NaN falls out of it.
    if 0.0 < bid <= ask < _UNSET and 0.0 <= bid_size < _UNSET and 0.0 <= ask_size < _UNSET:
        return None
    if bid != bid or ask != ask or abs(bid) == float("inf") or abs(ask) == float("inf"):
        return Fault.NOT_A_NUMBER
    if bid <= 0.0 or ask <= 0.0 or bid >= _UNSET or ask >= _UNSET:
        return Fault.NO_QUOTE
    if bid > ask:
        return Fault.CROSSED
    return Fault.BAD_SIZE


def trade_fault(price: float, size: float) -> Fault | None:
    """Return what is wrong with a trade taken by itself, None when nothing is."""
    if 0.0 < price < _UNSET and 0.0 <= size < _UNSET:
        return None
    if not isfinite(price):
        return Fault.NOT_A_NUMBER
    if price <= 0.0 or price >= _UNSET:
        return Fault.NO_QUOTE
    return Fault.BAD_SIZE


def bar_fault(open_: float, high: float, low: float, close: float, volume: float) -> Fault | None:
    """Return what is wrong with a ready bar, None when nothing is.

    Open or close a little outside high and low occurs in genuine files (late corrections); high below low does not.
    """
    if not (isfinite(open_) and isfinite(high) and isfinite(low) and isfinite(close)):
        return Fault.NOT_A_NUMBER
    if min(open_, high, low, close) <= 0.0 or max(open_, high, low, close) >= _UNSET or high < low:
        return Fault.BAD_BAR
    return None if volume != volume or 0.0 <= volume < _UNSET else Fault.BAD_SIZE


def depth_fault(bids: tuple[float, ...], asks: tuple[float, ...]) -> Fault | None:
    """Return what is wrong with a book's prices (best first), None when nothing is."""
    if any(not 0.0 < price < _UNSET for price in (*bids, *asks)):
        return Fault.BAD_DEPTH
    if any(a < b for a, b in pairwise(bids)) or any(a > b for a, b in pairwise(asks)):
        return Fault.BAD_DEPTH
    return Fault.BAD_DEPTH if bids and asks and bids[0] > asks[0] else None
