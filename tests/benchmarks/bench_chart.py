"""What the chart costs beside others, each in its own process. `python tests/benchmarks/bench_chart.py [--peer PYTHON]`

CPU milliseconds of the process from the start of an action to the end of the repaint it caused (median; wall p99).
"tail": 300 bars in view, "all": every bar. With `--peer`, finplot and vnpy run on that interpreter.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates
import numpy as np
from chart_backends import BACKENDS, HOME, Bars

LIMIT_S = 240
SLOW = {"naive pyqtgraph": 100_000, "finplot": 1_000_000, "vnpy": 100_000}
"""The most bars each is asked for by default: beyond, a run takes minutes."""


def memory_mb() -> float:
    """Return the resident memory of this process, Linux only; NaN elsewhere."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmRSS"))


class Paints:
    """Counts the paint events of widgets and waits for the next one."""

    def __init__(self, widgets: list[Any]) -> None:
        from PySide6.QtCore import QEvent, QObject

        outer = self
        self.count = 0

        class Filter(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                outer.count += event.type() == QEvent.Type.Paint
                return False

        self._filter = Filter()
        for widget in widgets:
            widget.installEventFilter(self._filter)

    def wait(self, app: Any) -> None:
        """Run events until one more paint is over."""
        before = self.count
        for _ in range(400):
            app.processEvents()
            if self.count > before:
                return


def measure(action: Callable[[], None], paints: Paints, app: Any, budget_s: float = 1.2) -> tuple[float, float]:
    """Return (median CPU ms, p99 wall ms) of an action up to its repaint."""
    cpu: list[float] = []
    wall: list[float] = []
    end = time.monotonic() + budget_s
    while len(cpu) < 200 and (len(cpu) < 3 or time.monotonic() < end):
        t, c = time.perf_counter(), time.process_time()
        action()
        paints.wait(app)
        cpu.append((time.process_time() - c) * 1e3)
        wall.append((time.perf_counter() - t) * 1e3)
    return float(np.median(cpu)), float(np.percentile(wall, 99))


def application() -> Any:
    """Return the application; the first import of Qt."""
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication(["bench"])


def one_chart(name: str, count: int) -> dict[str, Any]:
    """Measure one back end with one number of bars."""
    app = application()
    warm = BACKENDS[name](Bars(2000))
    Paints([warm.painted]).wait(app)
    warm.widget.hide()  # closing tears down what the peers share between their windows
    bars = Bars(count)
    memory, t, c = memory_mb(), time.perf_counter(), time.process_time()
    backend = BACKENDS[name](bars)
    paints = Paints([backend.painted])
    backend.view(0, count)
    paints.wait(app)
    result: dict[str, Any] = {"load_wall": (time.perf_counter() - t) * 1e3, "load": (time.process_time() - c) * 1e3}

    def tick() -> None:
        bars.tick()
        backend.update()

    # The first change may cost what loading has put off.
    c = time.process_time()
    tick()
    paints.wait(app)
    result["first tick"] = (time.process_time() - c) * 1e3
    steps = iter(range(1_000_000))

    def pan() -> None:
        back = 3 * (next(steps) % 60)
        backend.view(max(0, count - 290) - back, count + 10 - back)

    def zoom() -> None:
        backend.view((next(steps) % 50) * count / 200, count)

    backend.view(max(0, count - 290), count + 10)
    paints.wait(app)
    result["update tail"], result["update tail p99"] = measure(tick, paints, app)
    result["pan tail"], _ = measure(pan, paints, app)
    backend.view(0, count)
    paints.wait(app)
    result["update all"], _ = measure(tick, paints, app)
    result["zoom all"], result["zoom all p99"] = measure(zoom, paints, app)
    result["memory"] = memory_mb() - memory
    return result


def growth(name: str, counts: tuple[int, int] = (1_000, 1_000_000)) -> dict[str, Any]:
    """Measure the last-bar update of few and of many bars, turn by turn in one process.

    One after the other, a machine whose speed wanders by half tells more of its neighbours than of the bars.
    """
    app = application()
    actions: list[tuple[Callable[[], None], Paints]] = []
    for count in counts:
        bars = Bars(count)
        backend = BACKENDS[name](bars)
        paints = Paints([backend.painted])
        backend.view(max(0, count - 290), count + 10)
        paints.wait(app)

        def tick(bars: Bars = bars, backend: Any = backend) -> None:
            bars.tick()
            backend.update()

        tick()  # the first change costs what loading has put off: told as "first tick"
        paints.wait(app)
        actions.append((tick, paints))
    cpu: tuple[list[float], ...] = ([], [])
    for _ in range(600):
        for (action, paints), times in zip(actions, cpu, strict=True):
            c = time.process_time()
            action()
            paints.wait(app)
            times.append((time.process_time() - c) * 1e3)
    few, many = (float(np.median(times)) for times in cpu)
    return {"few": few, "many": many}


def twelve_charts(name: str, count: int = 10_000, hertz: int = 20, seconds: float = 5.0) -> dict[str, Any]:
    """Measure twelve charts in one window, each updated `hertz` times a second; the middle of three stretches."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer
    from PySide6.QtWidgets import QGridLayout, QWidget

    app = application()
    window = QWidget()
    window.resize(1920, 1080)
    grid = QGridLayout(window)
    all_bars = [Bars(count, seed) for seed in range(12)]
    backends = [BACKENDS[name](bars) for bars in all_bars]
    for i, backend in enumerate(backends):
        grid.addWidget(backend.widget, i // 4, i % 4)
    window.show()
    for backend in backends:
        backend.view(count - 290, count + 10)
    for _ in range(20):
        app.processEvents()
    paints, ticks = Paints([backend.painted for backend in backends]), [0]

    def fire() -> None:
        ticks[0] += 1
        for bars, backend in zip(all_bars, backends, strict=True):
            bars.tick()
            backend.update()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(fire)
    timer.start(1000 // hertz)
    stretches: list[dict[str, float]] = []
    for _ in range(3):
        paints.count, ticks[0] = 0, 0
        loop = QEventLoop()  # quitting the application would close the window
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        c, t = time.process_time(), time.perf_counter()
        loop.exec()
        wall, cpu = time.perf_counter() - t, time.process_time() - c
        stretches.append(
            {
                "core %": 100 * cpu / wall,
                "ticks/s": ticks[0] / wall,
                "ms/paint": 1e3 * cpu / max(1, paints.count),
                "paints/s": paints.count / wall,
            }
        )
    middle = {key: float(np.median([each[key] for each in stretches])) for key in stretches[0]}
    return middle | {"memory": memory_mb()}


def full_frame() -> dict[str, Any]:
    """Measure a whole repaint of ours beside the least a frame can cost: blit, copy, three lines, labels."""
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

    app = application()
    bars = Bars(10_000)
    backend = BACKENDS["ours"](bars)
    paints = Paints([backend.painted])
    backend.view(len(bars) - 290, len(bars) + 10)
    paints.wait(app)

    def repaint() -> None:
        backend.widget.scene.invalidate()
        backend.widget.update()

    size = backend.widget.size()
    ground, frame, screen = (QImage(size, QImage.Format.Format_RGB32) for _ in range(3))
    ground.fill(0)
    lines = [QPolygonF([QPointF(4 * i, 300 + 40 * k + (i * 7 % 11)) for i in range(290)]) for k in range(3)]

    def floor() -> None:
        painter = QPainter(frame)
        painter.drawImage(0, 0, ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor("white"), 1.0))
        for line in lines:
            painter.drawPolyline(line)
        painter.end()
        painter = QPainter(screen)
        painter.drawImage(0, 0, frame)
        painter.setPen(QColor("white"))
        for i in range(20):
            painter.drawText(1140, 20 + 30 * i, "100.25")
        painter.end()

    def painted() -> None:
        repaint()
        paints.wait(app)

    # Turn by turn, so that both meet the same neighbours.
    cpu: dict[str, list[float]] = {"whole": [], "floor": []}
    for _ in range(400):
        for name, action in (("whole", painted), ("floor", floor)):
            c = time.process_time()
            action()
            cpu[name].append((time.process_time() - c) * 1e3)
    return {name: float(np.median(times)) for name, times in cpu.items()}


def child(python: str, name: str, what: str) -> dict[str, Any] | None:
    """Run one measurement in a process of its own; None when it took too long or failed, said on stderr."""
    command = [python, __file__, "--backend", name, "--what", what]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    except subprocess.TimeoutExpired:
        print(f"{name} {what}: not finished within {LIMIT_S} s", file=sys.stderr)
        return None
    except subprocess.CalledProcessError as error:
        print(f"{name} {what}: {error.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def report(pythons: dict[str, str], sizes: list[int], everything: bool) -> None:
    """Print the figures and the gates."""
    columns = (
        "load",
        "load_wall",
        "first tick",
        "update tail",
        "update tail p99",
        "pan tail",
        "update all",
        "zoom all",
        "memory",
    )
    print(f"{'bars':>9} {'program':<16}" + "".join(f"{column:>16}" for column in columns))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for count in sizes:
        for name, python in pythons.items():
            if count > SLOW.get(name, 10**9) and not everything:
                continue
            result = child(python, name, str(count))
            if result is not None:
                found[name, str(count)] = result
                print(f"{count:>9} {name:<16}" + "".join(f"{result[column]:>16.2f}" for column in columns))
    print("\n12 charts x 10k bars, 20 a second each")
    for name, python in pythons.items():
        result = child(python, name, "twelve")
        if result is not None:
            found[name, "twelve"] = result
            print(f"{name:<16}" + "".join(f"  {key} {value:.2f}" for key, value in result.items()))
    result = child(pythons["ours"], "ours", "frame")
    if result is not None:
        found["ours", "frame"] = result
        print(f"\nwhole frame {result['whole']:.2f} ms, floor {result['floor']:.2f} ms")
    result = child(pythons["ours"], "ours", "growth")
    if result is not None:
        found["ours", "growth"] = result
        print(f"last bar turn by turn: 1k bars {result['few']:.3f} ms, 1M bars {result['many']:.3f} ms")
    gates.show(chart_gates(found))


def chart_gates(found: dict[tuple[str, str], dict[str, Any]]) -> list[gates.Gate]:
    """Return the chart's gates from (program, measurement) -> figures."""

    def of(name: str, what: str, column: str) -> float | None:
        return found.get((name, what), {}).get(column)

    def against(peer: str, what: str, column: str) -> float | None:
        return gates.ratio(of("ours", what, column), of(peer, what, column))

    tick, million, naive = "update tail", "1000000", "naive pyqtgraph"
    grown = gates.ratio(of("ours", "growth", "many"), of("ours", "growth", "few"))
    share = gates.ratio(of("ours", "twelve", "core %"), 100.0)
    reached = gates.ratio(20.0, of("ours", "twelve", "ticks/s"))
    zoom_of_frame = gates.ratio(of("ours", million, "zoom all"), 1000 / 60)
    whole = gates.ratio(of("ours", "frame", "whole"), of("ours", "frame", "floor"))
    return [
        gates.Gate("last bar, 10k bars, vs vnpy", against("vnpy", "10000", tick), 1 / 25, 1 / 60),
        gates.Gate("last bar, 10k bars, vs naive pyqtgraph", against(naive, "10000", tick), 1 / 200, 1 / 450),
        gates.Gate("last bar, 10k bars, vs finplot", against("finplot", "10000", tick), 1 / 150, 1 / 350),
        gates.Gate("last bar, 1M bars vs 1k bars", grown, 1.3, 1.1),
        gates.Gate("12 charts, CPU of a repaint, vs vnpy", against("vnpy", "twelve", "ms/paint"), 1 / 25, 1 / 60),
        gates.Gate("12 charts, share of a core", share, 0.12, 0.06),
        gates.Gate("12 charts, 20 ticks/s wanted vs reached", reached, 1.01, 1.005),
        gates.Gate("pan frame, 10k bars, vs vnpy", against("vnpy", "10000", "pan tail"), 1 / 2.5, 1 / 4),
        gates.Gate("zoom frame, all of 1M bars, vs finplot", against("finplot", million, "zoom all"), 1 / 40, 1 / 80),
        gates.Gate("zoom frame, all of 1M bars, vs a 60 Hz frame", zoom_of_frame, 1 / 3, 1 / 5),
        gates.Gate("1M bars to the first frame, vs finplot", against("finplot", million, "load_wall"), 1 / 40, 1 / 100),
        gates.Gate("whole frame vs the floor", whole, 3.0, 1.5),
    ]


def main() -> None:
    """Measure here as a child, else run every child and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="interpreter of the environment that holds finplot and vnpy")
    parser.add_argument("--bars", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--all", action="store_true", help="ask slow peers for the largest sizes too")
    parser.add_argument("--backend", choices=list(BACKENDS), help=argparse.SUPPRESS)
    parser.add_argument("--what", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.backend:
        special = {
            "twelve": lambda: twelve_charts(options.backend),
            "growth": lambda: growth(options.backend),
            "frame": full_frame,
        }
        result = special[options.what]() if options.what in special else one_chart(options.backend, int(options.what))
        print(json.dumps(result), flush=True)
        return
    pythons = dict.fromkeys(HOME, sys.executable)
    if options.peer:
        pythons |= {name: options.peer for name in BACKENDS if name not in HOME}
    report(pythons, options.bars, options.all)


if __name__ == "__main__":
    main()
