"""What has become of a parent's children: read from the orders, each time anew."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.bus.clock import SECOND
from engine.execution.algos.algorithm import Child
from engine.execution.algos.parent import Parent
from engine.model.ids import OrderRef
from engine.model.market import Quote
from engine.model.money import ZERO
from engine.model.order import OrderState, OrderStatus

_AT_WORK = (OrderState.WORKING, OrderState.PARTIAL, OrderState.HELD)
_WENT_WRONG = (OrderState.REJECTED, OrderState.NEVER_SENT, OrderState.NOT_AT_BROKER, OrderState.DENIED)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all children, and those that are open."""

    filled: Decimal
    value: Decimal
    """Σ quantity × price of what filled."""
    commission: Decimal
    children: tuple[Child, ...]
    unknown: tuple[OrderRef, ...]
    """Children of which nobody knows whether they work."""
    lingering: tuple[OrderRef, ...]
    """Children that we asked to cancel and that work all the same."""
    code: str = ""
    text: str = ""
    """Why the parent cannot go on: a child was refused, lost, or ended by somebody else."""

    @property
    def average_price(self) -> Decimal | None:
        return self.value / self.filled if self.filled else None

    @property
    def working(self) -> Decimal:
        return sum((child.remaining for child in self.children), ZERO)


def look(parent: Parent, find: Callable[[OrderRef], OrderStatus | None]) -> Seen:
    """Read the children. One that the order desk does not know was noted and never sent."""
    filled = value = commission = ZERO
    children: list[Child] = []
    unknown: list[OrderRef] = []
    lingering: list[OrderRef] = []
    code = text = ""
    for made in parent.children:
        status = find(made.ref)
        if status is None:
            continue
        filled += status.filled
        value += status.filled * (status.average_price or ZERO)
        commission += status.commission
        if not status.state.closed:
            if status.state is OrderState.UNKNOWN:
                unknown.append(made.ref)
            if made.withdrawn and status.state in _AT_WORK:
                lingering.append(made.ref)
            children.append(
                Child(
                    ref=made.ref,
                    quantity=status.request.quantity,
                    filled=status.filled,
                    limit_price=status.request.limit_price or ZERO,
                    sent_ns=made.sent_ns,
                    changed_ns=status.changed_ns,
                    busy=status.state not in _AT_WORK or made.withdrawn,
                )
            )
        elif status.state in _WENT_WRONG and not code:
            code, text = status.state.value, status.reason or f"the child {made.ref} was {_said(status.state)}"
        elif status.remaining > ZERO and not made.withdrawn and not code:
            code, text = "CHILD_ENDED", f"the child {made.ref} was {_said(status.state)} by somebody else"
    return Seen(
        filled=filled,
        value=value,
        commission=commission,
        children=tuple(children),
        unknown=tuple(unknown),
        lingering=tuple(lingering),
        code=code,
        text=text,
    )


def _said(state: OrderState) -> str:
    return state.value.lower().replace("_", " ")


def unusable(quote: Quote | None, now_ns: int, max_age_s: float) -> str:
    """Say why these prices are not to be traded on; empty when they are."""
    if quote is None:
        return "there is no quote"
    if quote.halted:
        return "trading in it is halted"
    if not quote.two_sided:
        return "there is no two-sided quote"
    age_ns = now_ns - min(quote.ts_event, quote.ts_seen)
    return f"the quote is {age_ns / SECOND:.0f} s old" if age_ns > max_age_s * SECOND else ""
