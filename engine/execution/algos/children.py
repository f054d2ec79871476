"""The children of a parent: sent, changed and withdrawn; the parent's reservation and its record kept in step."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.bus.clock import Clock, Timer
from engine.bus.errors import JournalError
from engine.execution.algos.algorithm import Algorithm, Reprice, Send, View, Wish, Withdraw
from engine.execution.algos.params import Values
from engine.execution.algos.parent import Made, Parent, ParentBook
from engine.execution.algos.ports import Clearing, Orders
from engine.execution.algos.seeing import Seen
from engine.execution.algos.settings import AlgoSettings
from engine.model.ids import OrderRef
from engine.model.money import ZERO
from engine.model.order import OrderType

NAME = "algorithms"
_REPEATED = "G9"
"""The gate's question whether an order is sent twice: slices of one parent are alike on purpose."""
_RATE, _MOVED_OFTEN = "G8", "G8b"
_LATER = ("PACING", "STATE", "LINK", "SAME")
"""Answers to a change that say nothing against it: it is asked again at the next look."""


class Run:
    """A parent at work: its record, and what is not stored."""

    __slots__ = ("algorithm", "due_ns", "held", "note", "params", "parent", "timer")

    def __init__(self, parent: Parent, algorithm: Algorithm | None, params: Values) -> None:
        self.parent = parent
        self.algorithm = algorithm
        self.params = params
        self.held = ZERO
        self.note = ""
        self.timer: Timer | None = None
        self.due_ns = 0


class Children:
    """Acts for a parent. ``on_stop(run, code, text)`` ends it early, ``on_trouble`` says that it cannot be written."""

    def __init__(
        self,
        clock: Clock,
        *,
        orders: Orders,
        gate: Clearing,
        book: ParentBook,
        settings: AlgoSettings,
        on_stop: Callable[[Run, str, str], None],
        on_sent: Callable[[Run], None],
        on_trouble: Callable[[Run, JournalError], None],
    ) -> None:
        self._clock = clock
        self._orders = orders
        self._gate = gate
        self._book = book
        self._settings = settings
        self._stop = on_stop
        self._sent = on_sent
        self._trouble = on_trouble

    def carry_out(self, run: Run, wish: Wish, view: View) -> None:
        """Do what was wished; the wish has been checked."""
        match wish:
            case Send():
                self._send(run, wish, view)
            case Reprice():
                self._reprice(run, wish)
            case Withdraw(ref):
                self._withdraw(run, ref)

    def _send(self, run: Run, wish: Send, view: View) -> None:
        parent = run.parent
        if len(parent.children) >= self._settings.most_children:
            self._stop(run, "CHILDREN", f"it has sent {len(parent.children)} children, that is the most")
            return
        request = msgspec.structs.replace(
            parent.request,
            quantity=wish.quantity,
            order_type=OrderType.LIMIT,
            limit_price=wish.limit_price,
            algo="",
            algo_params={},
            parent_ref=parent.ref,
            decision_id=parent.decision_id,
            display_quantity=None,
            intended_notional=None,
            confirmed=tuple(sorted({*parent.request.confirmed, _REPEATED})),
        )
        held = run.held
        # The child's part moves from the parent's reservation to its own.
        self.reserve(run, max(held - wish.quantity, ZERO))
        verdict, cleared = self._gate.clear(request)
        if cleared is None:
            self.reserve(run, held)
            if verdict.denials and all(denial.code == _RATE for denial in verdict.denials):
                # That passes within a second; what it is behind by, the plan sends with its next step.
                return
            first = verdict.denials[0] if verdict.denials else None
            text = first.text if first is not None else "the gate did not clear it"
            self._stop(run, first.code if first is not None else "GATE", f"a child was refused: {text}")
            return
        if cleared.request.quantity > wish.quantity:
            self._gate.release(cleared.ref)
            self._stop(run, "ALGO_FAULT", "the gate cleared more than was asked for")
            return
        parent.children.append(Made(ref=cleared.ref, sent_ns=view.now_ns))
        try:
            self.save(run)
        except JournalError as error:
            parent.children.pop()
            self._gate.release(cleared.ref)
            self._stop(run, "JOURNAL", f"a child could not be recorded, so it was not sent: {error}")
            return
        self._orders.submit(cleared)
        self._sent(run)

    def _reprice(self, run: Run, wish: Reprice) -> None:
        receipt = self._orders.modify(wish.ref, limit_price=wish.limit_price, by=NAME)
        if receipt.ok or receipt.code in _LATER:
            return
        self._withdraw(run, wish.ref)
        if receipt.code != _MOVED_OFTEN:
            self._stop(run, receipt.code, f"a change of a child was refused: {receipt.text}")

    def _withdraw(self, run: Run, ref: OrderRef) -> None:
        for made in run.parent.children:
            if made.ref == ref and not made.withdrawn:
                # Cancel first: when the note is lost in a crash, the parent sees a stranger's cancel and stops.
                made.withdrawn = True
                self._orders.cancel(ref, NAME)
                self.try_save(run)

    def withdraw_all(self, run: Run, seen: Seen) -> None:
        """Cancel every open child."""
        for child in seen.children:
            self._withdraw(run, child.ref)

    def insist(self, seen: Seen) -> None:
        """Ask again where a cancel came to nothing and the child works on; the order desk limits how often."""
        for ref in seen.lingering:
            self._orders.cancel(ref, NAME)

    def hold(self, run: Run, seen: Seen) -> None:
        """Reserve at the gate what is neither filled nor at work."""
        self.reserve(run, max(run.parent.request.quantity - seen.filled - seen.working, ZERO))

    def reserve(self, run: Run, quantity: Decimal) -> None:
        """Reserve exactly ``quantity`` for the parent. Also zero is held: the gate knows a parent while it sends."""
        if quantity != run.held:
            run.held = quantity
            self._gate.hold(run.parent.ref, msgspec.structs.replace(run.parent.request, quantity=quantity))

    def free(self, run: Run) -> None:
        """Give the reservation back: nothing more will be sent."""
        run.held = ZERO
        self._gate.release(run.parent.ref)

    def save(self, run: Run) -> None:
        """Write the schedule. Raises ``JournalError``."""
        run.parent.alive_ns = self._clock.now()
        self._book.save(run.parent)

    def try_save(self, run: Run) -> None:
        """Write the schedule where going on from memory is safe."""
        try:
            self.save(run)
        except JournalError as error:
            self._trouble(run, error)
