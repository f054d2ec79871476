"""Prices of children: at our own side of the market, or through the other side; never beyond the person's limit."""

from decimal import Decimal

from engine.execution.algos.algorithm import View
from engine.model.market import Side
from engine.model.money import to_tick


def within(view: View, price: Decimal) -> Decimal:
    """The price on the grid, no worse for us than the parent's limit."""
    buying = view.side is Side.BUY
    price = to_tick(price, view.facts.tick, up=not buying)
    if view.limit_price is None:
        return price
    limit = to_tick(view.limit_price, view.facts.tick, up=not buying)
    return min(price, limit) if buying else max(price, limit)


def rest(view: View) -> Decimal:
    """Join the best price of our own side."""
    return within(view, view.facts.bid if view.side is Side.BUY else view.facts.ask)


def take(view: View, ticks: int = 2) -> Decimal:
    """Reach a little through the best price of the other side."""
    far = view.facts.ask if view.side is Side.BUY else view.facts.bid
    through = far + view.side.sign * ticks * view.facts.tick
    return within(view, max(through, view.facts.tick))


def marketable(view: View, price: Decimal) -> bool:
    """Whether a limit at ``price`` would trade at once."""
    return price >= view.facts.ask if view.side is Side.BUY else price <= view.facts.bid


def better(view: View, price: Decimal, than: Decimal) -> bool:
    """Whether ``price`` is closer to trading than ``than``."""
    return price > than if view.side is Side.BUY else price < than
