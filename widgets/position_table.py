"""What is held, what it makes, and what stands between it and a loss."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api.rows import PositionRow
from widgets import formats
from widgets.cells import NEW_YORK, direction_mark, direction_role, price_text, time_plain, time_text, zone_label
from widgets.paint import TEXTS, draw_mark
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.theme import current_theme
from widgets.words import keep_said, told, tr


def _protection_mark(row: PositionRow) -> str:
    if row.protected == "stop at broker":
        return "ok"
    return "bad" if row.protected == "no stop" else "warn"


def _opened_by(row: PositionRow, zone: str) -> str:
    who, _, key = row.opened_by.partition(" ")
    words = f"{tr(who)} {key}".strip() or formats.MISSING
    return words if not row.opened_ns else f"{words} · {formats.local_time(row.opened_ns, zone):%H:%M}"


def _mark_text(price: Decimal | None) -> str:
    """Return a price that may lie between two ticks: with half a cent where there is one."""
    if price is None:
        return formats.MISSING
    rounded = round(price, 3 if abs(price) >= 1 else 4)  # a mid of two floats may end in a row of nines
    return price_text(rounded, max(2, _decimals(rounded)))


def _price_or_none(price: Decimal | None) -> str:
    return tr("none") if price is None else price_text(price)


def _figure(
    id: str, title: str, value: Callable[[PositionRow], Decimal | float | None], text: Callable[[Any], str], **more: Any
) -> Column:
    """Return a column that ``text`` writes, and that is sorted and saved as the number it is."""
    return Column(id=id, title=title, format=lambda r: text(value(r)), sort=value, plain=value, **more)


def position_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the table; times in ``zone``."""
    return (
        Column(id="symbol", title="Symbol", format=lambda r: r.symbol, align="left", weight=600, width_for="BRK.B"),
        _figure(
            "quantity",
            "Qty",
            lambda r: r.quantity,
            lambda q: formats.signed(q, _decimals(q)),
            width_for="+1 000",
            flash=True,
        ),
        _figure("average", "Average", lambda r: r.average_price, price_text, width_for="1 000.00"),
        _figure(
            "mark",
            "Mark",
            lambda r: r.mark,
            _mark_text,
            width_for="1 000.00",
            about="Middle of bid and ask, else the last price: open P&L and the result of the day are reckoned with it",
        ),
        _figure("last", "Last", lambda r: r.last, price_text, width_for="1 000.00", visible=False),
        _figure(
            "open",
            "Open P&L",
            lambda r: r.open_pnl,
            formats.signed,
            colour=lambda r: direction_role(r.open_pnl),
            mark=lambda r: direction_mark(r.open_pnl),
            width_for="+10 000.00",
        ),
        _figure(
            "percent",
            "%",
            lambda r: r.open_pnl_percent,
            formats.signed,
            colour=lambda r: direction_role(r.open_pnl_percent),
            width_for="+10.00",
        ),
        _figure(
            "stop",
            "Stop",
            lambda r: r.stop,
            _price_or_none,
            colour=lambda r: "warn" if r.stop is None else "t1",
            width_for="1 000.00",
        ),
        _figure(
            "target",
            "Target",
            lambda r: r.target,
            _price_or_none,
            colour=lambda r: "t3" if r.target is None else "t1",
            width_for="1 000.00",
        ),
        _figure(
            "to_stop",
            "To stop",
            lambda r: r.to_stop,
            formats.signed,
            colour=lambda r: "t2",
            width_for="−1 000.00",
            about="Money won or lost against the average price if the stop is hit",
        ),
        Column(
            id="protected",
            title="Protected",
            format=lambda r: told(r.locked) if r.locked else told(r.protected) if r.protected else tr("not known"),
            align="left",
            colour=lambda r: "t2" if _protection_mark(r) == "ok" and not r.locked else "warn",
            mark=_protection_mark,
            width_for="stop at broker",
        ),
        _figure(
            "realised",
            "Realised",
            lambda r: r.realised,
            formats.signed,
            colour=lambda r: direction_role(r.realised),
            visible=False,
        ),
        _figure(
            "break_even",
            "Break-even",
            lambda r: r.break_even,
            _mark_text,
            width_for="1 000.00",
            visible=False,
            about="The price that pays the fees of the way in, and as much for the way out",
        ),
        Column(
            id="opened",
            title="Opened by",
            format=lambda r: _opened_by(r, zone),
            sort=lambda r: r.opened_ns,
            plain=lambda r: f"{r.opened_by} {time_plain(r.opened_ns, zone)}".strip(),
            align="left",
            colour=lambda r: "t2",
            width_for="agent S-1026 · 10:55",
            tooltip=lambda r: f"{time_text(r.opened_ns, zone)} {zone_label(zone)}" if r.opened_ns else "",
            stretch=True,
        ),
    )


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class TotalLine(QWidget):
    """Sums under the columns they belong to."""

    def __init__(self, table: RowTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._sums: dict[str, tuple[str, str, str]] = {}
        self._note: list[tuple[str, str]] = []
        self.setFixedHeight(current_theme().px(22))
        for signal in (
            table.horizontalHeader().sectionResized,
            table.horizontalHeader().sectionMoved,
            table.horizontalScrollBar().valueChanged,
        ):
            signal.connect(self._on_moved)

    def _on_moved(self, *_: object) -> None:
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setFixedHeight(current_theme().px(22))

    def set_sums(self, sums: dict[str, tuple[str, str, str]], note: list[tuple[str, str]]) -> None:
        """Set (text, role, mark) by column id, and the note (text, role) in the columns of prose."""
        self._sums, self._note = sums, note
        self.setAccessibleName(tr("Total") + ": " + ", ".join(text for text, _, _ in sums.values()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        painter.fillRect(0, 0, self.width(), 1, theme.color("hair"))
        head = self._table.horizontalHeader()
        names = self._table.column_ids()
        middle, pad = self.height() / 2, theme.px(6)
        end = pad + TEXTS.draw(painter, theme, pad, middle, tr("Total"), theme.color("t1"), weight=600)
        for name, (text, role, mark) in self._sums.items():
            number = names.index(name)
            if not self._table.isColumnHidden(number):
                right = head.sectionViewportPosition(number) + head.sectionSize(number) - pad
                left = right - TEXTS.width(theme, text, 12, 600) - (theme.px(12) if mark else 0)
                if right > self.width() or left < end:
                    continue  # its column is scrolled out of sight, and a part of a figure says something else
                colour = theme.color(role)
                drawn = TEXTS.draw(painter, theme, right, middle, text, colour, weight=600, align="right")
                if mark:
                    draw_mark(painter, theme, right - drawn - theme.px(11), middle, mark)
        number = names.index("protected")
        if self._note and not self._table.isColumnHidden(number):
            left = float(head.sectionViewportPosition(number) + pad)
            for pair in zip(self._note[::2], self._note[1::2], strict=True):
                # A word and its figure are whole or not there: a part of a figure says something else.
                wide = sum(TEXTS.width(theme, text) + theme.px(4) for text, _ in pair)
                if left + wide > self.width():
                    break
                for text, role in pair:
                    left += TEXTS.draw(painter, theme, left, middle, text, theme.color(role)) + theme.px(4)
        painter.end()


class PositionTable(QWidget):
    """Positions with their protection, and the total under them. Emits; decides nothing."""

    symbol_chosen = Signal(str)
    flatten_wanted = Signal(str, object)
    """Symbol and the fraction to close (Decimal)."""
    stop_wanted = Signal(str)
    """The person wants to set or move the stop of a symbol."""
    break_even_wanted = Signal(str)
    reverse_wanted = Signal(str)
    """Close a symbol and prepare as much of the other side."""
    counts_changed = Signal(int, int)

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = RowModel(position_columns(zone), sort_by="symbol")
        self.table = RowTable(
            self.model,
            "Positions",
        )
        keep_said(
            self.table,
            lambda: self.table.say(
                tr("Positions"),
                (tr("No positions"), tr("A filled order appears here with its stop, target and profit.")),
            ),
        )
        self.total = TotalLine(self.table)
        self._realised: Decimal | None = None
        self._day: Decimal | None = None
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.table, 1)
        box.addWidget(self.total)
        self.setFocusProxy(self.table)
        self.table.chosen.connect(self._on_chosen)
        self.table.opened.connect(self._on_chosen)
        self.table.set_actions((), self._row_actions)
        self.model.counts_changed.connect(self.counts_changed)
        keep_said(self, self._sum)

    def apply(self, rows: Iterable[PositionRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows of the table ``positions``."""
        self.model.apply(rows, removed, reset)
        self._sum()

    def set_day(self, day_pnl: Decimal | None, realised: Decimal | None = None) -> None:
        """Set the result of the day and what of it is taken: the rows know only what is still held."""
        self._day, self._realised = day_pnl, realised
        self._sum()

    def _sum(self) -> None:
        rows: list[PositionRow] = self.model.all_rows()
        self.total.setVisible(bool(rows))
        known = [row.open_pnl for row in rows]
        open_pnl = (
            None if any(value is None for value in known) else sum((v for v in known if v is not None), Decimal(0))
        )
        at_stop = [row.to_stop for row in rows]
        to_stop = None if any(v is None for v in at_stop) else sum((v for v in at_stop if v is not None), Decimal(0))
        note = []
        if self._realised is not None:
            note = [(tr("realised"), "t3"), (formats.signed(self._realised), direction_role(self._realised))]
        if self._day is not None:
            note += [(tr("· day"), "t3"), (formats.signed(self._day), direction_role(self._day))]
        self.total.set_sums(
            {
                "open": (formats.signed(open_pnl), direction_role(open_pnl), direction_mark(open_pnl)),
                "to_stop": (formats.signed(to_stop) if to_stop is not None else tr("not known"), "t1", ""),
            },
            note,
        )

    def _on_chosen(self, key: str) -> None:
        row = self.model.get(key)
        if row is not None:
            self.symbol_chosen.emit(row.symbol)

    def _row_actions(self, key: str) -> list[QAction]:
        row = self.model.get(key)
        if row is None:
            return []
        symbol = row.symbol
        made = []
        for text, fraction in (
            (tr("Exit all of {symbol}", symbol=symbol), Decimal(1)),
            (tr("Exit half"), Decimal("0.5")),
            (tr("Exit a quarter"), Decimal("0.25")),
        ):
            action = QAction(text)
            action.triggered.connect(lambda _=False, f=fraction: self.flatten_wanted.emit(symbol, f))
            made.append(action)
        stop = QAction(tr("Set or move the stop…"))
        stop.triggered.connect(lambda _=False: self.stop_wanted.emit(symbol))
        even = QAction(tr("Stop to break-even"))
        even.triggered.connect(lambda _=False: self.break_even_wanted.emit(symbol))
        even.setEnabled(row.stop is not None)
        reverse = QAction(tr("Reverse: close all, stage the other side"))
        reverse.triggered.connect(lambda _=False: self.reverse_wanted.emit(symbol))
        return [*made, reverse, stop, even]
