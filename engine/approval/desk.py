"""The approval desk: every suggestion passes here, is judged, asked about or sent, and answered exactly once.

The first answer wins and is durable before anything is sent; whoever answers again is told what the first one was,
also after a restart.
"""

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.api.commands import REASON_CODES, Approve, ApproveIf, Edit, GetSuggestion, Receipt, Refuse, Requote, Snooze
from engine.approval.case import Case, CaseBook, Live, Outcome
from engine.approval.drift import Drift
from engine.approval.hash import differs_from
from engine.approval.judge import Judge
from engine.approval.mandate import Mandates
from engine.approval.policy import Action, decide, may_send
from engine.approval.ports import Gate, Ledger, Market, Modes, Orders, Store
from engine.approval.requests import edited
from engine.approval.sender import Sender
from engine.approval.settings import ApprovalSettings
from engine.approval.telling import Teller
from engine.approval.turns import Turns
from engine.approval.watch import Watch, unsound
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError
from engine.model.decision import PEOPLE, Autonomy, Denial, Verdict
from engine.model.events.decision import ApprovalAsked, ApprovalExpired, Edited, Refused, Snoozed
from engine.model.events.market import QuoteTick
from engine.model.events.thought import Suggested, SuggestionSuperseded, SuggestionWithdrawn
from engine.model.ids import SuggestionId
from engine.model.market import Side
from engine.model.order import Origin
from engine.model.suggestion import Suggestion, SuggestionState

AGENT = "agent"
ANSWERS_KEPT_NS = 30 * 86_400 * SECOND
RETRY_NS = SECOND
OBSERVES = Denial(code="OBSERVE", text="The agent only observes.")
S = SuggestionState


class ApprovalDesk:
    """Owns the questions to the person."""

    name = "approval.desk"

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        gate: Gate,
        modes: Modes,
        orders: Orders,
        market: Market,
        ledger: Ledger,
        mandates: Mandates,
        store: Store,
        settings: ApprovalSettings,
        requoter: Callable[[Suggestion], Suggestion | None] | None = None,
    ) -> None:
        """``requoter`` prices and scores a suggestion anew; without one its prices move with the market."""
        self._bus, self._clock, self._gate, self._modes = bus, clock, gate, modes
        self._settings, self._requoter = settings, requoter
        self._cases = CaseBook(store, settings.outcomes_kept)
        self._watch = Watch()
        self._tell = Teller(bus, clock)
        self._judge = Judge(
            gate=gate, orders=orders, market=market, ledger=ledger, mandates=mandates, clock=clock, settings=settings
        )
        self._sender = Sender(
            gate=gate,
            orders=orders,
            mandates=mandates,
            cases=self._cases,
            judge=self._judge,
            tell=self._tell,
            clock=clock,
        )
        self._turns = Turns(clock, self._on_turn)
        self._unsubscribe: list[Callable[[], None]] = []

    # --- life

    async def start(self) -> None:
        """Take up the open questions of the last run, then listen."""
        self.restore()
        on = self._bus.subscribe
        self._unsubscribe = [
            on(Suggested, self._on_suggested, owner=self.name, role=Role.DECIDER),
            on(SuggestionWithdrawn, self._on_withdrawn, owner=self.name, role=Role.DECIDER),
            on(SuggestionSuperseded, self._on_superseded, owner=self.name, role=Role.DECIDER),
            on(QuoteTick, self._on_quote, owner=self.name, role=Role.DECIDER),
        ]

    async def stop(self) -> None:
        """Stop listening; open questions stay where they are, durable."""
        for end in self._unsubscribe:
            end()
        self._unsubscribe = []
        self._turns.stop()
        for live in self._cases.open.values():
            for timer in live.timers:
                timer.cancel()
            live.timers = []

    def restore(self) -> None:
        """Read the stored cases and set their clocks; what expired meanwhile expires now."""
        for case in self._cases.load(self._clock.now() - ANSWERS_KEPT_NS):
            live = Live(case=case, stored=True, timers=[])
            self._cases.open[case.suggestion.id] = live
            if self._is_over(live):
                self._expire(live)
                continue
            if case.state is S.CONDITIONAL:
                self._watch.add(live)
            self._set_timers(live)

    # --- what others read

    def suggestion(self, suggestion_id: SuggestionId) -> Suggestion | None:
        """Return an open suggestion as it stands now, edits included."""
        live = self._cases.open.get(suggestion_id)
        return live.case.suggestion if live is not None else None

    def open(self) -> tuple[Suggestion, ...]:
        """Return the suggestions without an answer, oldest first."""
        return tuple(live.case.suggestion for live in self._cases.open.values())

    def state(self, suggestion_id: SuggestionId) -> SuggestionState | None:
        """Return where a suggestion stands, None when it is not known."""
        live = self._cases.open.get(suggestion_id)
        if live is not None:
            return live.case.state
        outcome = self._cases.outcome(suggestion_id)
        return outcome.state if outcome is not None else None

    def hash_of(self, suggestion_id: SuggestionId) -> str:
        """Return the present approval hash, empty when there is no open question."""
        live = self._cases.open.get(suggestion_id)
        return live.case.approval_hash if live is not None else ""

    def drift(self, suggestion: Suggestion) -> Drift:
        """Return how far the market has moved since ``suggestion``."""
        return self._judge.drift(suggestion)

    def show(self, command: GetSuggestion) -> Receipt:
        """Answer ``GetSuggestion``: suggestion, verdict, state, approval_hash, drift; refreshes an old check (G32)."""
        live = self._cases.open.get(command.suggestion_id)
        if live is None:
            return self._again(command.suggestion_id)
        if self._clock.now() - live.case.checked_ns > round(self._settings.check_age_s * SECOND):
            self._judge.look(live)
        return Receipt(ok=True, data=self._judge.shown(live))

    # --- suggestions come in

    def _on_suggested(self, event: Suggested) -> None:
        suggestion = event.suggestion
        if suggestion.id in self._cases.open or self._cases.outcome(suggestion.id) is not None:
            return
        live = Live(case=Case(suggestion=suggestion), timers=[])
        if self._is_over(live):
            self._expire(live)
            return
        self._first(live)

    def _first(self, live: Live) -> None:
        suggestion = live.case.suggestion
        autonomy, mode = self._modes.autonomy, self._modes.mode
        if autonomy is Autonomy.OBSERVE:
            self._deny(live, (OBSERVES,), Verdict(request=self._judge.order(live, Origin.AUTO)))
            return
        agent: Verdict | None = None
        beyond: Denial | None = None
        if may_send(autonomy, mode) and (beyond := self._judge.foreign(suggestion)) is None:
            agent = self._gate.check(self._judge.order(live, Origin.AUTO))
            beyond = self._judge.beyond(suggestion, agent, small=autonomy is Autonomy.ASK_ABOVE_LIMITS)
        person = agent if agent is not None and agent.cleared and beyond is None else self._judge.look(live)
        decision = decide(autonomy, mode, person=person, agent=agent, beyond=beyond)
        live.case.reason, live.held = decision.reason, ()
        if decision.action is Action.SEND:
            receipt = self._sender.send(live, AGENT, Origin.AUTO)
            if not receipt.ok and live.case.outcome is None:
                self._close(live, S.DENIED, AGENT, ok=False, code=receipt.code, text=receipt.text, durable=False)
                if not receipt.denials:
                    # What the gate refuses it tells itself. What could not be recorded nobody else tells, and the
                    # board would hold it open: no other exit of this strategy would be proposed.
                    self._tell.denied(live, live.verdict or person, (_denial(receipt),))
        elif decision.action is Action.WAIT and self._turns.wait(live, decision.denials):
            self._cases.open[suggestion.id] = live
        elif decision.action in (Action.DENY, Action.WAIT):
            self._deny(live, decision.denials or person.denials, agent or person)
        else:
            live.case.state = S.PENDING
            if (failed := self._cases.try_save(live)) is not None:
                self._deny(live, (_denial(failed),), person)
                return
            self._set_timers(live)
            self._tell.cleared(live, person)
            if decision.action is Action.ASK:
                self._ask(live, decision.reason)

    def _on_turn(self, live: Live) -> None:
        suggestion = live.case.suggestion
        if live.case.outcome is not None or self._cases.open.get(suggestion.id) is not live:
            return
        if live.case.state is not S.DRAFT:
            # A person has taken it up meanwhile: edited it, put it aside or named a price. It is theirs now.
            live.held = ()
            return
        if self._is_over(live):
            self._expire(live)
            return
        if (drifted := self._judge.drifted(live)) is not None:
            self._deny(live, drifted.denials, drifted)
            return
        if (fitted := self._judge.fitted(suggestion)) is not None:
            changes = {"quantity": (str(suggestion.quantity), str(fitted.quantity))}
            live.case.suggestion = fitted
            self._tell.publish(Edited, live, by=AGENT, changes=changes, suggestion=fitted)
        self._first(live)

    def _on_withdrawn(self, event: SuggestionWithdrawn) -> None:
        self._end(event.id, S.WITHDRAWN, f"Withdrawn: {event.reason}")

    def _on_superseded(self, event: SuggestionSuperseded) -> None:
        self._end(event.id, S.SUPERSEDED, f"A newer suggestion ({event.by}) took its place.")

    def _end(self, name: SuggestionId, state: SuggestionState, text: str) -> None:
        """It is over by its maker's word, also where that cannot be recorded: nobody may send it any more."""
        live = self._cases.open.get(name)
        if live is not None and self._close(live, state, AGENT, ok=False, code=state.value, text=text) is not None:
            self._close(live, state, AGENT, ok=False, code=state.value, text=text, durable=False)

    # --- answers of a person

    def _take(self, suggestion_id: SuggestionId, by: str) -> Live | Receipt:
        """Return the open case, or what a late or repeated answer gets."""
        live = self._cases.open.get(suggestion_id)
        if live is None:
            return self._again(suggestion_id)
        self._modes.present(by)
        return self._expire(live) if self._is_over(live) else live

    def approve(self, command: Approve) -> Receipt:
        """Approve: expiry, hash of what was shown, drift, book, limits, then the gate, then the order."""
        live = self._take(command.suggestion_id, command.by)
        if isinstance(live, Receipt):
            return live
        case = live.case
        if (differs := differs_from(case.approval_hash, command)) is not None:
            return differs
        drift = self._judge.drift(case.suggestion)
        if drift.broken:
            return Receipt(ok=False, code="DRIFT", text=drift.broken, data={"drift": msgspec.to_builtins(drift)})
        changed = self._judge.what_changed(live)
        if changed:
            return self._ask_again(live, changed)
        if command.by in PEOPLE:
            return self._sender.send(live, command.by, Origin.MANUAL, command.confirmed)
        if (beyond := self._judge.beyond_program(live, command.by)) is not None:
            return Receipt(ok=False, code=beyond.code, text=beyond.text, denials=(beyond,))
        return self._sender.send(live, command.by, Origin.PROGRAM)

    def approve_if(self, command: ApproveIf) -> Receipt:
        """Approve on a condition: sent by itself as soon as the price is at or better, within the time."""
        live = self._take(command.suggestion_id, command.by)
        if isinstance(live, Receipt):
            return live
        case = live.case
        if (differs := differs_from(case.approval_hash, command)) is not None:
            return differs
        if why := unsound(command, case.suggestion):
            return Receipt(ok=False, code="VALUES", text=why)
        until = min(self._clock.now() + round(command.seconds * SECOND), case.suggestion.expires_ns)
        before = (case.state, case.condition_price, case.condition_until_ns, case.condition_by)
        case.state, case.condition_price, case.condition_until_ns = S.CONDITIONAL, command.price, until
        case.condition_by = command.by
        if (failed := self._cases.try_save(live)) is not None:
            case.state, case.condition_price, case.condition_until_ns, case.condition_by = before
            return failed
        self._watch.add(live)
        self._set_timers(live)
        text = f"It is sent when the price is {command.price} or better."
        return Receipt(ok=True, text=text, data={"until_ns": until, "state": case.state.value})

    def edit(self, command: Edit) -> Receipt:
        """Change a suggestion; it is judged again and gets a new hash. What the gate refuses changes nothing."""
        live = self._take(command.suggestion_id, command.by)
        if isinstance(live, Receipt):
            return live
        case = live.case
        suggestion, diff = edited(case.suggestion, command.quantity, command.entry, command.stop, command.target)
        if not diff:
            return Receipt(ok=True, text="Nothing changed.", data={"approval_hash": case.approval_hash})
        revised = self._revise(live, suggestion, diff, command.by, "edited")
        case.edited = case.edited or revised.ok
        return revised

    def _revise(
        self, live: Live, suggestion: Suggestion, diff: dict[str, tuple[str, str]], by: str, reason: str
    ) -> Receipt:
        case = live.case
        before = (case.suggestion, case.state, live.verdict, case.approval_hash, case.checked_ns)
        case.suggestion, case.state = suggestion, S.PENDING
        verdict = self._judge.look(live)
        hard = next((denial for denial in verdict.denials if denial.hard), None)
        failed = self._cases.try_save(live) if hard is None else None
        if hard is not None or failed is not None:
            case.suggestion, case.state, live.verdict, case.approval_hash, case.checked_ns = before
            if hard is not None:
                return Receipt(ok=False, code=hard.code, text=hard.text, denials=verdict.denials)
            return failed or Receipt(ok=False)
        self._watch.remove(live)
        self._tell.publish(Edited, live, by=by, changes=diff, suggestion=suggestion)
        self._ask(live, reason)
        changes = {name: list(pair) for name, pair in diff.items()}
        data: dict[str, object] = {"approval_hash": case.approval_hash, "changes": changes}
        return Receipt(ok=True, text=f"It is {reason}; approve it to send it.", denials=verdict.denials, data=data)

    def refuse(self, command: Refuse) -> Receipt:
        """Refuse with a reason code."""
        live = self._cases.open.get(command.suggestion_id)
        if live is None:
            return self._again(command.suggestion_id)
        if command.code not in REASON_CODES:
            return Receipt(ok=False, code="CODE", text=f"The reason must be one of {', '.join(REASON_CODES)}.")
        self._modes.present(command.by)
        text = command.text or REASON_CODES[command.code]
        failed = self._close(live, S.REJECTED, command.by, ok=True, code=command.code, text=f"Refused: {text}.")
        if failed is not None:
            return failed
        self._tell.publish(Refused, live, by=command.by, code=command.code, text=command.text)
        return Receipt(ok=True, code=command.code, text="Refused.", data={"state": S.REJECTED.value, "refs": []})

    def snooze(self, command: Snooze) -> Receipt:
        """Put a suggestion aside; it comes back by itself, judged anew, unless it expires first."""
        live = self._take(command.suggestion_id, command.by)
        if isinstance(live, Receipt):
            return live
        if not math.isfinite(command.seconds) or command.seconds <= 0:
            return Receipt(ok=False, code="VALUES", text="The time must be above zero.")
        case = live.case
        until = self._clock.now() + round(command.seconds * SECOND)
        if until >= case.suggestion.expires_ns:
            return Receipt(ok=False, code="EXPIRY", text="It expires before then; refuse it or answer it now.")
        before = (case.state, case.snoozed_until_ns)
        case.state, case.snoozed_until_ns = S.SNOOZED, until
        if (failed := self._cases.try_save(live)) is not None:
            case.state, case.snoozed_until_ns = before
            return failed
        self._watch.remove(live)
        self._set_timers(live)
        self._tell.publish(Snoozed, live, by=command.by, until_ns=until)
        return Receipt(ok=True, text="Put aside.", data={"until_ns": until, "state": case.state.value})

    def requote(self, command: Requote) -> Receipt:
        """Price a drifted suggestion anew; it is judged again and gets a new hash."""
        live = self._take(command.suggestion_id, command.by)
        if isinstance(live, Receipt):
            return live
        case = live.case
        fresh = self._requoter(case.suggestion) if self._requoter is not None else self._judge.moved(case.suggestion)
        if fresh is None:
            return Receipt(ok=False, code="G21", text="There is no usable quote to price it from.")
        fresh = msgspec.structs.replace(fresh, id=case.suggestion.id)
        names = ("entry", "stop", "target", "quantity")
        pairs = {name: (str(getattr(case.suggestion, name)), str(getattr(fresh, name))) for name in names}
        diff = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        return self._revise(live, fresh, diff, command.by, "priced anew")

    def _ask_again(self, live: Live, why: str) -> Receipt:
        verdict = self._judge.look(live)
        live.case.state = S.PENDING
        if (failed := self._cases.try_save(live)) is not None:
            return failed
        self._ask(live, why)
        text = f"Not sent: {why}. Look again and approve what is there now."
        return Receipt(
            ok=False, code="G32", text=text, denials=verdict.denials, data={"approval_hash": live.case.approval_hash}
        )

    # --- conditions and time

    def _on_quote(self, event: QuoteTick) -> None:
        for live in self._watch.of(event.symbol):
            case, price = live.case, live.case.condition_price
            if case.outcome is not None:
                self._watch.remove(live)
                continue
            if price is None or case.state is not S.CONDITIONAL:
                continue
            buying = case.suggestion.side is Side.BUY
            # NaN compares false, so a missing side never triggers.
            if (0.0 < event.ask <= float(price)) if buying else (event.bid >= float(price)):
                self._fire(live, price)

    def _fire(self, live: Live, price: Decimal) -> None:
        now = self._clock.now()
        if now - live.tried_ns < RETRY_NS and live.tried_ns:
            return
        live.tried_ns = now
        case = live.case
        if self._is_over(live) or now >= case.condition_until_ns:
            return
        changed = self._judge.what_changed(live)
        if changed:
            self._watch.remove(live)
            self._ask_again(live, changed)
            return
        receipt = self._sender.send(live, case.condition_by, Origin.MANUAL, price=price)
        if not receipt.ok and case.outcome is None and receipt.code == "CONFIRM":
            self._watch.remove(live)
            self._ask_again(live, receipt.text)

    def _set_timers(self, live: Live) -> None:
        for timer in live.timers:
            timer.cancel()
        case = live.case
        again = {S.SNOOZED: case.snoozed_until_ns, S.CONDITIONAL: case.condition_until_ns}.get(case.state)
        times = [case.suggestion.expires_ns] + ([again] if again is not None else [])
        live.timers = [self._clock.call_at(when, lambda: self._on_time(live)) for when in times]

    def _on_time(self, live: Live) -> None:
        case, now = live.case, self._clock.now()
        if case.suggestion.id not in self._cases.open:
            return
        if self._is_over(live):
            self._expire(live)
        elif case.state is S.SNOOZED and now >= case.snoozed_until_ns:
            self._ask_again(live, "it was put aside until now")
        elif case.state is S.CONDITIONAL and now >= case.condition_until_ns:
            self._watch.remove(live)
            self._ask_again(live, "the price you set was not reached in time")

    def _is_over(self, live: Live) -> bool:
        return self._clock.now() >= live.case.suggestion.expires_ns

    def _expire(self, live: Live) -> Receipt:
        text, reason = "The suggestion has expired; nothing was sent.", "its time is over"
        if live.held:
            text = reason = f"Its turn did not come in time: {live.held[0].text}"
        failed = self._close(live, S.EXPIRED, AGENT, ok=False, code="EXPIRED", text=text, durable=live.stored)
        if failed is not None:
            return failed
        self._tell.publish(ApprovalExpired, live, reason=reason, unasked=bool(live.held))
        return Receipt(ok=False, code="EXPIRED", text=text)

    # --- state and telling

    def _again(self, suggestion_id: SuggestionId) -> Receipt:
        outcome = self._cases.outcome(suggestion_id)
        if outcome is None:
            return Receipt(ok=False, code="UNKNOWN", text="There is no such suggestion.")
        return outcome.receipt()

    def _deny(self, live: Live, denials: tuple[Denial, ...], verdict: Verdict) -> None:
        text = denials[0].text if denials else "The gate did not clear the order."
        code = denials[0].code if denials else "GATE"
        self._close(live, S.DENIED, AGENT, ok=False, code=code, text=text, durable=live.stored)
        self._tell.denied(live, verdict, denials)

    def _ask(self, live: Live, reason: str) -> None:
        case = live.case
        case.reason = reason
        self._set_timers(live)
        self._tell.publish(
            ApprovalAsked, live, expires_ns=case.suggestion.expires_ns, approval_hash=case.approval_hash, reason=reason
        )

    def _close(
        self,
        live: Live,
        state: SuggestionState,
        by: str,
        *,
        ok: bool,
        code: str = "",
        text: str = "",
        durable: bool = True,
    ) -> Receipt | None:
        outcome = Outcome(state=state, at_ns=self._clock.now(), ok=ok, by=by, code=code, text=text)
        try:
            self._cases.close(live, outcome, durable)
        except JournalError as error:
            if live.case.outcome is None:
                return Receipt(ok=False, code="JOURNAL", text=f"It could not be recorded: {error}")
        self._watch.remove(live)
        return None


def _denial(receipt: Receipt) -> Denial:
    return Denial(code=receipt.code, text=receipt.text)
