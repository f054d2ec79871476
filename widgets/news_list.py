"""Headlines as they were seen. Foreign text: shown as text, never rendered, links only on request."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from engine.api.rows import NewsRow
from widgets import formats
from widgets.cells import NEW_YORK, time_plain, time_text, zone_label
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, tr

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), " ")


def one_line(text: str) -> str:
    """Return foreign text on one line, without control characters or marks that turn the writing direction."""
    return " ".join(text.translate(_CONTROLS).split())


def _delay(row: NewsRow) -> str:
    if not row.ts_event or not row.ts_seen or row.ts_seen < row.ts_event:
        return formats.MISSING
    return formats.duration((row.ts_seen - row.ts_event) / 1e9)


def news_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the list; times in ``zone``."""
    return (
        Column(
            id="time",
            title=f"Published {zone_label(zone)}",
            format=lambda r: time_text(r.ts_event or r.ts_seen, zone),
            plain=lambda r: time_plain(r.ts_event or r.ts_seen, zone),
            sort=lambda r: r.ts_event or r.ts_seen,
            align="left",
            colour=lambda r: "t2",
            width_for="22 Nov 00:00:00",
        ),
        Column(
            id="symbols",
            title="Symbols",
            format=lambda r: " ".join(r.symbols[:3]) + (f" +{len(r.symbols) - 3}" if len(r.symbols) > 3 else ""),
            align="left",
            weight=600,
            width_for="AAPL MSFT",
            tooltip=lambda r: " ".join(r.symbols),
        ),
        Column(
            id="headline",
            title="Headline",
            format=lambda r: one_line(r.headline),
            align="left",
            stretch=True,
            keeps=True,
            width_for="a headline of ordinary length for a paper",
            tooltip=lambda r: one_line(r.headline),
        ),
        Column(id="kind", title="Kind", format=lambda r: one_line(r.kind), align="left", colour=lambda r: "t2"),
        Column(id="source", title="Source", format=lambda r: one_line(r.source), align="left", colour=lambda r: "t2"),
        Column(
            id="delay",
            title="Seen after",
            format=_delay,
            sort=lambda r: r.ts_seen - r.ts_event,
            colour=lambda r: "t3",
            width_for="0:00",
            about="Time from publication until it was seen here",
        ),
    )


class NewsList(RowTable):
    """Headlines, newest first. ``apply`` takes rows of the table ``news``."""

    symbol_chosen = Signal(str)
    link_wanted = Signal(str)
    """The person asks to open an https address in the browser."""

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        model = RowModel(
            news_columns(zone), sort_by="time", descending=True, limit=5_000, limit_by=lambda r: r.ts_event or r.ts_seen
        )
        super().__init__(
            model,
            "News",
            parent=parent,
        )
        keep_said(
            self,
            lambda: self.say(
                tr("News"),
                (
                    tr("No headlines yet"),
                    tr("Headlines about watched symbols appear here as the sources bring them."),
                ),
            ),
        )
        self.chosen.connect(self._on_chosen)
        self.opened.connect(self._on_opened)
        self.set_actions((), self._row_actions)

    def _on_chosen(self, key: str) -> None:
        row = self.rows.get(key)
        if row is not None and row.symbols:
            self.symbol_chosen.emit(row.symbols[0])

    def _on_opened(self, key: str) -> None:
        row = self.rows.get(key)
        if row is not None and row.url.startswith("https://"):
            self.link_wanted.emit(row.url)

    def _row_actions(self, key: str) -> list[QAction]:
        row = self.rows.get(key)
        if row is None:
            return []
        made = []
        for symbol in row.symbols[:6]:
            show = QAction(tr("Show {symbol}", symbol=symbol))
            show.triggered.connect(lambda _=False, symbol=symbol: self.symbol_chosen.emit(symbol))
            made.append(show)
        if row.url.startswith("https://"):
            link = QAction(tr("Open the source in the browser"))
            link.triggered.connect(lambda _=False: self.link_wanted.emit(row.url))
            made.append(link)
        return made
