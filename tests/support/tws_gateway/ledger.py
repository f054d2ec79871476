"""The truth: orders, executions, positions, cash, commissions.  Tests compare the program with this."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.support.tws_gateway.contracts import Contract
from tests.support.tws_gateway.orders import Order


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution report; `exec_id` ends in `.NN`, a correction has the same base and a higher NN."""

    exec_id: str
    order: Order
    contract: Contract
    account: str
    client_id: int
    order_id: int
    perm_id: int
    ref: str
    is_buy: bool
    shares: Decimal
    price: Decimal
    cum: Decimal
    average: Decimal
    ts_ns: int
    commission: Decimal
    realized: Decimal | None = None

    @property
    def base(self) -> str:
        return self.exec_id.rpartition(".")[0]

    @property
    def signed(self) -> Decimal:
        return self.shares if self.is_buy else -self.shares


@dataclass
class Position:
    """Quantity and cost of one contract in one account; `cost` per unit without the multiplier."""

    contract: Contract
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)

    @property
    def avg_cost(self) -> Decimal:
        """IB's average cost: futures and options include the multiplier."""
        return self.cost * self.contract.factor

    def apply(self, signed: Decimal, price: Decimal) -> Decimal | None:
        """Book a signed quantity; returns realised P&L of the closed part, None when nothing was closed."""
        held, realized = self.quantity, None
        if held and (held > 0) != (signed > 0):
            closed = min(abs(held), abs(signed)) * (1 if held > 0 else -1)
            realized = (price - self.cost) * closed * self.contract.factor
            self.realized += realized
        self.quantity = held + signed
        if self.quantity == 0:
            self.cost = Decimal(0)
        elif held == 0 or (held > 0) != (self.quantity > 0):
            self.cost = price
        elif abs(self.quantity) > abs(held):
            self.cost = (self.cost * held + price * signed) / self.quantity
        return realized


def commission_of(contract: Contract, shares: Decimal, value: Decimal, charged: Decimal) -> Decimal:
    """Still to charge for an order that has executed `shares` worth `value`, by IB's fixed tariff.

    Stocks 0.005 a share, at least 1; FX 0.2 bp of the value, at least 2; the rest 0.85 a contract.
    """
    if contract.sec_type == "STK":
        full, minimum = shares * Decimal("0.005"), Decimal(1)
    elif contract.sec_type == "CASH":
        full, minimum = value * Decimal("0.00002"), Decimal(2)
    else:
        full, minimum = shares * Decimal("0.85"), Decimal(0)
    return (max(full, minimum) - charged).quantize(Decimal("0.0001"))


@dataclass(frozen=True)
class Refusal:
    """An order, change or cancel that the gateway refused."""

    ts_ns: int
    client_id: int
    order_id: int
    ref: str
    what: str
    code: int
    text: str


@dataclass
class Ledger:
    """All books of the broker.  `positions` and `cash` follow from the effective executions and the start."""

    accounts: tuple[str, ...]
    start_cash: dict[str, Decimal]
    orders: list[Order] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    positions: dict[tuple[str, int], Position] = field(default_factory=dict)
    cash: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    transfers: list[tuple[str, Contract, Decimal, Decimal]] = field(default_factory=list)
    _open: list[Order] = field(default_factory=list)
    next_perm_id: int = 1_600_000_001
    next_execution: int = 1

    def __post_init__(self) -> None:
        self._restart_books()

    def _restart_books(self) -> None:
        self.positions = {}
        self.cash = {(a, c): amount for a in self.accounts for c, amount in self.start_cash.items()}
        for account, contract, quantity, cost in self.transfers:
            self.position(account, contract).apply(quantity, cost)

    # -- orders ----------------------------------------------------------------------------

    def take_perm_id(self) -> int:
        self.next_perm_id += 1
        return self.next_perm_id - 1

    def find(self, client_id: int, order_id: int) -> Order | None:
        """The newest order under this client's id."""
        for order in reversed(self.orders):
            if order.order_id == order_id and order.client_id == client_id:
                return order
        return None

    def by_ref(self, ref: str) -> list[Order]:
        return [o for o in self.orders if o.ref == ref]

    def order(self, ref: str) -> Order:
        """The one order with this orderRef; more or fewer is an error of the test."""
        found = self.by_ref(ref)
        if len(found) != 1:
            raise LookupError(f"{len(found)} orders have orderRef {ref!r}")
        return found[0]

    def add(self, order: Order) -> None:
        """Enter a new order into the books."""
        self.orders.append(order)
        self._open.append(order)

    def live_orders(self) -> list[Order]:
        """Orders that are not finished, oldest first (a finished order stays finished)."""
        self._open = [o for o in self._open if o.live]
        return list(self._open)

    def children(self, parent: Order) -> list[Order]:
        return [o for o in self.orders if o.parent is parent]

    # -- executions ------------------------------------------------------------------------

    def book(self, order: Order, shares: Decimal, price: Decimal, ts_ns: int) -> Execution:
        """Book an execution of an order: quantity, position, cash, commission."""
        order.filled += shares
        order.value += shares * price
        order.last_price = price
        commission = commission_of(order.contract, order.filled, order.value, order.commission)
        order.commission += commission
        exec_id = f"0000e0d5.{self.next_execution:08x}.01.01"
        self.next_execution += 1
        execution = Execution(
            exec_id=exec_id,
            order=order,
            contract=order.contract,
            account=order.account,
            client_id=order.client_id,
            order_id=order.order_id,
            perm_id=order.perm_id,
            ref=order.ref,
            is_buy=order.terms.is_buy,
            shares=shares,
            price=price,
            cum=order.filled,
            average=order.average,
            ts_ns=ts_ns,
            commission=commission,
        )
        execution = replace(execution, realized=self._post(execution))
        self.executions.append(execution)
        return execution

    def correct(self, exec_id: str, price: Decimal, shares: Decimal | None, ts_ns: int) -> Execution:
        """Replace the newest version of an execution by one with the next `.NN` and rebuild the books."""
        base = exec_id.rpartition(".")[0]
        old = max((e for e in self.executions if e.base == base), key=lambda e: e.exec_id, default=None)
        if old is None:
            raise LookupError(f"no execution {exec_id!r}")
        number = int(old.exec_id.rpartition(".")[2]) + 1
        count = old.shares if shares is None else shares
        order = old.order
        order.filled += count - old.shares
        order.value += count * price - old.shares * old.price
        new = replace(
            old,
            exec_id=f"{base}.{number:02d}",
            shares=count,
            price=price,
            average=order.average,
            cum=old.cum + count - old.shares,
            ts_ns=ts_ns,
        )
        self.executions.append(new)
        self._restart_books()
        for execution in self.effective():
            self._post(execution)
        return new

    def effective(self) -> list[Execution]:
        """Executions after corrections, in the order they first happened."""
        newest: dict[str, Execution] = {}
        for execution in self.executions:
            kept = newest.get(execution.base)
            if kept is None or execution.exec_id > kept.exec_id:
                newest[execution.base] = execution
        return list(newest.values())

    def _post(self, e: Execution) -> Decimal | None:
        position = self.position(e.account, e.contract)
        realized = position.apply(e.signed, e.price)
        currency = (e.account, e.contract.currency)
        self.cash.setdefault(currency, Decimal(0))
        if e.contract.sec_type == "FUT":
            self.cash[currency] += realized or Decimal(0)
        else:
            self.cash[currency] -= e.signed * e.price * e.contract.factor
        if e.contract.sec_type == "CASH":
            base = (e.account, e.contract.symbol)
            self.cash[base] = self.cash.get(base, Decimal(0)) + e.signed
        self.cash[currency] -= e.commission
        return None if realized is None else realized - e.commission

    # -- positions -------------------------------------------------------------------------

    def position(self, account: str, contract: Contract) -> Position:
        return self.positions.setdefault((account, contract.con_id), Position(contract))

    def transfer(self, account: str, contract: Contract, quantity: Decimal, cost: Decimal) -> None:
        """Move shares in (or out) without an order or an execution, as a hand or a back office would."""
        self.transfers.append((account, contract, quantity, cost))
        self.position(account, contract).apply(quantity, cost)

    def held(self, symbol: str, account: str | None = None) -> Decimal:
        """Net quantity held in a symbol (stocks, pairs, futures; options by local symbol)."""
        return sum(
            (
                p.quantity
                for (owner, _), p in self.positions.items()
                if symbol in ((p.contract.symbol,) if p.contract.sec_type != "OPT" else (p.contract.local_symbol,))
                and account in (None, owner)
            ),
            Decimal(0),
        )

    def filled(self, ref: str) -> Decimal:
        """Effective filled quantity under an orderRef."""
        return sum((e.shares for e in self.effective() if e.ref == ref), Decimal(0))

    def snapshot(self) -> dict[str, object]:
        """Everything as JSON-able values, for a process that watches from outside."""
        return {
            "orders": [
                {
                    "ref": o.ref,
                    "perm_id": o.perm_id,
                    "client_id": o.client_id,
                    "order_id": o.order_id,
                    "account": o.account,
                    "symbol": o.contract.symbol,
                    "action": o.terms["action"],
                    "type": o.terms.kind,
                    "quantity": str(o.quantity),
                    "limit": None if o.terms.limit is None else str(o.terms.limit),
                    "status": o.status,
                    "filled": str(o.filled),
                    "draft": o.draft,
                    "reason": o.reason,
                }
                for o in self.orders
            ],
            "executions": [
                {
                    "exec_id": e.exec_id,
                    "ref": e.ref,
                    "perm_id": e.perm_id,
                    "symbol": e.contract.symbol,
                    "side": "BOT" if e.is_buy else "SLD",
                    "shares": str(e.shares),
                    "price": str(e.price),
                    "commission": str(e.commission),
                }
                for e in self.executions
            ],
            "positions": [
                {"account": a, "symbol": p.contract.symbol, "con_id": c, "quantity": str(p.quantity)}
                for (a, c), p in self.positions.items()
                if p.quantity
            ],
            "cash": {f"{a}:{c}": str(v) for (a, c), v in self.cash.items()},
            "refusals": [[r.ref, r.what, r.code, r.text] for r in self.refusals],
        }
