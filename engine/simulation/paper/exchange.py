"""The paper exchange as a broker: takes cleared orders, answers after a delay, remembers across crashes."""

import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from engine.bus.bus import Bus, Role
from engine.bus.clock import MILLISECOND, SECOND, Clock
from engine.model.broker import BrokerCapabilities, WhatIf
from engine.model.events.market import BookChanged, HaltChanged, QuoteTick, TradeTick
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.market import SessionState
from engine.model.money import ZERO, finite
from engine.model.order import ClearedOrder, OrderRequest, OrderType, TimeInForce
from engine.model.position import Account
from engine.model.report import BrokerSnapshot, BrokerStatus, ErrorClass, ExecutionReport, LinkState
from engine.simulation.paper import families, matching
from engine.simulation.paper.acceptance import flaw
from engine.simulation.paper.account import PaperAccount, fee
from engine.simulation.paper.books import Books, Market
from engine.simulation.paper.day import DayCycle
from engine.simulation.paper.orders import Leg, PaperOrder
from engine.simulation.paper.picture import picture
from engine.simulation.paper.settings import PaperSettings
from engine.simulation.paper.splitting import split
from engine.simulation.paper.store import PaperStore
from engine.simulation.paper.venue import Venue
from engine.simulation.paper.voice import Sink, Voice

ACCOUNT_EVERY_S = 5.0
DAY_NS = 86_400 * SECOND


class PaperExchange:
    """A broker whose ledger is here. Its state is durable before it is reported."""

    name = "paper"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        market: Market,
        settings: PaperSettings,
        store: PaperStore,
        seed: int,
        on_own_trade: Callable[[Symbol, int, float], None] | None = None,
    ) -> None:
        """``on_own_trade(symbol, ts, signed quantity)`` lets the simulated market feel our trades."""
        self._bus, self._clock, self._market, self._settings, self._store = bus, clock, market, settings, store
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._on_own_trade = on_own_trade
        self._orders: dict[str, PaperOrder] = {}
        self._by_ref: dict[str, str] = {}
        self._by_symbol: dict[str, list[PaperOrder]] = {}
        self._venues: dict[str, Venue] = {}
        self._voice = Voice(clock, self._latency, self.account, market)
        self._counter = itertools.count(1)
        self._issued = 0
        self.account_id = AccountId(settings.account)
        self._day = DayCycle(
            clock,
            market,
            resting=self._resting,
            holdings=lambda: self._account.holdings,
            wake=self._wake,
            at_close=self._at_close,
            expire=lambda order: self._close(order, BrokerStatus.EXPIRED, "good-till time passed"),
            new_session=self._new_session,
        )
        self._executions: list[tuple[ExecutionReport, Decimal]] = []
        """Today's executions with their fees; the store has them all."""
        self._account = PaperAccount(cash={settings.currency: settings.cash})
        self._books = Books(self.account_id, clock, market, settings)
        self.placements: Counter[str] = Counter()
        """How often each reference was placed: the truth that exactly-once is checked against."""

    @property
    def link(self) -> LinkState:
        return self._voice.link

    @property
    def capabilities(self) -> BrokerCapabilities:
        kinds, tifs = tuple(OrderType), tuple(TimeInForce)
        return BrokerCapabilities(order_types=kinds, tifs=tifs, short=True, fees=self._settings.fees)

    def attach(self, sink: Sink) -> None:
        """Deliver reports to ``sink`` from now on."""
        self._voice.sink = sink

    async def start(self) -> None:
        """Read the books and open the link."""
        self.open()

    def open(self) -> None:
        """Synchronous :meth:`start`: recover orders and books, subscribe, schedule the sessions."""
        known = self._store.load_account()
        if known is not None:
            self._account, self._issued = known
            self._counter = itertools.count(self._issued + 1)
        for order in self._store.load_orders():
            self._orders[order.broker_id] = order
            self._by_ref[order.ref] = order.broker_id
            if order.open:
                self._rest(order)
                self._day.schedule_expiry(order)
        self._bus.subscribe(QuoteTick, self._on_quote, owner="paper exchange", role=Role.DECIDER)
        self._bus.subscribe(TradeTick, self._on_trade, owner="paper exchange", role=Role.DECIDER)
        self._bus.subscribe(BookChanged, self._on_book, owner="paper exchange", role=Role.DECIDER)
        self._bus.subscribe(HaltChanged, self._on_halt, owner="paper exchange", role=Role.DECIDER)
        self._voice.connect()
        self._executions = self._store.load_executions(self._clock.now() - DAY_NS)
        self._clock.call_later(ACCOUNT_EVERY_S, self._account_tick)
        self._clock.call_later(0.0, self._day.tick)

    async def stop(self) -> None:
        """Close the link; working orders stay, as at a real broker."""
        self._voice.link = LinkState.DOWN
        self._store.close()

    # -- commands ------------------------------------------------------------------------------------------------

    def place(self, order: ClearedOrder) -> None:
        """Send an order and its legs on their way; they arrive after the latency."""
        if self._voice.link is not LinkState.UP:
            raise ConnectionError("the paper exchange is closed")
        parent = self._new(order, Leg.ENTRY, "")
        family = [parent]
        oca = f"oca-{parent.broker_id}" if len(order.legs) > 1 else ""
        for leg in order.legs:
            is_stop = leg.request.order_type in matching.STOPS
            child = self._new(leg, Leg.STOP if is_stop else Leg.TARGET, parent.broker_id)
            child.oca, child.active = leg.request.oca_group or oca, False
            family.append(child)
        self._clock.call_later(self._latency(), lambda: self._arrive(family))

    def modify(self, ref: OrderRef, request: OrderRequest) -> None:
        """Replace the working fields of an order; it arrives after the latency."""
        self._clock.call_later(self._latency(), lambda: self._modify(ref, request))

    def cancel(self, ref: OrderRef) -> None:
        """Ask to cancel; it may still fill on the way."""
        self._clock.call_later(self._latency(), lambda: self._cancel_asked(ref))

    def manages(self, ref: OrderRef) -> bool:
        return True

    async def snapshot(self) -> BrokerSnapshot:
        """Everything the exchange holds."""
        return self.snapshot_now()

    def snapshot_now(self) -> BrokerSnapshot:
        """Everything the exchange holds, at once: it is in this process. Executions and closed orders are today's."""
        now, books = self._clock.now(), (self._account, self.account())
        return picture(now, now - DAY_NS, self._orders.values(), self._executions, self._voice.told, *books)

    async def what_if(self, request: OrderRequest) -> WhatIf | None:
        """Margin and commission after an order."""
        return self.what_if_now(request)

    def what_if_now(self, request: OrderRequest) -> WhatIf | None:
        """Synchronous :meth:`what_if`; ``None`` when there is no price to say it with."""
        return self._books.what_if(self._account, request)

    def account(self) -> Account:
        """The account's values now."""
        return self._books.values(self._account)

    def split(self, symbol: Symbol, date: str, ratio: Decimal) -> bool:
        """Put a symbol on the terms of a split, once; ``ratio``: new units for one old. False when it was done."""
        instrument, name = self._market.instrument(symbol), f"split:{symbol}:{date}"
        if instrument is None or self._store.marked(name):
            return False
        changed = split(self._account, self._by_symbol.get(symbol, ()), instrument, ratio)
        self._store.begin()
        for order in changed:
            self._store.save_order(order)
        self._store.save_account(self._account, self._issued)
        self._store.mark(name)
        self._store.commit()
        for order in changed:
            (self._voice.echo if order.open else self._unrest)(order)
            self._voice.status(order)
        return True

    # -- arrival ---------------------------------------------------------------------------------------------------

    def _new(self, cleared: ClearedOrder, leg: Leg, parent: str) -> PaperOrder:
        self._issued = next(self._counter)
        self.placements[cleared.ref] += 1
        return PaperOrder(
            ref=cleared.ref,
            account=cleared.account,
            request=cleared.request,
            perm_id=f"{900_000_000 + self._issued}",
            broker_id=f"{self._issued}",
            parent=parent,
            leg=leg,
            oca=cleared.request.oca_group,
        )

    def _arrive(self, family: list[PaperOrder]) -> None:
        self._store.begin()
        for order in family:
            order.accepted_ns = self._clock.now()
            self._orders[order.broker_id] = order
            self._by_ref[order.ref] = order.broker_id
        refused = self._refusal(family[0])
        for order in family:
            if refused:
                order.status, order.text = BrokerStatus.REJECTED, refused
            else:
                order.status = BrokerStatus.WORKING if order.active and self._open_now(order) else BrokerStatus.HELD
            self._store.save_order(order)
        self._store.save_account(self._account, self._issued)
        self._store.commit()
        for order in family:
            if refused:
                self._voice.status(order)
                continue
            self._voice.echo(order)
            self._voice.status(order)
            self._rest(order)
            self._day.schedule_expiry(order)
        if not refused and family[0].status is BrokerStatus.WORKING:
            self._try(family[0])

    def _refusal(self, order: PaperOrder) -> str:
        if self._settings.reject_rate and self._rng.random() < self._settings.reject_rate:
            return "refused by chance (rehearsal setting)"
        reason = flaw(order.request, self._market.instrument(order.request.symbol))
        if reason:
            return reason
        what_if = self.what_if_now(order.request)
        return what_if.refused if what_if is not None else ""

    def _open_now(self, order: PaperOrder) -> bool:
        session = self._market.session(order.request.symbol, self._clock.now())
        if session is None:
            return False
        if session.state is SessionState.OPEN:
            return order.request.tif is not TimeInForce.OPG
        return order.request.outside_rth and session.state in (SessionState.PRE, SessionState.POST)

    def _modify(self, ref: OrderRef, request: OrderRequest) -> None:
        order = self._find(ref)
        if order is None or not order.open:
            self._voice.error(ref, 10147, "order not found or already done", ErrorClass.MODIFY_FAILED)
            return
        if request.quantity < order.filled:
            self._voice.error(ref, 201, "quantity below what is filled", ErrorClass.MODIFY_FAILED)
            return
        old = order.request
        loses_priority = request.limit_price != old.limit_price or request.quantity > old.quantity
        order.request = request
        if loses_priority and order.status is BrokerStatus.WORKING:
            venue = self._venue(request.symbol)
            limit = matching.limit_of(order, venue)
            order.ahead = venue.queue_ahead(request.side, limit) if limit is not None else 0.0
        self._save(order)
        self._voice.echo(order)
        self._voice.status(order)
        if order.status is BrokerStatus.WORKING:
            self._try(order)

    def _cancel_asked(self, ref: OrderRef) -> None:
        order = self._find(ref)
        if order is None or not order.open:
            self._voice.error(ref, 10148, "cannot cancel: the order is done", ErrorClass.CANCEL_FAILED)
            return
        self._close(order, BrokerStatus.CANCELLED, "")

    # -- market ----------------------------------------------------------------------------------------------------

    def _on_quote(self, event: QuoteTick) -> None:
        orders = self._by_symbol.get(event.symbol)
        if not orders:
            return
        venue = self._venue(event.symbol)
        own = {1: (venue.bid, venue.bid_size), -1: (venue.ask, venue.ask_size)}
        printed = venue.printed
        venue.on_quote(event.bid, event.ask, event.bid_size, event.ask_size, event.ts_event)
        if not venue.tradable:
            return
        for order in tuple(orders):
            if order.status is not BrokerStatus.WORKING:
                continue
            side = order.request.side
            if self._asleep(order, venue, venue.ask if side.sign < 0 else venue.bid):
                continue
            self._book(order, matching.on_quote(order, venue, own[side.sign], printed[side.sign]))

    def _on_trade(self, event: TradeTick) -> None:
        orders = self._by_symbol.get(event.symbol)
        if not orders:
            return
        venue = self._venue(event.symbol)
        venue.on_print(event.price, event.size)
        if venue.halted:
            return
        for order in tuple(orders):
            if order.status is not BrokerStatus.WORKING or self._asleep(order, venue, event.price):
                continue
            self._book(order, matching.on_print(order, venue, event.price, event.size, event.aggressor))

    def _on_book(self, event: BookChanged) -> None:
        venue = self._venues.get(event.symbol)
        if venue is not None:
            bids = tuple(zip(event.bid_prices, event.bid_sizes, strict=True))
            asks = tuple(zip(event.ask_prices, event.ask_sizes, strict=True))
            venue.on_depth(bids, asks, event.ts_event)

    def _on_halt(self, event: HaltChanged) -> None:
        venue = self._venues.get(event.symbol)
        if venue is not None:
            venue.halted = event.halted

    def _asleep(self, order: PaperOrder, venue: Venue, price: float) -> bool:
        """Handle stops and auctions; say whether the order does not take part in continuous trading now."""
        kind = order.request.order_type
        if kind in matching.AUCTIONS:
            return True
        if kind in matching.STOPS and not order.triggered:
            if not matching.triggers(order, venue, price):
                return True
            order.triggered = True
            self._save(order)
            if venue.tradable:
                self._book(order, matching.on_arrival(order, venue))
            return True
        return False

    def _try(self, order: PaperOrder) -> None:
        """Match an order that has just become able to trade."""
        venue = self._venue(order.request.symbol)
        if not venue.tradable:
            return
        side = order.request.side
        touch = venue.ask if side.sign < 0 else venue.bid
        if not self._asleep(order, venue, venue.last if finite(venue.last) else touch):
            fills = matching.on_arrival(order, venue)
            total = sum((q for _, q, _ in fills), ZERO)
            if order.request.tif is TimeInForce.FOK and total < order.remaining:
                self._close(order, BrokerStatus.CANCELLED, "fill or kill: not all of it was there")
                return
            self._book(order, fills)
            if order.request.tif is TimeInForce.IOC and order.open:
                self._close(order, BrokerStatus.CANCELLED, "immediate or cancel: the rest was not there")

    # -- booking ---------------------------------------------------------------------------------------------------

    def _book(self, order: PaperOrder, fills: matching.Fills) -> None:
        for price, quantity, passive in fills:
            if order.open and quantity > 0:
                self._fill(order, price, min(quantity, order.remaining), passive)

    def _fill(self, order: PaperOrder, price: Decimal, quantity: Decimal, passive: bool) -> None:
        now = self._clock.now()
        instrument = self._market.instrument(order.request.symbol)
        if instrument is None:
            raise LookupError(f"no instrument {order.request.symbol}")
        side = order.request.side
        charge = fee(self._settings, quantity, price, instrument.multiplier, order.fees)
        order.filled += quantity
        order.notional += price * quantity
        order.fees += charge
        if order.remaining <= 0:
            order.status = BrokerStatus.FILLED
        self._issued = next(self._counter)
        report = ExecutionReport(
            ts_event=now,
            ts_seen=now,
            ref=OrderRef(order.ref),
            exec_id=f"{self._issued:08x}.01",
            account=self.account_id,
            symbol=order.request.symbol,
            side=side,
            quantity=quantity,
            price=price,
            broker_id=order.broker_id,
            perm_id=order.perm_id,
            liquidity="added" if passive else "removed",
        )
        self._account.book(order.request.symbol, side, quantity, price, instrument.multiplier, instrument.currency)
        self._account.charge(charge, instrument.currency)
        self._store.begin()
        self._store.save_order(order)
        self._store.save_execution(report, charge)
        self._executions.append((report, charge))
        self._store.save_account(self._account, self._issued)
        family = families.after_fill(order, self._orders.values(), self._open_now)
        for member in family:
            self._store.save_order(member)
        self._store.commit()
        if self._on_own_trade is not None:
            self._on_own_trade(order.request.symbol, now, float(quantity) * side.sign)
        self._voice.say(report)
        self._voice.status(order)
        self._voice.commission(report, charge)
        self._voice.account()
        for member in family:
            self._voice.echo(member)
            self._voice.status(member)
            if not member.open:
                self._unrest(member)
        if not order.open:
            self._unrest(order)

    def _close(self, order: PaperOrder, status: BrokerStatus, text: str) -> None:
        order.status, order.text = status, text
        closed = [order, *families.after_close(order, self._orders.values())]
        self._store.begin()
        for member in closed:
            self._store.save_order(member)
        self._store.commit()
        for member in closed:
            self._unrest(member)
            self._voice.status(member)

    # -- sessions --------------------------------------------------------------------------------------------------

    def _wake(self, order: PaperOrder) -> None:
        order.status = BrokerStatus.WORKING
        self._save(order)
        self._voice.status(order)
        self._try(order)

    def _at_close(self, order: PaperOrder) -> None:
        venue = self._venue(order.request.symbol)
        if order.request.order_type in matching.AUCTIONS and finite(venue.last) and not venue.halted:
            limit = order.request.limit_price
            price = round(venue.last / venue.tick) * venue.instrument.tick
            if limit is None or (limit - price) * order.request.side.sign >= 0:
                self._fill(order, price, order.remaining, False)
        day = order.request.tif in (TimeInForce.DAY, TimeInForce.OPG, TimeInForce.IOC, TimeInForce.FOK)
        if order.open and (day or order.request.order_type in matching.AUCTIONS):
            self._close(order, BrokerStatus.EXPIRED, "the session ended")

    def _new_session(self, date: str) -> None:
        if date != self._account.session_date:
            self._account.session_date = date
            self._account.session_equity = self._books.equity(self._account)
            since = self._clock.now() - DAY_NS
            self._executions = [pair for pair in self._executions if pair[0].ts_event >= since]
            self._store.begin()
            self._store.save_account(self._account, self._issued)
            self._store.commit()

    def _resting(self) -> list[PaperOrder]:
        return [order for orders in self._by_symbol.values() for order in orders]

    # -- small things ----------------------------------------------------------------------------------------------

    def _find(self, ref: OrderRef) -> PaperOrder | None:
        number = self._by_ref.get(ref)
        return self._orders.get(number) if number is not None else None

    def _rest(self, order: PaperOrder) -> None:
        # The venue is brought up to date first: it hears ticks only while an order rests there.
        self._venue(order.request.symbol)
        self._by_symbol.setdefault(order.request.symbol, []).append(order)

    def _unrest(self, order: PaperOrder) -> None:
        resting = self._by_symbol.get(order.request.symbol, [])
        if order in resting:
            resting.remove(order)

    def _venue(self, symbol: Symbol) -> Venue:
        venue = self._venues.get(symbol)
        if venue is None:
            instrument = self._market.instrument(symbol)
            if instrument is None:
                raise LookupError(f"no instrument {symbol}")
            venue = self._venues[symbol] = Venue(instrument, self._settings.queue)
        if venue.quoted_ns == 0 or not self._by_symbol.get(symbol):
            quote = self._market.quote(symbol)
            if quote is not None:
                venue.on_quote(quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.ts_event)
                venue.last, venue.halted = quote.last, quote.halted
        return venue

    def _latency(self) -> float:
        low, high = self._settings.latency_ms_min, max(self._settings.latency_ms_max, self._settings.latency_ms_min)
        return float(self._rng.uniform(low, high)) * MILLISECOND / SECOND

    def _save(self, order: PaperOrder) -> None:
        self._store.begin()
        self._store.save_order(order)
        self._store.commit()

    def _account_tick(self) -> None:
        if self._voice.link is LinkState.UP:
            self._voice.account()
            self._clock.call_later(ACCOUNT_EVERY_S, self._account_tick)
