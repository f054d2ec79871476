"""*Differences*: our position beside the broker's, where the two differ."""

from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from engine.api.rows import DriftRow
from widgets import formats
from widgets.cells import NEW_YORK, time_plain, time_text, zone_label
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, tr


def _quantity(value: Decimal) -> str:
    return formats.number(value, max(0, -int(value.normalize().as_tuple().exponent)))


def drift_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the table; times in ``zone``."""
    return (
        Column(id="symbol", title="Symbol", format=lambda r: r.symbol, align="left", weight=600, width_for="BRK.B"),
        Column(id="ours", title="Ours", format=lambda r: _quantity(r.ours), sort=lambda r: r.ours, width_for="100 000"),
        Column(
            id="theirs",
            title="The broker's",
            format=lambda r: _quantity(r.theirs),
            sort=lambda r: r.theirs,
            weight=600,
            width_for="100 000",
        ),
        Column(
            id="difference",
            title="Difference",
            format=lambda r: formats.signed(r.theirs - r.ours, 0),
            sort=lambda r: r.theirs - r.ours,
            colour=lambda r: "warn",
            width_for="+100 000",
        ),
        Column(
            id="average",
            title="Broker's average",
            format=lambda r: formats.number(r.average_price) if r.average_price is not None else formats.MISSING,
            sort=lambda r: r.average_price or Decimal(0),
            width_for="100 000.00",
        ),
        Column(
            id="since",
            title=f"Since {zone_label(zone)}",
            format=lambda r: time_text(r.since_ns, zone),
            plain=lambda r: time_plain(r.since_ns, zone),
            sort=lambda r: r.since_ns,
            align="left",
            colour=lambda r: "t2",
            stretch=True,
            width_for="22 Nov 00:00:00",
        ),
    )


class DriftTable(RowTable):
    """Positions that differ. ``apply`` takes rows of the table ``drifts``. Emits; decides nothing."""

    symbol_chosen = Signal(str)
    adopt_wanted = Signal(object)
    """The :class:`DriftRow` whose broker's figure is to become ours."""

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        super().__init__(
            RowModel(drift_columns(zone), sort_by="symbol"),
            "Differences",
            parent=parent,
        )
        keep_said(
            self,
            lambda: self.say(
                tr("Differences"),
                (
                    tr("Ours and the broker's agree"),
                    tr("A position that differs from the broker's is listed here, and its symbol is locked."),
                ),
            ),
        )
        self.chosen.connect(self._on_chosen)
        self.opened.connect(self._on_opened)
        self.set_actions((), self._row_actions)

    def _on_chosen(self, key: str) -> None:
        self.symbol_chosen.emit(key)

    def _on_opened(self, key: str) -> None:
        row = self.rows.get(key)
        if isinstance(row, DriftRow):
            self.adopt_wanted.emit(row)

    def _row_actions(self, key: str) -> list[QAction]:
        action = QAction(tr("Take the broker's position…"))
        action.triggered.connect(lambda _=False: self._on_opened(key))
        return [action]
