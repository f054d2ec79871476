"""The paper exchange's voice: reports leave in order and arrive after the latency, like bytes on one socket."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.bus.clock import Clock
from engine.model.ids import OrderRef
from engine.model.position import Account
from engine.model.report import (
    AccountReport,
    AnyReport,
    CommissionReport,
    ErrorClass,
    ErrorReport,
    ExecutionReport,
    LinkReport,
    LinkState,
    StatusReport,
    echo_of,
)
from engine.simulation.paper.books import Market
from engine.simulation.paper.orders import PaperOrder

Sink = Callable[[AnyReport], None]


class Voice:
    """Delivers reports to the sink; what is on its way when the link closes is lost, as it would be."""

    def __init__(
        self, clock: Clock, latency_s: Callable[[], float], account: Callable[[], Account], market: Market
    ) -> None:
        self._clock = clock
        self._latency_s = latency_s
        self._account = account
        self._market = market
        self._last = 0
        self.sink: Sink = lambda report: None
        self.link = LinkState.DOWN

    def connect(self) -> None:
        """Open the link and say so at once."""
        self.link = LinkState.UP
        now = self._clock.now()
        self.sink(LinkReport(ts_event=now, ts_seen=now, state=LinkState.UP))
        self.sink(AccountReport(ts_event=now, ts_seen=now, account=self._account()))

    def say(self, report: AnyReport) -> None:
        """Report what happened now; it is seen after the latency, never before an earlier report."""

        def deliver() -> None:
            if self.link is LinkState.UP:
                self.sink(msgspec.structs.replace(report, ts_seen=self._clock.now()))

        self._last = max(self._last, self._clock.now() + round(self._latency_s() * 1e9))
        self._clock.call_at(self._last, deliver)

    def status(self, order: PaperOrder) -> None:
        now = self._clock.now()
        self.say(
            StatusReport(
                ts_event=now,
                ts_seen=now,
                ref=OrderRef(order.ref),
                status=order.status,
                filled=order.filled,
                remaining=order.remaining,
                average_price=order.average,
                broker_id=order.broker_id,
                perm_id=order.perm_id,
                text=order.text,
            )
        )

    def echo(self, order: PaperOrder) -> None:
        self.say(echo_of(OrderRef(order.ref), order.request, self._clock.now(), order.broker_id, order.perm_id))

    def error(self, ref: OrderRef, code: int, text: str, kind: ErrorClass) -> None:
        now = self._clock.now()
        self.say(ErrorReport(ts_event=now, ts_seen=now, ref=ref, code=code, text=text, error_class=kind))

    def commission(self, execution: ExecutionReport, amount: Decimal) -> None:
        """Report what an execution cost; it comes after the execution, as at a real broker."""
        self.say(self.told(execution, amount))

    def told(self, execution: ExecutionReport, amount: Decimal) -> CommissionReport:
        """The report of what an execution cost, in the currency of what was traded."""
        instrument = self._market.instrument(execution.symbol)
        return CommissionReport(
            ts_event=execution.ts_event,
            ts_seen=execution.ts_seen,
            exec_id=execution.exec_id,
            commission=amount,
            currency="USD" if instrument is None else instrument.currency,
        )

    def account(self) -> None:
        """Report the account's values as they are now."""
        now = self._clock.now()
        self.say(AccountReport(ts_event=now, ts_seen=now, account=self._account()))
