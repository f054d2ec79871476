"""What the paper account is worth and what an order would do to it."""

from decimal import Decimal
from typing import Protocol

from engine.bus.clock import Clock
from engine.model.broker import WhatIf
from engine.model.ids import AccountId, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session
from engine.model.money import ZERO, cents, exact, finite
from engine.model.order import OrderRequest
from engine.model.position import Account
from engine.simulation.paper.account import PaperAccount, fee
from engine.simulation.paper.settings import PaperSettings


class Market(Protocol):
    def quote(self, symbol: Symbol) -> Quote | None: ...

    def instrument(self, symbol: Symbol) -> Instrument | None: ...

    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...


class Books:
    """Values an account at the market's last prices. Holds no state of its own."""

    def __init__(self, account_id: AccountId, clock: Clock, market: Market, settings: PaperSettings) -> None:
        self._account_id, self._clock, self._market, self._settings = account_id, clock, market, settings

    def equity(self, account: PaperAccount) -> Decimal:
        """Cash and holdings at the last prices."""
        return account.equity(self._marks(account))

    def what_if(self, account: PaperAccount, request: OrderRequest) -> WhatIf | None:
        """Margin and commission after an order; ``None`` when there is no price to say it with."""
        instrument = self._market.instrument(request.symbol)
        price = self._price_for(request)
        if instrument is None or price is None:
            return None
        value = price * request.quantity * instrument.multiplier
        marks = self._marks(account)
        held = account.holdings.get(request.symbol)
        before = held.quantity if held else ZERO
        after = before + request.quantity * request.side.sign
        gross = account.gross_value(marks) + (abs(after) - abs(before)) * price * instrument.multiplier
        commission = fee(self._settings, request.quantity, price, instrument.multiplier, ZERO)
        equity = account.equity(marks) - commission
        margin = cents(gross * self._settings.initial_margin)
        refused = ""
        if abs(after) > abs(before) and margin > equity:
            refused = f"not enough buying power: {value:,.2f} more needs {margin:,.2f} margin of {equity:,.2f}"
        return WhatIf(
            initial_margin_after=margin,
            maintenance_margin_after=cents(gross * self._settings.maintenance_margin),
            equity_after=equity,
            commission=commission,
            refused=refused,
        )

    def values(self, account: PaperAccount) -> Account:
        """The account's values now."""
        marks = self._marks(account)
        equity = account.equity(marks)
        gross = account.gross_value(marks)
        initial = cents(gross * self._settings.initial_margin)
        maintenance = cents(gross * self._settings.maintenance_margin)
        return Account(
            account=self._account_id,
            currency=self._settings.currency,
            cash=dict(account.cash),
            equity=equity,
            session_equity=account.session_equity or equity,
            available_funds=equity - initial,
            excess_liquidity=equity - maintenance,
            initial_margin=initial,
            maintenance_margin=maintenance,
            settled_cash=account.cash.get(self._settings.currency, ZERO),
            margin_account=True,
            ts_event=self._clock.now(),
        )

    def _marks(self, account: PaperAccount) -> dict[str, Decimal]:
        marks: dict[str, Decimal] = {}
        for symbol in account.holdings:
            quote = self._market.quote(Symbol(symbol))
            if quote is not None:
                price = quote.last if finite(quote.last) else quote.mid
                if finite(price) and price > 0:
                    marks[symbol] = exact(price)
        return marks

    def _price_for(self, request: OrderRequest) -> Decimal | None:
        if request.limit_price is not None:
            return request.limit_price
        quote = self._market.quote(request.symbol)
        if quote is None or not finite(quote.mid):
            return request.stop_price
        return exact(round(quote.mid, 6))
