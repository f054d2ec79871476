"""Following a target: what TWAP, VWAP and POV share. They differ in how much should be done by when."""

from decimal import Decimal

from engine.bus.clock import SECOND
from engine.execution.algos.algorithm import Plan, Reprice, Send, View, Wish, Withdraw
from engine.execution.algos.params import Param, Values, maybe, number
from engine.execution.algos.pricing import better, marketable, rest, take
from engine.model.money import ZERO, exact

REPRICE_NS = 5 * SECOND
"""A child that does not trade is not moved more often than this."""

STYLE = Param(
    name="style",
    title="Style",
    description="rest: wait at our own side first, then reach for the other; take: reach at once; wait: never reach.",
    default="rest",
    choices=("rest", "take", "wait"),
)
PATIENCE = Param(
    name="patience",
    title="Patience",
    description="Part of a slice's time that a child rests before it reaches.",
    default=Decimal("0.5"),
    most=Decimal(1),
)
CAP = Param(
    name="cap",
    title="Participation cap",
    description="Most we may be of what trades since the start, 0.2 is a fifth; none lifts it.",
    default=None,
    least=Decimal("0.001"),
    most=Decimal(1),
)


def capped(view: View, share: Decimal | None) -> Decimal:
    """How much may still be sent: the unsent part, and the room under the participation cap."""
    if share is None:
        return view.unsent
    room = share * exact(view.facts.volume) - view.filled - view.working
    return max(min(view.unsent, room), ZERO)


def follow(view: View, *, target: Decimal, slice_start_ns: int, slice_end_ns: int, most: Decimal) -> Plan:
    """Bring what is filled and working up to ``target``: at most one child at work, none larger than ``most``."""
    params: Values = view.params
    wishes: list[Wish] = []
    for child in view.children:
        if child.busy:
            continue
        if child.sent_ns < slice_start_ns:
            wishes.append(Withdraw(child.ref))
        elif _reaches(view, slice_start_ns, slice_end_ns) and view.now_ns - child.changed_ns >= REPRICE_NS:
            price = take(view)
            if not marketable(view, child.limit_price) and better(view, price, child.limit_price):
                wishes.append(Reprice(child.ref, price))
    if wishes or view.children:
        return Plan(wishes=tuple(wishes), wake_ns=slice_end_ns)
    behind = min(target - view.filled, most)
    room = capped(view, maybe(params, "cap"))
    quantity = view.whole_lots(min(behind, room))
    if quantity <= ZERO:
        held = behind >= view.facts.lot
        return Plan(wake_ns=slice_end_ns, note="waiting for volume under the participation cap" if held else "")
    reach = _reaches(view, slice_start_ns, slice_end_ns)
    return Plan(wishes=(Send(quantity, take(view) if reach else rest(view)),), wake_ns=slice_end_ns)


def _reaches(view: View, slice_start_ns: int, slice_end_ns: int) -> bool:
    style = view.params["style"]
    if style == "take":
        return True
    if style == "wait":
        return False
    rests_ns = float(number(view.params, "patience")) * (slice_end_ns - slice_start_ns)
    return view.now_ns - slice_start_ns >= rests_ns
