"""The rows of the watchlist: symbols in sections. Prices stay in the book; nothing here runs per quote."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from engine.api.rows import QuoteRow
from widgets import formats
from widgets.quote_book import QuoteBook
from widgets.quote_columns import COLUMNS
from widgets.row_model import alignment, csv_safe
from widgets.words import told, tr

AnyIndex = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
SECTION = -1


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a symbol, or the title of a section (``key`` empty)."""

    key: str
    title: str
    index: int


class QuoteModel(QAbstractTableModel):
    """Symbols by section: what is held, what the agent watches, the person's lists."""

    arranged = Signal()

    def __init__(self, book: QuoteBook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.book = book
        self.rows: dict[str, QuoteRow] = {}
        self.lines: list[Line] = []
        self.line_index = np.empty(0, np.int64)
        self.line_decimals = np.empty(0, np.int64)
        self.fraction = 2
        self._position: dict[str, int] = {}
        self._lists: dict[str, tuple[str, ...]] = {}
        self._shown_list = ""
        self._filter = ""
        self._sort = -1
        self._descending = False

    # --- content -----------------------------------------------------------------------------------------------

    def apply(self, rows: Iterable[QuoteRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows of the table ``quotes``."""
        fresh = list(rows)
        before = {key: row.index for key, row in self.rows.items()}
        if reset:
            self.rows = {}
        for key in removed:
            self.rows.pop(key, None)
        owners = {row.index: key for key, row in self.rows.items()}
        for row in fresh:
            owner = owners.get(row.index)
            if owner not in (None, row.key):
                self.rows.pop(owner, None)
            if before.get(row.key) != row.index:
                self.book.reserve(row.index + 1)
                if row.index in before.values():
                    self.book.forget(row.index)
            self.rows[row.key] = row
            owners[row.index] = row.key
        self.arrange()

    def set_lists(self, lists: Mapping[str, Iterable[str]]) -> None:
        """Set the person's lists, by name."""
        self._lists = {name: tuple(symbols) for name, symbols in lists.items()}
        if self._shown_list not in self._lists:
            self._shown_list = ""
        self.arrange()

    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        return dict(self._lists)

    @property
    def shown_list(self) -> str:
        """Name of the list shown; empty shows every section."""
        return self._shown_list

    def show_list(self, name: str) -> None:
        self._shown_list = name if name in self._lists else ""
        self.arrange()

    @property
    def filter_text(self) -> str:
        return self._filter

    def set_filter(self, text: str) -> None:
        self._filter = text
        self.arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort within the sections, once: rows stay where they are while prices change."""
        self._sort, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self.arrange()

    @property
    def sorting(self) -> tuple[int, bool]:
        """The column sorted by, -1 for none, and whether it descends."""
        return self._sort, self._descending

    def arrange(self) -> None:
        """Build the lines again."""
        lines: list[Line] = []
        for title, keys in self._sections():
            kept = self._sorted([key for key in keys if self._fits(self.rows[key])])
            if kept:
                lines.append(Line("", f"{title} {len(kept)}", SECTION))
                lines.extend(Line(key, "", self.rows[key].index) for key in kept)
        if lines != self.lines:
            self.beginResetModel()
            self.lines = lines
            self._position = {line.key: at for at, line in enumerate(lines) if line.key}
            self.endResetModel()
        self.line_index = np.array([line.index for line in lines], np.int64)
        ticks = {row.key: _decimals(row.tick) for row in self.rows.values()}
        self.line_decimals = np.array([ticks.get(line.key, 2) for line in lines], np.int64)
        self.fraction = int(self.line_decimals.max()) if len(lines) else 2
        self.arranged.emit()

    def _sections(self) -> list[tuple[str, list[str]]]:
        held = [key for key, row in self.rows.items() if row.held]
        if self._shown_list:
            chosen = [key for key in self._lists[self._shown_list] if key in self.rows]
            return [(self._shown_list, chosen)]
        listed = [(name, [k for k in keys if k in self.rows]) for name, keys in self._lists.items()]
        taken = set(held).union(*(keys for _, keys in listed))
        rest = [key for key in self.rows if key not in taken]
        shown = [(name, [key for key in keys if key not in held]) for name, keys in listed]
        return [(tr("Held"), held), (tr("Agent watches"), rest), *shown]

    def _fits(self, row: QuoteRow) -> bool:
        words = self._filter.casefold().split()
        if not words:
            return True
        hay = f"{row.key} {row.name} {row.sector} {' '.join(row.badges)}".casefold()
        return all(word in hay for word in words)

    def _sorted(self, keys: list[str]) -> list[str]:
        if self._sort < 0 or not keys:
            return keys
        column = COLUMNS[self._sort]
        if column.values is None and column.id != "spark":
            return sorted(keys, key=lambda key: self._text(key, column.id).casefold(), reverse=self._descending)
        index = np.array([self.rows[key].index for key in keys], np.int64)
        values = column.values(self.book, index) if column.values else self.book.change_percent(index)
        values = -values if self._descending else values
        return [keys[at] for at in np.argsort(values, kind="stable")]

    def _text(self, key: str, column: str) -> str:
        row = self.rows[key]
        return {"symbol": row.key, "name": row.name, "sector": told(row.sector)}.get(column, "")

    # --- Qt's questions ----------------------------------------------------------------------------------------

    def position(self, key: str) -> int | None:
        """Return the line of a symbol; None when it is not shown."""
        return self._position.get(key)

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid() or not self.lines[index.row()].key:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def text(self, position: int, number: int) -> str:
        """Return the words of a cell, as read aloud or exported."""
        line = self.lines[position]
        column = COLUMNS[number]
        if not line.key:
            return line.title if number == 0 else ""
        if column.values is None:
            return self._text(line.key, column.id)
        value = float(column.values(self.book, np.array([line.index]))[0]) if line.index < self.book.size else np.nan
        decimals = column.decimals if column.decimals is not None else int(self.line_decimals[position])
        if column.style is not None and column.style.compact:
            return formats.compact(value)
        return formats.signed(value, decimals) if column.colour == "sign" else formats.number(value, decimals)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{tr(COLUMNS[index.column()].title, 'column')}: {self.text(index.row(), index.column())}"
        if role == Qt.ItemDataRole.ToolTipRole and self.lines[index.row()].key:
            row = self.rows[self.lines[index.row()].key]
            said = [row.name, told(row.sector), *(badge_text(badge) for badge in row.badges)]
            return "\n".join(part for part in said if part)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(column.title, "column")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column.align)
        if role == Qt.ItemDataRole.ToolTipRole and column.about:
            return tr(column.about)
        return None

    def csv(self, positions: Iterable[int], numbers: list[int]) -> str:
        """Return lines as CSV; sections are left out."""
        out = [",".join(_quoted(tr(COLUMNS[number].title, "column")) for number in numbers)]
        for at in positions:
            if self.lines[at].key:
                out.append(",".join(_quoted(self._plain(at, number)) for number in numbers))
        return "\n".join(out) + "\n"

    def _plain(self, position: int, number: int) -> object:
        column, line = COLUMNS[number], self.lines[position]
        if column.values is None:
            return self._text(line.key, column.id)
        value = float(column.values(self.book, np.array([line.index]))[0]) if line.index < self.book.size else np.nan
        return value if np.isfinite(value) else ""


def badge_text(badge: str) -> str:
    """Say a badge in words."""
    if badge == "HALT":
        return tr("HALT: trading is halted")
    if badge == "SHORT":
        return tr("SHORT: selling short is restricted")
    if badge == "LOCK":
        return tr("LOCK: the agent may not trade it now")
    if badge == "STALE":
        return tr("STALE: no fresh price; grey numbers are old")
    if badge.startswith("E") and badge.endswith("d") and badge[1:-1].isdigit():
        return tr("{badge}: earnings in {n} days", badge=badge, n=badge[1:-1])
    if badge.startswith("N") and badge[1:].isdigit():
        return tr("{badge}: {n} headlines today", badge=badge, n=badge[1:])
    return badge


def _decimals(tick: float) -> int:
    return min(8, formats.decimals_of(Decimal(repr(tick)))) if tick > 0 else 2


def _quoted(value: object) -> str:
    text = csv_safe(value)
    return '"' + text.replace('"', '""') + '"' if any(letter in text for letter in ',"\n') else text
