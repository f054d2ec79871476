"""All order records in memory, and the one way to change them: journal, ledger, then tell.

A change that carries fills is durable before anybody hears of it. Other changes are noted and ride with the next
commit: losing them in a crash is harmless, because the broker tells again.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.execution.changes import events_between, fills_between
from engine.execution.fold import Outcome
from engine.execution.ports import Booking, Entry, OrderJournal, Projection
from engine.execution.record import OrderRecord
from engine.model.fill import Fill
from engine.model.ids import OrderRef, Symbol
from engine.model.order import OrderState, OrderStatus

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(OrderRecord)


def encode(value: object) -> bytes:
    """Write a record or report as it is stored."""
    return _ENCODER.encode(value)


def decode_record(data: bytes) -> OrderRecord:
    """Read a stored record."""
    return _DECODER.decode(data)


class Records:
    """Orders by reference. Views handed out are read-only and stay current."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        journal: OrderJournal,
        booking: Booking,
        on_change: Callable[[OrderRecord, OrderRecord, Outcome], None],
        on_trouble: Callable[[JournalError], None],
    ) -> None:
        """``on_change(before, after, outcome)`` runs after a change was told, ``on_trouble`` when it is not durable."""
        self._bus = bus
        self._clock = clock
        self._journal = journal
        self._booking = booking
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._records: dict[OrderRef, OrderRecord] = {}
        self._statuses: dict[OrderRef, OrderStatus] = {}
        self._open: dict[OrderRef, OrderStatus] = {}
        self._open_view: tuple[OrderStatus, ...] | None = ()
        self._by_perm: dict[str, OrderRef] = {}
        self._by_execution: dict[str, OrderRef] = {}
        self._unknown: dict[Symbol, set[OrderRef]] = {}
        self.told = 0
        """Order events published so far."""
        self.statuses: Mapping[OrderRef, OrderStatus] = MappingProxyType(self._statuses)
        self.by_ref: Mapping[OrderRef, OrderRecord] = MappingProxyType(self._records)

    def load(self) -> tuple[OrderRecord, ...]:
        """Read all orders that are not final from the journal."""
        loaded = tuple(decode_record(data) for data in self._journal.load_orders())
        for record in loaded:
            self.keep(record)
        return loaded

    def recall(self, ref: OrderRef) -> OrderRecord | None:
        """Take up an order that was settled before this program started. Raises ``JournalError``."""
        stored = self._journal.load_order(ref)
        if stored is None:
            return None
        record = decode_record(stored)
        self.keep(record)
        return record

    def keep(self, record: OrderRecord) -> None:
        """Hold a record as it is; nobody is told."""
        ref, status = record.ref, record.status()
        self._records[ref] = record
        self._statuses[ref] = status
        if record.state.closed:
            self._open.pop(ref, None)
        else:
            self._open[ref] = status
        self._open_view = None
        for perm_id in record.perm_ids:
            self._by_perm[perm_id] = ref
        for exec_id in record.executions:
            self._by_execution[exec_id] = ref
        self._mark_unknown(record)

    def _mark_unknown(self, record: OrderRecord) -> None:
        refs = self._unknown.setdefault(record.symbol, set())
        if record.state is OrderState.UNKNOWN:
            refs.add(record.ref)
        else:
            refs.discard(record.ref)

    def get(self, ref: OrderRef) -> OrderRecord | None:
        """The record of ``ref``, None when we do not know it."""
        return self._records.get(ref)

    def find(self, ref: OrderRef, perm_id: str = "") -> OrderRecord | None:
        """By our reference, else by the broker's permanent id; never by an id the broker reuses."""
        record = self._records.get(ref) if ref else None
        if record is None and perm_id and perm_id in self._by_perm:
            record = self._records[self._by_perm[perm_id]]
        return record

    def by_execution(self, base_id: str) -> OrderRecord | None:
        """The order that an execution belongs to."""
        ref = self._by_execution.get(base_id)
        return None if ref is None else self._records[ref]

    def open(self) -> tuple[OrderStatus, ...]:
        """Orders that count as exposure; the same tuple until one changes."""
        if self._open_view is None:
            self._open_view = tuple(self._open.values())
        return self._open_view

    def unknown(self, symbol: Symbol) -> int:
        """How many orders of a symbol are UNKNOWN."""
        return len(self._unknown.get(symbol, ()))

    def unknown_symbols(self) -> int:
        """How many symbols have an UNKNOWN order."""
        return sum(1 for refs in self._unknown.values() if refs)

    def apply(self, outcome: Outcome, kind: str, payload: object, ts_event: int = 0) -> OrderRecord:
        """Make a change: durable or noted, booked, told. Return the record after it."""
        return self.apply_all([(outcome, kind, payload)], ts_event)[0]

    def apply_all(self, changes: Sequence[tuple[Outcome, str, object]], ts_event: int = 0) -> list[OrderRecord]:
        """Make several changes in one transaction."""
        now = self._clock.now()
        entries: list[Entry] = []
        projections: list[Projection] = []
        fills: list[Fill] = []
        steps: list[tuple[OrderRecord, OrderRecord, Outcome]] = []
        for outcome, kind, payload in changes:
            after = outcome.record
            known = self._records.get(after.ref)
            before = after if known is None else known
            if known is not None and (after is before or after == before):
                if outcome.wishes or outcome.alarms:
                    steps.append((before, after, outcome))
                continue
            self.keep(after)
            entries.append((after.ref, kind, now, payload if isinstance(payload, bytes) else encode(payload)))
            projections.append((self._statuses[after.ref], encode(after)))
            fills += fills_between(before, after)
            steps.append((before, after, outcome))
        if entries:
            self._write(entries, projections, fills)
        for fill in fills:
            self._booking.on_fill(fill)
        for before, after, outcome in steps:
            for event in events_between(before, after, outcome.alarms, ts_event or now, now):
                self.told += 1
                self._bus.publish(event)
            self._on_change(before, after, outcome)
        return [self._records.get(outcome.record.ref, outcome.record) for outcome, _, _ in changes]

    def _write(self, entries: list[Entry], projections: list[Projection], fills: list[Fill]) -> None:
        if not fills:
            self._journal.note(entries, projections)
            return
        try:
            self._journal.commit(entries, projections, fills)
        except JournalError as error:
            # It happened at the broker whether we can write or not: go on from memory, and try again with the notes.
            self._journal.note(entries, projections, fills)
            self._on_trouble(error)
