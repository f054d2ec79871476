"""Exits of entries that were filled in part: they must come alive, fit what is held, and not be lost with the entry.

Brokers differ. Interactive Brokers and the paper exchange let the exits cover what has filled so far. Alpaca holds
them back until the entry is complete, and its pages say that cancelling an entry ends its whole group, also where a
part has filled. So nothing is assumed here: what the broker shows is looked at, and mended or told.

What makes a position safer is done for the agent's own orders. A person's orders are theirs: the alarm names the key.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from engine.api.commands import Receipt
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock, Timer
from engine.execution.again import Again
from engine.execution.entry_family import ALIVE, ENDED, Family
from engine.execution.ports import Booking, Clearing
from engine.execution.settings import ExecutionSettings
from engine.execution.voice import Voice
from engine.model.events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderHeld,
    OrderNeverSent,
    OrderPartlyFilled,
    OrderRejected,
)
from engine.model.ids import OrderRef, Symbol
from engine.model.money import ZERO
from engine.model.order import ClearedOrder, OrderRequest, OrderState, OrderStatus, is_protective

S = OrderState
SETTLE_S = 2.0
"""How long after an event a family is looked at: its other messages are on their way."""
AGAIN_S = 5.0
FIT_S = 10.0
"""How long a broker has to shrink exits by itself."""
RECENT_NS = 120 * SECOND
"""How long after an entry's end its stop is placed again; later the market is another one, and a person looks."""
MOST_TRIES = 3
_HEARD = (
    OrderAccepted,
    OrderHeld,
    OrderPartlyFilled,
    OrderFilled,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderNeverSent,
)


class Desk(Protocol):
    """What is used of the order desk."""

    @property
    def synced(self) -> bool: ...
    def cancel_asked(self, ref: OrderRef) -> bool: ...
    def drifting(self, symbol: Symbol) -> bool: ...
    def orders(self) -> Mapping[OrderRef, OrderStatus]: ...
    def submit(self, cleared: ClearedOrder) -> OrderStatus: ...
    def cancel(self, ref: OrderRef, by: str) -> Receipt: ...
    def modify(self, ref: OrderRef, *, quantity: Decimal | None = None, by: str = "") -> Receipt: ...


class Guard:
    """Looks at a family a moment after anything of it changed, and until nothing is left to do."""

    name = "guard"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        desk: Desk,
        *,
        booking: Booking,
        gate: Clearing,
        settings: ExecutionSettings,
        exits_wait: bool,
        pairs_in_one: bool = False,
    ) -> None:
        """``exits_wait``: the broker holds exits back until their entry is complete.

        ``pairs_in_one``: it takes a target and its stop, of which one ends the other, as one message alone.
        """
        self._bus, self._clock, self._desk = bus, clock, desk
        self._booking, self._gate, self._settings = booking, gate, settings
        self._exits_wait = exits_wait
        self._again = Again(desk, gate, pairs_in_one=pairs_in_one)
        self._voice = Voice(bus, clock)
        self._timers: dict[OrderRef, tuple[Timer, int]] = {}
        self._since: dict[tuple[str, OrderRef], int] = {}
        self._tries: dict[OrderRef, int] = {}
        self._told: dict[OrderRef, str] = {}

    async def start(self) -> None:
        """Listen, and look at what an earlier run left half done."""
        for kind in _HEARD:
            self._bus.subscribe(kind, self._on_order, owner=self.name, role=Role.DECIDER)
        for status in self._desk.orders().values():
            if status.filled and status.state is not S.FILLED and self._exits(status.ref):
                self._look_in(status.ref, AGAIN_S)

    async def stop(self) -> None:
        """Look no more; orders stay at the broker."""
        for timer, _ in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _on_order(self, event: OrderEvent) -> None:
        status = event.status
        if status.external:
            return
        ref = self._entry_of(status)
        if ref is not None:
            certain = status.state.closed and self._all_ended(ref)
            self._look_in(ref, 0.0 if certain else SETTLE_S)
        for ref in tuple(self._told):
            told = self._desk.orders().get(ref)
            if told is not None and told.request.symbol == status.request.symbol:
                # A stop that a person placed, or the end of the position: what was told may be over.
                self._look_in(ref, SETTLE_S)

    def _look_in(self, ref: OrderRef, seconds: float) -> None:
        due = self._clock.now() + round(seconds * SECOND)
        if ref in self._timers:
            timer, at = self._timers[ref]
            if at <= due:
                return
            timer.cancel()
        self._timers[ref] = (self._clock.call_later(seconds, lambda: self._look(ref)), due)

    def _entry_of(self, status: OrderStatus) -> OrderRef | None:
        """The entry whose family ``status`` belongs to; a stop that came with a target belongs to the target's."""
        if not is_protective(status):
            return status.ref if status.filled and not status.request.reduce_only else None
        parent = self._desk.orders().get(status.parent_ref) if status.parent_ref is not None else None
        return parent.parent_ref if parent is not None and is_protective(parent) else status.parent_ref

    def _exits(self, ref: OrderRef) -> tuple[OrderStatus, ...]:
        return tuple(s for s in self._desk.orders().values() if is_protective(s) and self._entry_of(s) == ref)

    def _all_ended(self, ref: OrderRef) -> bool:
        """All that was to come has been told: entry and exits are over, and no exit has filled."""
        entry, exits = self._desk.orders().get(ref), self._exits(ref)
        over = entry is not None and entry.state in ENDED and bool(exits)
        return over and all(leg.state.closed and not leg.filled for leg in exits)

    def _look(self, ref: OrderRef) -> None:
        self._timers.pop(ref, None)
        entry = self._desk.orders().get(ref)
        exits = self._exits(ref) if entry is not None else ()
        if entry is None or not exits or not entry.filled:
            return
        position = self._booking.positions().get(entry.request.symbol)
        held = position.quantity if position is not None else ZERO
        family = Family(entry, exits, held, self._stops_elsewhere(entry, exits))
        if family.bare <= ZERO and not family.too_large:
            self._clear(entry)
        elif not self._desk.synced or family.unsure or self._desk.drifting(entry.request.symbol):
            self._look_in(ref, AGAIN_S)
        elif family.waiting(self._exits_wait):
            self._wait(family)
        elif family.lost and family.bare > ZERO:
            self._lost(family)
        elif family.too_large:
            self._fit(family)
        else:
            self._clear(entry)

    def _stops_elsewhere(self, entry: OrderStatus, exits: tuple[OrderStatus, ...]) -> Decimal:
        mine, closing = {leg.ref for leg in exits}, entry.request.side.opposite
        others = (
            s.remaining
            for s in self._desk.orders().values()
            if s.state in ALIVE and s.ref not in mine and s.request.stop_price is not None
            if s.request.symbol == entry.request.symbol and s.request.side is closing
        )
        return sum(others, ZERO)

    # --- the three cases

    def _wait(self, family: Family) -> None:
        """A part is held and its stop sleeps: after a while the rest of the entry has to go."""
        entry = family.entry
        waited_s = self._since_s("waits", entry.ref)
        if waited_s < self._settings.partial_wait_s:
            self._look_in(entry.ref, self._settings.partial_wait_s - waited_s)
            return
        what = self._part(entry)
        if entry.request.origin.unattended:
            self._desk.cancel(entry.ref, "its stop waits at the broker until the entry is done")
            self._tell(
                entry, "amber", f"{what}, and its stop waits at the broker.", "The rest of the entry is cancelled."
            )
            self._look_in(entry.ref, AGAIN_S)
            return
        self._tell(
            entry,
            "red",
            f"{what}, and the broker holds its stop back until all of it is filled: {family.bare:f} have no stop.",
            "The entry was left as it is: it is yours.",
            f'Cancel the rest: main.py order "cancel {entry.ref}". The stop is then for what is filled.',
        )

    def _lost(self, family: Family) -> None:
        """The stop ended with the entry, or by the broker alone."""
        entry = family.entry
        if self._desk.cancel_asked(max(family.stops, key=lambda s: s.created_ns).ref):
            # Somebody here wanted it. Older ones were followed by this one.
            return
        stop = max(family.stops, key=lambda s: s.changed_ns)
        price = stop.request.stop_price
        recent = self._clock.now() - max(entry.changed_ns, stop.changed_ns) < RECENT_NS
        ours = entry.request.origin.unattended and entry.state in ENDED and recent
        tries = self._tries.get(entry.ref, 0)
        reason = stop.reason or "no reason was given"
        if ours and tries < MOST_TRIES:
            self._tries[entry.ref] = tries + 1
            reason, target = self._place_again(family, stop.request)
            if not reason:
                did = f"A stop at {price:f} for {family.bare:f} is placed again; the target is gone."
                if target is not None:
                    did = f"A stop at {price:f} and a target at {target:f} for {family.bare:f} are placed again."
                self._tell(entry, "amber", f"{self._part(entry)}, and the broker ended its stop with the rest.", did)
                self._look_in(entry.ref, AGAIN_S)
                return
            if tries + 1 < MOST_TRIES:
                self._look_in(entry.ref, AGAIN_S)
                return
        self._tell(
            entry,
            "red",
            f"{entry.request.symbol}: {family.bare:f} have no stop: the broker ended it ({reason}).",
            "Nothing was placed.",
            f'Place one: main.py order "{self._stop_text(family, stop.request)}", or close the position.',
        )

    def _place_again(self, family: Family, lost: OrderRequest) -> tuple[str, Decimal | None]:
        """Send the stop anew for what is held, the first time with the target that ended, too.

        Return why the stop could not be sent, or nothing and the price of the target that went with it.
        """
        entry, number = family.entry.ref, self._tries[family.entry.ref]
        target = family.target if number == 1 else None
        return self._again.place(lost, target, family.bare, parent=entry, name=entry, number=number)

    def _fit(self, family: Family) -> None:
        """Exits for more than is held would turn the position: make them fit when the broker does not."""
        entry = family.entry
        waited_s = self._since_s("fits", entry.ref)
        if waited_s < FIT_S:
            self._look_in(entry.ref, FIT_S - waited_s)
            return
        tries = self._tries[entry.ref] = self._tries.get(entry.ref, 0) + 1
        refused = ""
        if family.held <= ZERO:
            self._needless(family)
            return
        ours = entry.request.origin.unattended
        for leg in family.too_large if ours else ():
            # A person may have made a stop larger for what is held beside this entry: theirs is told, not changed.
            receipt = self._desk.modify(leg.ref, quantity=leg.filled + family.held, by=self.name)
            refused = refused if receipt.ok else receipt.text
        if ours and tries < MOST_TRIES:
            self._look_in(entry.ref, AGAIN_S)
        else:
            self._tell(
                entry,
                "red",
                f"{self._part(entry)}, but its exits are for more than the {family.held:f} that are held.",
                f"They were asked to shrink, in vain{f': {refused}' if refused else ''}."
                if ours
                else "They were left as they are: they are yours.",
                f'Set their quantity: main.py order "modify {family.too_large[0].ref} qty {family.held:f}".',
            )

    def _needless(self, family: Family) -> None:
        """Nothing is held any more: an exit that fills now would open a position."""
        entry = family.entry
        if entry.request.origin.unattended:
            for leg in family.too_large:
                self._desk.cancel(leg.ref, "what it protected is not held any more")
            return
        self._tell(
            entry,
            "red",
            f"{entry.request.symbol}: nothing of entry {entry.ref} is held any more, but its exits still work.",
            "They were left as they are: they are yours.",
            f'Cancel them: main.py order "cancel {family.too_large[0].ref}".',
        )

    # --- words

    @staticmethod
    def _stop_text(family: Family, lost: OrderRequest) -> str:
        return f"{lost.side.value.lower()} {lost.symbol} {family.bare:f} stp {lost.stop_price:f} gtc"

    @staticmethod
    def _part(entry: OrderStatus) -> str:
        request = entry.request
        return f"{request.symbol}: entry {entry.ref} is filled in part ({entry.filled:f} of {request.quantity:f})"

    def _since_s(self, what: str, ref: OrderRef) -> float:
        now = self._clock.now()
        return (now - self._since.setdefault((what, ref), now)) / SECOND

    def _tell(self, entry: OrderStatus, severity: str, happened: str, did: str, you_can: str = "") -> None:
        if self._told.get(entry.ref) != happened:
            self._told[entry.ref] = happened
            self._voice.alarm(f"EXITS:{entry.ref}", severity, happened, did, you_can)

    def _clear(self, entry: OrderStatus) -> None:
        for what in ("waits", "fits"):
            self._since.pop((what, entry.ref), None)
        if self._told.pop(entry.ref, None) is not None:
            text = f"{entry.request.symbol}: the exits of {entry.ref} are in order."
            self._voice.alarm(f"EXITS:{entry.ref}", "amber", text, cleared=True)
