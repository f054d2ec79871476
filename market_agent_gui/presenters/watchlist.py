"""The watchlist: lists of the person's own, kept in the profile; choosing a symbol moves its colour group."""

import json
import logging
from pathlib import Path

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from engine.api.client import EngineUnavailable
from engine.api.commands import GetBars, Unwatch, Watch
from engine.api.frames import QuoteBlock
from engine.api.wire import Follow
from engine.model.decision import Book
from engine.model.ids import Symbol
from market_agent_gui.bridge import LinkState
from market_agent_gui.loop import TaskOwner
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.presenters.watchlist_dialogs import WatchlistDialogs
from market_agent_gui.services import Services
from market_agent_gui.translate import say

log = logging.getLogger(__name__)
FILE = "watchlists.json"
BARS_S, BARS_OF_A_DAY = 300, 84
"""Of the little picture of the day: a session and a little more."""
ASK_AGAIN_MS, MOST_ROUNDS = 30_000, 10


class WatchlistPresenter(PanePresenter):
    dock = "watchlist"
    tables = ("quotes",)

    def __init__(self, services: Services, profile: Path) -> None:
        super().__init__(services)
        self._path = profile / FILE
        self._looked = False
        self._tasks = TaskOwner(self._on_task_error)
        self._loads = False
        self._drawn_days: set[str] = set()
        self._without: set[str] = set()
        self._rounds = 0
        self._later = QTimer(self, singleShot=True, interval=ASK_AGAIN_MS)
        self._later.timeout.connect(self._again)
        self._asked: set[str] = set()
        """What is watched because of the lists: the engine counts, and what it watches by itself is not ours to end."""

    def make(self) -> QWidget:
        from widgets.quote_table import QuoteTable

        self._table = QuoteTable(self._read())
        table = self._table
        table.set_flash(self.services.preferences.now.flash)
        table.symbol_chosen.connect(self.choose)
        table.symbol_opened.connect(self._on_opened)
        table.watch_wanted.connect(self._on_watch)
        table.unwatch_wanted.connect(self._on_unwatch)
        table.lists_changed.connect(self._write)
        self._lists = WatchlistDialogs(self.services, table)
        self.services.bridge.quotes.connect(self._on_quotes)
        self.feed("quotes", self._on_quote_rows)
        self.services.bridge.refresh_quotes()
        return table

    async def close(self) -> None:
        self._later.stop()
        await self._tasks.close()

    def wish(self) -> Follow:
        return Follow(tables=self.tables, quotes=True)

    def on_symbol(self, symbol: str) -> None:
        self._table.view.select_key(symbol)

    def add(self, symbols: tuple[str, ...]) -> None:
        """Put symbols found elsewhere into the list shown."""
        if self.pane is not None and symbols:
            self._table.add_symbols(symbols)

    def _on_quote_rows(self, rows: object, removed: object, reset: bool) -> None:
        self._table.apply(rows, removed, reset)
        if reset:
            self._watch_lists()
            self._drawn_days.clear()
            self._rounds = 0
        self._start_days()
        if self.symbol and self.symbol != self._table.view.current_key:
            self._table.view.select_key(self.symbol)  # it was chosen before it was known
        if (first := self._table.model.rows) and (not self.symbol or self._is_of_another_replay()):
            held = [key for key, row in first.items() if row.held]
            self.choose((held or list(first))[0])

    def _is_of_another_replay(self) -> bool:
        """Asked once: the symbol chosen last time is not in this recording, and never will be."""
        state = self.services.bridge.mirror.state()
        if self._looked or state is None:
            return False
        self._looked = True
        return state.book == Book.REPLAY.value and self.symbol not in self._table.model.rows

    def _on_quotes(self, block: QuoteBlock) -> None:
        try:
            self._table.update_quotes(block)
        except ValueError as error:
            log.warning("a block of quotes was not shown: %s", error)

    def _on_opened(self, symbol: str) -> None:
        self.choose(symbol)
        self.services.show_pane("chart")

    def _start_days(self) -> None:
        up = self.services.bridge.link is LinkState.UP
        if up and not self._loads and any(key not in self._drawn_days for key in self._table.model.rows):
            self._loads = True
            self._tasks.start(self._load_days(), "the days of the watchlist")

    def _again(self) -> None:
        """History comes to an engine after its start: ask once more for what it did not know."""
        self._drawn_days.difference_update(self._without)
        self._without.clear()
        self._start_days()

    async def _load_days(self) -> None:
        """Draw the day of every symbol from its bars: what came before this window belongs to today as well."""
        from widgets.quote_book import day_so_far

        try:
            while missing := [key for key in self._table.model.rows if key not in self._drawn_days]:
                for symbol in missing:
                    self._drawn_days.add(symbol)
                    command = GetBars(symbol=Symbol(symbol), seconds=BARS_S, count=BARS_OF_A_DAY)
                    receipt = await self.services.bridge.send(command)
                    stamps, closes = (receipt.data.get(name, b"") for name in ("ts_open", "close"))
                    if receipt.ok and isinstance(stamps, bytes) and isinstance(closes, bytes):
                        known = np.frombuffer(stamps, np.int64) + (BARS_S * 10**9 - 1)
                        self._table.set_spark(symbol, *day_so_far(known, np.frombuffer(closes, np.float64)))
                    else:
                        self._without.add(symbol)
        except (EngineUnavailable, OSError) as error:
            log.info("the days of the watchlist wait for the engine: %s", error)
        finally:
            self._loads = False
        if self._without and self._rounds < MOST_ROUNDS:
            self._rounds += 1
            self._later.start()

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)

    def _watch_lists(self) -> None:
        """An engine that has just started does not know what stands in the lists."""
        self._asked.clear()
        listed = dict.fromkeys(symbol for symbols in self._table.lists.values() for symbol in symbols)
        if missing := tuple(symbol for symbol in listed if symbol not in self._table.model.rows):
            self._on_watch(missing)

    def _on_watch(self, symbols: tuple[str, ...]) -> None:
        self._asked.update(symbols)
        self.services.bridge.fire(Watch(symbols=tuple(Symbol(symbol) for symbol in symbols)))

    def _on_unwatch(self, symbols: tuple[str, ...]) -> None:
        ours = tuple(Symbol(symbol) for symbol in symbols if symbol in self._asked)
        self._asked.difference_update(ours)
        if ours:
            self.services.bridge.fire(Unwatch(symbols=ours))

    def _read(self) -> dict[str, list[str]]:
        try:
            lists = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): [str(symbol) for symbol in symbols] for name, symbols in lists.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            self.services.say("warn", say("{file} cannot be used: {reason}", file=FILE, reason=error))
            return {}

    def _write(self, lists: dict[str, tuple[str, ...]]) -> None:
        try:
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(lists, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            self.services.say("bad", say("The lists were not saved: {reason}", reason=error.strerror))
