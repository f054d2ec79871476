"""A resting or travelling order as the paper exchange keeps it."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.ids import AccountId, OrderRef
from engine.model.order import OrderRequest
from engine.model.report import BrokerStatus, OpenOrder


class Leg(StrEnum):
    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"


class PaperOrder(msgspec.Struct, kw_only=True):
    """Mutable on purpose: the exchange is its one owner."""

    ref: str
    account: str
    request: OrderRequest
    perm_id: str
    broker_id: str
    status: BrokerStatus = BrokerStatus.PENDING
    filled: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    """Σ price x quantity of its fills."""
    fees: Decimal = Decimal(0)
    ahead: float = 0.0
    """Units queued before us at our price."""
    triggered: bool = False
    trail_best: float | None = None
    parent: str = ""
    leg: Leg = Leg.ENTRY
    oca: str = ""
    active: bool = True
    """Bracket legs wait, inactive, for their parent's fills."""
    accepted_ns: int = 0
    text: str = ""

    @property
    def open(self) -> bool:
        return self.status in (BrokerStatus.PENDING, BrokerStatus.HELD, BrokerStatus.WORKING)

    @property
    def remaining(self) -> Decimal:
        return self.request.quantity - self.filled

    @property
    def average(self) -> Decimal | None:
        return self.notional / self.filled if self.filled else None


def shown(order: PaperOrder) -> OpenOrder:
    """The order as a snapshot shows it."""
    return OpenOrder(
        ref=OrderRef(order.ref),
        perm_id=order.perm_id,
        broker_id=order.broker_id,
        account=AccountId(order.account),
        status=order.status,
        request=order.request,
        filled=order.filled,
    )
