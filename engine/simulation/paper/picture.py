"""Everything the paper exchange holds, as a snapshot. Pure."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from engine.model.ids import Symbol
from engine.model.position import Account
from engine.model.report import BrokerPosition, BrokerSnapshot, CommissionReport, ExecutionReport
from engine.simulation.paper.account import PaperAccount
from engine.simulation.paper.orders import PaperOrder, shown


def picture(
    now_ns: int,
    since_ns: int,
    orders: Iterable[PaperOrder],
    executions: Sequence[tuple[ExecutionReport, Decimal]],
    told: Callable[[ExecutionReport, Decimal], CommissionReport],
    books: PaperAccount,
    account: Account,
) -> BrokerSnapshot:
    """Return the snapshot; executions and closed orders from ``since_ns`` on."""
    arrived = [order for order in orders if order.accepted_ns]
    today = [(report, fee) for report, fee in executions if report.ts_event >= since_ns]
    return BrokerSnapshot(
        taken_ns=now_ns,
        open_orders=tuple(shown(order) for order in arrived if order.open),
        completed=tuple(shown(order) for order in arrived if not order.open and order.accepted_ns >= since_ns),
        executions=tuple(report for report, _ in today),
        commissions=tuple(told(report, fee) for report, fee in today),
        positions=tuple(
            BrokerPosition(
                account=account.account, symbol=Symbol(symbol), quantity=held.quantity, average_price=held.average
            )
            for symbol, held in sorted(books.holdings.items())
        ),
        account=account,
    )
