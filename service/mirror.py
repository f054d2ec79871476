"""What the service knows of the engine: rows, prices and notices as they came. The link feeds it, readers read."""

import struct
from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from engine.api.frames import Frame, Notice, QuoteBlock, RowsChanged
from engine.api.rows import TABLES, AnyRow, QuoteRow

NOTICES_KEPT = 20_000
GONE_KEPT = 5_000
"""Rows of a table that went, and are still told as gone; who has not heard for longer starts anew."""
STALE, HALTED, DELAYED = 1, 2, 4


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The last prices of a symbol; null where unknown. ``ts`` is UTC nanoseconds."""

    symbol: str
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    last: float
    volume: float
    previous_close: float
    ts: int
    stale: bool = False
    halted: bool = False
    delayed: bool = False


class Table:
    """Rows by key, and when each last changed."""

    def __init__(self) -> None:
        self.rows: dict[str, AnyRow] = {}
        self.changed: dict[str, int] = {}
        """Key to the version at which it changed or went; the newest last."""
        self.version = 0
        self.born = 0
        """The version of the last snapshot, or of what was forgotten: who has seen less starts anew."""

    def apply(self, change: RowsChanged) -> None:
        self.version += 1
        if change.reset:
            self.rows.clear()
            self.changed.clear()
            self.born = self.version
        for row in change.rows:
            self.rows[row.key] = row
            self._mark(row.key)
        for key in change.removed:
            self.rows.pop(key, None)
            self._mark(key)

    def since(self, version: int) -> tuple[list[AnyRow], list[str]]:
        """Return what changed after a version, and the keys that went."""
        keys: list[str] = []
        for key in reversed(self.changed):
            if self.changed[key] <= version:
                break
            keys.append(key)
        keys.reverse()
        return [self.rows[key] for key in keys if key in self.rows], [key for key in keys if key not in self.rows]

    def _mark(self, key: str) -> None:
        self.changed.pop(key, None)
        self.changed[key] = self.version
        if len(self.changed) > len(self.rows) + GONE_KEPT:
            self._forget_gone()

    def _forget_gone(self) -> None:
        """Forget the older half of what went: keys of days would pile up."""
        gone = [key for key in self.changed if key not in self.rows]
        for key in gone[: len(gone) // 2]:
            self.born = max(self.born, self.changed.pop(key))


class Mirror:
    """The engine as the service sees it."""

    def __init__(self) -> None:
        self.epoch = ""
        """Names one life of the engine: sequence numbers of two lives do not compare."""
        self.tables: dict[str, Table] = {}
        self.prices: dict[str, Price] = {}
        self.price_versions: dict[str, int] = {}
        self.price_version = 0
        self.notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self.last_seq = 0
        self.missed_before = 0
        """Notices up to this one may be incomplete: the engine had forgotten some before we asked."""
        self._symbols: dict[int, str] = {}
        self.forget()

    def forget(self) -> None:
        """The engine is gone, and what it said with it."""
        self.tables = {name: Table() for name in TABLES}
        self.prices.clear()
        self.price_versions.clear()
        self._symbols.clear()

    def begin(self, epoch: str) -> None:
        """An engine answers; another one than before starts with nothing."""
        self.forget()
        if epoch != self.epoch:
            self.epoch, self.last_seq, self.missed_before = epoch, 0, 0
            self.notices.clear()

    @property
    def complete(self) -> bool:
        """Whether every table has been told once."""
        return all(table.born for table in self.tables.values())

    def apply(self, message: object) -> None:
        """Take one message of the engine."""
        if isinstance(message, RowsChanged):
            table = self.tables.get(message.table)
            if table is not None:
                table.apply(message)
                for row in message.rows:
                    if isinstance(row, QuoteRow):
                        self._symbols[row.index] = row.key
        elif isinstance(message, Notice):
            if message.seq > self.last_seq:
                if message.seq > self.last_seq + 1:
                    self.missed_before = message.seq - 1
                self.last_seq = message.seq
                self.notices.append(message)
        elif isinstance(message, Frame) and message.quotes is not None:
            self.price_version += 1
            for price in unpack(message.quotes, self._symbols):
                self.prices[price.symbol] = price
                self.price_versions[price.symbol] = self.price_version

    def notices_since(self, seq: int) -> Iterator[Notice]:
        """Yield the notices after ``seq``, oldest first."""
        found = []
        for notice in reversed(self.notices):
            if notice.seq <= seq:
                break
            found.append(notice)
        return reversed(found)

    def has_all_since(self, seq: int) -> bool:
        """Say whether nothing after ``seq`` is lost."""
        oldest = self.notices[0].seq if self.notices else self.last_seq + 1
        return self.missed_before <= seq <= self.last_seq and seq >= oldest - 1


def unpack(block: QuoteBlock, symbols: dict[int, str]) -> Iterable[Price]:
    """Read a packed block of quotes."""
    count = len(block.index) // 4
    index, ts = struct.unpack(f"<{count}i", block.index), struct.unpack(f"<{count}q", block.ts)
    names = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "previous_close")
    columns = {name: struct.unpack(f"<{count}d", getattr(block, name)) for name in names}
    for at in range(count):
        symbol = symbols.get(index[at])
        if symbol is None:
            continue
        flags = block.flags[at]
        yield Price(
            symbol=symbol,
            ts=ts[at],
            stale=bool(flags & STALE),
            halted=bool(flags & HALTED),
            delayed=bool(flags & DELAYED),
            **{name: column[at] for name, column in columns.items()},
        )
