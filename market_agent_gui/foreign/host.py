"""The window as a foreign pane sees it: a few values, and a way down that opens nothing by itself."""

import logging
from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import commands as c
from engine.api.client import EngineUnavailable
from engine.api.commands import AnyCommand, Receipt
from engine.api.rows import OrderRow, PositionRow
from engine.model.ids import IntentId
from engine.model.order import OrderRequest, OrderType
from market_agent_gui.foreign.pane import Quote
from market_agent_gui.loop import TaskOwner
from market_agent_gui.services import Services

log = logging.getLogger(__name__)

EVERY_MS = 100
LOOKS = (
    *(c.GetBars, c.GetIndicators, c.GetIndicator, c.GetCapabilities, c.GetSuggestion, c.GetStatus, c.Scan),
    *(c.GetStrategies, c.GetStrategy, c.CheckStrategy, c.TryStrategy, c.PreviewOrder),
)
LESSENS = (c.CancelOrder, c.CancelAll, c.Flatten, c.Halt)
"""What can only make a position or its risk smaller; protective stops stay."""


class ForeignHost(QObject):
    """One per foreign pane."""

    def __init__(
        self, services: Services, dock: str, name: str, frame: QWidget, failed: Callable[[BaseException], object]
    ) -> None:
        """``frame`` is what the pane lies in; ``failed`` hears what a call of the pane raised."""
        super().__init__(frame)
        self._services, self._dock, self._name, self._frame = services, dock, name, frame
        self._failed = failed
        self._gone = False
        self._calls: list[Callable[[str], object]] = []
        self._changed: dict[str, None] = {}
        self._tasks = TaskOwner(self._on_task_error)
        self._timer = QTimer(self, singleShot=True, interval=EVERY_MS)
        self._timer.timeout.connect(self._tell)
        # Bound, not lambdas: a host whose pane could not be made lets go of them.
        services.bridge.quotes.connect(self._on_quotes)
        services.bridge.rows_changed.connect(self._on_rows)
        services.links.changed.connect(self._on_symbol)

    # --- PaneHost

    def symbols(self) -> tuple[str, ...]:
        return tuple(self._services.bridge.mirror.rows("quotes"))

    def quote(self, symbol: str) -> Quote | None:
        price = self._services.bridge.mirror.price(symbol)
        if price is None:
            return None
        return Quote(
            symbol=symbol,
            bid=price.bid,
            ask=price.ask,
            last=price.last,
            previous_close=price.previous_close,
            ts_ns=price.ts,
            live=price.live,
        )

    def positions(self) -> tuple[PositionRow, ...]:
        return tuple(self._services.bridge.mirror.rows("positions").values())

    def orders(self) -> tuple[OrderRow, ...]:
        return tuple(self._services.bridge.mirror.rows("orders").values())

    @property
    def symbol(self) -> str:
        return self._services.links.symbol(self._dock)

    def choose(self, symbol: str) -> None:
        self._services.links.choose(self._dock, str(symbol))

    def on_change(self, call: Callable[[str], object]) -> None:
        if not self._gone:
            self._calls.append(call)

    def send(self, command: AnyCommand, then: Callable[[Receipt], object] | None = None) -> None:
        refusal = self._refusal(command)
        if refusal is not None:
            self._hear(refusal, then)
            return
        named = msgspec.structs.replace(command, by=f"pane:{self._name}")
        self._tasks.start(self._send(named, then), f"{self._name} sends")

    def stage(self, request: OrderRequest) -> bool:
        entry = self._services.entry
        shown = _shown(request) if isinstance(request, OrderRequest) else None
        if shown is None:
            return False
        if entry.staged is not None or not self._person_is_here():
            return False
        self._services.links.choose("ticket", shown.symbol)
        entry.stage_request(msgspec.structs.replace(shown, intent_id=IntentId(entry.mint())))
        return entry.staged is not None

    def say(self, text: str) -> None:
        self._services.say("info", f"{self._name}: {text}")

    # --- inside

    async def close(self) -> None:
        """End what is under way."""
        self.let_go()
        await self._tasks.close()

    def let_go(self) -> None:
        """Tell the pane nothing any more."""
        if self._gone:
            return
        self._gone = True
        self._calls.clear()
        self._timer.stop()
        self._services.bridge.quotes.disconnect(self._on_quotes)
        self._services.bridge.rows_changed.disconnect(self._on_rows)
        self._services.links.changed.disconnect(self._on_symbol)

    def _refusal(self, command: AnyCommand) -> Receipt | None:
        held_back = self._services.entry.held_back
        if held_back and isinstance(command, LESSENS) and not isinstance(command, c.Halt):
            return Receipt(ok=False, code="PANE", text=held_back)
        if isinstance(command, c.Halt | c.CancelAll) and command.protective:
            return Receipt(ok=False, code="PANE", text="A pane does not cancel protective stops.")
        if isinstance(command, c.CancelOrder):
            row = self._services.bridge.mirror.rows("orders").get(command.ref)
            if not isinstance(row, OrderRow) or row.leg in ("stop", "target") or row.origin == "PROTECTIVE":
                return Receipt(ok=False, code="PANE", text="A pane cancels entries alone, and only those it can see.")
        if isinstance(command, (*LOOKS, *LESSENS)):
            return None
        name = type(command).__name__
        return Receipt(ok=False, code="PANE", text=f"{name} is for a person; a pane stages orders and sends none.")

    async def _send(self, command: AnyCommand, then: Callable[[Receipt], object] | None) -> None:
        try:
            receipt = await self._services.bridge.send(command)
        except (EngineUnavailable, OSError) as error:
            receipt = Receipt(ok=False, code="LINK", text=str(error))
        self._hear(receipt, then)

    def _hear(self, receipt: Receipt, then: Callable[[Receipt], object] | None) -> None:
        if then is None or self._gone:
            return
        try:
            then(receipt)
        except Exception as error:  # noqa: BLE001  whatever the pane raises, the window goes on
            self._failed(error)

    def _person_is_here(self) -> bool:
        focus = QApplication.focusWidget()
        return self._frame.underMouse() or (focus is not None and self._frame.isAncestorOf(focus))

    def _on_quotes(self, _block: object) -> None:
        self._note("quotes")

    def _on_rows(self, table: str, _rows: object, _removed: object, _reset: bool) -> None:
        if table in ("positions", "orders"):
            self._note(table)

    def _on_symbol(self, pane: str, _symbol: str) -> None:
        if pane == self._dock:
            self._note("symbol")

    def _note(self, what: str) -> None:
        if self._calls and self._frame.isVisible():
            self._changed[what] = None
            if not self._timer.isActive():
                self._timer.start()

    def _tell(self) -> None:
        changed, self._changed = tuple(self._changed), {}
        for call in tuple(self._calls):
            try:
                for what in changed:
                    call(what)
            except Exception as error:  # noqa: BLE001  whatever the pane raises, it is not called again and the rest is
                self._calls.remove(call)
                self._failed(error)

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self._failed(error)


def _shown(request: OrderRequest) -> OrderRequest | None:
    """Return a limit order of what a staged order shows and nothing else, None for what is none.

    A group, a parent or an algorithm that nobody sees could cancel a stop, or send another order than the one shown.
    """
    if request.order_type is not OrderType.LIMIT or request.limit_price is None:
        return None
    names = ("symbol", "side", "quantity", "limit_price", "stop_loss", "take_profit", "tif")
    told = {name: getattr(request, name) for name in names}
    try:
        return msgspec.convert({**told, "intent_id": "pane"}, OrderRequest)
    except msgspec.ValidationError:
        return None
