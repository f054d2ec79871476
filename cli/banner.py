"""What somebody without a window must be told while the agent runs: faults, modes, prices that are missing, trades."""

import sys
import time
from collections.abc import Iterable

from engine.api.rows import SourceRow
from engine.api.starting import StartStep
from engine.bus.bus import Bus
from engine.model.events.decision import ApprovalAsked, ModeChanged, RiskDenied
from engine.model.events.order import OrderFilled, OrderPartlyFilled, OrderRejected
from engine.model.events.system import Alarm
from engine.model.events.thought import Suggested
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
        self._denied: set[tuple[str, str]] = set()

    def listen(self, bus: Bus, *, trades: bool = True) -> None:
        """Tell from now on. ``trades``: suggestions, denials and fills too; a market at high speed has too many."""
        bus.subscribe(Alarm, self.on_alarm, owner="cli")
        bus.subscribe(ModeChanged, self.on_mode, owner="cli")
        if trades:
            bus.subscribe(Suggested, self.on_suggested, owner="cli")
            bus.subscribe(ApprovalAsked, self.on_asked, owner="cli")
            bus.subscribe(RiskDenied, self.on_denied, owner="cli")
            bus.subscribe(OrderFilled, self.on_filled, owner="cli")
            bus.subscribe(OrderPartlyFilled, self.on_filled, owner="cli")
            bus.subscribe(OrderRejected, self.on_rejected, owner="cli")

    def on_start(self, step: StartStep) -> None:
        """That a start compiles: the only step that lasts longer than one waits for a program."""
        if step is StartStep.COMPILING:
            say("compiling the numeric kernels for this machine: on the first start only, up to a minute or two")

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

    def on_suggested(self, event: Suggested) -> None:
        """What the agent proposes."""
        s = event.suggestion
        plan = "closes" if s.reduces else f"stop {s.stop:f}, target {s.target:f}"
        say(f"{s.id}: {s.side} {s.quantity:f} {s.symbol} at {s.entry:f}, {plan} ({s.strategy})")

    def on_asked(self, event: ApprovalAsked) -> None:
        """A suggestion that waits for its answer."""
        until = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event.expires_ns / 1e9))
        say(f"{event.suggestion_id}: waits for your answer until {until} UTC")

    def on_denied(self, event: RiskDenied) -> None:
        """Why something did not become an order; the same reason once a symbol."""
        # What is not known or not open goes before numbers that follow from it.
        first = min(event.denials, key=lambda denial: (not denial.hard, bool(denial.value)), default=None)
        if first is None or (event.symbol, first.code) in self._denied:
            return
        self._denied.add((event.symbol, first.code))
        more = ", ".join(denial.code for denial in event.denials if denial is not first)
        who = event.suggestion_id or "order"
        say(f"{who}: denied: {first.code} {first.text}" + (f" (and {more})" if more else ""))

    def on_filled(self, event: OrderFilled | OrderPartlyFilled) -> None:
        """What was bought and sold."""
        fill, order = event.fill, event.status
        done = f"{order.filled:f} of {order.request.quantity:f}"
        say(f"{event.ref}: {fill.side} {fill.quantity:f} {fill.symbol} at {fill.price:f}, {done}")

    def on_rejected(self, event: OrderRejected) -> None:
        """What the broker did not take."""
        say(f"{event.ref}: {event.side} {event.symbol} was rejected: {event.reason or 'no reason given'}")

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
