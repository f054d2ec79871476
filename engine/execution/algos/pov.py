"""POV: a share of what trades."""

from decimal import Decimal

import msgspec

from engine.bus.clock import SECOND
from engine.execution.algos.algorithm import Plan, View
from engine.execution.algos.params import Param, Values, number
from engine.execution.algos.slices import PATIENCE, STYLE, follow
from engine.execution.algos.twap import MINUTES
from engine.model.money import exact
from engine.model.order import OrderRequest

RATE = Param(
    name="rate",
    title="Rate",
    description="Our share of what trades, 0.1 is a tenth. It is the participation cap as well.",
    default=Decimal("0.1"),
    least=Decimal("0.001"),
    most=Decimal("0.5"),
)
EVERY = Param(
    name="every",
    title="Every, s",
    description="Seconds between two children.",
    default=Decimal(15),
    least=Decimal(1),
    most=Decimal(600),
)


class Pov:
    """Percentage of volume: behind the tape by at most one child, never ahead of it."""

    name = "pov"
    title = "Percent of volume"
    params = (RATE, MINUTES, EVERY, STYLE, PATIENCE)
    needs_curve = False

    def seconds(self, params: Values) -> float | None:
        return float(number(params, "minutes")) * 60

    def refusal(self, order: OrderRequest, params: Values) -> str:
        return ""

    def plan(self, view: View) -> Plan:
        rate = number(view.params, "rate")
        every_ns = int(number(view.params, "every") * SECOND)
        index = (view.now_ns - view.start_ns) // every_ns
        start = view.start_ns + index * every_ns
        target = min(view.whole_lots(rate * exact(view.facts.volume)), view.quantity)
        capped = msgspec.structs.replace(view, params={**view.params, "cap": rate})
        return follow(capped, target=target, slice_start_ns=start, slice_end_ns=start + every_ns, most=view.quantity)
