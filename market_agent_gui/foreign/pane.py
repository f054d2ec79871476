"""What a package that brings a pane needs to know. Everything else of the program may change without notice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtWidgets import QWidget

from engine.api.commands import AnyCommand, Receipt
from engine.api.rows import OrderRow, PositionRow
from engine.model.order import OrderRequest

GROUP = "market_agent.panes"
"""The group of entry points; each names a :class:`PaneSpec`, or a function without arguments that makes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The newest prices of a symbol; NaN where unknown, ``ts_ns`` UTC."""

    symbol: str
    bid: float
    ask: float
    last: float
    previous_close: float
    ts_ns: int
    live: bool
    """Both sides known, not crossed, neither stale, halted nor delayed."""


class PaneHost(Protocol):
    """The window, as a pane sees it. Everything here runs in the window's thread: call it from there, and be quick."""

    def symbols(self) -> tuple[str, ...]:
        """Return what the engine follows."""

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest prices; None where there are none."""

    def positions(self) -> tuple[PositionRow, ...]:
        """Return what is held."""

    def orders(self) -> tuple[OrderRow, ...]:
        """Return today's orders."""

    @property
    def symbol(self) -> str:
        """The symbol of the pane's colour group; empty before any was chosen."""

    def choose(self, symbol: str) -> None:
        """Show a symbol in every pane of the colour group."""

    def on_change(self, call: Callable[[str], object]) -> None:
        """Call ``call`` with ``quotes``, ``positions``, ``orders`` or ``symbol`` when these changed.

        At most ten times a second each, and only while the pane is seen. A call that raises is told and not made again.
        """

    def send(self, command: AnyCommand, then: Callable[[Receipt], object] | None = None) -> None:
        """Send a command to the engine; ``then`` hears the receipt.

        Questions, cancels of entries, flatten of one symbol and STOP are sent, under the name of the pane. What can
        open or enlarge a position, and what only a person may do, is refused with the code ``PANE``, or by the engine
        with ``PERSON``: see :meth:`stage`.
        """

    def stage(self, request: OrderRequest) -> bool:
        """Stage a limit order for the person, who sends it or drops it. False where it is not staged.

        Only while the person is in the pane, and never over another staged order.
        """

    def say(self, text: str) -> None:
        """Tell something in passing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneSpec:
    """A pane. ``id`` is the entry point's name; ``factory`` makes the widget, in the window's thread, when the pane is
    opened for the first time. It raises when it cannot: the pane then says why."""

    id: str
    title: str
    factory: Callable[[PaneHost], QWidget]
