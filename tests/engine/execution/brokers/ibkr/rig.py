"""The real broker, link and ib_async in front of the fake gateway, with the order desk and its journal behind."""

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from ib_async import IB

from engine.bus.clock import SECOND, LiveClock
from engine.execution.brokers.ibkr.broker import IbkrBroker
from engine.execution.brokers.ibkr.ears import Ears, LinkEar, listening_ib
from engine.execution.brokers.ibkr.link import Link
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.settings import ExecutionSettings
from engine.model.decision import Mode
from engine.model.ids import OrderRef, Symbol
from engine.model.report import AnyReport, LinkState
from tests.support.desk_rig import START, FakeMarket, Rig
from tests.support.fake_broker import ACCOUNT
from tests.support.tws_gateway.frames import WHAT_IF, WireFrame
from tests.support.tws_gateway.protocol import Req
from tests.support.tws_gateway.server import TwsGateway

BEGIN = datetime.fromtimestamp(START / SECOND, UTC)
PRICES = dict.fromkeys(("AAPL", "MSFT", "NVDA", "TSLA", "KO"), 100.0)


class LoopClock(LiveClock):
    """The loop's time, counted from a day in session: real over a socket, virtual in memory."""

    def __init__(self, start: int = START) -> None:
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._t0 = self._loop.time()
        self._order = itertools.count()

    def now(self) -> int:
        return self._start + round((self._loop.time() - self._t0) * SECOND)

    def monotonic(self) -> int:
        return round(self._loop.time() * SECOND)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        # The loop's heap does not keep the order of timers of the same instant, as they are in virtual time.
        return self._loop.call_later(delay_s + next(self._order) * 1e-9, callback)

    def call_at(self, when: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return self.call_later(max(0, when - self.now()) / SECOND, callback)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waiting costs nothing: the time of the next timer is reached at once. No sockets."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0
        real = self._selector.select
        self._selector.select = lambda timeout=None: (self._skip(timeout), real(0))[1]

    def _skip(self, timeout: float | None) -> None:
        self._skipped += timeout or 0.0

    def time(self) -> float:
        return self._skipped


def run_virtual(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story in virtual time; what is left over at the end is an error."""

    async def whole() -> None:
        trouble: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
        await story()
        assert not trouble, trouble

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(whole())


def settings_for(gateway: TwsGateway, **values: Any) -> IbkrSettings:
    """Settings that reach the gateway, with an ordinary night."""
    return IbkrSettings(**{"port": gateway.port or 4999, "account": ACCOUNT, **values})


def ib_in_memory(gateway: TwsGateway) -> Callable[[LinkEar], tuple[IB, Ears]]:
    """Make clients that join the gateway without a socket."""

    def make(link: LinkEar) -> tuple[IB, Ears]:
        ib, ears = listening_ib(link)

        async def join(host: str, port: int) -> None:
            if gateway.stopped.is_set() or getattr(gateway, "refuses", False):
                raise ConnectionRefusedError("nobody listens")
            ib.client.conn.reset()
            transport = gateway.connect_in_memory(ib.client.conn)
            transport.get_write_buffer_size = lambda: 0  # type: ignore[method-assign]
            ib.client.conn.transport = transport

        ib.client.conn.connectAsync = join
        return ib, ears

    return make


def make_broker(
    gateway: TwsGateway,
    clock: LoopClock,
    catalogue: FakeMarket,
    *,
    memory: bool = True,
    live: bool = False,
    **values: Any,
) -> tuple[IbkrBroker, Link]:
    settings = settings_for(gateway, **values)
    rng = np.random.Generator(np.random.PCG64(1))
    extra = {"make_ib": ib_in_memory(gateway)} if memory else {}
    link = Link(clock, settings, rng, live=live, **extra)
    return IbkrBroker(clock, link, settings, catalogue), link


class IbRig(Rig):
    """`async with IbRig.open(...)`: a desk whose broker is the gateway. The T-X3 watcher is always on."""

    gateway: TwsGateway
    ib_broker: IbkrBroker
    ib_link: Link

    def __init__(self, folder: Path, gateway: TwsGateway, clock: LoopClock, memory: bool, values: Any) -> None:
        self.gateway = gateway
        self.memory = memory
        self.values = values
        self.reports: list[AnyReport] = []
        self.breaches: list[str] = []
        self.changes: dict[str, int] = {}
        """Changes that a test made past the desk."""
        self.catalogue = FakeMarket(clock)
        self.catalogue.prices.update(PRICES)
        self._new_broker(clock)
        for symbol, price in PRICES.items():
            gateway.set_price(symbol, price)
        gateway.wire.watchers.append(self._watch)
        super().__init__(
            folder,
            broker=self.ib_broker,  # type: ignore[arg-type]
            clock=clock,  # type: ignore[arg-type]
            # Real time is dear: claims are settled faster than a person would wait.
            settings=ExecutionSettings() if memory else ExecutionSettings(claim_s=0.5, settle_grace_s=0.1),
        )

    def _new_broker(self, clock: LoopClock) -> None:
        self.ib_broker, self.ib_link = make_broker(
            self.gateway, clock, self.catalogue, memory=self.memory, **self.values
        )
        self.broker = self.ib_broker  # type: ignore[assignment]

    def _build(self, mode: Mode) -> None:
        super()._build(mode)
        self.market.prices.update(PRICES)
        real = self.desk.on_report

        def hear(report: AnyReport) -> None:
            self.reports.append(report)
            real(report)

        self.desk.on_report = hear  # type: ignore[method-assign]

    def _watch(self, frame: WireFrame) -> None:
        """T-X3: at the moment the gateway reads a placeOrder frame its SENDING row is committed."""
        if frame.direction != "in" or frame.message != Req.PLACE_ORDER or frame.note == WHAT_IF:
            return
        reader = sqlite3.connect(f"file:{self.folder / 'journal.db'}?mode=ro", uri=True)
        try:
            (rows,) = reader.execute(
                "SELECT count(*) FROM order_log WHERE ref = ? AND kind = 'SENDING'", (frame.ref,)
            ).fetchone()
        finally:
            reader.close()
        if not rows:
            self.breaches.append(f"{frame.ref} on the wire without a committed SENDING row")

    async def begin(self, synced: bool = True) -> "IbRig":
        await self.start()
        await self.ib_broker.start()
        if synced:
            await self.holds(lambda: self.desk.synced, 30, "agreement with the broker")
        return self

    async def holds(self, condition: Callable[[], object], seconds: float = 20, what: str = "it") -> None:
        """Wait until something holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not condition():
            assert loop.time() < end, f"{what} did not come to hold within {seconds} s"
            await asyncio.sleep(0.01)

    async def becomes(self, ref: str, *states: str, seconds: float = 20) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.state(ref) not in states:
            assert loop.time() < end, f"{ref} is {self.state(ref)}, not {states}, after {seconds} s"
            await asyncio.sleep(0.01)

    async def reboot(self, crash: bool = True) -> "IbRig":
        """End the program, begin again on the same disk and gateway."""
        await self.desk.stop()
        await self.ib_broker.stop()
        if crash:
            self.journal.database.close()
        else:
            self.journal.close()
        self._new_broker(self.clock)  # type: ignore[arg-type]
        self._build(Mode.MANUAL)
        return await self.begin()

    async def finish(self, same: bool = True) -> None:
        """Close; our view must equal the gateway's ledger where ``same``."""
        if same:
            await self.agrees()
        await self.desk.stop()
        await self.ib_broker.stop()
        self.journal.close()
        assert not self.failures, self.failures
        assert not self.breaches, self.breaches
        assert self.gateway.faults.never_fired() == []
        assert all(count <= 1 for count in self.first_frames().values())

    def first_frames(self) -> dict[str, int]:
        """New-order frames per reference (changes are counted apart)."""
        asked = {ref: record.modifies for ref, record in self.desk._records.by_ref.items()}
        return {
            ref: n - asked.get(OrderRef(ref), 0) - self.changes.get(ref, 0)
            for ref, n in self.gateway.place_counts().items()
        }

    async def agrees(self) -> None:
        """Every order of ours stands where the gateway's ledger says, with its fills and our positions."""

        def same() -> bool:
            for order in self.gateway.ledger.orders:
                status = self.desk.orders().get(OrderRef(order.ref))
                if not order.ref or status is None:
                    continue
                if status.filled != self.gateway.ledger.filled(order.ref):
                    return False
                done = order.status in ("Filled", "Cancelled", "ApiCancelled")
                if status.state.closed != done and order.status != "Inactive":
                    return False
            for symbol in PRICES:
                position = self.ledger.positions().get(Symbol(symbol))
                if (position.quantity if position else 0) != self.gateway.ledger.held(symbol, ACCOUNT):
                    return False
            return True

        if self.ib_link.state is LinkState.UP:
            await self.holds(same, 40, "agreement with the gateway's ledger")


def begin_gateway(**config: Any) -> TwsGateway:
    """A gateway on the running loop without a socket."""
    gateway = TwsGateway(**{"start": BEGIN, "heartbeat": 1.0, "lifetime": 1e9, **config})
    gateway.attach()
    return gateway


def in_memory(folder: Path, story: Callable[[IbRig], Awaitable[None]], *, config: Any = None, **values: Any) -> None:
    """Tell a story in virtual time."""

    async def whole() -> None:
        gateway = begin_gateway(**(config or {}))
        rig = IbRig(folder, gateway, LoopClock(), True, values)
        await rig.begin()
        try:
            await story(rig)
            await rig.finish()
        finally:
            await rig.desk.stop()
            await rig.ib_broker.stop()
            await gateway.stop()

    run_virtual(whole)
