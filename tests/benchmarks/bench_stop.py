"""STOP under load (T-S1): how long until the last cancel is on the gateway's wire.

Run: ``python -m tests.benchmarks.bench_stop`` from the root of the tree. Three processes: the gateway, which sends ten
thousand price ticks a second; the engine of ``main.py run`` with fifty orders at work; the window, held with SIGSTOP,
so that nobody reads what the engine tells it. STOP comes through the door, as from the shell. The gateway takes fifty
messages a second, so that the last of fifty cancels beside anything else cannot leave before the second is nearly over.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import GetStatus, Halt, PlaceOrder
from engine.api.order_language import parse_order_text
from engine.model.ids import IntentId
from tests.support.tws_gateway.process import ROOT, GatewayProcess

LIMITS = {"AAPL": 175, "MSFT": 380, "NVDA": 110, "TSLA": 230, "AMZN": 165, "GOOG": 155, "META": 460, "KO": 57}
"""Symbol -> a price some way below the market of the gateway."""
SYMBOLS = tuple(LIMITS)
ORDERS, TICKS = 50, 10_000
SCRIPT = {"config": {"accents": ["open all day"]}}
SETTINGS = """
broker: {{kind: ibkr}}
ibkr: {{port: {port}, account: DU1234567}}
universe: [{symbols}]
"""


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the program, ended at the end whatever state it is in."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), *command],
            cwd=ROOT,
            stdout=out,
            stderr=out,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def connect(profile: Path, seconds: float = 60.0) -> EngineClient:
    until = time.monotonic() + seconds
    while True:
        try:
            return await EngineClient.connect(profile, client="cli")
        except EngineUnavailable:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


async def at_work(client: EngineClient) -> int:
    status = (await client.send(GetStatus(by="cli"))).data
    return sum(1 for row in status.get("orders", []) if row["state"] in ("WORKING", "HELD"))


async def place(client: EngineClient) -> None:
    """Fifty limit orders far from the market, at the pace the limits allow."""
    for _ in range(100):
        if (await client.send(GetStatus(by="cli"))).data.get("reconciled_at"):
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(3)
    for number in range(ORDERS):
        symbol = SYMBOLS[number % len(SYMBOLS)]
        text = f"buy {symbol} {1 + number // len(SYMBOLS)} @ {LIMITS[symbol]}"
        for attempt in range(200):
            command = parse_order_text(text, IntentId(f"bench-{number}-{attempt}"))
            assert isinstance(command, PlaceOrder)
            # What asks is answered: only the hard limits are of interest here.
            request = msgspec.structs.replace(command.request, confirmed=("G9", "G33"))
            receipt = await client.send(PlaceOrder(request=request, by="cli"))
            if receipt.ok:
                break
            if receipt.code not in ("G8", "G21", "G25"):
                raise RuntimeError(f"{text}: {receipt.code} {receipt.text}")
            await asyncio.sleep(0.25)
        else:
            raise RuntimeError(f"{text}: {receipt.code} {receipt.text}")
        await asyncio.sleep(0.2)
    for _ in range(100):
        if await at_work(client) == ORDERS:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"{await at_work(client)} of {ORDERS} orders are at work")


async def stop_under_load(folder: Path, window: bool = True) -> dict[str, Any]:
    """Run it once; return what the gateway saw."""
    profile = folder / "profile"
    profile.mkdir(mode=0o700)
    with GatewayProcess(SCRIPT) as gateway:
        (profile / "settings.yaml").write_text(SETTINGS.format(port=gateway.port, symbols=", ".join(SYMBOLS)))
        with running(["run", "--profile", str(profile), "--quiet"], folder / "run.log"):
            client = await connect(profile)
            try:
                await place(client)
                if not window:
                    return await _storm_and_stop(client, gateway)
                with running(["gui", "--profile", str(profile)], folder / "window.log") as held:
                    await asyncio.sleep(6)
                    held.send_signal(signal.SIGSTOP)
                    return await _storm_and_stop(client, gateway)
            finally:
                await client.close()


async def _storm_and_stop(client: EngineClient, gateway: GatewayProcess) -> dict[str, Any]:
    gateway.do("flood", per_second=TICKS)
    await asyncio.sleep(3)
    before, since = gateway.counts()["ticks"], time.monotonic()
    await asyncio.sleep(2)
    rate = (gateway.counts()["ticks"] - before) / (time.monotonic() - since)
    began = time.time_ns()
    receipt = await client.send(Halt(reason="bench", by="cli"))
    answered = time.time_ns()
    await asyncio.sleep(3)
    orders = gateway.snapshot()["orders"]
    late = await client.send(parse_order_text("buy KO 1 @ 57", IntentId("late")))  # type: ignore[arg-type]
    await asyncio.sleep(1)
    counts = gateway.counts()
    return {
        "ticks": rate,
        "cancelled": sum(1 for order in orders if order["status"] == "Cancelled"),
        "last_cancel_ms": (counts["last_cancel_ns"] - began) / 1e6,
        "answer_ms": (answered - began) / 1e6,
        "placed_after": counts["last_place_ns"] > began,
        "halted": receipt.ok,
        "late": late.ok,
    }


def main() -> None:
    for held in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(stop_under_load(Path(folder), window=held))
        where = "the window held" if held else "no window"
        print(
            f"STOP, {ORDERS} orders at work, {found['ticks']:,.0f} ticks/s, {where}: {found['cancelled']} cancelled, "
            f"the last cancel on the wire after {found['last_cancel_ms']:.0f} ms"
        )


if __name__ == "__main__":
    main()
