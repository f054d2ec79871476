"""What a run did: one JSON object per event, counts, and the decision hash."""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import IO

import msgspec
import structlog

from engine.bus.bus import Bus
from engine.model.events.base import Event
from engine.model.events.system import Alarm
from engine.runtime.families import HASHED, WRITTEN

NOTED = frozenset({"DATABASE", "AUDIT", "ADOPTED", "OPENING", "G38", "EVENTS"})
"""Alarms about records that were damaged, restored, cut short or older than the broker's."""
_log = structlog.get_logger("run ledger")


class RunLedger:
    """Observes a run. The hash covers decisions, orders and positions in order, with their market times."""

    def __init__(self, bus: Bus, sink: IO[str] | None, sink_lost: Callable[[], None]) -> None:
        """``sink_lost`` runs once when nobody reads any more. A full disk is said, and the run goes on."""
        self._bus = bus
        self._sink = sink
        self._sink_lost = sink_lost
        self._hash = hashlib.sha256()
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []
        """What the end of the run must not keep quiet about."""
        self.cut_short = False
        """The file of events is not complete."""
        hashed = set(HASHED)
        kind: type[Event]
        for kind in WRITTEN:
            bus.subscribe(kind, self._hash_and_write if kind in hashed else self._only_write, owner="run ledger")
        bus.subscribe(Alarm, self._note, owner="run ledger")

    @property
    def decision_hash(self) -> str:
        return self._hash.hexdigest()

    def finish(self, summary: Event) -> None:
        """Write the last line and flush."""
        self._write(summary)
        try:
            if self._sink is not None:
                self._sink.flush()
        except OSError as error:
            self._lose(error, summary)

    def _hash_and_write(self, event: Event) -> None:
        self._hash.update(self._write(event))

    def _only_write(self, event: Event) -> None:
        self._write(event)

    def _note(self, event: Alarm) -> None:
        line = " ".join(part for part in (event.happened, event.did, event.you_can) if part)
        if event.code in NOTED and not event.cleared and line not in self.notes:
            self.notes.append(line)

    def _write(self, event: Event) -> bytes:
        self.counts[type(event).__name__] += 1
        line = self._encoder.encode(event)
        try:
            if self._sink is not None:
                self._sink.write(line.decode() + "\n")
        except OSError as error:
            self._lose(error, event)
        return line

    def _lose(self, error: OSError, event: Event) -> None:
        # Raised on, the failure would be an event itself, and be written, and fail again without end.
        self._sink = None
        _log.error("events are not written any more", reason=str(error))
        if isinstance(error, BrokenPipeError):
            self._sink_lost()
            return
        self.cut_short = True
        alarm = Alarm(
            ts_event=event.ts_event,
            ts_init=event.ts_init,
            code="EVENTS",
            severity="amber",
            happened=f"The file of events cannot be written any more: {error.strerror or error}.",
            did="The run goes on without it.",
            you_can="Free some space.",
        )
        self._note(alarm)
        self._bus.publish(alarm)
