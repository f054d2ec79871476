"""Iceberg: only a part is shown; when it has filled, the next part follows."""

from decimal import Decimal

from engine.execution.algos.algorithm import Plan, Send, View
from engine.execution.algos.params import Param, Values, maybe, number
from engine.execution.algos.pricing import within
from engine.model.money import ZERO, exact
from engine.model.order import OrderRequest

SHOW = Param(
    name="show",
    title="Shown",
    description="Units shown at a time.",
    least=Decimal("0.000001"),
)
VARY = Param(
    name="vary",
    title="Vary",
    description="How much each shown part differs at random, 0.2 is up to a fifth either way.",
    default=Decimal("0.2"),
    most=Decimal("0.9"),
)


class Iceberg:
    """Rests at the person's limit, a part at a time."""

    name = "iceberg"
    title = "Iceberg"
    params = (SHOW, VARY)
    needs_curve = False

    def seconds(self, params: Values) -> float | None:
        return None

    def refusal(self, order: OrderRequest, params: Values) -> str:
        if order.limit_price is None:
            return "an iceberg rests at a limit price; give one"
        show = maybe(params, "show")
        if show is None:
            return "say how much is shown: show=QUANTITY"
        return "the shown part is as large as the order" if show >= order.quantity else ""

    def plan(self, view: View) -> Plan:
        show, limit = maybe(view.params, "show"), view.limit_price
        if view.children or show is None or limit is None:
            return Plan()
        swing = 1 + number(view.params, "vary") * exact(2 * view.draw - 1)
        quantity = min(max(view.whole_lots(show * swing), view.facts.lot), view.whole_lots(view.unsent))
        if quantity <= ZERO:
            return Plan()
        return Plan(wishes=(Send(quantity, within(view, limit)),))
