"""What a run did, checked against the broker's own books."""

from collections.abc import Mapping

from engine.execution.desk import OrderDesk
from engine.model.events.system import RunSummary
from engine.model.money import ZERO, cents
from engine.model.report import BrokerSnapshot
from engine.portfolio.ledger import Ledger
from engine.runtime.last_look import differences
from engine.runtime.ledger_of_run import RunLedger


def sum_up(
    run: RunLedger,
    ledger: Ledger,
    desk: OrderDesk,
    snapshot: BrokerSnapshot | None,
    *,
    silent: Mapping[str, int],
    now: int,
    symbols: int,
    lived_s: float,
    wall_s: float,
) -> RunSummary:
    """``snapshot`` is the broker's own word at the end; without one the last comparison counts while the link holds."""
    ours = {symbol: p.quantity for symbol, p in ledger.positions().items() if p.quantity != ZERO}
    equity = ledger.equity()
    found = differences(snapshot, ours, ledger.cash())
    same = None if found is None else not found
    if same is None and desk.synced:
        same = not desk.adoption.differences
    return RunSummary(
        ts_event=now,
        ts_init=now,
        decision_hash=run.decision_hash,
        symbols=symbols,
        market_seconds=round(lived_s, 3),
        wall_seconds=round(wall_s, 3),
        counts=dict(sorted(run.counts.items())),
        cash=ledger.cash(),
        positions={str(symbol): quantity for symbol, quantity in sorted(ours.items())},
        equity=cents(equity) if equity is not None else None,
        reconciled=bool(same),
        compared=same is not None,
        notes=(*run.notes, *(found or ())),
        silent=dict(sorted(silent.items())),
    )
