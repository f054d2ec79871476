"""The painted watchlist: words once per layout, numbers by the atlas, one copy to the screen per frame."""

from math import ceil
from typing import Any

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QItemSelection, QModelIndex, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from widgets.glyph_atlas import GlyphAtlas, NumberStyle, picture
from widgets.grid_view import GridView
from widgets.number_cells import NumberCells, NumberPlace, digits_of, least_cut
from widgets.paint import TEXTS, draw_mark
from widgets.quote_book import SPARK_POINTS
from widgets.quote_columns import COLUMNS, SPARK, QuoteColumn, roles_of
from widgets.quote_model import QuoteModel
from widgets.theme import Theme, current_theme
from widgets.throttle import Throttle
from widgets.words import keep_said, told, tr

FLASH_MS = 250
FRAME_MS = 33
_LEAST_SPARK = 36
_PAD = 6
_WARN_BADGES = ("HALT", "LOCK", "STALE")


class QuoteView(GridView):
    """Paints a :class:`QuoteModel`; ``quotes_changed`` is called after the book took quotes."""

    def __init__(self, model: QuoteModel, parent: QWidget | None = None) -> None:
        super().__init__(
            "Watchlist",
            parent=parent,
        )
        keep_said(
            self,
            lambda: self.say(
                tr("Watchlist"), (tr("No symbols"), tr("Paste symbols here with Ctrl+V, or type one in the palette."))
            ),
        )
        self.quotes, self.book = model, model.book
        self.flash = True
        self._clock = QElapsedTimer()
        self._clock.start()
        self._atlas: GlyphAtlas | None = None
        self._pixels, self._image = picture(1, 1, 1, QColor(0, 0, 0))
        self._rows = np.empty(0, np.int64)
        self._decimals = np.empty(0, np.int64)
        self._first = 0
        self._numbered = self._index = self._rows
        """Picture rows that hold a symbol, and its index in the book."""
        self._whole = True
        self._flash_until = np.zeros(0)
        self._flash_way = np.zeros(0, np.int8)
        self._integers: dict[str, int] = {}
        self._columns: list[QuoteColumn] = []
        """The columns of numbers in the picture, and what writes them, since it was composed."""
        self._cells = NumberCells(self._ready_atlas(), self._pixels, ())
        self.throttle = Throttle(self._on_frame, FRAME_MS, self)
        self._spark_wanted = True
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.timeout.connect(self._on_frame)
        self.setModel(model)
        model.arranged.connect(self._on_arranged)
        for number, column in enumerate(COLUMNS):
            self.setColumnHidden(number, not column.visible)
        head = self.horizontalHeader()
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.setSortIndicatorShown(True)
        self.setSortingEnabled(True)
        self.verticalScrollBar().valueChanged.connect(self._on_moved)
        self.horizontalScrollBar().valueChanged.connect(self._on_moved)
        self._fit()

    # --- GridView's questions ----------------------------------------------------------------------------------

    def key_at(self, position: int) -> str:
        return self.quotes.lines[position].key if 0 <= position < len(self.quotes.lines) else ""

    def position_of(self, key: str) -> int | None:
        return self.quotes.position(key)

    def set_filter_text(self, text: str) -> None:
        self.quotes.set_filter(text)

    def csv_text(self, positions: list[int] | None) -> str:
        head = self.horizontalHeader()
        numbers = [n for n in range(len(COLUMNS)) if not self.isColumnHidden(n) and COLUMNS[n].id != "spark"]
        chosen = range(len(self.quotes.lines)) if positions is None else positions
        return self.quotes.csv(chosen, sorted(numbers, key=head.visualIndex))

    def column_ids(self) -> list[str]:
        return [column.id for column in COLUMNS]

    def set_column_shown(self, number: int, shown: bool) -> None:
        if number == SPARK:
            self._spark_wanted = shown
        super().set_column_shown(number, shown)

    def layout_state(self) -> dict[str, Any]:
        state = super().layout_state()
        hidden = [name for name in state["hidden"] if name != COLUMNS[SPARK].id]
        sort = [COLUMNS[at].id if (at := self.quotes.sorting[0]) >= 0 else "", self.quotes.sorting[1]]
        return state | {"hidden": hidden if self._spark_wanted else [*hidden, COLUMNS[SPARK].id], "sort": sort}

    def restore_layout(self, state: dict[str, Any]) -> None:
        self._spark_wanted = COLUMNS[SPARK].id not in state.get("hidden", ())
        super().restore_layout(state)
        sort, names = state.get("sort"), self.column_ids()
        if isinstance(sort, list) and len(sort) == 2 and (sort[0] == "" or sort[0] in names):
            order = Qt.SortOrder.DescendingOrder if sort[1] else Qt.SortOrder.AscendingOrder
            self.sortByColumn(names.index(sort[0]) if sort[0] else -1, order)

    def on_geometry(self) -> None:
        self._whole = True
        if hasattr(self, "quotes"):
            self._fit_spark()

    def _fit_spark(self) -> None:
        """Give the picture what the numbers leave; where that is too little, none rather than half of one."""
        others = sum(self.columnWidth(n) for n in range(len(COLUMNS)) if n != SPARK and not self.isColumnHidden(n))
        room, theme = self.viewport().width() - others, current_theme()
        head = self.horizontalHeader()
        blocked = head.blockSignals(True)
        title = round(TEXTS.width(theme, tr(COLUMNS[SPARK].title, "column"), 11)) + theme.px(16)
        shown = self._spark_wanted and room >= max(title, theme.px(_LEAST_SPARK))
        self.setColumnHidden(SPARK, not shown)
        if shown:
            self.setColumnWidth(SPARK, room)
        head.blockSignals(blocked)
        self.updateGeometries()

    def _on_moved(self, *_: object) -> None:
        self._whole = True
        self.viewport().update()

    def _on_arranged(self) -> None:
        self._whole = True
        self._fit()
        self.viewport().update()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self._on_moved()

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        super().currentChanged(current, previous)
        self._on_moved()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange) and hasattr(self, "quotes"):
            for number, column in enumerate(COLUMNS):
                if number != SPARK and column.id not in self.by_hand and not self.isColumnHidden(number):
                    self.setColumnWidth(number, 0)  # smaller text needs less
            self._fit()
            self._on_moved()

    # --- widths ------------------------------------------------------------------------------------------------

    def _style(self, column: QuoteColumn) -> NumberStyle:
        style = column.style
        assert style is not None
        fraction = self.quotes.fraction if column.decimals is None else style.fraction
        return NumberStyle(
            integers=max(style.integers, self._integers.get(column.id, 0)),
            fraction=fraction,
            signed=style.signed,
            arrow=style.arrow,
            compact=style.compact,
        )

    def _ready_atlas(self) -> GlyphAtlas:
        ratio, theme = self.devicePixelRatioF(), current_theme()
        if self._atlas is None or self._atlas.ratio != ratio or self._atlas.theme is not theme:
            self._atlas = GlyphAtlas(theme, ratio, theme.font(12))
            self._whole = True
        return self._atlas

    def _fit(self) -> None:
        theme, atlas = current_theme(), self._ready_atlas()
        for number, column in enumerate(COLUMNS):
            wide = theme.px(column.width) if column.width else 0
            if column.style is not None:
                wide = round(atlas.width(self._style(column)) / atlas.ratio) + 2 * theme.px(_PAD)
            if column.id == "symbol":
                wide = max(wide, self._symbol_width(theme))
            wide = max(wide, round(TEXTS.width(theme, tr(column.title, "column"), 11)) + theme.px(16))
            fits = number == SPARK or column.id in self.by_hand
            if not fits and (wide > self.columnWidth(number) or not self._rows.size):
                self.setColumnWidth(number, wide)
        self._fit_spark()

    def fit_column(self, number: int) -> None:
        self.setColumnWidth(number, 0)
        self._fit()

    def _symbol_width(self, theme: Theme) -> int:
        rows = list(self.quotes.rows.values())[:400]
        widest = max((self._symbol_room(theme, row.key, row.badges) for row in rows), default=0.0)
        return round(widest) + 2 * theme.px(_PAD)

    def _symbol_room(self, theme: Theme, symbol: str, badges: tuple[str, ...]) -> float:
        room = TEXTS.width(theme, symbol, 12, 600) + theme.px(14)
        return room + sum(TEXTS.width(theme, badge, 11) + theme.px(11) for badge in badges)

    # --- frames ------------------------------------------------------------------------------------------------

    def quotes_changed(self) -> None:
        """Say that the book has new quotes; the repaint comes with the next frame."""
        self.throttle.request()

    def _on_frame(self) -> None:
        if not self.isVisible() or self._whole or not self._rows.size:
            self.viewport().update()
            return
        self._ready_atlas()
        if self._whole:
            self.viewport().update()
            return
        changed = self._changed()
        if changed.size:
            left, right = self._write(changed)
            height, top = self.verticalHeader().defaultSectionSize(), int(changed[0])
            if left < right:
                self.viewport().update(left, top * height, right - left, (int(changed[-1]) - top + 1) * height)

    def _changed(self) -> np.ndarray:
        """Return the visible picture rows to write again."""
        index = self._index
        dirty = self.book.dirty[index]
        self.book.dirty[index] = False
        self._reserve_flash()
        now = self._clock.elapsed()
        until = self._flash_until[index]
        over = (until > 0) & (until <= now)
        if over.any():
            self._flash_until[index[over]] = 0
        if self.flash:
            moved = dirty & (self.book.moved[index] != 0)
            flashed = index[moved]
            if flashed.size:
                self._flash_until[flashed] = now + FLASH_MS
                self._flash_way[flashed] = self.book.moved[flashed]
            if flashed.size or (until > now).any():
                self._flash_timer.start(FLASH_MS)
        return self._numbered[dirty | over]

    def _write(self, rows: np.ndarray) -> tuple[int, int]:
        """Write the numbers of picture rows; return the stretch [left, right) of the columns that changed."""
        columns, index = self._columns, self._rows[rows]
        if not columns:
            return 0, 0
        values = np.empty((len(columns), len(index)))
        for number, column in enumerate(columns):
            if column.values is not None:
                values[number] = column.values(self.book, index)
        selected = self._selected[rows]
        flashing = np.where(self._flash_until[index] > 0, np.where(self._flash_way[index] > 0, 2, 3), selected)
        changed = self._cells.write(
            rows,
            values,
            self._shown[:, rows],
            roles_of(columns, self.book, index, values),
            np.where(self._flashes, flashing, selected),
        )
        if self._outgrown(values):
            self._fit()
            self._on_moved()
        if not changed.any():
            return 0, 0
        return int(self._lefts[changed].min()), int(self._ends[changed].max())

    def _outgrown(self, values: np.ndarray) -> bool:
        """Give columns more digits when a number needs them; a number is never cut."""
        size = np.abs(values)
        grown = False
        for number in np.flatnonzero(((size >= self._limits) & (size < np.inf)).any(axis=1)):
            column, most = self._columns[number], size[number][np.isfinite(size[number])].max()
            style = self._style(column)
            self._integers[column.id] = min(12, digits_of(float(most), style))
            grown = grown or self._integers[column.id] > style.integers
        return grown

    def _place_numbers(self, atlas: GlyphAtlas) -> None:
        """Find where the numbers stand in the picture."""
        head, ratio, pad, width = (
            self.horizontalHeader(),
            atlas.ratio,
            current_theme().px(_PAD),
            self.viewport().width(),
        )
        self._columns, places, lefts, ends = [], [], [], []
        for number, column in enumerate(COLUMNS):
            if column.values is None or self.isColumnHidden(number):
                continue
            left, room = head.sectionViewportPosition(number), head.sectionSize(number)
            if left + room <= 0 or left >= width:
                continue
            right = min(self._pixels.shape[2], round((left + room - pad) * ratio))
            places.append(NumberPlace(max(0, round(left * ratio)), right, self._style(column)))
            self._columns.append(column)
            lefts.append(left)
            ends.append(left + room)
        self._lefts, self._ends = np.array(lefts, np.int64), np.array(ends, np.int64)
        styles = [place.style for place in places]
        self._limits = np.array([least_cut(style) for style in styles])[:, None]
        self._flashes = np.array([column.flash for column in self._columns], np.bool_)[:, None]
        fixed = [self._decimals if c.decimals is None else np.full(len(self._rows), c.decimals) for c in self._columns]
        self._shown = np.array(fixed, np.int64).reshape(len(fixed), len(self._rows))
        self._cells = NumberCells(atlas, self._pixels, places)

    def _reserve_flash(self) -> None:
        if len(self._flash_until) < self.book.size:
            self._flash_until = _grow(self._flash_until, self.book.size)
            self._flash_way = _grow(self._flash_way, self.book.size)

    def paintEvent(self, event: QPaintEvent) -> None:
        atlas = self._ready_atlas()
        if self._whole:
            self._compose(atlas)
        painter = QPainter(self.viewport())
        self._paint_picture(painter, event.rect(), atlas.ratio)
        self.paint_extras(painter, len(self.quotes.lines))
        painter.end()

    def _paint_picture(self, painter: QPainter, rect: QRect, ratio: float) -> None:
        height, device = self.verticalHeader().defaultSectionSize(), self._pixels.shape[1]
        if ratio == 1.0:
            painter.drawImage(rect, self._image, rect)
        elif device == height * ratio:
            part = QRectF(rect.x() * ratio, rect.y() * ratio, rect.width() * ratio, rect.height() * ratio)
            painter.drawImage(QRectF(rect), self._image, part)
        else:
            # A row is no whole number of the screen's pixels: each goes where the view has it, or they would part.
            last = min(rect.bottom() // height + 1, self._pixels.shape[0] - 1)
            for row in range(rect.top() // height, last + 1):
                target = QRectF(rect.x(), round(row * height * ratio) / ratio, rect.width(), device / ratio)
                part = QRectF(rect.x() * ratio, row * device, rect.width() * ratio, device)
                painter.drawImage(target, self._image, part)

    # --- the words, once per layout ----------------------------------------------------------------------------

    def _compose(self, atlas: GlyphAtlas) -> None:
        theme, ratio = current_theme(), atlas.ratio
        height = self.verticalHeader().defaultSectionSize()
        view = self.viewport()
        count = view.height() // height + 2
        device = ceil(height * ratio)
        self._pixels, self._image = picture(count, device, ceil(view.width() * ratio), theme.color("bg1"))
        self._first = max(0, self.verticalScrollBar().value())
        last = min(len(self.quotes.lines), self._first + count)
        self._rows = self.quotes.line_index[self._first : last]
        self._decimals = self.quotes.line_decimals[self._first : last]
        if self._rows.size:
            self.book.reserve(int(self._rows.max()) + 1)
        chosen = {index.row() for index in self.selectionModel().selectedRows()}
        self._selected = np.array([at in chosen for at in range(self._first, last)], np.bool_)
        self._whole = False
        self._image.setDevicePixelRatio(ratio)
        painter = QPainter(self._image)
        for at in range(self._first, last):
            # The device height of a row is whole, so a row of the picture starts where its pixels do.
            self._paint_line(painter, theme, at, (at - self._first) * device / ratio, device / ratio)
        painter.end()
        self._image.setDevicePixelRatio(1.0)
        self._reserve_flash()
        self._numbered = np.flatnonzero(self._rows >= 0)
        self._index = self._rows[self._numbered]
        self._place_numbers(atlas)
        if self._numbered.size:
            self._write(self._numbered)

    def _paint_line(self, painter: QPainter, theme: Theme, at: int, top: float, height: float) -> None:
        line = self.quotes.lines[at]
        width, middle, pad = self.viewport().width(), top + height / 2, theme.px(_PAD)
        if not line.key:
            painter.fillRect(QRectF(0, top, width, height), theme.color("bg0"))
            TEXTS.draw(painter, theme, pad, middle, line.title, theme.color("t3"), pixels=11)
            return
        if self._selected[at - self._first]:
            painter.fillRect(QRectF(0, top, width, height), theme.blend("focus", theme.selection_alpha))
            painter.fillRect(QRectF(0, top, 2, height), theme.color("focus"))
        row = self.quotes.rows[line.key]
        head = self.horizontalHeader()
        for number, column in enumerate(COLUMNS):
            if column.values is not None or self.isColumnHidden(number):
                continue
            left, room = head.sectionViewportPosition(number), head.sectionSize(number)
            if left + room <= 0 or left >= width:
                continue
            if column.id == "symbol":
                self._paint_symbol(painter, theme, row.key, row.badges, row.held, left + pad, left + room, middle)
            elif column.id == "spark":
                self._paint_spark(painter, theme, line.index, left + pad, top + 3, room - 2 * pad, height - 6)
            else:
                text = row.name if column.id == "name" else told(row.sector)
                shown = TEXTS.elided(theme, text, room - 2 * pad)
                TEXTS.draw(painter, theme, left + pad, middle, shown, theme.color("t2"))

    def _paint_symbol(
        self,
        painter: QPainter,
        theme: Theme,
        symbol: str,
        badges: tuple[str, ...],
        held: bool,
        x: float,
        end: float,
        middle: float,
    ) -> None:
        x += TEXTS.draw(painter, theme, x, middle, symbol, theme.color("t1"), weight=600) + theme.px(4)
        if held:
            x += draw_mark(painter, theme, x, middle, "held") + theme.px(3)
        for badge in badges:
            width = TEXTS.width(theme, badge, 11) + theme.px(7)
            if x + width > end:
                break
            warns = badge in _WARN_BADGES or (badge.startswith("E") and badge.endswith("d"))
            colour = theme.color("warn" if warns else "t2")
            painter.setPen(colour if warns else theme.color("hair"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(
                QRectF(round(x) + 0.5, round(middle - theme.px(7)) + 0.5, width - 1, theme.px(14)), 2, 2
            )
            TEXTS.draw(painter, theme, x + width / 2, middle, badge, colour, pixels=11, align="centre")
            x += width + theme.px(4)

    def _paint_spark(
        self, painter: QPainter, theme: Theme, index: int, left: float, top: float, width: float, height: float
    ) -> None:
        if index >= self.book.size:
            return
        points = self.book.spark[index]
        known = np.flatnonzero(np.isfinite(points))
        if len(known) < 2:
            return
        values = points[known]
        low, high = float(values.min()), float(values.max())
        span = (high - low) or 1.0
        xs = left + (known - known[0]) * (width / max(1, SPARK_POINTS - 1 - known[0]))
        ys = top + height - (values - low) / span * height
        close = float(self.book.previous_close[index])
        start = close if np.isfinite(close) else float(values[0])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("up" if values[-1] >= start else "down"), 1.1))
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _grow(old: np.ndarray, size: int) -> np.ndarray:
    new = np.zeros(size, old.dtype)
    new[: len(old)] = old
    return new
