"""What the gate says of the order in the ticket, in figures: risk, gain, margin, position, fee."""

from engine.model.decision import Verdict
from widgets import formats
from widgets.figures import Figure
from widgets.ticket_draft import Around, Draft, reference
from widgets.words import tr


def figures_of(verdict: Verdict, draft: Draft, around: Around, risk_before: float | None) -> list[Figure]:
    """Return (what, figure, beside it); ``risk_before`` is 0 to 1 of what may be lost today."""
    request = verdict.request
    equity = around.equity
    risk, share = formats.MISSING, ""
    if verdict.risk is not None:
        risk = formats.number(verdict.risk)
        if equity is not None and equity > 0:
            share = f"({float(verdict.risk / equity * 100):.2f}{formats.THIN}%)"
    price = reference(draft, around)
    gain = formats.MISSING
    if request.take_profit is not None and price is not None:
        gain = formats.number(abs(request.take_profit - price) * request.quantity * around.multiplier)
    before = formats.MISSING if risk_before is None else f"{risk_before:.0%}".rstrip("%")
    after = formats.MISSING if verdict.risk_used_after is None else f"{verdict.risk_used_after:.0%}".rstrip("%")
    position = ""
    if verdict.position_after is not None:
        position = f"· {formats.signed(verdict.position_after, 0)}"
    made: list[Figure] = [
        (tr("Risks"), risk, share),
        (tr("Could make"), gain, ""),
        (tr("Margin after"), formats.number(verdict.margin), ""),
        (tr("Risk used · position"), f"{before} → {after}{formats.THIN}%", position),
    ]
    if verdict.commission is not None:
        made.append((tr("Fee"), formats.number(verdict.commission), ""))
    return made
