"""Interactive Brokers as a broker: cleared orders out, claims in. It believes the wire and nothing else."""

import asyncio
import contextlib
from decimal import Decimal

from ib_async import Contract, Order

from engine.bus.clock import Clock
from engine.bus.errors import BrokerError, SettingsError
from engine.execution.brokers.ibkr import reading, wire_order
from engine.execution.brokers.ibkr.contracts import Catalogue, Contracts
from engine.execution.brokers.ibkr.hearing import Hearing, ReportSink
from engine.execution.brokers.ibkr.link import Link
from engine.execution.brokers.ibkr.names import Name
from engine.execution.brokers.ibkr.native_algos import NATIVE
from engine.execution.brokers.ibkr.picture import Picture
from engine.execution.brokers.ibkr.place import send_change, send_family, send_question
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.brokers.ibkr.survey import Found, Survey
from engine.model.broker import BrokerCapabilities, Fees, WhatIf
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.instrument import InstrumentKind
from engine.model.order import ClearedOrder, OrderRequest, OrderType, Origin, TimeInForce
from engine.model.position import Account
from engine.model.report import (
    BrokerSnapshot,
    ErrorClass,
    LinkReport,
    LinkState,
)

_SUMMARY = (
    "NetLiquidation,TotalCashValue,SettledCash,AvailableFunds,ExcessLiquidity,FullAvailableFunds,FullExcessLiquidity,"
    "InitMarginReq,MaintMarginReq,FullInitMarginReq,FullMaintMarginReq,DayTradesRemaining,$LEDGER:ALL"
)
SHARES = Fees(
    per_unit=Decimal("0.005"),
    minimum=Decimal("1.00"),
    most_percent=Decimal("1"),
    kinds=(InstrumentKind.STOCK, InstrumentKind.ETF),
)
"""The list's fixed prices for shares; what an order costs in the end is booked from the reports."""
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
        self._survey = Survey(clock, link.pace, settings.read_timeout_s, settings.read_budget_s)
        self._hearing = Hearing(
            clock,
            link,
            account=self.account_id,
            client_id=settings.client_id,
            cash_account=settings.cash_account,
            contracts=self.contracts,
            survey=self._survey,
            cancel=self._cancel_id,
        )
        self._picture = Picture(self.account_id, settings.client_id, self.contracts, self._hearing.names)
        self._wanted: tuple[Symbol, ...] = ()
        self._qualifying: asyncio.Task[None] | None = None
        link.give_orders_to(self._hearing)
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
            native_algos=NATIVE,
            fees=SHARES,
            # The real one lets exits cover what has filled and says so; gateways that hold them back say that.
            exits_wait=True,
        )

    def attach(self, sink: ReportSink) -> None:
        self._hearing.sink = sink

    async def start(self) -> None:
        """Begin to connect."""
        await self._link.start()

    async def stop(self) -> None:
        self._hearing.stop()
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
                self._hearing.error(part.ref, code, text, ErrorClass.REJECT)
            return
        self._link.open_door()
        built = self._build(order)
        send_family(self._link, built)

    def modify(self, ref: OrderRef, request: OrderRequest) -> None:
        if self._link.state is not LinkState.UP:
            raise BrokerError("the link is not up; a change could double the order")
        name = self._hearing.names.get(ref)
        if name is None or not name.order_ids:
            raise BrokerError(f"the gateway has not told the id of {ref}; only its own client can change an order")
        if flaw := wire_order.misfit(request, self.contracts.listing(request.symbol)):
            self._hearing.error(ref, 110, flaw, ErrorClass.MODIFY_FAILED)
            return
        contract = self._contract(request.symbol)
        order = wire_order.build(
            request,
            ref=ref,
            account=self.account_id,
            order_id=name.order_ids[-1],
            parent_id=self._hearing.names.parent_of(name),
            oca_group=name.oca_group,
        )
        send_change(self._link, contract, order)
        name.request = request

    def cancel(self, ref: OrderRef) -> None:
        name = self._hearing.names.get(ref)
        if name is None or not name.order_ids:
            raise BrokerError(f"no id of {ref} is known at the gateway; only the client that placed it can cancel it")
        for order_id in name.order_ids:
            self._cancel_id(order_id)

    def _cancel_id(self, order_id: int) -> None:
        wire = self._link.client
        self._link.pace.cancel(lambda: wire.cancelOrder(order_id, ""))

    def manages(self, ref: OrderRef) -> bool:
        """Only an order the gateway has given an id of this client: its own, and manual ones bound to client 0."""
        name = self._hearing.names.get(ref)
        return name is not None and bool(name.order_ids)

    async def snapshot(self) -> BrokerSnapshot:
        taken = self._clock.now()
        found = await self._survey.read(lambda: self._link.client, self._link.next_id)
        account = await self._account_now()
        self._sweep(found)
        return self._picture.snapshot(taken, found, account)

    def snapshot_now(self) -> BrokerSnapshot | None:
        return None

    async def what_if(self, request: OrderRequest) -> WhatIf | None:
        if self._hearing.questions.betrayed:
            return None
        try:
            if flaw := wire_order.misfit(request, self.contracts.listing(request.symbol)):
                return WhatIf(refused=flaw)
            await self._link.pace.control()
            order_id = self._link.next_id()
            contract = self._contract(request.symbol)
            order = wire_order.build(request, ref=OrderRef(""), account=self.account_id, order_id=order_id)
            order.whatIf = True
            answer = self._hearing.questions.ask(order_id)
            try:
                send_question(self._link.open_door(), contract, order)
                async with asyncio.timeout(self._settings.read_timeout_s):
                    return await answer
            finally:
                self._hearing.questions.over(order_id)
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
        refs = tuple(part.ref for part in (order, *order.legs))
        built = []
        for place, part in enumerate((order, *order.legs)):
            leg = place > 0
            name = Name(
                ref=part.ref,
                order_ids=[self._link.next_id() if leg else parent_id],
                parent_id=parent_id if leg else 0,
                oca_group=(part.request.oca_group or group) if leg else "",
                family=refs if order.legs else (),
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
            self._hearing.names.sent(name)
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

    def _sweep(self, found: Found) -> None:
        """Cancel what is left of a bracket whose last leg never arrived: drafts that work for nobody."""
        for order_id in self._picture.drafts(found):
            self._cancel_id(order_id)

    # --- the link

    def _on_link(self, state: LinkState, code: int, text: str) -> None:
        now = self._clock.now()
        if state in (LinkState.DOWN, LinkState.CONNECTING):
            self._hearing.forget_connection(text)
        self._hearing.say(LinkReport(ts_event=now, ts_seen=now, state=state, code=code, text=reading.plain(text)))
        if state is LinkState.UP:
            self._qualify()

    async def _account_now(self) -> Account | None:
        """The values told so far; asked for again when they never came whole, and as a summary where they never do."""
        heard, patience_s = self._hearing, self._settings.read_timeout_s / 2
        if not heard.account_whole.is_set():
            await self._link.pace.control()
            self._link.client.reqAccountUpdates(True, self.account_id)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await heard.account_whole.wait()
        if heard.summary_id or not heard.account_whole.is_set():
            # A summary is told anew every few minutes alone: each comparison asks for one of its own.
            await self._link.pace.control()
            if heard.summary_id:
                self._link.client.cancelAccountSummary(heard.summary_id)
            heard.account_whole.clear()
            heard.summary_id = self._link.next_id()
            self._link.client.reqAccountSummary(heard.summary_id, "All", _SUMMARY)
            try:
                async with asyncio.timeout(patience_s):
                    await heard.account_whole.wait()
            except TimeoutError:
                return None
        return heard.account()
