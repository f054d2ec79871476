"""Closing positions: make room, re-read, close with one reduce-only order, re-read, until the target is reached.

One job a symbol; pressing twice is pressing once. A close is only ever sized from a position that was read from the
broker after the last of our orders in that symbol ended, so it cannot cross zero (invariant I9). What cannot be
proved is reported, not guessed.
"""

from decimal import ROUND_DOWN, Decimal
from enum import Enum

from engine.api.commands import Receipt
from engine.bus.clock import SECOND, Clock, Timer
from engine.execution.desk import OrderDesk
from engine.execution.ports import Booking, Clearing, Market
from engine.execution.settings import ExecutionSettings
from engine.execution.voice import Voice
from engine.model.ids import IntentId, OrderRef, Symbol
from engine.model.market import SessionState, Side
from engine.model.money import ZERO, exact, to_tick
from engine.model.order import OrderRequest, OrderState, OrderStatus, OrderType, Origin, TimeInForce, is_protective


def closed_market(market: Market, symbol: Symbol, now_ns: int) -> str:
    """Say why nothing of a symbol can be closed now; empty when it can."""
    session = market.session(symbol, now_ns)
    quote = market.quote(symbol)
    if session is None or session.state is SessionState.CLOSED:
        return "its market is closed"
    if quote is not None and quote.halted:
        return "it is halted"
    if quote is None or not quote.two_sided:
        return "it has no two-sided quote"
    return ""


class Phase(Enum):
    """Where a job stands."""

    ROOM = "making room"
    READ = "reading the position"
    CLOSE = "closing"


class Job:
    """Closing one symbol down to a target."""

    __slots__ = ("asked_read_ns", "attempts", "close", "intent", "phase", "since_ns", "symbol", "target", "whole")

    def __init__(self, symbol: Symbol, target: Decimal, whole: bool, intent: IntentId, now_ns: int) -> None:
        self.symbol = symbol
        self.target = target
        self.whole = whole
        self.intent = intent
        self.phase = Phase.ROOM
        self.since_ns = now_ns
        self.asked_read_ns = 0
        self.close: OrderRef | None = None
        self.attempts = 0

    def enter(self, phase: Phase, now_ns: int) -> None:
        self.phase = phase
        self.since_ns = now_ns


class Flattener:
    """Runs the jobs, a step every quarter of a second while there are any."""

    step_s = 0.25
    most_attempts = 20

    def __init__(
        self,
        clock: Clock,
        *,
        desk: OrderDesk,
        booking: Booking,
        gate: Clearing,
        market: Market,
        settings: ExecutionSettings,
        voice: Voice,
    ) -> None:
        self._clock = clock
        self._desk = desk
        self._booking = booking
        self._gate = gate
        self._market = market
        self._settings = settings
        self._voice = voice
        self._jobs: dict[Symbol, Job] = {}
        self._timer: Timer | None = None
        self._count = 0

    @property
    def busy(self) -> tuple[Symbol, ...]:
        """Symbols that are being closed."""
        return tuple(self._jobs)

    def flatten(self, symbol: Symbol | None = None, fraction: Decimal = Decimal(1), by: str = "") -> Receipt:
        """Close one symbol or all, or a fraction. ``data``: started, already, cannot {symbol: reason}."""
        if not ZERO < fraction <= 1:
            return Receipt(ok=False, code="ARGUMENT", text="The fraction to close is more than 0 and at most 1.")
        now = self._clock.now()
        started: list[Symbol] = []
        already: list[Symbol] = []
        cannot: dict[Symbol, str] = {}
        held = self._booking.positions()
        for name in (symbol,) if symbol is not None else tuple(held):
            position = held.get(name)
            if name in self._jobs:
                already.append(name)
            elif position is None:
                cannot[name] = "there is no position"
            elif reason := closed_market(self._market, name, now):
                cannot[name] = reason
            else:
                target = self._target(name, position.quantity, fraction)
                self._count += 1
                intent = IntentId(f"flatten-{now}-{self._count}")
                self._jobs[name] = Job(name, target, target == ZERO, intent, now)
                started.append(name)
        for name in started:
            self._make_room(self._jobs[name], by or "flatten")
        self._arm()
        data: dict[str, object] = {"started": started, "already": already, "cannot": cannot}
        if cannot and not started and not already:
            first = next(iter(cannot.items()))
            return Receipt(ok=False, code="CANNOT", text=f"{first[0]} cannot be closed now: {first[1]}.", data=data)
        closing = [*started, *already]
        said = f"Closing {closing[0]}." if len(closing) == 1 else f"Closing {len(closing)} positions."
        return Receipt(ok=True, text=said, data=data)

    def _target(self, symbol: Symbol, quantity: Decimal, fraction: Decimal) -> Decimal:
        if fraction == 1:
            return ZERO
        instrument = self._market.instrument(symbol)
        lot = instrument.lot if instrument is not None else Decimal(1)
        kept = (abs(quantity) * (1 - fraction) / lot).to_integral_value(rounding=ROUND_DOWN) * lot
        return kept if quantity > ZERO else -kept

    # --- steps

    def _arm(self) -> None:
        if self._jobs and self._timer is None:
            self._timer = self._clock.call_later(self.step_s, self._step)

    def _step(self) -> None:
        self._timer = None
        for job in tuple(self._jobs.values()):
            match job.phase:
                case Phase.ROOM:
                    self._step_room(job)
                case Phase.READ:
                    self._step_read(job)
                case Phase.CLOSE:
                    self._step_close(job)
        self._arm()

    def _own(self, symbol: Symbol) -> list[OrderStatus]:
        return [s for s in self._desk.open_orders() if s.request.symbol == symbol and not s.external]

    def _make_room(self, job: Job, by: str) -> None:
        for status in self._own(job.symbol):
            if job.whole or not is_protective(status):
                self._desk.cancel(status.ref, by)
            elif status.remaining > abs(job.target):
                self._desk.modify(status.ref, quantity=abs(job.target) + status.filled, by=by)

    def _step_room(self, job: Job) -> None:
        now = self._clock.now()
        own = self._own(job.symbol)
        in_the_way = [s for s in own if job.whole or not is_protective(s) or not self._fits(job, s)]
        if not in_the_way:
            self._read(job)
        elif now - job.since_ns > self._settings.flatten_wait_s * SECOND:
            refs = ", ".join(status.ref for status in in_the_way)
            self._give_up(job, f"not confirmed in time: {refs}")

    @staticmethod
    def _fits(job: Job, status: OrderStatus) -> bool:
        return status.state in (OrderState.WORKING, OrderState.HELD) and status.remaining <= abs(job.target)

    def _read(self, job: Job) -> None:
        job.enter(Phase.READ, self._clock.now())
        self._desk.check_now()

    def _step_read(self, job: Job) -> None:
        now = self._clock.now()
        if self._desk.reconciled_ns <= job.since_ns:
            if now - job.since_ns > self._settings.flatten_wait_s * SECOND:
                self._give_up(job, "the broker's positions could not be read")
            else:
                self._desk.check_now()
            return
        position = self._booking.positions().get(job.symbol)
        quantity = position.quantity if position is not None else ZERO
        if self._desk.drifting(job.symbol):
            self._give_up(job, "our position and the broker's differ")
        elif abs(quantity) <= abs(job.target) or quantity * job.target < ZERO:
            del self._jobs[job.symbol]
            self._voice.alarm(f"FLATTEN:{job.symbol}", "amber", f"{job.symbol} is closed.", cleared=True)
        elif reason := closed_market(self._market, job.symbol, now):
            self._give_up(job, reason)
        elif job.attempts >= self.most_attempts:
            self._give_up(job, f"{job.attempts} closing orders did not fill")
        else:
            self._close(job, quantity)

    def _close(self, job: Job, quantity: Decimal) -> None:
        job.attempts += 1
        request = self._closing(job, quantity)
        if request is None:
            self._give_up(job, "it has no usable price")
            return
        verdict, cleared = self._gate.clear(request)
        if cleared is None:
            self._give_up(job, verdict.denials[0].text if verdict.denials else "the gate refused")
            return
        status = self._desk.submit(cleared)
        job.close = status.ref
        job.enter(Phase.CLOSE, self._clock.now())

    def _closing(self, job: Job, quantity: Decimal) -> OrderRequest | None:
        quote = self._market.quote(job.symbol)
        instrument = self._market.instrument(job.symbol)
        if quote is None or instrument is None or not quote.two_sided:
            return None
        side = Side.SELL if quantity > ZERO else Side.BUY
        edge = exact(quote.mid) * (1 + side.sign * exact(self._settings.flatten_collar))
        return OrderRequest(
            intent_id=job.intent,
            symbol=job.symbol,
            side=side,
            quantity=abs(quantity - job.target),
            order_type=OrderType.LIMIT,
            limit_price=to_tick(edge, instrument.tick, up=side is Side.SELL),
            tif=TimeInForce.DAY,
            origin=Origin.FLATTEN,
            reduce_only=True,
        )

    def _step_close(self, job: Job) -> None:
        now = self._clock.now()
        status = self._desk.order(job.close) if job.close is not None else None
        if status is None or status.state.closed:
            if status is not None and status.state is OrderState.NEVER_SENT:
                self._give_up(job, status.reason or "the closing order was not sent")
            else:
                self._read(job)
            return
        waited = now - job.since_ns
        if status.state is OrderState.UNKNOWN:
            if waited > 2 * self._settings.flatten_wait_s * SECOND:
                self._give_up(job, f"the closing order {status.ref} is not confirmed")
        elif waited > self._settings.flatten_wait_s * SECOND and status.state is not OrderState.PENDING_CANCEL:
            # The market ran away from the limit: cancel, re-read, price anew.
            self._desk.cancel(status.ref, "flatten")

    def _give_up(self, job: Job, reason: str) -> None:
        self._jobs.pop(job.symbol, None)
        self._voice.alarm(
            f"FLATTEN:{job.symbol}",
            "red",
            f"{job.symbol} could not be closed: {reason}.",
            "Nothing more is sent for it.",
            "Look at the broker's own screen, then close it there or try again.",
        )
