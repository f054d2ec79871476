"""How late the window is while a watchlist takes quotes: ours beside a QTableWidget, in the same run.

    python tests/benchmarks/bench_table.py [ROWS] [QUOTES_PER_S] [SECONDS]

Both get the same quotes in the same slices from the same timer; a 10 ms heartbeat in the same loop tells how long a
click would have waited. Ours is fed packed blocks, as the engine sends them.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem, QWidget

from engine.api.frames import QuoteBlock
from engine.api.rows import QuoteRow
from widgets.quote_columns import COLUMNS
from widgets.quote_table import QuoteTable
from widgets.theme import apply_theme

_BATCH = 200_000
_SHOWN = ("symbol", "last", "percent", "change", "bid", "ask", "bid_size", "ask_size", "volume", "name")


class Feed:
    """The same random quotes for everybody."""

    def __init__(self, rows: int) -> None:
        rng = np.random.default_rng(0)
        self.who = rng.integers(0, rows, _BATCH).astype("<i4")
        self.price = np.round(100 + rng.random(_BATCH), 2)
        self.rows = rows


class Ours:
    name = "watchlist, packed blocks"

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.widget = QuoteTable()
        self.widget.apply([QuoteRow(key=f"SYM{i}", index=i, name=f"Name {i}") for i in range(feed.rows)], (), True)
        for number, column in enumerate(COLUMNS):
            self.widget.view.set_column_shown(number, column.id in _SHOWN)

    def take(self, start: int, count: int) -> None:
        who = self.feed.who[start : start + count]
        price = self.feed.price[start : start + count]
        # Newest wins, as the engine's outbox folds them.
        last, where = np.unique(who[::-1], return_index=True)
        price = price[::-1][where]
        size = np.full(len(last), 300.0)
        self.widget.update_quotes(
            QuoteBlock(
                index=last.tobytes(),
                bid=(price - 0.01).tobytes(),
                ask=price.tobytes(),
                bid_size=size.tobytes(),
                ask_size=size.tobytes(),
                last=price.tobytes(),
                volume=(size * 1000).tobytes(),
                previous_close=np.full(len(last), 100.0).tobytes(),
                ts=np.full(len(last), 1, "<i8").tobytes(),
                flags=np.zeros(len(last), np.uint8).tobytes(),
            )
        )


class Peer:
    name = "QTableWidget, setText per quote"

    def __init__(self, feed: Feed) -> None:
        self.who, self.price = feed.who.tolist(), feed.price.tolist()
        self.widget = QTableWidget(feed.rows, len(_SHOWN))
        self.widget.verticalHeader().setDefaultSectionSize(22)
        self.cells = [[QTableWidgetItem("") for _ in _SHOWN] for _ in range(feed.rows)]
        for row, cells in enumerate(self.cells):
            for column, cell in enumerate(cells):
                self.widget.setItem(row, column, cell)
            cells[0].setText(f"SYM{row}")
            cells[9].setText(f"Name {row}")
        self.volume = [0] * feed.rows

    def take(self, start: int, count: int) -> None:
        for at in range(start, start + count):
            row, price = self.who[at], self.price[at]
            cells = self.cells[row]
            self.volume[row] += 100
            cells[1].setText(f"{price:.2f}")
            cells[2].setText(f"{price - 100:+.2f}")
            cells[3].setText(f"{price - 100:+.2f}")
            cells[4].setText(f"{price - 0.01:.2f}")
            cells[5].setText(f"{price:.2f}")
            cells[6].setText("300")
            cells[7].setText("300")
            cells[8].setText(str(self.volume[row]))


class Run(QObject):
    """Feed one side for some seconds."""

    def __init__(self, app: QApplication, side: Ours | Peer, per_second: int, seconds: float) -> None:
        super().__init__()
        self.app, self.side, self.rate, self.seconds = app, side, per_second, seconds
        self.fed = 0
        self.late: list[float] = []
        self.clock = QElapsedTimer()
        self.due = 0.0

    def run(self) -> dict[str, object]:
        widget: QWidget = self.side.widget
        widget.resize(1000, 900)
        widget.show()
        self.side.take(0, 1000)
        feed, beat = QTimer(), QTimer()
        for timer, slot, interval in ((feed, self._on_feed, 1), (beat, self._on_beat, 10)):
            timer.setTimerType(Qt.TimerType.PreciseTimer)
            timer.timeout.connect(slot)
            timer.setInterval(interval)
        QTimer.singleShot(500, lambda: (self._start(), feed.start(), beat.start()))
        QTimer.singleShot(round(self.seconds * 1000) + 500, self.app.quit)
        self.app.exec()
        cpu = _cpu() - self.cpu
        wall = self.clock.nsecsElapsed() / 1e9
        widget.close()
        late = np.array(self.late)
        return {
            "side": self.side.name,
            "rows": len(self.side.cells) if isinstance(self.side, Peer) else self.side.feed.rows,
            "asked_per_s": self.rate,
            "done_per_s": round(self.fed / wall),
            "cpu_percent": round(cpu / wall * 100, 1),
            "cpu_us_per_quote": round(cpu / max(1, self.fed) * 1e6, 2),
            "late_p50_ms": round(float(np.percentile(late, 50)), 2),
            "late_p99_ms": round(float(np.percentile(late, 99)), 2),
        }

    def _start(self) -> None:
        self.clock.start()
        self.cpu = _cpu()
        self.due = time.perf_counter() + 0.01

    def _on_feed(self) -> None:
        wanted = round(self.clock.nsecsElapsed() / 1e9 * self.rate) - self.fed
        if isinstance(self.side, Ours) and wanted < self.rate // 60:
            return  # the engine sends a frame at a time
        start = self.fed % (_BATCH // 2)
        count = min(wanted, max(200, self.rate // 50))
        if count > 0:
            self.side.take(start, count)
            self.fed += count

    def _on_beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self.due) * 1000))
        self.due = now + 0.01


def _cpu() -> float:
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def main() -> None:
    """Run both sides and print one line of JSON each."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0
    app = QApplication([])
    apply_theme(app, "dark")
    for side in (Ours(Feed(rows)), Peer(Feed(rows))):
        print(json.dumps(Run(app, side, rate, seconds).run()), flush=True)


if __name__ == "__main__":
    main()
