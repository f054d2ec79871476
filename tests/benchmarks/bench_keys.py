"""From a key to its effect. `python tests/benchmarks/bench_keys.py [--presses 200] [--orders 60]`

The real window and the real engine on the simulated market, each in a process of its own. Wall milliseconds from the
moment the key event reaches the window:

- until the preview is painted: Ctrl+B stages an order, the engine's gate judges it, the ticket has painted the verdict;
- until the order is with the broker: Return sends it, and the engine's answer that the broker has it is back here (so
  the way back is in the figure too).

Beside them the least there is: one question and its answer over the same connection that the engine hardly works for.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from bench_soak import ROOT, answers

SETTINGS = """\
risk:
  manual:
    messages_per_minute: 1200
    orders_per_day: 10000
    duplicate_seconds: 0.1
"""
WAIT_S = 20.0
SEND_GAP_S = 1.05
"""The window drops a second Return within a second."""


class Keys:
    """Presses keys of the window and waits for what they do."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.judged = asyncio.Event()
        self.painted = asyncio.Event()
        self.sent: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
        self.refused: list[str] = []
        shell.entry.judged.connect(lambda _verdict, _request: self.judged.set())
        shell.entry.sent.connect(lambda _intent, ok, text, _denials: self.sent.put_nowait((ok, text)))
        shell.commander.refused.connect(lambda _action, text: self.refused.append(text))

    def press(self, action: str) -> None:
        """Send the press of an action's key to the window, as the platform does."""
        from PySide6.QtCore import QCoreApplication, QEvent
        from PySide6.QtGui import QKeyEvent, QKeySequence

        combination = QKeySequence(self.shell.keys.keys.key(action))[0]
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event = QKeyEvent(kind, combination.key(), combination.keyboardModifiers())
            QCoreApplication.sendEvent(self.shell.window.windowHandle(), event)

    async def preview(self) -> float:
        """Stage and wait for the painted verdict; return milliseconds, then drop the order."""
        self.judged.clear()
        began = time.perf_counter()
        self.press("stage_buy")
        try:
            await asyncio.wait_for(self.judged.wait(), WAIT_S)
        except TimeoutError:
            staged = self.shell.entry.staged
            raise RuntimeError(f"no verdict; refused: {self.refused}, staged: {staged}") from None
        self.painted.clear()
        await asyncio.wait_for(self.painted.wait(), WAIT_S)
        took = (time.perf_counter() - began) * 1000
        self.press("drop")
        return took

    async def order(self) -> float:
        """Stage far below the market, send, wait for the engine's answer; return milliseconds, then cancel."""
        self.press("stage_buy")
        for _ in range(3):
            self.press("price_down_ten")
        await asyncio.sleep(0.3)
        began = time.perf_counter()
        self.press("send")
        ok, text = await asyncio.wait_for(self.sent.get(), WAIT_S)
        took = (time.perf_counter() - began) * 1000
        if not ok:
            raise RuntimeError(f"the order was refused: {text}")
        await asyncio.sleep(SEND_GAP_S - 0.3)
        self.press("cancel_symbol")
        return took

    async def question(self) -> float:
        """Ask what the engine can; return milliseconds."""
        from engine.api.commands import GetCapabilities

        began = time.perf_counter()
        await self.shell.bridge.send(GetCapabilities())
        return (time.perf_counter() - began) * 1000


async def measure(shell: Any, keys: Keys, presses: int, orders: int) -> dict[str, list[float]]:
    """Press in turn; the first of each does not count."""
    from PySide6.QtWidgets import QApplication

    shell.window.activateWindow()
    ends = time.monotonic() + 60
    while not ready(shell):
        if time.monotonic() > ends:
            raise TimeoutError(f"the window has no fresh quote: {shell.entry.blocked(shell.symbol())}")
        await asyncio.sleep(0.2)
    await asyncio.sleep(10)  # history and studies are loaded
    window = QApplication.focusWindow()
    print(f"symbol {shell.symbol()}, focus {'here' if window is not None else 'nowhere'}", file=sys.stderr)
    found: dict[str, list[float]] = {"question": [], "preview painted": [], "order with the broker": []}
    for turn in range(presses + 1):
        question, preview = await keys.question(), await keys.preview()
        if turn:
            found["question"].append(question)
            found["preview painted"].append(preview)
        await asyncio.sleep(0.05)
    shell.arming.arm()
    for turn in range(orders + 1):
        took = await keys.order()
        if turn:
            found["order with the broker"].append(took)
        if shell.arming.left_s < 30:
            shell.arming.arm()
    return found


def ready(shell: Any) -> bool:
    """Whether an order could be sent now."""
    symbol = shell.symbol()
    return bool(symbol) and not shell.entry.blocked(symbol)


def run_window(profile: Path, presses: int, orders: int) -> dict[str, list[float]]:
    """Open the window on the engine of the profile, measure, close it."""
    from PySide6.QtCore import QEvent

    from market_agent_gui import app, main_window, program

    found: dict[str, list[float]] = {}
    tasks: list[asyncio.Task[None]] = []
    keys: list[Keys] = []
    event, built = main_window.MainWindow.event, program.Program.on_built

    def watched(self: Any, what: QEvent) -> bool:
        done = event(self, what)
        if what.type() == QEvent.Type.UpdateRequest and keys:
            keys[0].painted.set()
        return done

    async def work(shell: Any) -> None:
        try:
            keys.append(Keys(shell))
            found.update(await measure(shell, keys[0], presses, orders))
        finally:
            shell.quit(keep_engine=True)

    def on_built(self: Any) -> None:
        built(self)
        tasks.append(asyncio.get_event_loop().create_task(work(self._shell)))

    main_window.MainWindow.event = watched  # type: ignore[method-assign]
    program.Program.on_built = on_built  # type: ignore[method-assign]
    (profile / "window.json").write_text('{"first_run_done": true}')
    app.run_gui(profile, ["false"])
    for task in tasks:
        task.result()
    return found


def main() -> None:
    """Start the engine, run the window here, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        profile.mkdir()
        (profile / "settings.yaml").write_text(SETTINGS)
        command = [sys.executable, str(ROOT / "main.py"), "run", "--demo", "--quiet", "--seed", "7"]
        engine = subprocess.Popen([*command, "--profile", str(profile)], stdout=subprocess.DEVNULL)
        try:
            asyncio.run(answers(profile))
            found = run_window(profile, options.presses, options.orders)
        finally:
            engine.send_signal(signal.SIGTERM)
            try:
                engine.wait(20)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()
    for name, times in found.items():
        cuts = np.percentile(times, [50, 99])
        print(f"key -> {name:<24} p50 {cuts[0]:8.2f} ms   p99 {cuts[1]:8.2f} ms   {len(times)} times")
    print("no peer: another terminal has neither this gate nor this window")


if __name__ == "__main__":
    main()
