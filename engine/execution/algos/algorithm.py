"""What an execution algorithm is: a pure function from what is known of a parent to what should happen next.

It keeps no state of its own. What has been sent and filled is read from the orders themselves, so a restart, a lost
message or a repeated call cannot make it send a slice twice.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.execution.algos.params import Param, Values
from engine.model.ids import OrderRef
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The market as it is now; fresh and two-sided, or the algorithm is not asked."""

    bid: Decimal
    ask: Decimal
    tick: Decimal
    lot: Decimal
    volume: float
    """Units traded by all since the parent began, as far as the tape was heard."""


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """An open child order."""

    ref: OrderRef
    quantity: Decimal
    filled: Decimal
    limit_price: Decimal
    sent_ns: int
    changed_ns: int
    """When it last changed in any way, UTC ns."""
    busy: bool
    """A cancel or a change is asked for and not settled: leave it alone."""

    @property
    def remaining(self) -> Decimal:
        return max(self.quantity - self.filled, ZERO)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All that an algorithm may know. Times in UTC ns."""

    now_ns: int
    start_ns: int
    end_ns: int
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    """The person's limit: never crossed."""
    arrival_price: Decimal
    """Mid when the parent began."""
    params: Values
    filled: Decimal
    children: tuple[Child, ...]
    sent: int
    """Children so far, closed ones included."""
    facts: Facts
    curve: "Curve | None" = None
    draw: float = 0.5
    """A seeded number in [0, 1), another one for each child: for sizes nobody can guess."""

    @property
    def working(self) -> Decimal:
        """What open children may still fill."""
        return sum((child.remaining for child in self.children), ZERO)

    @property
    def unsent(self) -> Decimal:
        """What is neither filled nor at work."""
        return max(self.quantity - self.filled - self.working, ZERO)

    def whole_lots(self, quantity: Decimal) -> Decimal:
        """Round down to the lot."""
        lot = self.facts.lot
        return max((quantity / lot).to_integral_value(rounding=ROUND_DOWN) * lot, ZERO)


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """How the volume of a session is usually spread over it."""

    open_ns: int
    bucket_ns: int
    cumulative: tuple[float, ...]
    """Share of the day's volume that has traded by the end of each bucket; the last is 1."""

    def share(self, at_ns: int) -> float:
        """Return the share of the day's volume that is usual by ``at_ns``, 0..1, straight between bucket ends."""
        ends: NDArray[np.float64] = np.asarray((0.0, *self.cumulative))
        return float(np.interp((at_ns - self.open_ns) / self.bucket_ns, np.arange(len(ends)), ends))


class Send(msgspec.Struct, frozen=True):
    """Send a child: a limit order for the day."""

    quantity: Decimal
    limit_price: Decimal


class Reprice(msgspec.Struct, frozen=True):
    """Change the limit of a child."""

    ref: OrderRef
    limit_price: Decimal


class Withdraw(msgspec.Struct, frozen=True):
    """Cancel a child; what it did not fill is unsent again once the broker has confirmed."""

    ref: OrderRef


Wish = Send | Reprice | Withdraw


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do now, when to look again at the latest, and a word for the person."""

    wishes: tuple[Wish, ...] = ()
    wake_ns: int | None = None
    note: str = ""


class Algorithm(Protocol):
    """A way to work an order. Pure: the same view gives the same plan."""

    @property
    def name(self) -> str:
        """Short, lower case; what a person types."""

    @property
    def title(self) -> str: ...
    @property
    def params(self) -> tuple[Param, ...]: ...
    @property
    def needs_curve(self) -> bool:
        """Whether it cannot work without the usual spread of volume over the day."""

    def seconds(self, params: Values) -> float | None:
        """How long it works; None until shortly before the close."""

    def refusal(self, order: OrderRequest, params: Values) -> str:
        """Say why this order cannot be worked this way; empty when it can."""

    def plan(self, view: View) -> Plan:
        """Say what should happen now. The desk checks every wish: too much or too dear stops the parent."""
