"""A strategy's exit at a broker whose resting stops and targets hold what it would close.

They are asked to go, their end is waited for, the position is read anew, one closing order is sent, and what it leaves
is protected again at the old prices. No two orders that could close the same units work at the same time: the close
leaves after the last exit has ended, an exit comes back after the close has ended, each after a complete comparison
with the broker. What has to come back is durable before the first cancel; a start finds it and looks what is true.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from itertools import zip_longest

import msgspec

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock, Timer
from engine.bus.errors import IntegrityError, JournalError
from engine.execution.again import Again
from engine.execution.desk import OrderDesk
from engine.execution.entry_family import ALIVE
from engine.execution.flatten import closed_market
from engine.execution.fold import establish
from engine.execution.ports import Booking, Clearing, Market, Store
from engine.execution.record import from_cleared
from engine.execution.settings import ExecutionSettings
from engine.execution.voice import Voice
from engine.model.events.order import OrderNeverSent
from engine.model.ids import OrderRef, Symbol
from engine.model.market import SessionState, Side
from engine.model.money import ZERO
from engine.model.order import (
    STOPS,
    ClearedOrder,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    Origin,
    is_protective,
    makes_way,
)

KEY = "execution.aside."
MOST_TRIES = 3
_PAIRED = (OrderType.STOP, OrderType.STOP_LIMIT)


class Phase(Enum):
    """Where a job stands."""

    ROOM = "making room"
    READ = "reading the position"
    CLOSE = "closing"
    BACK = "protecting what is left"


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """A stop or target that was taken away."""

    ref: OrderRef
    request: OrderRequest
    """For what it had still to close."""
    parent: OrderRef | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives the program: whose place the close takes, and what comes back."""

    ref: OrderRef
    """Of the closing order."""
    symbol: Symbol
    side: Side
    """Of the closing order and the exits."""
    exits: tuple[Exit, ...]

    @property
    def pairs(self) -> list[tuple[OrderRequest, OrderRequest | None, OrderRef | None, Decimal]]:
        """A stop (or what else stands alone) with its target, their entry and their quantity."""
        groups: dict[object, list[Exit]] = {}
        for n, leg in enumerate(self.exits):
            groups.setdefault(leg.request.oca_group or leg.parent or n, []).append(leg)
        found = []
        for legs in groups.values():
            stops = [leg for leg in legs if leg.request.order_type in _PAIRED]
            targets = [leg for leg in legs if leg.request.order_type is OrderType.LIMIT]
            alone = [leg for leg in legs if leg not in stops and leg not in targets]
            for stop, target in (*zip_longest(stops, targets), *((leg, None) for leg in alone)):
                first, second = (stop, target) if stop is not None else (target, None)
                if first is not None:
                    request = second.request if second is not None else None
                    found.append((first.request, request, first.parent, first.request.quantity))
        return found


class Job:
    """One position that a strategy leaves."""

    __slots__ = ("cleared", "kept", "phase", "reason", "since_ns", "told", "tries")

    def __init__(self, kept: Kept, cleared: ClearedOrder | None, phase: Phase, now_ns: int) -> None:
        self.kept = kept
        self.cleared = cleared
        """The closing order while it waits; None once it was sent or given up."""
        self.phase = phase
        self.since_ns = now_ns
        self.reason = ""
        """Why the close did not happen."""
        self.told = ""
        self.tries = 0

    def enter(self, phase: Phase, now_ns: int) -> None:
        self.phase, self.since_ns = phase, now_ns


class ExitsAside:
    """Stands before the order desk for whoever sends what a strategy asked for."""

    step_s = 0.25

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        desk: OrderDesk,
        booking: Booking,
        gate: Clearing,
        market: Market,
        store: Store,
        settings: ExecutionSettings,
        exits_hold: bool,
        pairs_in_one: bool,
    ) -> None:
        """``exits_hold``: the broker is one of those; elsewhere every order goes straight to the desk."""
        self._clock, self._desk, self._booking, self._gate = clock, desk, booking, gate
        self._market, self._store, self._settings, self._hold = market, store, settings, exits_hold
        self._again = Again(desk, gate, pairs_in_one=pairs_in_one)
        self._voice = Voice(bus, clock)
        self._flattening: Callable[[Symbol], bool] = lambda symbol: False
        self._jobs: dict[Symbol, Job] = {}
        self._timer: Timer | None = None

    @property
    def busy(self) -> tuple[Symbol, ...]:
        """Symbols whose exits are away."""
        return tuple(self._jobs)

    def yield_to(self, flattening: Callable[[Symbol], bool]) -> None:
        """Flatten goes first: while it works on a symbol nothing is sent for it here."""
        self._flattening = flattening

    async def start(self) -> None:
        """Take up what an earlier run left. Raises ``IntegrityError`` when it cannot be read."""
        for name in self._store.names():
            text = self._store.get(name) if name.startswith(KEY) else None
            if text is None:
                continue
            try:
                kept = msgspec.json.decode(text, type=Kept)
            except msgspec.MsgspecError as error:
                raise IntegrityError(f"the stored exits {name} cannot be read: {error}") from error
            job = Job(kept, None, Phase.CLOSE, self._clock.now())
            job.reason = "the program was started again in between"
            self._jobs[kept.symbol] = job
        self._arm()

    async def stop(self) -> None:
        """Do nothing more; what is kept is taken up by the next start."""
        if self._timer is not None:
            self._timer.cancel()
        self._jobs.clear()

    # --- what others use

    def open_orders(self) -> Iterable[OrderStatus]:
        return self._desk.open_orders()

    def order(self, ref: OrderRef) -> OrderStatus | None:
        return self._desk.order(ref)

    def submit(self, cleared: ClearedOrder) -> OrderStatus:
        """Send an order; the exits that hold what it closes go first, and it is INTENT until they have."""
        request = cleared.request
        if not self._hold or not makes_way(request) or self._desk.halted or not self._desk.synced:
            return self._desk.submit(cleared)
        now = self._clock.now()
        if request.symbol in self._jobs:
            return self._refuse(cleared, "EXITS: another exit of this position is under way")
        exits = self._exits(request.symbol, request.side)
        if not exits:
            return self._desk.submit(cleared)
        session = self._market.session(request.symbol, now)
        reason = closed_market(self._market, request.symbol, now)
        if not reason and not (session is not None and session.state is SessionState.OPEN):
            reason = "its market is closed"
        if not reason and self._flattening(request.symbol):
            reason = "it is being flattened"
        if not reason and any(self._growing(leg) for leg in exits):
            reason = "an entry of it is still at work"
        if reason:
            return self._refuse(cleared, f"EXITS: its stop and target were left in place: {reason}")
        kept = Kept(
            ref=cleared.ref,
            symbol=request.symbol,
            side=request.side,
            exits=tuple(
                Exit(
                    ref=leg.ref,
                    request=msgspec.structs.replace(leg.request, quantity=leg.remaining),
                    parent=leg.request.parent_ref or leg.parent_ref,
                )
                for leg in exits
            ),
        )
        try:
            self._store.set(KEY + request.symbol, msgspec.json.encode(kept).decode())
        except JournalError as error:
            return self._refuse(cleared, f"JOURNAL: the order could not be recorded, so it was not sent ({error})")
        job = self._jobs[request.symbol] = Job(kept, cleared, Phase.ROOM, now)
        for leg in job.kept.exits:
            self._desk.cancel(leg.ref, "a strategy leaves the position")
        self._arm()
        return from_cleared(cleared, now)[0].status()

    # --- what is there

    def _exits(self, symbol: Symbol, side: Side) -> list[OrderStatus]:
        """Own stops and targets that may work for what is held; those of an entry without a fill wait for it."""
        return [
            s
            for s in self._desk.open_orders()
            if s.request.symbol == symbol and s.request.side is side and not s.external and is_protective(s)
            if not self._waits(s)
        ]

    def _entry(self, leg: OrderStatus) -> OrderStatus | None:
        parent = leg.request.parent_ref or leg.parent_ref
        entry = self._desk.orders().get(parent) if parent is not None else None
        return entry if entry is not None and not is_protective(entry) and not entry.state.closed else None

    def _waits(self, leg: OrderStatus) -> bool:
        entry = self._entry(leg)
        return entry is not None and entry.filled == ZERO

    def _growing(self, leg: OrderStatus) -> bool:
        return self._entry(leg) is not None

    def _mine(self, job: Job, leg: OrderStatus) -> bool:
        again = {f"{e.request.intent_id}-again-{n}" for e in job.kept.exits for n in range(1, MOST_TRIES + 1)}
        return leg.request.intent_id in again or any(leg.ref == e.ref for e in job.kept.exits)

    def _held(self, job: Job) -> Decimal:
        position = self._booking.positions().get(job.kept.symbol)
        return max(-position.quantity * job.kept.side.sign, ZERO) if position is not None else ZERO

    def _yields(self, symbol: Symbol) -> bool:
        flatten = (s.request.origin is Origin.FLATTEN for s in self._desk.open_orders() if s.request.symbol == symbol)
        return self._flattening(symbol) or any(flatten)

    # --- steps

    def _arm(self) -> None:
        if self._jobs and self._timer is None:
            self._timer = self._clock.call_later(self.step_s, self._step)

    def _step(self) -> None:
        self._timer = None
        for job in tuple(self._jobs.values()):
            if job.cleared is not None and self._yields(job.kept.symbol):
                self._give_up(job, "it is being flattened")
            match job.phase:
                case Phase.ROOM:
                    self._step_room(job)
                case Phase.READ:
                    self._step_read(job)
                case Phase.CLOSE:
                    self._step_close(job)
                case Phase.BACK:
                    self._step_back(job)
        self._arm()

    def _late(self, job: Job, times: int = 1) -> bool:
        return self._clock.now() - job.since_ns > times * self._settings.flatten_wait_s * SECOND

    def _step_room(self, job: Job) -> None:
        left = [s.ref for leg in job.kept.exits if (s := self._desk.order(leg.ref)) is not None and not s.state.closed]
        if not left:
            job.enter(Phase.READ, self._clock.now())
            self._desk.check_now()
        elif self._late(job):
            self._give_up(job, f"not cancelled in time: {', '.join(left)}")

    def _read(self, job: Job) -> bool:
        """Whether orders and positions were compared since the phase began."""
        if self._desk.synced and self._desk.reconciled_ns > job.since_ns:
            return True
        if self._desk.synced:
            self._desk.check_now()
        return False

    def _step_read(self, job: Job) -> None:
        if not self._read(job):
            if self._late(job):
                self._give_up(job, "the broker's positions could not be read")
            return
        cleared, held = job.cleared, self._held(job)
        if cleared is None or held <= ZERO:
            self._give_up(job, "nothing of it is held any more")
        elif self._desk.drifting(job.kept.symbol):
            self._give_up(job, "our position and the broker's differ")
        elif self._exits(job.kept.symbol, job.kept.side):
            self._give_up(job, "another stop or target was placed")
        elif reason := closed_market(self._market, job.kept.symbol, self._clock.now()):
            self._give_up(job, reason)
        else:
            self._close(job, cleared, min(cleared.request.quantity, held))

    def _close(self, job: Job, cleared: ClearedOrder, quantity: Decimal) -> None:
        # At the market as it is now: the price that was cleared is from before the exits went.
        now = msgspec.structs.replace(
            cleared.request, quantity=quantity, order_type=OrderType.MARKET, limit_price=None, oca_group=""
        )
        verdict, ready = self._gate.clear_again(cleared, now)
        if ready is None:
            self._give_up(job, verdict.denials[0].text if verdict.denials else "the gate refused")
            return
        job.cleared = None
        self._desk.submit(ready)
        job.enter(Phase.CLOSE, self._clock.now())

    def _step_close(self, job: Job) -> None:
        if not self._desk.synced:
            return
        status = self._desk.order(job.kept.ref)
        if status is None or status.state.closed:
            if status is not None and status.state is not OrderState.FILLED:
                job.reason = status.reason or "the closing order did not fill"
            elif status is not None:
                job.reason = ""
            job.enter(Phase.BACK, self._clock.now())
            self._desk.check_now()
        elif status.state is OrderState.UNKNOWN:
            if self._late(job, 2):
                # It may fill at any time: nothing else may be placed beside it.
                text = f"the closing order {status.ref} is not confirmed, and nothing can be placed beside it"
                self._bare(job, text)
        elif self._late(job) and status.state is not OrderState.PENDING_CANCEL:
            self._desk.cancel(status.ref, "its limit was not reached")

    def _step_back(self, job: Job) -> None:
        symbol, side = job.kept.symbol, job.kept.side
        if not self._read(job) or self._yields(symbol):
            return
        exits, held = self._exits(symbol, side), self._held(job)
        if self._desk.drifting(symbol) or any(leg.state not in ALIVE for leg in exits):
            if self._late(job, 2):
                self._bare(job, "what rests at the broker is not confirmed")
            return
        if held <= ZERO:
            mine = [leg for leg in exits if self._mine(job, leg)]
            for leg in mine:
                self._desk.cancel(leg.ref, "what it protected is not held any more")
            if not mine:
                self._finish(job, held)
            return
        pairs = job.kept.pairs
        wanted = min(held, sum((quantity for *_, quantity in pairs), ZERO))
        covered = self._covered(exits)
        guarded = any(leg.request.order_type in STOPS for leg in exits)
        bare = not guarded and any(stop.order_type in STOPS for stop, *_ in pairs)
        if exits and (covered > held or bare):
            # More than is held, or a target that holds what its stop should: all of it anew.
            for leg in exits:
                self._desk.cancel(leg.ref, "it does not fit what is held")
        elif covered >= wanted:
            self._finish(job, held)
        elif self._desk.halted:
            self._bare(job, "trading is stopped, so none is placed")
        elif job.tries >= MOST_TRIES:
            self._bare(job, "the broker took no stop")
        else:
            self._protect(job, wanted - covered)

    def _covered(self, exits: list[OrderStatus]) -> Decimal:
        groups: dict[object, Decimal] = {}
        for leg in exits:
            key = leg.request.oca_group or leg.request.parent_ref or leg.parent_ref or leg.ref
            groups[key] = max(groups.get(key, ZERO), leg.remaining)
        return sum(groups.values(), ZERO)

    def _protect(self, job: Job, missing: Decimal) -> None:
        job.tries += 1
        alive = {leg.ref for leg in self._exits(job.kept.symbol, job.kept.side)}
        gone = {e.request.intent_id for e in job.kept.exits if e.ref not in alive}
        for n, (stop, target, parent, quantity) in enumerate(job.kept.pairs):
            size = min(quantity, missing)
            if size <= ZERO or stop.intent_id not in gone:
                continue
            missing -= size
            beside = target if job.tries == 1 else None
            name = f"{job.kept.ref}-{n}"
            reason, _ = self._again.place(stop, beside, size, parent=parent, name=name, number=job.tries)
            job.reason = reason or job.reason
        job.since_ns = self._clock.now()
        self._desk.check_now()

    # --- ends

    def _refuse(self, cleared: ClearedOrder, reason: str) -> OrderStatus:
        """Nothing of it was sent, and nothing was touched for it."""
        self._gate.release(cleared.ref)
        record = establish(
            from_cleared(cleared, self._clock.now())[0], OrderState.NEVER_SENT, self._clock.now(), reason
        )
        self._voice.tell(OrderNeverSent, record.record, reason=reason)
        return record.record.status()

    def _give_up(self, job: Job, reason: str) -> None:
        """The close is not sent; what was taken away comes back."""
        if job.cleared is not None:
            self._refuse(job.cleared, f"EXITS: {reason}")
        job.cleared, job.reason = None, reason
        job.enter(Phase.BACK, self._clock.now())
        self._desk.check_now()

    def _bare(self, job: Job, reason: str) -> None:
        symbol, held = job.kept.symbol, self._held(job)
        if job.told == reason or held <= ZERO:
            return
        job.told = reason
        self._voice.alarm(
            f"EXIT:{symbol}",
            "red",
            f"{symbol}: {held:f} have no stop since a strategy wanted to leave: {reason}.",
            "It is looked at again and again.",
            "Flatten it, or place a stop.",
        )

    def _finish(self, job: Job, held: Decimal) -> None:
        symbol = job.kept.symbol
        del self._jobs[symbol]
        try:
            self._store.delete(KEY + symbol)
        except JournalError:
            # The next start finds it, looks, and finds nothing to do. The desk has told of the journal.
            job.told = job.told or "journal"
        if held > ZERO and job.reason:
            text = f"{symbol}: a strategy wanted to leave, but {held:f} are still held: {job.reason}."
            self._voice.alarm(f"EXIT:{symbol}", "amber", text, "What is held is protected again.")
        elif job.told:
            self._voice.alarm(f"EXIT:{symbol}", "amber", f"{symbol}: the exit is done.", cleared=True)
