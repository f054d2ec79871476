"""The subscriptions: what is wanted, what is open, and how many the login may have. Opened one by one, within the
budget of messages; opened anew after a reconnect or when the broker says that data was lost, not otherwise.
"""

import asyncio
from collections.abc import Callable

from ib_async import Contract

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError
from engine.collection.provider import Emit
from engine.collection.providers.ibkr.bars import LiveBars
from engine.collection.providers.ibkr.depth import Depth
from engine.collection.providers.ibkr.port import Connection, DataWire, Listings, Sink
from engine.collection.providers.ibkr.settings import IbkrDataSettings
from engine.collection.providers.ibkr.ticks import Ticks
from engine.collection.providers.ibkr.trades import EveryTrade
from engine.model.ids import Symbol
from engine.model.report import LinkState

_DELAYED_WANTED, _LIVE_WANTED = 3, 1
_FULL = frozenset({101, 309, 10190, 10186})
"""The login has no more lines of this kind."""
_HINTS = frozenset({10167, 10090, 2104, 2106, 2108, 2158})
_NOT_LIVE = frozenset({354, 10089, 10091, 10168, 10186, 10189, 420})
"""There are no live prices for this login; there may be delayed ones."""
_NOT_UNDERSTOOD = frozenset({320, 321, 322, 505, 10276})
"""Something in the request is not for this gateway: what is not needed is left out the next time."""
_AGAIN = frozenset({10197, 10225, 10182})
"""The line is dead for now; it is asked for again."""
_RETRY_S = 30.0


class Line:
    """All subscriptions of one symbol."""

    def __init__(self, symbol: Symbol, ticks: Ticks) -> None:
        self.symbol = symbol
        self.ticks = ticks
        self.depth: Depth | None = None
        self.bars: LiveBars | None = None
        self.ids: dict[str, int] = {}
        """Kind of subscription (quotes, trades, depth, bars) -> request id."""
        self.refused: dict[str, str] = {}
        """Kind -> why there is none."""
        self.kind = _LIVE_WANTED
        """The kind of prices that it was asked for with last."""
        self.plain = 0
        """How much that is not needed (headlines, then all extras) is left out of the request for prices."""


class Lines:
    """Keeps what is wanted open."""

    def __init__(
        self, connection: Connection, listings: Listings, clock: Clock, settings: IbkrDataSettings, emit: Emit
    ) -> None:
        self._connection = connection
        self._listings = listings
        self._clock = clock
        self._settings = settings
        self._emit = emit
        self._wanted: dict[Symbol, bool] = {}
        self._open: dict[Symbol, Line] = {}
        self._dirty: list[Ticks | Depth] = []
        self._wake = asyncio.Event()
        self._session = -1
        self._kind = _LIVE_WANTED
        """Live prices are asked for; delayed ones only once a line was refused live ones."""
        self._said = 0
        """The kind that the gateway was told last."""
        self._budget = {"quotes": settings.lines, "trades": settings.trade_lines, "depth": settings.depth_lines}
        self.on_trouble: Callable[[str], None] = lambda text: None

    # --- wishes

    def want(self, symbol: Symbol, depth: bool) -> None:
        """Open a line for ``symbol`` soon, with its book when ``depth``."""
        if depth or symbol not in self._wanted:
            self._wanted[symbol] = depth or self._wanted.get(symbol, False)
            self._wake.set()

    def drop(self, symbol: Symbol) -> None:
        """Close the line of ``symbol``."""
        self._wanted.pop(symbol, None)
        line = self._open.pop(symbol, None)
        if line is not None:
            for kind in tuple(line.ids):
                self._close(line, kind)
            # A place is free for one that was over the budget.
            self._retry_refused()

    def drop_all(self) -> None:
        """Close every line."""
        for symbol in tuple(self._wanted):
            self.drop(symbol)

    def get(self, symbol: Symbol) -> Line | None:
        return self._open.get(symbol)

    def count(self, kind: str) -> int:
        """Open subscriptions of a kind."""
        return sum(1 for line in self._open.values() if kind in line.ids)

    def budget(self, kind: str) -> int:
        """How many of a kind the login may have, as far as we know."""
        return self._budget[kind]

    def without(self) -> dict[Symbol, str]:
        """Wanted symbols that have no prices, and why."""
        found = {}
        for symbol in self._wanted:
            line = self._open.get(symbol)
            if line is None:
                found[symbol] = self._listings.problems.get(symbol, "not asked for yet")
            elif "quotes" not in line.ids:
                found[symbol] = line.refused.get("quotes", "not asked for yet")
        return found

    # --- work

    async def work(self) -> None:
        """Open what is wanted, for ever. Owned by the provider."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._connection.state not in (LinkState.UP, LinkState.DEGRADED):
                continue
            try:
                await self._open_wanted()
            except BrokerError:
                # The connection ended meanwhile; its return wakes us.
                continue

    def flush(self) -> None:
        """A packet has been handled: tell what changed in it."""
        if self._dirty:
            dirty, self._dirty = self._dirty, []
            for each in dirty:
                each.flush()

    def _mark(self, each: Ticks | Depth) -> None:
        self._dirty.append(each)

    def on_link(self, state: LinkState, code: int, text: str) -> None:
        """The connection changed."""
        if state in (LinkState.DOWN, LinkState.CONNECTING):
            self._forget()
        elif state is LinkState.UP:
            if code == 1101:
                self._forget()
            self._wake.set()

    def check_bars(self) -> None:
        """Ask again for lines of bars that have fallen silent: they stop without a word."""
        limit = self._clock.now() - round(self._settings.silence_s * SECOND)
        for line in self._open.values():
            if line.bars is not None and "bars" in line.ids and line.bars.heard_ns < limit:
                self._close(line, "bars")
                self._wake.set()

    def _forget(self) -> None:
        for line in self._open.values():
            for req_id in line.ids.values():
                self._connection.unsubscribe(req_id)
            line.ids.clear()
            line.refused.clear()
            line.ticks.lost()
            if line.depth is not None:
                line.depth.lost()
        self._session = -1

    async def _open_wanted(self) -> None:
        if self._session != self._connection.sessions:
            self._session, self._said, self._kind = self._connection.sessions, 0, _LIVE_WANTED
        for symbol in tuple(self._wanted):
            if symbol not in self._wanted:
                continue
            if self._listings.listing(symbol) is None:
                await self._listings.qualify(self._connection, [symbol])
            listed = self._listings.listing(symbol)
            if listed is None:
                self._tell_trouble()
                continue
            line = self._open.get(symbol)
            if line is None:
                ticks = Ticks(symbol, self._emit, self._clock, self._mark, self._on_quote_error)
                line = self._open[symbol] = Line(symbol, ticks)
            await self._open_kinds(line, listed.contract)
        self._tell_trouble()

    async def _open_kinds(self, line: Line, contract: Contract) -> None:
        s = self._settings
        traded = contract.secType not in ("CASH", "IND")
        if self._may(line, "quotes"):
            generics = self._generics(contract, line.plain)
            line.ticks.bundled = "233" in generics
            line.kind = await self._say_kind()
            await self._ask(
                line, "quotes", line.ticks, lambda w, i: w.reqMktData(i, contract, generics, False, False, [])
            )
        if traded and self._may(line, "trades"):
            every = EveryTrade(line.ticks, lambda code, text: self._refuse(line, "trades", code, text))
            await self._ask(line, "trades", every, lambda w, i: w.reqTickByTickData(i, contract, "AllLast", 0, False))
        if self._wanted.get(line.symbol) and self._may(line, "depth"):
            line.depth = Depth(line.symbol, self._emit, self._clock, self._mark, self._on_depth_error)
            smart = contract.exchange == "SMART"
            await self._ask(line, "depth", line.depth, lambda w, i: w.reqMktDepth(i, contract, s.depth_rows, smart, []))
        if s.five_second_bars and "bars" not in line.ids and "bars" not in line.refused:
            line.bars = LiveBars(
                line.symbol, self._emit, self._clock, lambda code, text: self._refuse(line, "bars", code, text)
            )
            what = "TRADES" if traded else "MIDPOINT"
            await self._ask(line, "bars", line.bars, lambda w, i: w.reqRealTimeBars(i, contract, 5, what, False, []))

    async def _say_kind(self) -> int:
        """Say which prices are wanted, when the gateway does not know it yet; return the kind."""
        kind = self._kind
        if self._said != kind:
            self._said = kind
            await self._connection.send_data(lambda wire: wire.reqMarketDataType(kind))
        return kind

    def _generics(self, contract: Contract, plain: int) -> str:
        """What is asked for beside prices: bundled trades, shares to borrow, headlines; less of it the plainer."""
        if contract.secType not in ("STK", "FUT") or plain > 1:
            return ""
        news = "+".join(self._settings.news)
        if contract.secType == "FUT" or plain:
            return "233"
        return "233,236" + (f",292:{news}" if news else "")

    def _may(self, line: Line, kind: str) -> bool:
        if kind in line.ids or kind in line.refused:
            return False
        if self.count(kind) >= self._budget[kind]:
            if kind == "quotes":
                line.refused[kind] = f"all {self._budget[kind]} lines are in use"
            return False
        return True

    async def _ask(self, line: Line, kind: str, sink: Sink, request: Callable[[DataWire, int], None]) -> None:
        req_id = self._connection.subscribe(sink)
        line.ids[kind] = req_id
        try:
            await self._connection.send_data(lambda wire: request(wire, req_id))
        except BrokerError:
            line.ids.pop(kind, None)
            self._connection.unsubscribe(req_id)
            raise
        if line.symbol not in self._open:
            # Dropped while it waited for its turn.
            line.ids[kind] = req_id
            self._close(line, kind)
        elif kind == "trades":
            line.ticks.every_trade = True

    def _close(self, line: Line, kind: str) -> None:
        req_id = line.ids.pop(kind)
        self._connection.unsubscribe(req_id)
        smart = (listed := self._listings.listing(line.symbol)) is None or listed.contract.exchange == "SMART"
        ends: dict[str, Callable[[DataWire], None]] = {
            "quotes": lambda wire: wire.cancelMktData(req_id),
            "trades": lambda wire: wire.cancelTickByTickData(req_id),
            "depth": lambda wire: wire.cancelMktDepth(req_id, smart),
            "bars": lambda wire: wire.cancelRealTimeBars(req_id),
        }
        self._connection.send_at_once(ends[kind])

    # --- refusals

    def _on_quote_error(self, ticks: Ticks, code: int, text: str) -> None:
        line = self._open.get(ticks.symbol)
        if line is not None:
            self._refuse(line, "quotes", code, text)

    def _on_depth_error(self, depth: Depth, code: int, text: str) -> None:
        line = self._open.get(depth.symbol)
        if line is not None:
            self._refuse(line, "depth", code, text)

    def _refuse(self, line: Line, kind: str, code: int, text: str) -> None:
        if 2100 <= code < 2200 or code in _HINTS:
            return
        req_id = line.ids.pop(kind, None)
        if req_id is None:
            return
        self._connection.unsubscribe(req_id)
        line.refused[kind] = f"{text} ({code})"
        if kind == "quotes" and self._plainer(line, code):
            line.ticks.lost()
            del line.refused[kind]
            self._wake.set()
            return
        if kind == "quotes":
            line.ticks.lost()
        elif kind == "trades":
            line.ticks.every_trade = False
        elif kind == "depth" and line.depth is not None:
            line.depth.lost()
        if code in _FULL and kind in self._budget:
            self._budget[kind] = min(self._budget[kind], self.count(kind))
        if code in _AGAIN:
            self._clock.call_later(_RETRY_S, self._retry_refused)
        self._tell_trouble()

    def _plainer(self, line: Line, code: int) -> bool:
        """Whether to ask for less: delayed prices instead of live ones, or no extras."""
        if code in _NOT_LIVE and self._settings.delayed and line.kind == _LIVE_WANTED:
            # Said once it holds for the session: where there are live prices, the broker goes on sending those.
            self._kind = _DELAYED_WANTED
            return True
        if code in _NOT_UNDERSTOOD and line.plain < 2:
            line.plain += 1
            return True
        return False

    def _retry_refused(self) -> None:
        for line in self._open.values():
            line.refused.clear()
        self._wake.set()

    def _tell_trouble(self) -> None:
        without = self.without()
        if not without:
            self.on_trouble("")
            return
        first = next(iter(without))
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        self.on_trouble(f"no prices of {first}{more}: {without[first]}")
