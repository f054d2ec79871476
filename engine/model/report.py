"""What a broker says. Claims, not facts: the order state machine folds them into facts (reliability.md §6)."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest
from engine.model.position import Account


class BrokerStatus(StrEnum):
    """A broker's status word, normalised by its adapter."""

    PENDING = "pending"
    """Local echo only (ApiPending, PendingSubmit): proves nothing."""
    HELD = "held"
    WORKING = "working"
    PENDING_CANCEL = "pending_cancel"
    CANCELLED = "cancelled"
    FILLED = "filled"
    INACTIVE = "inactive"
    REJECTED = "rejected"
    EXPIRED = "expired"
    OTHER = "other"
    """A word we do not know: UNKNOWN and an alarm."""


class ErrorClass(StrEnum):
    """Effect of a broker's error code (reliability.md §6.4)."""

    REJECT = "A"
    CANCEL_ACK = "B"
    CANCEL_FAILED = "C"
    MODIFY_FAILED = "D"
    LINK = "E"
    INFO = "F"
    PACING = "G"
    UNKNOWN = "?"


class LinkState(StrEnum):
    DOWN = "down"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    DEGRADED = "degraded"
    """Socket up, broker's upstream broken (1100, farms)."""
    UP = "up"


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="report", tag=lambda name: name):
    """Base of all reports."""

    ts_event: int
    ts_seen: int


class StatusReport(Report, frozen=True, kw_only=True):
    ref: OrderRef
    status: BrokerStatus
    filled: Decimal | None = None
    remaining: Decimal | None = None
    average_price: Decimal | None = None
    broker_id: str = ""
    perm_id: str = ""
    why_held: str = ""
    text: str = ""


class EchoReport(Report, frozen=True, kw_only=True):
    """The broker shows the order's fields (openOrder): acknowledges an entry or a modification."""

    ref: OrderRef
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    broker_id: str = ""
    perm_id: str = ""


def echo_of(ref: OrderRef, request: OrderRequest, now_ns: int, broker_id: str = "", perm_id: str = "") -> EchoReport:
    """The broker shows ``request`` as the fields of an order, now (UTC ns)."""
    return EchoReport(
        ts_event=now_ns,
        ts_seen=now_ns,
        ref=ref,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        broker_id=broker_id,
        perm_id=perm_id,
    )


class ExecutionReport(Report, frozen=True, kw_only=True):
    ref: OrderRef
    """Empty for an order that is not ours."""
    exec_id: str
    """As the broker gives it, with the correction suffix."""
    account: AccountId
    symbol: Symbol
    side: Side
    quantity: Decimal
    price: Decimal
    broker_id: str = ""
    perm_id: str = ""
    liquidity: str = ""


class CommissionReport(Report, frozen=True, kw_only=True):
    exec_id: str
    commission: Decimal
    currency: str = "USD"


class ErrorReport(Report, frozen=True, kw_only=True):
    ref: OrderRef
    """Empty when it concerns no order."""
    code: int
    text: str
    error_class: ErrorClass


class LinkReport(Report, frozen=True, kw_only=True):
    state: LinkState
    code: int = 0
    text: str = ""


class AccountReport(Report, frozen=True, kw_only=True):
    account: Account


class NoticeReport(Report, frozen=True, kw_only=True):
    """Something at the broker that a person must hear of, and that is about no order of ours."""

    code: str
    happened: str
    did: str = ""
    you_can: str = ""


AnyReport = (
    StatusReport
    | EchoReport
    | ExecutionReport
    | CommissionReport
    | ErrorReport
    | LinkReport
    | AccountReport
    | NoticeReport
)


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a snapshot of the broker shows it."""

    ref: OrderRef
    """Empty for foreign orders."""
    perm_id: str
    broker_id: str
    account: AccountId
    status: BrokerStatus
    request: OrderRequest
    filled: Decimal = Decimal(0)
    why_held: str = ""


class BrokerPosition(msgspec.Struct, frozen=True, kw_only=True):
    account: AccountId
    symbol: Symbol
    quantity: Decimal
    average_price: Decimal


class BrokerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the broker holds at one instant. A part that could not be read is ``None``: unknown, never empty."""

    taken_ns: int
    open_orders: tuple[OpenOrder, ...] | None
    completed: tuple[OpenOrder, ...] | None
    executions: tuple[ExecutionReport, ...] | None
    positions: tuple[BrokerPosition, ...] | None
    account: Account | None
    commissions: tuple[CommissionReport, ...] = ()
    """Commissions of these executions, as far as the broker tells them again."""

    @property
    def missing(self) -> tuple[str, ...]:
        parts = ("open_orders", "completed", "executions", "positions", "account")
        return tuple(part for part in parts if getattr(self, part) is None)
