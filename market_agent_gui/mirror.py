"""What the window last heard, by table: presenters and keys read it, nobody writes it but the bridge."""

import math
from array import array
from typing import Any

import msgspec

from engine.api.frames import QuoteBlock
from engine.api.rows import AnyRow, OrderRow, PositionRow, QuoteRow, StateRow

STALE, HALTED, DELAYED = 1, 2, 4


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The displayed quote of one symbol; NaN where unknown, ``ts`` UTC ns."""

    symbol: str
    bid: float
    ask: float
    last: float
    tick: float
    ts: int
    flags: int
    previous_close: float = math.nan
    multiplier: float = 1.0
    """Money for one unit of the price."""

    @property
    def live(self) -> bool:
        """Both sides known, not crossed, neither stale, halted nor delayed."""
        return not self.flags and math.isfinite(self.bid) and math.isfinite(self.ask) and 0 < self.bid <= self.ask


class Mirror:
    """The newest state of every key of every followed table, and the newest quotes in columns."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, AnyRow]] = {}
        self._columns: dict[str, array[float]] = {name: array("d") for name in ("bid", "ask", "last", "close")}
        self._stamps = array("q")
        self._flags = array("B")

    def take_rows(self, table: str, rows: tuple[AnyRow, ...], removed: tuple[str, ...], reset: bool) -> None:
        """Apply what changed."""
        known = self._tables.setdefault(table, {})
        if reset:
            known.clear()
            if table == "quotes":
                self._forget_quotes()
        for key in removed:
            known.pop(key, None)
        for row in rows:
            known[row.key] = row

    def take_quotes(self, block: QuoteBlock) -> None:
        """Apply a packed block of quotes."""
        indices = array("i", block.index)
        if not indices:
            return
        self._grow(max(indices) + 1)
        columns = [(self._columns[name], array("d", packed)) for name, packed in _packed(block)]
        stamps, flags = array("q", block.ts), array("B", block.flags)
        for position, index in enumerate(indices):
            for target, source in columns:
                target[index] = source[position]
            self._stamps[index] = stamps[position]
            self._flags[index] = flags[position]

    def forget(self) -> None:
        """The engine is another one: nothing of the old is true."""
        self._tables.clear()
        self._forget_quotes()

    def rows(self, table: str) -> dict[str, Any]:
        """Return the live dictionary of a table; read only."""
        return self._tables.get(table, {})

    def state(self) -> StateRow | None:
        """Return the row of the mode strip, ``None`` before the engine sent it."""
        row = next(iter(self.rows("state").values()), None)
        return row if isinstance(row, StateRow) else None

    def price(self, symbol: str) -> Price | None:
        """Return the displayed quote, ``None`` when the symbol is unknown or no price came yet."""
        row = self.rows("quotes").get(symbol)
        if not isinstance(row, QuoteRow) or row.index >= len(self._stamps) or self._stamps[row.index] == 0:
            return None
        i = row.index
        return Price(
            symbol=symbol,
            bid=self._columns["bid"][i],
            ask=self._columns["ask"][i],
            last=self._columns["last"][i],
            previous_close=self._columns["close"][i],
            tick=row.tick,
            multiplier=row.multiplier,
            ts=self._stamps[i],
            flags=self._flags[i] | (STALE if "STALE" in row.badges else 0),
        )

    def position(self, symbol: str) -> PositionRow | None:
        row = self.rows("positions").get(symbol)
        return row if isinstance(row, PositionRow) else None

    def working(self, symbol: str | None = None) -> list[OrderRow]:
        """Return orders that work at the broker, oldest first; of one symbol when given."""
        found = [
            row
            for row in self.rows("orders").values()
            if isinstance(row, OrderRow) and row.working and (symbol is None or row.symbol == symbol)
        ]
        return sorted(found, key=lambda row: row.created_ns)

    def _grow(self, size: int) -> None:
        missing = size - len(self._stamps)
        if missing > 0:
            for column in self._columns.values():
                column.extend([math.nan] * missing)
            self._stamps.extend([0] * missing)
            self._flags.extend([0] * missing)

    def _forget_quotes(self) -> None:
        for column in (*self._columns.values(), self._stamps, self._flags):
            del column[:]


def _packed(block: QuoteBlock) -> tuple[tuple[str, bytes], ...]:
    return ("bid", block.bid), ("ask", block.ask), ("last", block.last), ("close", block.previous_close)
