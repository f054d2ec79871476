"""The exchange side: triggers, fills, OCA groups, brackets, the close and the expiry of orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.tws_gateway.clock import parse_order_time
from tests.support.tws_gateway.ledger import Execution
from tests.support.tws_gateway.market import Book
from tests.support.tws_gateway.matching import (
    AT_CLOSE,
    LIMITED,
    STOPS,
    TOUCHES,
    closing_price,
    fill_price,
    trail,
    triggers,
)
from tests.support.tws_gateway.orders import Order

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway


class Engine:
    """Works the live orders of the ledger against the market."""

    def __init__(self, gateway: TwsGateway) -> None:
        self._gateway = gateway
        self.auto_fill = True
        """False: orders rest until the test calls `fill`."""

    # -- market ----------------------------------------------------------------------------

    def on_market(self, con_id: int, kind: str) -> None:
        for order in self._gateway.ledger.live_orders():
            if order.contract.con_id == con_id:
                self.work(order)

    def work(self, order: Order) -> None:
        """Trigger and fill one order as far as the market allows now."""
        gateway = self._gateway
        if not order.working or order.terms.kind in AT_CLOSE or order.executable() <= 0 or not self._open_for(order):
            return
        book = gateway.market.book(order.contract.con_id)
        if not self._triggered(order, book) or not self.auto_fill:
            return
        price = fill_price(order, book)
        if price is None:
            return
        quantity = order.executable()
        if book.budget is not None:
            if order.terms.tif == "FOK" or order.terms.flag("allOrNone"):
                quantity = quantity if quantity <= book.budget else Decimal(0)
            quantity = min(quantity, book.budget)
            book.budget -= quantity
        if quantity > 0:
            self.fill(order, quantity, price)

    def _open_for(self, order: Order) -> bool:
        if self._gateway.market.session_open or order.contract.sec_type in ("CASH", "FUT"):
            return True
        return order.terms.flag("outsideRth") and order.terms.kind in LIMITED

    def _triggered(self, order: Order, book: Book) -> bool:
        kind = order.terms.kind
        if kind not in STOPS | TOUCHES or order.triggered:
            return True
        if book.halted:
            return False
        if kind.startswith("TRAIL"):
            moved = trail(order, book)
            if triggers(order, book):
                self._trigger(order)
                return True
            order.trail_stop = moved
            return False
        if triggers(order, book):
            self._trigger(order)
            return True
        return False

    def _trigger(self, order: Order) -> None:
        order.triggered, order.status = True, "Submitted"
        offset = order.terms.number("lmtPriceOffset")
        if order.terms.kind == "TRAIL LIMIT" and order.trail_stop is not None and offset is not None:
            order.terms.raw["lmtPrice"] = str(order.trail_stop + order.terms.sign * offset)
        self._gateway.reports.order(order)

    # -- fills -----------------------------------------------------------------------------

    def fill(self, order: Order, quantity: Decimal, price: Decimal) -> Execution:
        """Execute a quantity at a price and tell everybody."""
        gateway = self._gateway
        where = {"ref": order.ref, "symbol": order.contract.symbol, "client_id": order.client_id}
        if quantity >= order.remaining:
            over = gateway.faults.hit("overfill", **where)
            quantity += Decimal(str(over["extra"])) if over else 0
        execution = gateway.ledger.book(order, quantity, price, gateway.clock.now_ns())
        was_done = order.status == "Cancelled"
        if order.remaining <= 0:
            order.status, order.done_ns, order.why_held = "Filled", gateway.clock.now_ns(), ""
        elif not was_done and order.status != "PendingCancel":
            order.status = "Submitted"
        gateway.reports.execution(execution)
        gateway.reports.order(order)
        notice = gateway.faults.hit("notice", **where, when="fill")
        if notice:
            gateway.reports.error(order, notice["code"], notice["text"])
        gateway.reports.commission(execution)
        if order.status == "Filled" and gateway.faults.hit("stale_status", **where):
            gateway.reports.status(order, "Submitted")
        gateway.reports.position(order.account, order.contract.con_id)
        self._correct_later(execution)
        self._after_fill(order, quantity)
        gateway.faults.event("fill", **where)
        return execution

    def _correct_later(self, execution: Execution) -> None:
        fault = self._gateway.faults.hit("correct_execution", ref=execution.ref, symbol=execution.contract.symbol)
        if fault:
            price = execution.price + Decimal(str(fault["offset"]))
            exec_id = execution.exec_id
            if fault["seconds"]:
                self._gateway.later(float(fault["seconds"]), lambda: self.correct(exec_id, price))
            else:
                self.correct(exec_id, price)

    def correct(self, exec_id: str, price: Decimal, shares: Decimal | None = None) -> Execution:
        """Replace an execution by its next version and report it."""
        gateway = self._gateway
        new = gateway.ledger.correct(exec_id, price, shares, gateway.clock.now_ns())
        gateway.reports.execution(new)
        gateway.reports.commission(new)
        gateway.reports.position(new.account, new.contract.con_id)
        return new

    def group(self, order: Order) -> tuple[list[Order], int]:
        """The other live members of the order's OCA group and its type (children of one parent: type 3)."""
        live = [o for o in self._gateway.ledger.live_orders() if o is not order and o.account == order.account]
        name = order.terms["ocaGroup"]
        if name:
            return [o for o in live if o.terms["ocaGroup"] == name], int(order.terms["ocaType"] or 1) or 1
        if order.parent is not None:
            return [o for o in live if o.parent is order.parent], 3
        return [], 0

    def _after_fill(self, order: Order, quantity: Decimal) -> None:
        others, kind = self.group(order)
        for other in others:
            if kind == 1 or other.remaining <= quantity:
                self.finish(other, "Cancelled", "OCA group cancelled", spread=False)
            else:
                other.quantity -= quantity
                self._gateway.reports.order(other)
        for child in self._gateway.ledger.children(order):
            if child.live and not child.draft:
                if child.why_held == "child":
                    child.why_held = ""
                    child.status = self.nominal(child)
                    self._gateway.reports.order(child)
                self.work(child)

    # -- states ----------------------------------------------------------------------------

    def nominal(self, order: Order) -> str:
        """The status of a live order that nobody interferes with."""
        waiting = order.terms.kind in (STOPS | TOUCHES) and not order.triggered
        child = order.parent is not None and order.parent.filled == 0
        return "PreSubmitted" if order.held or waiting or child or order.terms.kind in AT_CLOSE else "Submitted"

    def finish(self, order: Order, status: str, reason: str, code: int = 202, spread: bool = True) -> None:
        """End an order; its children end with it, and so do its siblings when `spread`."""
        if not order.live:
            return
        gateway = self._gateway
        siblings = self.group(order)[0] if spread and gateway.config.oca_cancels_siblings else []
        was_draft, order.draft = order.draft, False
        order.status, order.done_ns, order.reason, order.why_held = status, gateway.clock.now_ns(), reason, ""
        if not was_draft:
            gateway.reports.status(order)
        gateway.reports.error(order, code, f"Order Canceled - reason:{reason}")
        for other in [*(c for c in gateway.ledger.children(order) if order.filled == 0), *siblings]:
            self.finish(other, status, "", code, spread=False)

    def end_at_once(self, order: Order) -> None:
        """IOC and FOK: what did not fill is cancelled."""
        if order.live and order.terms.tif in ("IOC", "FOK") and order.working:
            self.finish(order, "Cancelled", "")

    # -- sessions and time -----------------------------------------------------------------

    def close_market(self) -> None:
        """The closing auction, then DAY orders end with 202."""
        gateway = self._gateway
        for order in gateway.ledger.live_orders():
            if order.working and order.terms.kind in AT_CLOSE:
                price = closing_price(order, gateway.market.book(order.contract.con_id))
                if price is not None:
                    self.fill(order, order.remaining, price)
        gateway.market.session_open = False
        for order in gateway.ledger.live_orders():
            if order.terms.tif in ("DAY", "OPG", "IOC", "FOK") and not order.draft:
                self.finish(order, "Cancelled", "", spread=False)

    def open_market(self) -> None:
        """Orders that waited for the session go to the exchange."""
        gateway = self._gateway
        gateway.market.session_open = True
        for order in gateway.ledger.live_orders():
            if order.held and not order.frozen:
                self.release(order)

    def release(self, order: Order) -> None:
        """A held, located or inactive order becomes live."""
        if order.terms["goodAfterTime"] and parse_order_time(order.terms["goodAfterTime"]) > self._gateway.clock.now():
            return
        order.held = order.frozen = False
        order.why_held = "child" if order.parent is not None and order.parent.filled == 0 else ""
        order.status = self.nominal(order)
        self._gateway.reports.order(order)
        self.work(order)
        if order.terms.tif == "OPG":
            self.finish(order, "Cancelled", "")

    def expire_due(self) -> None:
        """GTD orders past their time end; GAT orders past theirs start."""
        now = self._gateway.clock.now()
        for order in self._gateway.ledger.live_orders():
            till, after = order.terms["goodTillDate"], order.terms["goodAfterTime"]
            if order.terms.tif == "GTD" and till and parse_order_time(till) <= now:
                self.finish(order, "Cancelled", "", spread=False)
            elif order.held and after and parse_order_time(after) <= now and self._gateway.market.session_open:
                self.release(order)
