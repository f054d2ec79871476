"""Trading sessions as the simulation sees them: an index, a date, an open and a close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPEN, CLOSE = time(9, 30), time(16, 0)
SLOT_SECONDS = 300
SLOTS = 78
"""Five-minute slots in a session of 6.5 hours."""
SESSION_SECONDS = SLOTS * SLOT_SECONDS


@dataclass(frozen=True, slots=True)
class SessionDay:
    """One trading session; `open_ns` and `close_ns` are UTC nanoseconds."""

    index: int
    date: date
    open_ns: int
    close_ns: int

    @property
    def seconds(self) -> int:
        """Length of the session; an early close is shorter than 23 400 s."""
        return (self.close_ns - self.open_ns) // 1_000_000_000


def session_on(index: int, day: date) -> SessionDay:
    """The regular session 09:30–16:00 New York on `day`."""
    return SessionDay(index, day, _utc_ns(day, OPEN), _utc_ns(day, CLOSE))


def weekday_sessions(start: date, count: int, first_index: int = 0) -> tuple[SessionDay, ...]:
    """`count` regular sessions on weekdays from `start` on; holidays are the caller's business."""
    sessions: list[SessionDay] = []
    day = start
    while len(sessions) < count:
        if day.weekday() < 5:
            sessions.append(session_on(first_index + len(sessions), day))
        day += timedelta(days=1)
    return tuple(sessions)


class SessionTable:
    """Sessions by index: those the caller gave, and weekdays before and after them."""

    def __init__(self, days: Sequence[SessionDay]) -> None:
        if not days:
            raise ValueError("days: at least one session is needed")
        for earlier, later in pairwise(days):
            if later.index != earlier.index + 1 or later.open_ns < earlier.close_ns:
                raise ValueError(
                    f"days: session {later.index} ({later.date}) does not follow {earlier.index} ({earlier.date})"
                )
        for day in days:
            if not 0 < day.seconds <= SESSION_SECONDS or day.seconds % SLOT_SECONDS:
                raise ValueError(
                    f"days: session {day.index} ({day.date}) lasts {day.seconds} s; it must be whole five-minute "
                    f"slots and at most {SESSION_SECONDS} s"
                )
        self._days = {day.index: day for day in days}
        self.first, self.last = days[0], days[-1]
        self._low, self._high = days[0], days[-1]

    def at(self, index: int) -> SessionDay:
        """The session with this index."""
        while index < self._low.index:
            day = self._low.date - timedelta(days=1)
            while day.weekday() >= 5:
                day -= timedelta(days=1)
            self._low = session_on(self._low.index - 1, day)
            self._days[self._low.index] = self._low
        while index > self._high.index:
            day = self._high.date + timedelta(days=1)
            while day.weekday() >= 5:
                day += timedelta(days=1)
            self._high = session_on(self._high.index + 1, day)
            self._days[self._high.index] = self._high
        return self._days[index]


def _utc_ns(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, NEW_YORK).timestamp()) * 1_000_000_000
