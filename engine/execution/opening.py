"""What was held before the executions that a snapshot tells: the ledger begins there, and books those itself."""

from decimal import Decimal

import msgspec

from engine.execution.fold import split_exec_id
from engine.model.ids import Symbol
from engine.model.money import ZERO
from engine.model.report import BrokerPosition, BrokerSnapshot, ExecutionReport


def opening(snapshot: BrokerSnapshot) -> tuple[BrokerPosition, ...]:
    """Positions less today's executions, by symbol. A position that is gone by now has the price it went at."""
    newest: dict[str, tuple[int, ExecutionReport]] = {}
    for report in snapshot.executions or ():
        base_id, revision = split_exec_id(report.exec_id)
        if base_id not in newest or newest[base_id][0] < revision:
            newest[base_id] = revision, report
    traded: dict[Symbol, Decimal] = {}
    first: dict[Symbol, ExecutionReport] = {}
    for _, report in newest.values():
        traded[report.symbol] = traded.get(report.symbol, ZERO) + report.quantity * report.side.sign
        earliest = first.setdefault(report.symbol, report)
        if (report.ts_event, report.exec_id) < (earliest.ts_event, earliest.exec_id):
            first[report.symbol] = report
    held: dict[Symbol, BrokerPosition] = {}
    for position in snapshot.positions or ():
        more = held[position.symbol].quantity if position.symbol in held else ZERO
        held[position.symbol] = msgspec.structs.replace(position, quantity=position.quantity + more)
    for symbol, report in first.items():
        if symbol not in held:
            held[symbol] = BrokerPosition(
                account=report.account, symbol=symbol, quantity=ZERO, average_price=report.price
            )
    before = (
        msgspec.structs.replace(position, quantity=position.quantity - traded.get(symbol, ZERO))
        for symbol, position in sorted(held.items())
    )
    return tuple(position for position in before if position.quantity)
