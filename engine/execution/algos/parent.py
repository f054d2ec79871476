"""A parent order: its durable schedule, and what others see of it.

Durable is what cannot be read from the orders themselves: what was asked, when it began and ends, which children were
made. What they did is asked of the order desk each time, so nothing is counted twice.
"""

import base64
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec

from engine.bus.errors import IntegrityError, JournalError
from engine.execution.algos.algorithm import Curve
from engine.execution.algos.ports import Store
from engine.execution.algos.slippage import SlippageReport
from engine.execution.algos.tape import Tape
from engine.model.ids import DecisionId, OrderRef
from engine.model.money import ZERO
from engine.model.order import OrderRequest

T = TypeVar("T")
OPEN = "algo.parent."
DONE = "algo.done."


class ParentState(StrEnum):
    WORKING = "WORKING"
    PAUSED = "PAUSED"
    """Nothing is sent until prices, link or orders are clear again."""
    STOPPING = "STOPPING"
    """Children are being cancelled; they can still fill."""
    DONE = "DONE"
    """Filled, or its time is over."""
    STOPPED = "STOPPED"
    """Ended early, see the code."""
    CANCELLED = "CANCELLED"
    """A person ended it."""

    @property
    def over(self) -> bool:
        return self in (ParentState.DONE, ParentState.STOPPED, ParentState.CANCELLED)


class Made(msgspec.Struct, kw_only=True):
    """A child as the parent remembers it: noted before it is sent."""

    ref: OrderRef
    sent_ns: int
    withdrawn: bool = False
    """We asked to cancel it."""


class Parent(msgspec.Struct, kw_only=True):
    """The schedule. Times in UTC ns."""

    ref: OrderRef
    request: OrderRequest
    by: str
    decision_id: DecisionId
    decision_price: Decimal | None
    arrival_price: Decimal
    start_ns: int
    end_ns: int
    curve: Curve | None
    state: ParentState = ParentState.WORKING
    end_state: ParentState = ParentState.DONE
    """What it will be once it has stopped."""
    code: str = ""
    text: str = ""
    children: list[Made] = []
    tape: Tape
    paused_ns: int = 0
    """Since when it is paused, 0 when it is not."""
    alive_ns: int = 0
    """When it was last written."""


class ParentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A parent as others see it."""

    ref: OrderRef
    request: OrderRequest
    algo: str
    by: str
    state: ParentState
    code: str = ""
    text: str = ""
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    working: Decimal = ZERO
    children: tuple[OrderRef, ...] = ()
    start_ns: int = 0
    end_ns: int = 0
    arrival_price: Decimal | None = None
    slippage: SlippageReport | None = None

    @property
    def remaining(self) -> Decimal:
        return max(self.request.quantity - self.filled, ZERO)


class ParentBook:
    """Parents on disk: the open ones whole, the finished ones as they ended."""

    def __init__(self, store: Store, kept: int) -> None:
        self._store = store
        self._kept = kept

    def load(self) -> tuple[list[Parent], list[ParentStatus]]:
        """Return (open, finished, oldest first). Raises ``IntegrityError`` naming what cannot be read."""
        names = self._store.names()
        over = [self._read(name, ParentStatus) for name in names if name.startswith(DONE)]
        ended = {status.ref for status in over}
        parents = []
        for name in names:
            if not name.startswith(OPEN):
                continue
            parent = self._read(name, Parent)
            if parent.ref in ended:
                # The program ended between the two writes of finish().
                self._store.delete(name)
            else:
                parents.append(parent)
        parents.sort(key=lambda p: (p.start_ns, p.ref))
        return parents, sorted(over, key=lambda s: (s.start_ns, s.ref))

    def save(self, parent: Parent) -> None:
        """Keep an open parent. Raises ``JournalError``."""
        self._store.set(f"{OPEN}{parent.ref}", _encode(parent))

    def finish(self, status: ParentStatus) -> None:
        """Keep how a parent ended and forget its schedule. Raises ``JournalError``."""
        self._store.set(f"{DONE}{status.ref}", _encode(status))
        self._store.delete(f"{OPEN}{status.ref}")

    def forget(self, over: list[ParentStatus]) -> list[ParentStatus]:
        """Drop the oldest finished ones beyond those kept; return the others. What cannot be deleted stays."""
        excess = max(len(over) - self._kept, 0)
        for status in over[:excess]:
            try:
                self._store.delete(f"{DONE}{status.ref}")
            except JournalError:
                return over
        return over[excess:]

    def _read(self, name: str, kind: type[T]) -> T:
        try:
            return msgspec.msgpack.decode(base64.b64decode(self._store.get(name) or ""), type=kind)
        except (msgspec.MsgspecError, ValueError) as error:
            raise IntegrityError(f"the stored {name} cannot be read: {error}") from error


def _encode(value: Parent | ParentStatus) -> str:
    return base64.b64encode(msgspec.msgpack.encode(value)).decode()
