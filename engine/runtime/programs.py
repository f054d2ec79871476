"""What another program may ask of the engine: below every tool and every route, where nothing goes round it.

It may read, stop trading and propose. Orders, cancels and answers to suggestions take the setting ``serve.trade``; what
raises a limit, a mode or a level of autonomy is a person's.
"""

import msgspec

from engine.api import commands as c
from engine.api.commands import AnyCommand, Receipt
from engine.approval.programs import ProgramOrders
from engine.execution.desk import OrderDesk
from engine.model.decision import PEOPLE
from engine.model.order import STOPS, OrderRequest, Origin
from engine.security.text import headline

READS = (
    c.GetStatus,
    c.GetBars,
    c.GetIndicators,
    c.GetIndicator,
    c.GetCapabilities,
    c.GetSuggestion,
    c.PreviewOrder,
    c.Scan,
    c.GetStrategies,
    c.GetStrategy,
    c.CheckStrategy,
    c.TryStrategy,
)
PANE = "pane:"
"""What a pane of another package calls itself; it comes through the window's own connection."""
LESS = (c.CancelOrder, c.CancelAll, c.Flatten)
"""What only takes risk away: a person who opened such a pane may do it there, whatever other programs may."""
TRADES = (c.PlaceOrder, c.CancelOrder, c.Approve, c.Refuse)
MOST_WORDS = 200
CLOSED = Receipt(
    ok=False,
    code="TRADE",
    text="Programs may read, propose and halt here, not trade: serve.trade is off in the settings.",
)
PERSON = Receipt(ok=False, code="PERSON", text="Only a person may do this.")


class Programs:
    """The gate of programs. ``trade`` is the setting; it holds from the start of the engine to its end."""

    def __init__(self, orders: ProgramOrders, desk: OrderDesk, trade: bool) -> None:
        self._orders, self._desk, self._trade = orders, desk, trade

    def refusal(self, command: AnyCommand) -> Receipt | None:
        """Return why a command that is not a person's is not carried out; None for people, and for what is allowed."""
        if command.by in PEOPLE or isinstance(command, (*READS, c.Propose)):
            return None
        if isinstance(command, c.Halt):
            # Selling everything, or taking stops away, is more than stopping.
            return None if not (command.flatten or command.protective) else PERSON
        if isinstance(command, c.CancelAll) and command.protective:
            return PERSON
        if isinstance(command, c.Flatten) and command.symbol is None:
            return PERSON
        by_pane = command.by.startswith(PANE)
        if not isinstance(command, LESS if by_pane else TRADES):
            return PERSON
        if not by_pane and not self._trade:
            return CLOSED
        if isinstance(command, c.CancelOrder):
            status = self._desk.order(command.ref)
            if status is not None and _protects(status.request, command.by):
                return Receipt(ok=False, code="PERSON", text="Only a person cancels a protective order.")
        return None

    def preview(self, command: c.PreviewOrder) -> Receipt:
        """Answer a program's what-if."""
        return self._orders.preview(command, may_send=self._trade)

    def place(self, command: c.PlaceOrder) -> Receipt:
        """Send a program's order."""
        return self._orders.place(command)


def _protects(request: OrderRequest, by: str) -> bool:
    """Say whether an order is a stop that is not the program's own: one of a bracket, by hand, or made elsewhere."""
    if request.origin is Origin.PROTECTIVE:
        return True
    return request.order_type in STOPS and not (request.origin is Origin.PROGRAM and request.strategy == by)


def plain(command: AnyCommand) -> AnyCommand:
    """Return the command of a program with the words in it made harmless: people read them in alarms and records."""
    if command.by not in PEOPLE and isinstance(command, c.Halt):
        return msgspec.structs.replace(command, reason=headline(command.reason, MOST_WORDS))
    if command.by not in PEOPLE and isinstance(command, c.Refuse):
        return msgspec.structs.replace(command, text=headline(command.text, MOST_WORDS))
    return command


def stamped(command: AnyCommand, program: str) -> AnyCommand:
    """Return the command with its true sender: what comes through a program's connection is that program's."""
    return msgspec.structs.replace(command, by=program) if program else command
