"""What any broker refuses at the door: unknown instruments, wrong lots, prices off the grid."""

from engine.model.instrument import Instrument
from engine.model.order import OrderRequest


def flaw(request: OrderRequest, instrument: Instrument | None) -> str:
    """Say why an order is not taken; empty when nothing is wrong with its form."""
    if instrument is None:
        return f"no such instrument: {request.symbol}"
    if request.quantity <= 0 or request.quantity % instrument.lot:
        return f"quantity {request.quantity} is not a multiple of {instrument.lot}"
    for name, price in (("limit", request.limit_price), ("stop", request.stop_price)):
        if price is not None and (price <= 0 or price % instrument.tick):
            return f"{name} price {price} is not on the grid of {instrument.tick}"
    return ""
