"""What a watchlist costs beside others, each in its own process: `bench_table.py [--peer PYTHON]`.

All get the same quotes in the same slices from the same timer, which is included in every figure (the row "harness");
a 10 ms heartbeat in the same loop tells how long a click would have waited. With `--peer`, vnpy runs on that
interpreter.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates
import numpy as np
from table_backends import BACKENDS, BATCH, HOME, Feed

LIMIT_S = 60
LOADS = ((500, 10_000), (500, 100_000), (5_000, 100_000))
COLUMNS = ("shown_per_s", "cpu_percent", "cpu_us_per_quote", "late_p50_ms", "late_p99_ms")
HALF_FRAME_MS = 1000 / 60 / 2


def measure(name: str, rows: int, per_second: int, seconds: float) -> dict[str, Any]:
    """Feed one table for some seconds."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    app = QApplication(["bench"])
    table = BACKENDS[name](Feed(rows))
    table.widget.resize(1000, 900)
    table.widget.show()
    table.take(0, 1000)
    fed, late = 0, []
    start = cpu = due = 0.0
    before = 0

    def feed() -> None:
        nonlocal fed
        wanted = round((time.perf_counter() - start) * per_second) - fed
        if table.in_frames and wanted < per_second // 60:
            return  # the engine sends a frame at a time
        count = min(wanted, max(200, per_second // 50))
        if count > 0:
            table.take(fed % (BATCH // 2), count)
            fed += count

    def beat() -> None:
        nonlocal due
        now = time.perf_counter()
        late.append(max(0.0, (now - due) * 1000))
        due = now + 0.01

    feeding, beating = QTimer(), QTimer()
    for timer, slot, interval in ((feeding, feed, 1), (beating, beat, 10)):
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(slot)
        timer.setInterval(interval)

    def begin() -> None:
        nonlocal start, cpu, due, before
        before, cpu, start = table.shown(), time.process_time(), time.perf_counter()
        due = start + 0.01
        feeding.start()
        beating.start()

    QTimer.singleShot(500, begin)
    QTimer.singleShot(round(seconds * 1000) + 500, app.quit)
    app.exec()
    wall, used, shown = time.perf_counter() - start, time.process_time() - cpu, table.shown() - before
    return {
        "shown_per_s": shown / wall,
        "cpu_percent": 100 * used / wall,
        "cpu_us_per_quote": 1e6 * used / max(1, shown),
        "late_p50_ms": float(np.percentile(late, 50)),
        "late_p99_ms": float(np.percentile(late, 99)),
    }


def child(python: str, name: str, rows: int, rate: int, seconds: float) -> dict[str, Any] | None:
    """Run one measurement in a process of its own; None when it took too long or failed, said on stderr."""
    command = [python, __file__, "--backend", name, "--load", str(rows), str(rate), "--seconds", str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    except subprocess.TimeoutExpired:
        print(f"{name} {rows} rows, {rate}/s: not finished within {LIMIT_S} s", file=sys.stderr)
        return None
    except subprocess.CalledProcessError as error:
        print(f"{name} {rows} rows, {rate}/s: {error.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def report(pythons: dict[str, str], seconds: float) -> None:
    """Print the figures and the gates."""
    print(f"{'rows':>6}{'asked/s':>9} {'program':<14}" + "".join(f"{column:>18}" for column in COLUMNS))
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rows, rate in LOADS:
        for name, python in pythons.items():
            result = child(python, name, rows, rate, seconds)
            if result is not None:
                found[name, rows, rate] = result
                print(f"{rows:>6}{rate:>9} {name:<14}" + "".join(f"{result[column]:>18.2f}" for column in COLUMNS))

    def of(name: str, load: tuple[int, int], column: str) -> float | None:
        return found.get((name, *load), {}).get(column)

    small, fast, large = LOADS
    vnpy_best = max((of("vnpy", load, "shown_per_s") or 0.0 for load in (small, fast)), default=0.0) or None
    per_quote = of("ours", small, "cpu_us_per_quote")
    gates.show(
        [
            gates.Gate("time per quote at full speed, 500 rows, vs vnpy",
                       gates.ratio(vnpy_best, of("ours", fast, "shown_per_s")), 1 / 15, 1 / 29),
            gates.Gate("CPU per quote, 500 rows, 10k/s, vs QTableWidget",
                       gates.ratio(per_quote, of("QTableWidget", small, "cpu_us_per_quote")), 1 / 2, 1 / 3),
            gates.Gate("CPU per quote, 500 rows, 10k/s, vs vnpy",
                       gates.ratio(per_quote, of("vnpy", small, "cpu_us_per_quote")), 1 / 15, 1 / 30),
            gates.Gate("5 000 rows, 100k/s: share of a core",
                       gates.ratio(of("ours", large, "cpu_percent"), 100.0), 0.20, 0.10),
            gates.Gate("5 000 rows, 100k/s: lateness p99 vs half a 60 Hz frame",
                       gates.ratio(of("ours", large, "late_p99_ms"), HALF_FRAME_MS), 2.0, 0.6),
        ]
    )  # fmt: skip


def main() -> None:
    """Measure here as a child, else run every child and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="interpreter of the environment that holds vnpy")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--backend", choices=list(BACKENDS), help=argparse.SUPPRESS)
    parser.add_argument("--load", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.backend:
        print(json.dumps(measure(options.backend, *options.load, options.seconds)), flush=True)
        os._exit(0)  # a peer's threads would keep the process
    pythons = dict.fromkeys(HOME, sys.executable)
    if options.peer:
        pythons |= {name: options.peer for name in BACKENDS if name not in HOME}
    report(pythons, options.seconds)


if __name__ == "__main__":
    main()
