"""Orders: place, cancel, open and completed orders, executions; and the start of the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from tests.support.tws_gateway.clock import parse_order_time
from tests.support.tws_gateway.ledger import Execution
from tests.support.tws_gateway.orders import DONE, Order, read_place_order
from tests.support.tws_gateway.protocol import Cursor, Msg, Req, RequestError

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session


def start_api(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.gateway.admit(session, cursor.integer())


def ids(session: Session, cursor: Cursor) -> None:
    session.send(Msg.NEXT_VALID_ID, 1, session.gateway.next_order_id(session.client_id))


def managed_accounts(session: Session, cursor: Cursor) -> None:
    session.send(Msg.MANAGED_ACCOUNTS, 1, ",".join(session.gateway.accounts))


def current_time(session: Session, cursor: Cursor) -> None:
    session.send(Msg.CURRENT_TIME, 1, session.gateway.clock.now_ns() // 1_000_000_000)


def server_log_level(session: Session, cursor: Cursor) -> None:
    """Nothing to do: there is no server log."""


def place_order(session: Session, cursor: Cursor) -> None:
    order_id, query, terms = read_place_order(cursor, session.version)
    session.gateway.desk.place(session, order_id, query, terms)


def cancel_order(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.gateway.desk.cancel(session, cursor.integer())


def global_cancel(session: Session, cursor: Cursor) -> None:
    if session.gateway.link_up:
        session.gateway.desk.global_cancel()


def _visible(order: Order) -> bool:
    return order.live and not (order.silent and order.hidden)


def _send_open(session: Session, orders: list[Order]) -> None:
    for order in orders:
        session.gateway.reports.open_to(session, order)
        session.gateway.reports.status_to(session, order)
    session.send(Msg.OPEN_ORDER_END, 1)


def open_orders(session: Session, cursor: Cursor) -> None:
    """The client's own; client 0 also gets (and binds) manual orders."""
    if session.client_id == 0 and session.auto_bind:
        _bind(session)
    mine = [o for o in session.gateway.ledger.orders if _visible(o) and o.client_id == session.client_id]
    _send_open(session, mine)


def all_open_orders(session: Session, cursor: Cursor) -> None:
    _send_open(session, [o for o in session.gateway.ledger.orders if _visible(o)])


def auto_open_orders(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    if session.client_id != 0:
        raise RequestError(-1, 327, "Only the default client (i.e 0) can auto bind orders.")
    session.auto_bind = cursor.flag()
    if session.auto_bind:
        _bind(session)


def _bind(session: Session) -> None:
    """Give manual orders negative ids if the API setting for it is on."""
    gateway = session.gateway
    if not gateway.config.negative_auto_bind:
        return
    for order in gateway.ledger.orders:
        if order.live and order.client_id == 0 and order.order_id == 0:
            order.order_id = gateway.take_bound_id()
            session.send(Msg.ORDER_BOUND, order.perm_id, 0, order.order_id)


def completed_orders(session: Session, cursor: Cursor) -> None:
    api_only = cursor.flag()
    today = session.gateway.clock.local().date()
    for order in session.gateway.ledger.orders:
        manual = order.client_id == 0 and order.order_id <= 0
        if order.status in DONE and not (manual and api_only) and session.gateway.date_of(order.done_ns) == today:
            session.gateway.reports.completed_to(session, order)
    session.send(Msg.COMPLETED_ORDERS_END)


def executions(session: Session, cursor: Cursor) -> None:
    """Today's executions that pass the filter, each with its commission report, then the end."""
    cursor.skip()
    req_id = cursor.req_id = cursor.integer()
    client_id = cursor.integer()
    account, since, symbol, sec_type, exchange, side = cursor.texts(6)
    gateway = session.gateway
    after: datetime | None = None
    if since:
        try:
            after = parse_order_time(since.replace("  ", " "))
        except (ValueError, KeyError):
            raise RequestError(req_id, 321, f"Invalid execution filter time {since!r}") from None
    today = gateway.clock.local().date()

    def passes(e: Execution) -> bool:
        return (
            gateway.date_of(e.ts_ns) == today
            and not (e.order.silent and e.order.hidden)
            and (client_id == 0 or e.client_id == client_id)
            and account in ("", e.account)
            and symbol in ("", e.contract.symbol)
            and sec_type in ("", e.contract.sec_type)
            and exchange in ("", e.contract.exchange, e.contract.primary)
            and side.upper() in ("", "BUY" if e.is_buy else "SELL", "BOT" if e.is_buy else "SLD")
            and (after is None or e.ts_ns >= after.timestamp() * 1e9)
        )

    for execution in gateway.ledger.executions:
        if passes(execution):
            gateway.reports.execution_to(session, execution, req_id)
            gateway.reports.commission_to(session, execution)
    session.send(Msg.EXEC_DETAILS_END, 1, req_id)


TABLE: dict[int, Callable[[Session, Cursor], None]] = {
    Req.START_API: start_api,
    Req.IDS: ids,
    Req.MANAGED_ACCTS: managed_accounts,
    Req.CURRENT_TIME: current_time,
    Req.SERVER_LOG_LEVEL: server_log_level,
    Req.PLACE_ORDER: place_order,
    Req.CANCEL_ORDER: cancel_order,
    Req.GLOBAL_CANCEL: global_cancel,
    Req.OPEN_ORDERS: open_orders,
    Req.ALL_OPEN_ORDERS: all_open_orders,
    Req.AUTO_OPEN_ORDERS: auto_open_orders,
    Req.COMPLETED_ORDERS: completed_orders,
    Req.EXECUTIONS: executions,
}
