"""What can be traded here: contract definitions, their market rules, hours, and how requests find them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from tests.support.tws_gateway.frames import text
from tests.support.tws_gateway.protocol import Cursor

MARKET_RULES: dict[int, tuple[tuple[str, str], ...]] = {
    26: (("0", "0.0001"), ("1", "0.01")),
    557: (("0", "0.01"),),
    110: (("0", "0.01"), ("3", "0.05")),
    67: (("0", "0.25"),),
    59: (("0", "0.00005"),),
    60: (("0", "0.005"),),
}
"""Rule id to (low edge, increment) bands."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One instrument as IB defines it; `price` is where its market opens in the test."""

    con_id: int
    symbol: str
    sec_type: str
    currency: str = "USD"
    exchange: str = "SMART"
    primary: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    expiry: str = ""
    strike: Decimal = Decimal(0)
    right: str = ""
    multiplier: str = ""
    min_tick: Decimal = Decimal("0.01")
    rule: int = 26
    venues: tuple[str, ...] = ("SMART",)
    long_name: str = ""
    zone: str = "US/Eastern"
    under_con_id: int = 0
    stock_type: str = ""
    price: Decimal = Decimal(100)
    shortable: bool = True
    listed_on: str = ""
    industry: tuple[str, str, str] = ("", "", "")

    @property
    def factor(self) -> Decimal:
        return Decimal(self.multiplier or "1")

    @property
    def has_trades(self) -> bool:
        return self.sec_type != "CASH"

    def increment_at(self, price: Decimal) -> Decimal:
        """Smallest valid step at this price by the market rule."""
        step = Decimal(MARKET_RULES[self.rule][0][1])
        for edge, increment in MARKET_RULES[self.rule]:
            if abs(price) >= Decimal(edge):
                step = Decimal(increment)
        return step

    def order_fields(self) -> list[str]:
        """The eleven fields of openOrder, execDetails and positions (right is '?' where there is none)."""
        return [
            str(self.con_id),
            self.symbol,
            self.sec_type,
            self.expiry,
            text(self.strike),
            self.right or "?",
            self.multiplier,
            self.exchange,
            self.currency,
            self.local_symbol,
            self.trading_class,
        ]


@dataclass(frozen=True)
class ContractQuery:
    """The contract part of a request; empty fields match anything."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: Decimal = Decimal(0)
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""

    @staticmethod
    def read(cursor: Cursor) -> ContractQuery:
        """Read the twelve contract fields of a request."""
        con_id = cursor.integer()
        symbol, sec_type, expiry = cursor.texts(3)
        strike = cursor.decimal() or Decimal(0)
        return ContractQuery(con_id, symbol, sec_type, expiry, strike, *cursor.texts(7))

    def matches(self, c: Contract) -> bool:
        if self.con_id:
            return c.con_id == self.con_id
        sec_type = "FUT" if self.sec_type == "CONTFUT" else self.sec_type
        right = self.right[:1].upper()
        return (
            (not self.symbol or self.symbol.upper() == c.symbol)
            and (not sec_type or sec_type == c.sec_type)
            and (not self.expiry or c.expiry.startswith(self.expiry))
            and (not self.strike or self.strike == c.strike)
            and (right in ("", "?", "0") or right == c.right)
            and (not self.multiplier or self.multiplier == c.multiplier)
            and (not self.exchange or self.exchange in c.venues)
            and (not self.primary or self.primary == c.primary)
            and (not self.currency or self.currency == c.currency)
            and (not self.local_symbol or self.local_symbol == c.local_symbol)
            and (not self.trading_class or self.trading_class == c.trading_class)
            and bool(self.symbol or self.local_symbol)
        )


def _weekdays(start: date, count: int) -> Iterator[tuple[date, bool]]:
    for offset in range(count):
        day = start + timedelta(days=offset)
        yield day, day.weekday() < 5


def hours(contract: Contract, start: date, liquid: bool) -> str:
    """`tradingHours` / `liquidHours` for a week, in the contract's zone."""
    if contract.sec_type in ("STK", "OPT", "IND"):
        opens, closes = ("0930", "1600") if liquid or contract.sec_type != "STK" else ("0400", "2000")
        offset = 0
    else:
        opens, closes, offset = "1800" if contract.sec_type == "FUT" else "1715", "1700", -1
    parts = []
    for day, trades in _weekdays(start, 7):
        first = day + timedelta(days=offset)
        parts.append(f"{first:%Y%m%d}:{opens}-{day:%Y%m%d}:{closes}" if trades else f"{day:%Y%m%d}:CLOSED")
    return ";".join(parts)


ORDER_TYPES = "ACTIVETIM,ADJUST,ALERT,ALGO,ALLOC,BASKET,COND,DAY,GAT,GTC,GTD,IOC,LIT,LMT,LOC,MIT,MKT,MOC,OCA,STP,TRAIL"


def details_fields(c: Contract, req_id: int, version: int, start: date, exchange: str = "") -> list[str]:
    """Encode one contractDetails message."""
    industry, category, subcategory = c.industry
    out = ["10", *(["8"] if version < 164 else []), str(req_id), c.symbol, c.sec_type, c.expiry, text(c.strike)]
    out += [c.right, exchange or c.exchange, c.currency, c.local_symbol, c.trading_class, c.trading_class]
    out += [str(c.con_id), text(c.min_tick), *(["100"] if version < 164 else []), c.multiplier, ORDER_TYPES]
    out += [",".join(c.venues), "1", str(c.under_con_id), c.long_name, c.primary, c.expiry[:6]]
    out += [industry, category, subcategory, c.zone, hours(c, start, False), hours(c, start, True), "", "", "0"]
    under = c.symbol if c.under_con_id else ""
    rules = ",".join(str(c.rule) for _ in c.venues)
    out += ["1", under, "IND" if under == "SPX" else ("STK" if under else ""), rules, c.expiry, c.stock_type]
    if version == 163:
        out += ["100"]
    if version >= 164:
        out += ["0.0001", "0.0001", "100"] if c.sec_type == "STK" else ["1", "1", "1"]
    return out


STOCK_VENUES = ("SMART", "AMEX", "NYSE", "CBOE", "PHLX", "ISE", "ISLAND", "ARCA", "BATS", "IEX", "NASDAQ")


def stock(con_id: int, symbol: str, price: str, name: str, primary: str = "NASDAQ", **more: object) -> Contract:
    base = Contract(
        con_id=con_id,
        symbol=symbol,
        sec_type="STK",
        primary=primary,
        local_symbol=symbol,
        trading_class="NMS" if primary == "NASDAQ" else symbol,
        venues=STOCK_VENUES,
        long_name=name,
        stock_type="COMMON",
        price=Decimal(price),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def _third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 14)


def _quarters(start: date, count: int) -> list[date]:
    found: list[date] = []
    year, month = start.year, start.month
    while len(found) < count:
        if month % 3 == 0 and _third_friday(year, month) > start:
            found.append(_third_friday(year, month))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


MONTH_CODES = "FGHJKMNQUVXZ"
TECH = ("Technology", "Computers", "Computers")


def default_contracts(today: date) -> list[Contract]:
    """Stocks, ETFs, an ambiguous pair, futures, options, currency pairs and an index."""
    found = [
        stock(265598, "AAPL", "190.00", "APPLE INC", industry=TECH),
        stock(272093, "MSFT", "410.00", "MICROSOFT CORP", industry=("Technology", "Software", "Software")),
        stock(4815747, "NVDA", "120.00", "NVIDIA CORP"),
        stock(76792991, "TSLA", "250.00", "TESLA INC"),
        stock(3691937, "AMZN", "180.00", "AMAZON.COM INC"),
        stock(208813720, "GOOG", "170.00", "ALPHABET INC-CL C"),
        stock(107113386, "META", "500.00", "META PLATFORMS INC"),
        stock(8314, "IBM", "185.00", "INTL BUSINESS MACHINES CORP", "NYSE"),
        stock(8894, "KO", "62.00", "COCA-COLA CO/THE", "NYSE"),
        stock(1520593, "JPM", "200.00", "JPMORGAN CHASE & CO", "NYSE"),
        stock(36285627, "GME", "20.00", "GAMESTOP CORP", "NYSE", shortable=False),
        stock(756733, "SPY", "520.00", "SS SPDR S&P 500 ETF TRUST-US", "ARCA", stock_type="ETF"),
        stock(320227571, "QQQ", "440.00", "INVESCO QQQ TRUST SERIES 1", "NASDAQ", stock_type="ETF"),
        stock(9579976, "RY", "105.00", "ROYAL BANK OF CANADA", "NYSE"),
        stock(
            4458694, "RY", "142.00", "ROYAL BANK OF CANADA", "TSE", currency="CAD", venues=("SMART", "TSE"), rule=557
        ),
        Contract(
            con_id=416904,
            symbol="SPX",
            sec_type="IND",
            exchange="CBOE",
            local_symbol="SPX",
            trading_class="SPX",
            venues=("CBOE",),
            long_name="S&P 500 Stock Index",
            price=Decimal("5200.00"),
            rule=557,
            shortable=False,
        ),
    ]
    for con_id, base, quote, price, rule, tick in (
        (12087792, "EUR", "USD", "1.08500", 59, "0.00005"),
        (12087797, "GBP", "USD", "1.27000", 59, "0.00005"),
        (15016059, "USD", "JPY", "150.000", 60, "0.005"),
    ):
        found.append(
            Contract(
                con_id=con_id,
                symbol=base,
                sec_type="CASH",
                exchange="IDEALPRO",
                currency=quote,
                local_symbol=f"{base}.{quote}",
                trading_class=f"{base}.{quote}",
                venues=("IDEALPRO", "SMART"),
                long_name=f"{base}/{quote}",
                rule=rule,
                min_tick=Decimal(tick),
                price=Decimal(price),
            )
        )
    for index, day in enumerate(_quarters(today, 2)):
        found.append(
            Contract(
                con_id=495512551 + index,
                symbol="ES",
                sec_type="FUT",
                exchange="CME",
                local_symbol=f"ES{MONTH_CODES[day.month - 1]}{day.year % 10}",
                trading_class="ES",
                expiry=f"{day:%Y%m%d}",
                multiplier="50",
                min_tick=Decimal("0.25"),
                rule=67,
                venues=("CME", "QBALGO"),
                long_name="E-mini S&P 500",
                zone="US/Central",
                under_con_id=11004968,
                price=Decimal("5210.00") + 50 * index,
            )
        )
    number = 700_000_001
    for expiry in _quarters(today, 2):
        for strike in ("180", "190", "200"):
            for right in ("C", "P"):
                code = f"AAPL  {expiry:%y%m%d}{right}{int(strike) * 1000:08d}"
                found.append(
                    Contract(
                        con_id=number,
                        symbol="AAPL",
                        sec_type="OPT",
                        local_symbol=code,
                        trading_class="AAPL",
                        expiry=f"{expiry:%Y%m%d}",
                        strike=Decimal(strike),
                        right=right,
                        multiplier="100",
                        rule=110,
                        venues=("SMART", "AMEX", "CBOE", "ISE"),
                        long_name="APPLE INC",
                        under_con_id=265598,
                        price=Decimal("8.50"),
                    )
                )
                number += 1
    return found


@dataclass
class Universe:
    """All contracts by conId."""

    contracts: dict[int, Contract] = field(default_factory=dict)

    def add(self, *contracts: Contract) -> None:
        for c in contracts:
            self.contracts[c.con_id] = c

    def find(self, query: ContractQuery) -> list[Contract]:
        return [c for c in self.contracts.values() if query.matches(c)]

    def __iter__(self) -> Iterator[Contract]:
        return iter(self.contracts.values())

    def get(self, key: int | str) -> Contract:
        """By conId, symbol (the first one defined) or local symbol; KeyError names what was asked."""
        if isinstance(key, int):
            return self.contracts[key]
        for c in self.contracts.values():
            if key in (c.symbol, c.local_symbol) and not (c.sec_type == "OPT" and key == c.symbol):
                return c
        raise KeyError(f"no contract {key!r} in the gateway's universe")

    def options_of(self, con_id: int) -> Iterable[Contract]:
        return (c for c in self.contracts.values() if c.sec_type == "OPT" and c.under_con_id == con_id)
