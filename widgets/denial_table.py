"""*Why no trade*: every candidate, and the stage and rule that stopped it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from engine.api.rows import DenialRow
from widgets.cells import NEW_YORK, origin_text, side_role, side_text, time_plain, time_text, zone_label
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, told, tr


def _codes(row: DenialRow) -> str:
    return " ".join(dict.fromkeys(denial.code for denial in row.denials))


def _words(row: DenialRow) -> str:
    return " · ".join(told(denial.text) for denial in row.denials)


def _tooltip(row: DenialRow) -> str:
    lines = []
    for denial in row.denials:
        numbers = f" ({denial.value} / {denial.limit})" if denial.limit or denial.value else ""
        lines.append(f"{denial.code}: {told(denial.text)}{numbers}")
    return "\n".join(lines)


def denial_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the table; times in ``zone``."""
    return (
        Column(
            id="time",
            title=f"Time {zone_label(zone)}",
            format=lambda r: time_text(r.ts, zone),
            plain=lambda r: time_plain(r.ts, zone),
            sort=lambda r: r.ts,
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
            id="code", title="Code", format=_codes, align="left", colour=lambda r: "warn", weight=600, width_for="G33"
        ),
        Column(
            id="why",
            title="Why",
            format=_words,
            align="left",
            colour=lambda r: "t2",
            stretch=True,
            width_for="The order is worth 15,000,000; the limit is 200,000.",
            tooltip=_tooltip,
        ),
        Column(id="origin", title="By", format=lambda r: origin_text(r.origin), align="left", colour=lambda r: "t2"),
        Column(id="stage", title="Stopped at", format=lambda r: tr(r.stage), align="left", width_for="pre-filter"),
        Column(id="what", title="Candidate", format=lambda r: r.what, align="left", visible=False),
    )


class DenialTable(RowTable):
    """Refused candidates, newest first. ``apply`` takes rows of the table ``denials``."""

    symbol_chosen = Signal(str)

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        model = RowModel(
            denial_columns(zone), sort_by="time", descending=True, limit=5_000, limit_by=lambda row: row.ts
        )
        super().__init__(
            model,
            "Why no trade",
            parent=parent,
        )
        keep_said(
            self,
            lambda: self.say(
                tr("Why no trade"),
                (
                    tr("Nothing was stopped yet"),
                    tr("Each candidate that did not become an order is listed with its reason."),
                ),
            ),
        )
        self.chosen.connect(self._on_chosen)

    def _on_chosen(self, key: str) -> None:
        row = self.rows.get(key)
        if row is not None and row.symbol:
            self.symbol_chosen.emit(row.symbol)
