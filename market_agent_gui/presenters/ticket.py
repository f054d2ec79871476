"""The ticket and the staged order are one: what is typed here casts the ghost, what the keys stage is read here."""

import logging
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from engine.api.client import EngineUnavailable
from engine.api.commands import GetCapabilities
from engine.api.rows import OrderRow, QuoteRow, StateRow
from engine.api.wire import Follow
from engine.model.decision import Denial, Verdict
from engine.model.order import OrderRequest, OrderType
from market_agent_gui.actions import key_text
from market_agent_gui.bridge import LinkState
from market_agent_gui.keys.arming import Arming
from market_agent_gui.keys.confirming import Act
from market_agent_gui.keys.staging import StagedOrder
from market_agent_gui.loop import TaskOwner
from market_agent_gui.mode_frame import account_tail
from market_agent_gui.presenters.around import around_of
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.words import told

if TYPE_CHECKING:
    from widgets.ticket_change import OrderChange
    from widgets.ticket_extras import Algo
    from widgets.ticket_preset import Filling

MARKET_MS = 100

log = logging.getLogger(__name__)


class TicketPresenter(PanePresenter):
    dock = "ticket"
    tables = ("quotes", "positions", "orders")

    def __init__(self, services: Services, arming: Arming) -> None:
        super().__init__(services)
        self._arming = arming
        self._staged_intent = ""
        self._agreeing = False
        """The ticket and the staged order are being made the same: neither answers the other meanwhile."""
        self._algos: tuple[Algo, ...] = ()
        self._tasks = TaskOwner(self._on_task_error)

    def make(self) -> QWidget:
        from widgets.order_ticket import OrderTicket

        entry = self.services.entry
        self._ticket = ticket = OrderTicket(entry.mint)
        ticket.setProperty("ownsKeys", True)
        ticket.preview_wanted.connect(entry.preview)
        ticket.send_wanted.connect(self._on_send)
        ticket.dropped.connect(entry.drop)
        ticket.draft_changed.connect(self._on_draft)
        ticket.symbol_typed.connect(self.choose)
        ticket.change_wanted.connect(self._send_change)
        ticket.flatten_wanted.connect(self._on_flatten)
        self.services.presets.attach(ticket)
        self.services.presets.ranges.changed.connect(lambda symbol: symbol == self.symbol and self._show_market())
        entry.staged_changed.connect(self._on_staged)
        entry.offered.connect(self._on_offered)
        entry.judged.connect(self._on_judged)
        entry.sent.connect(self._on_sent)
        self._arming.changed.connect(self._show_armed)
        self.services.confirming.waiting_changed.connect(self._show_armed)
        self._due = QTimer(self, singleShot=True, interval=MARKET_MS)
        self._due.timeout.connect(self._show_market)
        self.services.bridge.quotes.connect(lambda _block: self._due.isActive() or self._due.start())
        self.services.bridge.link_changed.connect(self._on_link)
        self.services.bridge.silence_changed.connect(lambda _silent: self._show_market())
        if self.services.bridge.link is LinkState.UP:
            self._tasks.start(self._ask_offer(), "ask what the broker offers")
        self.feed("state", lambda rows, _removed, _reset: self._on_state(rows))
        self.feed("positions", lambda *_: self._show_position())
        self.feed("quotes", lambda rows, _removed, _reset: self._on_instruments(rows))
        self._show_armed()
        return ticket

    def wish(self) -> Follow:
        return Follow(tables=self.tables, quotes=True)

    def on_symbol(self, symbol: str) -> None:
        self._ticket.open_symbol(symbol)
        self._show_market()
        self._show_position()

    def retranslate(self) -> None:
        self._show_armed()

    async def close(self) -> None:
        if self.pane is not None:
            self._due.stop()
        await self._tasks.close()

    # --- what the broker offers

    def _on_link(self, state: str, _text: str) -> None:
        self._show_market()
        if state == LinkState.UP.value:
            self._tasks.start(self._ask_offer(), "ask what the broker offers")

    async def _ask_offer(self) -> None:
        from market_agent_gui.presenters.reading import algos, names

        try:
            receipt = await self.services.bridge.send(GetCapabilities())
        except (EngineUnavailable, OSError) as error:
            log.info("what the broker offers is not known: %s", error)
            return
        if not receipt.ok:
            self.services.say("warn", told(receipt.text))
            return
        self._algos = algos(receipt)
        types, tifs = names(receipt, "order_types"), names(receipt, "tifs")
        self._ticket.offer(types, tifs, self._algos)
        self.services.presets.offer(types, tifs)
        self._show_market()

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self.services.say("bad", say("{what} failed inside the window: {reason}", what=name, reason=error))

    # --- one order

    def _on_draft(self, request: OrderRequest | None) -> None:
        staged = self.services.entry.staged
        if self._agreeing or (staged is not None and staged.ref):
            return  # what the keys staged stays, also where the ticket finds something wrong with it
        self._agreeing = True
        try:
            self.attempt(lambda: self.services.entry.stage_request(request))
        finally:
            self._agreeing = False

    def _on_send(self, request: OrderRequest) -> None:
        if self.services.keys.rehearsing:
            self._ticket.sent(False, say("rehearsal: nothing is sent"))
        else:
            asks = self.services.confirming
            waits = asks.run(
                lambda: asks.subjects.request(request, Act.TICKET),
                lambda: self._let_out(request),
                self._ticket.give_back,
            )
            self._ticket.ask_person(waits)

    def _let_out(self, request: OrderRequest) -> None:
        self._ticket.ask_person(False)
        self.services.entry.send_request(request)

    def _on_flatten(self, symbol: str) -> None:
        asks = self.services.confirming
        asks.run(
            lambda: asks.subjects.exit(symbol, Decimal(1)),
            lambda: self.services.entry.exit(Decimal(1), symbol),
        )

    def _on_offered(self, request: OrderRequest, filling: "Filling | None") -> None:
        """Open an order in the ticket; where it lacks its trigger, ready to type it."""
        self.choose(request.symbol)
        self.services.show_pane(self.dock)
        filled = (filling.sources, filling.left) if filling is not None else ((), ())
        self._ticket.open_request(request, "", *filled)
        lacks = request.stop_price is None and self._ticket.sentence.trigger.isVisibleTo(self._ticket)
        (self._ticket.sentence.trigger if lacks else self._ticket.send).setFocus()

    def _show_position(self) -> None:
        held = self.services.bridge.mirror.position(self.symbol) if self.symbol else None
        self._ticket.set_position(held.quantity if held is not None else Decimal(0))

    def _on_staged(self, order: StagedOrder | None) -> None:
        before, self._staged_intent = self._staged_intent, order.intent if order is not None else ""
        self._ticket.set_change(self._change_of(order) if order is not None and order.ref else None)
        if self._agreeing:
            return  # half a price casts no ghost, and empties no ticket
        self._agreeing = True
        try:
            if order is None:
                if before and self._ticket.draft.intent == before:
                    self._ticket.drop()
            elif not order.ref:
                strategy = order.base.strategy if order.base is not None else ""
                self._ticket.open_request(order.request(), strategy, order.preset, order.preset_left)
        finally:
            self._agreeing = False

    def _change_of(self, order: StagedOrder) -> "OrderChange":
        from widgets import formats
        from widgets.ticket_change import OrderChange

        row = self.services.bridge.mirror.rows("orders").get(order.ref)
        size, price = order.quantity, order.limit
        if isinstance(row, OrderRow):
            size = row.quantity
            standing = row.limit_price if row.limit_price is not None else row.stop_price
            price = order.limit if standing is None else standing
        named = say("stop") if order.order_type in (OrderType.STOP, OrderType.TRAIL) else say("limit")
        parts = [(named, formats.price(price, order.tick), formats.price(order.limit, order.tick))]
        parts.append((say("size"), formats.quantity(size), formats.quantity(order.quantity)))
        words = f"{say(order.side.value)} {formats.quantity(size)} {order.symbol}"
        return OrderChange(order=words, ref=order.ref, parts=tuple(parts))

    def _send_change(self) -> None:
        entry, asks = self.services.entry, self.services.confirming
        asks.run(lambda: asks.subjects.staged(entry.staged, Act.TICKET) if entry.staged else None, entry.send)

    def _on_judged(self, verdict: Verdict, request: OrderRequest) -> None:
        state = self.services.bridge.mirror.state()
        self._ticket.set_verdict(verdict, request, state.risk_used if state is not None else None)

    def _on_sent(self, intent: str, ok: bool, text: str, denials: tuple[Denial, ...]) -> None:
        if self._ticket.draft.intent == intent:
            self._ticket.sent(ok, text, denials)
            if not ok:
                self._on_draft(self._ticket.request())  # what is staged is the same order still, under its new name

    # --- around

    def _show_market(self) -> None:
        mirror, symbol = self.services.bridge.mirror, self.symbol
        self._ticket.flatten.key = key_text(self.services.keys.keys.key("exit_all"))
        atr = self.services.presets.ranges.get(symbol)
        self._ticket.set_market(around_of(mirror, symbol, atr=atr, algos=self._algos))
        self._ticket.set_blocked("", self.services.entry.blocked(symbol) if symbol else "")

    def _on_instruments(self, rows: tuple[QuoteRow, ...]) -> None:
        """Tick and multiplier of a symbol may come after it was chosen."""
        if any(row.key == self.symbol for row in rows):
            self._show_market()

    def _on_state(self, rows: tuple[StateRow, ...]) -> None:
        for row in rows:
            self._ticket.set_book(row.book, account_tail(row.account))
        self._show_market()

    def _show_armed(self) -> None:
        from widgets.formats import duration

        if self.services.confirming.order_waits:
            key = key_text(self.services.keys.keys.key("send"))
            self._ticket.set_armed(say("{key} again sends it", key=key), False)
        elif self._arming.armed:
            self._ticket.set_armed(say("keys armed {left}", left=duration(self._arming.left_s)), True)
        else:
            self._ticket.set_armed(say("keys disarmed: {reason}", reason=self._arming.reason), False)
