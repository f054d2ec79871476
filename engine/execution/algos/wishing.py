"""Is a wish of an algorithm allowed? The algorithm may be anybody's code; the desk trusts none. Pure."""

from decimal import Decimal

from engine.execution.algos.algorithm import Reprice, Send, View, Wish, Withdraw
from engine.model.market import Side
from engine.model.money import ZERO


def fault(view: View, wishes: tuple[Wish, ...]) -> str:
    """Say what is wrong with the first bad wish; empty when all are allowed."""
    left = view.unsent
    open_refs = {child.ref for child in view.children}
    for wish in wishes:
        match wish:
            case Send(quantity, limit_price):
                if not quantity.is_finite() or quantity <= ZERO or quantity % view.facts.lot:
                    return f"it wished to send {quantity}"
                if quantity > left:
                    return f"it wished to send {quantity}, only {left} is left"
                left -= quantity
                if reason := _price(view, limit_price):
                    return reason
            case Reprice(ref, limit_price):
                if ref not in open_refs:
                    return f"it wished to change {ref}, which is not at work"
                if reason := _price(view, limit_price):
                    return reason
            case Withdraw(ref):
                if ref not in open_refs:
                    return f"it wished to cancel {ref}, which is not at work"
            case _:
                return f"it wished for {wish!r}"
    return ""


def _price(view: View, price: Decimal) -> str:
    if not price.is_finite() or price <= ZERO or price % view.facts.tick:
        return f"it wished for a price of {price}"
    limit = view.limit_price
    if limit is None:
        return ""
    beyond = price > limit if view.side is Side.BUY else price < limit
    return f"it wished for {price}, beyond the limit {limit}" if beyond else ""
