"""What a run did, checked against the broker's own books."""

from engine.execution.broker import Broker
from engine.execution.desk import OrderDesk
from engine.model.events.system import RunSummary
from engine.model.money import ZERO, cents
from engine.portfolio.ledger import Ledger
from engine.runtime.ledger_of_run import RunLedger


def sum_up(
    run: RunLedger,
    ledger: Ledger,
    desk: OrderDesk,
    broker: Broker,
    *,
    now: int,
    symbols: int,
    lived_s: float,
    wall_s: float,
) -> RunSummary:
    """An embedded broker is asked now; of any other the last comparison counts."""
    snapshot = broker.snapshot_now()
    ours = {symbol: p.quantity for symbol, p in ledger.positions().items() if p.quantity != ZERO}
    equity = ledger.equity()
    compared, agreed = desk.reconciled_ns > 0, desk.synced and not desk.drifts
    if snapshot is not None and snapshot.positions is not None and snapshot.account is not None:
        theirs = {p.symbol: p.quantity for p in snapshot.positions if p.quantity != ZERO}
        compared, agreed = True, ours == theirs and dict(snapshot.account.cash) == ledger.cash()
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
        reconciled=agreed,
        compared=compared,
        notes=tuple(run.notes),
    )
