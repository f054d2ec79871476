"""What the import needs to know of the world: sessions and instruments, from whoever keeps them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from engine.model.ids import Symbol
from engine.model.instrument import Instrument


class Sessions(Protocol):
    """All sessions of one calendar; parallel sequences in order of time, UTC ns."""

    @property
    def zone(self) -> str: ...
    @property
    def from_ns(self) -> int: ...
    @property
    def dates(self) -> Sequence[str]: ...
    @property
    def opens(self) -> Sequence[int]: ...
    @property
    def closes(self) -> Sequence[int]: ...


class CalendarSource(Protocol):
    """Where calendars come from; None when there is none of that name."""

    def table(self, calendar: str, at_ns: int) -> Sessions | None: ...


class ImportContext(msgspec.Struct, frozen=True):
    """Calendars, and what a bare symbol most likely is."""

    calendars: CalendarSource
    describe: Callable[[Symbol], Instrument]
