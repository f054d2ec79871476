"""The last step of an answer: the gate once more, the answer durable, then the order, once."""

from decimal import Decimal

from engine.api.commands import Receipt
from engine.approval.case import CaseBook, Live, Outcome
from engine.approval.judge import Judge
from engine.approval.mandate import Mandates
from engine.approval.ports import Gate, Orders
from engine.approval.telling import Teller
from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.model.events.decision import Approved
from engine.model.order import OrderState, Origin
from engine.model.suggestion import SuggestionState

S = SuggestionState


class Sender:
    """Sends what was approved."""

    def __init__(
        self,
        *,
        gate: Gate,
        orders: Orders,
        mandates: Mandates,
        cases: CaseBook,
        judge: Judge,
        tell: Teller,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._orders = orders
        self._mandates = mandates
        self._cases = cases
        self._judge = judge
        self._tell = tell
        self._clock = clock

    def send(
        self, live: Live, by: str, origin: Origin, confirmed: tuple[str, ...] = (), price: Decimal | None = None
    ) -> Receipt:
        """Clear, record the answer, submit. A refusal leaves the question open; see the receipt's code."""
        case = live.case
        suggestion = case.suggestion
        verdict, cleared = self._gate.clear(self._judge.order(live, origin, confirmed, price))
        live.verdict = verdict
        if cleared is None:
            soft = all(not denial.hard for denial in verdict.denials)
            text = verdict.denials[0].text if verdict.denials else "The gate did not clear the order."
            code = "CONFIRM" if soft and verdict.denials else (verdict.denials[0].code if verdict.denials else "GATE")
            return Receipt(ok=False, code=code, text=text, denials=verdict.denials)
        refs = (cleared.ref, *(leg.ref for leg in cleared.legs))
        outcome = Outcome(
            state=S.SENT, at_ns=self._clock.now(), ok=True, by=by, text=f"Approved by {by} and handed over.", refs=refs
        )
        try:
            if origin.unattended:
                self._mandates.use(verdict.notional, self._judge.date(suggestion.symbol))
            self._cases.close(live, outcome)
        except JournalError as error:
            if case.outcome is None:
                self._gate.release(cleared.ref)
                return Receipt(ok=False, code="JOURNAL", text=f"The approval could not be recorded: {error}")
        self._tell.publish(Approved, live, decision_id=cleared.decision_id, by=by, refs=refs)
        status = self._orders.submit(cleared)
        if status.state in (OrderState.NEVER_SENT, OrderState.DENIED):
            text = f"Approved, but not sent: {status.reason or 'the order desk refused it'}. It takes a new suggestion."
            case.outcome = Outcome(
                state=S.APPROVED, at_ns=self._clock.now(), ok=False, by=by, code="NEVER_SENT", text=text, refs=refs
            )
            self._cases.amend(suggestion.id, case.outcome)
        return (case.outcome or outcome).receipt()
