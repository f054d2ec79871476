"""What a run did: one JSON object per event, counts, and the decision hash."""

import hashlib
from collections import Counter
from typing import IO

import msgspec

from engine.bus.bus import Bus
from engine.model.events.base import Event
from engine.runtime.families import HASHED, WRITTEN


class RunLedger:
    """Observes a run. The hash covers decisions, orders and positions in order, with their market times."""

    def __init__(self, bus: Bus, sink: IO[str] | None) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self.counts: Counter[str] = Counter()
        hashed = set(HASHED)
        kind: type[Event]
        for kind in WRITTEN:
            bus.subscribe(kind, self._hash_and_write if kind in hashed else self._only_write, owner="run ledger")

    @property
    def decision_hash(self) -> str:
        return self._hash.hexdigest()

    def finish(self, summary: Event) -> None:
        """Write the last line and flush."""
        self._write(summary)
        if self._sink is not None:
            self._sink.flush()

    def _hash_and_write(self, event: Event) -> None:
        self._hash.update(self._write(event))

    def _only_write(self, event: Event) -> None:
        self._write(event)

    def _write(self, event: Event) -> bytes:
        self.counts[type(event).__name__] += 1
        line = self._encoder.encode(event)
        if self._sink is not None:
            self._sink.write(line.decode() + "\n")
        return line
