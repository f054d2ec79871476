"""How long a decision takes to become bytes on the gateway's socket, and how fast the gateway's messages are read.

Run: ``python -m tests.benchmarks.bench_ibkr`` from the root of the tree. The other side is the fake gateway over TCP on
this machine; times end when the bytes are handed to the socket. Beside ours: the library alone doing placeOrder.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from time import perf_counter_ns

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates
from ib_async import IB, LimitOrder

from engine.execution.brokers.ibkr.ears import Ears, listening_ib
from engine.memory.settings import Durability
from tests.engine.collection.providers.ibkr.test_ibkr_provider import Kit
from tests.engine.execution.brokers.ibkr.rig import BEGIN, PRICES, IbRig, LoopClock
from tests.support.tws_gateway.client import connected, qualified
from tests.support.tws_gateway.frames import encode
from tests.support.tws_gateway.server import TwsGateway

ROUNDS = 300
SYMBOLS = sorted(PRICES)


class Stamp:
    """When the first bytes of each round were handed to the socket."""

    def __init__(self, ib: IB) -> None:
        transport = ib.client.conn.transport
        real = transport.write
        self.first = 0
        self.bytes = 0

        def write(data: bytes) -> None:
            real(data)
            self.bytes += len(data)
            if not self.first:
                self.first = perf_counter_ns()

        transport.write = write


def show(name: str, times: list[float]) -> None:
    cuts = quantiles(times, n=100)
    print(f"{name:<58} p50 {cuts[49]:8.1f} µs   p99 {cuts[98]:8.1f} µs")


async def timed(stamp: Stamp, act: Callable[[], object], settle: Callable[[], None]) -> list[float]:
    times = []
    for _ in range(ROUNDS):
        settle()
        stamp.first = 0
        begin = perf_counter_ns()
        act()
        times.append((stamp.first - begin) / 1000)
        await asyncio.sleep(0.004)
    return times


class DurableRig(IbRig):
    """The rig with the journal's real durability."""

    def _build(self, mode: object) -> None:
        self.durability = Durability.FULL
        super()._build(mode)


async def ours(kind: type[IbRig], name: str) -> None:
    async with TwsGateway(start=BEGIN, messages_per_second=0, max_working_per_side=None) as gateway:
        rig = await kind(Path(tempfile.mkdtemp()), gateway, LoopClock(), False, {}).begin()
        gateway.wire.watchers.clear()
        stamp = Stamp(rig.ib_link._ib)

        def settle() -> None:
            rig.ib_link.pace._sent.clear()
            rig.desk._pacing._sent.clear()

        waiting = [rig.cleared(rig.request(SYMBOLS[n % 5], price="90.00", quantity=1)) for n in range(2 * ROUNDS)]
        show(
            f"cleared order -> desk -> bytes ({name})",
            await timed(stamp, lambda: rig.desk.submit(waiting.pop()), settle),
        )
        if kind is IbRig:
            show("broker.place alone", await timed(stamp, lambda: rig.ib_broker.place(waiting.pop()), settle))
        await rig.desk.stop()
        await rig.ib_broker.stop()
        rig.journal.close()


async def stop_of_fifty() -> None:
    async with TwsGateway(start=BEGIN) as gateway:
        rig = await IbRig(Path(tempfile.mkdtemp()), gateway, LoopClock(), False, {}).begin()
        gateway.wire.watchers.clear()
        refs = []
        for n in range(50):
            refs.append(rig.submit(rig.request(SYMBOLS[n % 5], price="90.00", quantity=1)))
            await asyncio.sleep(0.06)
        await rig.holds(lambda: all(rig.state(ref) == "WORKING" for ref in refs))
        began = gateway.clock.now_ns()
        rig.modes.halt("bench", "STOP")
        await asyncio.sleep(1.5)
        last = gateway.last_cancel_ns() or 0
        count = len(list(gateway.wire.select(4, "in")))
        print(f"STOP with 50 working orders: {count} cancels, the last read after {(last - began) / 1e6:.1f} ms")
        await rig.desk.stop()
        await rig.ib_broker.stop()
        rig.journal.close()


async def library_alone() -> None:
    async with (
        TwsGateway(start=BEGIN, messages_per_second=0, max_working_per_side=None) as gateway,
        connected(gateway) as ib,
    ):
        ib.client.MaxRequests = 0
        contracts = [await qualified(ib, s) for s in SYMBOLS]
        stamp = Stamp(ib)
        numbers = iter(range(10 * ROUNDS))

        def place() -> object:
            n = next(numbers)
            order = LimitOrder("BUY", 1, 90.0, tif="DAY", orderRef=f"b{n}", account="DU1234567")
            return ib.placeOrder(contracts[n % 5], order)

        show("the library alone: ib.placeOrder -> bytes", await timed(stamp, place, lambda: None))


def feed(ib: IB, frames: bytes, count: int, name: str) -> None:
    best = min(_once(ib, frames) for _ in range(5))
    print(f"{name:<58} {count / best * 1e9 / 1000:8.0f} thousand messages/s")


def _once(ib: IB, frames: bytes) -> float:
    begin = perf_counter_ns()
    for at in range(0, len(frames), 16_384):
        ib.client._onSocketHasData(frames[at : at + 16_384])
    return perf_counter_ns() - begin


def ticks(req_id: int, count: int) -> bytes:
    out = []
    for n in range(count):
        out.append(encode(["1", "6", str(req_id), str(1 + n % 2), f"{100 + n % 7 / 100:.2f}", str(100 + n % 9), "1"]))
    return b"".join(out)


async def reading() -> None:
    count = 40_000
    async with TwsGateway(start=BEGIN) as gateway:
        kit = Kit(gateway, trade_lines=0)
        kit.link._make_ib = listening_ib
        await kit.broker.start()
        await kit.provider.start()
        kit.provider.watch(["AAPL"])
        await kit.holds(lambda: kit.heard)
        ears = kit.link.ears
        assert isinstance(ears, Ears)
        (req_id,) = ears.sinks
        feed(kit.link._ib, ticks(req_id, count), count, "price ticks -> quotes (ours)")
        status = encode(["3", "9", "Submitted", "0", "100", "0", "1600000009", "0", "0", "7", "", "0"]) * 5_000
        kit.broker.attach(lambda report: None)
        kit.broker._hearing.names.shown("MA-1", 9, 1600000009)
        feed(kit.link._ib, status, 5_000, "order statuses -> reports (ours)")
        await kit.provider.stop()
        await kit.broker.stop()
    async with TwsGateway(start=BEGIN) as gateway, connected(gateway) as ib:
        contract = await qualified(ib, "AAPL")
        ticker = ib.reqMktData(contract)
        await asyncio.sleep(0.2)
        req_id = ib.wrapper.ticker2ReqId["mktData"][ticker]
        feed(ib, ticks(req_id, count), count, "price ticks -> tickers (the library alone)")


async def main() -> None:
    gates.no_other(__doc__, "beside ours: the library ib_async alone, in this process")
    await library_alone()
    await ours(IbRig, "journal without fsync")
    await ours(DurableRig, "journal with fsync, as shipped")
    await stop_of_fifty()
    await reading()


if __name__ == "__main__":
    asyncio.run(main())
