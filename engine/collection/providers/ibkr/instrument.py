"""Contract details to an instrument."""

import re
from decimal import Decimal

from engine.collection.providers.ibkr.hours import told_sessions
from engine.collection.providers.ibkr.port import Listed
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.money import exact

_KIND = {
    "STK": InstrumentKind.STOCK,
    "FUT": InstrumentKind.FUTURE,
    "CASH": InstrumentKind.FOREX,
    "OPT": InstrumentKind.OPTION,
    "IND": InstrumentKind.INDEX,
    "CRYPTO": InstrumentKind.CRYPTO,
}
_CALENDAR = {
    "NASDAQ": "XNYS", "NYSE": "XNYS", "ARCA": "XNYS", "AMEX": "XNYS", "BATS": "XNYS", "CBOE": "XCBF", "TSE": "XTSE",
    "LSE": "XLON", "IBIS": "XETR", "SBF": "XPAR", "AEB": "XAMS", "EBS": "XSWX", "TSEJ": "XTKS", "SEHK": "XHKG",
    "ASX": "XASX", "CME": "CMES", "CBOT": "CMES", "NYMEX": "CMES", "COMEX": "CMES", "IDEALPRO": "24/5",
}  # fmt: skip
_LEVERAGED = re.compile(r"(?i)\b(ultra(pro)?|leveraged|inverse|bear|bull [23]x|[-+]?[23]x)\b")


def instrument_of(listed: Listed, price: float | None = None) -> Instrument:
    """Describe a listed contract. ``price`` picks the band of the price step; without it the step above 1 counts."""
    details, contract = listed.details, listed.contract
    kind = _KIND.get(contract.secType, InstrumentKind.STOCK)
    if kind is InstrumentKind.STOCK and details.stockType in ("ETF", "ETN"):
        kind = InstrumentKind.ETF
    venue = contract.primaryExchange or contract.exchange
    at = exact(price) if price is not None and price > 0 else Decimal(1)
    multiplier = exact(contract.multiplier) if contract.multiplier else Decimal(1)
    return Instrument(
        symbol=listed.symbol,
        name=details.longName,
        kind=kind,
        exchange=contract.exchange,
        calendar=_CALENDAR.get(venue, "XNYS" if contract.currency == "USD" else ""),
        currency=contract.currency,
        tick=listed.increment(at),
        multiplier=multiplier or Decimal(1),
        # The details of a US stock name fractions; the interface refuses them.
        lot=Decimal(1),
        sector=details.industry,
        leveraged=kind is InstrumentKind.ETF and bool(_LEVERAGED.search(details.longName)),
        conid=contract.conId,
        # Futures and currencies trade through the night; their weeks are the calendar's.
        hours=told_sessions(details) if kind in (InstrumentKind.STOCK, InstrumentKind.ETF) else (),
    )
