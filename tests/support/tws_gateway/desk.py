"""placeOrder and cancelOrder: checks, faults, books, acknowledgement."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.support.tws_gateway import rules
from tests.support.tws_gateway.clock import parse_order_time
from tests.support.tws_gateway.contracts import Contract, ContractQuery
from tests.support.tws_gateway.ledger import Refusal, commission_of
from tests.support.tws_gateway.matching import LIMITED
from tests.support.tws_gateway.order_codec import Margin
from tests.support.tws_gateway.orders import Order, Terms

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway
    from tests.support.tws_gateway.session import Session

Context = dict[str, Any]
READ_ONLY = "Error validating request.-'bW' : cause - The API interface is currently in Read-Only mode."


class Desk:
    """Turns order requests into entries of the ledger."""

    def __init__(self, gateway: TwsGateway) -> None:
        self._gateway = gateway
        self._limbo: list[tuple[Session, int, ContractQuery, Terms]] = []
        self.restarted_at = 0
        """Finished orders with a smaller number are forgotten: their ids may be used again."""

    # -- place -----------------------------------------------------------------------------

    def place(self, session: Session, order_id: int, query: ContractQuery, terms: Terms) -> None:
        """Handle one placeOrder frame."""
        gateway, faults = self._gateway, self._gateway.faults
        where: Context = {
            "ref": terms.ref,
            "symbol": query.symbol,
            "client_id": session.client_id,
            "order_id": order_id,
        }
        gateway.note_order_id(session.client_id, order_id)
        if terms.flag("whatIf") and not faults.hit("what_if_works", **where):
            self._what_if(session, order_id, query, terms, where)
            return
        live = self._live(session.client_id, order_id)
        faults.event("modify" if live else "place", **where)
        if session.closed or session.half_open:
            return
        if faults.hit("drop_before_accept", **where):
            session.abort()
            return
        if faults.hit("lost_order", **where):
            return
        if not gateway.link_up:
            if gateway.limbo_keeps_orders:
                self._limbo.append((session, order_id, query, terms))
            return
        if live:
            self._modify(session, live, query, terms, where)
        else:
            self._new(session, order_id, query, terms, where)

    def release_limbo(self) -> None:
        """Orders swallowed during an outage reach IB after all."""
        limbo, self._limbo = self._limbo, []
        for session, order_id, query, terms in limbo:
            self.place(session, order_id, query, terms)

    def _live(self, client_id: int, order_id: int) -> Order | None:
        for order in reversed(self._gateway.ledger.orders):
            if order.client_id == client_id and order.order_id == order_id and order.live:
                return order
        return None

    def _refuse(self, session: Session, order_id: int, ref: str, what: str, code: int, text: str) -> None:
        now = self._gateway.clock.now_ns()
        self._gateway.ledger.refusals.append(Refusal(now, session.client_id, order_id, ref, what, code, text))
        session.error(order_id, code, text)

    def _contract(self, query: ContractQuery) -> Contract | None:
        found = self._gateway.universe.find(query)
        return found[0] if len(found) == 1 else None

    def _check(self, query: ContractQuery, terms: Terms) -> tuple[Contract | None, rules.Verdict]:
        gateway = self._gateway
        if gateway.config.read_only or gateway.faults.hit("read_only", ref=terms.ref):
            return None, (321, READ_ONLY)
        contract = self._contract(query)
        if contract is None:
            return None, (200, "No security definition has been found for the request")
        verdict = rules.check_account(terms["account"], gateway.accounts) or rules.check_terms(terms, contract)
        return contract, verdict

    def _new(self, session: Session, order_id: int, query: ContractQuery, terms: Terms, where: Context) -> None:
        gateway, ledger = self._gateway, self._gateway.ledger
        contract, verdict = self._check(query, terms)
        old = ledger.find(session.client_id, order_id)
        if old is not None and old.number > self.restarted_at:
            verdict = (104, "Can't modify a filled order.") if old.status == "Filled" else (103, "Duplicate order id")
        account = terms["account"] or gateway.accounts[0]
        parent = ledger.find(session.client_id, terms.parent_id) if terms.parent_id else None
        if verdict is None and terms.parent_id and (parent is None or not parent.live):
            verdict = (135, f"Can't find order with id ={terms.parent_id}")
        if verdict is None and contract is not None:
            limit = gateway.config.max_working_per_side
            verdict = rules.too_many(ledger.live_orders(), limit, contract, terms["action"], account)
        if verdict is not None or contract is None:
            self._refuse(session, order_id, terms.ref, "new", *(verdict or (200, "No security definition")))
            return
        reject = gateway.faults.hit("reject", **where)
        if reject:
            self._reject(session, order_id, contract, terms, account, reject)
            return
        order = self._enter(session.client_id, order_id, account, contract, terms)
        order.parent = parent
        if not terms.flag("transmit"):
            order.draft, order.status = True, "Inactive"
            return
        if gateway.faults.hit("drop_after_accept", **where):
            session.abort()
        self._transmit_family(order, where)

    def _reject(
        self, session: Session, order_id: int, contract: Contract, terms: Terms, account: str, fault: Any
    ) -> None:
        gateway = self._gateway
        order = Order(0, gateway.ledger.take_perm_id(), session.client_id, order_id, account, contract, terms, 0)
        order.status, order.quantity = str(fault["status"]), terms.quantity
        if fault["style"] == "status_first":
            gateway.reports.status_to(session, order)
        self._refuse(session, order_id, terms.ref, "new", int(fault["code"]), str(fault["text"]))
        if fault["style"] == "error_first":
            gateway.reports.status_to(session, order)

    def _enter(self, client_id: int, order_id: int, account: str, contract: Contract, terms: Terms) -> Order:
        ledger = self._gateway.ledger
        order = Order(
            number=len(ledger.orders) + 1,
            perm_id=ledger.take_perm_id(),
            client_id=client_id,
            order_id=order_id,
            account=account,
            contract=contract,
            terms=terms,
            created_ns=self._gateway.clock.now_ns(),
            quantity=terms.quantity,
            trail_stop=terms.number("trailStopPrice"),
        )
        terms.raw["tif"] = terms.tif
        ledger.add(order)
        return order

    def enter_manual(self, account: str, contract: Contract, terms: Terms) -> Order:
        """An order made by hand in TWS: client 0, orderId 0, known by its permId alone."""
        order = self._enter(0, 0, account, contract, terms)
        self._acknowledge(order, {"ref": "", "symbol": contract.symbol, "client_id": 0, "order_id": 0})
        return order

    def _transmit_family(self, order: Order, where: Context) -> None:
        """Transmitting one member transmits the parent and all drafts below it."""
        top = order.parent or order
        family = [top, *(o for o in self._gateway.ledger.children(top) if o is not order and o.draft)]
        members = [o for o in family if o.draft and o is not order]
        for member in [*members, order]:
            member.draft = False
        for member in [*members, order]:
            self._acknowledge(member, {**where, "ref": member.ref, "order_id": member.order_id})

    def _acknowledge(self, order: Order, where: Context) -> None:
        gateway, faults, engine = self._gateway, self._gateway.faults, self._gateway.engine
        notes = self._initial_state(order, where)
        silent = faults.hit("silent_accept", **where)
        if silent:
            order.silent, order.hidden = True, bool(silent["hidden"])
            gateway.later(float(silent["seconds"]), lambda: self._speak(order))
        late_open = bool(faults.hit("execution_first", **where))
        if not late_open:
            gateway.reports.order(order)
        for code, text in notes:
            gateway.reports.error(order, code, text)
        far = gateway.market.book(order.contract.con_id)
        if rules.collar(order.terms, far.ask if order.terms.is_buy else far.bid, gateway.config.collar_percent):
            engine.finish(order, "Cancelled", "Limit price too far outside of NBBO")
            return
        twin = None
        if faults.hit("two_perm_ids", **where, when="new"):
            twin = self._twin(order)
        faults.event("accept", **where)
        for each in filter(None, (order, twin)):
            engine.work(each)
            engine.end_at_once(each)
        if late_open:
            gateway.reports.order(order)

    def _twin(self, order: Order) -> Order:
        """A second live order under the same client, order id and orderRef."""
        ledger = self._gateway.ledger
        twin = replace(order, number=len(ledger.orders) + 1, perm_id=ledger.take_perm_id())
        ledger.add(twin)
        self._gateway.reports.order(twin)
        return twin

    def _initial_state(self, order: Order, where: Context) -> list[tuple[int, str]]:
        """Set held, frozen and status; returns the notes that go with the acknowledgement."""
        gateway, faults, terms = self._gateway, self._gateway.faults, order.terms
        notes: list[tuple[int, str]] = []
        side = "BUY" if terms.is_buy else "SELL"
        what = (
            f"Order Message:\n{side} {order.quantity} {order.contract.symbol} {order.contract.trading_class}\nWarning: "
        )
        closed = not gateway.market.session_open and order.contract.sec_type not in ("CASH", "FUT")
        outside = terms.flag("outsideRth")
        if closed and not (outside and terms.kind in LIMITED):
            order.held = True
            notes.append((399, what + "Your order will not be placed at the exchange until the next regular session."))
        if (outside and terms.kind not in LIMITED) or faults.hit("ignored_2109", **where):
            notes.append((2109, "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored."))
        if terms.tif == "OPG":
            order.held = True
        if terms["goodAfterTime"] and parse_order_time(terms["goodAfterTime"]) > gateway.clock.now():
            order.held = True
        if faults.hit("held_399", **where):
            order.held = True
            order.frozen = True
            notes.append((399, what + "Your order is held."))
        if order.parent is not None and order.parent.filled == 0:
            order.why_held = "child"
        order.status = gateway.engine.nominal(order)
        locate = faults.hit("locate_404", **where)
        if locate:
            order.frozen, order.why_held, order.status = True, "locate", "PreSubmitted"
            notes.append((404, "Shares for this order are not immediately available for short sale."))
            if locate["seconds"] is not None:
                gateway.later(float(locate["seconds"]), lambda: gateway.engine.release(order))
        inactive = faults.hit("inactive", **where)
        if inactive:
            order.frozen, order.status, order.why_held = True, "Inactive", str(inactive["why_held"])
        notice = faults.hit("notice", **where, when="new")
        if notice:
            notes.append((notice["code"], notice["text"]))
        return notes

    def _speak(self, order: Order) -> None:
        """The late acknowledgement of a silent order, with everything that happened meanwhile."""
        order.silent = False
        reports = self._gateway.reports
        reports.order(order)
        for execution in self._gateway.ledger.executions:
            if execution.order is order:
                reports.execution(execution)
                reports.commission(execution)

    # -- what-if ---------------------------------------------------------------------------

    def _what_if(self, session: Session, order_id: int, query: ContractQuery, terms: Terms, where: Context) -> None:
        gateway = self._gateway
        contract, verdict = self._check(query, terms)
        refused = gateway.faults.hit("what_if_refused", **where)
        if refused:
            verdict = (refused["code"], refused["text"])
        if verdict is not None or contract is None:
            self._refuse(session, order_id, terms.ref, "what-if", *(verdict or (200, "No security definition")))
            return
        account = terms["account"] or gateway.accounts[0]
        order = Order(0, 0, session.client_id, order_id, account, contract, terms, 0, quantity=terms.quantity)
        price = terms.limit or gateway.accounting.mark(contract)
        commission = commission_of(contract, terms.quantity, terms.quantity * price, Decimal(0))
        margin = gateway.accounting.what_if(account, contract, terms.sign * terms.quantity, commission)
        if gateway.faults.hit("what_if_unset", **where):
            margin = Margin()
        gateway.reports.open_to(session, order, margin, what_if=True)

    # -- modify ----------------------------------------------------------------------------

    def _modify(self, session: Session, order: Order, query: ContractQuery, terms: Terms, where: Context) -> None:
        gateway = self._gateway
        contract, verdict = self._check(query, terms)
        if verdict is None and contract is not None:
            verdict = rules.check_change(order, terms, contract)
        if verdict is None and terms.parent_id and order.parent is not None and not order.parent.live:
            # Seen at real gateways: an exit is changed without naming an entry that is over.
            verdict = (135, f"Can't find order with id = {terms.parent_id}")
        fault = gateway.faults.hit("reject_modify", **where)
        if verdict is None and fault:
            verdict = (fault["code"], fault["text"])
        if verdict is not None:
            self._refuse(session, order.order_id, terms.ref, "modify", *verdict)
            return
        if gateway.faults.hit("two_perm_ids", **where, when="modify"):
            order = self._twin(order)
        was_draft = order.draft
        terms.raw["tif"] = terms.tif
        order.terms, order.quantity = terms, terms.quantity
        if was_draft:
            if terms.flag("transmit"):
                self._transmit_family(order, where)
            return
        stop = terms.number("trailStopPrice")
        if stop is not None and not order.triggered:
            order.trail_stop = stop
        gateway.reports.order(order)
        notice = gateway.faults.hit("notice", **where, when="modify")
        if notice:
            gateway.reports.error(order, notice["code"], notice["text"])
        gateway.engine.work(order)
        gateway.engine.end_at_once(order)

    # -- cancel ----------------------------------------------------------------------------

    def cancel(self, session: Session, order_id: int) -> None:
        """Handle one cancelOrder frame."""
        gateway, faults = self._gateway, self._gateway.faults
        order = self._live(session.client_id, order_id)
        ref = order.ref if order else ""
        symbol = order.contract.symbol if order else ""
        where: Context = {"ref": ref, "symbol": symbol, "client_id": session.client_id, "order_id": order_id}
        faults.event("cancel", **where)
        if session.closed or session.half_open or not gateway.link_up or faults.hit("cancel_silent", **where):
            return
        if gateway.config.read_only or faults.hit("read_only", **where):
            self._refuse(session, order_id, ref, "cancel", 321, READ_ONLY)
            return
        if order is None:
            self._cancel_nothing(session, order_id)
            return
        notice = faults.hit("notice", **where, when="cancel")
        if notice:
            gateway.reports.error(order, notice["code"], notice["text"])
        fails = faults.hit("cancel_fails", **where)
        if fails:
            texts = {
                161: f"Cancel attempted when order is not in a cancellable state. Order permId ={order.perm_id}",
                10147: f"OrderId {order_id} that needs to be cancelled is not found.",
                10148: f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {order.status}.",
            }
            code = int(fails["code"])
            self._refuse(session, order_id, ref, "cancel", code, texts.get(code, "Cancel failed."))
            return
        slow = faults.hit("cancel_slow", **where)
        if slow:
            order.status = "PendingCancel"
            gateway.reports.status(order)
            gateway.later(float(slow["seconds"]), lambda: self._cancel_now(order, where))
            return
        self._cancel_now(order, where)

    def _cancel_nothing(self, session: Session, order_id: int) -> None:
        old = self._gateway.ledger.find(session.client_id, order_id)
        if old is None:
            code, text = 10147, f"OrderId {order_id} that needs to be cancelled is not found."
        else:
            code = 10148
            text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {old.status}."
        self._refuse(session, order_id, old.ref if old else "", "cancel", code, text)

    def _cancel_now(self, order: Order, where: Context) -> None:
        gateway, faults = self._gateway, self._gateway.faults
        if not order.live:
            return
        if order.frozen and order.status == "Inactive":
            order.status = "PreSubmitted"
        order.frozen = False
        if faults.hit("cancel_unfinished", **where):
            gateway.reports.error(order, 202, "Order Canceled - reason:")
            return
        if faults.hit("cancel_without_status", **where):
            order.status, order.done_ns = "Cancelled", gateway.clock.now_ns()
            gateway.reports.error(order, 202, "Order Canceled - reason:")
        else:
            gateway.engine.finish(order, "Cancelled", "")
        late = faults.hit("late_fill", **where)
        if late:
            quantity = order.remaining if late["quantity"] is None else Decimal(str(late["quantity"]))
            book = gateway.market.book(order.contract.con_id)
            price = order.terms.limit or book.last or book.mid or order.contract.price
            if late["seconds"]:
                gateway.later(float(late["seconds"]), lambda: gateway.engine.fill(order, quantity, price))
            else:
                gateway.engine.fill(order, quantity, price)

    def global_cancel(self) -> None:
        """Everybody's orders, manual ones included."""
        for order in list(self._gateway.ledger.orders):
            if order.live:
                self._cancel_now(order, {"ref": order.ref, "symbol": order.contract.symbol})
