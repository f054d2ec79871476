"""What the gateway says, raw. The library keeps an order book of its own that invents states; we listen before it.

Order, execution, position and account messages go to the broker and never reach the library's book. Ticks go straight
to whoever asked for them. The library keeps what it is good at: the wire format, and futures of single requests.
"""

from collections.abc import Callable
from typing import Any, Protocol

from ib_async import IB, Contract, Execution, Order, OrderState
from ib_async import CommissionReport as IbCommission
from ib_async.client import Client
from ib_async.objects import TickAttribBidAsk, TickAttribLast
from ib_async.wrapper import Wrapper

from engine.execution.brokers.ibkr.wire import wire_of

DataSink = Callable[..., None]
"""Called with a kind and the values of one message; see the methods of :class:`Ears` for the kinds."""


class OrderEar(Protocol):
    """Who hears of orders, executions, positions and account values. Arguments as the library decodes them."""

    def on_order_error(self, req_id: int, code: int, text: str) -> None: ...
    def on_open_order(self, order_id: int, contract: Contract, order: Order, state: OrderState) -> None: ...
    def on_completed(self, contract: Contract, order: Order, state: OrderState) -> None: ...
    def on_status(
        self, order_id: int, client_id: int, perm_id: int, status: str, numbers: tuple[float, float, float], held: str
    ) -> None:
        """``numbers`` are filled, remaining and average price."""

    def on_execution(self, req_id: int, contract: Contract, execution: Execution) -> None: ...
    def on_commission(self, report: IbCommission) -> None: ...
    def on_position(self, account: str, contract: Contract, quantity: float, cost: float) -> None: ...
    def on_account_value(self, tag: str, value: str, currency: str, account: str) -> None: ...
    def on_end(self, what: str, req_id: int = 0) -> None:
        """A list is complete: open_orders, completed, executions, positions, account or summary."""


class LinkEar(Protocol):
    """Who hears of the connection itself."""

    def on_error(self, req_id: int, code: int, text: str) -> None: ...
    def on_time(self, seconds: int) -> None: ...
    def on_packet(self) -> None: ...
    def on_fault(self, error: Exception) -> None:
        """A handler raised; the library would only log it."""


class Ears(Wrapper):
    """The library's wrapper with our listeners in front."""

    orders: OrderEar | None = None
    link: LinkEar

    def __init__(self, ib: IB) -> None:
        self.sinks: dict[int, DataSink] = {}
        """Request id of a subscription -> who takes its messages."""
        self.news: DataSink | None = None
        self.packet_ends: list[Callable[[], None]] = []
        """Called when all messages of a packet have been handled."""
        super().__init__(ib)

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        try:
            call(*args)
        except Exception as error:  # noqa: BLE001  the decoder above us would swallow it
            self.link.on_fault(error)

    def _sink(self, req_id: int, *args: Any) -> None:
        sink = self.sinks.get(req_id)
        if sink is not None:
            self._tell(sink, *args)

    # --- the socket

    def closed(self) -> None:
        """We hung up: futures of requests end with an error."""
        super().connectionClosed()  # type: ignore[no-untyped-call]

    def tcpDataArrived(self) -> None:
        self.link.on_packet()

    def tcpDataProcessed(self) -> None:
        for call in self.packet_ends:
            self._tell(call)

    def currentTime(self, time: int) -> None:
        self._tell(self.link.on_time, time)

    def error(self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str) -> None:
        super().error(reqId, errorCode, errorString, advancedOrderRejectJson)
        text = f"{errorString} {advancedOrderRejectJson}".strip()
        self._sink(reqId, "error", errorCode, text)
        self._tell(self.link.on_error, reqId, errorCode, text)
        if self.orders is not None:
            self._tell(self.orders.on_order_error, reqId, errorCode, text)

    # --- orders

    def openOrder(self, orderId: int, contract: Contract, order: Order, orderState: OrderState) -> None:
        wire_of(self.ib).updateReqId(orderId + 1)
        if self.orders is not None:
            self._tell(self.orders.on_open_order, orderId, contract, order, orderState)

    def openOrderEnd(self) -> None:
        self._end("open_orders")

    def completedOrder(self, contract: Contract, order: Order, orderState: OrderState) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_completed, contract, order, orderState)

    def completedOrdersEnd(self) -> None:
        self._end("completed")

    def orderStatus(
        self,
        orderId: int,
        status: str,
        filled: float,
        remaining: float,
        avgFillPrice: float,
        permId: int,
        parentId: int,
        lastFillPrice: float,
        clientId: int,
        whyHeld: str,
        mktCapPrice: float = 0.0,
    ) -> None:
        if self.orders is not None:
            numbers = (filled, remaining, avgFillPrice)
            self._tell(self.orders.on_status, orderId, clientId, permId, status, numbers, whyHeld)

    def execDetails(self, reqId: int, contract: Contract, execution: Execution) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_execution, reqId, contract, execution)

    def execDetailsEnd(self, reqId: int) -> None:
        self._end("executions", reqId)

    def commissionReport(self, commissionReport: IbCommission) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_commission, commissionReport)

    # --- positions and account

    def position(self, account: str, contract: Contract, posSize: float, avgCost: float) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_position, account, contract, posSize, avgCost)

    def positionEnd(self) -> None:
        self._end("positions")

    def updateAccountValue(self, tag: str, val: str, currency: str, account: str) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_account_value, tag, val, currency, account)

    def updatePortfolio(self, *values: Any) -> None:
        """Positions come from their own subscription; this message repeats them with a mark we do not use."""

    def accountDownloadEnd(self, _account: str) -> None:
        self._end("account")

    def accountSummary(self, reqId: int, account: str, tag: str, value: str, currency: str) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_account_value, tag, value, currency, account)

    def accountSummaryEnd(self, reqId: int) -> None:
        self._end("summary", reqId)

    def _end(self, what: str, req_id: int = 0) -> None:
        if self.orders is not None:
            self._tell(self.orders.on_end, what, req_id)

    # --- data

    def priceSizeTick(self, reqId: int, tickType: int, price: float, size: float) -> None:
        self._sink(reqId, "price", tickType, price, size)

    def tickSize(self, reqId: int, tickType: int, size: float) -> None:
        self._sink(reqId, "size", tickType, size)

    def tickGeneric(self, reqId: int, tickType: int, value: float) -> None:
        self._sink(reqId, "generic", tickType, value)

    def tickString(self, reqId: int, tickType: int, value: str) -> None:
        self._sink(reqId, "string", tickType, value)

    def marketDataType(self, reqId: int, marketDataId: int) -> None:
        self._sink(reqId, "type", marketDataId)

    def tickByTickAllLast(
        self,
        reqId: int,
        tickType: int,
        time: int,
        price: float,
        size: float,
        tickAttribLast: TickAttribLast,
        exchange: str,
        specialConditions: str,
    ) -> None:
        self._sink(reqId, "last", time, price, size, tickAttribLast.unreported)

    def tickByTickBidAsk(
        self,
        reqId: int,
        time: int,
        bidPrice: float,
        askPrice: float,
        bidSize: float,
        askSize: float,
        tickAttribBidAsk: TickAttribBidAsk,
    ) -> None:
        self._sink(reqId, "bidask", time, bidPrice, askPrice, bidSize, askSize)

    def updateMktDepthL2(
        self,
        reqId: int,
        position: int,
        marketMaker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        isSmartDepth: bool = False,
    ) -> None:
        self._sink(reqId, "depth", position, operation, side, price, size)

    def updateMktDepth(self, reqId: int, position: int, operation: int, side: int, price: float, size: float) -> None:
        self._sink(reqId, "depth", position, operation, side, price, size)

    def realtimeBar(
        self,
        reqId: int,
        time: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        wap: float,
        count: int,
    ) -> None:
        self._sink(reqId, "bar", time, open_, high, low, close, volume, wap, count)

    def tickNews(
        self, _reqId: int, timeStamp: int, providerCode: str, articleId: str, headline: str, extraData: str
    ) -> None:
        self._sink(_reqId, "news", timeStamp, providerCode, articleId, headline)

    def tickReqParams(self, reqId: int, minTick: float, bboExchange: str, snapshotPermissions: int) -> None:
        """Not used: increments come from the market rules."""


def listening_ib(link: LinkEar) -> tuple[IB, Ears]:
    """Make the library's client with our ears. To be called inside the loop that will run it."""
    ib = IB()
    ears = Ears(ib)
    ears.link = link
    ib.wrapper = ears
    ib.client = Client(ears)  # type: ignore[no-untyped-call]
    ib.client.apiEnd += ib.disconnectedEvent
    # On 1102 the library would ask for the account summary once more each time, until the gateway refuses.
    ib.errorEvent -= ib._onError
    # Our budget (pace.py) decides what is sent when; nothing may wait in the library's queue.
    ib.client.MaxRequests = 0
    ib.RequestTimeout = 0
    ib.RaiseRequestErrors = True
    # A time without a zone is in UTC: the interface names the zone in every other form it has.
    ib.TimezoneTWS = "UTC"
    return ib, ears
