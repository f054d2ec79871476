"""Reads the world around one order, once, for the rules, for sizing and for the risk panel."""

import math
from collections.abc import Collection
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from engine.bus.clock import Clock
from engine.model.broker import WhatIf
from engine.model.decision import Book, Denial, LimitUse
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderStatus, Origin, makes_way
from engine.risk import bracket, reading
from engine.risk.conversion import convert, expiry
from engine.risk.counters import DayCounts, Messages, SentLog
from engine.risk.exposure import ExposureBook, Line, closes, is_closing
from engine.risk.latches import Latches
from engine.risk.limits import LimitBook
from engine.risk.losses import LossBook
from engine.risk.modes import ModeKeeper
from engine.risk.ports import Clusters, Ledger, Market, Orders, Shorts, VitalSigns, WhatIfs
from engine.risk.rules import shape
from engine.risk.say import money
from engine.risk.sessions import AutoSessions
from engine.risk.situation import Situation
from engine.risk.sizing import SizingInputs
from engine.risk.uses import limit_uses


class Unseen(NamedTuple):
    """An order that cannot be judged, and why."""

    request: OrderRequest
    denial: Denial


class Observer:
    """Looks; decides nothing."""

    def __init__(
        self,
        *,
        clock: Clock,
        market: Market,
        ledger: Ledger,
        orders: Orders,
        counts: DayCounts,
        vitals: VitalSigns,
        modes: ModeKeeper,
        latches: Latches,
        limits: LimitBook,
        losses: LossBook,
        sessions: AutoSessions,
        exposure: ExposureBook,
        sent: SentLog,
        messages: Messages,
        book: Book,
        what_ifs: WhatIfs | None,
        shorts: Shorts | None,
        clusters: Clusters | None,
        no_good_till: str,
        brackets_in_one: bool,
        exits_hold: bool,
        native_algos: Collection[str],
    ) -> None:
        self._clock = clock
        self._market = market
        self._ledger = ledger
        self._orders = orders
        self._counts = counts
        self._vitals = vitals
        self._modes = modes
        self._latches = latches
        self._limits = limits
        self._losses = losses
        self._sessions = sessions
        self._exposure = exposure
        self._sent = sent
        self._messages = messages
        self._book_kind = book
        self._what_ifs = what_ifs
        self._shorts = shorts
        self._clusters = clusters
        self._no_good_till = no_good_till
        self._brackets_in_one, self._native = brackets_in_one, native_algos
        self._exits_hold = exits_hold

    def observe(
        self, request: OrderRequest, what_if: WhatIf | None, replacing: OrderStatus | None
    ) -> Situation | Unseen:
        """Read everything once; what cannot even be looked at comes back with the objection."""
        symbol, now = request.symbol, self._clock.now()
        instrument = self._market.instrument(symbol)
        if instrument is None:
            return Unseen(request, Denial(code="G3", text=f"{symbol} is not known."))
        flaws = shape.check(request, instrument)
        if flaws:
            return Unseen(request, flaws[0].denial)
        settings = self._limits.active
        auto = request.origin.unattended
        limits = settings.auto if auto else settings.manual
        quote = self._market.quote(symbol)
        line = self._exposure.line(symbol)
        if replacing is not None:
            line = reading.without(line, replacing)
        closing = request.side is (Side.SELL if line.quantity > 0 else Side.BUY) and line.quantity != 0
        request_in = request
        if not self._exits_hold:
            request = reading.join_group(request, line, closing)
        mid, spread = reading.mid(quote, now, anything=closing and is_closing(request))
        collar = (
            settings.common.flatten_collar_percent if request.origin is Origin.FLATTEN else limits.market_collar_percent
        )
        available = self._available(request, line, closing, replacing)
        quantity = float(request.quantity)
        reducing = 0.0 < quantity <= available * (1 + 1e-12)
        request = convert(
            request,
            quote=quote,
            mid=mid,
            instrument=instrument,
            collar_percent=collar,
            closing=reducing,
            until=expiry(request, self._book_kind, settings.auto.entry_life_s, now) if auto else None,
        )
        if request is not request_in:
            flaws = shape.check(request, instrument)
            if flaws:
                return Unseen(request, flaws[0].denial)
        account = self._ledger.account()
        equity = reading.equity(account)
        if not reducing and not equity > 0.0:
            what = "not known" if math.isnan(equity) else money(equity)
            return Unseen(request, Denial(code="EQUITY", text=f"The account's equity is {what}, so nothing is opened."))
        price = reading.price(request, mid)
        if not reducing and not price > 0.0:
            denial = Denial(code="G4", text=f"There is no usable price of {symbol} to check the order against.")
            return Unseen(request, denial)
        exposure = self._exposure.exposure(same=True)
        session = self._market.session(symbol, now)
        date = session.date if session is not None else ""
        return Situation(
            now=now,
            asked=request_in,
            request=request,
            auto=auto,
            reducing=reducing,
            quantity=quantity,
            price=price,
            notional=quantity * price * float(instrument.multiplier),
            mid=mid,
            spread=spread,
            quote=quote,
            instrument=instrument,
            session=session,
            spread_median=reading.number(self._market.spread_median(symbol)),
            mean_price=reading.number(self._market.mean_price(symbol, 5)) if auto else None,
            resumed_ns=self._market.resumed_ns(symbol),
            account=account,
            equity=equity,
            line=line,
            available=available,
            exposure=exposure,
            cluster=self._cluster(symbol),
            open_orders=exposure.openings,
            orders_today=self._counts.orders(request.origin, date),
            entries_today=self._counts.entries(symbol, date) if auto else 0,
            sent=self._sent.of(symbol),
            usual_notional=self._sent.usual_notional(),
            messages=self._messages_of(request, reducing or replacing is not None),
            last_second=self._messages.within(now, 1.0),
            last_minute=self._messages.within(now, 60.0),
            mode=self._modes.mode,
            autonomy=self._modes.autonomy,
            book=self._book_kind,
            lease_ok=self._modes.lease_ok,
            lock=self._modes.locks.get(symbol),
            latch=self._latches.get("G10", request.strategy or "-") if auto else None,
            vitals=self._vitals.vitals(),
            what_if=what_if or (self._what_ifs.latest(request) if self._what_ifs is not None else None),
            shorts=self._shorts.facts(symbol) if self._shorts is not None else None,
            last_loss_ns=self._losses.last_loss_ns(symbol),
            tick=float(instrument.tick),
            ramp=self._ramp(auto, date),
            settings=settings,
            limits=limits,
            no_good_till=self._no_good_till,
        )

    def _messages_of(self, request: OrderRequest, alone: bool) -> int:
        if request.algo and request.algo not in self._native:
            # It is worked here: its children are the messages.
            return 0
        return 1 if alone or self._brackets_in_one else 1 + bracket.exits(request)

    def _available(self, request: OrderRequest, line: Line, closing: bool, replacing: OrderStatus | None) -> float:
        """Return how much of the position this order may close without crossing zero (I9)."""
        but = replacing.ref if replacing is not None else None
        if closing:
            aside = self._exits_hold and makes_way(request)
            going = closes(line, request.side, self._orders.order, request.oca_group, but, aside)
            return max(0.0, abs(line.quantity) - going)
        parent = self._orders.order(request.parent_ref) if request.parent_ref is not None else None
        if parent is not None and not parent.state.closed and request.origin is Origin.PROTECTIVE:
            # A child of a bracket waits for its parent, up to what that may fill.
            return float(parent.request.quantity) if parent.request.side is not request.side else 0.0
        return 0.0

    def _cluster(self, symbol: Symbol) -> frozenset[Symbol]:
        return self._clusters.cluster(symbol) if self._clusters is not None else frozenset((symbol,))

    def _ramp(self, auto: bool, date: str = "") -> float:
        if not auto or self._book_kind is not Book.LIVE:
            return 1.0
        settings = self._limits.active
        if self._sessions.before(date) >= settings.first_sessions:
            return 1.0
        return settings.first_sessions_percent / 100.0

    def sizing(
        self,
        symbol: Symbol,
        side: Side,
        entry: Decimal,
        stop: Decimal,
        edge: float | None,
        edge_low: float | None,
        volatility: float | None,
        evidence_state: str,
        horizon: str,
    ) -> SizingInputs | None:
        """Return what sizing looks at, None while equity or the instrument is unknown."""
        instrument = self._market.instrument(symbol)
        account = self._ledger.account()
        equity = reading.equity(account)
        if instrument is None or math.isnan(equity):
            return None
        exposure = self._exposure.exposure()
        cluster = self._cluster(symbol)
        return SizingInputs(
            side=side,
            entry=float(entry),
            stop=float(stop),
            equity=equity,
            lot=instrument.lot,
            multiplier=float(instrument.multiplier),
            adv=instrument.adv20,
            horizon=horizon,
            live=self._book_kind is Book.LIVE,
            evidence_state=evidence_state,
            edge=edge,
            edge_low=edge_low,
            volatility=volatility,
            drawdown_percent=self._losses.drawdown_percent(equity),
            day_loss_percent=self._losses.day_loss_percent(account),
            in_symbol=exposure.of(symbol),
            gross=exposure.gross,
            in_sector=exposure.by_sector.get(instrument.sector, 0.0),
            sector_known=bool(instrument.sector),
            in_cluster=sum(exposure.of(other) for other in cluster),
            clustered=len(cluster) > 1,
            ramp=self._ramp(True),
        )

    def uses(self) -> tuple[LimitUse, ...]:
        """Return how much of each limit is used: the rows of the risk panel."""
        now = self._clock.now()
        ordered = (status.request.symbol for status in self._orders.orders().values())
        symbols = chain(self._ledger.positions(), ordered)
        session = next((s for symbol in symbols if (s := self._market.session(symbol, now)) is not None), None)
        return limit_uses(
            settings=self._limits.active,
            account=self._ledger.account(),
            exposure=self._exposure.exposure(),
            orders_today={
                origin: self._counts.orders(origin, session.date) if session is not None else 0
                for origin in (Origin.AUTO, Origin.MANUAL)
            },
            last_minute=self._messages.within(now, 60.0),
            losses=self._losses,
            live=self._book_kind is Book.LIVE,
        )
