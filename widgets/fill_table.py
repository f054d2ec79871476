"""What was bought and sold, and what it cost beside the price seen."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from widgets import formats
from widgets.cells import (
    NEW_YORK,
    direction_role,
    origin_text,
    price_text,
    side_role,
    side_text,
    time_plain,
    time_text,
    zone_label,
)
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, told, tr


def fill_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the table; times in ``zone``."""
    return (
        Column(
            id="time",
            title=f"Time {zone_label(zone)}",
            format=lambda r: time_text(r.ts_event, zone),
            plain=lambda r: time_plain(r.ts_event, zone),
            sort=lambda r: r.ts_event,
            align="left",
            colour=lambda r: "t2",
            width_for="22 Nov 00:00:00",
        ),
        Column(id="symbol", title="Symbol", format=lambda r: r.symbol, align="left", weight=600, width_for="BRK.B"),
        Column(
            id="side",
            title="Side",
            format=lambda r: side_text(r.side),
            align="left",
            colour=lambda r: side_role(r.side),
            weight=600,
            width_for="SELL",
        ),
        Column(
            id="quantity",
            title="Qty",
            format=lambda r: formats.quantity(r.quantity),
            sort=lambda r: r.quantity,
            plain=lambda r: r.quantity,
            width_for="10 000",
        ),
        Column(
            id="price",
            title="Price",
            format=lambda r: price_text(r.price, max(2, min(6, _decimals(r.price)))),
            sort=lambda r: r.price,
            plain=lambda r: r.price,
            width_for="1 000.00",
        ),
        Column(
            id="commission",
            title="Fee",
            format=lambda r: formats.number(r.commission),
            sort=lambda r: r.commission,
            plain=lambda r: r.commission,
            colour=lambda r: "t2",
            width_for="10.00",
        ),
        Column(
            id="slippage",
            title="Slippage bp",
            format=lambda r: formats.signed(r.slippage_bps, 1),
            sort=lambda r: r.slippage_bps,
            plain=lambda r: r.slippage_bps,
            colour=lambda r: direction_role(None if r.slippage_bps is None else -r.slippage_bps),
            about="Against the mid at clearing, in hundredths of a percent; plus is worse",
            width_for="+10.0",
        ),
        Column(id="origin", title="By", format=lambda r: origin_text(r.origin), align="left", colour=lambda r: "t2"),
        Column(id="ref", title="Reference", format=lambda r: r.ref, align="left", colour=lambda r: "t3", visible=False),
        Column(
            id="note",
            title="Note",
            format=lambda r: told(r.note),
            align="left",
            colour=lambda r: "t2",
            stretch=True,
            width_for="bust",
            tooltip=lambda r: told(r.note),
        ),
    )


def _decimals(value: object) -> int:
    exponent = value.normalize().as_tuple().exponent  # type: ignore[attr-defined]
    return max(0, -exponent)


class FillTable(RowTable):
    """Fills, newest first. ``apply`` takes rows of the table ``fills``."""

    symbol_chosen = Signal(str)

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        model = RowModel(
            fill_columns(zone), sort_by="time", descending=True, limit=20_000, limit_by=lambda row: row.ts_event
        )
        super().__init__(
            model,
            "Fills",
            parent=parent,
        )
        keep_said(
            self,
            lambda: self.say(
                tr("Fills"), (tr("No fills today"), tr("Every part of an order that trades appears here."))
            ),
        )
        self.chosen.connect(self._on_chosen)

    def _on_chosen(self, key: str) -> None:
        row = self.rows.get(key)
        if row is not None:
            self.symbol_chosen.emit(row.symbol)
