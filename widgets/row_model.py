"""One keyed table model over rows, with declared columns: sorting, filtering, export, and only the changed rows."""

import csv
import io
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from widgets.words import tr

AnyIndex = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_GROUPS_AT_MOST = 24
"""More separate insertions or removals than this in one change: the model is reset, selection is kept by key."""


def _nothing(_row: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; the functions take a row. ``colour`` and ``mark`` name a theme role and a mark of ``paint``."""

    id: str
    title: str
    format: Callable[[Any], str]
    align: str = "right"
    sort: Callable[[Any], Any] | None = None
    """Value to sort by (None last); the text where absent."""
    width_for: str = ""
    """Longest usual value: the column starts wide enough for it."""
    tooltip: Callable[[Any], str] | None = None
    colour: Callable[[Any], str] | None = None
    mark: Callable[[Any], str] = _nothing
    """Shape drawn before the text."""
    plain: Callable[[Any], object] | None = None
    """Value for export; the text where absent."""
    weight: int = 400
    visible: bool = True
    stretch: bool = False
    keeps: bool = False
    """What stretches is what the table is for: it stays readable, and the lesser columns are scrolled to."""
    flash: bool = False
    about: str = ""
    """What the column says, for its header."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is painted of one cell."""

    text: str
    role: str
    mark: str
    weight: int


def csv_safe(value: object) -> str:
    """Return a value as a CSV cell that no spreadsheet runs as a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    text = str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None or value != value:  # NaN is the one value unlike itself
        return (2, 0)
    return (1, value.casefold()) if isinstance(value, str) else (0, value)


class RowModel(QAbstractTableModel):
    """Rows of one table by key, in the order and filter the person chose."""

    counts_changed = Signal(int, int)
    """Rows in all, rows shown."""
    flashed = Signal(str, int, int)
    """Key, column, -1/0/+1: a watched cell changed."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        sort_by: str = "",
        descending: bool = False,
        limit: int | None = None,
        limit_by: Callable[[Any], Any] | None = None,
        tint: Callable[[Any], str] = _nothing,
        parent: QObject | None = None,
    ) -> None:
        """``limit`` keeps the newest rows by ``limit_by`` (arrival when absent); ``tint`` names a warning role."""
        super().__init__(parent)
        self.columns = tuple(columns)
        self._by_id = {column.id: number for number, column in enumerate(self.columns)}
        self._rows: dict[str, Any] = {}
        self._shown: list[str] = []
        self._position: dict[str, int] = {}
        self._leaving: dict[str, Any] = {}
        self._cells: dict[str, tuple[Cell, ...]] = {}
        self._sort_keys: dict[str, tuple[int, Any]] = {}
        self._haystack: dict[str, str] = {}
        self._sort = self._by_id.get(sort_by, -1)
        self._descending = descending
        self._limit, self._limit_by = limit, limit_by
        self._tint = tint
        self._filter = ""
        self._condition: Callable[[Any], bool] | None = None

    # --- reading -----------------------------------------------------------------------------------------------

    def column(self, column_id: str) -> int:
        """Return a column's number; KeyError names an unknown one."""
        return self._by_id[column_id]

    @property
    def sorting(self) -> tuple[str, bool]:
        """Column id (empty: as they come) and whether descending."""
        return (self.columns[self._sort].id if self._sort >= 0 else "", self._descending)

    @property
    def filter_text(self) -> str:
        return self._filter

    @property
    def total(self) -> int:
        """Rows held, shown or not."""
        return len(self._rows)

    def get(self, key: str) -> Any | None:
        """Return a row by key, shown or not."""
        return self._rows.get(key)

    def row(self, position: int) -> Any:
        """Return the row shown at a position."""
        return self._held(self._shown[position])

    def _held(self, key: str) -> Any:
        # While rows are being taken out, views still ask for what they are about to lose.
        row = self._rows.get(key)
        return self._leaving[key] if row is None else row

    def key_at(self, position: int) -> str:
        return self._shown[position]

    def position(self, key: str) -> int | None:
        """Return where a key is shown; None when it is not."""
        return self._position.get(key)

    def shown(self) -> list[Any]:
        """Return the rows as shown."""
        return [self._rows[key] for key in self._shown]

    def all_rows(self) -> list[Any]:
        """Return every row, in order of arrival."""
        return list(self._rows.values())

    def cells(self, position: int) -> tuple[Cell, ...]:
        """Return what to paint of a row; formatted once until the row changes."""
        key = self._shown[position]
        found = self._cells.get(key)
        if found is None:
            found = self._cells[key] = self._format(self._held(key))
        return found

    def tint(self, position: int) -> str:
        """Return the role that colours a row's ground, or nothing."""
        return self._tint(self.row(position))

    def _format(self, row: Any) -> tuple[Cell, ...]:
        return tuple(
            Cell(column.format(row), column.colour(row) if column.colour else "t1", column.mark(row), column.weight)
            for column in self.columns
        )

    # --- Qt's questions ----------------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(index.row())[index.column()].text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{tr(column.title, 'column')}: {self.cells(index.row())[index.column()].text}"
        if role == Qt.ItemDataRole.ToolTipRole and column.tooltip is not None:
            return column.tooltip(self.row(index.row()))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column.align)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(column.title, "column")
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr(column.about) if column.about else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column.align)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1 is the order of arrival."""
        self._sort = column if 0 <= column < len(self.columns) else -1
        self._descending = order == Qt.SortOrder.DescendingOrder
        self._sort_keys.clear()
        self._arrange(set())

    # --- changing ----------------------------------------------------------------------------------------------

    def apply(self, rows: Iterable[Any], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed and removed rows; ``reset`` forgets the table first."""
        changed: set[str] = set()
        flashes: list[tuple[str, int, int]] = []
        fresh = list(rows)
        if reset:
            kept = {row.key for row in fresh}
            removed = [key for key in self._rows if key not in kept]
        for key in removed:
            self._forget(key)
        for row in fresh:
            key = row.key
            before = self._rows.get(key)
            if before == row:
                continue
            if before is not None:
                changed.add(key)
                old = self._cells.pop(key, None)
                if old is not None:
                    flashes.extend(self._differences(key, old, before, row))
                self._sort_keys.pop(key, None)
                self._haystack.pop(key, None)
            self._rows[key] = row
        self._drop_oldest()
        self._arrange(changed)
        for key in self._leaving:
            if key not in self._rows:
                self._cells.pop(key, None)
        self._leaving.clear()
        for key, column, direction in flashes:
            self.flashed.emit(key, column, direction)

    def set_filter(self, text: str) -> None:
        """Show only rows in which every typed word occurs."""
        if text != self._filter:
            self._filter = text
            self._arrange(set())

    def set_condition(self, condition: Callable[[Any], bool] | None) -> None:
        """Show only rows that fulfil a condition, besides the typed filter."""
        self._condition = condition
        self._arrange(set())

    def reformat(self) -> None:
        """Format again: another language or zone."""
        self._cells.clear()
        self._haystack.clear()
        if self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._shown) - 1, len(self.columns) - 1))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)

    def _forget(self, key: str) -> None:
        row = self._rows.get(key)
        if row is not None:
            self._leaving[key] = row
        for table in (self._rows, self._sort_keys, self._haystack, self._cells):
            table.pop(key, None)

    def _drop_oldest(self) -> None:
        if self._limit is None or len(self._rows) <= self._limit:
            return
        # A tenth at once: dropping one by one would sort at every row.
        surplus = len(self._rows) - self._limit + self._limit // 10
        by = self._limit_by
        keys: Iterable[str] = self._rows if by is None else sorted(self._rows, key=lambda key: by(self._rows[key]))
        for key in list(keys)[:surplus]:
            self._forget(key)

    def _differences(self, key: str, old: tuple[Cell, ...], before: Any, row: Any) -> Iterable[tuple[str, int, int]]:
        for number, column in enumerate(self.columns):
            if column.flash and column.format(row) != old[number].text:
                direction = 0
                if column.sort is not None:
                    was, now = column.sort(before), column.sort(row)
                    direction = (now > was) - (now < was) if was is not None and now is not None else 0
                yield key, number, direction

    def _wanted(self) -> list[str]:
        keys: list[str] = list(self._rows)
        if self._condition is not None:
            keys = [key for key in keys if self._condition(self._rows[key])]
        words = self._filter.casefold().split()
        if words:
            keys = [key for key in keys if all(word in self._hay(key) for word in words)]
        if self._sort >= 0:
            known = self._sort_keys
            for key in keys:
                if key not in known:
                    known[key] = self._sort_key(key)
            keys.sort(key=known.__getitem__, reverse=self._descending)
            if self._descending:  # what is missing stays at the end
                missing = [key for key in keys if known[key][0] == 2]
                if missing:
                    keys = [key for key in keys if known[key][0] != 2] + missing
        return keys

    def _sort_key(self, key: str) -> tuple[int, Any]:
        column = self.columns[self._sort]
        row = self._rows[key]
        return _sortable(column.sort(row) if column.sort else column.format(row))

    def _hay(self, key: str) -> str:
        found = self._haystack.get(key)
        if found is None:
            row = self._rows[key]
            found = self._haystack[key] = " ".join(column.format(row) for column in self.columns).casefold()
        return found

    def _arrange(self, changed: set[str]) -> None:
        wanted = self._wanted()
        if wanted != self._shown:
            self._move_to(wanted)
        last = len(self.columns) - 1
        for key in changed:
            at = self._position.get(key)
            if at is not None:
                self.dataChanged.emit(self.index(at, 0), self.index(at, last))
        self.counts_changed.emit(len(self._rows), len(self._shown))

    def _move_to(self, wanted: list[str]) -> None:
        before, after = set(self._shown), set(wanted)
        gone = _runs([at for at, key in enumerate(self._shown) if key not in after])
        new = _runs([at for at, key in enumerate(wanted) if key not in before])
        if len(gone) + len(new) > _GROUPS_AT_MOST:
            self.beginResetModel()
            self._set_shown(wanted)
            self.endResetModel()
            return
        for first, last in reversed(gone):
            self.beginRemoveRows(_NO_PARENT, first, last)
            self._set_shown(self._shown[:first] + self._shown[last + 1 :])
            self.endRemoveRows()
        common = [key for key in wanted if key in before]
        if common != self._shown:
            self.layoutAboutToBeChanged.emit()
            old = self.persistentIndexList()
            keys: list[Hashable] = [self._shown[index.row()] for index in old]
            self._set_shown(common)
            self.changePersistentIndexList(
                old, [self.index(self._position[str(key)], i.column()) for i, key in zip(old, keys, strict=True)]
            )
            self.layoutChanged.emit()
        for first, last in new:
            self.beginInsertRows(_NO_PARENT, first, last)
            self._set_shown(self._shown[:first] + wanted[first : last + 1] + self._shown[first:])
            self.endInsertRows()

    def _set_shown(self, keys: list[str]) -> None:
        self._shown = keys
        self._position = {key: at for at, key in enumerate(keys)}

    # --- export ------------------------------------------------------------------------------------------------

    def csv(self, positions: Sequence[int] | None = None, columns: Sequence[int] | None = None) -> str:
        """Return rows as CSV with a header line; text that a spreadsheet would run gets a leading apostrophe."""
        chosen = range(len(self.columns)) if columns is None else columns
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([csv_safe(tr(self.columns[number].title, "column")) for number in chosen])
        for position in range(len(self._shown)) if positions is None else positions:
            row = self.row(position)
            writer.writerow(
                [
                    csv_safe(plain(row) if (plain := self.columns[number].plain) else self.columns[number].format(row))
                    for number in chosen
                ]
            )
        return out.getvalue()


def alignment(align: str) -> Qt.AlignmentFlag:
    """Return Qt's flag for ``left``, ``right`` or ``centre``."""
    flags = Qt.AlignmentFlag
    side = {"left": flags.AlignLeft, "centre": flags.AlignHCenter}.get(align, flags.AlignRight)
    return side | flags.AlignVCenter


def _runs(positions: list[int]) -> list[tuple[int, int]]:
    """Fold ascending positions into (first, last) runs."""
    runs: list[tuple[int, int]] = []
    for at in positions:
        if runs and runs[-1][1] == at - 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs
