"""From the broker's words to ours: statuses, orders, executions, account values. Pure; sentinels end here."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from ib_async import Contract, Order
from ib_async import Execution as IbExecution

from engine.bus.clock import SECOND
from engine.execution.brokers.ibkr.identity import is_paper
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO, exact, finite, units
from engine.model.order import OrderRequest, OrderType, TimeInForce
from engine.model.position import Account
from engine.model.report import BrokerStatus, ExecutionReport

STATUS: Mapping[str, BrokerStatus] = {
    "ApiPending": BrokerStatus.PENDING,
    "PendingSubmit": BrokerStatus.PENDING,
    "PreSubmitted": BrokerStatus.HELD,
    "Submitted": BrokerStatus.WORKING,
    "PendingCancel": BrokerStatus.PENDING_CANCEL,
    "ApiCancelled": BrokerStatus.CANCELLED,
    "Cancelled": BrokerStatus.CANCELLED,
    "Filled": BrokerStatus.FILLED,
    "Inactive": BrokerStatus.INACTIVE,
}
OVER = frozenset({BrokerStatus.CANCELLED, BrokerStatus.FILLED, BrokerStatus.INACTIVE})
_TRAILING = frozenset({OrderType.TRAIL, OrderType.TRAIL_LIMIT})
_HAS_LIMIT = frozenset(
    {
        OrderType.LIMIT,
        OrderType.STOP_LIMIT,
        OrderType.LIMIT_ON_CLOSE,
        OrderType.LIMIT_ON_OPEN,
        OrderType.RELATIVE,
        OrderType.MIDPRICE,
    }
)
_HAS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_LIQUIDITY = {1: "added", 2: "removed", 3: "routed"}
_TEXT_MOST = 500


def status_of(word: str, held: str = "") -> BrokerStatus:
    """Our word for a status; a strange one is OTHER.

    ``held`` says why an order is not at the exchange. A stop that waits for its price alone (``trigger``) works: the
    broker watches it. One that waits for its entry, too (``child,trigger``), protects nothing yet.
    """
    if word == "PreSubmitted" and "trigger" in held and "child" not in held:
        return BrokerStatus.WORKING
    return STATUS.get(word, BrokerStatus.OTHER)


def plain(text: str) -> str:
    """A broker's text on one line, printable, clipped."""
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * _TEXT_MOST])
    return " ".join(kept.split())[:_TEXT_MOST]


def amount(value: float | str | Decimal | None) -> Decimal | None:
    """A number on the wire as exact money; None when it is unset (empty, NaN or 1.797e308)."""
    if value is None or value == "":
        return None
    try:
        number = exact(value)
    except (ValueError, ArithmeticError):
        return None
    return number if finite(number) else None


def quantity(value: float | str | Decimal | None) -> Decimal | None:
    """A number of units on the wire: whole ones without a fraction; None when it is unset."""
    number = amount(value)
    return None if number is None else units(number)


def request_of(
    order: Order, symbol: Symbol, sent: OrderRequest | None, written: Callable[[Symbol, Decimal], Decimal]
) -> OrderRequest:
    """The fields of an order as the broker shows them, prices as ``written`` gives them.

    ``sent`` is what we sent last, if we know: a trailing order's prices move by themselves, and ours are kept.
    """
    kind, tif = _kind(order), _tif(order)
    limit = amount(order.lmtPrice) if kind in _HAS_LIMIT else None
    stop = amount(order.auxPrice) if kind in _HAS_STOP else None
    if kind in _TRAILING:
        limit = sent.limit_price if sent is not None else None
        stop = sent.stop_price if sent is not None else amount(order.trailStopPrice)
    if kind in (OrderType.RELATIVE, OrderType.MIDPRICE) and limit == ZERO:
        limit = None
    return OrderRequest(
        intent_id=IntentId(""),
        symbol=symbol,
        side=Side.BUY if order.action == "BUY" else Side.SELL,
        quantity=quantity(order.totalQuantity) or ZERO,
        order_type=kind,
        limit_price=limit if limit is None else written(symbol, limit),
        stop_price=stop if stop is None else written(symbol, stop),
        tif=tif,
        outside_rth=order.outsideRth,
        account=AccountId(order.account) if order.account else None,
        oca_group=order.ocaGroup,
    )


def _kind(order: Order) -> OrderType:
    if order.tif == "OPG" and order.orderType in ("MKT", "LMT"):
        return OrderType.MARKET_ON_OPEN if order.orderType == "MKT" else OrderType.LIMIT_ON_OPEN
    try:
        return OrderType(order.orderType)
    except ValueError:
        # Somebody else's order of a kind we do not send.
        return OrderType.LIMIT if amount(order.lmtPrice) else OrderType.MARKET


def _tif(order: Order) -> TimeInForce:
    try:
        return TimeInForce(order.tif)
    except ValueError:
        return TimeInForce.DAY


def execution_of(
    execution: IbExecution, contract: Contract, ref: OrderRef, symbol_of: Callable[[Contract], Symbol], seen_ns: int
) -> ExecutionReport:
    """One execution. Raises ``ValueError`` when its side, size or price cannot be read."""
    shares, price = quantity(execution.shares), amount(execution.price)
    side = {"BOT": Side.BUY, "SLD": Side.SELL}.get(execution.side)
    if shares is None or price is None or side is None or not execution.execId:
        raise ValueError(f"execution {execution.execId!r} of {contract.symbol} cannot be read")
    return ExecutionReport(
        ts_event=ns_of(execution.time, seen_ns),
        ts_seen=seen_ns,
        ref=ref,
        exec_id=execution.execId,
        account=AccountId(execution.acctNumber),
        symbol=symbol_of(contract),
        side=side,
        quantity=shares,
        price=price,
        broker_id=str(execution.orderId) if 0 < execution.orderId < 2**31 - 1 else "",
        perm_id=str(execution.permId) if execution.permId else "",
        liquidity=_LIQUIDITY.get(execution.lastLiquidity, ""),
    )


def ns_of(moment: datetime, otherwise: int) -> int:
    """UTC ns of a time with a zone; the time it was seen when there is no zone to read it by."""
    return round(moment.timestamp()) * SECOND if moment.tzinfo is not None else otherwise


def account_of(account: AccountId, values: Mapping[tuple[str, str], str], cash_account: bool, now_ns: int) -> Account:
    """The account from (tag, currency) -> value; what was not said stays None."""
    base = _base(values)

    def read(*tags: str) -> Decimal | None:
        for tag in tags:
            for currency in (base, "", "BASE"):
                found = amount(values.get((tag, currency)))
                if found is not None:
                    return found
        return None

    cash = _cash(values, base)
    trades = amount(values.get(("DayTradesRemaining", "")))
    equity = read("NetLiquidation")
    funds = read("FullAvailableFunds", "AvailableFunds")
    if funds is None and is_paper(account) and equity is not None and base in cash:
        # A gateway for rehearsals may tell no more than cash and worth: then only cash counts, nothing borrowed.
        funds = min(cash[base], equity)
    excess = read("FullExcessLiquidity", "ExcessLiquidity")
    return Account(
        account=account,
        currency=base,
        cash=cash,
        equity=equity,
        session_equity=read("PreviousDayEquityWithLoanValue"),
        available_funds=funds,
        # Maintenance margin is never more than initial margin, so what is available is also in excess.
        excess_liquidity=funds if excess is None else excess,
        initial_margin=read("FullInitMarginReq", "InitMarginReq"),
        maintenance_margin=read("FullMaintMarginReq", "MaintMarginReq"),
        settled_cash=read("SettledCash"),
        margin_account=not cash_account,
        # -1 means as many as one likes.
        day_trades_remaining=None if trades is None or trades < 0 else int(trades),
        ts_event=now_ns,
    )


def _base(values: Mapping[tuple[str, str], str]) -> str:
    """The account's currency: that of its worth, else the only one it has cash in, else dollars."""
    named = [currency for (tag, currency) in values if tag == "NetLiquidation" and currency not in ("", "BASE")]
    held = {currency for (tag, currency) in values if tag in _CASH and currency not in ("", "BASE")}
    return named[0] if named else held.pop() if len(held) == 1 else "USD"


def _cash(values: Mapping[tuple[str, str], str], base: str) -> dict[str, Decimal]:
    """Cash by currency; a gateway that keeps no list by currency tells the whole in the account's own."""
    for tag in _CASH:
        found = {c: v for (t, c), text in values.items() if t == tag and c not in ("", "BASE")
                 if (v := amount(text)) is not None}  # fmt: skip
        if found:
            return found
    whole = next((v for tag in _CASH for c in ("BASE", "") if (v := amount(values.get((tag, c)))) is not None), None)
    return {} if whole is None else {base: whole}


_CASH = ("CashBalance", "TotalCashBalance", "TotalCashValue")
