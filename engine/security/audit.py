"""The audit chain: who decided what, in rows that cannot be changed without being noticed.

Each row carries the SHA-256 of its own content and of the row before it; head and count are also kept in an anchor
outside the database, so that cutting off the end is noticed too.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import msgspec

from engine.bus.bus import Bus
from engine.bus.clock import Clock, Timer
from engine.bus.errors import IntegrityError, JournalError
from engine.model.events.base import Event
from engine.model.events.decision import (
    ApprovalAsked,
    Approved,
    AutonomyChanged,
    Edited,
    LimitsChanged,
    ModeChanged,
    Refused,
    RiskDenied,
    TradingHalted,
    TradingResumed,
)
from engine.model.events.order import (
    OrderAlarm,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderNeverSent,
    OrderNotAtBroker,
    OrderPartlyFilled,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
)
from engine.model.events.system import StrategyChanged
from engine.model.events.thought import Suggested

AUDITED: tuple[type[Event], ...] = (
    Suggested,
    RiskDenied,
    ApprovalAsked,
    Approved,
    Edited,
    Refused,
    ModeChanged,
    AutonomyChanged,
    TradingHalted,
    TradingResumed,
    LimitsChanged,
    StrategyChanged,
    OrderInitialized,
    OrderSubmitted,
    OrderNeverSent,
    OrderPartlyFilled,
    OrderFilled,
    OrderCanceled,
    OrderRejected,
    OrderExpired,
    OrderUnknown,
    OrderNotAtBroker,
    OrderAlarm,
)

GENESIS = "0" * 64
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="string")


class AuditStore(Protocol):
    """An append-only table."""

    def append_audit(self, seq: int, ts_ns: int, kind: str, payload: str, previous: str, digest: str) -> None: ...
    def audit_rows(self) -> Iterable[tuple[int, int, str, str, str, str]]: ...
    def audit_head(self) -> tuple[int, str] | None: ...
    def flush(self) -> None: ...


class Head(msgspec.Struct, frozen=True):
    """Where the chain ended when it was last anchored."""

    seq: int
    digest: str


class Anchor(Protocol):
    """A place outside the database."""

    def read(self) -> Head | None:
        """The last head, None when there never was one. Raises ``IntegrityError`` when it cannot be read."""

    def write(self, head: Head) -> None: ...


class FileAnchor:
    """An anchor in a file; ``write_file`` replaces a file whole."""

    def __init__(self, path: Path, write_file: Callable[[Path, bytes], None]) -> None:
        self._path = path
        self._write_file = write_file

    def read(self) -> Head | None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(data, type=Head)
        except msgspec.MsgspecError as error:
            raise IntegrityError(f"the audit anchor {self._path.name} is damaged: {error}") from error

    def write(self, head: Head) -> None:
        self._write_file(self._path, msgspec.json.encode(head))


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the chain, and in which row (0: as a whole)."""

    seq: int
    reason: str


def digest_of(seq: int, ts_ns: int, kind: str, payload: str, previous: str) -> str:
    """SHA-256 over the row and the hash before it, in a form that cannot be read two ways."""
    content = msgspec.json.encode([seq, ts_ns, kind, payload, previous])
    return hashlib.sha256(content).hexdigest()


def canonical(value: object) -> str:
    """JSON with sorted keys and exact decimals."""
    return _ENCODER.encode(value).decode()


class AuditChain:
    """Appends, anchors, verifies."""

    name = "audit chain"
    anchor_every_s = 10.0

    def __init__(self, bus: Bus, clock: Clock, store: AuditStore, anchor: Anchor) -> None:
        self._bus = bus
        self._clock = clock
        self._store = store
        self._anchor = anchor
        head = store.audit_head()
        self._seq, self._hash = head if head is not None else (0, GENESIS)
        self._timer: Timer | None = None
        self._leave: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Begin to listen. Raises ``IntegrityError`` when the chain is broken: the engine then only observes."""
        faults = self.verify()
        if faults:
            raise IntegrityError(f"the audit chain is broken at row {faults[0].seq}: {faults[0].reason}")
        self._leave = [self._bus.subscribe(kind, self._on_event, owner=self.name) for kind in AUDITED]

    async def stop(self) -> None:
        """Anchor and leave."""
        for leave in self._leave:
            leave()
        self._leave = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.anchor()

    def append(self, kind: str, content: object, ts_ns: int | None = None) -> None:
        """Add a row; it is durable with the journal's next commit."""
        ts_ns = self._clock.now() if ts_ns is None else ts_ns
        payload = canonical(content)
        seq = self._seq + 1
        digest = digest_of(seq, ts_ns, kind, payload, self._hash)
        self._store.append_audit(seq, ts_ns, kind, payload, self._hash, digest)
        self._seq, self._hash = seq, digest
        if self._timer is None:
            self._timer = self._clock.call_later(self.anchor_every_s, self._anchor_due)

    def anchor(self) -> None:
        """Make the rows durable, then write head and count outside the database."""
        if self._seq:
            self._store.flush()
            self._anchor.write(Head(self._seq, self._hash))

    def _anchor_due(self) -> None:
        self._timer = None
        try:
            self.anchor()
        except (JournalError, OSError):
            self._timer = self._clock.call_later(self.anchor_every_s, self._anchor_due)

    def _on_event(self, event: Event) -> None:
        self.append(type(event).__name__, event, event.ts_init)

    def verify(self) -> list[Fault]:
        """Check every row and the anchor; return what is wrong, nothing when all is well."""
        return verify(self._store, self._anchor)


def verify(store: AuditStore, anchor: Anchor) -> list[Fault]:
    """Walk the chain. Stops at the first broken row, because every later one hangs on it."""
    previous, expected = GENESIS, 1
    try:
        head = anchor.read()
    except IntegrityError as error:
        return [Fault(0, str(error))]
    for seq, ts_ns, kind, payload, before, digest in store.audit_rows():
        if seq != expected:
            return [Fault(expected, f"row {expected} is missing (the next one is {seq})")]
        if before != previous:
            return [Fault(seq, "it does not continue the row before it")]
        if digest != digest_of(seq, ts_ns, kind, payload, before):
            return [Fault(seq, "its content was changed")]
        if head is not None and seq == head.seq and digest != head.digest:
            return [Fault(seq, "it is not the row that was anchored outside the database")]
        previous, expected = digest, seq + 1
    if head is not None and head.seq >= expected:
        return [Fault(expected, f"rows {expected} to {head.seq} were cut off")]
    return []
