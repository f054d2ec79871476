"""Chase with a limit: stay at the front of our own side as the market runs away, up to a limit; reach at the end."""

from decimal import Decimal

from engine.bus.clock import SECOND
from engine.execution.algos.algorithm import Plan, Reprice, Send, View, Withdraw
from engine.execution.algos.params import Param, Values, number
from engine.execution.algos.pricing import marketable, rest, take, within
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest

MOST = Param(
    name="most",
    title="Most, %",
    description="How far from the price at the start it may go, percent; the order's own limit holds as well.",
    default=Decimal("0.5"),
    least=Decimal("0.01"),
    most=Decimal(10),
)
TICKS = Param(
    name="ticks",
    title="Ticks",
    description="It moves when the market is this many ticks ahead of it.",
    default=Decimal(1),
    least=Decimal(1),
    most=Decimal(100),
)
PAUSE = Param(
    name="pause",
    title="Pause, s",
    description="Seconds between two moves.",
    default=Decimal(3),
    least=Decimal(1),
    most=Decimal(300),
)
CROSS = Param(
    name="cross",
    title="Cross after, s",
    description="Seconds after which it reaches for the other side; left out it never does.",
    least=Decimal(1),
    most=Decimal(86_400),
)


class Chase:
    """One child that follows the best price of its own side, and never goes back."""

    name = "chase"
    title = "Chase with limit"
    params = (MOST, TICKS, PAUSE, CROSS)
    needs_curve = False

    def seconds(self, params: Values) -> float | None:
        return None

    def refusal(self, order: OrderRequest, params: Values) -> str:
        return ""

    def plan(self, view: View) -> Plan:
        price = self._price(view)
        if not view.children:
            quantity = view.whole_lots(view.unsent)
            return Plan(wishes=(Send(quantity, price),)) if quantity > ZERO else Plan()
        child = view.children[0]
        pause_ns = int(number(view.params, "pause") * SECOND)
        away = (price - child.limit_price) * view.side.sign
        if child.busy or view.now_ns - child.changed_ns < pause_ns or marketable(view, child.limit_price):
            return Plan()
        if len(view.children) > 1:
            return Plan(wishes=tuple(Withdraw(extra.ref) for extra in view.children[1:] if not extra.busy))
        if away >= number(view.params, "ticks") * view.facts.tick:
            return Plan(wishes=(Reprice(child.ref, price),))
        return Plan(note="at its limit" if price == self._edge(view) else "")

    def _price(self, view: View) -> Decimal:
        cross = view.params["cross"]
        crossing = isinstance(cross, Decimal) and view.now_ns - view.start_ns >= int(cross * SECOND)
        wanted, edge = take(view) if crossing else rest(view), self._edge(view)
        return min(wanted, edge) if view.side is Side.BUY else max(wanted, edge)

    def _edge(self, view: View) -> Decimal:
        return within(view, view.arrival_price * (1 + view.side.sign * number(view.params, "most") / 100))
