"""A journal whose disk is a few dictionaries: the same promises as the real one, for thousands of simulated weeks.

What is committed survives the program (:class:`Disk`); what is only noted dies with it. A test runs the same seed on
this and on the real journal and compares the hashes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from engine.bus.clock import Clock, Timer
from engine.bus.errors import JournalError
from engine.memory.journal import CommitTimes, Entry, Projection
from engine.model.fill import Fill
from engine.model.ids import OrderRef
from engine.model.order import OrderState

_FINAL = frozenset({OrderState.DENIED, OrderState.NEVER_SENT, OrderState.SETTLED})


class Disk:
    """What survives a crash."""

    def __init__(self) -> None:
        self.broken = False
        """Nothing can be written."""
        self.log: list[Entry] = []
        self.orders: dict[OrderRef, tuple[bool, bytes]] = {}
        """By reference: whether it is live, and the record."""
        self.fills: dict[str, Fill] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.values: dict[str, str] = {}
        self.marked: Counter[OrderRef] = Counter()
        """Committed SENDING marks."""

    def copy(self) -> "Disk":
        """A backup."""
        other = Disk()
        other.log, other.orders, other.fills = list(self.log), dict(self.orders), dict(self.fills)
        other.counts, other.values, other.marked = Counter(self.counts), dict(self.values), Counter(self.marked)
        return other

    def write(self) -> None:
        """Raise when nothing can be written."""
        if self.broken:
            raise JournalError("journal.db: attempt to write a readonly database")


class _Counters:
    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def get(self, key: str, date: str) -> int:
        return self._disk.counts[key, date]

    def add(self, key: str, date: str, n: int = 1) -> int:
        self._disk.write()
        self._disk.counts[key, date] += n
        return self._disk.counts[key, date]


class _Values:
    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def get(self, name: str) -> str | None:
        return self._disk.values.get(name)

    def set(self, name: str, value: str) -> None:
        self._disk.write()
        self._disk.values[name] = value


class MemoryJournal:
    """``OrderJournal`` and ``FillJournal`` on a :class:`Disk`."""

    def __init__(self, disk: Disk, clock: Clock, flush_ms: int = 200) -> None:
        self.disk = disk
        self._clock = clock
        self._flush_s = flush_ms / 1000
        self._pending: list[tuple[Sequence[Entry], Sequence[Projection], Sequence[Fill]]] = []
        self._timer: Timer | None = None
        self.times = CommitTimes()
        self.counters = _Counters(disk)
        self.kv = _Values(disk)

    def commit(
        self, entries: Sequence[Entry] = (), orders: Sequence[Projection] = (), fills: Sequence[Fill] = ()
    ) -> None:
        try:
            self.disk.write()
        except JournalError:
            self.times.failed += 1
            raise
        for batch in (*self._pending, (entries, orders, fills)):
            self._store(*batch)
        self._pending.clear()

    def _store(self, entries: Sequence[Entry], orders: Sequence[Projection], fills: Sequence[Fill]) -> None:
        disk = self.disk
        for entry in entries:
            disk.log.append(entry)
            if entry[1] == "SENDING":
                disk.marked[entry[0]] += 1
        for status, record in orders:
            disk.orders[status.ref] = status.state not in _FINAL, record
        for fill in fills:
            known = disk.fills.get(fill.exec_id)
            if known is None or fill.revision >= known.revision:
                disk.fills[fill.exec_id] = fill

    def note(
        self, entries: Sequence[Entry] = (), orders: Sequence[Projection] = (), fills: Sequence[Fill] = ()
    ) -> None:
        if not (entries or orders or fills):
            return
        self._pending.append((entries, orders, fills))
        if self._timer is None:
            self._timer = self._clock.call_later(self._flush_s, self._flush_due)

    def flush(self) -> None:
        if self._pending:
            self.commit()

    def _flush_due(self) -> None:
        self._timer = None
        try:
            self.flush()
        except JournalError:
            self._timer = self._clock.call_later(self._flush_s * 5, self._flush_due)

    def load_orders(self) -> Iterator[bytes]:
        self.flush()
        yield from [record for _, (live, record) in sorted(self.disk.orders.items()) if live]

    def load_order(self, ref: OrderRef) -> bytes | None:
        self.flush()
        return self.disk.orders[ref][1] if ref in self.disk.orders else None

    def order_log(self) -> Iterator[tuple[int, OrderRef, str, int, bytes]]:
        self.flush()
        for seq, (ref, kind, ts_ns, payload) in enumerate(self.disk.log, 1):
            yield seq, ref, kind, ts_ns, payload

    def fills(self) -> Iterator[Fill]:
        self.flush()
        yield from sorted(self.disk.fills.values(), key=lambda fill: (fill.ts_event, fill.exec_id))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()
