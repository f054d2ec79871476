"""Order family. Every event carries reference, symbol and side."""

from decimal import Decimal

from engine.model.events.base import Event
from engine.model.fill import Fill
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderStatus


class OrderEvent(Event, frozen=True, kw_only=True):
    ref: OrderRef
    symbol: Symbol
    side: Side
    status: OrderStatus
    """The order after this event."""


class OrderInitialized(OrderEvent, frozen=True, kw_only=True):
    """INTENT is durable."""


class OrderSubmitted(OrderEvent, frozen=True, kw_only=True):
    """SENDING is durable and the order was handed to the broker once."""


class OrderAccepted(OrderEvent, frozen=True, kw_only=True):
    """The broker shows it working."""


class OrderHeld(OrderEvent, frozen=True, kw_only=True):
    """Accepted by the broker, not yet at the exchange."""


class OrderRejected(OrderEvent, frozen=True, kw_only=True):
    reason: str = ""


class OrderPartlyFilled(OrderEvent, frozen=True, kw_only=True):
    fill: Fill


class OrderFilled(OrderEvent, frozen=True, kw_only=True):
    fill: Fill


class OrderCanceled(OrderEvent, frozen=True, kw_only=True):
    reason: str = ""


class OrderExpired(OrderEvent, frozen=True, kw_only=True):
    reason: str = ""


class OrderUnknown(OrderEvent, frozen=True, kw_only=True):
    """Evidence is missing or contradictory: do not re-enter."""

    reason: str = ""


class OrderNotAtBroker(OrderEvent, frozen=True, kw_only=True):
    reason: str = ""


class OrderNeverSent(OrderEvent, frozen=True, kw_only=True):
    """Proven not sent: no SENDING mark was made."""

    reason: str = ""


class OrderModified(OrderEvent, frozen=True, kw_only=True):
    """The broker echoed the new fields."""


class OrderPending(OrderEvent, frozen=True, kw_only=True):
    """A cancel or a modification is asked for and not confirmed; it can still fill."""

    what: str = ""


class CancelRejected(OrderEvent, frozen=True, kw_only=True):
    reason: str = ""


class OrderAlarm(OrderEvent, frozen=True, kw_only=True):
    """Something that must not happen did: late fill, resurrected, two ids, overfill."""

    kind: str
    text: str


class ExecutionCorrected(OrderEvent, frozen=True, kw_only=True):
    before_quantity: Decimal
    before_price: Decimal
    fill: Fill


class CommissionBooked(OrderEvent, frozen=True, kw_only=True):
    """The commission of an execution became known or changed."""

    fill: Fill
