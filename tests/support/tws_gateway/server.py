"""The gateway: composition, the listening socket, the actions a test or a script can perform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.tws_gateway.accounting import Accounting
from tests.support.tws_gateway.clock import LOGIN_ZONE, GatewayClock
from tests.support.tws_gateway.config import FARMS, GatewayConfig
from tests.support.tws_gateway.contracts import Universe, default_contracts
from tests.support.tws_gateway.desk import Desk
from tests.support.tws_gateway.engine import Engine
from tests.support.tws_gateway.faults import Faults
from tests.support.tws_gateway.flood import Flood
from tests.support.tws_gateway.frames import WHAT_IF, WireFrame, WireLog
from tests.support.tws_gateway.history import History
from tests.support.tws_gateway.ledger import Execution, Ledger
from tests.support.tws_gateway.market import Market, decimal
from tests.support.tws_gateway.memory import connect_in_memory
from tests.support.tws_gateway.news import Headline, News
from tests.support.tws_gateway.orders import Order, Terms
from tests.support.tws_gateway.protocol import Msg, Req
from tests.support.tws_gateway.reports import Reports
from tests.support.tws_gateway.session import Session


class TwsGateway:
    """A TWS that listens on loopback.  Use `async with TwsGateway(...) as gateway` and connect to `gateway.port`."""

    def __init__(self, config: GatewayConfig | None = None, **settings: Any) -> None:
        self.config = config or GatewayConfig(**settings)
        self.accounts = self.config.accounts
        self.clock = GatewayClock(self.config.start)
        self.universe = Universe()
        self.universe.add(*default_contracts(self.clock.local().date()))
        self.wire = WireLog()
        self.faults = Faults(self.config.seed, self.do)
        self.ledger = Ledger(self.accounts, {c: decimal(v) for c, v in self.config.cash.items()})
        self.market = Market(self.universe, self.config.seed)
        self.accounting = Accounting(self)
        self.history = History(self)
        self.news = News()
        self.reports = Reports(self)
        self.engine = Engine(self)
        self.desk = Desk(self)
        self.sessions: list[Session] = []
        self.link_up = True
        self.limbo_keeps_orders = False
        self.port = 0
        self.stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._beat: asyncio.TimerHandle | None = None
        self._in_use_until: dict[int, int] = {}
        self._highest_id: dict[int, int] = {}
        self._forced_id: int | None = None
        self._bound_id = 0
        self._numbers = 0
        self._last_realtime = 0
        self.storm: Flood | None = None
        self.market.listen(self._on_market)

    # -- life ------------------------------------------------------------------------------

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the gateway has not been started")
        return self._loop

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        self.attach()
        self._server = await self.loop.create_server(self.new_session, "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    def attach(self) -> None:
        """Run on the current loop without a socket (for `connect_in_memory`)."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self.clock.bind(self._loop)
            self._beat = self._loop.call_later(self.config.heartbeat, self._heartbeat)
            self.later(self.config.lifetime, self._end)

    def connect_in_memory(self, client: asyncio.Protocol) -> asyncio.Transport:
        """Join a client protocol to a new session without a socket; returns the client's transport."""
        self.attach()
        return connect_in_memory(self.loop, client, self.new_session())

    def new_session(self) -> Session:
        self._numbers += 1
        session = Session(self, self._numbers)
        self.sessions.append(session)
        return session

    async def stop(self) -> None:
        """Close every connection and the listening socket."""
        self._end()
        if self._server is not None:
            await self._server.wait_closed()

    def _end(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        for session in list(self.sessions):
            session.abort()
        if self._server is not None:
            self._server.close()
        self.wire.close()
        self.stopped.set()

    async def __aenter__(self) -> TwsGateway:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Run an action after a while unless the gateway ends before."""

        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = self.loop.call_later(seconds, run)
        self._timers.add(handle)

    def _heartbeat(self) -> None:
        self.market.step()
        self.engine.expire_due()
        second = self.clock.now_ns() // 1_000_000_000 // 5
        if self._last_realtime and second != self._last_realtime:
            self.emit_realtime_bars()
        self._last_realtime = second
        self._beat = self.loop.call_later(self.config.heartbeat, self._heartbeat)

    def _on_market(self, con_id: int, kind: str) -> None:
        for session in list(self.sessions):
            if session.ready:
                session.subs.on_market(con_id, kind)
        self.engine.on_market(con_id, kind)

    # -- sessions --------------------------------------------------------------------------

    def admit(self, session: Session, client_id: int) -> None:
        """startApi: 326 when the id is in use, else accounts, next id and the farms."""
        taken = any(s.client_id == client_id and not s.closed for s in self.sessions if s is not session)
        session.client_id = client_id
        if taken or self._in_use_until.get(client_id, 0) > self.clock.now_ns():
            session.client_id = -1
            session.error(
                -1, 326, "Unable to connect as the client id is already in use. Retry with a unique client id."
            )
            session.close()
            return
        session.ready = True
        fault = self.faults.hit("account_mismatch", client_id=client_id)
        accounts = str(fault["account"]) if fault else ",".join(self.accounts)
        session.send(Msg.MANAGED_ACCOUNTS, 1, accounts)
        session.send(Msg.NEXT_VALID_ID, 1, self.next_order_id(client_id))
        for code in (2104, 2106, 2158):
            session.error(-1, code, FARMS[code])
        if not self.link_up:
            session.error(-1, 2110, FARMS[2110])
        self.faults.event("connect", client_id=client_id)

    def session_ended(self, session: Session, abrupt: bool) -> None:
        """Called once by each session that ends."""
        if session in self.sessions:
            self.sessions.remove(session)
        if abrupt and session.ready:
            fault = self.faults.hit("client_id_in_use", client_id=session.client_id)
            if fault:
                self._in_use_until[session.client_id] = self.clock.now_ns() + round(float(fault["seconds"]) * 1e9)

    def session(self, client_id: int) -> Session:
        """The live session of a client id."""
        for session in self.sessions:
            if session.client_id == client_id:
                return session
        raise LookupError(f"no client {client_id} is connected")

    def note_order_id(self, client_id: int, order_id: int) -> None:
        self._highest_id[client_id] = max(self._highest_id.get(client_id, 0), order_id)

    def next_order_id(self, client_id: int) -> int:
        if self._forced_id is not None:
            return self._forced_id
        return max(self.config.first_order_id, self._highest_id.get(client_id, 0) + 1)

    def take_bound_id(self) -> int:
        self._bound_id -= 1
        return self._bound_id

    def date_of(self, ts_ns: int) -> date:
        """Login-zone date of a moment."""
        return datetime.fromtimestamp(ts_ns / 1e9, UTC).astimezone(ZoneInfo(LOGIN_ZONE)).date()

    def days_to(self, expiry: str) -> float:
        day = datetime.strptime(expiry, "%Y%m%d").replace(hour=21, tzinfo=UTC)
        return (day - self.clock.now()).total_seconds() / 86400

    # -- what was on the wire --------------------------------------------------------------

    def place_frames(self, ref: str) -> int:
        """How many placeOrder frames (changes included, what-if not) came in for an orderRef."""
        return sum(1 for f in self._orders_in() if f.ref == ref)

    def place_counts(self) -> dict[str, int]:
        """placeOrder frames per orderRef."""
        counts: dict[str, int] = {}
        for frame in self._orders_in():
            counts[frame.ref] = counts.get(frame.ref, 0) + 1
        return counts

    def _orders_in(self) -> list[WireFrame]:
        return [f for f in self.wire.select(Req.PLACE_ORDER, "in") if f.note != WHAT_IF]

    def last_cancel_ns(self) -> int | None:
        """Gateway time of the last cancelOrder or global cancel frame."""
        times = [f.ts_ns for m in (Req.CANCEL_ORDER, Req.GLOBAL_CANCEL) for f in self.wire.select(m, "in")]
        return max(times, default=None)

    def last_place_ns(self) -> int | None:
        """Gateway time of the last placeOrder frame."""
        return max((f.ts_ns for f in self._orders_in()), default=None)

    # -- actions (also by name from a script) ----------------------------------------------

    def do(self, action: str, params: dict[str, Any] | None = None) -> object:
        """Perform one of `ACTIONS` by name."""
        if action not in ACTIONS:
            raise ValueError(f"unknown action {action!r}; known: {', '.join(sorted(ACTIONS))}")
        return getattr(self, action)(**(params or {}))

    def set_price(self, symbol: str, price: float | str) -> None:
        self.market.set_price(symbol, price)

    def set_quote(
        self, symbol: str, bid: float | None, ask: float | None, bid_size: float = 500, ask_size: float = 500
    ) -> None:
        self.market.set_quote(symbol, bid, ask, bid_size, ask_size)

    def trade(self, symbol: str, price: float, size: float = 100) -> None:
        self.market.trade(symbol, price, size)

    def set_liquidity(self, symbol: str, per_event: float | None) -> None:
        self.market.set_liquidity(symbol, per_event)

    def set_halted(self, symbol: str, halted: int = 1) -> None:
        self.market.set_halted(symbol, halted)

    def set_shortable(self, symbol: str, indicator: float, shares: int) -> None:
        self.market.set_shortable(symbol, indicator, shares)

    def set_data(self, symbol: str, kind: str) -> None:
        self.market.set_data(symbol, kind)

    def walk(self, symbols: list[str], sigma: float = 0.0005) -> None:
        self.market.walk(symbols, sigma)

    def set_auto_fill(self, on: bool) -> None:
        self.engine.auto_fill = on

    def fill(self, ref: str, quantity: float | None = None, price: float | None = None) -> Execution:
        """Execute the (newest) order with this orderRef, whatever the market says."""
        order = self._newest(ref)
        book = self.market.book(order.contract.con_id)
        at = (
            decimal(price)
            if price is not None
            else (order.terms.limit or book.last or book.mid or order.contract.price)
        )
        return self.engine.fill(order, order.remaining if quantity is None else decimal(quantity), at)

    def release(self, ref: str) -> None:
        """A held, inactive or located order becomes live."""
        self.engine.release(self._newest(ref))

    def cancel(self, ref: str, reason: str = "") -> None:
        """IB ends an order by itself (202)."""
        self.engine.finish(self._newest(ref), "Cancelled", reason)

    def correct_execution(self, exec_id: str, price: float, shares: float | None = None) -> Execution:
        return self.engine.correct(exec_id, decimal(price), None if shares is None else decimal(shares))

    def order_error(self, ref: str, code: int, text: str) -> None:
        """Say any code about an order; its state does not change."""
        self.reports.error(self._newest(ref), code, text)

    def order_status(self, ref: str, status: str = "") -> None:
        """Send the order's status again, or a false one."""
        self.reports.status(self._newest(ref), status)

    def _newest(self, ref: str) -> Order:
        found = self.ledger.by_ref(ref)
        if not found:
            raise LookupError(f"no order has orderRef {ref!r}")
        return found[-1]

    def manual_order(
        self,
        symbol: str,
        action: str,
        quantity: float,
        kind: str = "MKT",
        limit: float | None = None,
        stop: float | None = None,
        tif: str = "DAY",
        account: str = "",
    ) -> Order:
        """An order made by hand in TWS: client 0, orderId 0."""
        raw = {"action": action, "totalQuantity": str(quantity), "orderType": kind, "tif": tif, "transmit": "1"}
        raw |= {"lmtPrice": "" if limit is None else str(limit), "auxPrice": "" if stop is None else str(stop)}
        return self.desk.enter_manual(account or self.accounts[0], self.universe.get(symbol), Terms(raw))

    def transfer(self, symbol: str, quantity: float, cost: float, account: str = "") -> None:
        """Move shares without an order or an execution and tell the subscribers."""
        contract, owner = self.universe.get(symbol), account or self.accounts[0]
        self.ledger.transfer(owner, contract, decimal(quantity), decimal(cost))
        self.reports.position(owner, contract.con_id)

    def flood(self, per_second: int) -> None:
        """Send so many price ticks a second from now on."""
        self.storm = Flood(self, per_second)

    def close_market(self) -> None:
        self.engine.close_market()

    def open_market(self) -> None:
        self.engine.open_market()

    def advance(self, seconds: float) -> None:
        """Let gateway time jump; due orders expire."""
        self.clock.advance(seconds)
        self.engine.expire_due()

    def emit_realtime_bars(self) -> None:
        for session in list(self.sessions):
            session.subs.send_realtime_bars()

    def say(self, code: int, text: str, req_id: int = -1) -> None:
        """An error, warning or note to every client."""
        for session in list(self.sessions):
            if session.ready:
                session.error(req_id, code, text)

    def farm(self, code: int) -> None:
        self.say(code, FARMS[code])

    def link_lost(self, orders: str = "lost") -> None:
        """1100: no data, no reports; orders sent now are `lost` or `delivered` when the link comes back."""
        if orders not in ("lost", "delivered"):
            raise ValueError(f"orders must be lost or delivered, not {orders!r}")
        self.limbo_keeps_orders = orders == "delivered"
        self.say(1100, "Connectivity between IBKR and Trader Workstation has been lost.")
        self.link_up = False

    def link_restored(self, data_lost: bool = False) -> None:
        """1102, or 1101 after which the data lines are gone. What happened meanwhile is not reported again."""
        self.link_up = True
        what = "Connectivity between IBKR and Trader Workstation has been restored"
        if data_lost:
            for session in list(self.sessions):
                session.subs.drop_data_lines()
            self.say(1101, f"{what} - data lost.")
        else:
            self.say(1102, f"{what} - data maintained. The following farms are connected: usfarm; ushmds.")
        self.desk.release_limbo()

    def competing_session(self) -> None:
        """10197 for every data line; its ticks stop."""
        for session in list(self.sessions):
            for req_id in list(session.subs.market_data):
                session.error(req_id, 10197, "No market data during competing live session")
            session.subs.drop_data_lines()

    def depth_reset(self) -> None:
        """317 for every depth line, then the book from the start."""
        for session in list(self.sessions):
            for req_id, (contract, rows) in list(session.subs.depth.items()):
                session.error(req_id, 317, "Market depth data has been RESET. Please empty deep book contents.")
                session.subs.send_depth(req_id, contract, rows, first=True)

    def drop(self, client_id: int | None = None) -> None:
        """Reset the sockets (of one client)."""
        for session in list(self.sessions):
            if client_id in (None, session.client_id):
                session.abort()

    def half_open(self, client_id: int | None = None) -> None:
        """The sockets stay open but nothing goes in or out any more."""
        for session in list(self.sessions):
            if client_id in (None, session.client_id):
                session.half_open = True

    def restart(self, rollback_to: int | None = None) -> None:
        """Close every socket without ceremony; optionally hand out old order ids again."""
        for session in list(self.sessions):
            session.abort()
        self.desk.restarted_at = len(self.ledger.orders)
        if rollback_to is not None:
            self._forced_id = rollback_to
            self._highest_id.clear()

    def headline(self, symbol: str, text: str, provider: str = "BRFG", article_id: str = "", body: str = "") -> None:
        """Publish a headline about a contract; subscribers of generic tick 292 hear it at once."""
        contract = self.universe.get(symbol)
        now = self.clock.now_ns()
        number = article_id or f"{provider}${len(self.news.items) + 1:08x}"
        stamp = self.clock.now().strftime("%Y-%m-%d %H:%M:%S.0")
        self.news.items.append(Headline(now, stamp, contract.con_id, provider, number, text, body or text))
        for session in list(self.sessions):
            for req_id, data in list(session.subs.market_data.items()):
                if data.contract.con_id == contract.con_id and 292 in data.generics:
                    session.push(Msg.TICK_NEWS, req_id, now // 1_000_000, provider, number, text, "")

    def bulletin(self, text: str, kind: int = 1, exchange: str = "") -> None:
        """1 regular, 2 exchange not available, 3 exchange available."""
        number = len(self.news.bulletins) + 1
        self.news.bulletins.append((number, kind, text, exchange))
        for session in list(self.sessions):
            if session.subs.bulletins:
                session.push(Msg.NEWS_BULLETIN, 1, number, kind, text, exchange)

    def log_to(self, path: str) -> None:
        """Also write every frame to a file, one JSON line each."""
        self.wire.open_file(Path(path))


ACTIONS = frozenset(
    [
        "set_price",
        "set_quote",
        "trade",
        "set_liquidity",
        "set_halted",
        "set_shortable",
        "set_data",
        "walk",
        "flood",
        "set_auto_fill",
        "fill",
        "release",
        "cancel",
        "correct_execution",
        "order_error",
        "order_status",
        "manual_order",
        "transfer",
        "close_market",
        "open_market",
        "advance",
        "emit_realtime_bars",
        "say",
        "farm",
        "link_lost",
        "link_restored",
        "competing_session",
        "depth_reset",
        "drop",
        "half_open",
        "restart",
        "headline",
        "bulletin",
        "log_to",
    ]
)
