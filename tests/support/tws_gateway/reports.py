"""Order callbacks: who hears of an order, and in which frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.support.tws_gateway.frames import UNSET
from tests.support.tws_gateway.ledger import Execution
from tests.support.tws_gateway.matching import STOPS
from tests.support.tws_gateway.order_codec import Margin, completed_order, open_order
from tests.support.tws_gateway.orders import Order
from tests.support.tws_gateway.protocol import Msg

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway
    from tests.support.tws_gateway.session import Session


class Reports:
    """Pushes go to the owner, to client 0 for manual orders, and to the master client for all."""

    def __init__(self, gateway: TwsGateway) -> None:
        self._gateway = gateway

    def listeners(self, client_id: int) -> Iterator[Session]:
        master = self._gateway.config.master_client_id
        for session in list(self._gateway.sessions):
            if session.ready and session.client_id in (client_id, master):
                yield session

    def _hearers(self, order: Order) -> list[Session]:
        return [] if order.silent or order.draft else list(self.listeners(order.client_id))

    # -- one order -------------------------------------------------------------------------

    def open_to(self, session: Session, order: Order, margin: Margin | None = None, what_if: bool = False) -> None:
        status = order.status
        fields = open_order(order, session.version, order.order_id, status, margin or Margin(), what_if)
        session.send(Msg.OPEN_ORDER, *fields[1:])

    def status_to(self, session: Session, order: Order, status: str = "") -> None:
        parent_id = order.terms.parent_id
        session.send(
            Msg.ORDER_STATUS,
            *(order.order_id, status or order.status, order.filled, max(order.remaining, 0), order.average),
            *(order.perm_id, parent_id, order.last_price, order.client_id, _why_held(order), 0),
        )

    def execution_to(self, session: Session, execution: Execution, req_id: int = -1) -> None:
        e, clock = execution, self._gateway.clock
        venue = e.contract.primary or e.contract.exchange
        fields: list[object] = [req_id, e.order_id, *e.contract.order_fields(), e.exec_id, clock.stamp(e.ts_ns)]
        fields += [e.account, venue, "BOT" if e.is_buy else "SLD", e.shares, e.price, e.perm_id, e.client_id, 0]
        fields += [e.cum, e.average, e.ref, "", "", "", 2]
        if session.version >= 178:
            fields.append(0)
        session.send(Msg.EXEC_DETAILS, *fields)

    def commission_to(self, session: Session, e: Execution) -> None:
        realized = UNSET if e.realized is None else e.realized
        session.send(Msg.COMMISSION_REPORT, 1, e.exec_id, e.commission, e.contract.currency, realized, UNSET, "")

    def completed_to(self, session: Session, order: Order) -> None:
        stamp = self._gateway.clock.stamp(order.done_ns)
        parent = order.parent.perm_id if order.parent else 0
        session.send(Msg.COMPLETED_ORDER, *completed_order(order, session.version, stamp, parent)[1:])

    # -- to all who hear -------------------------------------------------------------------

    def order(self, order: Order) -> None:
        """openOrder, then orderStatus."""
        if self._gateway.link_up:
            for session in self._hearers(order):
                self.open_to(session, order)
                self.status_to(session, order)
        self._repeat(order)

    def status(self, order: Order, status: str = "") -> None:
        if self._gateway.link_up:
            for session in self._hearers(order):
                self.status_to(session, order, status)
        self._repeat(order)

    def _repeat(self, order: Order) -> None:
        fault = self._gateway.faults.hit("repeat_status", ref=order.ref, symbol=order.contract.symbol)
        if fault and self._gateway.link_up:
            for session in self._hearers(order):
                for _ in range(int(fault["copies"])):
                    self.status_to(session, order)

    def error(self, order: Order, code: int, text: str) -> None:
        """An error under the order's id."""
        if self._gateway.link_up:
            for session in self._hearers(order):
                session.error(order.order_id, code, text)

    def execution(self, e: Execution) -> None:
        if self._gateway.link_up:
            for session in self._hearers(e.order):
                self.execution_to(session, e)

    def commission(self, e: Execution) -> None:
        faults, where = self._gateway.faults, {"ref": e.ref, "symbol": e.contract.symbol}
        if faults.hit("no_commission", **where):
            return
        late = faults.hit("late_commission", **where)
        if late:
            self._gateway.later(float(late["seconds"]), lambda: self._commission_now(e))
        else:
            self._commission_now(e)

    def _commission_now(self, e: Execution) -> None:
        if self._gateway.link_up:
            for session in self._hearers(e.order):
                self.commission_to(session, e)
                if e.order.status == "Filled":
                    self.open_to(session, e.order)
                    self.status_to(session, e.order)

    def position(self, account: str, con_id: int) -> None:
        """Tell position, portfolio and P&L subscribers of a change."""
        gateway = self._gateway
        for session in list(gateway.sessions):
            if not session.ready or not gateway.link_up:
                continue
            p = gateway.ledger.positions[account, con_id]
            if session.subs.positions:
                session.send(Msg.POSITION, 3, account, *p.contract.order_fields(), p.quantity, p.avg_cost)
            if session.subs.account == account:
                self.portfolio_to(session, account, con_id)
                for tag, value, currency in gateway.accounting.values(account):
                    session.send(Msg.ACCOUNT_VALUE, 2, tag, value, currency, account)
            session.subs.send_pnl()

    def portfolio_to(self, session: Session, account: str, con_id: int) -> None:
        accounts = self._gateway.accounting
        p = self._gateway.ledger.positions[account, con_id]
        c = p.contract
        session.send(
            Msg.PORTFOLIO_VALUE,
            *(8, c.con_id, c.symbol, c.sec_type, c.expiry, c.strike, c.right or "0", c.multiplier, c.primary),
            *(c.currency, c.local_symbol, c.trading_class, p.quantity, accounts.mark(c), accounts.market_value(p)),
            *(p.avg_cost, accounts.unrealized(p), p.realized, account),
        )


def _why_held(order: Order) -> str:
    """`child,trigger` for a stop that waits for its parent, then `trigger` until its price comes."""
    if order.why_held not in ("", "child") or order.status != "PreSubmitted":
        return order.why_held
    stop = order.terms.kind in STOPS and not order.triggered
    return ",".join(filter(None, (order.why_held, "trigger" if stop else "")))
