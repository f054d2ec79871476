"""The order journal: what must be on disk before an order may leave, and everything needed to begin again.

``commit`` is synchronous: when it returns, the rows are durable; when it raises ``JournalError``, none is. ``note`` is
for rows that an order does not wait for: they ride with the next commit, or are flushed after a short while, always
in order.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from engine.bus.clock import MILLISECOND, Clock, Timer
from engine.bus.errors import JournalError
from engine.memory import tables as t
from engine.memory.ballast import Ballast
from engine.memory.counters import Counters
from engine.memory.database import Database, Statement
from engine.memory.kv import KeyValues
from engine.model.fill import Fill
from engine.model.ids import AccountId, ExecId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import units
from engine.model.order import OrderState, OrderStatus
from engine.model.suggestion import Suggestion, SuggestionState

Entry = tuple[OrderRef, str, int, bytes]
"""(reference, kind, UTC ns, payload) of the append-only order log."""
Projection = tuple[OrderStatus, bytes]
"""An order as it stands and the full record as bytes."""

_FINAL = frozenset({OrderState.DENIED, OrderState.NEVER_SENT, OrderState.SETTLED})

_LOG = Statement(insert(t.order_log).values(dict.fromkeys(("ref", "kind", "ts_ns", "payload"))))
_orders = insert(t.orders).values({c.name: None for c in t.orders.c})
_ORDER = Statement(
    _orders.on_conflict_do_update(
        index_elements=["ref"], set_={c.name: _orders.excluded[c.name] for c in t.orders.c if c.name != "ref"}
    )
)
_fills = insert(t.fills).values({c.name: None for c in t.fills.c})
_FILL = Statement(
    _fills.on_conflict_do_update(
        index_elements=["exec_id"],
        set_={c.name: _fills.excluded[c.name] for c in t.fills.c if c.name != "exec_id"},
        # An older revision that comes late never replaces a correction.
        where=_fills.excluded.revision >= t.fills.c.revision,
    )
)
_suggestions = insert(t.suggestions).values({c.name: None for c in t.suggestions.c})
_SUGGESTION = Statement(
    _suggestions.on_conflict_do_update(
        index_elements=["id"],
        set_={c.name: _suggestions.excluded[c.name] for c in t.suggestions.c if c.name != "id"},
    )
)
_AUDIT = Statement(insert(t.audit).values({c.name: None for c in t.audit.c}))
_LOAD_LIVE = Statement(select(t.orders.c.record).where(t.orders.c.live == 1).order_by(t.orders.c.ref))
_LOAD_LOG = Statement(select(*t.order_log.c).order_by(t.order_log.c.seq))
_LOAD_FILLS = Statement(select(*t.fills.c).order_by(t.fills.c.ts_event, t.fills.c.exec_id))
_LOAD_SUGGESTIONS = Statement(
    select(t.suggestions.c.state, t.suggestions.c.record)
    .where(t.suggestions.c.live == 1)
    .order_by(t.suggestions.c.made_ns, t.suggestions.c.id)
)
_LOAD_AUDIT = Statement(select(*t.audit.c).order_by(t.audit.c.seq))
_AUDIT_HEAD = Statement(select(t.audit.c.seq, t.audit.c.hash).order_by(t.audit.c.seq.desc()).limit(1))
_LOAD_ONE = Statement(select(t.orders.c.record).where(t.orders.c.ref == bindparam("ref")))
_LOG_COUNT = Statement(select(func.count()).select_from(t.order_log))


class CommitTimes(msgspec.Struct):
    """How long commits take; the operations part watches it (G37)."""

    count: int = 0
    last_ns: int = 0
    slow_in_a_row: int = 0
    failed: int = 0


class Journal:
    """journal.db, seen by the order desk, the ledger, the board and the audit chain."""

    def __init__(
        self, database: Database, clock: Clock, *, ballast: Ballast | None = None, flush_ms: int = 200
    ) -> None:
        self.database = database
        self._clock = clock
        self._ballast = ballast
        self._flush_s = flush_ms / 1000
        self._pending: list[tuple[str, tuple[object, ...]]] = []
        self._timer: Timer | None = None
        self.times = CommitTimes()
        self.slow_ms: Callable[[], float] = lambda: 250.0
        """A commit that takes longer is slow."""
        self.counters = Counters(database)
        self.kv = KeyValues(database, clock)
        self._suggestion_decoder = msgspec.msgpack.Decoder(Suggestion)

    # --- writing

    def commit(
        self, entries: Sequence[Entry] = (), orders: Sequence[Projection] = (), fills: Sequence[Fill] = ()
    ) -> None:
        """Make these rows, and everything noted before, durable in one transaction. Raises ``JournalError``."""
        self._write([*self._pending, *_rows(entries, orders, fills)])

    def note(
        self, entries: Sequence[Entry] = (), orders: Sequence[Projection] = (), fills: Sequence[Fill] = ()
    ) -> None:
        """Queue rows for the next commit; losing them in a crash is harmless (the broker tells again)."""
        self._queue(_rows(entries, orders, fills))

    def flush(self) -> None:
        """Write what was noted. Raises ``JournalError``; the notes are kept and tried again."""
        if self._pending:
            self._write(list(self._pending))

    def save_suggestion(self, suggestion: Suggestion, state: SuggestionState, now_ns: int) -> None:
        """Keep a suggestion with its state, durably."""
        row = (
            suggestion.id,
            suggestion.symbol,
            state.value,
            int(state.open),
            suggestion.made_ns,
            suggestion.expires_ns,
            now_ns,
            msgspec.msgpack.encode(suggestion),
        )
        self._write([*self._pending, (_SUGGESTION.sql, row)])

    def append_audit(self, seq: int, ts_ns: int, kind: str, payload: str, previous: str, digest: str) -> None:
        """Queue a link of the audit chain."""
        self._queue([(_AUDIT.sql, (seq, ts_ns, kind, payload, previous, digest))])

    def _queue(self, rows: Sequence[tuple[str, tuple[object, ...]]]) -> None:
        if not rows:
            return
        self._pending += rows
        if self._timer is None:
            self._timer = self._clock.call_later(self._flush_s, self._flush_due)

    def _flush_due(self) -> None:
        self._timer = None
        try:
            self.flush()
        except JournalError:
            self._timer = self._clock.call_later(self._flush_s * 5, self._flush_due)

    def _write(self, rows: Sequence[tuple[str, tuple[object, ...]]]) -> None:
        started = self._clock.monotonic()
        try:
            with self.database.transaction() as cursor:
                for sql, values in rows:
                    cursor.execute(sql, values)
        except JournalError as error:
            self.times.failed += 1
            if self._ballast is not None and _disk_full(error):
                self._ballast.free()
            raise
        self._pending.clear()
        taken = self._clock.monotonic() - started
        self.times.count += 1
        self.times.last_ns = taken
        self.times.slow_in_a_row = self.times.slow_in_a_row + 1 if taken > self.slow_ms() * MILLISECOND else 0

    # --- reading

    def load_orders(self) -> Iterator[bytes]:
        """Records of all orders that are not final, by reference."""
        self.flush()
        for (record,) in self.database.rows(_LOAD_LIVE):
            yield record

    def load_order(self, ref: OrderRef) -> bytes | None:
        """The record of one order, also a settled one."""
        self.flush()
        return next((record for (record,) in self.database.rows(_LOAD_ONE, (ref,))), None)

    def order_log(self) -> Iterator[tuple[int, OrderRef, str, int, bytes]]:
        """The whole log: (seq, ref, kind, UTC ns, payload)."""
        self.flush()
        for seq, ref, kind, ts_ns, payload in self.database.rows(_LOAD_LOG):
            yield seq, OrderRef(ref), kind, ts_ns, payload

    def fills(self) -> Iterator[Fill]:
        """All fills as they count now, by time and execution id."""
        self.flush()
        for row in self.database.rows(_LOAD_FILLS):
            yield _fill(row)

    def open_suggestions(self) -> Iterator[tuple[SuggestionState, Suggestion]]:
        """Suggestions that are still open, oldest first."""
        for state, record in self.database.rows(_LOAD_SUGGESTIONS):
            yield SuggestionState(state), self._suggestion_decoder.decode(record)

    def audit_rows(self) -> Iterator[tuple[int, int, str, str, str, str]]:
        """The audit chain: (seq, UTC ns, kind, payload, previous hash, hash)."""
        self.flush()
        yield from self.database.rows(_LOAD_AUDIT)

    def audit_head(self) -> tuple[int, str] | None:
        """(seq, hash) of the newest link, None when the chain is empty."""
        self.flush()
        for seq, digest in self.database.rows(_AUDIT_HEAD):
            return int(seq), str(digest)
        return None

    def close(self) -> None:
        """Write what was noted and close the file."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            self.flush()
        finally:
            self.database.close()


def _disk_full(error: JournalError) -> bool:
    cause = error.__cause__
    text = str(cause)
    return "full" in text or "disk I/O" in text or getattr(cause, "errno", 0) == errno.ENOSPC


def _rows(
    entries: Sequence[Entry], orders: Sequence[Projection], fills: Sequence[Fill]
) -> list[tuple[str, tuple[object, ...]]]:
    rows: list[tuple[str, tuple[object, ...]]] = [(_LOG.sql, entry) for entry in entries]
    rows += [(_ORDER.sql, _order_row(status, record)) for status, record in orders]
    rows += [(_FILL.sql, _fill_row(fill)) for fill in fills]
    return rows


def _order_row(status: OrderStatus, record: bytes) -> tuple[object, ...]:
    request = status.request
    return (
        status.ref,
        status.account,
        request.symbol,
        request.side.value,
        status.state.value,
        int(status.state not in _FINAL),
        str(request.quantity),
        str(status.filled),
        status.created_ns,
        status.changed_ns,
        record,
    )


def _fill_row(fill: Fill) -> tuple[object, ...]:
    return (
        fill.exec_id,
        fill.revision,
        fill.ref,
        fill.account,
        fill.symbol,
        fill.side.value,
        str(fill.quantity),
        str(fill.price),
        str(fill.commission),
        fill.currency,
        fill.ts_event,
        fill.ts_seen,
        fill.liquidity,
    )


def _fill(row: tuple[object, ...]) -> Fill:
    exec_id, revision, ref, account, symbol, side, quantity, price, commission, currency, ts, seen, liquid = row
    return Fill(
        exec_id=ExecId(str(exec_id)),
        revision=int(str(revision)),
        ref=OrderRef(str(ref)),
        account=AccountId(str(account)),
        symbol=Symbol(str(symbol)),
        side=Side(str(side)),
        quantity=units(str(quantity)),
        price=Decimal(str(price)),
        commission=Decimal(str(commission)),
        currency=str(currency),
        ts_event=int(str(ts)),
        ts_seen=int(str(seen)),
        liquidity=str(liquid),
    )
