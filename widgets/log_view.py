"""The program's own log, newest first, by level."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api.rows import LogRow
from widgets.cells import NEW_YORK, clock_text, time_plain, time_text, zone_label
from widgets.news_list import one_line
from widgets.pane_head import PaneHead
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, told, tr

LEVELS = ("debug", "info", "warning", "error", "critical")
_ROLES = {"warning": "warn", "error": "danger", "critical": "danger", "debug": "t3"}
_MARKS = {"warning": "warn", "error": "bad", "critical": "bad"}


def _level(row: LogRow) -> int:
    level = row.level.lower()
    return LEVELS.index(level) if level in LEVELS else 1


def log_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the view; times in ``zone``."""
    return (
        Column(
            id="time",
            title=f"Time {zone_label(zone)}",
            format=lambda r: clock_text(r.ts, zone),
            plain=lambda r: time_plain(r.ts, zone),
            sort=lambda r: r.ts,
            align="left",
            colour=lambda r: "t2",
            width_for="00:00:00.000",
            tooltip=lambda r: time_text(r.ts, zone),
        ),
        Column(
            id="level",
            title="Level",
            format=lambda r: told(r.level.lower()),
            sort=_level,
            align="left",
            colour=lambda r: _ROLES.get(r.level.lower(), "t2"),
            mark=lambda r: _MARKS.get(r.level.lower(), ""),
            width_for="critical",
        ),
        Column(id="part", title="Part", format=lambda r: one_line(told(r.part)), align="left", colour=lambda r: "t2"),
        Column(
            id="text",
            title="What",
            format=lambda r: one_line(told(r.text)),
            align="left",
            colour=lambda r: "t1" if _level(r) > 0 else "t3",
            stretch=True,
            width_for="a line of ordinary length",
            tooltip=lambda r: told(r.text),
        ),
    )


class LogView(QWidget):
    """Log lines with a choice of level. ``apply`` takes rows of the table ``log``."""

    counts_changed = Signal(int, int)
    """Lines in all, warnings and worse."""

    def __init__(self, zone: str = NEW_YORK, limit: int = 10_000, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = RowModel(
            log_columns(zone), sort_by="time", descending=True, limit=limit, limit_by=lambda row: row.ts
        )
        self.head = PaneHead([(level, "") for level in ("info", "warning", "error", "debug")])
        keep_said(self.head, self._say_tabs)
        self.table = RowTable(
            self.model,
            "Log",
        )
        keep_said(
            self.table,
            lambda: self.table.say(
                tr("Log"), (tr("The log is empty"), tr("What the program does appears here, newest first."))
            ),
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.head)
        box.addWidget(self.table, 1)
        self.setFocusProxy(self.table)
        self.head.tab_changed.connect(self._on_level)
        self._on_level("info")

    def _say_tabs(self) -> None:
        self.head.set_tabs(
            [("info", tr("Info")), ("warning", tr("Warnings")), ("error", tr("Errors")), ("debug", tr("Everything"))]
        )

    def apply(self, rows: list[LogRow], removed: tuple[str, ...] = (), reset: bool = False) -> None:
        """Take new lines."""
        self.model.apply(rows, removed, reset)
        lines = self.model.all_rows()
        bad = sum(_level(row) >= 2 for row in lines)
        self.head.set_count("warning", bad or "")
        self.counts_changed.emit(len(lines), bad)

    def _on_level(self, level: str) -> None:
        least = LEVELS.index(level)
        self.model.set_condition(lambda row: _level(row) >= least)
