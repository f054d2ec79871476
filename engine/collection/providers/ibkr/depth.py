"""An order book built from inserts, updates and deletes by row."""

import math
from collections.abc import Callable

from engine.bus.clock import Clock
from engine.collection.provider import Emit
from engine.collection.providers.ibkr.ticks import SOURCE
from engine.model.events.market import BookChanged
from engine.model.ids import Symbol

_RESET = 317
_INSERT, _UPDATE, _DELETE = 0, 1, 2


class Depth:
    """The book of one symbol. A sink of the connection."""

    def __init__(
        self,
        symbol: Symbol,
        emit: Emit,
        clock: Clock,
        dirty: Callable[["Depth"], None],
        on_error: Callable[["Depth", int, str], None],
    ) -> None:
        self.symbol = symbol
        self._emit = emit
        self._clock = clock
        self._dirty = dirty
        self._on_error = on_error
        self._sides: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
        """Asks, bids: (price, size), best first; numbered as the broker does."""
        self._pending = False

    def __call__(self, kind: str, *values: object) -> None:
        if kind == "depth":
            self._row(*values)  # type: ignore[arg-type]
        elif kind == "error":
            self._error(*values)  # type: ignore[arg-type]

    def lost(self) -> None:
        """The line is gone, and the book with it."""
        for side in self._sides:
            side.clear()

    def flush(self) -> None:
        """Tell the book if it changed in this packet."""
        if not self._pending:
            return
        self._pending = False
        asks, bids = self._sides
        now = self._clock.now()
        self._emit(
            BookChanged(
                ts_event=now,
                ts_init=now,
                symbol=self.symbol,
                bid_prices=tuple(price for price, _ in bids),
                bid_sizes=tuple(size for _, size in bids),
                ask_prices=tuple(price for price, _ in asks),
                ask_sizes=tuple(size for _, size in asks),
                source=SOURCE,
            )
        )

    def _row(self, position: int, operation: int, side: int, price: float, size: float) -> None:
        rows = self._sides[1 if side == 1 else 0]
        if operation == _DELETE:
            if position < len(rows):
                del rows[position]
        elif not (price > 0 and math.isfinite(price)):
            return
        elif operation == _INSERT:
            rows.insert(position, (price, size))
        elif operation == _UPDATE and position < len(rows):
            rows[position] = (price, size)
        elif operation == _UPDATE and position == len(rows):
            rows.append((price, size))
        self._changed()

    def _changed(self) -> None:
        if not self._pending:
            self._pending = True
            self._dirty(self)

    def _error(self, code: int, text: str) -> None:
        if code == _RESET:
            self.lost()
            self._changed()
        else:
            self._on_error(self, code, text)
