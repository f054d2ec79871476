"""VWAP: in each slice the part of the day's volume that usually trades in it."""

from engine.execution.algos.algorithm import Plan, View
from engine.execution.algos.params import Values
from engine.execution.algos.slices import CAP, PATIENCE, STYLE, follow
from engine.execution.algos.twap import CATCH_UP, MINUTES, SLICES, Twap, slice_of
from engine.model.money import ZERO, exact
from engine.model.order import OrderRequest


class Vwap:
    """Volume-weighted after the curve of earlier sessions."""

    name = "vwap"
    title = "VWAP"
    params = (MINUTES, SLICES, STYLE, PATIENCE, CAP)
    needs_curve = True

    def seconds(self, params: Values) -> float | None:
        return Twap().seconds(params)

    def refusal(self, order: OrderRequest, params: Values) -> str:
        return Twap().refusal(order, params)

    def plan(self, view: View) -> Plan:
        if view.curve is None:
            return Plan(note="the usual volume of the day is not known")
        index, n, start, end = slice_of(view)
        first, last = view.curve.share(view.start_ns), view.curve.share(view.end_ns)
        span = last - first
        if not span > 0.0:
            return Plan(note="no volume is usual in this time of day", wake_ns=end)
        done, before = (view.curve.share(end) - first) / span, (view.curve.share(start) - first) / span
        target = view.quantity if index == n - 1 else view.whole_lots(view.quantity * exact(min(max(done, 0.0), 1.0)))
        regular = view.quantity * exact(max(done - before, 0.0))
        most = view.whole_lots(max(regular, ZERO) * CATCH_UP) + view.facts.lot
        return follow(view, target=target, slice_start_ns=start, slice_end_ns=end, most=most)
