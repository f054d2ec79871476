"""The ledger: positions, cash and profit, booked from fills and rebuilt from the journal to the same cent.

Nothing is done per tick: marks are read when somebody asks. Values that hang on an unknown price are None.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import msgspec

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.events.base import Event
from engine.model.events.book import AccountChanged, PositionChanged, PositionClosed, PositionOpened
from engine.model.fill import Fill
from engine.model.ids import AccountId, ExecId, OrderRef, Symbol
from engine.model.instrument import InstrumentKind
from engine.model.market import Side
from engine.model.money import ZERO, exact, finite
from engine.model.position import Account, Position
from engine.model.report import BrokerPosition
from engine.portfolio.holding import OPENING, SPLIT, Holding, Tally
from engine.portfolio.ports import FillJournal, Market, OneCurrency, Rates, Store
from engine.portfolio.session_book import SessionStart, SymbolStart, read, write

_SESSION, _OPENED = "ledger.session", "ledger.opened"


class Ledger:
    """Owner of positions."""

    name = "ledger"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        account: AccountId,
        journal: FillJournal,
        store: Store,
        market: Market,
        currency: str = "USD",
        rates: Rates | None = None,
        opened_by: Callable[[OrderRef], str] | None = None,
    ) -> None:
        """``opened_by(ref)`` names the suggestion, strategy or person behind an order."""
        self._bus = bus
        self._clock = clock
        self._account_id = account
        self._journal = journal
        self._store = store
        self._market = market
        self._currency = currency
        self._rates = rates or OneCurrency()
        self._opened_by = opened_by or (lambda ref: "")
        self._holdings: dict[Symbol, Holding] = {}
        self._positions: dict[Symbol, Position] = {}
        self._view: Mapping[Symbol, Position] = MappingProxyType(self._positions)
        self._account: Account | None = None
        self._session = SessionStart(date="")
        self._clock_symbol = Symbol("")
        self._first_marks: dict[Symbol, Decimal] = {}
        """Prices first seen of what was held before the first start, while no close before it is known."""
        self._anchor_cash = False
        """The next report of the account sets the cash anew: a session began, and no fill has come since."""

    # --- life

    async def start(self) -> None:
        """Rebuild from the journal."""
        self.rebuild()

    async def stop(self) -> None:
        """Nothing to do: every fill is durable before it is booked."""

    def rebuild(self) -> None:
        """Book all fills of the journal anew."""
        self._holdings.clear()
        self._positions.clear()
        for fill in self._journal.fills():
            self._holding(fill.symbol).book(fill)
        stored = self._store.get(_SESSION)
        self._session = read(stored) if stored is not None else SessionStart(date="")
        for symbol in self._holdings:
            self._show(symbol)

    # --- what is booked

    def positions(self) -> Mapping[Symbol, Position]:
        """Open positions by symbol; a live, read-only view of frozen values."""
        return self._view

    def position(self, symbol: Symbol) -> Position | None:
        """The position of one symbol, None when flat."""
        return self._positions.get(symbol)

    def account(self) -> Account | None:
        """The broker's account values; ``session_equity`` is ours when the broker does not say."""
        return self._account

    def cash(self) -> dict[str, Decimal]:
        """Cash by currency: what the broker stated when the session began, and the fills since."""
        cash = dict(self._session.cash or {})
        for currency, flow in self._flows().items():
            cash[currency] = cash.get(currency, ZERO) + flow
        return cash

    def cash_difference(self) -> dict[str, Decimal]:
        """The broker's cash less ours, by currency, where it is not zero: interest, dividends, deposits, or a fault."""
        if self._account is None:
            return {}
        ours = self.cash()
        names = {*ours, *self._account.cash}
        gaps = {name: self._account.cash.get(name, ZERO) - ours.get(name, ZERO) for name in sorted(names)}
        return {name: gap for name, gap in gaps.items() if gap}

    def fills(self, symbol: Symbol) -> tuple[Fill, ...]:
        """Fills of one symbol as they count now."""
        holding = self._holdings.get(symbol)
        return () if holding is None else holding.fills()

    # --- what it is worth

    def open_pnl(self, symbol: Symbol) -> Decimal | None:
        """Open profit of a position in its currency; None without a price."""
        holding = self._holdings.get(symbol)
        if holding is None or not holding.tally.quantity:
            return ZERO
        mark = self.mark(symbol)
        if mark is None:
            return None
        return holding.tally.quantity * (mark - holding.tally.average) * holding.multiplier

    def break_even(self, symbol: Symbol) -> Decimal | None:
        """The price at which what is held pays its fees: those of its way in, and as much for its way out."""
        holding = self._holdings.get(symbol)
        if holding is None or not holding.tally.quantity:
            return None
        tally = holding.tally
        return tally.average + 2 * tally.fees / (tally.quantity * holding.multiplier)

    def equity(self) -> Decimal | None:
        """Cash and positions at their marks in the base currency; None when a price or a rate is unknown."""
        if self._session.cash is None:
            return None
        total = ZERO
        for currency, amount in self.cash().items():
            value = self._convert(amount, currency)
            if value is None:
                return None
            total += value
        for symbol, position in self._positions.items():
            worth = self._worth(symbol, position.quantity)
            value = None if worth is None else self._convert(worth, self._currency_of(symbol))
            if value is None:
                return None
            total += value
        return total

    def day_pnl(self) -> Decimal | None:
        """Profit since the session began, realised and open, after commissions, in the base currency.

        None when a price or a rate is unknown.
        """
        self._check_session()
        total = ZERO
        for symbol, holding in self._holdings.items():
            gain = self._symbol_day(symbol, holding)
            value = None if gain is None else self._convert(gain, self._currency_of(symbol))
            if value is None:
                return None
            total += value
        return total

    def day_realised(self) -> Decimal | None:
        """Profit taken since the session began, after commissions, also in symbols that are flat by now.

        In the base currency; None when a rate is unknown.
        """
        self._check_session()
        total = ZERO
        for symbol, holding in self._holdings.items():
            start = self._session.symbols.get(symbol)
            taken = holding.tally.realised - (start.realised if start is not None else ZERO)
            value = self._convert(taken, self._currency_of(symbol))
            if value is None:
                return None
            total += value
        return total

    def symbol_day_pnl(self, symbol: Symbol) -> Decimal | None:
        """The same for one symbol, in its currency."""
        holding = self._holdings.get(symbol)
        return ZERO if holding is None else self._symbol_day(symbol, holding)

    def _symbol_day(self, symbol: Symbol, holding: Holding) -> Decimal | None:
        tally = holding.tally
        start = self._session.symbols.get(symbol)
        if not tally.quantity and start is not None and start.flow == tally.flow and not start.worth:
            return ZERO
        worth = ZERO if not tally.quantity else self._value(symbol, holding)
        if worth is None:
            return None
        if start is None and tally.brought:
            start = self._start_of_opening(symbol, holding)
        if start is None:
            return worth + tally.flow
        return worth + tally.flow - start.worth - start.flow

    def _start_of_opening(self, symbol: Symbol, holding: Holding) -> SymbolStart | None:
        """What was held before the first start was not won or lost today: its day begins at the close before."""
        opening = next((fill for fill in holding.fills() if fill.exec_id == f"{OPENING}-{symbol}"), None)
        quote = self._market.quote(symbol)
        if opening is None or quote is None:
            return None
        told = quote.previous_close
        if finite(told) and told > 0.0:
            price = exact(told)
        else:  # until somebody tells it, the first price seen
            mark = self.mark(symbol)
            price = self._first_marks.setdefault(symbol, mark if mark is not None else opening.price)
        units = opening.quantity * opening.side.sign * holding.multiplier
        start = SymbolStart(worth=units * price, flow=-units * opening.price, realised=ZERO, commission=ZERO)
        if finite(told) and told > 0.0:
            self._keep(msgspec.structs.replace(self._session, symbols={**self._session.symbols, symbol: start}))
        return start

    def _value(self, symbol: Symbol, holding: Holding) -> Decimal | None:
        mark = self.mark(symbol)
        return None if mark is None else holding.tally.quantity * mark * holding.multiplier

    def _worth(self, symbol: Symbol, quantity: Decimal) -> Decimal | None:
        """What a position adds to equity: its value, or its open profit where only margin was paid."""
        if self._margined(symbol):
            return self.open_pnl(symbol)
        mark = self.mark(symbol)
        return None if mark is None else quantity * mark * self._holdings[symbol].multiplier

    def mark(self, symbol: Symbol) -> Decimal | None:
        """Mid of a two-sided quote, else the last price, else None."""
        quote = self._market.quote(symbol)
        if quote is None:
            return None
        price = quote.mid if quote.two_sided else quote.last
        return exact(price) if finite(price) and price > 0.0 else None

    # --- what comes in

    def on_fill(self, fill: Fill) -> None:
        """Book a fill, a correction of it, or its commission; repeats change nothing. The journal has it already."""
        self._check_session()
        holding = self._holding(fill.symbol)
        before = holding.tally
        if holding.book(fill):
            self._anchor_cash = False
            self._show(fill.symbol)
            self._tell(fill.symbol, before, holding.tally, fill.ts_event)

    def on_account(self, account: Account, *, compared: bool = True) -> None:
        """Take the broker's account values. ``compared``: our fills are those of the broker, so that its cash less
        their flows is where the session began. Fills missed while we were away come only with the comparison: the
        cash that is told before it holds them already.
        """
        self._check_session()
        session, changed = self._session, False
        if compared and (session.cash is None or self._anchor_cash) and account.cash:
            self._anchor_cash = False
            flows = self._flows()
            names = {*account.cash, *flows}
            cash = {name: account.cash.get(name, ZERO) - flows.get(name, ZERO) for name in sorted(names)}
            session, changed = msgspec.structs.replace(session, cash=cash), True
        if session.equity is None and account.equity is not None and finite(account.equity):
            session, changed = msgspec.structs.replace(session, equity=account.equity), True
        if changed:
            self._keep(session)
        if account.session_equity is None:
            account = msgspec.structs.replace(account, session_equity=self._session.equity)
        if self._account is not None and msgspec.structs.replace(account, ts_event=self._account.ts_event) == (
            self._account
        ):
            self._account = account
            return
        self._account = account
        now = self._clock.now()
        self._bus.publish(AccountChanged(ts_event=account.ts_event or now, ts_init=now, account=account))

    def adopt_opening(self, positions: Sequence[BrokerPosition], now_ns: int) -> bool:
        """Take over what was held before the first start. False when that has been done, or fills are booked."""
        if self._store.get(_OPENED) is not None:
            return False
        if not self._holdings:
            for held in positions:
                if held.quantity:
                    self._adopt(held.symbol, held.quantity, held.average_price, now_ns, f"OPENING-{held.symbol}")
        self._store.set(_OPENED, str(now_ns))
        return True

    def adopt(self, symbol: Symbol, delta: Decimal, price: Decimal) -> None:
        """A person takes a difference to the broker's position into the book. Raises ``JournalError``."""
        now = self._clock.now()
        self._adopt(symbol, delta, price, now, f"ADOPTED-{symbol}-{now}")

    def _adopt(self, symbol: Symbol, delta: Decimal, price: Decimal, now_ns: int, exec_id: str) -> None:
        side = Side.BUY if delta > ZERO else Side.SELL
        self._book(symbol, side, abs(delta), price, now_ns, exec_id, OPENING)

    def _book(
        self, symbol: Symbol, side: Side, quantity: Decimal, price: Decimal, now_ns: int, exec_id: str, ref: OrderRef
    ) -> None:
        fill = Fill(
            exec_id=ExecId(exec_id),
            ref=ref,
            account=self._account_id,
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            ts_event=now_ns,
            ts_seen=now_ns,
        )
        self._journal.commit(fills=(fill,))
        self.on_fill(fill)

    def split(self, symbol: Symbol, date: str, ratio: Decimal) -> bool:
        """Put what is held on the terms of a split, once; ``ratio``: new units for one old, effective on ``date``.

        False when that has been done, or there was nothing to do. Raises ``JournalError``; nothing is booked then.
        """
        name, now = f"ledger.split:{symbol}:{date}", self._clock.now()
        if self._store.get(name) is not None:
            return False
        held = symbol in self._positions
        if held:
            self._book(symbol, Side.BUY, ratio, ZERO, now, f"SPLIT-{symbol}-{date}", SPLIT)
        self._store.set(name, str(now))
        return held

    # --- the session

    def roll(self, date: str) -> None:
        """A new session begins: the day's profit is measured from here."""
        starts: dict[Symbol, SymbolStart] = {}
        for symbol, holding in self._holdings.items():
            tally = holding.tally
            mark = self.mark(symbol)
            price = mark if mark is not None else tally.average
            worth = tally.quantity * price * holding.multiplier
            starts[symbol] = SymbolStart(worth, tally.flow, tally.realised, tally.commission)
        account = self._account
        equity = account.equity if account is not None else None
        self._keep(SessionStart(date=date, symbols=starts, equity=equity, cash=self._session.cash))
        self._anchor_cash = True
        for symbol in self._positions:
            self._show(symbol)
        if account is not None:
            self._account = msgspec.structs.replace(account, session_equity=equity)

    def _check_session(self) -> None:
        if not self._clock_symbol:
            self._clock_symbol = next(iter(self._market.symbols()), Symbol(""))
        session = self._market.session(self._clock_symbol, self._clock.now())
        if session is not None and session.date != self._session.date:
            if self._session.date:
                self.roll(session.date)
            else:
                self._keep(msgspec.structs.replace(self._session, date=session.date))

    def _keep(self, session: SessionStart) -> None:
        self._session = session
        self._store.set(_SESSION, write(session))

    # --- inside

    def _holding(self, symbol: Symbol) -> Holding:
        holding = self._holdings.get(symbol)
        if holding is None:
            instrument = self._market.instrument(symbol)
            holding = Holding(instrument.multiplier if instrument is not None else Decimal(1))
            self._holdings[symbol] = holding
        return holding

    def _margined(self, symbol: Symbol) -> bool:
        instrument = self._market.instrument(symbol)
        return instrument is not None and instrument.kind is InstrumentKind.FUTURE

    def _currency_of(self, symbol: Symbol) -> str:
        instrument = self._market.instrument(symbol)
        return instrument.currency if instrument is not None else self._currency

    def _flows(self) -> dict[str, Decimal]:
        flows: dict[str, Decimal] = {}
        for symbol, holding in self._holdings.items():
            currency = self._currency_of(symbol)
            tally = holding.tally
            flow = tally.realised if self._margined(symbol) else tally.flow - tally.brought
            flows[currency] = flows.get(currency, ZERO) + flow
            for taken_in, charge in holding.charges.items():
                if charge and taken_in != currency:
                    # A broker may take its commission in another currency than the price was paid in.
                    flows[currency] += charge
                    flows[taken_in] = flows.get(taken_in, ZERO) - charge
        return flows

    def _convert(self, amount: Decimal, currency: str) -> Decimal | None:
        if currency == self._currency or not amount:
            return amount
        rate = self._rates.rate(currency, self._currency)
        return amount * exact(rate) if rate is not None and finite(rate) and rate > 0.0 else None

    def _show(self, symbol: Symbol) -> None:
        holding = self._holdings[symbol]
        tally = holding.tally
        if not tally.quantity:
            self._positions.pop(symbol, None)
            return
        self._positions[symbol] = self._as_position(symbol, holding)

    def _as_position(self, symbol: Symbol, holding: Holding) -> Position:
        tally = holding.tally
        start = self._session.symbols.get(symbol)
        return Position(
            account=self._account_id,
            symbol=symbol,
            quantity=tally.quantity,
            average_price=tally.average,
            realised=tally.realised - (start.realised if start else ZERO),
            commission=tally.commission - (start.commission if start else ZERO),
            multiplier=holding.multiplier,
            opened_ns=tally.opened_ns,
            opened_by="before the first start" if tally.opened_by == OPENING else self._opened_by(tally.opened_by),
        )

    def _tell(self, symbol: Symbol, before: Tally, after: Tally, ts_event: int) -> None:
        now = self._clock.now()
        position = self._as_position(symbol, self._holdings[symbol])
        events: list[Event] = []
        common = {"ts_event": ts_event, "ts_init": now, "position": position}
        flipped = before.quantity * after.quantity < ZERO
        if before.quantity and (not after.quantity or flipped):
            realised = before.trip + after.realised - before.realised
            flat = msgspec.structs.replace(position, quantity=ZERO) if flipped else position
            events.append(PositionClosed(realised=realised, **{**common, "position": flat}))  # type: ignore[arg-type]
        if after.quantity and (not before.quantity or flipped):
            events.append(PositionOpened(**common))  # type: ignore[arg-type]
        elif after.quantity:
            events.append(PositionChanged(before=before.quantity, **common))  # type: ignore[arg-type]
        for event in events:
            self._bus.publish(event)
