"""An algorithm of your own: copy this file into your package and name it in your ``pyproject.toml``::

    [project.entry-points."market_agent.execution_algos"]
    halves = "my_package.halves:Halves"

The value is a class without arguments. It is asked every second and after each change of a child, and answers with
wishes. It is pure: no I/O, no clock but ``view.now_ns``, no chance but ``view.draw``, and no memory: what has been
sent and filled is in the view. Every child passes the gate like any order. A wish for more than is unsent, beyond the
person's limit, or an exception stops the parent. ``tests/contracts/test_algo_contract.py`` says what every algorithm
must do; run it on yours.
"""

from decimal import Decimal

from engine.execution.algos.algorithm import Plan, Send, View
from engine.execution.algos.params import Param, Values, number
from engine.execution.algos.pricing import rest
from engine.model.order import OrderRequest


class Halves:
    """Example: half of what is left, then half of the rest, and so on; one child at a time, at our own side."""

    # 1. What a person types, and what the ticket shows.
    name = "halves"
    title = "Halves"
    # 2. Parameters: the ticket, the help and the checks come from these declarations.
    params = (
        Param(
            name="least",
            title="Least",
            description="What is left goes at once when it is no more than this.",
            default=Decimal(10),
            least=Decimal(1),
        ),
    )
    needs_curve = False

    def seconds(self, params: Values) -> float | None:
        """3. How long it works; None: until shortly before the close."""
        return None

    def refusal(self, order: OrderRequest, params: Values) -> str:
        """4. Why this order cannot be worked this way; empty when it can."""
        return "" if order.quantity > number(params, "least") else "the order is too small to be halved"

    def plan(self, view: View) -> Plan:
        """5. What should happen now."""
        if view.children:
            return Plan()
        half = view.unsent if view.unsent <= number(view.params, "least") else view.unsent / 2
        quantity = view.whole_lots(half) or view.whole_lots(view.unsent)
        return Plan(wishes=(Send(quantity, rest(view)),)) if quantity else Plan()
