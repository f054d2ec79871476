"""Account values, margins and profit and loss, computed from the ledger and the market."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.tws_gateway.contracts import Contract
from tests.support.tws_gateway.frames import UNSET
from tests.support.tws_gateway.ledger import Position
from tests.support.tws_gateway.order_codec import Margin

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway

BASE = "USD"
INITIAL, MAINTENANCE = Decimal("0.50"), Decimal("0.25")
FUTURE_MARGIN = Decimal("0.05")
CENT = Decimal("0.01")


def cents(value: Decimal) -> str:
    return str(value.quantize(CENT))


class Accounting:
    """Everything in the base currency (USD) unless said otherwise."""

    def __init__(self, gateway: TwsGateway) -> None:
        self._gateway = gateway

    def rate(self, currency: str) -> Decimal:
        """Units of base currency for one unit; 1 when there is no pair."""
        if currency == BASE:
            return Decimal(1)
        market, universe = self._gateway.market, self._gateway.universe
        for c in universe:
            if c.sec_type == "CASH" and {c.symbol, c.currency} == {currency, BASE}:
                mid = market.book(c.con_id).mid or c.price
                return mid if c.symbol == currency else 1 / mid
        return Decimal(1)

    def mark(self, contract: Contract) -> Decimal:
        book = self._gateway.market.book(contract.con_id)
        return book.last if book.last is not None else (book.mid or contract.price)

    def positions(self, account: str) -> list[Position]:
        return [p for (owner, _), p in self._gateway.ledger.positions.items() if owner == account]

    def market_value(self, p: Position) -> Decimal:
        return p.quantity * self.mark(p.contract) * p.contract.factor

    def unrealized(self, p: Position) -> Decimal:
        return p.quantity * (self.mark(p.contract) - p.cost) * p.contract.factor

    def _margin(self, contract: Contract, quantity: Decimal) -> Decimal:
        notional = abs(quantity) * self.mark(contract) * contract.factor * self.rate(contract.currency)
        if contract.sec_type == "FUT":
            return notional * FUTURE_MARGIN
        return notional * INITIAL if contract.sec_type != "CASH" else notional * Decimal("0.03")

    def totals(self, account: str) -> dict[str, Decimal]:
        """The numbers behind the tags."""
        ledger = self._gateway.ledger
        cash = sum((v * self.rate(c) for (a, c), v in ledger.cash.items() if a == account), Decimal(0))
        value = unrealized = realized = gross = init = Decimal(0)
        for p in self.positions(account):
            rate = self.rate(p.contract.currency)
            open_profit = self.unrealized(p) * rate
            unrealized += open_profit
            realized += p.realized * rate
            if p.contract.sec_type == "FUT":
                value += open_profit
            elif p.contract.sec_type != "CASH":
                value += self.market_value(p) * rate
            gross += abs(self.market_value(p)) * rate
            init += self._margin(p.contract, p.quantity)
        net = cash + value
        return {
            "NetLiquidation": net,
            "TotalCashValue": cash,
            "SettledCash": cash,
            "AccruedCash": Decimal(0),
            "BuyingPower": max(net - init, Decimal(0)) * 4,
            "EquityWithLoanValue": net,
            "GrossPositionValue": gross,
            "InitMarginReq": init,
            "MaintMarginReq": init * MAINTENANCE / INITIAL,
            "AvailableFunds": net - init,
            "ExcessLiquidity": net - init * MAINTENANCE / INITIAL,
            "FullInitMarginReq": init,
            "FullMaintMarginReq": init * MAINTENANCE / INITIAL,
            "FullAvailableFunds": net - init,
            "FullExcessLiquidity": net - init * MAINTENANCE / INITIAL,
            "LookAheadInitMarginReq": init,
            "LookAheadAvailableFunds": net - init,
            "UnrealizedPnL": unrealized,
            "RealizedPnL": realized,
        }

    def values(self, account: str) -> list[tuple[str, str, str]]:
        """(tag, value, currency) as account updates carry them."""
        totals = self.totals(account)
        net = totals["NetLiquidation"]
        cushion = totals["ExcessLiquidity"] / net if net else Decimal(0)
        out = [("AccountType", "INDIVIDUAL", ""), ("AccountCode", account, ""), ("AccountReady", "true", "")]
        out += [("Cushion", str(cushion.quantize(Decimal("0.000001"))), ""), ("DayTradesRemaining", "-1", "")]
        out += [("Leverage", cents(totals["GrossPositionValue"] / net if net else Decimal(0)), "")]
        out += [(tag, cents(value), BASE) for tag, value in totals.items()]
        for (owner, currency), amount in sorted(self._gateway.ledger.cash.items()):
            if owner == account:
                out += [("CashBalance", cents(amount), currency), ("ExchangeRate", str(self.rate(currency)), currency)]
        out += [("CashBalance", cents(totals["TotalCashValue"]), "BASE"), ("Currency", "BASE", "BASE")]
        return out

    def summary(self, account: str, tags: str) -> list[tuple[str, str, str]]:
        wanted = {t.split(":")[0] for t in tags.split(",")}
        every = "$LEDGER" in wanted
        return [row for row in self.values(account) if row[0] in wanted or (every and row[0] == "CashBalance")]

    def pnl(self, account: str) -> tuple[str, str, str]:
        """(daily, unrealised, realised); realised unset before the first closing trade, as at IB."""
        totals = self.totals(account)
        closed = any(e.realized is not None and e.account == account for e in self._gateway.ledger.executions)
        daily = totals["UnrealizedPnL"] + totals["RealizedPnL"]
        return cents(daily), cents(totals["UnrealizedPnL"]), cents(totals["RealizedPnL"]) if closed else UNSET

    def pnl_single(self, account: str, con_id: int) -> tuple[str, ...]:
        p = self._gateway.ledger.positions.get((account, con_id))
        if p is None:
            return ("0", UNSET, UNSET, UNSET, UNSET)
        open_profit = self.unrealized(p)
        numbers = (open_profit + p.realized, open_profit, p.realized, self.market_value(p))
        return (format(p.quantity.normalize(), "f"), *(cents(n) for n in numbers))

    def what_if(self, account: str, contract: Contract, signed: Decimal, commission: Decimal) -> Margin:
        """Margins before, change and after of one more order."""
        totals = self.totals(account)
        held = next((p.quantity for p in self.positions(account) if p.contract.con_id == contract.con_id), Decimal(0))
        change = self._margin(contract, held + signed) - self._margin(contract, held)
        before, maint = totals["InitMarginReq"], totals["MaintMarginReq"]
        ratio = MAINTENANCE / INITIAL
        equity = totals["EquityWithLoanValue"]
        return Margin(
            init=(cents(before), cents(change), cents(before + change)),
            maint=(cents(maint), cents(change * ratio), cents(maint + change * ratio)),
            equity=(cents(equity), cents(-commission), cents(equity - commission)),
            commission=cents(commission),
            currency=contract.currency,
        )
