"""A split in the paper exchange's books: holding and exits go on the new terms, entries made on the old ones end.

A broker does this overnight. Units multiply, prices divide; money does not move. A fraction of a unit stays a fraction.
"""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

import msgspec

from engine.model.instrument import Instrument
from engine.model.money import ZERO, to_tick
from engine.model.order import Origin
from engine.model.report import BrokerStatus
from engine.simulation.paper.account import PaperAccount
from engine.simulation.paper.orders import PaperOrder

ENDED = "the symbol was split: this order was made on the old terms"


def split(
    account: PaperAccount, orders: Iterable[PaperOrder], instrument: Instrument, ratio: Decimal
) -> list[PaperOrder]:
    """Put one symbol on the new terms; ``ratio``: new units for one old. Return the orders that changed."""
    holding = account.holdings.get(instrument.symbol)
    if holding is not None:
        holding.quantity *= ratio
        holding.average /= ratio
    changed = [order for order in orders if order.open]
    for order in changed:
        if order.request.origin is Origin.PROTECTIVE and order.active:
            _rescale(order, instrument, ratio)
        else:
            order.status, order.text = BrokerStatus.CANCELLED, ENDED
    return changed


def _rescale(order: PaperOrder, instrument: Instrument, ratio: Decimal) -> None:
    """What has filled was filled on the old terms and stays; the rest is for the new units at the new price."""
    old = order.request
    rest = (order.remaining * ratio / instrument.lot).to_integral_value(rounding=ROUND_DOWN) * instrument.lot

    def price(value: Decimal | None) -> Decimal | None:
        return None if value is None else max(to_tick(value / ratio, instrument.tick), instrument.tick)

    order.request = msgspec.structs.replace(
        old,
        quantity=order.filled + rest,
        limit_price=price(old.limit_price),
        stop_price=price(old.stop_price),
        trail_amount=price(old.trail_amount),
    )
    if order.trail_best is not None:
        order.trail_best /= float(ratio)
    if rest <= ZERO:
        order.status, order.text = BrokerStatus.CANCELLED, "after the split less than a unit is left"
