"""Orders of other programs: the agent's limits, the mandate, then the way every order goes.

A program is not a person. Its order says so in its origin, names it as its strategy, and carries no confirmation.
"""

import msgspec

from engine.api.commands import PlaceOrder, PreviewOrder, Receipt
from engine.approval.by_hand import HandOrders
from engine.approval.mandate import Mandates
from engine.approval.ports import Gate, Market
from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.model.decision import Denial
from engine.model.ids import IntentId, Symbol
from engine.model.order import OrderRequest, Origin, TimeInForce


class ProgramOrders:
    """Takes ``PlaceOrder`` and ``PreviewOrder`` of programs."""

    def __init__(self, *, hand: HandOrders, gate: Gate, mandates: Mandates, market: Market, clock: Clock) -> None:
        self._hand, self._gate, self._mandates = hand, gate, mandates
        self._market, self._clock = market, clock

    def preview(self, command: PreviewOrder, *, may_send: bool) -> Receipt:
        """Say what the gate would say: of the program's own order, or of one that a person approves."""
        asked = command.request
        request = self._own(asked, command.by) if may_send else _bare(asked, command.by, Origin.MANUAL)
        return self._hand.preview(msgspec.structs.replace(command, request=request))

    def place(self, command: PlaceOrder) -> Receipt:
        """Send an order. The same id twice is one order; another order under a used id is refused."""
        if not command.request.intent_id:
            return Receipt(ok=False, code="INTENT", text="An order of a program needs an id of its own.")
        if command.request.algo:
            return Receipt(ok=False, code="PERSON", text="Execution algorithms are a person's to start.")
        request = self._own(command.request, command.by)
        command = msgspec.structs.replace(command, request=request)
        if not self._hand.placed(request.intent_id):
            verdict = self._gate.check(request)
            if verdict.cleared and request.reduce_only:
                if (unnamed := self._mandates.unnamed(command.by)) is not None:
                    return _refused(unnamed)
            elif verdict.cleared:
                date = self._date(request.symbol)
                beyond = self._mandates.beyond_program(command.by, request.symbol, verdict.notional, date)
                if beyond is not None:
                    return _refused(beyond)
                try:
                    self._mandates.use(verdict.notional, date)
                except JournalError as error:
                    return Receipt(ok=False, code="JOURNAL", text=f"The order could not be recorded: {error}")
        return self._hand.place(command)

    def _own(self, asked: OrderRequest, by: str) -> OrderRequest:
        request = _bare(asked, by, Origin.PROGRAM)
        session = self._market.session(request.symbol, self._clock.now())
        if request.tif is not TimeInForce.DAY or session is None or session.close_ns <= self._clock.now():
            return request
        # At the broker it ends sooner and is kept up while AUTO is armed, like the agent's own (G36).
        return msgspec.structs.replace(request, live_until_ns=session.close_ns)

    def _date(self, symbol: Symbol) -> str:
        session = self._market.session(symbol, self._clock.now())
        return session.date if session is not None else ""


def _bare(request: OrderRequest, by: str, origin: Origin) -> OrderRequest:
    """Only what an order is about; what a person alone may say is taken away, and the id is the program's own."""
    return msgspec.structs.replace(
        request,
        origin=origin,
        intent_id=IntentId(f"{by}:{request.intent_id}"),
        strategy=by,
        confirmed=(),
        suggestion_id=None,
        decision_id=None,
        parent_ref=None,
        oca_group="",
        account=None,
        good_till_ns=None,
        live_until_ns=None,
        intended_notional=None,
    )


def _refused(denial: Denial) -> Receipt:
    return Receipt(ok=False, code=denial.code, text=denial.text, denials=(denial,), data={"ref": "", "state": "DENIED"})
