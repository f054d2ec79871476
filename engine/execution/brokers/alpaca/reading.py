"""What Alpaca shows, as reports and parts of a snapshot. Pure, but for the names it looks up."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.bus.errors import BrokerError
from engine.execution.brokers.alpaca.names import Names, Row
from engine.execution.brokers.alpaca.words import ENDS, REPLACED, decimal, maybe, nanoseconds, status
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderType, Origin, TimeInForce
from engine.model.position import Account
from engine.model.report import (
    AnyReport,
    BrokerPosition,
    BrokerStatus,
    EchoReport,
    ExecutionReport,
    OpenOrder,
    StatusReport,
)

_TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "trailing_stop": OrderType.TRAIL,
}
_TIFS = {
    "day": TimeInForce.DAY,
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "opg": TimeInForce.OPG,
    "cls": TimeInForce.DAY,
}
DAY_TRADES = 3
SMALL_ACCOUNT = Decimal(25_000)


def side(word: object) -> Side:
    """Alpaca's side; a short sale is a sale."""
    if word not in ("buy", "sell", "sell_short"):
        raise BrokerError(f"the broker said {word!r} as the side")
    return Side.BUY if word == "buy" else Side.SELL


def exec_id(order_id: str, cumulative: Decimal) -> str:
    """Name an execution by its order and what had filled after it: the stream and the list of fills agree on that."""
    return f"{order_id}:{format(cumulative.normalize(), 'f').replace('.', '_')}"


def order_reports(row: Row, ref: OrderRef, names: Names, now_ns: int) -> list[AnyReport]:
    """What an order's row says: its fields while it lives, and its state."""
    order_id = str(row["id"])
    if row.get("status") == REPLACED or not ref:
        return []
    ts = nanoseconds(row["updated_at"]) if row.get("updated_at") else now_ns
    found = status(row.get("status"))
    quantity = names.whole(ref, order_id, decimal(row.get("qty"), "quantity"))
    filled = decimal(row.get("filled_qty") or "0", "filled quantity") + names.filled_before(order_id)
    reports: list[AnyReport] = []
    if found not in ENDS and found is not BrokerStatus.OTHER:
        reports.append(
            EchoReport(
                ts_event=ts,
                ts_seen=now_ns,
                ref=ref,
                quantity=quantity,
                limit_price=maybe(row.get("limit_price"), "limit price"),
                stop_price=maybe(row.get("stop_price"), "stop price"),
                broker_id=order_id,
                perm_id=names.perm_id(order_id),
            )
        )
    reports.append(
        StatusReport(
            ts_event=ts,
            ts_seen=now_ns,
            ref=ref,
            status=found,
            filled=filled,
            remaining=max(quantity - filled, ZERO),
            average_price=maybe(row.get("filled_avg_price"), "average price"),
            broker_id=order_id,
            perm_id=names.perm_id(order_id),
            text=str(row.get("status")) if found is BrokerStatus.OTHER else "",
        )
    )
    return reports


def fill_report(
    data: Mapping[str, object], row: Row, ref: OrderRef, names: Names, account: AccountId, now_ns: int
) -> ExecutionReport:
    """The execution that a fill event tells of."""
    order_id = str(row["id"])
    return ExecutionReport(
        ts_event=nanoseconds(data["timestamp"]) if data.get("timestamp") else now_ns,
        ts_seen=now_ns,
        ref=ref,
        exec_id=exec_id(order_id, decimal(row.get("filled_qty"), "filled quantity")),
        account=account,
        symbol=Symbol(str(row.get("symbol"))),
        side=side(row.get("side")),
        quantity=decimal(data.get("qty"), "quantity of a fill"),
        price=decimal(data.get("price"), "price of a fill"),
        broker_id=order_id,
        perm_id=names.perm_id(order_id),
    )


def executions(
    activities: Iterable[Row], filled: Mapping[str, Decimal], names: Names, account: AccountId, now_ns: int
) -> tuple[ExecutionReport, ...]:
    """All fills, oldest first. ``filled``: what the rows of the orders say, for those whose first fills are cut off."""
    rows = [row for row in activities if row.get("activity_type", "FILL") == "FILL"]
    listed: dict[str, Decimal] = {}
    for row in rows:
        order_id = str(row.get("order_id"))
        listed[order_id] = listed.get(order_id, ZERO) + decimal(row.get("qty"), "quantity of a fill")
    done = {order_id: max(filled.get(order_id, ZERO) - total, ZERO) for order_id, total in listed.items()}
    found = []
    for row in rows:
        order_id = str(row.get("order_id"))
        quantity = decimal(row.get("qty"), "quantity of a fill")
        done[order_id] += quantity
        cumulative = maybe(row.get("cum_qty"), "cumulative quantity") or done[order_id]
        found.append(
            ExecutionReport(
                ts_event=nanoseconds(row.get("transaction_time")),
                ts_seen=now_ns,
                ref=names.ref(order_id),
                exec_id=exec_id(order_id, cumulative),
                account=account,
                symbol=Symbol(str(row.get("symbol"))),
                side=side(row.get("side")),
                quantity=quantity,
                price=decimal(row.get("price"), "price of a fill"),
                broker_id=order_id,
                perm_id=names.perm_id(order_id),
            )
        )
    return tuple(found)


def shown(row: Row, ref: OrderRef, names: Names, account: AccountId) -> OpenOrder:
    """An order as part of a snapshot."""
    order_id = str(row["id"])
    own = maybe(row.get("qty"), "quantity")
    filled = decimal(row.get("filled_qty") or "0", "filled quantity")
    # An order for an amount of money has no quantity until it has filled; it is never one of ours.
    quantity = names.whole(ref, order_id, own) if own is not None else max(filled, Decimal(1))
    return OpenOrder(
        ref=ref,
        perm_id=names.perm_id(order_id),
        broker_id=order_id,
        account=account,
        status=status(row.get("status")),
        request=OrderRequest(
            intent_id=IntentId(""),
            symbol=Symbol(str(row.get("symbol"))),
            side=side(row.get("side")),
            quantity=quantity,
            order_type=_TYPES.get(str(row.get("type")), OrderType.MARKET),
            limit_price=maybe(row.get("limit_price"), "limit price"),
            stop_price=maybe(row.get("stop_price"), "stop price"),
            trail_amount=maybe(row.get("trail_price"), "trail"),
            trail_percent=maybe(row.get("trail_percent"), "trail"),
            tif=_TIFS.get(str(row.get("time_in_force")), TimeInForce.DAY),
            outside_rth=bool(row.get("extended_hours")),
            origin=Origin.EXTERNAL,
            account=account,
        ),
        filled=filled + names.filled_before(order_id),
    )


def position(row: Row, account: AccountId) -> BrokerPosition:
    """A position; Alpaca counts a short one below zero."""
    quantity = decimal(row.get("qty"), "quantity of a position")
    if row.get("side") == "short" and quantity > ZERO:
        quantity = -quantity
    return BrokerPosition(
        account=account,
        symbol=Symbol(str(row.get("symbol"))),
        quantity=quantity,
        average_price=decimal(row.get("avg_entry_price"), "average price"),
    )


def account_of(row: Row, account: AccountId, now_ns: int) -> Account:
    """The account's values; what is not said is unknown."""
    currency = str(row.get("currency") or "USD")
    equity = maybe(row.get("equity"), "equity")
    initial = maybe(row.get("initial_margin"), "initial margin")
    maintenance = maybe(row.get("maintenance_margin"), "maintenance margin")
    margin = str(row.get("multiplier")) not in ("1", "None")
    available = maybe(row.get("buying_power"), "buying power")
    if margin:
        available = equity - initial if equity is not None and initial is not None else None
    trades = row.get("daytrade_count")
    small = margin and equity is not None and equity < SMALL_ACCOUNT
    return Account(
        account=account,
        currency=currency,
        cash={currency: decimal(row.get("cash"), "cash")},
        equity=equity,
        session_equity=maybe(row.get("last_equity"), "equity of the last session"),
        available_funds=available,
        excess_liquidity=equity - maintenance if equity is not None and maintenance is not None else None,
        initial_margin=initial,
        maintenance_margin=maintenance,
        settled_cash=maybe(row.get("non_marginable_buying_power"), "settled cash"),
        margin_account=margin,
        day_trades_remaining=max(DAY_TRADES - trades, 0) if small and isinstance(trades, int) else None,
        ts_event=now_ns,
    )


def blocked(row: Row) -> str:
    """Say why the broker takes no orders for this account; empty when it does."""
    reasons = {
        "trading_blocked": "trading is blocked",
        "account_blocked": "the account is blocked",
        "trade_suspended_by_user": "new orders are rejected at the user's request",
    }
    return next((text for name, text in reasons.items() if row.get(name) is True), "")
