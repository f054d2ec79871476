"""The engine beside its window: how late its loop runs while the window stands still, has died, or never was.

Run: ``python -m tests.benchmarks.bench_isolation``. Starts the real program on the simulated market in a profile of its
own and asks the engine for its own lag (50 ms sleeps, lateness in ms). Nothing is asserted; the table is the result.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import GetStatus, Shutdown
from engine.api.door import read_door

MAIN = Path(__file__).resolve().parents[2] / "main.py"
SAMPLE_S = 20.0


async def lag(profile: Path, seconds: float) -> dict[str, float]:
    """Let the engine run for ``seconds`` and read percentiles of its lag over that time."""
    client = await EngineClient.connect(profile, client="bench")
    worst: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await asyncio.sleep(0.9)
        status = (await client.send(GetStatus(by="bench"))).data
        worst.append(float(status["engine_lag_ms"]["recent"]))
        p99 = float(status["engine_lag_ms"]["p99"])
    await client.close()
    return {"p99 of the minute": p99, "worst second": max(worst), "median second": sorted(worst)[len(worst) // 2]}


async def blocked(window: subprocess.Popen, seconds: float) -> None:
    """Stop the window for a second out of three."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        window.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.0)
        window.send_signal(signal.SIGCONT)
        await asyncio.sleep(2.0)


async def attached(profile: Path, other_than: int = 0, timeout_s: float = 60.0) -> float:
    """Wait until an engine of the profile answers; return how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < timeout_s:
        door = read_door(profile)
        if door is not None and door.pid != other_than:
            with contextlib.suppress(EngineUnavailable):
                client = await EngineClient.connect(profile, client="bench")
                await client.close()
                return time.monotonic() - began
        await asyncio.sleep(0.1)
    raise TimeoutError("no engine answered")


def open_window(profile: Path) -> subprocess.Popen:
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    return subprocess.Popen([sys.executable, str(MAIN), "gui", "--demo", "--profile", str(profile)], env=environment)


async def main() -> None:
    gates.no_other(__doc__, "others run engine and window in one process; beside ours: the calm window")
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        window = open_window(profile)
        print(f"window and engine answer after {await attached(profile):.1f} s")
        await asyncio.sleep(5)
        print("window calm      ", await lag(profile, SAMPLE_S))
        stopper = asyncio.create_task(blocked(window, SAMPLE_S))
        print("window stopped 1s", await lag(profile, SAMPLE_S))
        await stopper
        engine_pid = read_door(profile).pid
        window.kill()
        window.wait()
        print("window killed    ", await lag(profile, SAMPLE_S))
        print("engine goes on   ", read_door(profile).pid == engine_pid)
        window = open_window(profile)
        await asyncio.sleep(8)
        print("new window, same engine", read_door(profile).pid == engine_pid and window.poll() is None)
        os.kill(engine_pid, signal.SIGKILL)
        took = await attached(profile, other_than=engine_pid)
        print(f"engine killed: the window had a new one after {took:.1f} s")
        await asyncio.sleep(3)
        client = await EngineClient.connect(profile, client="cli")
        status = (await client.send(GetStatus(by="cli"))).data
        print("unknown", status["unknown"], "locks", status["locks"], "link", status["link"], "mode", status["mode"])
        await client.send(Shutdown(force=True, by="cli"))
        await client.close()
        window.terminate()
        window.wait()


if __name__ == "__main__":
    asyncio.run(main())
