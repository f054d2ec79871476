"""What the window costs up to its first paint. `python tests/benchmarks/bench_start.py [--peer PYTHON] [--rounds N]`

CPU seconds of the window's own process from the start of the interpreter to the end of the first paint, median of
interleaved rounds, beside a bare Qt main window with one table. The engine starts in a process of its own and is not
part of it. "filled" is the same clock when every pane stands. With `--peer`, vnpy's main window runs on that one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).resolve().parent))

LIMIT_S = 90
HEAVY = ("numba", "pandas", "pyarrow", "sqlalchemy", "scipy", "pyqtgraph", "talib", "xgboost", "pydantic", "numpy")
"""What must not stand before the first paint; those found loaded by then are named."""


def when_painted(window: Any, then: Any) -> Any:
    """Call ``then()`` once, as soon as the first paint of a window and everything in it is over."""
    from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt

    class Watch(QObject):
        """The paint event comes before the children's; an event posted from it comes after them."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                window.removeEventFilter(self)
                QCoreApplication.postEvent(self, QEvent(QEvent.Type.User), Qt.EventPriority.HighEventPriority.value)
            return False

        def customEvent(self, event: QEvent) -> None:
            then()

    watch = Watch()
    window.installEventFilter(watch)
    return watch


def figures() -> dict[str, Any]:
    """Return CPU seconds and memory of this process so far."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    resident = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), float("nan"))
    return {
        "cpu": time.process_time(),
        "memory": resident,
        "modules": len(sys.modules),
        "heavy": [name for name in HEAVY if name in sys.modules],
    }


def bare() -> None:
    """Measure a main window with an empty table, by the least of means: no enumeration of Qt's is touched."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow, QTableView

    class Window(QMainWindow):
        def paintEvent(self, event: Any) -> None:
            super().paintEvent(event)
            QTimer.singleShot(0, lambda: leave(figures()))

    app = QApplication([])
    window = Window()
    window.setCentralWidget(QTableView())
    window.show()
    app.exec()


def vnpy() -> None:
    """Measure vnpy's main window, without any gateway."""
    event, engine, ui = (__import__(f"vnpy.{name}", fromlist=["x"]) for name in ("event", "trader.engine", "trader.ui"))
    app = ui.create_qapp()
    events = event.EventEngine()
    window = ui.MainWindow(engine.MainEngine(events), events)
    watch = when_painted(window, lambda: leave(figures()))
    window.showMaximized()
    app.exec()
    del watch


def ours(profile: Path) -> None:
    """Measure the product's window on the simulated market, as `main.py gui --demo` opens it, until its panes stand."""
    from cli.gui import gui
    from cli.parser import build_parser
    from market_agent_gui.main_window import MainWindow

    found: dict[str, Any] = {}
    watches = []
    made = MainWindow.__init__

    def make(window: Any) -> None:
        made(window)
        watches.append(when_painted(window, painted))

    def painted() -> None:
        found.update(figures())
        from market_agent_gui import program

        built = program.Program.on_built

        def on_built(self: Any) -> None:
            built(self)
            found["filled"] = time.process_time()
            self._shell.quit()

        program.Program.on_built = on_built  # type: ignore[method-assign]

    MainWindow.__init__ = make  # type: ignore[method-assign]
    gui(build_parser().parse_args(["gui", "--demo", "--profile", str(profile)]), ROOT / "main.py")
    print(json.dumps(found), flush=True)


def leave(result: dict[str, Any]) -> None:
    """Print and end at once: nothing after the first paint counts."""
    print(json.dumps(result), flush=True)
    os._exit(0)


PROGRAMS = ("bare Qt", "ours", "ours, again", "vnpy")
"""``again``: the profile has been used before, so the window looks as it was left."""


def child(python: str, name: str, folder: Path, profile: str) -> dict[str, Any] | None:
    """Run one program in a process of its own; None when it failed, said on stderr.

    Its bytecode is kept in a folder of the run, so that a second start reads what the first compiled, as on a machine
    where the program has run before, whatever this shell asks of Python.
    """
    command = [python, __file__, "--program", name, "--profile", str(folder / profile)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, check=True, env=environment, cwd=ROOT
        )
        result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        print(f"{name}: not finished within {LIMIT_S} s", file=sys.stderr)
        return None
    except (subprocess.CalledProcessError, IndexError) as error:
        print(f"{name}: {str(getattr(error, 'stderr', error)).strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return result


def report(pythons: dict[str, str], rounds: int) -> None:
    """Run every program in turn and print medians and gates; the first round compiles and does not count."""
    import gates

    found: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds + 1):
            for name, python in pythons.items():
                result = child(python, name, Path(folder), f"profile{turn}")
                if result is not None and turn:
                    found[name].append(result)

    def median(name: str, column: str) -> float | None:
        values = [run[column] for run in found.get(name, ()) if column in run]
        return statistics.median(values) if values else None

    print(f"{'program':<14}{'CPU s, first paint':>20}{'CPU s, filled':>16}{'memory MB':>12}{'modules':>10}  heavy")
    for name, runs in found.items():
        if runs:
            cells = [(median(name, "cpu"), 20, 3), (median(name, "filled"), 16, 3)]
            cells += [(median(name, "memory"), 12, 0), (median(name, "modules"), 10, 0)]
            line = "".join(f"{'-' if value is None else f'{value:.{d}f}':>{width}}" for value, width, d in cells)
            print(f"{name:<14}{line}  {', '.join(runs[-1]['heavy']) or '-'}")

    def against(name: str, peer: str) -> float | None:
        return gates.ratio(median(name, "cpu"), median(peer, "cpu"))

    gates.show(
        [
            gates.Gate("first paint vs a bare Qt window", against("ours", "bare Qt"), 2.2, 1.5),
            gates.Gate("first paint, used profile, vs a bare Qt window", against("ours, again", "bare Qt"), 2.2, 1.5),
            gates.Gate("first paint vs vnpy", against("ours", "vnpy"), 1 / 3, 1 / 5),
        ]
    )
    if "vnpy" not in pythons:
        print("vnpy runs with --peer alone")


def main() -> None:
    """Measure here as a child, else run every child and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="interpreter of the environment that holds vnpy")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--profile", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.program is not None:
        run = {"bare Qt": bare, "vnpy": vnpy}.get(options.program)
        if run is None:
            ours(options.profile)
        else:
            run()
        return
    pythons = dict.fromkeys(PROGRAMS[:3], sys.executable)
    if options.peer:
        pythons["vnpy"] = options.peer
    report(pythons, options.rounds)


if __name__ == "__main__":
    main()
