"""What the gateway says about orders, as reports: claims from the wire, nothing the library made of them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ib_async import CommissionReport as IbCommission
from ib_async import Contract, Execution, Order, OrderState

from engine.bus.clock import Clock, Timer
from engine.execution.brokers.ibkr import reading
from engine.execution.brokers.ibkr.contracts import Contracts
from engine.execution.brokers.ibkr.names import Names
from engine.execution.brokers.ibkr.questions import Questions
from engine.execution.brokers.ibkr.survey import Survey
from engine.execution.error_codes import classify
from engine.model.broker import WhatIf
from engine.model.ids import AccountId, OrderRef
from engine.model.position import Account
from engine.model.report import (
    AccountReport,
    AnyReport,
    BrokerStatus,
    CommissionReport,
    ErrorClass,
    ErrorReport,
    ExecutionReport,
    StatusReport,
    echo_of,
)

ReportSink = Callable[[AnyReport], None]
_ACCOUNT_EVERY_S = 0.5
_UNSET_ID = 2**31 - 1


class Ids(Protocol):
    """The link, as far as used ids go."""

    def saw_id(self, order_id: int) -> None: ...


class Hearing:
    """Turns raw messages into reports, and feeds the survey under way. An :class:`OrderEar`."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        *,
        account: AccountId,
        client_id: int,
        cash_account: bool,
        contracts: Contracts,
        survey: Survey,
        cancel: Callable[[int], None],
    ) -> None:
        """``cancel(order_id)`` writes a cancel. Raises ``BrokerError``."""
        self._clock = clock
        self._link = ids
        self._client_id = client_id
        self._cash_account = cash_account
        self._survey = survey
        self.account_id = account
        self.contracts = contracts
        self.names = Names()
        self.sink: ReportSink | None = None
        self.account_whole = asyncio.Event()
        """The account's values have been told completely since the connection began."""
        self.summary_id = 0
        """Request for the account's summary, at a gateway that tells its values in no other way; else 0."""
        self.questions = Questions(clock, cancel, self.say)
        """What-if questions, by the id they were asked with."""
        self._values: dict[tuple[str, str], str] = {}
        self._account_timer: Timer | None = None

    def forget_connection(self, why: str) -> None:
        """The connection ended: nothing of what is under way will be answered."""
        self._survey.give_up(why)
        self._values.clear()
        self.account_whole.clear()
        self.summary_id = 0
        self.questions.fail(why)

    def stop(self) -> None:
        if self._account_timer is not None:
            self._account_timer.cancel()
            self._account_timer = None

    def account(self) -> Account:
        """The account from the values told so far."""
        return reading.account_of(self.account_id, self._values, self._cash_account, self._clock.now())

    def error(self, ref: OrderRef, code: int, text: str, kind: ErrorClass) -> None:
        """Report a code, the gateway's or our own refusal."""
        now = self._clock.now()
        self.say(ErrorReport(ts_event=now, ts_seen=now, ref=ref, code=code, text=reading.plain(text), error_class=kind))

    def say(self, report: AnyReport) -> None:
        """Hand a report on."""
        if self.sink is not None:
            self.sink(report)

    # --- what the gateway says (OrderEar)

    def on_order_error(self, req_id: int, code: int, text: str) -> None:
        """A code under a request's or an order's id; they share their numbers."""
        answer = self.questions.waiting(req_id)
        if answer is not None:
            if not answer.done() and classify(code) is not ErrorClass.INFO:
                answer.set_result(WhatIf(refused=reading.plain(f"{text} ({code})")))
            return
        ref = self.names.of_order(req_id) if req_id > 0 else OrderRef("")
        if ref or req_id <= 0:
            self.error(ref, code, text, classify(code))

    def on_open_order(self, order_id: int, contract: Contract, order: Order, state: OrderState) -> None:
        if order.whatIf:
            self._answer(order_id, state)
            return
        self._link.saw_id(order_id)
        if not order.orderRef:
            self._watch(order_id, order.clientId, reading.status_of(state.status), order=True)
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
        name = self.names.get(ref)
        symbol = self.contracts.symbol_of(contract)
        shown = reading.request_of(order, symbol, name.request if name else None, self.contracts.written)
        broker_id, perm_id = str(order_id) if order_id > 0 else "", str(order.permId) if order.permId else ""
        self.say(echo_of(ref, shown, now, broker_id, perm_id))

    def _shown(self, order: Order) -> OrderRef:
        ref = OrderRef(order.orderRef or "")
        own = order.clientId == self._client_id
        if not ref:
            return self.names.find(order.orderId if own else 0, order.permId)
        self.names.shown(ref, order.orderId if own else 0, order.permId, order.parentId if own else 0, order.ocaGroup)
        return ref

    def on_completed(self, contract: Contract, order: Order, state: OrderState) -> None:
        self._survey.add("completed", (contract, order, state))

    def on_status(
        self, order_id: int, client_id: int, perm_id: int, status: str, numbers: tuple[float, float, float], held: str
    ) -> None:
        known = reading.status_of(status, held)
        self._watch(order_id, client_id, known, filled=numbers[0] > 0)
        if client_id == self._client_id and known in (BrokerStatus.FILLED, BrokerStatus.CANCELLED):
            self.names.over(order_id)
        reading_all = self._survey.collecting("open_orders")
        if reading_all:
            self._survey.statuses[client_id, order_id, perm_id] = (status, numbers[0], held)
        ref = self.names.find(order_id if client_id == self._client_id else 0, perm_id)
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
        status = reading.status_of(word, held)
        done, left, price = numbers or (None, None, None)
        filled, remaining, average = reading.quantity(done), reading.quantity(left), reading.amount(price)
        self.say(
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
        if 0 < execution.orderId < _UNSET_ID and execution.clientId == self._client_id:
            self._link.saw_id(execution.orderId)
            if not execution.orderRef and self._question(execution.orderId):
                self.questions.executed(execution.orderId)
        if req_id == self._survey.request_id and req_id:
            self._survey.add("executions", self._execution(contract, execution))
        else:
            self.say(self._execution(contract, execution))

    def _execution(self, contract: Contract, execution: Execution) -> ExecutionReport:
        own = execution.orderId if execution.clientId == self._client_id else 0
        ref = OrderRef(execution.orderRef or "")
        if ref:
            self.names.shown(ref, own if 0 < own < _UNSET_ID else 0, execution.permId)
        else:
            ref = self.names.find(own if 0 < own < _UNSET_ID else 0, execution.permId)
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
        self.say(told)

    def on_position(self, account: str, contract: Contract, quantity: float, cost: float) -> None:
        self._survey.add("positions", (account, contract, quantity, cost))

    def on_account_value(self, tag: str, value: str, currency: str, account: str) -> None:
        if account not in ("", self.account_id):
            return
        self._values[tag, currency] = value
        if self._account_timer is None and self.account_whole.is_set():
            self._account_timer = self._clock.call_later(_ACCOUNT_EVERY_S, self._tell_account)

    def _tell_account(self) -> None:
        self._account_timer = None
        if self.account_whole.is_set():
            now = self._clock.now()
            self.say(AccountReport(ts_event=now, ts_seen=now, account=self.account()))

    def on_end(self, what: str, req_id: int = 0) -> None:
        if what == "account":
            self.account_whole.set()
            self._tell_account()
            self.summary_id = 0
        elif what == "summary":
            if req_id == self.summary_id:
                self.account_whole.set()
                self._tell_account()
        elif what != "executions" or req_id == self._survey.request_id:
            self._survey.end(what)

    # --- questions

    def _watch(
        self, order_id: int, client_id: int, status: BrokerStatus, *, filled: bool = False, order: bool = False
    ) -> None:
        if client_id == self._client_id and self._question(order_id):
            self.questions.shown(order_id, status, filled, order)

    def _question(self, order_id: int) -> bool:
        """Whether an id is a question's alone: ids are handed out again, and an order of ours may have it by now."""
        return self.questions.asked(order_id) and not self.names.of_order(order_id)

    def _answer(self, order_id: int, state: OrderState) -> None:
        answer = self.questions.waiting(order_id)
        if answer is None or answer.done():
            return
        margin = reading.amount(state.initMarginAfter)
        if margin is None and reading.amount(state.maintMarginAfter) is None:
            return
        charges = (state.commission, state.maxCommission, state.minCommission)
        self.questions.answer(
            order_id,
            WhatIf(
                initial_margin_before=reading.amount(state.initMarginBefore),
                initial_margin_after=margin,
                maintenance_margin_after=reading.amount(state.maintMarginAfter),
                equity_after=reading.amount(state.equityWithLoanAfter),
                commission=next((c for c in map(reading.amount, charges) if c is not None), None),
            ),
        )
