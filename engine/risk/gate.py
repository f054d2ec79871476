"""The gate: the one place through which every order goes, and the only maker of :class:`ClearedOrder`.

Synchronous: between looking, reserving and handing the order to the desk nothing else runs. Whatever goes wrong denies.
There is no way round it: it has no bypass, and brokers accept nothing else.
"""

import math
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from engine.bus.bell import Bell
from engine.bus.bus import Bus, Role
from engine.bus.clock import MILLISECOND, SECOND, Clock
from engine.bus.errors import JournalError
from engine.model.broker import WhatIf
from engine.model.decision import Book, Denial, LimitUse, Verdict
from engine.model.events.decision import RiskCleared, RiskDenied
from engine.model.events.order import OrderPending
from engine.model.ids import DecisionId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO, exact, units
from engine.model.order import ClearedOrder, OrderRequest, OrderStatus, Origin
from engine.risk import bracket
from engine.risk.counters import DayCounts, Decisions, Messages, Sent, SentLog
from engine.risk.exposure import ExposureBook
from engine.risk.latches import Latch, Latches
from engine.risk.limits import LimitBook
from engine.risk.losses import LossBook
from engine.risk.modes import ModeKeeper
from engine.risk.observer import Observer, Unseen
from engine.risk.ports import Clusters, Ledger, Market, Orders, Shorts, VitalSigns, WhatIfs
from engine.risk.rules.g16_risk import at_stop
from engine.risk.rules.rule import Rule
from engine.risk.rules.table import REQUIRED, own_rules
from engine.risk.say import Finding, hard
from engine.risk.sessions import AutoSessions
from engine.risk.situation import Situation
from engine.risk.sizing import Sizing, size

REPETITION = frozenset({"G9", "G10"})
COUNTED = frozenset({"G8", "G9"})
NOT_FOR_CHANGES = frozenset({"G9", "G10", "G11"})
FOREIGN_BUDGET_NS = 50 * MILLISECOND


class _Look(NamedTuple):
    verdict: Verdict
    situation: Situation | None


class Gate:
    """Judges orders against every rule and reserves what it clears."""

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        market: Market,
        ledger: Ledger,
        orders: Orders,
        counts: DayCounts,
        vitals: VitalSigns,
        modes: ModeKeeper,
        latches: Latches,
        limits: LimitBook,
        losses: LossBook,
        sessions: AutoSessions,
        book: Book,
        build_hash: str,
        rules: Sequence[Rule] | None = None,
        foreign: Sequence[Rule] = (),
        what_ifs: WhatIfs | None = None,
        shorts: Shorts | None = None,
        clusters: Clusters | None = None,
        marks: Callable[[Symbol], float] | None = None,
        no_good_till: str = "",
        brackets_in_one: bool = False,
        exits_hold: bool = False,
        native_algos: Collection[str] = (),
    ) -> None:
        """``no_good_till``: why the broker takes no order with a good-till time (G36); empty when it does.

        ``brackets_in_one``: an entry and its exits are one message to the broker, else one each (G8). ``exits_hold``:
        it lets nothing close what resting exits would; they make way for a strategy's exit alone. ``native_algos``
        are what the broker works itself: an order for any other algorithm is no message, but its children are.
        """
        self._bus = bus
        self._clock = clock
        self._alarm = Bell(bus, clock)
        self._market = market
        self._orders = orders
        self._counts = counts
        self._modes = modes
        self._latches = latches
        self._limits = limits
        self._sessions = sessions
        self._build = build_hash
        own = own_rules() if rules is None else tuple(rules)
        self._missing = REQUIRED - {rule.code for rule in own}
        self._rules = (*own, *foreign)
        self._closing_rules = tuple(rule for rule in self._rules if not rule.openings_only)
        self._exposure = ExposureBook(ledger, orders, market, marks)
        self._sent = SentLog()
        self._messages = Messages()
        self._decisions = Decisions()
        self._latched: set[str] = set()
        self._parents: set[OrderRef] = set()
        """Parents at work: their children are no new decisions (G9, G10, G11 judged the parent)."""
        self._listening = False
        self._observer = Observer(
            clock=clock,
            market=market,
            ledger=ledger,
            orders=orders,
            counts=counts,
            vitals=vitals,
            modes=modes,
            latches=latches,
            limits=limits,
            losses=losses,
            sessions=sessions,
            exposure=self._exposure,
            sent=self._sent,
            messages=self._messages,
            book=book,
            what_ifs=what_ifs,
            shorts=shorts,
            clusters=clusters,
            no_good_till=no_good_till,
            brackets_in_one=brackets_in_one,
            exits_hold=exits_hold,
            native_algos=native_algos,
        )

    # --- what others use

    @property
    def limits_hash(self) -> str:
        return self._limits.hash

    def restore(self) -> None:
        """Take over what an earlier run sent, and count cancels from now on; called once the desk has its orders."""
        if not self._listening:
            self._listening = True
            self._bus.subscribe(OrderPending, self._on_pending, owner="risk.gate", role=Role.DECIDER)
        self._sent.seed(list(self._orders.orders().values()), self._multiplier)

    def _multiplier(self, symbol: Symbol) -> float:
        instrument = self._market.instrument(symbol)
        return float(instrument.multiplier) if instrument is not None else 1.0

    def check(self, request: OrderRequest, what_if: WhatIf | None = None) -> Verdict:
        """Judge without reserving or counting anything."""
        return self._judge(request, what_if).verdict

    def clear(self, request: OrderRequest, what_if: WhatIf | None = None) -> tuple[Verdict, ClearedOrder | None]:
        """Judge, and when nothing speaks against it count, reserve and return the order that may be sent."""
        verdict, situation = self._judge(request, what_if)
        if situation is not None and situation.auto and not situation.reducing:
            verdict = self._repetition(verdict, situation)
        if not verdict.cleared or situation is None:
            self._tell_denied(verdict)
            return verdict, None
        try:
            cleared = self._make(verdict, situation)
        except JournalError as error:
            text = f"The order could not be recorded, so it is not sent: {error}"
            verdict = _denied(verdict.request, Denial(code="JOURNAL", text=text))
        except Exception as error:  # noqa: BLE001  whatever goes wrong in the gate denies and halts
            verdict = self._failed(verdict.request, "gate", error)
        else:
            self._tell_cleared(verdict, cleared)
            return verdict, cleared
        self._tell_denied(verdict)
        return verdict, None

    def clear_again(self, cleared: ClearedOrder, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]:
        """Judge a closing order that was cleared and had to wait, as ``request`` now; it keeps its reference.

        Nothing of it may have been sent. Denied, it is not reserved any more.
        """
        self._exposure.release(cleared.ref)
        verdict, s = self._judge(request, None)
        # It was counted when it was cleared first and is no duplicate of itself.
        denials = tuple(denial for denial in verdict.denials if denial.code not in COUNTED)
        verdict = msgspec.structs.replace(verdict, denials=denials)
        if verdict.cleared and s is not None and s.reducing:
            self._exposure.reserve(cleared.ref, verdict.request)
            again = msgspec.structs.replace(
                cleared,
                request=msgspec.structs.replace(verdict.request, account=cleared.account),
                limits_hash=self._limits.hash,
                cleared_ns=s.now,
                reference_price=exact(round(s.mid if math.isfinite(s.mid) else s.price, 8)),
            )
            self._tell_cleared(verdict, again)
            return verdict, again
        self._tell_denied(verdict)
        return verdict, None

    def check_change(self, ref: OrderRef, changed: OrderRequest) -> Verdict:
        """Judge a change of a working order."""
        return self._judge_change(ref, changed)[0].verdict

    def clear_change(self, ref: OrderRef, changed: OrderRequest, refresh: bool = False) -> Verdict:
        """Judge a change and, when cleared, count the larger of old and new until it is settled (§6.1).

        ``refresh`` moves nothing but the end of an entry (G36): judged like any change, but none that G8b counts.
        """
        (verdict, situation), status = self._judge_change(ref, changed, refresh)
        if not verdict.cleared or situation is None or status is None:
            self._tell_denied(verdict)
            return verdict
        try:
            if not refresh:
                self._counts.count_modify(ref)
        except JournalError as error:
            verdict = _denied(changed, Denial(code="JOURNAL", text=f"The change could not be recorded: {error}"))
            self._tell_denied(verdict)
            return verdict
        self._messages.note(self._clock.now())
        self._exposure.reserve_change(ref, verdict.request, status)
        return verdict

    def release(self, ref: OrderRef) -> None:
        """Give a reservation back: the order was proven not sent, or the change did not happen."""
        self._parents.discard(ref)
        self._exposure.release(ref)

    def hold(self, ref: OrderRef, request: OrderRequest) -> None:
        """Count what a parent order has still to send, under its reference; replaces what was held under it before."""
        self._parents.add(ref)
        if request.quantity > ZERO:
            self._exposure.reserve(ref, request)
        else:
            self._exposure.release(ref)

    def note_message(self) -> None:
        """Count a message that did not come from here, such as a cancel. Cancels themselves are never refused."""
        self._messages.note(self._clock.now())

    def _on_pending(self, event: OrderPending) -> None:
        if event.what == "cancel":
            self.note_message()

    def uses(self) -> tuple[LimitUse, ...]:
        """Return how much of each limit is used: the rows of the risk panel."""
        return self._observer.uses()

    def risk_at_stops(self) -> float | None:
        """Return 0..1 of what may be lost today if every stop were hit; None while equity is unknown."""
        return next((use.used / use.limit for use in self.uses() if use.code == "STOPS" and use.limit > 0), None)

    def size(
        self,
        symbol: Symbol,
        side: Side,
        entry: Decimal,
        stop: Decimal,
        *,
        edge: float | None = None,
        edge_low: float | None = None,
        volatility: float | None = None,
        evidence_state: str = "NO EVIDENCE",
        horizon: str = "swing",
    ) -> Sizing:
        """Return how many units the limits and the evidence allow; zero with the reason when none.

        ``edge``: shrunk expected net return of the trade (fraction), ``edge_low`` its lower bound, ``volatility`` the
        standard deviation of that return (fraction). Without evidence the size comes from the risk to the stop alone.
        """
        limits = self._limits
        inputs = self._observer.sizing(symbol, side, entry, stop, edge, edge_low, volatility, evidence_state, horizon)
        if limits.fault is not None or inputs is None:
            why = "LIMITS" if limits.fault is not None else "EQUITY"
            return Sizing(ZERO, why, "Equity, limits or the instrument are not known.")
        return size(inputs, limits.active)

    # --- judging

    def _judge(self, request: OrderRequest, what_if: WhatIf | None, replacing: OrderStatus | None = None) -> _Look:
        limits = self._limits
        if limits.fault is not None:
            text = f"The limit {limits.fault} is missing or not a number, so nothing is sent."
            return _Look(_denied(request, Denial(code="LIMITS", text=text)), None)
        if self._missing:
            text = f"Rule {min(self._missing)} is not loaded, so nothing is sent."
            return _Look(_denied(request, Denial(code="RULES", text=text)), None)
        try:
            seen = self._observer.observe(request, what_if, replacing)
        except Exception as error:  # noqa: BLE001  whatever goes wrong in the gate denies and halts
            return _Look(self._failed(request, "gate", error), None)
        if isinstance(seen, Unseen):
            return _Look(_denied(seen.request, seen.denial), None)
        denials: list[Denial] = []
        warnings: list[Denial] = []
        confirmed = request.confirmed
        for rule in self._closing_rules if seen.reducing else self._rules:
            if (replacing is not None or request.parent_ref in self._parents) and rule.code in NOT_FOR_CHANGES:
                continue
            started = self._clock.monotonic() if rule.foreign else 0
            try:
                found: tuple[Finding, ...] = rule.check(seen)
                for denial, warning in found:
                    if warning or (not denial.hard and not seen.auto and denial.code in confirmed):
                        warnings.append(denial)
                    elif not denial.hard and seen.auto:
                        denials.append(msgspec.structs.replace(denial, hard=True))
                    else:
                        denials.append(denial)
            except Exception as error:  # noqa: BLE001  a rule that fails denies and halts, it is never skipped
                return _Look(self._failed(seen.request, rule.code, error), None)
            if rule.foreign and self._clock.monotonic() - started > FOREIGN_BUDGET_NS:
                return _Look(self._failed(seen.request, rule.code, TimeoutError("took longer than 50 ms")), None)
        denials.sort(key=_hard_first)
        return _Look(self._verdict(seen, tuple(denials), tuple(warnings)), seen)

    def _judge_change(
        self, ref: OrderRef, changed: OrderRequest, refresh: bool = False
    ) -> tuple[_Look, OrderStatus | None]:
        status = self._orders.order(ref)
        if status is None or status.state.closed:
            denial = Denial(code="ORDER", text="There is no such working order.")
            return _Look(_denied(changed, denial), None), None
        if (changed.symbol, changed.side) != (status.request.symbol, status.request.side):
            denial = Denial(code="ORDER", text="A change keeps the symbol and the side.")
            return _Look(_denied(changed, denial), None), status
        if refresh and _without_end(changed) != _without_end(status.request):
            return _Look(_denied(changed, Denial(code="ORDER", text="A refresh changes the end alone.")), None), status
        look = self._judge(changed, None, status)
        if refresh:
            return look, status
        profile = self._limits.active.auto if changed.origin.unattended else self._limits.active.manual
        done, most = self._counts.modifies(ref), profile.modifies_per_order
        if look.situation is not None and done >= most and changed.origin is not Origin.FLATTEN:
            denial = Denial(
                code="G8b",
                text=f"The order was changed {done} times; the limit is {most}.",
                limit=str(most),
                value=str(done),
            )
            look = _Look(msgspec.structs.replace(look.verdict, denials=(*look.verdict.denials, denial)), None)
        return look, status

    def _verdict(self, s: Situation, denials: tuple[Denial, ...], warnings: tuple[Denial, ...]) -> Verdict:
        request = s.request
        risk = at_stop(s)
        signed = request.quantity if request.side is Side.BUY else -request.quantity
        commission = s.what_if.commission if s.what_if is not None else None
        used = None
        if s.equity > 0.0:
            lost = s.exposure.at_stops
            if not s.reducing:
                lost += risk if risk is not None else s.notional
            used = s.of_equity(lost) / s.person.day_loss_halt_percent
        return Verdict(
            request=request,
            denials=denials,
            warnings=warnings,
            notional=exact(s.notional) if math.isfinite(s.notional) else ZERO,
            risk=exact(risk) if risk is not None and math.isfinite(risk) else None,
            margin=s.what_if.initial_margin_after if s.what_if is not None else None,
            commission=commission,
            position_after=units(s.line.quantity) + signed,
            risk_used_after=used,
        )

    # --- clearing

    def _repetition(self, verdict: Verdict, s: Situation) -> Verdict:
        """Count identical decisions (G10); only those that were sent, or refused because they repeat one."""
        if verdict.denials and not {d.code for d in verdict.denials} <= REPETITION:
            return verdict
        agent = s.agent
        name = s.request.strategy or "-"
        if s.latch is None and name in self._latched:
            # A person has lifted the latch: the count begins anew.
            self._latched.discard(name)
            self._decisions.forget(s.request.strategy)
        n = self._decisions.note(s.request, s.now, round(agent.identical_minutes * 60 * SECOND))
        if n <= agent.identical_decisions or s.latch is not None:
            return verdict
        strategy = name
        self._latched.add(strategy)
        text = f"it decided the same thing {n} times within {agent.identical_minutes:g} minutes"
        latch = Latch(code="G10", scope=strategy, text=text, date=s.session.date if s.session else "", since_ns=s.now)
        try:
            self._latches.trip(latch)
        except JournalError as error:
            self._modes.halt("gate", f"a latch could not be recorded: {error}")
        self._alarm("G10", "amber", f"Strategy {strategy} repeats itself.", "It is off.", "Look at it, then re-arm it.")
        found = hard(
            "G10", f"Strategy {strategy} is off until a person re-arms it: {text}.", agent.identical_decisions, n
        )
        return msgspec.structs.replace(verdict, denials=(*verdict.denials, found[0].denial))

    def _make(self, verdict: Verdict, s: Situation) -> ClearedOrder:
        request = verdict.request
        account = request.account or (s.account.account if s.account is not None else None)
        if account is None:
            raise JournalError("the account is not known")
        date = s.session.date if s.session is not None else ""
        if not s.reducing and request.parent_ref not in self._parents:
            self._counts.count_order(request, date)
            if s.auto and s.live:
                self._sessions.note(date)
        ref = self._orders.reserve_ref(request.origin, account)
        request = msgspec.structs.replace(request, account=account)
        decision = request.decision_id or DecisionId(f"d-{ref}")
        reference = exact(round(s.mid if math.isfinite(s.mid) else s.price, 8))

        def cleared(name: OrderRef, what: OrderRequest, legs: tuple[ClearedOrder, ...] = ()) -> ClearedOrder:
            return ClearedOrder(
                ref=name,
                account=account,
                request=what,
                decision_id=decision,
                limits_hash=self._limits.hash,
                build_hash=self._build,
                cleared_ns=s.now,
                reference_price=reference,
                legs=legs,
            )

        legs: tuple[ClearedOrder, ...] = ()
        if not s.reducing:
            legs = tuple(
                cleared(self._orders.reserve_ref(Origin.PROTECTIVE, account), leg) for leg in bracket.legs(request, ref)
            )
        self._exposure.reserve(ref, request)
        self._messages.note(s.now, s.messages)
        if not s.reducing:
            self._sent.add(Sent(s.now, s.symbol, request.side, s.quantity, s.price, s.notional, request.strategy))
        elif request.origin in (Origin.MANUAL, Origin.PROGRAM):
            self._sent.add(Sent(s.now, s.symbol, request.side, s.quantity, s.price, 0.0, request.strategy))
        return cleared(ref, request, legs)

    # --- telling

    def _failed(self, request: OrderRequest, what: str, error: Exception) -> Verdict:
        reason = f"{what} could not be checked ({type(error).__name__}: {error})"
        self._modes.halt("gate", reason)
        self._alarm(
            "RULE", "red", f"A risk check failed: {reason}.", "Trading is halted.", "Send the log, then resume."
        )
        return _denied(request, Denial(code=what.upper(), text=f"{what} could not be checked, so nothing is sent."))

    def _tell_denied(self, verdict: Verdict) -> None:
        request, now = verdict.request, self._clock.now()
        self._bus.publish(
            RiskDenied(
                ts_event=now,
                ts_init=now,
                symbol=request.symbol,
                side=request.side,
                intent_id=request.intent_id,
                denials=verdict.denials,
                request=request,
                origin=request.origin,
                suggestion_id=request.suggestion_id,
            )
        )

    def _tell_cleared(self, verdict: Verdict, cleared: ClearedOrder) -> None:
        request, now = cleared.request, self._clock.now()
        self._bus.publish(
            RiskCleared(
                ts_event=now,
                ts_init=now,
                symbol=request.symbol,
                side=request.side,
                intent_id=request.intent_id,
                verdict=verdict,
                suggestion_id=request.suggestion_id,
                ref=cleared.ref,
            )
        )


def _without_end(request: OrderRequest) -> OrderRequest:
    return msgspec.structs.replace(request, good_till_ns=None)


def _denied(request: OrderRequest, denial: Denial) -> Verdict:
    return Verdict(request=request, denials=(denial,))


def _hard_first(denial: Denial) -> bool:
    return not denial.hard
