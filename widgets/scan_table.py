"""What a scan found: one row a symbol, with the columns one asked for and the rules as they were met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from widgets import formats
from widgets.cells import direction_mark, direction_role
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, tr


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """``key`` is the symbol; ``values`` belong to the columns asked for, None where unknown."""

    key: str
    last: float
    change: float | None
    values: tuple[float | None, ...]
    texts: tuple[str, ...]


def _value(at: int) -> Callable[[ScanRow], float | None]:
    return lambda row: row.values[at] if at < len(row.values) else None


def _shown(at: int) -> Callable[[ScanRow], str]:
    def show(row: ScanRow) -> str:
        value = _value(at)(row)
        return formats.MISSING if value is None else f"{value:.6g}"

    return show


def scan_columns(expressions: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of the table, one for each expression."""
    return (
        Column(id="symbol", title="Symbol", format=lambda r: r.key, align="left", weight=600, width_for="BRK.B"),
        Column(
            id="last",
            title="Close",
            format=lambda r: formats.number(r.last),
            sort=lambda r: r.last,
            plain=lambda r: r.last,
            width_for="1 000.00",
        ),
        Column(
            id="change",
            title="Bar %",
            format=lambda r: formats.signed(r.change, 2),
            sort=lambda r: r.change,
            plain=lambda r: r.change,
            colour=lambda r: direction_role(r.change),
            mark=lambda r: direction_mark(r.change),
            width_for="+10.00",
            about="Against the bar before",
        ),
        *(
            Column(
                id=f"value{at}",
                title=expression,
                format=_shown(at),
                sort=_value(at),
                plain=_value(at),
                width_for="100.000",
            )
            for at, expression in enumerate(expressions)
        ),
        Column(
            id="why",
            title="Rules as met",
            format=lambda r: " · ".join(r.texts),
            align="left",
            colour=lambda r: "t2",
            stretch=True,
            width_for="ema(9) 190.20 > ema(21) 189.90",
            tooltip=lambda r: "\n".join(r.texts),
        ),
    )


class ScanTable(RowTable):
    """Found symbols. Insert adds the chosen ones to a list, Enter opens the chart."""

    add_wanted = Signal(tuple)
    """Symbols for the watchlist."""

    def __init__(self, expressions: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(
            RowModel(scan_columns(expressions), sort_by="symbol"),
            "Scan",
            parent=parent,
        )
        self._scanned = False
        keep_said(self, self._say)

    def set_scanned(self, scanned: bool) -> None:
        """Tell whether the rows are what a scan came to: no rows then mean that nothing fits."""
        if scanned != self._scanned:
            self._scanned = scanned
            self._say()

    def _say(self) -> None:
        if self._scanned:
            empty = (tr("Nothing found"), tr("No symbol fits all of the rules now; “live” looks again at every bar"))
        else:
            empty = (tr("No scan yet"), tr("Write a rule above and press Enter: close > ema(20) and rsi(14) < 70"))
        self.say(tr("Scan"), empty)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Insert and not event.isAutoRepeat():
            self.add_wanted.emit(tuple(self.selected_keys()))
        else:
            super().keyPressEvent(event)
