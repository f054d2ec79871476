"""What somebody without a window must be told while the agent runs: faults and their end, modes, what has no prices."""

import sys
import time
from collections.abc import Iterable

from engine.api.rows import SourceRow
from engine.bus.bus import Bus
from engine.model.events.decision import ModeChanged
from engine.model.events.system import Alarm
from engine.model.market import Session, SessionState

_OWN = frozenset({"cli"})
"""Who started the run knows of its own command."""


class Banner:
    """Plain lines on standard error."""

    def __init__(self) -> None:
        self.ending = False
        """The run is being stopped: that the link goes down with it is no news."""
        self._standing: set[str] = set()
        self._sources: dict[str, str] = {}

    def listen(self, bus: Bus) -> None:
        """Tell from now on."""
        bus.subscribe(Alarm, self.on_alarm, owner="cli")
        bus.subscribe(ModeChanged, self.on_mode, owner="cli")

    def on_alarm(self, event: Alarm) -> None:
        """A red or amber line, and the end of one that was told."""
        if event.cleared:
            if event.code in self._standing:
                self._standing.discard(event.code)
                say(f"over: {event.happened}")
        elif event.severity != "yellow":
            self._standing.add(event.code)
            say(f"{event.severity}: " + " ".join(p for p in (event.happened, event.did, event.you_can) if p))

    def on_mode(self, event: ModeChanged) -> None:
        """A mode that nobody here has chosen."""
        if event.by not in _OWN and not self.ending:
            say(f"{event.before.value} has ended, the mode is {event.after.value}: {event.reason}")

    def sources(self, rows: Iterable[SourceRow]) -> None:
        """A source that works in part, or not, and why; said once a reason."""
        for row in rows:
            if row.text != self._sources.get(row.key, ""):
                self._sources[row.key] = row.text
                say(f"{row.key}: {row.text or 'works again'}")


def say(line: str) -> None:
    """One line above the line of progress."""
    lead = "\r\x1b[2K" if sys.stderr.isatty() else ""
    print(f"{lead}{line}", file=sys.stderr, flush=True)


def market(sessions: Iterable[Session | None]) -> str:
    """Say that nothing is open for trading now, and when the first of them opens; empty while something is open."""
    known = [session for session in sessions if session is not None]
    if any(session.state is SessionState.OPEN for session in known):
        return ""
    opens = min((s.next_open_ns for s in known if s.next_open_ns), default=0)
    if not opens:
        return "market closed"
    return f"market closed until {time.strftime('%a %Y-%m-%d %H:%M', time.gmtime(opens / 1e9))} UTC"
