"""The watchlist: what is held, what the agent watches, the person's lists."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from engine.api.frames import QuoteBlock
from engine.api.rows import QuoteRow
from widgets.paint import TEXTS
from widgets.quote_book import QuoteBook
from widgets.quote_model import QuoteModel
from widgets.quote_view import QuoteView
from widgets.theme import current_theme, dress
from widgets.words import keep_said, tr

_SYMBOL = re.compile(r"^[A-Za-z0-9^][A-Za-z0-9.\-/=^]{0,20}$")
_SPARK_EVERY_MS = 5_000


def symbols_in(text: str) -> tuple[str, ...]:
    """Return the symbols of pasted text, upper case, each once: separated by spaces, commas or lines."""
    words = (word.upper() for word in re.split(r"[\s,;|]+", text) if _SYMBOL.match(word))
    return tuple(dict.fromkeys(words))


def symbols_of_file(text: str) -> tuple[str, ...]:
    """Return the symbols of a file: of lines such as ``DES,AAPL,STK,SMART``, of a table's column Symbol or Ticker, else
    every word that may be one."""
    filled = (line for line in text.splitlines() if line.strip())
    lines = [[cell.strip().strip('"') for cell in re.split(r"[,;\t]", line)] for line in filled]
    described = [cells[1] for cells in lines if len(cells) > 1 and cells[0] in ("DES", "SYM")]
    if described:
        return symbols_in("\n".join(described))
    head = [cell.casefold() for cell in lines[0]] if lines else []
    at = next((head.index(name) for name in ("symbol", "ticker") if name in head), None)
    if at is None:
        return symbols_in(text)
    return symbols_in("\n".join(cells[at] for cells in lines[1:] if at < len(cells)))


class _Hint(QWidget):
    """A quiet word at the right: whole, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def say(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        if TEXTS.width(theme, self._text) <= self.width():
            TEXTS.draw(painter, theme, self.width(), self.height() / 2, self._text, theme.color("t3"), align="right")
        painter.end()


class QuoteTable(QWidget):
    """Watchlist with lists, filter, paste and sparklines."""

    symbol_chosen = Signal(str)
    symbol_opened = Signal(str)
    """Enter or double click: fill the ticket, focus the chart."""
    watch_wanted = Signal(tuple)
    unwatch_wanted = Signal(tuple)
    lists_changed = Signal(dict)
    """The person's lists after an edit: name to symbols, for the shell to keep."""
    list_wanted = Signal(str)
    """``new``, ``add`` (what is selected, to a new one), ``rename``, ``delete`` or ``import``: asked for in the menu.
    The shell asks what is missing."""

    def __init__(self, lists: Mapping[str, Iterable[str]] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.book = QuoteBook()
        self.model = QuoteModel(self.book, self)
        self.view = QuoteView(self.model)
        self._choice = QToolButton()
        self._choice.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._choice.setAutoRaise(True)
        self._choice.setMenu(QMenu(self._choice))
        self._hint = _Hint()
        self.bar = head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(4, 0, 8, 0)
        row.setSpacing(4)
        row.addWidget(self._choice)
        row.addWidget(self._hint, 1)
        self._fit_bar()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(head)
        box.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        self.view.chosen.connect(self.symbol_chosen)
        self.view.opened.connect(self.symbol_opened)
        self.view.filter_changed.connect(self._on_filter)
        self.view.set_actions((), self._row_actions)
        self._sparks = QTimer(self)
        self._sparks.setInterval(_SPARK_EVERY_MS)
        self._sparks.timeout.connect(self._on_sparks)
        self._sparks.start()
        self._quotes_drawn = 0
        self.set_lists(lists or {})
        keep_said(self, self._say)

    def _say(self) -> None:
        self._choice.setAccessibleName(tr("List"))
        self._on_filter(self.view.typed)
        self.model.arrange()
        self._fill_menu()

    # --- data --------------------------------------------------------------------------------------------------

    def apply(self, rows: Iterable[QuoteRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows of the table ``quotes``."""
        kept = self.view.current_key
        self.model.apply(rows, removed, reset)
        if kept:
            self.view.select_key(kept)

    def update_quotes(self, block: QuoteBlock) -> None:
        """Take a block of prices. Raises ``ValueError`` when the block is not well formed."""
        self.book.take(block)
        self.view.quotes_changed()

    def set_spark(self, symbol: str, prices: npt.ArrayLike, ts_ns: int = 0) -> None:
        """Give a symbol the prices of its day so far, oldest first, one per ten minutes; ``ts_ns``: of the newest."""
        row = self.model.rows.get(symbol)
        if row is not None:
            self.book.set_spark(row.index, prices, ts_ns)
            self.view.on_geometry()
            self.view.viewport().update()

    def set_flash(self, on: bool) -> None:
        """Switch the flash on changed prices."""
        self.view.flash = on

    def _on_sparks(self) -> None:
        if self.isVisible() and self.book.quotes != self._quotes_drawn:
            self._quotes_drawn = self.book.quotes
            self.view.on_geometry()
            self.view.viewport().update()

    # --- lists -------------------------------------------------------------------------------------------------

    def set_lists(self, lists: Mapping[str, Iterable[str]]) -> None:
        """Set the person's lists, by name."""
        self.model.set_lists(lists)
        self._fill_menu()

    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        return self.model.lists

    def show_list(self, name: str) -> None:
        """Show one list; an empty name shows every section."""
        self.model.show_list(name)
        self._fill_menu()

    def layout_state(self) -> dict[str, Any]:
        """Return what is not the table's own: the list shown."""
        return {"list": self.model.shown_list}

    def restore_layout(self, state: dict[str, Any]) -> None:
        """Show a list again; one that is gone gives way to all."""
        self.show_list(str(state.get("list", "")))

    def _fill_menu(self) -> None:
        menu = self._choice.menu()
        menu.clear()
        shown = self.model.shown_list
        self._choice.setText((shown or tr("All")) + " ▾")
        dress(self._choice, "QToolButton::menu-indicator { image: none; width: 0; }")
        for name in ("", *self.model.lists):
            action = menu.addAction(name or tr("All"), lambda name=name: self.show_list(name))
            action.setCheckable(True)
            action.setChecked(name == shown)
        menu.addSeparator()
        menu.addAction(tr("New list…"), lambda: self.list_wanted.emit("new"))
        for what, words in (("rename", tr("Rename this list…")), ("delete", tr("Delete this list…"))):
            menu.addAction(words, lambda what=what: self.list_wanted.emit(what)).setEnabled(bool(shown))
        menu.addSeparator()
        menu.addAction(tr("Paste symbols") + "\tCtrl+V", self.paste)
        menu.addAction(tr("Symbols from a file…"), lambda: self.list_wanted.emit("import"))

    def make_list(self, name: str, symbols: Iterable[str] = ()) -> None:
        """Make a list, or take an existing one, and show it."""
        lists = self.model.lists
        if name not in lists:
            self._keep({**lists, name: ()})
        self.add_symbols(symbols, name)
        self.show_list(name)

    def rename_list(self, name: str, new: str) -> None:
        """Give a list another name; it keeps its place."""
        self._keep({(new if key == name else key): symbols for key, symbols in self.model.lists.items()})
        self.show_list(new)

    def delete_list(self, name: str) -> None:
        """Forget a list; what stands in no other, is not held and is of no use to the agent is no longer watched."""
        lists = self.model.lists
        gone = lists.pop(name, ())
        self._keep(lists)
        self._let_go(gone)

    def _keep(self, lists: dict[str, tuple[str, ...]]) -> None:
        self.set_lists(lists)
        self.lists_changed.emit(lists)

    def _let_go(self, gone: Iterable[str]) -> None:
        still = {symbol for keys in self.model.lists.values() for symbol in keys}
        rows = self.model.rows
        free = tuple(s for s in gone if s not in still and s in rows and not rows[s].held)
        if free:
            self.unwatch_wanted.emit(free)

    def add_symbols(self, symbols: Iterable[str], name: str = "") -> None:
        """Watch symbols and put them in a list: the named one, else the one shown, else the first."""
        lists = self.model.lists
        target = name or self.model.shown_list or next(iter(lists), tr("Main"))
        fresh = tuple(symbol for symbol in dict.fromkeys(symbols) if symbol not in lists.get(target, ()))
        if not fresh:
            return
        lists[target] = (*lists.get(target, ()), *fresh)
        self._keep(lists)
        unknown = tuple(symbol for symbol in fresh if symbol not in self.model.rows)
        if unknown:
            self.watch_wanted.emit(unknown)

    def remove_selected(self) -> None:
        """Take the selected symbols out of the lists; what is held or watched by the agent stays."""
        gone = set(self.view.selected_keys())
        before = self.model.lists
        shown = self.model.shown_list
        after = {n: tuple(s for s in keys if s not in gone or (shown and n != shown)) for n, keys in before.items()}
        if after != before:
            self._keep(after)
            self._let_go(gone)

    def paste(self) -> None:
        """Add the symbols on the clipboard."""
        self.add_symbols(symbols_in(QGuiApplication.clipboard().text()))

    def _fit_bar(self) -> None:
        self.bar.setFixedHeight(current_theme().px(24))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "bar"):
            self._fit_bar()

    # --- keys and menu -----------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() == Qt.Key.Key_Delete and not event.isAutoRepeat():
            self.remove_selected()
        else:
            super().keyPressEvent(event)

    def _on_filter(self, text: str) -> None:
        self._hint.say("" if text else tr("type to filter"))

    def _row_actions(self, key: str) -> list[QAction]:
        made = []
        for name in self.model.lists:
            action = QAction(tr("Add to {list}", list=name))
            action.triggered.connect(lambda _=False, name=name: self.add_symbols([key], name))
            made.append(action)
        fresh = QAction(tr("Add to a new list…"))
        fresh.triggered.connect(lambda _=False: self.list_wanted.emit("add"))
        remove = QAction(tr("Remove from the list"))
        remove.setEnabled(any(key in keys for keys in self.model.lists.values()))
        remove.triggered.connect(lambda _=False: self.remove_selected())
        return [*made, fresh, remove]
