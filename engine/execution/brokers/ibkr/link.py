"""The one connection to the gateway: owned here, used by the broker and by the data provider.

It reads nothing of orders at connect: the library's own start-up reading reports an empty picture when an answer is
missing. The order desk compares as soon as the link is up, part by part, and a missing part stays missing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np
from ib_async import IB
from ib_async.wrapper import RequestError

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError
from engine.execution.brokers.ibkr.ears import DataSink, Ears, LinkEar, OrderEar, listening_ib
from engine.execution.brokers.ibkr.identity import mismatch
from engine.execution.brokers.ibkr.pace import Pace
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.brokers.ibkr.upstream import Upstream
from engine.execution.brokers.ibkr.windows import Window, Windows
from engine.execution.brokers.ibkr.wire import Wire, wire_of
from engine.model.report import LinkState

T = TypeVar("T")
Listener = Callable[[LinkState, int, str], None]
"""Hears each change of the link: state, the gateway's code (0 for none), a sentence."""
MakeIb = Callable[[LinkEar], tuple[IB, Ears]]

_WRITE_BUFFER = 16_384
"""Bytes that may wait in the socket; more means that the gateway does not read, and nothing should be added."""


class _Refused(Exception):
    """The gateway said no while we connected."""


class Link:
    """Connects, stays connected, and says how it stands."""

    name = "ibkr link"

    def __init__(
        self,
        clock: Clock,
        settings: IbkrSettings,
        rng: np.random.Generator,
        *,
        live: bool,
        make_ib: MakeIb = listening_ib,
    ) -> None:
        """``live`` is the profile's word: PAPER and LIVE never mix."""
        self._clock = clock
        self._settings = settings
        self._rng = rng
        self._live = live
        self._make_ib = make_ib
        self._ib: IB | None = None
        self._ears: Ears | None = None
        self._orders: OrderEar | None = None
        self._listeners: list[Listener] = []
        self._packet_ends: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._why = ""
        self._refused: asyncio.Future[None] | None = None
        self._pong_ns = 0
        self._highest_id = 0
        self._down_since = clock.now()
        self._handshaken = False
        self._upstream = Upstream(settings.farms_block_orders)
        self.windows = Windows(settings)
        self.pace = Pace(clock, settings.messages_per_s, settings.data_per_s)
        self.state = LinkState.DOWN
        self.text = "not connected yet"
        self.sessions = 0
        """How often it has been connected."""
        self.heard_ns = 0
        """When the last packet came, UTC ns."""
        self.skew_s = 0.0
        """The gateway's clock minus ours, whole seconds."""
        self.identity_fault = ""
        """Why the gateway is not the one this profile means; empty while it is, or before it has said hello."""

    # --- life

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of every change from now on."""
        self._listeners.append(listener)

    def give_orders_to(self, ear: OrderEar) -> None:
        """All order, execution and account messages go to ``ear``."""
        self._orders = ear
        if self._ears is not None:
            self._ears.orders = ear

    async def start(self) -> None:
        """Begin to connect; returns at once, the state says when it has. Safe to call twice."""
        if self._task is None:
            self._ib, self._ears = self._make_ib(self)
            self._ears.orders = self._orders
            self._ears.packet_ends = self._packet_ends
            self._ib.client.conn.disconnected += self._on_disconnected
            self._task = asyncio.get_running_loop().create_task(self._keep(), name="ibkr link")

    async def stop(self) -> None:
        """Disconnect; orders stay at the broker."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._hang_up()
        self._set(LinkState.DOWN, 0, "stopped")

    # --- use

    @property
    def ears(self) -> Ears:
        """Where subscriptions register. Raises ``BrokerError`` before the start."""
        if self._ears is None:
            raise BrokerError("the link to the gateway has not been started")
        return self._ears

    @property
    def client(self) -> Wire:
        """The library's wire client. Raises ``BrokerError`` when there is no connection."""
        if self._ib is None or not self._handshaken or not self._ib.client.isReady():
            raise BrokerError(f"the gateway is not connected: {self.text}")
        return wire_of(self._ib)

    def open_door(self) -> Wire:
        """The client, when a message would leave at once. Raises ``BrokerError`` when it would wait anywhere."""
        client, ib = self.client, self._ib
        transport = ib.client.conn.transport if ib is not None else None
        if ib is None or transport is None or transport.is_closing():
            raise BrokerError("the connection to the gateway is closing")
        if len(ib.client._msgQ) or transport.get_write_buffer_size() > _WRITE_BUFFER:
            raise BrokerError("the gateway does not read what is sent")
        return client

    def next_id(self) -> int:
        """An id above every order id this program has used or seen."""
        self._highest_id = max(self._highest_id, drawn := self.client.getReqId())
        return drawn

    def saw_id(self, order_id: int) -> None:
        """An id is taken at the gateway, whoever took it."""
        self._highest_id = max(self._highest_id, order_id)
        if self._ib is not None and self._handshaken:
            wire_of(self._ib).updateReqId(self._highest_id + 1)

    async def ask(self, make: Callable[[IB], Awaitable[T]], timeout_s: float) -> T:
        """Make one data request when the budget has room, and wait for its answer.

        Raises ``BrokerError`` when it is refused, not answered in time, or the connection ends.
        """
        await self.pace.data()
        ib = self._ib
        if ib is None or not self._handshaken:
            raise BrokerError(f"the gateway is not connected: {self.text}")
        try:
            async with asyncio.timeout(timeout_s):
                return await make(ib)
        except TimeoutError as error:
            raise BrokerError(f"the gateway did not answer within {timeout_s:g} s") from error
        except RequestError as error:
            raise BrokerError(f"{error.message} ({error.code})") from error
        except ConnectionError as error:
            raise BrokerError(f"the connection ended: {error}") from error

    async def send_data(self, call: Callable[[Wire], None]) -> None:
        """Send one data message when the budget has room. Raises ``BrokerError`` without a connection."""
        await self.pace.data()
        call(self.client)

    def send_at_once(self, call: Callable[[Wire], None]) -> bool:
        """Send a message that ends something (an unsubscribe); false when there is no connection to end it on."""
        try:
            client = self.client
        except BrokerError:
            return False
        self.pace.data_now()
        call(client)
        return True

    def subscribe(self, sink: DataSink) -> int:
        """Register who takes the messages of a new request id, and return the id. Raises ``BrokerError``."""
        req_id = self.next_id()
        self.ears.sinks[req_id] = sink
        return req_id

    def unsubscribe(self, req_id: int) -> None:
        """Forget who takes the messages of ``req_id``."""
        if self._ears is not None:
            self._ears.sinks.pop(req_id, None)

    def at_packet_end(self, call: Callable[[], None]) -> None:
        """Call when all messages of a packet have been handled, from now on."""
        if call not in self._packet_ends:
            self._packet_ends.append(call)

    @property
    def closed_window(self) -> Window | None:
        """The restart window we are in."""
        return self.windows.holding(self._clock.now())

    # --- what the gateway says of the connection (LinkEar)

    def on_packet(self) -> None:
        self.heard_ns = self._clock.now()

    def on_time(self, seconds: int) -> None:
        now = self._clock.now()
        self._pong_ns = now
        self.skew_s = seconds - now // SECOND

    def on_error(self, req_id: int, code: int, text: str) -> None:
        if self._refused is not None and not self._refused.done() and code in (326, 502, 503, 504, 507):
            self._refused.set_exception(_Refused(f"{text} ({code})"))
            return
        if code == 1300:
            self._end(f"the gateway moved to another port: {text}")
        elif self._upstream.hear(code, text):
            self._settle(code, text)

    def on_fault(self, error: Exception) -> None:
        """One of our handlers failed: what it should have noted is unknown, so everything is read anew."""
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "a handler of the gateway's messages failed", "exception": error})
        self._end(f"a message could not be handled: {error!r}")

    # --- connecting

    async def _keep(self) -> None:
        wait_s = self._settings.retry_first_s
        while True:
            try:
                await self._connect()
            except (OSError, TimeoutError, _Refused, BrokerError) as error:
                reason = self._reason(error)
                self._hang_up()
            else:
                wait_s = self._settings.retry_first_s
                reason = await self._live_on()
                self._down_since = self._clock.now()
                self._hang_up()
            self._set(LinkState.DOWN, 0, self._explain(reason, wait_s))
            # Up to a quarter longer, so that many clients do not knock together.
            await self._clock.sleep(wait_s * (1.0 + 0.25 * float(self._rng.random())))
            wait_s = min(2 * wait_s, self._settings.retry_most_s)

    async def _connect(self) -> None:
        ib, s = self._ib, self._settings
        if ib is None:
            raise BrokerError("the link was not started")
        self._set(LinkState.CONNECTING, 0, f"connecting to {s.host}:{s.port}")
        self._over.clear()
        self._upstream.reset()
        self._refused = asyncio.get_running_loop().create_future()
        ib.wrapper.clientId = s.client_id
        hello = asyncio.ensure_future(wire_of(ib).connectAsync(s.host, s.port, s.client_id, s.connect_timeout_s))
        try:
            await asyncio.wait({hello, self._refused}, return_when=asyncio.FIRST_COMPLETED)
            if self._refused.done():
                self._refused.result()
            await hello
        finally:
            if not hello.done():
                hello.cancel()
                await asyncio.wait({hello})
            if not hello.cancelled():
                hello.exception()
            if self._refused.done():
                self._refused.exception()
            else:
                self._refused.cancel()
            self._refused = None
        self._greet(ib)

    def _greet(self, ib: IB) -> None:
        """The gateway has said hello: look who it is, and take up work."""
        s = self._settings
        client = wire_of(ib)
        self.identity_fault = mismatch(self._live, s.port, s.account, client.getAccounts())
        if self.identity_fault:
            raise BrokerError(self.identity_fault)
        self.sessions += 1
        self._handshaken = True
        self._pong_ns = self._clock.now()
        # Requests and orders share their numbers: none may come back, also when the gateway counts backwards.
        client.updateReqId(self._highest_id + 1)
        self._set(LinkState.SYNCING, 0, "connected")
        self.pace.data_now()
        client.reqAccountUpdates(True, s.account)
        self._settle(0, "connected")

    async def _live_on(self) -> str:
        """Ask for the time now and then until the connection is over; return why it is."""
        s = self._settings
        while not await self._over_within(s.heartbeat_s):
            asked_ns, told = self._clock.now(), self._messages()
            self.pace.data_now()
            self.client.reqCurrentTime()
            if await self._over_within(s.heartbeat_answer_s / 2):
                break
            if self._pong_ns < asked_ns and self._messages() == told:
                # Any message shows that the line lives; a gateway that does not tell the time tells the next id.
                self.pace.data_now()
                self.client.reqIds(1)
            if await self._over_within(s.heartbeat_answer_s / 2):
                break
            if self._pong_ns < asked_ns and self._messages() == told:
                return f"no answer for {s.heartbeat_answer_s:g} s: the line is dead"
            self._warn_of_restart()
        return self._why

    def _messages(self) -> int:
        """Messages of this connection so far."""
        return 0 if self._ib is None else self._ib.client.connectionStats().numMsgRecv

    async def _over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    def _end(self, why: str) -> None:
        """The connection is of no use any more."""
        if not self._over.is_set():
            self._why = why
            self._over.set()

    def _on_disconnected(self, message: str) -> None:
        if self._refused is not None and not self._refused.done():
            self._refused.set_exception(_Refused(message or "the gateway closed the connection"))
        if self._handshaken:
            self._handshaken = False
            self.pace.reset()
            self._down_since = self._clock.now()
            self._end(message or "the gateway closed the connection")
            # At once, not when the task wakes: no order may be handed to a dead socket in between.
            self._set(LinkState.DOWN, 0, self._why)

    def _hang_up(self) -> None:
        self._handshaken = False
        self.pace.reset()
        if self._ears is not None:
            self._ears.sinks.clear()
        if self._ib is None:
            return
        ib = self._ib
        client = ib.client
        self._end("we hung up")
        if client.conn.transport is not None:
            # Not a polite close: a dead line would keep it waiting for its last bytes.
            client.conn.transport.abort()
        if client.connState != client.DISCONNECTED:
            wire_of(ib).reset()
            self._ears_closed()

    def _ears_closed(self) -> None:
        """Futures of requests end with an error."""
        if self._ears is not None:
            self._ears.closed()

    # --- saying

    def _settle(self, code: int, text: str) -> None:
        """State from what we know of the gateway's own links."""
        if not self._handshaken:
            return
        trouble = self._upstream.trouble
        if trouble:
            self._set(LinkState.DEGRADED, code, trouble)
        else:
            self._set(LinkState.UP, code, text)

    def _set(self, state: LinkState, code: int, text: str) -> None:
        changed = state is not self.state
        self.state, self.text = state, text
        if changed or code in (1100, 1101, 1102) or state is LinkState.DOWN:
            for listener in tuple(self._listeners):
                listener(state, code, text)

    def _warn_of_restart(self) -> None:
        window = self.windows.coming(self._clock.now())
        if window is not None:
            self.text = f"{window.name} of the gateway at {self.windows.local(window.at_ns)}: no orders around it"

    def _reason(self, error: Exception) -> str:
        """Why there is no connection, with the address that was tried and what to do about it."""
        s = self._settings
        where = f"{s.host}:{s.port}"
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens at {where}; start TWS or IB Gateway, log in, and enable its API on that port"
        if isinstance(error, TimeoutError):
            return f"no answer from {where} within {s.connect_timeout_s:g} s"
        if isinstance(error, OSError):
            return f"{where} cannot be reached ({error.strerror or error})"
        return str(error)

    def _explain(self, reason: str, wait_s: float) -> str:
        now = self._clock.now()
        minutes = (now - self._down_since) // (60 * SECOND)
        since = f" for {minutes // 60} h {minutes % 60} min" if minutes else ""
        login = " The weekly login with the second factor is due." if self._login_due(now) else ""
        return f"No connection to the gateway{since}: {reason}. Next try in {wait_s:g} s.{login}"

    def _login_due(self, now: int) -> bool:
        return self.windows.weekly_passed(self._down_since - 600 * SECOND, now)
