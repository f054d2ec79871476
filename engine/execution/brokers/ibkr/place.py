"""The one place from which orders leave for the gateway: each call writes its bytes at once, or raises."""

from collections.abc import Sequence
from typing import Any, Protocol, cast

from ib_async import Contract, Order

from engine.bus.errors import BrokerError
from engine.execution.brokers.ibkr.pace import Pace
from engine.execution.brokers.ibkr.wire import Wire


class _OrderWire(Protocol):
    def placeOrder(self, order_id: int, contract: Contract, order: Order) -> None: ...


class Door(Protocol):
    """The link, as far as sending goes."""

    pace: Pace

    def open_door(self) -> Wire: ...


def send_family(door: Door, family: Sequence[tuple[Contract, Order]]) -> None:
    """Write an order and its legs, parent first. All of them fit into this second's budget, or none is written.

    Raises ``BrokerError``: before the first byte when there is no room, after it when the socket broke meanwhile.
    """
    wire = cast(_OrderWire, door.open_door())
    if not door.pace.take(len(family)):
        raise BrokerError("too many messages in this second; nothing was sent")
    try:
        for contract, order in family:
            wire.placeOrder(order.orderId, contract, order)
    except ConnectionError as error:
        raise BrokerError(f"the connection broke while sending: {error}") from error


def send_change(door: Door, contract: Contract, order: Order) -> None:
    """Write new fields of a working order under its old id. Raises ``BrokerError``."""
    send_family(door, [(contract, order)])


def send_question(wire: Wire, contract: Contract, order: Order) -> None:
    """Ask what an order would cost; it is never an order. The caller has taken the budget."""
    if not order.whatIf:
        raise ValueError("a question must be marked as one")
    whole: Any = wire
    cast(_OrderWire, whole).placeOrder(order.orderId, contract, order)
