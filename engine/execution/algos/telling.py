"""What the desk of algorithms says: the state of a parent, answers to commands, what it cost. Pure."""

from decimal import Decimal

from engine.api.commands import Receipt
from engine.execution.algos.parent import Parent, ParentState, ParentStatus
from engine.execution.algos.seeing import Seen
from engine.execution.algos.slippage import SlippageReport, cost_bps, shortfall
from engine.model.decision import Verdict
from engine.model.events.system import Alarm
from engine.model.instrument import Instrument
from engine.model.market import Quote


def status_of(parent: Parent, seen: Seen, note: str) -> ParentStatus:
    """The parent as others see it."""
    return ParentStatus(
        ref=parent.ref,
        request=parent.request,
        algo=parent.request.algo,
        by=parent.by,
        state=parent.state,
        code=parent.code,
        text=parent.text or note,
        filled=seen.filled,
        average_price=seen.average_price,
        working=seen.working,
        children=tuple(made.ref for made in parent.children),
        start_ns=parent.start_ns,
        end_ns=parent.end_ns,
        arrival_price=parent.arrival_price,
    )


def receipt_of(status: ParentStatus) -> Receipt:
    """The answer to the start of a parent. ``data``: ref, state."""
    data: dict[str, object] = {"ref": str(status.ref), "state": status.state.value}
    text = f"Working {status.request.quantity} {status.request.symbol} by {status.algo}"
    text += f": {status.text}." if status.text else "."
    return Receipt(ok=status.state is not ParentState.STOPPED, code=status.code, text=text, data=data)


def denied(verdict: Verdict) -> Receipt:
    """The answer when the gate objects to the whole order; CONFIRM when a person may confirm all objections."""
    if not verdict.denials:
        return Receipt(ok=False, code="GATE", text="The gate did not clear the order.")
    soft = all(not denial.hard for denial in verdict.denials)
    first = verdict.denials[0]
    return Receipt(ok=False, code="CONFIRM" if soft else first.code, text=first.text, denials=verdict.denials)


def alarm_of(parent: Parent, severity: str, happened: str, did: str, now_ns: int) -> Alarm:
    """A line for the banner about a parent."""
    request = parent.request
    what = f"{request.algo.upper()} {request.side.value} {request.quantity} {request.symbol}"
    return Alarm(
        ts_event=now_ns,
        ts_init=now_ns,
        code=f"ALGO:{parent.ref}",
        severity=severity,
        happened=f"{what}: {happened}.",
        did=did,
        you_can="Look at its orders, then start a new one for the rest if you want it.",
    )


def measure(
    parent: Parent, seen: Seen, quote: Quote | None, instrument: Instrument | None, now_ns: int
) -> SlippageReport:
    """What the parent cost."""
    request, tape, paid = parent.request, parent.tape, seen.average_price
    end = quote.mid if quote is not None and quote.two_sided else None
    return SlippageReport(
        ref=parent.ref,
        symbol=request.symbol,
        side=request.side,
        algo=request.algo,
        quantity=request.quantity,
        filled=seen.filled,
        average_price=paid,
        decision_price=parent.decision_price,
        arrival_price=parent.arrival_price,
        interval_vwap=tape.vwap,
        end_price=end,
        participation=float(seen.filled) / tape.volume if tape.volume > 0.0 else None,
        commission=seen.commission,
        decision_bps=cost_bps(request.side, paid, parent.decision_price),
        arrival_bps=cost_bps(request.side, paid, parent.arrival_price),
        vwap_bps=cost_bps(request.side, paid, tape.vwap),
        shortfall=shortfall(
            request.side,
            quantity=request.quantity,
            filled=seen.filled,
            paid=paid,
            decision=parent.decision_price or parent.arrival_price,
            end=end,
            multiplier=instrument.multiplier if instrument is not None else Decimal(1),
            commission=seen.commission,
        ),
        children=len(parent.children),
        start_ns=parent.start_ns,
        end_ns=now_ns,
        tape_gaps=tape.gaps,
    )
