"""From the rows of a survey to a snapshot. Pure."""

from decimal import Decimal

from ib_async import Contract, Order

from engine.execution.brokers.ibkr import reading
from engine.execution.brokers.ibkr.contracts import Contracts
from engine.execution.brokers.ibkr.names import Names
from engine.execution.brokers.ibkr.survey import Found, OrderRow
from engine.model.ids import AccountId, OrderRef
from engine.model.money import ZERO
from engine.model.position import Account
from engine.model.report import BrokerPosition, BrokerSnapshot, BrokerStatus, OpenOrder


class Picture:
    """Reads rows with the names we know."""

    def __init__(self, account: AccountId, client_id: int, contracts: Contracts, names: Names) -> None:
        self._account_id = account
        self._client_id = client_id
        self._contracts = contracts
        self._names = names

    def snapshot(self, taken: int, found: Found, account: Account | None) -> BrokerSnapshot:
        """The whole, of our account alone. ``taken`` is when the first question was asked: news after it stands."""
        open_orders = None if found.open_orders is None else self._open(found.open_orders, found)
        completed = None if found.completed is None else self._completed(found.completed)
        positions = None
        if found.positions is not None:
            latest = {(a, c.conId): (c, q, cost) for a, c, q, cost in found.positions}
            positions = tuple(
                self._position(contract, quantity, cost)
                for (owner, _), (contract, quantity, cost) in latest.items()
                if owner == self._account_id and quantity
            )
        return BrokerSnapshot(
            taken_ns=taken,
            open_orders=open_orders,
            completed=completed,
            executions=None if found.executions is None else tuple(found.executions),
            positions=positions,
            account=account,
            commissions=tuple(found.commissions),
        )

    def drafts(self, found: Found) -> list[int]:
        """Ids of orders that were sent as part of a family whose last member, which would have transmitted it, is
        nowhere at the broker: they wait there for ever. Empty while anything of the picture is missing.
        """
        if found.open_orders is None or found.completed is None or found.executions is None:
            return []
        there = {order.orderRef for _, order, _ in (*found.open_orders, *found.completed)}
        there.update(report.ref for report in found.executions)
        ids = []
        for _, order, state in found.open_orders:
            name = self._names.get(OrderRef(order.orderRef or ""))
            own = order.clientId == self._client_id and order.orderId > 0
            if name is None or not name.family or not own or state.status != "Inactive":
                continue
            if name.family[-1] not in there:
                ids.append(order.orderId)
        return ids

    def _open(self, rows: list[OrderRow], found: Found) -> tuple[OpenOrder, ...]:
        shown: dict[tuple[int, int, int], OpenOrder] = {}
        for contract, order, state in rows:
            if order.account not in ("", self._account_id):
                continue
            word, filled, held = found.statuses.get(
                (order.clientId, order.orderId, order.permId), (state.status, 0.0, "")
            )
            status = reading.status_of(word, held)
            # An order that has no permanent id yet is known by its client's number.
            key = (order.permId, 0, 0) if order.permId else (0, order.clientId, order.orderId)
            if status in (BrokerStatus.FILLED, BrokerStatus.CANCELLED):
                shown.pop(key, None)
                continue
            shown[key] = self._open_order(contract, order, status, reading.quantity(filled) or ZERO, held)
        return tuple(shown.values())

    def _completed(self, rows: list[OrderRow]) -> tuple[OpenOrder, ...]:
        return tuple(
            self._open_order(contract, order, reading.status_of(state.status), self._filled(order), "")
            for contract, order, state in rows
            if order.account in ("", self._account_id)
        )

    def _open_order(
        self, contract: Contract, order: Order, status: BrokerStatus, filled: Decimal, held: str
    ) -> OpenOrder:
        own = order.clientId == self._client_id and order.orderId > 0
        ref = OrderRef(order.orderRef or "") or self._names.find(order.orderId if own else 0, order.permId)
        name, symbol = self._names.get(ref), self._contracts.symbol_of(contract)
        return OpenOrder(
            ref=ref,
            perm_id=str(order.permId) if order.permId else "",
            broker_id=str(order.orderId) if own else "",
            account=self._account_id,
            status=status,
            request=reading.request_of(order, symbol, name.request if name else None, self._contracts.written),
            filled=filled,
            why_held=held,
        )

    @staticmethod
    def _filled(order: Order) -> Decimal:
        return reading.quantity(order.filledQuantity) or ZERO

    def _position(self, contract: Contract, quantity: float, cost: float) -> BrokerPosition:
        multiplier = reading.amount(contract.multiplier) or Decimal(1)
        return BrokerPosition(
            account=self._account_id,
            symbol=self._contracts.symbol_of(contract),
            quantity=reading.quantity(quantity) or ZERO,
            average_price=(reading.amount(cost) or ZERO) / multiplier,
        )
