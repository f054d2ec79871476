"""The window under load for minutes. `python tests/benchmarks/bench_soak.py [--minutes 5] [--symbols 500] [--hertz 20]`

The real engine on the simulated market in a process of its own, and the real window with every pane in sight and none
behind a tab. The simulated market quotes once a second; here its provider tells each symbol's newest quote, with other
sizes, twenty times a second.

A line a minute: quotes the engine took each second (its own count); the time a frame's painting took, wall and CPU
alone, which neighbours hardly touch; how late a 10 ms heartbeat of the window was (how long a click would have
waited); how late the engine's own heartbeat was (worst of each second); resident memory of both. Memory of the
first and the last minute tells growth.
"""

import argparse
import asyncio
import contextlib
import json
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

import gates
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
READY_S = 180.0
SETTLE_S = 45.0
"""The first while after the panes stand: history is loaded, caches fill."""


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Soak:
    """Lives in the window's process: measures frames and lateness, prints a JSON line a minute."""

    def __init__(self, shell: Any, minutes: int) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._shell, self._left = shell, minutes
        self.frames: list[float] = []
        self.work: list[float] = []
        self.recording = False
        self._late: list[float] = []
        self._lag: list[float] = []
        self._rates: list[float] = []
        self._due = 0.0
        self._beat = QTimer(interval=10, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        self._second = QTimer(interval=1000)
        self._second.timeout.connect(self._on_second)
        self._minute = QTimer(interval=60_000, timerType=Qt.TimerType.PreciseTimer)
        self._minute.timeout.connect(self._on_minute)
        self._spread()
        QTimer.singleShot(round(SETTLE_S * 1000), self._begin)

    def _spread(self) -> None:
        """Put every pane in sight."""
        from market_agent_gui.arrange import arrange
        from market_agent_gui.docks import across, down

        window = self._shell.window
        window.template = ""
        tree = across(
            down("watchlist", "positions", "scanner"),
            down("chart", "orders", "fills"),
            down("depth", "tape", "news", "console"),
            down("suggestions", "why", "ticket"),
            down("denials", "limits", "differences", "log", "strategies"),
        )
        arrange(window, window.docks, tree)

    def _begin(self) -> None:
        hidden = [name for name, dock in self._shell.window.docks.items() if dock.visibleRegion().isEmpty()]
        print(json.dumps({"hidden": hidden}), flush=True)
        state = self._shell.bridge.mirror.state()
        self._engine = state.engine_pid
        self._mark()
        self.recording = True
        self._due = time.perf_counter() + 0.01
        for timer in (self._beat, self._second, self._minute):
            timer.start()

    def _mark(self) -> None:
        self._since = time.perf_counter()
        self._cpu = cpu_s(os.getpid()), cpu_s(self._engine)

    def _on_beat(self) -> None:
        now = time.perf_counter()
        self._late.append(max(0.0, (now - self._due) * 1000))
        self._due = now + 0.01

    def _on_second(self) -> None:
        state = self._shell.bridge.mirror.state()
        self._lag.append(state.engine_lag_ms)
        self._rates.append(state.quotes_per_s)

    def _on_minute(self) -> None:
        wall = time.perf_counter() - self._since
        row = {
            "quotes_per_s": float(np.median(self._rates)),
            "frames_per_s": len(self.frames) / wall,
            "frame_p50": float(np.percentile(self.frames, 50)),
            "frame_p99": float(np.percentile(self.frames, 99)),
            "cpu_p50": float(np.percentile(self.work, 50)),
            "cpu_p99": float(np.percentile(self.work, 99)),
            "late_p50": float(np.percentile(self._late, 50)),
            "late_p99": float(np.percentile(self._late, 99)),
            "engine_p50": float(np.percentile(self._lag, 50)),
            "engine_p99": float(np.percentile(self._lag, 99)),
            "window_cpu": (cpu_s(os.getpid()) - self._cpu[0]) / wall,
            "engine_cpu": (cpu_s(self._engine) - self._cpu[1]) / wall,
            "window_mb": memory_mb(os.getpid()),
            "engine_mb": memory_mb(self._engine),
            "symbols": self._shell.bridge.mirror.state().symbols,
            "load": os.getloadavg()[0],
        }
        print(json.dumps(row), flush=True)
        for values in (self.frames, self.work, self._late, self._lag, self._rates):
            values.clear()
        self._mark()
        self._left -= 1
        if self._left <= 0:
            self._shell.quit(keep_engine=True)


def window(profile: Path, minutes: int, size: tuple[int, int]) -> None:
    """Run the window, attached to the engine of the profile."""
    from PySide6.QtCore import QEvent

    from market_agent_gui import app, main_window, program

    soaks: list[Soak] = []
    event = main_window.MainWindow.event

    def timed(self: Any, what: QEvent) -> bool:
        if what.type() != QEvent.Type.UpdateRequest or not soaks or not soaks[0].recording:
            return event(self, what)
        start, cpu = time.perf_counter(), time.thread_time()
        done = event(self, what)
        soaks[0].frames.append((time.perf_counter() - start) * 1000)
        soaks[0].work.append((time.thread_time() - cpu) * 1000)
        return done

    built = program.Program.on_built

    def on_built(self: Any) -> None:
        built(self)
        soaks.append(Soak(self._shell, minutes))

    def fill_screen(self: Any) -> None:
        self.resize(*size)

    main_window.MainWindow.event = timed  # type: ignore[method-assign]
    main_window.MainWindow.fill_screen = fill_screen  # type: ignore[method-assign]
    program.Program.on_built = on_built  # type: ignore[method-assign]
    (profile / "window.json").write_text('{"first_run_done": true}')
    app.run_gui(profile, ["false"])


def engine(profile: Path, symbols: int, hertz: int) -> int:
    """Run the engine as `main.py run --demo` does, on as many simulated symbols as asked for: it has 110 of its own.

    The provider's quotes of a second are told again, with other sizes, until there were ``hertz`` of each symbol.
    """
    import msgspec

    from engine.collection.providers.simulated import SimulatedProvider
    from engine.model.events.market import QuoteTick
    from main import main as run

    newest: dict[str, QuoteTick] = {}
    tell = SimulatedProvider._tell_second

    def tell_often(self: Any, second: int) -> None:
        emit = self._emit

        def heard(event: Any) -> None:
            if isinstance(event, QuoteTick):
                newest[event.symbol] = event
            emit(event)

        self._emit = heard
        tell(self, second)
        self._emit = emit
        now = self._clock.now()

        def again(turn: int) -> None:
            at, size = self._clock.now(), 100.0 * turn
            for quote in newest.values():
                emit(msgspec.structs.replace(quote, ts_event=at, ts_init=at, bid_size=quote.bid_size + size))

        for turn in range(1, hertz):
            self._clock.call_at(now + turn * 1_000_000_000 // hertz, lambda turn=turn: again(turn))

    SimulatedProvider._tell_second = tell_often  # type: ignore[method-assign]
    return run(["run", "--demo", "--quiet", "--seed", "7", "--symbols", str(symbols), "--profile", str(profile)])


async def answers(profile: Path) -> None:
    """Wait until the engine of the profile answers."""
    from engine.api.client import EngineClient, EngineUnavailable
    from engine.api.door import read_door

    ends = time.monotonic() + READY_S
    while time.monotonic() < ends:
        if read_door(profile) is not None:
            with contextlib.suppress(EngineUnavailable, OSError):
                client = await EngineClient.connect(profile, client="bench")
                await client.close()
                return
        await asyncio.sleep(0.25)
    raise TimeoutError(f"no engine answered within {READY_S:g} s")


def soak(options: argparse.Namespace) -> None:
    """Start engine and window, print what the window measures, then the gates."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        market = ["--symbols", str(options.symbols), "--hertz", str(options.hertz)]
        process = subprocess.Popen(
            [sys.executable, __file__, "--engine", str(profile), *market], stdout=subprocess.DEVNULL
        )
        rows: list[dict[str, Any]] = []
        try:
            asyncio.run(answers(profile))
            again = [sys.executable, __file__, "--window", str(profile), "--minutes", str(options.minutes)]
            print("".join(f"{name:>13}" for name in HEADS))
            with subprocess.Popen(
                [*again, "--size", *map(str, options.size)], stdout=subprocess.PIPE, text=True
            ) as run:
                for line in run.stdout or ():
                    row = json.loads(line) if line.startswith("{") else {}
                    if "hidden" in row:
                        print(f"panes out of sight: {', '.join(row['hidden']) or 'none'}", flush=True)
                    elif row:
                        rows.append(row)
                        print("".join(f"{row[name]:>13.2f}" for name in HEADS), flush=True)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if rows:
        show(rows, options)


HEADS = (
    *("quotes_per_s", "frames_per_s", "frame_p50", "frame_p99", "cpu_p50", "cpu_p99", "late_p50", "late_p99"),
    *("engine_p50", "engine_p99", "window_cpu", "engine_cpu", "window_mb", "engine_mb", "load"),
)


def show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print the gates; times against a 60 Hz frame, memory against the first minute."""

    def median(name: str) -> float:
        return float(np.median([row[name] for row in rows]))

    frame, first, last = 1000 / 60, rows[0], rows[-1]
    gates.show(
        [
            gates.Gate("10 000 quotes/s wanted vs taken", 10_000 / median("quotes_per_s"), 1.05, 1.0),
            gates.Gate("frame p99 vs a 60 Hz frame", median("frame_p99") / frame, 1.0, 0.5),
            gates.Gate("frame p99, CPU alone, vs a 60 Hz frame", median("cpu_p99") / frame, 1.0, 0.5),
            gates.Gate("window late p99 vs a 60 Hz frame", median("late_p99") / frame, 1.0, 0.5),
            gates.Gate("engine late p99 (worst of a second) vs 50 ms", median("engine_p99") / 50, 1.0, 0.4),
            gates.Gate("window's memory, last minute vs first", last["window_mb"] / first["window_mb"], 1.05, 1.01),
            gates.Gate("engine's memory, last minute vs first", last["engine_mb"] / first["engine_mb"], 1.05, 1.01),
        ]
    )
    minutes = f"{len(rows)} minutes, {rows[-1]['symbols']} symbols at {options.hertz} Hz, window {options.size}"
    print(f"{minutes}, {os.environ['QT_QPA_PLATFORM']}; times in ms")


def main() -> None:
    """Measure here as the window's process, else run engine and window."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--hertz", type=int, default=20, help="quotes a second and symbol")
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080))
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--window", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--engine", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine is not None:
        raise SystemExit(engine(options.engine, options.symbols, options.hertz))
    if options.window is not None:
        window(options.window, options.minutes, tuple(options.size))
        return
    soak(options)


if __name__ == "__main__":
    main()
