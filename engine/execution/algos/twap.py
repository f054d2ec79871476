"""TWAP: the same part in each slice of time."""

from decimal import Decimal

from engine.execution.algos.algorithm import Plan, View
from engine.execution.algos.params import Param, Values, number
from engine.execution.algos.slices import CAP, PATIENCE, STYLE, follow
from engine.model.order import OrderRequest

CATCH_UP = 3
"""A child is at most this many slices large: what was missed is made up in steps, not at once."""

MINUTES = Param(
    name="minutes",
    title="Minutes",
    description="How long the order is worked; it ends before the close in any case.",
    default=Decimal(30),
    least=Decimal("0.1"),
    most=Decimal(1440),
)
SLICES = Param(
    name="slices",
    title="Slices",
    description="Into how many parts the time is cut.",
    default=Decimal(10),
    least=Decimal(1),
    most=Decimal(200),
)


def slice_of(view: View) -> tuple[int, int, int, int]:
    """Return (index, number, start, end) of the slice that ``now`` is in; times in UTC ns."""
    n = int(number(view.params, "slices"))
    span = max(view.end_ns - view.start_ns, n)
    index = min(max((view.now_ns - view.start_ns) * n // span, 0), n - 1)
    return index, n, view.start_ns + span * index // n, view.start_ns + span * (index + 1) // n


class Twap:
    """Time-weighted: by the end of slice i of n, i/n of the order should be done."""

    name = "twap"
    title = "TWAP"
    params = (MINUTES, SLICES, STYLE, PATIENCE, CAP)
    needs_curve = False

    def seconds(self, params: Values) -> float | None:
        return float(number(params, "minutes")) * 60

    def refusal(self, order: OrderRequest, params: Values) -> str:
        slices = number(params, "slices")
        if slices % 1:
            return "slices must be a whole number"
        if number(params, "minutes") * 60 < slices:
            return "a slice would be shorter than a second; take fewer slices or more minutes"
        return ""

    def plan(self, view: View) -> Plan:
        index, n, start, end = slice_of(view)
        target = view.quantity if index == n - 1 else view.whole_lots(view.quantity * (index + 1) / n)
        most = view.whole_lots(view.quantity * CATCH_UP / n) + view.facts.lot
        return follow(view, target=target, slice_start_ns=start, slice_end_ns=end, most=most)
