"""Account values, positions, summaries and profit and loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.support.tws_gateway.protocol import Cursor, Msg, Req, RequestError

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session

MAX_SUMMARIES = 2


def _account(session: Session, req_id: int, account: str) -> str:
    accounts = session.gateway.accounts
    chosen = account or accounts[0]
    if chosen not in accounts:
        raise RequestError(req_id, 321, f"Error validating request.-'bJ' : cause - Invalid account code '{account}'.")
    return chosen


def account_updates(session: Session, cursor: Cursor) -> None:
    """Values and portfolio of one account; subscribing to another one replaces it."""
    cursor.skip()
    subscribe = cursor.flag()
    account = _account(session, -1, cursor.text())
    if not subscribe:
        session.subs.account = ""
        return
    gateway = session.gateway
    session.subs.account = account
    for tag, value, currency in gateway.accounting.values(account):
        session.send(Msg.ACCOUNT_VALUE, 2, tag, value, currency, account)
    for (owner, con_id), position in list(gateway.ledger.positions.items()):
        if owner == account and position.quantity:
            gateway.reports.portfolio_to(session, account, con_id)
    session.send(Msg.ACCOUNT_TIME, 1, gateway.clock.local().strftime("%H:%M"))
    session.send(Msg.ACCOUNT_DOWNLOAD_END, 1, account)


def account_updates_multi(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.integer()
    asked, model = cursor.texts(2)
    account = _account(session, req_id, asked)
    for tag, value, currency in session.gateway.accounting.values(account):
        session.send(Msg.ACCOUNT_UPDATE_MULTI, 1, req_id, account, model, tag, value, currency)
    session.send(Msg.ACCOUNT_UPDATE_MULTI_END, 1, req_id)


def positions(session: Session, cursor: Cursor) -> None:
    session.subs.positions = True
    for (account, _), p in list(session.gateway.ledger.positions.items()):
        if p.quantity:
            session.send(Msg.POSITION, 3, account, *p.contract.order_fields(), p.quantity, p.avg_cost)
    session.send(Msg.POSITION_END, 1)


def cancel_positions(session: Session, cursor: Cursor) -> None:
    session.subs.positions = False


def positions_multi(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.integer()
    asked, model = cursor.texts(2)
    account = _account(session, req_id, asked)
    for (owner, _), p in list(session.gateway.ledger.positions.items()):
        if owner == account and p.quantity:
            values = (*p.contract.order_fields(), p.quantity, p.avg_cost, model)
            session.send(Msg.POSITION_MULTI, 1, req_id, owner, *values)
    session.send(Msg.POSITION_MULTI_END, 1, req_id)


def account_summary(session: Session, cursor: Cursor) -> None:
    """At most two at a time; the third draws 322."""
    cursor.skip()
    req_id = cursor.integer()
    group, tags = cursor.texts(2)
    subs = session.subs
    if req_id not in subs.summaries and len(subs.summaries) >= MAX_SUMMARIES:
        raise RequestError(
            req_id, 322, "Error processing request.-'cl' : cause - Maximum number of account summary requests exceeded"
        )
    subs.summaries[req_id] = (group, tags)
    for account in session.gateway.accounts:
        for tag, value, currency in session.gateway.accounting.summary(account, tags):
            session.send(Msg.ACCOUNT_SUMMARY, 1, req_id, account, tag, value, currency)
    session.send(Msg.ACCOUNT_SUMMARY_END, 1, req_id)


def cancel_account_summary(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.subs.summaries.pop(cursor.integer(), None)


def pnl(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    session.subs.pnl[req_id] = _account(session, req_id, cursor.text())
    session.subs.send_pnl()


def cancel_pnl(session: Session, cursor: Cursor) -> None:
    session.subs.pnl.pop(cursor.integer(), None)


def pnl_single(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    account = _account(session, req_id, cursor.text())
    cursor.skip()
    session.subs.pnl_single[req_id] = (account, cursor.integer())
    session.subs.send_pnl()


def cancel_pnl_single(session: Session, cursor: Cursor) -> None:
    session.subs.pnl_single.pop(cursor.integer(), None)


def ignore(session: Session, cursor: Cursor) -> None:
    """A cancel of something that was answered once and is over."""


def request_fa(session: Session, cursor: Cursor) -> None:
    raise RequestError(-1, 321, "Error validating request.-'bH' : cause - This is not a Financial Advisor account.")


def family_codes(session: Session, cursor: Cursor) -> None:
    accounts = session.gateway.accounts
    session.send(Msg.FAMILY_CODES, len(accounts), *(part for a in accounts for part in (a, "")))


def soft_dollar_tiers(session: Session, cursor: Cursor) -> None:
    session.send(Msg.SOFT_DOLLAR_TIERS, cursor.integer(), 0)


def user_info(session: Session, cursor: Cursor) -> None:
    session.send(Msg.USER_INFO, cursor.integer(), "")


TABLE: dict[int, Callable[[Session, Cursor], None]] = {
    Req.ACCOUNT_UPDATES: account_updates,
    Req.ACCOUNT_UPDATES_MULTI: account_updates_multi,
    Req.CANCEL_ACCOUNT_UPDATES_MULTI: ignore,
    Req.POSITIONS: positions,
    Req.CANCEL_POSITIONS: cancel_positions,
    Req.POSITIONS_MULTI: positions_multi,
    Req.CANCEL_POSITIONS_MULTI: ignore,
    Req.ACCOUNT_SUMMARY: account_summary,
    Req.CANCEL_ACCOUNT_SUMMARY: cancel_account_summary,
    Req.PNL: pnl,
    Req.CANCEL_PNL: cancel_pnl,
    Req.PNL_SINGLE: pnl_single,
    Req.CANCEL_PNL_SINGLE: cancel_pnl_single,
    Req.REQUEST_FA: request_fa,
    Req.FAMILY_CODES: family_codes,
    Req.SOFT_DOLLAR_TIERS: soft_dollar_tiers,
    Req.USER_INFO: user_info,
}
