"""A painted table over a :class:`RowModel`: cached text instead of a delegate per cell."""

from typing import Any

from PySide6.QtCore import QElapsedTimer, QModelIndex, QRect, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from widgets.grid_view import GridView
from widgets.paint import TEXTS, draw_mark
from widgets.row_model import Column, RowModel
from widgets.theme import Theme, current_theme

FLASH_MS = 250
_PAD = 6


class RowTable(GridView):
    """Rows with keys; see :class:`GridView` for its manners."""

    def __init__(
        self, model: RowModel, name: str, *, empty: tuple[str, str] = ("", ""), parent: QWidget | None = None
    ) -> None:
        super().__init__(name, empty=empty, parent=parent)
        self.rows = model
        if model.parent() is None:
            model.setParent(self)
        self.flash = True
        self._flashes: dict[tuple[str, int], tuple[int, int]] = {}
        self._clock = QElapsedTimer()
        self._clock.start()
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.timeout.connect(self._on_flash_over)
        self._kept: list[str] = []
        model.modelAboutToBeReset.connect(self._on_about_to_reset)
        self.setModel(model)
        model.modelReset.connect(self._on_reset)
        model.flashed.connect(self._on_flashed)
        column, descending = model.sorting
        head = self.horizontalHeader()
        head.setSortIndicator(
            model.column(column) if column else -1,
            Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder,
        )
        head.setSortIndicatorShown(True)
        self.setSortingEnabled(True)
        for number, declared in enumerate(model.columns):
            self.setColumnHidden(number, not declared.visible)
        self.fit_columns()
        head.sectionResized.connect(self._on_section_resized)
        model.rowsInserted.connect(self._on_rows_grew)
        model.dataChanged.connect(self._on_data_changed)
        model.modelReset.connect(self._grow_columns)

    def apply(self, rows: Any, removed: Any = (), reset: bool = False) -> None:
        """Take changed rows of the table."""
        self.rows.apply(rows, removed, reset)

    # --- GridView's questions ----------------------------------------------------------------------------------

    def key_at(self, position: int) -> str:
        return self.rows.key_at(position)

    def position_of(self, key: str) -> int | None:
        return self.rows.position(key)

    def set_filter_text(self, text: str) -> None:
        self.rows.set_filter(text)

    def csv_text(self, positions: list[int] | None) -> str:
        head = self.horizontalHeader()
        shown = [n for n in range(len(self.rows.columns)) if not self.isColumnHidden(n)]
        return self.rows.csv(positions, sorted(shown, key=head.visualIndex))

    def file_text(self) -> str:
        return self.rows.csv()

    def column_ids(self) -> list[str]:
        return [column.id for column in self.rows.columns]

    def layout_state(self) -> dict[str, Any]:
        return {**super().layout_state(), "sort": list(self.rows.sorting)}

    def restore_layout(self, state: dict[str, Any]) -> None:
        super().restore_layout(state)
        sort = state.get("sort")
        if isinstance(sort, list) and len(sort) == 2 and (sort[0] == "" or sort[0] in self.column_ids()):
            order = Qt.SortOrder.DescendingOrder if sort[1] else Qt.SortOrder.AscendingOrder
            self.sortByColumn(self.rows.column(sort[0]) if sort[0] else -1, order)

    # --- widths: they fit the longest value, grow with it, and never jump back ------------------------------------

    def fit_columns(self) -> None:
        """Make every column as wide as its title, its usual longest value and what is shown."""
        for number, column in enumerate(self.rows.columns):
            if column.id not in self.by_hand:
                self._fit_to_usual(number)
        self._grow_columns()

    def fit_column(self, number: int) -> None:
        self._fit_to_usual(number)
        self._grow_columns()

    def _fit_to_usual(self, number: int) -> None:
        theme, column = current_theme(), self.rows.columns[number]
        title = str(self.rows.headerData(number, Qt.Orientation.Horizontal))
        needed = max(TEXTS.width(theme, title, 11) + theme.px(14), self._needed(theme, column, column.width_for))
        self.setColumnWidth(number, round(needed) + 2 * theme.px(_PAD))

    def _needed(self, theme: Theme, column: Column, text: str, mark: bool = True) -> float:
        has_mark = mark and column.mark.__name__ != "_nothing"
        return TEXTS.width(theme, text, 12, column.weight) + (theme.px(12) if has_mark else 0)

    def _grow_columns(self, first: int = 0, last: int | None = None) -> None:
        theme = current_theme()
        columns = self.rows.columns
        end = self.rows.rowCount() if last is None else last + 1
        needed = [0.0] * len(columns)
        for position in range(first, min(end, first + 400)):
            for number, cell in enumerate(self.rows.cells(position)):
                width = TEXTS.width(theme, cell.text, 12, cell.weight) + (theme.px(12) if cell.mark else 0)
                needed[number] = max(needed[number], width)
        for number, column in enumerate(columns):
            wide = round(needed[number]) + 2 * theme.px(_PAD)
            if not column.stretch and column.id not in self.by_hand and wide > self.columnWidth(number):
                self.setColumnWidth(number, wide)
        self._stretch()

    def _on_rows_grew(self, _parent: QModelIndex, first: int, last: int) -> None:
        self._grow_columns(first, last)

    def _on_data_changed(self, top: QModelIndex, bottom: QModelIndex) -> None:
        self._grow_columns(top.row(), bottom.row())

    def _on_section_resized(self, _number: int, _old: int, _new: int) -> None:
        self._stretch()

    def _stretch(self) -> None:
        """Give what is left of the width to the column that takes prose."""
        columns = self.rows.columns
        taker = next((n for n, c in enumerate(columns) if c.stretch and not self.isColumnHidden(n)), None)
        if taker is None:
            return
        others = sum(self.columnWidth(n) for n in range(len(columns)) if n != taker and not self.isColumnHidden(n))
        # Prose is elided, and whole in its tool tip, before the table scrolls sideways; unless it is what one reads.
        title = str(self.rows.headerData(taker, Qt.Orientation.Horizontal))
        title = columns[taker].width_for if columns[taker].keeps else title
        least = round(TEXTS.width(current_theme(), title, 11)) + 2 * current_theme().px(_PAD)
        width = max(least, self.viewport().width() - others)
        if width != self.columnWidth(taker):
            blocked = self.horizontalHeader().blockSignals(True)
            self.setColumnWidth(taker, width)
            self.horizontalHeader().blockSignals(blocked)
            self.updateGeometries()

    def on_geometry(self) -> None:
        if hasattr(self, "rows"):
            self._stretch()

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        kinds = event.Type
        if hasattr(self, "rows") and event.type() in (kinds.StyleChange, kinds.LanguageChange):
            if event.type() == kinds.LanguageChange:
                self.rows.reformat()
            self.fit_columns()

    # --- flash -------------------------------------------------------------------------------------------------

    def _on_flashed(self, key: str, column: int, direction: int) -> None:
        if self.flash and self.isVisible():
            self._flashes[(key, column)] = (direction, self._clock.elapsed() + FLASH_MS)
            if not self._flash_timer.isActive():
                self._flash_timer.start(FLASH_MS)

    def _on_flash_over(self) -> None:
        now = self._clock.elapsed()
        over = {key for (key, _), (_, until) in self._flashes.items() if until <= now}
        self._flashes = {cell: value for cell, value in self._flashes.items() if value[1] > now}
        if self._flashes:
            self._flash_timer.start(max(1, min(until for _, until in self._flashes.values()) - now))
        width, height = self.viewport().width(), self.verticalHeader().defaultSectionSize()
        for position in (self.position_of(key) for key in over):
            if position is not None:
                self.viewport().update(0, self.rowViewportPosition(position), width, height)

    # --- a reset keeps the selection ---------------------------------------------------------------------------

    def _on_about_to_reset(self) -> None:
        self._kept = self.selected_keys()

    def _on_reset(self) -> None:
        kept, self._kept = self._kept, []
        for key in kept[:1]:
            self.select_key(key)

    # --- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self.viewport())
        rect = event.rect()
        painter.fillRect(rect, theme.color("bg1"))
        count = self.rows.rowCount()
        first = self.rowAt(rect.top())
        if first >= 0:
            last = self.rowAt(rect.bottom())
            self._paint_rows(painter, theme, first, (last if last >= 0 else count - 1))
        self.paint_extras(painter, count)
        painter.end()

    def _paint_rows(self, painter: QPainter, theme: Theme, first: int, last: int) -> None:
        head = self.horizontalHeader()
        columns = self.rows.columns
        width = self.viewport().width()
        places = []
        for number, column in enumerate(columns):
            if not self.isColumnHidden(number):
                left = head.sectionViewportPosition(number)
                if left < width and left + head.sectionSize(number) > 0:
                    places.append((number, column, left, head.sectionSize(number)))
        selection = self.selectionModel()
        selected = {index.row() for index in selection.selectedRows()} if selection else set()
        height = self.verticalHeader().defaultSectionSize()
        pad = theme.px(_PAD)
        colours = {}
        for position in range(first, last + 1):
            top = self.rowViewportPosition(position)
            tint = self.rows.tint(position)
            ground = theme.color("bg1")
            if tint:
                ground = theme.blend(tint, 0.14)
                painter.fillRect(0, top, width, height, ground)
            if position in selected:
                ground = theme.blend("focus", theme.selection_alpha)
                painter.fillRect(0, top, width, height, ground)
                painter.fillRect(0, top, 2, height, theme.color("focus"))
            middle = top + height / 2
            key = self.rows.key_at(position)
            cells = self.rows.cells(position)
            for number, column, left, room in places:
                cell = cells[number]
                if self._flashes:
                    self._paint_flash(painter, theme, key, number, QRect(left, top, room, height))
                colour = colours.get(cell.role)
                if colour is None:
                    colour = colours[cell.role] = theme.color(cell.role)
                mark = theme.px(12) if cell.mark else 0
                text = TEXTS.elided(theme, cell.text, room - 2 * pad - mark + 2, 12, cell.weight)
                if column.align == "right":
                    drawn = TEXTS.draw(
                        painter, theme, left + room - pad, middle, text, colour, weight=cell.weight, align="right"
                    )
                    if mark:
                        draw_mark(painter, theme, left + room - pad - drawn - theme.px(11), middle, cell.mark, None)
                else:
                    if mark:
                        draw_mark(painter, theme, left + pad, middle, cell.mark)
                    at = left + pad + mark if column.align == "left" else left + room / 2
                    TEXTS.draw(painter, theme, at, middle, text, colour, weight=cell.weight, align=column.align)

    def _paint_flash(self, painter: QPainter, theme: Theme, key: str, column: int, rect: QRect) -> None:
        flash = self._flashes.get((key, column))
        if flash is not None:
            role = "up" if flash[0] > 0 else "down" if flash[0] < 0 else "focus"
            painter.fillRect(rect, theme.color(role, 0.28))

    def tooltip_at(self, index: QModelIndex) -> str:
        said = super().tooltip_at(index)
        if said:
            return said
        cell = self.rows.cells(index.row())[index.column()]
        theme = current_theme()
        room = self.columnWidth(index.column()) - 2 * theme.px(_PAD) - (theme.px(12) if cell.mark else 0)
        return cell.text if TEXTS.width(theme, cell.text, 12, cell.weight) > room + 2 else ""
