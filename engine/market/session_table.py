"""One calendar as plain integers: every look-up is a bisection."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from engine.model.market import Session, SessionState


class SessionTable(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions of one calendar between two instants. Times in UTC ns, parallel tuples in order of time."""

    name: str
    zone: str
    """IANA name of the exchange's time zone."""
    from_ns: int
    until_ns: int
    """The table knows [from_ns, until_ns); outside it nothing is known and the answer is ``None``."""
    dates: tuple[str, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    early: frozenset[int]
    """Positions of the sessions that close early."""
    breaks: dict[int, tuple[int, int]] = {}
    """Position -> (start, end) of the lunch break."""
    pre_ns: int = 0
    post_ns: int = 0

    def at(self, at_ns: int) -> tuple[Session, int, int] | None:
        """Return the session of ``at_ns`` and the span [from, until) in which this answer holds; None outside."""
        if not self.from_ns <= at_ns < self.until_ns:
            return None
        position = bisect_right(self.opens, at_ns) - 1
        if position >= 0 and at_ns < self.closes[position]:
            return self._open(position, at_ns)
        last = len(self.opens) - 1
        following = position + 1
        if position >= 0 and at_ns < (end := self._post_end(position)):
            return self._session(position, SessionState.POST), self.closes[position], end
        if following > last:
            return None
        pre = max(self.opens[following] - self.pre_ns, self._post_end(position) if position >= 0 else self.from_ns)
        if at_ns >= pre:
            return self._session(following, SessionState.PRE), pre, self.opens[following]
        start = self._post_end(position) if position >= 0 else self.from_ns
        return self._session(following, SessionState.CLOSED), start, pre

    def amended(self, hours: Sequence[tuple[str, int, int]]) -> "SessionTable":
        """Return the table with these sessions, (date, open, close), 0 and 0 for closed; itself where they agree."""
        named = {date for date, _, _ in hours}
        told = {(opened, closed, date) for date, opened, closed in hours if 0 < opened < closed}
        old = list(zip(self.opens, self.closes, self.dates, strict=True))
        if told == {session for session in old if session[2] in named}:
            return self
        sessions = sorted({*(session for session in old if session[2] not in named), *told})
        # Sessions never lie over each other: what is told ends before its neighbour begins, or does not count.
        after = (*(session[0] for session in sessions[1:]), self.until_ns)
        sessions = [session for session, limit in zip(sessions, after, strict=True) if session[1] <= limit]
        where = {date: position for position, (_, _, date) in enumerate(sessions) if date not in named}
        return msgspec.structs.replace(
            self,
            opens=tuple(session[0] for session in sessions),
            closes=tuple(session[1] for session in sessions),
            dates=tuple(session[2] for session in sessions),
            early=frozenset(where[self.dates[at]] for at in self.early if self.dates[at] in where),
            breaks={where[self.dates[at]]: pause for at, pause in self.breaks.items() if self.dates[at] in where},
        )

    def position_of(self, date: str) -> int | None:
        """Return the position of the session of the ISO ``date``, None when there is none."""
        position = bisect_right(self.dates, date) - 1
        return position if position >= 0 and self.dates[position] == date else None

    def _open(self, position: int, at_ns: int) -> tuple[Session, int, int]:
        open_ns, close_ns = self.opens[position], self.closes[position]
        if (pause := self.breaks.get(position)) is None:
            return self._session(position, SessionState.OPEN), open_ns, close_ns
        start, end = pause
        if at_ns < start:
            return self._session(position, SessionState.OPEN), open_ns, start
        if at_ns < end:
            return self._session(position, SessionState.CLOSED, next_open=end), start, end
        return self._session(position, SessionState.OPEN), end, close_ns

    def _post_end(self, position: int) -> int:
        end = self.closes[position] + self.post_ns
        return min(end, self.opens[position + 1]) if position + 1 < len(self.opens) else end

    def _session(self, position: int, state: SessionState, next_open: int = 0) -> Session:
        if not next_open:
            if state in (SessionState.PRE, SessionState.CLOSED):
                next_open = self.opens[position]
            elif position + 1 < len(self.opens):
                next_open = self.opens[position + 1]
            else:
                next_open = self.until_ns
        return Session(
            state=state,
            date=self.dates[position],
            open_ns=self.opens[position],
            close_ns=self.closes[position],
            next_open_ns=next_open,
            early_close=position in self.early,
        )
