"""The end of a run: our books beside the broker's, once more."""

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal

import structlog

from engine.bus.errors import BrokerError
from engine.execution.broker import Broker
from engine.execution.desk import OrderDesk
from engine.model.ids import Symbol
from engine.model.money import ZERO
from engine.model.report import BrokerSnapshot

PATIENCE_S = 5.0
ATTEMPTS, PAUSE_S = 5, 1.5
"""A broker that has gone does not hold up the end any longer."""
_CENT = Decimal("0.01")
_log = structlog.get_logger("run")


async def last_look(
    broker: Broker, desk: OrderDesk, same: Callable[[BrokerSnapshot], bool | None], within_s: float = PATIENCE_S
) -> BrokerSnapshot | None:
    """Ask a broker that is not embedded for its books once more and take in what they tell; None without an answer.

    Cash is told every few seconds, fills at once: where ``same`` says that the books differ they are asked for again.
    """
    snapshot = None
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(PAUSE_S)
        told = await _ask(broker, desk, within_s)
        snapshot = told or snapshot
        if told is None or same(told) is not False:
            break
    return snapshot


async def _ask(broker: Broker, desk: OrderDesk, within_s: float) -> BrokerSnapshot | None:
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
    found = differences(snapshot, positions, cash)
    return None if found is None else not found


def differences(
    snapshot: BrokerSnapshot | None, positions: Mapping[Symbol, Decimal], cash: Mapping[str, Decimal]
) -> tuple[str, ...] | None:
    """A sentence for each position and currency that differs; None: not known."""
    if snapshot is None or snapshot.positions is None or snapshot.account is None:
        return None
    theirs = {p.symbol: p.quantity for p in snapshot.positions if p.quantity != ZERO}
    told = snapshot.account.cash
    found = [
        f"{symbol}: ours {positions.get(symbol, ZERO)}, the broker's {theirs.get(symbol, ZERO)}"
        for symbol in sorted({*positions, *theirs})
        if positions.get(symbol, ZERO) != theirs.get(symbol, ZERO)
    ]
    found += [
        f"cash in {name}: ours {cash.get(name, ZERO):.2f}, the broker's {told.get(name, ZERO):.2f}"
        for name in sorted({*told, *cash})
        if abs(told.get(name, ZERO) - cash.get(name, ZERO)) >= _CENT
    ]
    return tuple(found)
