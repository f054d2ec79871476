"""What one client has subscribed to, and the callbacks that keep it up to date."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.tws_gateway.contracts import Contract
from tests.support.tws_gateway.history import Bar
from tests.support.tws_gateway.market import Book
from tests.support.tws_gateway.options import option_values
from tests.support.tws_gateway.protocol import Msg

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session

DEPTH_ROWS = 5


@dataclass
class MarketData:
    """A reqMktData subscription; `kind` is the market data type that is really delivered (1..4)."""

    contract: Contract
    generics: frozenset[int]
    kind: int
    sent: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)


@dataclass
class LiveBars:
    """keepUpToDate history or five-second bars: the bar that is being built."""

    contract: Contract
    seconds: int
    bar: Bar | None = None
    intraday_format: int = 1


class Subscriptions:
    """Lines of one session; all keyed by request id."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.market_data: dict[int, MarketData] = {}
        self.tick_by_tick: dict[int, tuple[Contract, str]] = {}
        self.depth: dict[int, tuple[Contract, int]] = {}
        self.bars: dict[int, LiveBars] = {}
        self.realtime: dict[int, LiveBars] = {}
        self.pnl: dict[int, str] = {}
        self.pnl_single: dict[int, tuple[str, int]] = {}
        self.summaries: dict[int, tuple[str, str]] = {}
        self.positions = False
        self.bulletins = False
        self.account = ""
        self.scanners: set[int] = set()

    def clear(self) -> None:
        """All lines are gone."""
        for lines in (self.market_data, self.tick_by_tick, self.depth, self.bars, self.realtime, self.pnl):
            lines.clear()
        self.pnl_single.clear()
        self.summaries.clear()
        self.scanners.clear()
        self.positions = self.bulletins = False
        self.account = ""

    def drop_data_lines(self) -> None:
        """1101: market data is lost, account subscriptions live on."""
        for lines in (self.market_data, self.tick_by_tick, self.depth, self.bars, self.realtime):
            lines.clear()

    def lines(self) -> int:
        return len({s.contract.con_id for s in self.market_data.values()})

    # -- market events ---------------------------------------------------------------------

    def on_market(self, con_id: int, kind: str) -> None:
        """Push what changed to every line of the contract."""
        for req_id, data in list(self.market_data.items()):
            if data.contract.con_id == con_id and data.kind in (1, 3):
                self.send_ticks(req_id, data, first=False, traded=kind == "trade")
            elif data.contract.under_con_id == con_id and data.contract.sec_type == "OPT" and data.kind in (1, 3):
                self.send_greeks(req_id, data)
        for req_id, (contract, what) in list(self.tick_by_tick.items()):
            if contract.con_id == con_id:
                self.send_tick_by_tick(req_id, contract, what, kind)
        if kind == "quote":
            for req_id, (contract, rows) in list(self.depth.items()):
                if contract.con_id == con_id:
                    self.send_depth(req_id, contract, rows, first=False)
        for req_id, live in [*self.bars.items(), *self.realtime.items()]:
            if live.contract.con_id == con_id:
                self._update_bar(req_id, live, kind)

    def send_ticks(self, req_id: int, data: MarketData, first: bool, traded: bool = False) -> None:
        book = self._session.gateway.market.book(data.contract.con_id)
        late = data.kind in (3, 4)
        none = Decimal(-1)
        prices = [
            (66 if late else 1, 69 if late else 0, none if book.bid is None else book.bid, book.bid_size),
            (67 if late else 2, 70 if late else 3, none if book.ask is None else book.ask, book.ask_size),
        ]
        if book.last is not None:
            prices.append((68 if late else 4, 71 if late else 5, book.last, book.last_size))
        for price_type, size_type, price, size in prices:
            if data.sent.get(price_type) != (price, size) or (traded and size_type in (5, 71)):
                data.sent[price_type] = (price, size)
                self._session.push(Msg.TICK_PRICE, 6, req_id, price_type, price, size, 1)
                self._session.push(Msg.TICK_SIZE, 6, req_id, size_type, size)
        if first:
            for normal, delayed, price in ((6, 72, book.high), (7, 73, book.low), (9, 75, book.close)):
                self._session.push(Msg.TICK_PRICE, 6, req_id, delayed if late else normal, price, 0, 0)
            self._session.push(Msg.TICK_PRICE, 6, req_id, 76 if late else 14, book.open, 0, 0)
        if first or traded:
            self._session.push(Msg.TICK_SIZE, 6, req_id, 74 if late else 8, book.volume)
            if book.last is not None:
                seconds = self._session.gateway.clock.now_ns() // 1_000_000_000
                self._session.push(Msg.TICK_STRING, 6, req_id, 88 if late else 45, seconds)
        self._send_generics(req_id, data, book, first, traded)

    def _send_generics(self, req_id: int, data: MarketData, book: Book, first: bool, traded: bool) -> None:
        session, late = self._session, data.kind in (3, 4)
        halted = (Decimal(book.halted), Decimal(0))
        if data.sent.get(49) != halted and not (first and not book.halted):
            session.push(Msg.TICK_GENERIC, 6, req_id, 90 if late else 49, book.halted)
        data.sent[49] = halted
        if 236 in data.generics:
            now = (Decimal(str(book.shortable)), Decimal(book.shortable_shares))
            if data.sent.get(46) != now:
                data.sent[46] = now
                session.push(Msg.TICK_GENERIC, 6, req_id, 46, book.shortable)
                session.push(Msg.TICK_SIZE, 6, req_id, 89, book.shortable_shares)
        if 233 in data.generics and traded and book.last is not None:
            ms = session.gateway.clock.now_ns() // 1_000_000
            parts = (book.last, book.last_size, ms, book.volume, book.last, "true")
            session.push(Msg.TICK_STRING, 6, req_id, 48, ";".join(str(p) for p in parts))
        if 221 in data.generics and book.mid is not None:
            session.push(Msg.TICK_PRICE, 6, req_id, 37, book.mid, 0, 0)

    def send_greeks(self, req_id: int, data: MarketData) -> None:
        gateway = self._session.gateway
        under = gateway.market.book(data.contract.under_con_id).mid
        if under is None:
            return
        days = gateway.days_to(data.contract.expiry)
        values = option_values(float(under), float(data.contract.strike), days / 365.0, data.contract.right)
        late = data.kind in (3, 4)
        for live, delayed in ((10, 80), (11, 81), (13, 83)):
            numbers = (values.volatility, values.delta, values.price, 0.0, values.gamma, values.vega, values.theta)
            self._session.push(Msg.TICK_OPTION, req_id, delayed if late else live, 0, *numbers, under)

    def send_tick_by_tick(self, req_id: int, contract: Contract, what: str, kind: str) -> None:
        session = self._session
        book = session.gateway.market.book(contract.con_id)
        seconds = session.gateway.clock.now_ns() // 1_000_000_000
        if what in ("Last", "AllLast") and kind == "trade" and book.last is not None:
            number = 1 if what == "Last" else 2
            session.push(Msg.TICK_BY_TICK, req_id, number, seconds, book.last, book.last_size, 0, contract.primary, "")
        elif what == "BidAsk" and kind == "quote":
            quote = (book.bid or 0, book.ask or 0, book.bid_size, book.ask_size)
            session.push(Msg.TICK_BY_TICK, req_id, 3, seconds, *quote, 0)
        elif what == "MidPoint" and kind == "quote" and book.mid is not None:
            session.push(Msg.TICK_BY_TICK, req_id, 4, seconds, book.mid)

    def send_depth(self, req_id: int, contract: Contract, rows: int, first: bool) -> None:
        """A synthetic book one increment per row under the best quotes; operation 0 inserts, 1 updates, 2 deletes."""
        book = self._session.gateway.market.book(contract.con_id)
        for side, best, size, sign in ((1, book.bid, book.bid_size, -1), (0, book.ask, book.ask_size, 1)):
            for row in range(rows):
                if best is None:
                    if not first:
                        self._session.push(Msg.MKT_DEPTH_L2, 1, req_id, 0, "", 2, side, 0, 0, 1)
                    continue
                price = best + sign * row * contract.increment_at(best)
                maker = ("NSDQ", "ARCA", "BATS", "IEX", "EDGX")[row % 5]
                operation = 0 if first else 1
                amount = size + 100 * row
                self._session.push(Msg.MKT_DEPTH_L2, 1, req_id, row, maker, operation, side, price, amount, 1)

    # -- bars ------------------------------------------------------------------------------

    def _update_bar(self, req_id: int, live: LiveBars, kind: str) -> None:
        gateway = self._session.gateway
        book = gateway.market.book(live.contract.con_id)
        price = book.last if live.contract.has_trades else book.mid
        if price is None or (live.contract.has_trades and kind != "trade"):
            return
        start = gateway.clock.now_ns() // 1_000_000_000 // live.seconds * live.seconds
        volume = float(book.last_size) if live.contract.has_trades else -1.0
        bar = live.bar
        if bar is None or bar.start < start:
            live.bar = Bar(start, float(price), float(price), float(price), float(price), volume, 1)
        elif bar.start == start:
            total = bar.volume + volume if live.contract.has_trades else -1.0
            high, low = max(bar.high, float(price)), min(bar.low, float(price))
            live.bar = Bar(start, bar.open, high, low, float(price), total, bar.count + 1)
        if req_id in self.bars and live.bar is not None:
            b = live.bar
            date = gateway.history.date_text(b.start, live.seconds, live.intraday_format)
            self._session.push(
                Msg.HISTORICAL_DATA_UPDATE,
                *(req_id, b.count, date, b.open, b.close, b.high, b.low, (b.open + b.close) / 2, b.volume),
            )

    def send_realtime_bars(self) -> None:
        """One five-second bar for each subscription."""
        gateway = self._session.gateway
        now = gateway.clock.now_ns() // 1_000_000_000 // 5 * 5
        for req_id, live in list(self.realtime.items()):
            book = gateway.market.book(live.contract.con_id)
            price = float(book.last or book.mid or 0)
            b, live.bar = live.bar or Bar(now, price, price, price, price, 0.0, 0), None
            values = (b.open, b.high, b.low, b.close, b.volume, (b.high + b.low) / 2, b.count)
            self._session.push(Msg.REALTIME_BAR, 3, req_id, now, *values)

    # -- account ---------------------------------------------------------------------------

    def send_pnl(self) -> None:
        accounts = self._session.gateway.accounting
        for req_id, account in list(self.pnl.items()):
            self._session.push(Msg.PNL, req_id, *accounts.pnl(account))
        for req_id, (account, con_id) in list(self.pnl_single.items()):
            self._session.push(Msg.PNL_SINGLE, req_id, *accounts.pnl_single(account, con_id))
