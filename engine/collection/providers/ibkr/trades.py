"""Every single trade of a symbol, on a line of its own."""

from collections.abc import Callable

from engine.bus.clock import SECOND
from engine.collection.providers.ibkr.ticks import Ticks


class EveryTrade:
    """A sink of the connection; the symbol's ticks tell the trades."""

    def __init__(self, ticks: Ticks, on_error: Callable[[int, str], None]) -> None:
        self._ticks = ticks
        self._on_error = on_error

    def __call__(self, kind: str, *values: object) -> None:
        if kind == "last":
            self._last(*values)  # type: ignore[arg-type]
        elif kind == "error":
            self._on_error(*values)  # type: ignore[arg-type]

    def _last(self, seconds: int, price: float, size: float, unreported: bool) -> None:
        # Unreported trades (odd lots, averages of earlier ones) are no last price.
        if not unreported:
            self._ticks.single_trade(seconds * SECOND, price, size)
