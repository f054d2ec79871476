"""The desk of algorithms: runs parents on the clock, passes each child through the gate and the order desk.

A child is noted durably under its reference before it is sent, and what became of it is read from the order desk, so
no slice is sent twice, whatever breaks in between. A child that is refused, lost, or ended by somebody else stops its
parent: nothing is tried again by itself.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from zlib import crc32

import msgspec
import numpy as np

from engine.api.commands import Receipt
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError, UserError
from engine.execution.algos.algorithm import Algorithm, Facts, Plan, View
from engine.execution.algos.children import NAME, Children, Run
from engine.execution.algos.events import ParentChanged, ParentEnded, ParentEvent, ParentStarted
from engine.execution.algos.params import read
from engine.execution.algos.parent import Parent, ParentBook, ParentState, ParentStatus
from engine.execution.algos.ports import Clearing, Market, Orders, Store, VolumeCurves
from engine.execution.algos.seeing import Seen, look, unusable
from engine.execution.algos.settings import AlgoSettings
from engine.execution.algos.starting import NotReady, prepare
from engine.execution.algos.tape import Tape
from engine.execution.algos.telling import alarm_of, denied, measure, receipt_of, status_of
from engine.execution.algos.wishing import fault
from engine.model.events.decision import TradingHalted
from engine.model.events.market import TradeTick
from engine.model.events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderModified,
    OrderNeverSent,
    OrderNotAtBroker,
    OrderPartlyFilled,
    OrderRejected,
    OrderUnknown,
)
from engine.model.ids import IntentId, OrderRef, Symbol
from engine.model.market import Quote, SessionState
from engine.model.money import exact
from engine.model.order import OrderRequest, Origin

S = ParentState
ALIVE_NS = 30 * SECOND
"""A schedule is written at least this often, so that a restart knows how long the program was away."""
_CHILD_EVENTS = (
    *(OrderAccepted, OrderModified, OrderPartlyFilled, OrderFilled, OrderCanceled, OrderExpired),
    *(OrderRejected, OrderUnknown, OrderNotAtBroker, OrderNeverSent),
)


class AlgoDesk:
    """Owner of all parents."""

    name = NAME

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        orders: Orders,
        gate: Clearing,
        market: Market,
        curves: VolumeCurves,
        store: Store,
        settings: AlgoSettings,
        algorithms: Mapping[str, Algorithm],
        seed: int,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._orders = orders
        self._gate = gate
        self._market = market
        self._curves = curves
        self._settings = settings
        self._algorithms = algorithms
        self._seed = seed
        self._book = ParentBook(store, settings.kept)
        self._children = Children(
            clock,
            orders=orders,
            gate=gate,
            book=self._book,
            settings=settings,
            on_stop=lambda run, code, text: self._begin_end(run, S.STOPPED, code, text),
            on_sent=lambda run: self._tell(ParentChanged, run),
            on_trouble=self._on_trouble,
        )
        self._runs: dict[OrderRef, Run] = {}
        self._over: list[ParentStatus] = []
        self._taped: dict[Symbol, list[Run]] = {}
        self._ears: list[Callable[[], None]] = []

    # --- life

    async def start(self) -> None:
        """Take up the parents of an earlier run; the order desk must have recovered before."""
        self.recover()
        bus, decider = self._bus, Role.DECIDER
        self._ears = [bus.subscribe(kind, self._on_child, owner=NAME, role=decider) for kind in _CHILD_EVENTS]
        self._ears += [
            bus.subscribe(OrderInitialized, self._on_order, owner=NAME, role=decider),
            bus.subscribe(TradingHalted, self._on_halted, owner=NAME, role=decider),
            bus.subscribe(TradeTick, self._on_trade, owner=NAME),
        ]

    async def stop(self) -> None:
        """Stop looking. Children stay at the broker; the schedules are durable."""
        for unsubscribe in self._ears:
            unsubscribe()
        self._ears = []
        for run in self._runs.values():
            if run.timer is not None:
                run.timer.cancel()
                run.timer = None

    def recover(self) -> None:
        """Read the parents; those that have waited too long, or whose algorithm is gone, are stopped."""
        parents, self._over = self._book.load()
        now = self._clock.now()
        for parent in parents:
            parent.tape.gaps += 1
            run, reason = self._recovered(parent)
            self._take(run)
            self._children.hold(run, look(parent, self._orders.order))
            away_ns = now - parent.alive_ns
            if reason:
                self._begin_end(run, S.STOPPED, "ALGO", reason)
            elif self._orders.halted:
                self._begin_end(run, S.STOPPED, "HALTED", "trading is stopped")
            elif away_ns > self._settings.resume_within_s * SECOND:
                self._begin_end(run, S.STOPPED, "RESTART", f"the program was away for {away_ns // SECOND} s")
            self._arm(run, now + round(self._settings.step_s * SECOND))

    def _recovered(self, parent: Parent) -> tuple[Run, str]:
        algorithm = self._algorithms.get(parent.request.algo)
        if algorithm is None:
            return Run(parent, None, {}), f"there is no algorithm {parent.request.algo} any more"
        try:
            return Run(parent, algorithm, read(parent.request.algo_params, algorithm.params)), ""
        except UserError as error:
            return Run(parent, None, {}), f"its parameters are not understood any more: {error}"

    # --- what others use

    def names(self) -> tuple[str, ...]:
        """Algorithms by name, as a person types them."""
        return tuple(sorted(self._algorithms))

    def algorithm(self, name: str) -> Algorithm | None:
        """An algorithm with its declared parameters, None when there is none of that name."""
        return self._algorithms.get(name)

    def parents(self) -> tuple[ParentStatus, ...]:
        """Parents at work, then the finished ones that are remembered, newest first."""
        working = [self._status(run) for run in self._runs.values()]
        return (*reversed(working), *reversed(self._over))

    def parent(self, ref: OrderRef) -> ParentStatus | None:
        """One parent, None when there never was one or it is forgotten."""
        run = self._runs.get(ref)
        if run is not None:
            return self._status(run)
        return next((status for status in self._over if status.ref == ref), None)

    def start_parent(self, request: OrderRequest, by: str, decision_price: Decimal | None = None) -> Receipt:
        """Begin to work an order. A repeat of its intent is answered with where the first one stands.

        ``data``: ref, state. ``decision_price`` is what the trade was decided on, for the slippage.
        """
        if (known := self._of_intent(request.intent_id)) is not None:
            return receipt_of(known)
        algorithm = self._algorithms.get(request.algo)
        if algorithm is None:
            names = ", ".join(self.names())
            return Receipt(ok=False, code="ALGO", text=f"There is no algorithm {request.algo}; there are {names}.")
        if self._orders.halted:
            return Receipt(ok=False, code="HALTED", text="Trading is stopped.")
        if len(self._runs) >= self._settings.most_parents:
            return Receipt(ok=False, code="ALGO_MOST", text=f"{len(self._runs)} orders are being worked already.")
        now = self._clock.now()
        ready = prepare(request, algorithm, self._market, self._curves, self._settings, now)
        if isinstance(ready, NotReady):
            return Receipt(ok=False, code=ready.code, text=ready.text)
        # The whole order is judged, counted and reserved once; its reference is the parent's.
        verdict, cleared = self._gate.clear(request)
        if cleared is None:
            return denied(verdict)
        parent = Parent(
            ref=cleared.ref,
            request=msgspec.structs.replace(request, account=cleared.account),
            by=by,
            decision_id=cleared.decision_id,
            decision_price=decision_price,
            arrival_price=cleared.reference_price,
            start_ns=now,
            end_ns=ready.end_ns,
            curve=ready.curve,
            tape=Tape(),
            alive_ns=now,
        )
        try:
            self._book.save(parent)
        except JournalError as error:
            self._gate.release(cleared.ref)
            text = f"The schedule could not be recorded, so nothing is sent: {error}."
            return Receipt(ok=False, code="JOURNAL", text=text)
        run = Run(parent, algorithm, ready.params)
        run.held = parent.request.quantity
        if ready.cut:
            run.note = "the close cuts it short"
        self._take(run)
        self._tell(ParentStarted, run)
        self._arm(run, now)
        return receipt_of(self._status(run))

    def cancel(self, parent_ref: OrderRef, by: str) -> Receipt:
        """End a parent: its children are cancelled, nothing more is sent. What is at work can still fill."""
        run = self._runs.get(parent_ref)
        if run is None:
            known = self.parent(parent_ref)
            text = f"{parent_ref} is already {known.state.value.lower()}." if known else f"There is no {parent_ref}."
            return Receipt(ok=False, code="CLOSED" if known else "NO_SUCH_ORDER", text=text)
        self._begin_end(run, S.CANCELLED, "CANCELLED", f"cancelled by {by}")
        return Receipt(ok=True, code="ASKED", text="Its open orders are being cancelled; they can still fill.")

    def cancel_all(self, symbol: Symbol | None = None, by: str = "") -> tuple[OrderRef, ...]:
        """End every parent, or those of a symbol."""
        ended = [run for run in self._runs.values() if symbol is None or run.parent.request.symbol == symbol]
        for run in ended:
            self._begin_end(run, S.CANCELLED, "CANCELLED", f"cancelled by {by}")
        return tuple(run.parent.ref for run in ended)

    # --- what happens

    def _on_halted(self, event: TradingHalted) -> None:
        for run in tuple(self._runs.values()):
            self._begin_end(run, S.STOPPED, "HALTED", f"trading was stopped: {event.reason}")

    def _on_child(self, event: OrderEvent) -> None:
        run = self._runs.get(event.status.parent_ref) if event.status.parent_ref is not None else None
        if run is not None:
            self._arm(run, self._clock.now())

    def _on_order(self, event: OrderInitialized) -> None:
        if event.status.request.origin is not Origin.FLATTEN:
            return
        for run in tuple(self._taped.get(event.symbol, ())):
            self._begin_end(run, S.STOPPED, "FLATTEN", f"{event.symbol} is being closed")

    def _on_trade(self, event: TradeTick) -> None:
        for run in self._taped.get(event.symbol, ()):
            run.parent.tape.hear(event.price, event.size)

    # --- one look

    def _arm(self, run: Run, at_ns: int) -> None:
        if run.timer is not None:
            if run.due_ns <= at_ns:
                return
            run.timer.cancel()
        run.due_ns = at_ns
        run.timer = self._clock.call_at(at_ns, lambda: self._step(run))

    def _step(self, run: Run) -> None:
        run.timer = None
        if run.parent.ref not in self._runs:
            return
        wake_ns = self._look(run)
        if run.parent.ref in self._runs:
            now = self._clock.now()
            latest = now + round(self._settings.step_s * SECOND)
            self._arm(run, latest if wake_ns is None else min(max(wake_ns, now + 1), latest))

    def _look(self, run: Run) -> int | None:
        parent, now = run.parent, self._clock.now()
        seen = look(parent, self._orders.order)
        self._children.insist(seen)
        if parent.state is S.STOPPING:
            self._children.withdraw_all(run, seen)
            if not seen.children:
                self._finish(run, seen)
            return None
        self._children.hold(run, seen)
        if now - parent.alive_ns > ALIVE_NS:
            self._children.try_save(run)
        if seen.filled >= parent.request.quantity:
            self._begin_end(run, S.DONE, "", "")
        elif seen.code:
            self._begin_end(run, S.STOPPED, seen.code, seen.text)
        elif self._orders.halted:
            self._begin_end(run, S.STOPPED, "HALTED", "trading is stopped")
        elif now >= parent.end_ns:
            self._begin_end(run, S.DONE, "TIME", "its time is over")
        elif (reason := self._session_over(parent, now)) != "":
            self._begin_end(run, S.STOPPED, "SESSION", reason)
        else:
            return self._go_on(run, seen, now)
        return None

    def _session_over(self, parent: Parent, now: int) -> str:
        session = self._market.session(parent.request.symbol, now)
        if session is None or session.state is SessionState.CLOSED:
            return "the market is closed"
        return "" if session.state is SessionState.OPEN or parent.request.outside_rth else "the session is over"

    def _go_on(self, run: Run, seen: Seen, now: int) -> int | None:
        parent = run.parent
        quote = self._market.quote(parent.request.symbol)
        if reason := unusable(quote, now, self._settings.max_quote_age_s):
            self._children.withdraw_all(run, seen)
            self._pause(run, reason)
        elif not self._orders.synced:
            self._pause(run, "orders and positions have not been compared with the broker")
        elif seen.unknown:
            self._pause(run, f"the child {seen.unknown[0]} is not confirmed")
        elif quote is not None:
            self._resume(run)
            view = self._view(run, seen, quote, now)
            if view is None:
                self._begin_end(run, S.STOPPED, "INSTRUMENT", f"{parent.request.symbol} is not known any more")
            else:
                return self._ask(run, view)
        return None

    def _ask(self, run: Run, view: View) -> int | None:
        algorithm = run.algorithm
        if algorithm is None:
            return None
        try:
            plan = algorithm.plan(view)
            wrong = fault(view, plan.wishes)
        except Exception as error:  # noqa: BLE001  whatever an algorithm raises stops its own parent alone
            wrong = f"it failed ({type(error).__name__}: {error})"
            plan = Plan()
        if wrong:
            self._begin_end(run, S.STOPPED, "ALGO_FAULT", f"the algorithm {algorithm.name} is at fault: {wrong}")
            return None
        run.note = plan.note
        for wish in plan.wishes:
            if run.parent.state is S.STOPPING:
                return None
            self._children.carry_out(run, wish, view)
        return plan.wake_ns

    def _view(self, run: Run, seen: Seen, quote: Quote, now: int) -> View | None:
        parent = run.parent
        instrument = self._market.instrument(parent.request.symbol)
        if instrument is None:
            return None
        chance = np.random.Generator(np.random.PCG64([self._seed, crc32(parent.ref.encode()), len(parent.children)]))
        return View(
            now_ns=now,
            start_ns=parent.start_ns,
            end_ns=parent.end_ns,
            side=parent.request.side,
            quantity=parent.request.quantity,
            limit_price=parent.request.limit_price,
            arrival_price=parent.arrival_price,
            params=run.params,
            filled=seen.filled,
            children=seen.children,
            sent=len(parent.children),
            facts=Facts(
                bid=exact(quote.bid),
                ask=exact(quote.ask),
                tick=instrument.tick,
                lot=instrument.lot,
                volume=parent.tape.volume,
            ),
            curve=parent.curve,
            draw=float(chance.random()),
        )

    # --- states

    def _pause(self, run: Run, reason: str) -> None:
        parent, now = run.parent, self._clock.now()
        run.note = reason
        if parent.state is not S.PAUSED:
            parent.state, parent.paused_ns, parent.text = S.PAUSED, now, reason
            self._children.try_save(run)
            self._tell(ParentChanged, run)
        elif now - parent.paused_ns > self._settings.pause_most_s * SECOND:
            self._begin_end(run, S.STOPPED, "PAUSED", f"it was paused for too long: {reason}")

    def _resume(self, run: Run) -> None:
        parent = run.parent
        if parent.state is S.PAUSED:
            parent.state, parent.paused_ns, parent.text = S.WORKING, 0, ""
            self._children.try_save(run)
            self._tell(ParentChanged, run)

    def _on_trouble(self, run: Run, error: JournalError) -> None:
        self._alarm(run.parent, "red", f"its schedule cannot be written: {error}", "It goes on from memory.")

    def _begin_end(self, run: Run, state: ParentState, code: str, text: str) -> None:
        """Nothing more is sent; children are cancelled; it is over when none is left."""
        parent = run.parent
        if parent.state is S.STOPPING:
            return
        parent.state, parent.end_state, parent.code, parent.text = S.STOPPING, state, code, text
        seen = look(parent, self._orders.order)
        self._children.withdraw_all(run, seen)
        self._children.free(run)
        self._children.try_save(run)
        self._tell(ParentChanged, run)
        self._arm(run, self._clock.now())

    def _finish(self, run: Run, seen: Seen) -> None:
        parent = run.parent
        stopped = parent.state is S.STOPPING
        parent.state = parent.end_state if stopped else S.DONE
        if seen.filled >= parent.request.quantity:
            parent.state, parent.code, parent.text = S.DONE, "", ""
        self._children.free(run)
        self._drop(run)
        symbol, now = parent.request.symbol, self._clock.now()
        cost = measure(parent, seen, self._market.quote(symbol), self._market.instrument(symbol), now)
        status = msgspec.structs.replace(status_of(parent, seen, run.note), slippage=cost)
        self._over.append(status)
        try:
            self._book.finish(status)
            self._over = self._book.forget(self._over)
        except JournalError as error:
            # Its orders are in the journal; at the next start it is taken up, found over, and finished again.
            self._alarm(parent, "amber", f"how it ended could not be recorded: {error}", "")
        self._bus.publish(ParentEnded(ts_event=now, ts_init=now, parent=status))
        if parent.state is S.STOPPED:
            self._alarm(parent, "amber", f"stopped after {seen.filled}: {parent.text}", "Its orders were cancelled.")

    # --- small things

    def _take(self, run: Run) -> None:
        self._runs[run.parent.ref] = run
        self._taped.setdefault(run.parent.request.symbol, []).append(run)

    def _drop(self, run: Run) -> None:
        symbol = run.parent.request.symbol
        del self._runs[run.parent.ref]
        self._taped[symbol].remove(run)
        if not self._taped[symbol]:
            del self._taped[symbol]
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None

    def _of_intent(self, intent: IntentId) -> ParentStatus | None:
        for run in self._runs.values():
            if run.parent.request.intent_id == intent:
                return self._status(run)
        return next((status for status in self._over if status.request.intent_id == intent), None)

    def _status(self, run: Run) -> ParentStatus:
        return status_of(run.parent, look(run.parent, self._orders.order), run.note)

    def _tell(self, kind: type[ParentEvent], run: Run) -> None:
        now = self._clock.now()
        self._bus.publish(kind(ts_event=now, ts_init=now, parent=self._status(run)))

    def _alarm(self, parent: Parent, severity: str, happened: str, did: str) -> None:
        self._bus.publish(alarm_of(parent, severity, happened, did, self._clock.now()))
