"""Order entry by key, ticket, ladder and chart: one staged order, previewed by the gate, sent once."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from engine.api.client import EngineUnavailable
from engine.api.commands import AnyCommand, CancelAll, CancelOrder, Flatten, ModifyOrder, PlaceOrder, PreviewOrder
from engine.model.ids import IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import exact, to_tick
from engine.model.order import OrderRequest
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.commander import Commander, Refusal
from market_agent_gui.keys.beginning import Begins, Begun, plainly
from market_agent_gui.keys.blocking import why_not
from market_agent_gui.keys.guard import Intents, PressGuard
from market_agent_gui.keys.staging import (
    DEFAULT_SIZES,
    Leg,
    Shown,
    StagedOrder,
    at_limit,
    even_stop,
    follow_quote,
    marketable,
    movable,
    move_leg,
    next_leg,
    nudge,
    of_ticket,
    protection,
    resize,
    size_from_risk,
    stage,
    stage_change,
)
from market_agent_gui.loop import TaskOwner
from market_agent_gui.presenters.receipts import read_verdict
from widgets.words import told

log = logging.getLogger(__name__)

RISK_MONEY = Decimal(250)
FOLLOW_MS = 500
"""A joining order stays this long where it is: to be read, and to be judged by the gate before it moves again."""


class OrderEntry(QObject):
    """Holds the staged order. Widgets show it; only :meth:`send` lets it out."""

    staged_changed = Signal(object)
    """A :class:`StagedOrder` or ``None``."""
    offered = Signal(object, object)
    """An :class:`OrderRequest` for a person to complete or send in the ticket: it has no price to move by keys. With
    the filling of presets it began with, or ``None``."""
    judged = Signal(object, object)
    """The gate's verdict on a request, and that request."""
    sent = Signal(str, bool, str, object)
    """intent, whether it was taken, a sentence, denials."""
    said = Signal(str, str)
    """severity (info, warn, bad) and one sentence."""
    sending_changed = Signal(bool)

    def __init__(
        self,
        bridge: EngineBridge,
        commander: Commander,
        guard: PressGuard,
        intents: Intents,
        symbol: Callable[[], str],
        parent: QObject | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        reduced: Callable[[], bool] = lambda: False,
        rehearsing: Callable[[], bool] = lambda: False,
    ) -> None:
        """``reduced``: whether the hands are new to something, so that orders begin with the smallest size."""
        super().__init__(parent)
        self.staged: StagedOrder | None = None
        self.sizes = DEFAULT_SIZES
        self.size = DEFAULT_SIZES[2]
        self.risk_money = RISK_MONEY
        self.begins: Begins = plainly
        """Makes what is staged: with presets, once there are any."""
        self._bridge = bridge
        self._guard = guard
        self._intents = intents
        self._symbol = symbol
        self._tasks = TaskOwner(self._on_task_error)
        self._unconfirmed: dict[str, str] = {}
        self._monotonic = monotonic
        self._reduced = reduced
        self._rehearsing = rehearsing
        self._shown = Shown()
        self._rest = QTimer(self, singleShot=True, interval=FOLLOW_MS)
        self._rest.timeout.connect(self._follow)
        bridge.quotes.connect(self._on_quotes)
        bridge.rows_changed.connect(self._on_rows)
        self._register(commander)

    def _register(self, commander: Commander) -> None:
        doers: dict[str, Callable[[], object]] = {
            "stage_buy": lambda: self.stage(Side.BUY),
            "stage_sell": lambda: self.stage(Side.SELL),
            "send": self.send,
            "drop": self.drop,
            "price_up": lambda: self._change(nudge, 1),
            "price_down": lambda: self._change(nudge, -1),
            "price_up_ten": lambda: self._change(nudge, 10),
            "price_down_ten": lambda: self._change(nudge, -10),
            "marketable": self._marketable,
            "next_leg": lambda: self._change(next_leg),
            "next_order": lambda: self._cycle(1),
            "previous_order": lambda: self._cycle(-1),
            "edit_order": lambda: self._cycle(1),
            "size_risk": lambda: self._change(size_from_risk, self.risk_money),
            "cancel_last": self.cancel_last,
            "cancel_symbol": self.cancel_symbol,
            "cancel_all": lambda: self.fire(CancelAll(by="hotkey")),
            "exit_all": lambda: self.exit(Decimal(1)),
            "exit_half": lambda: self.exit(Decimal("0.5")),
            "exit_quarter": lambda: self.exit(Decimal("0.25")),
            "flatten_symbol": lambda: self.exit(Decimal(1)),
            "reverse": self.reverse,
            "stop_even": self.stop_to_even,
        }
        for number in range(1, 10):
            doers[f"size_{number}"] = lambda n=number: self.set_size(self.sizes[n - 1])
        for action, do in doers.items():
            commander.register(action, do)

    def mint(self) -> str:
        """Return a new intent id."""
        return self._intents.mint()

    # --- why not

    def blocked(self, symbol: str) -> str:
        """Say in words why nothing that adds risk may go out for ``symbol`` now; empty when it may."""
        return why_not(self._bridge, symbol, self._unconfirmed)

    @property
    def held_back(self) -> str:
        """Why nothing at all is sent from here now, in words; STOP does not come past here."""
        return "rehearsal: nothing is sent" if self._rehearsing() else ""

    def fire(self, command: AnyCommand) -> None:
        """Send what cancels, closes or changes. Raises ``Refusal`` in a rehearsal."""
        if reason := self.held_back:
            raise Refusal(reason)
        self._bridge.fire(command)

    # --- staging

    def stage(self, side: Side, preset: str = "") -> None:
        """Stage an order on the displayed symbol with its presets, joining its side of the quote.

        One without a limit has no price to move by keys: it is offered in the ticket.
        """
        self._show_begun(self.begin(side, preset))

    def begin(self, side: Side, preset: str = "", *, priced: bool = False, intent: str = "") -> Begun:
        """Return what staging makes of the presets; ``priced``: a limit will be given. Raises ``Refusal``."""
        symbol = self._need_symbol()
        price = self._bridge.mirror.price(symbol)
        if price is None:
            raise Refusal(f"{symbol}: no price yet")
        most = self.first_size if self._reduced() else None
        try:
            return self.begins(
                intent or self._intents.mint(), side, price, self.first_size, preset, priced=priced, most=most
            )
        except ValueError as error:
            raise Refusal(str(error)) from error

    def _show_begun(self, begun: Begun) -> None:
        if isinstance(begun, StagedOrder):
            self._set(begun)
        else:
            self.offered.emit(begun.request, begun.filling)

    @property
    def first_size(self) -> Decimal:
        """The size that an order is staged with."""
        return min(self.size, *self.sizes) if self._reduced() else self.size

    def stage_at(self, side: Side, limit: Decimal) -> None:
        """Stage at a price that was clicked on the ladder or the chart."""
        begun = self.begin(side, priced=True)
        if isinstance(begun, StagedOrder):
            at = to_tick(limit, begun.tick)
            self._set(replace(move_leg(begun, Leg.ENTRY, at), clicked=True))

    def move_leg(self, leg: str, price: Decimal) -> None:
        """Put one leg of the staged order where it was dragged."""
        if self.staged is not None:
            self._set(move_leg(self.staged, Leg(leg), to_tick(price, self.staged.tick)))

    def stage_request(self, request: OrderRequest | None) -> None:
        """Show the order of the ticket as staged; one without a limit price, or of no known price, casts no ghost."""
        staged = self.staged
        price = self._bridge.mirror.price(request.symbol) if request is not None else None
        if request is None or request.limit_price is None or price is None:
            if staged is not None and not staged.ref:
                self._set(None)
            return
        if staged is not None and not staged.ref:
            renamed = replace(staged, intent=request.intent_id or staged.intent)
            if renamed.request() == request:
                self._set(renamed)
                return
        self._set(of_ticket(request, price, request.intent_id or self._intents.mint(), staged))

    def open_request(self, request: OrderRequest) -> None:
        """Take an order that was typed: staged where it has a limit price, else read in the ticket, ready to send."""
        if request.limit_price is None or self._bridge.mirror.price(request.symbol) is None:
            self.offered.emit(request, None)
        else:
            self.stage_request(request)

    def use_sizes(self, sizes: tuple[Decimal, ...], risk_money: Decimal) -> None:
        """Take a person's sizes; where the one in use is none of them, the next order begins with the third."""
        self.sizes, self.risk_money = sizes, risk_money
        if self.size not in sizes:
            self.size = sizes[2]

    def set_size(self, quantity: Decimal) -> None:
        """Choose the size of this and the next orders."""
        self.size = quantity
        if self.staged is not None:
            self._change(resize, quantity)

    def drop(self) -> None:
        """Forget the staged order; nothing was sent, nothing is kept."""
        self._set(None)

    def _marketable(self) -> None:
        order = self._need_staged()
        price = self._bridge.mirror.price(order.symbol)
        if price is None:
            raise Refusal(f"{order.symbol}: no price yet")
        self._change(marketable, price)

    def _change(self, function: Callable[..., StagedOrder], *arguments: object) -> None:
        order = self._need_staged()
        try:
            changed = function(order, *arguments)
        except ValueError as error:
            raise Refusal(str(error)) from error
        self._set(changed)

    def _cycle(self, step: int) -> None:
        rows = [row for row in self._bridge.mirror.working(self._need_symbol()) if movable(row)]
        if not rows:
            raise Refusal(f"{self._symbol()}: no working order to change")
        refs = [row.key for row in rows]
        here = refs.index(self.staged.ref) if self.staged is not None and self.staged.ref in refs else -1
        row = rows[(here + step) % len(rows) if here >= 0 else (0 if step > 0 else -1)]
        price = self._bridge.mirror.price(row.symbol)
        if price is None:
            raise Refusal(f"{row.symbol}: no price yet, so no tick size")
        try:
            self._set(stage_change(self._intents.mint(), row, exact(price.tick)))
        except ValueError as error:
            raise Refusal(str(error)) from error

    def _set(self, order: StagedOrder | None) -> None:
        before = self.staged
        if order == before:
            return
        if order is not None and before is not None and order.intent == before.intent and self.sending(order):
            raise Refusal("it is being sent: wait for the answer")
        if order is not None and order.joins:
            anew = before is None or before.intent != order.intent
            self._shown.note(self._monotonic(), order.limit, anew=anew)
        self.staged = order
        self.staged_changed.emit(order)

    # --- preview

    def preview(self, request: OrderRequest) -> None:
        """Ask the gate about an order of the ticket."""
        self._tasks.start(self._preview_request(request), "preview")

    async def _preview_request(self, request: OrderRequest) -> None:
        try:
            receipt = await self._bridge.send(PreviewOrder(request=request))
        except (EngineUnavailable, OSError) as error:
            log.info("no preview: %s", error)
            return
        verdict = read_verdict(receipt)
        if verdict is not None:
            self.judged.emit(verdict, request)

    # --- sending

    def send(self) -> None:
        """Send the staged order, once."""
        order = self._need_staged()
        if reason := self.blocked(order.symbol):
            raise Refusal(reason)
        if self.sending(order):
            raise Refusal("it is being sent: wait for the answer")
        if order.joins:
            order = at_limit(order, self._read_limit(order))
            self._set(order)
        self._guard.take_off(order.intent)
        self.sending_changed.emit(True)
        self._tasks.start(self._send(order.intent, order.symbol, order.command(), order.say()), "send order")

    def _read_limit(self, order: StagedOrder) -> Decimal:
        return self._shown.limit(self._monotonic(), order.side, order.limit)

    def hold_still(self) -> None:
        """Follow the quote no more, at the limit that was read: what is confirmed is what is sent."""
        order = self.staged
        if order is not None and order.joins and not self.sending(order):
            self._set(move_leg(order, Leg.ENTRY, self._read_limit(order)))

    def send_request(self, request: OrderRequest) -> None:
        """Send an order of the ticket, once per intent."""
        reason = "" if request.reduce_only else self.blocked(request.symbol)
        if reason:
            self.sent.emit(request.intent_id, False, reason, ())
            return
        if not request.intent_id:
            request = msgspec.structs.replace(request, intent_id=IntentId(self._intents.mint()))
        if not self._guard.take_off(request.intent_id):
            return
        self.sending_changed.emit(True)
        say = f"{request.side.value} {request.quantity.normalize():f} {request.symbol}"
        self._tasks.start(self._send(request.intent_id, request.symbol, PlaceOrder(request=request), say), "send order")

    async def _send(self, intent: str, symbol: str, command: PlaceOrder | ModifyOrder, say: str) -> None:
        try:
            receipt = await self._bridge.send(command)
        except (EngineUnavailable, OSError, msgspec.MsgspecError) as error:
            # The order may have left. Its intent stays in flight for good and its symbol is closed to further entries
            # until the engine has shown its orders again.
            self._unconfirmed[symbol] = say
            text = f"{say}: not confirmed, do not re-enter ({error})"
            self.said.emit("bad", text)
            self._drop_sent(intent)
            self.sent.emit(intent, False, text, ())
            return
        finally:
            self.sending_changed.emit(False)
        self._guard.land(intent)
        if receipt.ok:
            log.info("%s: %s", say, receipt.text or "accepted")  # the blotter shows it; a note waits for the fill
            self._drop_sent(intent)
            self.sent.emit(intent, True, told(receipt.text), ())
            return
        reasons = " · ".join(f"{denial.code} {told(denial.text)}" for denial in receipt.denials)
        text = reasons or told(receipt.text) or receipt.code
        self.said.emit("bad", f"{say}: {text}")
        if self.staged is not None and self.staged.intent == intent:
            # A refusal ends the intent; another press is another one.
            self._set(replace(self.staged, intent=self._intents.mint()))
        self.sent.emit(intent, False, text, receipt.denials)

    def _drop_sent(self, intent: str) -> None:
        if self.staged is not None and self.staged.intent == intent:
            self.staged = None
            self.staged_changed.emit(None)

    # --- reducing

    def cancel(self, ref: str) -> None:
        """Cancel one order."""
        self.fire(CancelOrder(ref=OrderRef(ref)))

    def cancel_last(self) -> None:
        """Cancel the newest own entry that works, whatever its symbol."""
        rows = [row for row in self._bridge.mirror.working() if not row.external and row.leg in ("", "entry")]
        if not rows:
            raise Refusal("no working entry to cancel")
        self.cancel(rows[-1].key)

    def cancel_symbol(self) -> None:
        """Cancel every entry of the displayed symbol; protective stops stay."""
        self.fire(CancelAll(symbol=Symbol(self._need_symbol()), by="hotkey"))

    def exit(self, fraction: Decimal, symbol: str = "") -> None:
        """Close a fraction of the position, reduce-only."""
        symbol = symbol or self._need_symbol()
        position = self._bridge.mirror.position(symbol)
        if position is None or position.quantity == 0:
            raise Refusal(f"{symbol}: no position to close")
        intent = IntentId(self._intents.mint())
        self.fire(Flatten(symbol=Symbol(symbol), fraction=fraction, intent_id=intent, by="hotkey"))

    def reverse(self, symbol: str = "") -> None:
        """Close the position, and stage as much of the other side; that is sent like any order, once this is flat."""
        symbol = symbol or self._need_symbol()
        position, price = self._bridge.mirror.position(symbol), self._bridge.mirror.price(symbol)
        self.exit(Decimal(1), symbol)
        if position is None or price is None:
            raise Refusal(f"{symbol}: no price yet")
        side = Side.SELL if position.quantity > 0 else Side.BUY
        try:
            self._set(stage(self._intents.mint(), side, price, abs(position.quantity)))
        except ValueError as error:
            raise Refusal(str(error)) from error

    def set_stop(self, symbol: str) -> None:
        """Stage a change of the stop of a position; where there is none, offer one to complete in the ticket."""
        mirror = self._bridge.mirror
        position, price = mirror.position(symbol), mirror.price(symbol)
        if position is None or not position.quantity:
            raise Refusal(f"{symbol}: no position to protect")
        stop = next((row for row in mirror.working(symbol) if row.leg == "stop" and movable(row)), None)
        if stop is None:
            self.offered.emit(protection(self._intents.mint(), symbol, position.quantity), None)
            return
        if price is None:
            raise Refusal(f"{symbol}: no price yet, so no tick size")
        try:
            self._set(stage_change(self._intents.mint(), stop, exact(price.tick)))
        except ValueError as error:
            raise Refusal(str(error)) from error

    def stop_to_even(self) -> None:
        """Move the protective stop of the displayed symbol to where it pays its fees; only ever tighter."""
        symbol = self._need_symbol()
        mirror = self._bridge.mirror
        stops = [row for row in mirror.working(symbol) if row.leg == "stop"]
        try:
            even = even_stop(mirror.position(symbol), mirror.price(symbol), stops, symbol)
        except ValueError as error:
            raise Refusal(str(error)) from error
        for row in stops:
            self.modify(row.key, stop_price=even)

    def modify(self, ref: str, *, limit_price: Decimal | None = None, stop_price: Decimal | None = None) -> None:
        """Change the price of a working order."""
        intent = IntentId(self._intents.mint())
        self.fire(ModifyOrder(ref=OrderRef(ref), intent_id=intent, limit_price=limit_price, stop_price=stop_price))

    # --- follow

    def _on_quotes(self, _block: object) -> None:
        if not self._rest.isActive():
            self._follow()

    def _follow(self) -> None:
        order = self.staged
        if order is None or not order.joins:
            return
        price = self._bridge.mirror.price(order.symbol)
        if price is not None and (moved := follow_quote(order, price)) is not order and not self.sending(order):
            self._set(moved)
            self._rest.start()

    def sending(self, order: StagedOrder) -> bool:
        """Whether an order is on its way to the engine: it is what was sent, whatever the quotes do."""
        return self._guard.flies(order.intent)

    def _on_rows(self, table: str, _rows: object, _removed: object, reset: bool) -> None:
        if table == "orders" and reset:
            self._unconfirmed.clear()

    def _need_symbol(self) -> str:
        symbol = self._symbol()
        if not symbol:
            raise Refusal("choose a symbol first")
        return symbol

    def _need_staged(self) -> StagedOrder:
        if self.staged is None:
            raise Refusal("nothing is staged: stage a buy or a sell first")
        return self.staged

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self.said.emit("bad", f"{name} failed inside the window: {error}")

    async def close(self) -> None:
        self._rest.stop()
        await self._tasks.close()
