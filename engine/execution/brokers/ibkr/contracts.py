"""Our symbols and the broker's contracts: names both ways, qualification, price increments by band."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

import msgspec
from ib_async import IB, Contract, ContractDetails, Forex, Future, Index, Option, PriceIncrement, Stock

from engine.bus.errors import BrokerError
from engine.model.ids import Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.money import ZERO, exact, units

T = TypeVar("T")
TRADABLE = ("STK", "FUT", "CASH")
"""Kinds of contract that orders may name; options and indices are read only."""
_PRICES_END = 10**15
"""No price is as large: what the wire says there is no number to round."""


class Catalogue(Protocol):
    """The market's instruments."""

    def instrument(self, symbol: Symbol) -> Instrument | None: ...


class Asker(Protocol):
    """The link, as far as single requests go."""

    async def ask(self, make: Callable[[IB], Awaitable[T]], timeout_s: float) -> T: ...


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One contract as the broker lists it."""

    symbol: Symbol
    contract: Contract
    details: ContractDetails
    increments: tuple[tuple[Decimal, Decimal], ...]
    """(from this price on, increment), ascending; of the venue that orders name."""

    def increment(self, price: Decimal) -> Decimal:
        """The valid price step at ``price``."""
        step = self.increments[0][1]
        for edge, increment in self.increments:
            if price >= edge:
                step = increment
        return step


class Contracts:
    """Cache of listings; filled in the background, read at once."""

    def __init__(self, catalogue: Catalogue, timeout_s: float = 10.0) -> None:
        self._catalogue = catalogue
        self._timeout_s = timeout_s
        self._listings: dict[Symbol, Listing] = {}
        self._by_conid: dict[int, Symbol] = {}
        self._rules: dict[int, tuple[tuple[Decimal, Decimal], ...]] = {}
        self._lock = asyncio.Lock()
        self.problems: dict[Symbol, str] = {}
        """Why a symbol could not be qualified."""

    def listing(self, symbol: Symbol) -> Listing | None:
        """What the broker lists under our name; None until it was asked."""
        return self._listings.get(symbol)

    def written(self, symbol: Symbol, price: Decimal) -> Decimal:
        """A price off the wire with the digits of its increment (250.00, not 250.0); without one as short as it is."""
        listing, instrument = self._listings.get(symbol), self._catalogue.instrument(symbol)
        step = listing.increment(price) if listing is not None else instrument.tick if instrument is not None else ZERO
        return price.quantize(step) if step and abs(price) < _PRICES_END and not price % step else units(price)

    def contract(self, symbol: Symbol) -> Contract:
        """The contract to name in an order. Raises ``LookupError`` when the symbol is unknown."""
        known = self._listings.get(symbol)
        if known is not None:
            return known.contract
        instrument = self._catalogue.instrument(symbol)
        if instrument is None:
            raise LookupError(f"there is no instrument {symbol}")
        return contract_of(instrument)

    def symbol_of(self, contract: Contract) -> Symbol:
        """Our name of a contract of the broker's."""
        known = self._by_conid.get(contract.conId)
        if known is not None:
            return known
        if contract.secType == "CASH":
            return Symbol(f"{contract.symbol}.{contract.currency}")
        if contract.secType not in ("STK", "IND"):
            return Symbol(contract.localSymbol or contract.symbol)
        symbol = Symbol(contract.symbol.replace(" ", "."))
        instrument = self._catalogue.instrument(symbol)
        home = instrument.currency if instrument is not None else "USD"
        return symbol if contract.currency in ("", home) else Symbol(f"{symbol}:{contract.currency}")

    async def qualify(self, asker: Asker, symbols: Sequence[Symbol], again: bool = False) -> None:
        """Ask the broker for the listings not known yet; what fails is in :attr:`problems`.

        ``again`` asks for those that are known, too: their hours are of a few days. One that fails then stays known.
        Raises ``BrokerError`` when the connection ends.
        """
        async with self._lock:
            for symbol in symbols:
                known = symbol in self._listings
                if known and not again:
                    continue
                # A symbol nobody has described yet is looked up as a US stock; orders need more than that.
                instrument = self._catalogue.instrument(symbol) or Instrument(symbol=symbol)
                try:
                    await self._qualify(asker, symbol, instrument)
                    self.problems.pop(symbol, None)
                except BrokerError as error:
                    if not known:
                        self.problems[symbol] = str(error)

    async def _qualify(self, asker: Asker, symbol: Symbol, instrument: Instrument) -> None:
        wanted = contract_of(instrument)
        found = await asker.ask(lambda ib: ib.reqContractDetailsAsync(wanted), self._timeout_s)
        fitting = _fitting(found, wanted)
        if len(fitting) != 1:
            told = ", ".join(f"{d.contract.primaryExchange or d.contract.exchange}" for d in fitting if d.contract)
            raise BrokerError(
                f"{symbol} names {len(fitting)} contracts ({told})" if fitting else f"no contract {symbol}"
            )
        details = fitting[0]
        contract = details.contract
        if contract is None:
            raise BrokerError(f"no contract {symbol}")
        if wanted.exchange == "SMART":
            contract.exchange = "SMART"
        increments = await self._increments(asker, details, contract.exchange)
        self._listings[symbol] = Listing(symbol=symbol, contract=contract, details=details, increments=increments)
        self._by_conid[contract.conId] = symbol

    async def _increments(
        self, asker: Asker, details: ContractDetails, exchange: str
    ) -> tuple[tuple[Decimal, Decimal], ...]:
        """Steps of the venue. ``minTick`` alone is the smallest step anywhere and at any price, which is too small."""
        venues, ids = details.validExchanges.split(","), details.marketRuleIds.split(",")
        rule = dict(zip(venues, ids, strict=False)).get(exchange, ids[0] if ids else "")
        fallback = ((ZERO, exact(details.minTick if details.minTick > 0 else 0.01)),)
        if not rule.isdigit():
            return _usual_steps(details, fallback)
        number = int(rule)
        if number not in self._rules:
            try:
                steps: list[PriceIncrement] | None = await asker.ask(
                    lambda ib: ib.reqMarketRuleAsync(number), self._timeout_s
                )
            except BrokerError:
                # Told by none, or too late: steps that are valid wherever such a contract trades.
                steps = None
            bands = sorted((exact(s.lowEdge), exact(s.increment)) for s in steps or () if s.increment > 0)
            self._rules[number] = tuple(bands) or _usual_steps(details, fallback)
        return self._rules[number]


def _usual_steps(
    details: ContractDetails, fallback: tuple[tuple[Decimal, Decimal], ...]
) -> tuple[tuple[Decimal, Decimal], ...]:
    """US shares from a dollar on trade in whole cents (SEC Rule 612), whatever their smallest step."""
    contract, cent = details.contract, Decimal("0.01")
    if contract is None or contract.secType != "STK" or contract.currency != "USD" or fallback[0][1] >= cent:
        return fallback
    return (*fallback, (Decimal(1), cent))


def _fitting(found: Sequence[ContractDetails], wanted: Contract) -> list[ContractDetails]:
    """Of what the broker lists, what we mean: each contract once, of our kind and currency, then as it is routed."""
    fitting: dict[int, tuple[Contract, ContractDetails]] = {}
    for details in found:
        listed = details.contract
        if listed is not None and listed.secType == wanted.secType and listed.currency in ("", wanted.currency):
            fitting.setdefault(listed.conId, (listed, details))
    narrower: tuple[Callable[[Contract, ContractDetails], bool], ...] = (
        lambda c, d: c.conId == wanted.conId,
        lambda c, d: c.symbol == wanted.symbol,
        lambda c, d: wanted.exchange in (c.exchange, *d.validExchanges.split(",")),
    )
    for says in narrower:
        kept = {number: pair for number, pair in fitting.items() if says(*pair)}
        fitting = kept or fitting
    return [details for _, details in fitting.values()]


def contract_of(instrument: Instrument) -> Contract:
    """The contract an instrument describes, as far as we know it."""
    symbol, currency, exchange = str(instrument.symbol), instrument.currency, instrument.exchange
    match instrument.kind:
        case InstrumentKind.STOCK | InstrumentKind.ETF:
            contract: Contract = Stock(symbol.replace(".", " "), exchange or "SMART", currency)
        case InstrumentKind.FUTURE:
            contract = Future(localSymbol=symbol, exchange=exchange, currency=currency)
        case InstrumentKind.FOREX:
            pair = symbol.replace(".", "").replace("/", "")
            contract = Forex(pair, exchange="IDEALPRO")
        case InstrumentKind.INDEX:
            contract = Index(symbol, exchange, currency)
        case InstrumentKind.OPTION:
            contract = Option(localSymbol=symbol, exchange=exchange or "SMART", currency=currency)
        case InstrumentKind.CRYPTO:
            raise LookupError(f"{symbol}: crypto is not traded through this broker")
    if instrument.conid:
        contract.conId = instrument.conid
    return contract
