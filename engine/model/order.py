"""Orders: what is asked for, what the gate cleared, where an order stands."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.ids import AccountId, DecisionId, IntentId, OrderRef, SuggestionId, Symbol
from engine.model.market import Side


class OrderType(StrEnum):
    MARKET = "MKT"
    LIMIT = "LMT"
    STOP = "STP"
    STOP_LIMIT = "STP LMT"
    TRAIL = "TRAIL"
    TRAIL_LIMIT = "TRAIL LIMIT"
    MARKET_ON_CLOSE = "MOC"
    LIMIT_ON_CLOSE = "LOC"
    MARKET_ON_OPEN = "MOO"
    LIMIT_ON_OPEN = "LOO"
    RELATIVE = "REL"
    MIDPRICE = "MIDPRICE"


STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT})
"""Types that wait for the price to go against what is held."""


class TimeInForce(StrEnum):
    DAY = "DAY"
    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"
    FOK = "FOK"
    OPG = "OPG"


class Origin(StrEnum):
    """Who wanted the order; the last letter of its reference."""

    MANUAL = "M"
    AUTO = "A"
    PROTECTIVE = "P"
    FLATTEN = "F"
    EXTERNAL = "X"
    PROGRAM = "R"
    """Another program, over the local service; judged by the agent's limits."""

    @property
    def unattended(self) -> bool:
        """No person looked at this very order: the agent's limits hold, and the agent's care."""
        return self in (Origin.AUTO, Origin.PROGRAM)


class OrderState(StrEnum):
    """Where an order stands (reliability.md §6.1)."""

    INTENT = "INTENT"
    DENIED = "DENIED"
    NEVER_SENT = "NEVER_SENT"
    SENDING = "SENDING"
    SENT = "SENT"
    HELD = "HELD"
    WORKING = "WORKING"
    PARTIAL = "PARTIAL"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_MODIFY = "PENDING_MODIFY"
    UNKNOWN = "UNKNOWN"
    CLAIM_FILLED = "CLAIM_FILLED"
    CLAIM_CANCELLED = "CLAIM_CANCELLED"
    CLAIM_REJECTED = "CLAIM_REJECTED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NOT_AT_BROKER = "NOT_AT_BROKER"
    SETTLED = "SETTLED"

    @property
    def closed(self) -> bool:
        """Nothing of it is believed to work at the broker any more (it may still turn out to have filled)."""
        return self in _CLOSED

    @property
    def exposed(self) -> bool:
        """Its unfilled part counts as exposure."""
        return not self.closed


_CLOSED = frozenset(
    {
        OrderState.DENIED,
        OrderState.NEVER_SENT,
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.NOT_AT_BROKER,
        OrderState.SETTLED,
    }
)


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants: a hand, the agent, a program, a protective rule, or flatten. Enters at the gate alone."""

    intent_id: IntentId
    symbol: Symbol
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.LIMIT
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    tif: TimeInForce = TimeInForce.DAY
    good_till_ns: int | None = None
    live_until_ns: int | None = None
    """How long the agent's entry may wait in all (UTC ns). At the broker it expires sooner and is refreshed (G36)."""
    outside_rth: bool = False
    display_quantity: Decimal | None = None
    stop_loss: Decimal | None = None
    """Price of the protective stop that goes to the broker with the entry."""
    take_profit: Decimal | None = None
    origin: Origin = Origin.MANUAL
    suggestion_id: SuggestionId | None = None
    decision_id: DecisionId | None = None
    strategy: str = ""
    account: AccountId | None = None
    """Empty means the one account of the profile."""
    reduce_only: bool = False
    parent_ref: OrderRef | None = None
    oca_group: str = ""
    algo: str = ""
    """Name of an execution algorithm; empty sends the order as it is."""
    algo_params: dict[str, str] = {}
    confirmed: tuple[str, ...] = ()
    """Codes of soft limits that a person has confirmed for this one order."""
    intended_notional: Decimal | None = None
    """Amount of money the person had in mind, where the ticket asked for it (G33)."""


def makes_way(request: OrderRequest) -> bool:
    """Say whether the stops and targets that rest are taken away for it, where a broker holds what they would close:
    an exit that a strategy asked for. A person's own orders leave them alone."""
    return request.reduce_only and request.suggestion_id is not None and request.origin is not Origin.PROTECTIVE


class ClearedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that passed every rule. Made only in ``engine/risk/gate.py``; brokers accept nothing else."""

    ref: OrderRef
    account: AccountId
    request: OrderRequest
    """As it will be sent: converted (market to marketable limit) and rounded to the tick."""
    decision_id: DecisionId
    limits_hash: str
    build_hash: str
    cleared_ns: int
    reference_price: Decimal
    """Mid at clearing: the arrival price that slippage is measured against."""
    legs: tuple["ClearedOrder", ...] = ()
    """Protective stop and target of a bracket; each has a reference of its own."""


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's present belief about one order, folded from all reports."""

    ref: OrderRef
    account: AccountId
    request: OrderRequest
    state: OrderState
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    commission: Decimal = Decimal(0)
    broker_id: str = ""
    perm_ids: tuple[str, ...] = ()
    reason: str = ""
    created_ns: int = 0
    changed_ns: int = 0
    parent_ref: OrderRef | None = None
    reference_price: Decimal | None = None
    external: bool = False
    pending: OrderRequest | None = None
    """Fields of a modification the broker has not confirmed; exposure counts the larger of both."""

    @property
    def remaining(self) -> Decimal:
        return max(self.request.quantity - self.filled, Decimal(0))


def is_protective(status: OrderStatus) -> bool:
    """Whether an order guards a position.

    Legs of a bracket say so themselves, children of an algorithm do not. A stop that a person placed and that can only
    close what is held guards it as well.
    """
    request = status.request
    by_hand = request.origin is Origin.MANUAL and request.reduce_only and request.order_type in STOPS
    return request.origin is Origin.PROTECTIVE or by_hand
