"""The paper account: cash, holdings, margin and fees, to the cent."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from engine.model.market import Side
from engine.model.money import ZERO, cents
from engine.simulation.paper.settings import PaperSettings


class Holding(msgspec.Struct, kw_only=True):
    """One symbol's holding."""

    quantity: Decimal = Decimal(0)
    average: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    currency: str = "USD"


class PaperAccount(msgspec.Struct, kw_only=True):
    """Books of one account. Every change of cash is rounded to the cent once, when it is booked."""

    cash: dict[str, Decimal]
    holdings: dict[str, Holding] = {}
    session_equity: Decimal | None = None
    session_date: str = ""
    fees: Decimal = Decimal(0)

    def book(
        self, symbol: str, side: Side, quantity: Decimal, price: Decimal, multiplier: Decimal, currency: str
    ) -> None:
        """Book an execution (its fee is booked by :meth:`charge`)."""
        holding = self.holdings.setdefault(symbol, Holding(multiplier=multiplier, currency=currency))
        signed = quantity * side.sign
        after = holding.quantity + signed
        if holding.quantity == ZERO or (holding.quantity > ZERO) == (signed > ZERO):
            cost = holding.average * abs(holding.quantity) + price * quantity
            holding.average = cost / abs(after)
        elif after != ZERO and (after > ZERO) != (holding.quantity > ZERO):
            holding.average = price
        holding.quantity = after
        if after == ZERO:
            del self.holdings[symbol]
        self.cash[currency] = self.cash.get(currency, ZERO) - cents(signed * price * multiplier)

    def charge(self, amount: Decimal, currency: str) -> None:
        """Book a fee."""
        self.cash[currency] = self.cash.get(currency, ZERO) - amount
        self.fees += amount

    def market_value(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Value of all holdings; a holding without a mark counts at its average price."""
        return sum(
            (h.quantity * marks.get(symbol, h.average) * h.multiplier for symbol, h in self.holdings.items()), ZERO
        )

    def gross_value(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Σ |value| of all holdings."""
        return sum(
            (abs(h.quantity) * marks.get(symbol, h.average) * h.multiplier for symbol, h in self.holdings.items()), ZERO
        )

    def equity(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Cash and holdings. One currency counts as the other: foreign cash is not converted here."""
        return cents(sum(self.cash.values(), ZERO) + self.market_value(marks))


def fee(settings: PaperSettings, quantity: Decimal, price: Decimal, multiplier: Decimal, already: Decimal) -> Decimal:
    """Fee of one execution, given the fees its order has paid ``already``; the order's minimum is paid once."""
    return cents(settings.fees.of(quantity, price, multiplier, first=already == ZERO))
