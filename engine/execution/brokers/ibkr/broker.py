"""Interactive Brokers as a broker: cleared orders out, claims in. It believes the wire and nothing else."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from ib_async import CommissionReport as IbCommission
from ib_async import Contract, Execution, Order, OrderState

from engine.bus.clock import Clock, Timer
from engine.bus.errors import BrokerError, SettingsError
from engine.execution.brokers.ibkr import reading, wire_order
from engine.execution.brokers.ibkr.contracts import Catalogue, Contracts
from engine.execution.brokers.ibkr.link import Link
from engine.execution.brokers.ibkr.names import Name, Names
from engine.execution.brokers.ibkr.place import send_change, send_family, send_question
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.brokers.ibkr.survey import Found, OrderRow, Survey
from engine.execution.error_codes import classify
from engine.model.broker import BrokerCapabilities, WhatIf
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.money import ZERO
from engine.model.order import ClearedOrder, OrderRequest, OrderType, Origin, TimeInForce
from engine.model.position import Account
from engine.model.report import (
    AccountReport,
    AnyReport,
    BrokerPosition,
    BrokerSnapshot,
    BrokerStatus,
    CommissionReport,
    EchoReport,
    ErrorClass,
    ErrorReport,
    ExecutionReport,
    LinkReport,
    LinkState,
    OpenOrder,
    StatusReport,
)

ReportSink = Callable[[AnyReport], None]
_ACCOUNT_EVERY_S = 0.5
_CLOSING = (Origin.PROTECTIVE, Origin.FLATTEN)


class IbkrBroker:
    """A :class:`engine.execution.broker.Broker` over a :class:`Link`."""

    name = "ibkr"

    def __init__(self, clock: Clock, link: Link, settings: IbkrSettings, catalogue: Catalogue) -> None:
        """Raises ``SettingsError`` when the account is not named: nobody guesses which account is traded."""
        if not settings.account:
            raise SettingsError("ibkr.account: name the account to trade, such as DU1234567")
        self._clock = clock
        self._link = link
        self._settings = settings
        self.account_id = AccountId(settings.account)
        self.contracts = Contracts(catalogue)
        self._names = Names()
        self._survey = Survey(clock, link.pace, settings.read_timeout_s, settings.read_budget_s)
        self._sink: ReportSink | None = None
        self._values: dict[tuple[str, str], str] = {}
        self._account_whole = asyncio.Event()
        self._account_timer: Timer | None = None
        self._questions: dict[int, asyncio.Future[WhatIf]] = {}
        self._wanted: tuple[Symbol, ...] = ()
        self._qualifying: asyncio.Task[None] | None = None
        link.give_orders_to(self)
        link.listen(self._on_link)

    # --- Broker

    @property
    def link(self) -> LinkState:
        return self._link.state

    @property
    def link_text(self) -> str:
        """Why the link is as it is, as a sentence."""
        return self._link.text

    @property
    def capabilities(self) -> BrokerCapabilities:
        return BrokerCapabilities(
            order_types=tuple(OrderType),
            tifs=tuple(TimeInForce),
            short=not self._settings.cash_account,
            native_algos=tuple(wire_order.ALGOS),
        )

    def attach(self, sink: ReportSink) -> None:
        self._sink = sink

    async def start(self) -> None:
        """Begin to connect."""
        await self._link.start()

    async def stop(self) -> None:
        if self._account_timer is not None:
            self._account_timer.cancel()
            self._account_timer = None
        if self._qualifying is not None:
            self._qualifying.cancel()
            await asyncio.wait([self._qualifying])
            self._qualifying = None
        await self._link.stop()

    def prepare(self, symbols: tuple[Symbol, ...]) -> None:
        """Qualify these now and after each connect, so that their orders name contracts and fit the grid."""
        self._wanted = tuple(dict.fromkeys((*self._wanted, *symbols)))
        self._qualify()

    def place(self, order: ClearedOrder) -> None:
        """Write the order and its legs, once. A family the broker cannot take is refused here, before any byte."""
        family = (order, *order.legs)
        if refusal := self._refusal(family):
            code, text = refusal
            for part in family:
                self._error(part.ref, code, text, ErrorClass.REJECT)
            return
        self._link.open_door()
        built = self._build(order)
        send_family(self._link, built)

    def modify(self, ref: OrderRef, request: OrderRequest) -> None:
        if self._link.state is not LinkState.UP:
            raise BrokerError("the link is not up; a change could double the order")
        name = self._names.get(ref)
        if name is None or not name.order_ids:
            raise BrokerError(f"the gateway has not told the id of {ref}; only its own client can change an order")
        if flaw := wire_order.misfit(request, self.contracts.listing(request.symbol)):
            self._error(ref, 110, flaw, ErrorClass.MODIFY_FAILED)
            return
        contract = self._contract(request.symbol)
        order = wire_order.build(
            request,
            ref=ref,
            account=self.account_id,
            order_id=name.order_ids[-1],
            parent_id=name.parent_id,
            oca_group=name.oca_group,
        )
        send_change(self._link, contract, order)
        name.request = request

    def cancel(self, ref: OrderRef) -> None:
        name = self._names.get(ref)
        if name is None or not name.order_ids:
            raise BrokerError(f"no id of {ref} is known at the gateway; only the client that placed it can cancel it")
        wire = self._link.client
        for order_id in name.order_ids:
            self._link.pace.cancel(lambda order_id=order_id: wire.cancelOrder(order_id, ""))  # type: ignore[misc]

    async def snapshot(self) -> BrokerSnapshot:
        taken = self._clock.now()
        found = await self._survey.read(lambda: self._link.client, self._link.next_id)
        account = await self._account_now()
        return self._snapshot(taken, found, account)

    def snapshot_now(self) -> BrokerSnapshot | None:
        return None

    async def what_if(self, request: OrderRequest) -> WhatIf | None:
        try:
            if flaw := wire_order.misfit(request, self.contracts.listing(request.symbol)):
                return WhatIf(refused=flaw)
            await self._link.pace.control()
            order_id = self._link.next_id()
            contract = self._contract(request.symbol)
            order = wire_order.build(request, ref=OrderRef(""), account=self.account_id, order_id=order_id)
            order.whatIf = True
            answer: asyncio.Future[WhatIf] = asyncio.get_running_loop().create_future()
            self._questions[order_id] = answer
            try:
                send_question(self._link.open_door(), contract, order)
                async with asyncio.timeout(self._settings.read_timeout_s):
                    return await answer
            finally:
                del self._questions[order_id]
        except (BrokerError, TimeoutError):
            return None

    # --- sending

    def _refusal(self, family: tuple[ClearedOrder, ...]) -> tuple[int, str] | None:
        window = self._link.closed_window
        entry = family[0].request
        if window is not None and entry.origin not in _CLOSING:
            text = f"not sent: the {window.name} of the gateway is at {self._link.windows.local(window.at_ns)}"
            return 10006, text
        for part in family:
            if flaw := wire_order.misfit(part.request, self.contracts.listing(part.request.symbol)):
                return 110, f"not sent: {flaw}"
            if part.account != self.account_id:
                return 435, f"not sent: the order is for {part.account}"
        try:
            self._contract(entry.symbol)
        except BrokerError as error:
            return 200, f"not sent: {error}"
        return None

    def _build(self, order: ClearedOrder) -> list[tuple[Contract, Order]]:
        contract = self._contract(order.request.symbol)
        parent_id = self._link.next_id()
        group = f"oca-{order.ref}" if len(order.legs) > 1 else ""
        built = []
        for place, part in enumerate((order, *order.legs)):
            leg = place > 0
            name = Name(
                ref=part.ref,
                order_ids=[self._link.next_id() if leg else parent_id],
                parent_id=parent_id if leg else 0,
                oca_group=(part.request.oca_group or group) if leg else "",
                request=part.request,
            )
            wired = wire_order.build(
                part.request,
                ref=part.ref,
                account=self.account_id,
                order_id=name.order_ids[0],
                parent_id=name.parent_id,
                oca_group=name.oca_group,
                transmit=place == len(order.legs),
            )
            self._names.sent(name)
            built.append((contract, wired))
        return built

    def _contract(self, symbol: Symbol) -> Contract:
        try:
            return self.contracts.contract(symbol)
        except LookupError as error:
            raise BrokerError(str(error)) from error

    def _qualify(self) -> None:
        if self._link.state is LinkState.UP and self._wanted and (self._qualifying is None or self._qualifying.done()):
            work = self.contracts.qualify(self._link, self._wanted)
            self._qualifying = asyncio.get_running_loop().create_task(work, name="ibkr contracts")

    # --- reporting

    def _say(self, report: AnyReport) -> None:
        if self._sink is not None:
            self._sink(report)

    def _on_link(self, state: LinkState, code: int, text: str) -> None:
        now = self._clock.now()
        if state in (LinkState.DOWN, LinkState.CONNECTING):
            self._survey.give_up(text)
            self._values.clear()
            self._account_whole.clear()
            for answer in self._questions.values():
                if not answer.done():
                    answer.set_exception(BrokerError(text))
        self._say(LinkReport(ts_event=now, ts_seen=now, state=state, code=code, text=reading.plain(text)))
        if state is LinkState.UP:
            self._qualify()

    def _error(self, ref: OrderRef, code: int, text: str, kind: ErrorClass) -> None:
        now = self._clock.now()
        self._say(
            ErrorReport(ts_event=now, ts_seen=now, ref=ref, code=code, text=reading.plain(text), error_class=kind)
        )

    # --- what the gateway says (OrderEar)

    def on_order_error(self, req_id: int, code: int, text: str) -> None:
        """A code under a request's or an order's id; they share their numbers."""
        answer = self._questions.get(req_id)
        if answer is not None:
            if not answer.done() and classify(code) is not ErrorClass.INFO:
                answer.set_result(WhatIf(refused=reading.plain(f"{text} ({code})")))
            return
        ref = self._names.of_order(req_id) if req_id > 0 else OrderRef("")
        if ref or req_id <= 0:
            self._error(ref, code, text, classify(code))

    def on_open_order(self, order_id: int, contract: Contract, order: Order, state: OrderState) -> None:
        if order.whatIf:
            self._answer(order_id, state)
            return
        self._link.saw_id(order_id)
        self._survey.add("open_orders", (contract, order, state))
        if order.account not in ("", self.account_id):
            return
        ref = self._shown(order)
        reading_all = self._survey.collecting("open_orders")
        if not ref and reading_all:
            return
        status = reading.status_of(state.status)
        now = self._clock.now()
        if status in reading.OVER or status is BrokerStatus.OTHER:
            # An order that is over is not acknowledged by being shown.
            self._status(ref, order_id, order.permId, state.status, None, "")
            return
        name = self._names.get(ref)
        shown = reading.request_of(order, self.contracts.symbol_of(contract), name.request if name else None)
        self._say(
            EchoReport(
                ts_event=now,
                ts_seen=now,
                ref=ref,
                quantity=shown.quantity,
                limit_price=shown.limit_price,
                stop_price=shown.stop_price,
                broker_id=str(order_id) if order_id > 0 else "",
                perm_id=str(order.permId) if order.permId else "",
            )
        )

    def _shown(self, order: Order) -> OrderRef:
        ref = OrderRef(order.orderRef or "")
        if not ref:
            return self._names.find(0, order.permId)
        own = order.clientId == self._settings.client_id
        self._names.shown(ref, order.orderId if own else 0, order.permId, order.parentId if own else 0, order.ocaGroup)
        return ref

    def on_completed(self, contract: Contract, order: Order, state: OrderState) -> None:
        self._survey.add("completed", (contract, order, state))

    def on_status(
        self, order_id: int, client_id: int, perm_id: int, status: str, numbers: tuple[float, float, float], held: str
    ) -> None:
        reading_all = self._survey.collecting("open_orders")
        if reading_all:
            self._survey.statuses[client_id, order_id, perm_id] = (status, numbers[0], held)
        ref = self._names.find(order_id if client_id == self._settings.client_id else 0, perm_id)
        if ref or not reading_all:
            self._status(ref, order_id, perm_id, status, numbers, held)

    def _status(
        self,
        ref: OrderRef,
        order_id: int,
        perm_id: int,
        word: str,
        numbers: tuple[float, float, float] | None,
        held: str,
    ) -> None:
        now = self._clock.now()
        status = reading.status_of(word)
        filled, remaining, average = (reading.amount(n) for n in numbers or (None, None, None))
        self._say(
            StatusReport(
                ts_event=now,
                ts_seen=now,
                ref=ref,
                status=status,
                filled=filled,
                remaining=remaining,
                average_price=average,
                broker_id=str(order_id) if order_id > 0 else "",
                perm_id=str(perm_id) if perm_id else "",
                why_held=held,
                text=reading.plain(word) if status is BrokerStatus.OTHER else "",
            )
        )

    def on_execution(self, req_id: int, contract: Contract, execution: Execution) -> None:
        if execution.acctNumber not in ("", self.account_id):
            return
        if 0 < execution.orderId < 2**31 - 1 and execution.clientId == self._settings.client_id:
            self._link.saw_id(execution.orderId)
        if req_id == self._survey.request_id and req_id:
            self._survey.add("executions", self._execution(contract, execution))
        else:
            self._say(self._execution(contract, execution))

    def _execution(self, contract: Contract, execution: Execution) -> ExecutionReport:
        own = execution.orderId if execution.clientId == self._settings.client_id else 0
        ref = OrderRef(execution.orderRef or "")
        if ref:
            self._names.shown(ref, own if 0 < own < 2**31 - 1 else 0, execution.permId)
        else:
            ref = self._names.find(0, execution.permId)
        return reading.execution_of(execution, contract, ref, self.contracts.symbol_of, self._clock.now())

    def on_commission(self, report: IbCommission) -> None:
        commission = reading.amount(report.commission)
        if commission is None or not report.execId:
            return
        now = self._clock.now()
        told = CommissionReport(
            ts_event=now, ts_seen=now, exec_id=report.execId, commission=commission, currency=report.currency or "USD"
        )
        if self._survey.collecting("executions"):
            self._survey.add("commissions", told)
        self._say(told)

    def on_position(self, account: str, contract: Contract, quantity: float, cost: float) -> None:
        self._survey.add("positions", (account, contract, quantity, cost))

    def on_account_value(self, tag: str, value: str, currency: str, account: str) -> None:
        if account != self.account_id:
            return
        self._values[tag, currency] = value
        if self._account_timer is None and self._account_whole.is_set():
            self._account_timer = self._clock.call_later(_ACCOUNT_EVERY_S, self._tell_account)

    def _tell_account(self) -> None:
        self._account_timer = None
        if self._account_whole.is_set():
            now = self._clock.now()
            self._say(AccountReport(ts_event=now, ts_seen=now, account=self._account()))

    def on_end(self, what: str, req_id: int = 0) -> None:
        if what == "account":
            self._account_whole.set()
            self._tell_account()
        elif what != "executions" or req_id == self._survey.request_id:
            self._survey.end(what)

    # --- questions

    def _answer(self, order_id: int, state: OrderState) -> None:
        answer = self._questions.get(order_id)
        if answer is None or answer.done():
            return
        margin = reading.amount(state.initMarginAfter)
        if margin is None and reading.amount(state.maintMarginAfter) is None:
            return
        charges = (state.commission, state.maxCommission, state.minCommission)
        answer.set_result(
            WhatIf(
                initial_margin_after=margin,
                maintenance_margin_after=reading.amount(state.maintMarginAfter),
                equity_after=reading.amount(state.equityWithLoanAfter),
                commission=next((c for c in map(reading.amount, charges) if c is not None), None),
            )
        )

    # --- the whole picture

    async def _account_now(self) -> Account | None:
        try:
            async with asyncio.timeout(self._settings.read_timeout_s):
                await self._account_whole.wait()
        except TimeoutError:
            return None
        return self._account()

    def _account(self) -> Account:
        return reading.account_of(self.account_id, self._values, self._settings.cash_account, self._clock.now())

    def _snapshot(self, taken: int, found: Found, account: Account | None) -> BrokerSnapshot:
        open_orders = None if found.open_orders is None else self._open(found.open_orders, found)
        completed = None if found.completed is None else self._completed(found.completed)
        positions = None
        if found.positions is not None:
            latest = {(a, c.conId): (c, q, cost) for a, c, q, cost in found.positions}
            positions = tuple(
                self._position(contract, quantity, cost)
                for (owner, _), (contract, quantity, cost) in latest.items()
                if owner == self.account_id and quantity
            )
        return BrokerSnapshot(
            taken_ns=taken,
            open_orders=open_orders,
            completed=completed,
            executions=None if found.executions is None else tuple(found.executions),
            positions=positions,
            account=account,
            commissions=tuple(found.commissions),
        )

    def _open(self, rows: list[OrderRow], found: Found) -> tuple[OpenOrder, ...]:
        shown: dict[int, OpenOrder] = {}
        for contract, order, state in rows:
            if order.account not in ("", self.account_id):
                continue
            word, filled, held = found.statuses.get(
                (order.clientId, order.orderId, order.permId), (state.status, 0.0, "")
            )
            status = reading.status_of(word)
            if status in (BrokerStatus.FILLED, BrokerStatus.CANCELLED):
                shown.pop(order.permId, None)
                continue
            shown[order.permId] = self._open_order(contract, order, status, reading.amount(filled) or ZERO, held)
        return tuple(shown.values())

    def _completed(self, rows: list[OrderRow]) -> tuple[OpenOrder, ...]:
        return tuple(
            self._open_order(contract, order, reading.status_of(state.status), self._filled(order), "")
            for contract, order, state in rows
            if order.account in ("", self.account_id)
        )

    def _open_order(
        self, contract: Contract, order: Order, status: BrokerStatus, filled: Decimal, held: str
    ) -> OpenOrder:
        ref = OrderRef(order.orderRef or "") or self._names.find(0, order.permId)
        own = order.clientId == self._settings.client_id and order.orderId > 0
        name = self._names.get(ref)
        return OpenOrder(
            ref=ref,
            perm_id=str(order.permId) if order.permId else "",
            broker_id=str(order.orderId) if own else "",
            account=self.account_id,
            status=status,
            request=reading.request_of(order, self.contracts.symbol_of(contract), name.request if name else None),
            filled=filled,
            why_held=held,
        )

    @staticmethod
    def _filled(order: Order) -> Decimal:
        return reading.amount(order.filledQuantity) or ZERO

    def _position(self, contract: Contract, quantity: float, cost: float) -> BrokerPosition:
        multiplier = reading.amount(contract.multiplier) or Decimal(1)
        return BrokerPosition(
            account=self.account_id,
            symbol=self.contracts.symbol_of(contract),
            quantity=reading.amount(quantity) or ZERO,
            average_price=(reading.amount(cost) or ZERO) / multiplier,
        )
