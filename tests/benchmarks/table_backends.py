"""Watchlists to compare: ours, Qt's item widget, and a product that lives in an environment of its own.

A back end has `widget`, `take(start, count)` for a slice of the feed and `shown()`, the quotes that reached its cells.
"""

import importlib
from typing import Any, Protocol

import numpy as np

BATCH = 200_000
_SHOWN = ("symbol", "last", "percent", "change", "bid", "ask", "bid_size", "ask_size", "volume", "name")


class Feed:
    """The same random quotes for everybody."""

    def __init__(self, rows: int) -> None:
        rng = np.random.default_rng(0)
        self.who = rng.integers(0, rows, BATCH).astype("<i4")
        self.price = np.round(100 + rng.random(BATCH), 2)
        self.rows = rows


class Backend(Protocol):
    """What the benchmark needs of a table."""

    widget: Any
    in_frames: bool

    def take(self, start: int, count: int) -> None: ...
    def shown(self) -> int: ...


class Ours:
    """The product's watchlist, fed packed blocks as the engine sends them."""

    in_frames = True

    def __init__(self, feed: Feed) -> None:
        application = importlib.import_module("PySide6.QtWidgets").QApplication.instance()
        importlib.import_module("widgets.theme").apply_theme(application, "dark")
        rows = importlib.import_module("engine.api.rows")
        self._block = importlib.import_module("engine.api.frames").QuoteBlock
        self._feed, self._taken = feed, 0
        self._newest = np.zeros(feed.rows, np.int64)
        self.widget = importlib.import_module("widgets.quote_table").QuoteTable()
        listed = [rows.QuoteRow(key=f"SYM{i}", index=i, name=f"Name {i}") for i in range(feed.rows)]
        self.widget.apply(listed, (), True)
        for number, column in enumerate(importlib.import_module("widgets.quote_columns").COLUMNS):
            self.widget.view.set_column_shown(number, column.id in _SHOWN)

    def take(self, start: int, count: int) -> None:
        """Hand over one block."""
        who, price = self._feed.who[start : start + count], self._feed.price[start : start + count]
        # Newest wins, as the engine's outbox folds them before they reach the window's process.
        at = np.arange(count)
        self._newest[who] = at
        newest = self._newest[who] == at
        last, price = who[newest], price[newest]
        size = np.full(len(last), 300.0)
        self.widget.update_quotes(
            self._block(
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
        self._taken += count

    def shown(self) -> int:
        """Return the quotes the table has taken; a newer one replaces an older one before it is painted."""
        return self._taken


class ItemWidget:
    """QTableWidget with setText for each quote."""

    in_frames = False

    def __init__(self, feed: Feed) -> None:
        widgets = importlib.import_module("PySide6.QtWidgets")
        self._who, self._price, self._taken = feed.who.tolist(), feed.price.tolist(), 0
        self.widget = widgets.QTableWidget(feed.rows, len(_SHOWN))
        self.widget.verticalHeader().setDefaultSectionSize(22)
        self._cells = [[widgets.QTableWidgetItem("") for _ in _SHOWN] for _ in range(feed.rows)]
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                self.widget.setItem(row, column, cell)
            cells[0].setText(f"SYM{row}")
            cells[9].setText(f"Name {row}")
        self._volume = [0] * feed.rows

    def take(self, start: int, count: int) -> None:
        """Write the cells of each quote."""
        for at in range(start, start + count):
            row, price = self._who[at], self._price[at]
            cells = self._cells[row]
            self._volume[row] += 100
            cells[1].setText(f"{price:.2f}")
            cells[2].setText(f"{price - 100:+.2f}")
            cells[3].setText(f"{price - 100:+.2f}")
            cells[4].setText(f"{price - 0.01:.2f}")
            cells[5].setText(f"{price:.2f}")
            cells[6].setText("300")
            cells[7].setText("300")
            cells[8].setText(str(self._volume[row]))
        self._taken += count

    def shown(self) -> int:
        """Return the quotes written."""
        return self._taken


class Vnpy:
    """The tick monitor of vnpy behind its own event engine."""

    in_frames = False

    def __init__(self, feed: Feed) -> None:
        event = importlib.import_module("vnpy.event")
        constant, objects, kinds = (
            importlib.import_module(f"vnpy.trader.{n}") for n in ("constant", "object", "event")
        )
        widget = importlib.import_module("vnpy.trader.ui.widget")
        self._event, self._kind = event.Event, kinds.EVENT_TICK
        self._engine = event.EventEngine()
        self._engine.start()
        outer = self
        self._seen = 0

        class Counting(widget.TickMonitor):  # type: ignore[name-defined,misc]
            def process_event(self, event: Any) -> None:
                super().process_event(event)
                outer._seen += 1

        self.widget = Counting(object(), self._engine)
        when = importlib.import_module("datetime").datetime(2026, 1, 2, 15, 0)
        self._ticks = [
            objects.TickData(
                symbol=f"SYM{i}", exchange=constant.Exchange.SMART, datetime=when, name=f"Name {i}", gateway_name="B",
                last_price=1.0, bid_price_1=1.0, ask_price_1=1.0, bid_volume_1=300.0, ask_volume_1=300.0, volume=1.0,
                open_price=1.0, high_price=1.0, low_price=1.0,
            )
            for i in range(feed.rows)
        ]  # fmt: skip
        for tick in self._ticks:
            self.widget.process_event(self._event(self._kind, tick))
        self._who, self._price = feed.who.tolist(), feed.price.tolist()

    def take(self, start: int, count: int) -> None:
        """Put an event for each quote, as a gateway does."""
        for at in range(start, start + count):
            tick, price = self._ticks[self._who[at]], self._price[at]
            tick.last_price = tick.bid_price_1 = price
            tick.ask_price_1 = price + 0.01
            tick.volume += 100
            self._engine.put(self._event(self._kind, tick))

    def shown(self) -> int:
        """Return the events the monitor has processed."""
        return self._seen


class Nothing:
    """The harness alone: its timers, its slices, an empty window."""

    in_frames = False

    def __init__(self, feed: Feed) -> None:
        self.widget = importlib.import_module("PySide6.QtWidgets").QWidget()
        self._taken = 0

    def take(self, start: int, count: int) -> None:
        """Count."""
        self._taken += count

    def shown(self) -> int:
        """Return the quotes counted."""
        return self._taken


BACKENDS: dict[str, type[Backend]] = {"harness": Nothing, "ours": Ours, "QTableWidget": ItemWidget, "vnpy": Vnpy}
HOME = ("harness", "ours", "QTableWidget")
"""What runs in our own environment; the others need `--peer`."""
