"""Every limit of the risk gate with how much of it is used."""

import math

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from engine.api.rows import LimitRow
from widgets import formats
from widgets.paint import TEXTS
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.theme import current_theme
from widgets.words import keep_said, told, tr


def share(row: LimitRow) -> float | None:
    """Return the used share of a limit; None where it cannot be said."""
    use = row.use
    if not (math.isfinite(use.used) and math.isfinite(use.limit)):
        return None
    if use.limit <= 0:
        return 1.0 if use.used > 0 else 0.0
    return max(0.0, use.used / use.limit)


def _role(row: LimitRow) -> str:
    part = share(row)
    if part is None:
        return "warn"
    return "danger" if part >= 1 else "warn" if part >= 0.8 else "t1"


def _mark(row: LimitRow) -> str:
    return {"danger": "bad", "warn": "warn"}.get(_role(row), "")


def _amount(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return formats.MISSING
    text = formats.number(value, 0 if float(value).is_integer() else 2)
    return f"{text}{formats.THIN}{unit}" if unit else text


LEAST_TITLE_PX = 72


def limit_columns() -> tuple[Column, ...]:
    """Return the columns of the panel."""
    return (
        Column(id="code", title="Code", format=lambda r: r.use.code, align="left", weight=600, width_for="G33"),
        Column(
            id="title", title="Limit", format=lambda r: told(r.use.title), align="left", width_for="orders a minute"
        ),
        Column(
            id="used",
            title="Used",
            format=lambda r: _amount(r.use.used, r.use.unit),
            sort=lambda r: r.use.used,
            plain=lambda r: r.use.used,
            colour=_role,
            width_for="100.00 %",
        ),
        Column(
            id="limit",
            title="Of",
            format=lambda r: _amount(r.use.limit, r.use.unit),
            sort=lambda r: r.use.limit,
            plain=lambda r: r.use.limit,
            colour=lambda r: "t2",
            width_for="100.00 %",
        ),
        Column(
            id="share",
            title="%",
            format=lambda r: (
                formats.MISSING if share(r) is None else f"{share(r):.0%}".replace("%", f"{formats.THIN}%")
            ),
            sort=share,
            plain=share,
            colour=_role,
            mark=_mark,
            width_for="100 %",
        ),
        Column(id="bar", title="", format=lambda r: "", align="left", stretch=True, width_for="a bar of some width"),
    )


class LimitPanel(RowTable):
    """Limits, fullest first. ``apply`` takes rows of the table ``limits``."""

    change_wanted = Signal(str)
    """Key of the row the person wants to change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        model = RowModel(limit_columns(), sort_by="share", descending=True)
        super().__init__(
            model,
            "Limits",
            parent=parent,
        )
        keep_said(
            self,
            lambda: self.say(
                tr("Limits"),
                (tr("No limits known"), tr("The risk gate reports its limits as soon as the engine runs.")),
            ),
        )
        self.opened.connect(self._on_opened)

    def _on_opened(self, key: str) -> None:
        row = self.rows.get(key)
        if row is not None:
            self.change_wanted.emit(row.key)

    def _stretch(self) -> None:
        """Let the words of the limits give way before any of their figures is out of sight."""
        theme, title = current_theme(), self.rows.column("title")
        words = [self.rows.cells(at)[title].text for at in range(self.rows.rowCount())]
        whole = round(max((TEXTS.width(theme, text) for text in words), default=0.0)) + 2 * theme.px(6) + 2
        figures = sum(self.columnWidth(self.rows.column(name)) for name in ("code", "used", "limit", "share"))
        width = max(theme.px(LEAST_TITLE_PX), min(whole, self.viewport().width() - figures - 2 * theme.px(6)))
        if words and width != self.columnWidth(title):
            blocked = self.horizontalHeader().blockSignals(True)
            self.setColumnWidth(title, width)
            self.horizontalHeader().blockSignals(blocked)
        super()._stretch()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = current_theme()
        number = self.rows.column("bar")
        left = self.columnViewportPosition(number) + theme.px(6)
        room = min(self.columnWidth(number) - theme.px(18), theme.px(240))
        if room < theme.px(24):
            return  # a sliver is no bar; the percent beside it says the same
        painter = QPainter(self.viewport())
        for position in range(self.rows.rowCount()):
            top = self.rowViewportPosition(position)
            if top > event.rect().bottom():
                break
            row = self.rows.row(position)
            part = share(row)
            if top + theme.px(22) < event.rect().top() or part is None:
                continue
            bar = (left, top + theme.px(7), room, theme.px(8))
            painter.setPen(theme.color("hair"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(*bar)
            role = {"t1": "t2"}.get(_role(row), _role(row))
            painter.fillRect(left + 1, bar[1] + 1, round((room - 1) * min(1.0, part)), bar[3] - 1, theme.color(role))
        painter.end()

    def tooltip_at(self, index: QModelIndex) -> str:
        row = self.rows.row(index.row())
        return f"{row.use.code}: {tr(row.use.title)}"
