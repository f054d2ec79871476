"""The end of a run: our books beside the broker's, once more."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import structlog

from engine.bus.errors import BrokerError
from engine.execution.broker import Broker
from engine.execution.desk import OrderDesk
from engine.model.ids import Symbol
from engine.model.money import ZERO
from engine.model.report import BrokerSnapshot

PATIENCE_S = 5.0
"""A broker that has gone does not hold up the end any longer."""
_CENT = Decimal("0.01")
_log = structlog.get_logger("run")


async def last_look(broker: Broker, desk: OrderDesk, within_s: float = PATIENCE_S) -> BrokerSnapshot | None:
    """Ask a broker that is not embedded for its books once more and take in what they tell; None without an answer."""
    try:
        async with asyncio.timeout(within_s):
            snapshot = await broker.snapshot()
    except (TimeoutError, BrokerError) as error:
        _log.warning("the broker was not asked at the end", reason=str(error) or "no answer")
        return None
    if desk.synced:
        desk.reconcile(snapshot)
    return snapshot


def agreed(
    snapshot: BrokerSnapshot | None, positions: Mapping[Symbol, Decimal], cash: Mapping[str, Decimal]
) -> bool | None:
    """Whether our books are the broker's: positions exactly, cash to the cent that it rounds to. None: not known."""
    if snapshot is None or snapshot.positions is None or snapshot.account is None:
        return None
    theirs = {p.symbol: p.quantity for p in snapshot.positions if p.quantity != ZERO}
    told = snapshot.account.cash
    gaps = (abs(told.get(name, ZERO) - cash.get(name, ZERO)) for name in {*told, *cash})
    return dict(positions) == theirs and all(gap < _CENT for gap in gaps)
