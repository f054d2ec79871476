"""The record of what was done, read again every hour, a slice at a time so that nothing waits for it."""

from collections.abc import Callable, Iterator
from itertools import islice

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes
from engine.operations.settings import OperationsSettings

CODE = "AUDIT"
SLICE = 1_000
GENESIS = "0" * 64
Row = tuple[int, int, str, str, str, str]
"""(seq, UTC ns, kind, payload, previous hash, hash)."""


class AuditWatch:
    """A broken chain keeps the engine from trading."""

    name = "audit"

    def __init__(
        self,
        clock: Clock,
        modes: Modes,
        lamps: Lamps,
        settings: OperationsSettings,
        *,
        rows: Callable[[], Iterator[Row]],
        digest: Callable[[int, int, str, str, str], str],
        anchor: Callable[[], tuple[int, str] | None],
    ) -> None:
        """``anchor``: (seq, hash) kept outside the database; raises ``IntegrityError`` when it cannot be read."""
        self._clock, self._modes, self._lamps = clock, modes, lamps
        self._every_ns = round(settings.audit_every_s * SECOND)
        self._rows, self._digest, self._anchor = rows, digest, anchor
        self._due_ns = 0
        self._walk: Iterator[Row] | None = None
        self._before = GENESIS
        self._expected = 1
        self._head: tuple[int, str] | None = None
        self.walked = 0
        """Complete readings so far."""

    def start(self) -> None:
        # The start itself has just read the whole chain.
        self._due_ns = self._clock.now() + self._every_ns

    def stop(self) -> None:
        self._walk = None

    def look(self) -> None:
        """Take up a reading when it is due, and read one slice of it."""
        now = self._clock.now()
        try:
            if self._walk is None:
                if now < self._due_ns:
                    return
                self._due_ns = now + self._every_ns
                self._head = self._anchor()
                self._walk, self._before, self._expected = self._rows(), GENESIS, 1
            fault = self._slice(self._walk)
        except (IntegrityError, JournalError) as error:
            fault = str(error)
        if fault:
            self._walk = None
            self._broken(fault)

    def _slice(self, walk: Iterator[Row]) -> str:
        count = 0
        for seq, ts_ns, kind, payload, before, digest in islice(walk, SLICE):
            count += 1
            if seq != self._expected:
                return f"row {self._expected} is missing"
            if before != self._before or digest != self._digest(seq, ts_ns, kind, payload, before):
                return f"row {seq} was changed"
            if self._head is not None and seq == self._head[0] and digest != self._head[1]:
                return f"row {seq} is not the one that was anchored"
            self._before, self._expected = digest, seq + 1
        if count == SLICE:
            return ""
        self._walk = None
        self.walked += 1
        if self._head is not None and self._head[0] >= self._expected:
            return f"rows {self._expected} to {self._head[0]} were cut off"
        return ""

    def _broken(self, fault: str) -> None:
        self._modes.lower(Mode.OBSERVE, self.name, f"the audit chain is broken: {fault}")
        self._lamps.light(
            CODE,
            "red",
            f"The record of what was done is damaged: {fault}.",
            "The engine only observes.",
            "Run main.py audit verify, and compare with the broker.",
        )
