"""What a person does with the chart: style, scale, interval, indicators, comparison, drawings."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLineEdit

from engine.api.client import EngineUnavailable
from engine.api.commands import GetBars
from engine.model.ids import Symbol
from market_agent_gui.chart_columns import ChartColumns
from market_agent_gui.commander import Refusal
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.docks import FIRST_CHART
from market_agent_gui.loop import TaskOwner
from market_agent_gui.presenters.chart_menu import ChartMenu
from market_agent_gui.presenters.studies import Studies
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.candle_chart.layers import BarStyle, CompareSeries, DrawingKind, PriceAxis
from widgets.words import told

if TYPE_CHECKING:
    from market_agent_gui.chart_pane import ChartPane

log = logging.getLogger(__name__)

TOOLS = {
    "draw_trend": DrawingKind.TREND,
    "draw_horizontal": DrawingKind.HORIZONTAL,
    "draw_ray": DrawingKind.RAY,
    "draw_rectangle": DrawingKind.RECTANGLE,
    "draw_fibonacci": DrawingKind.FIBONACCI,
}
STYLES = {f"style_{style.name.lower()}": style for style in BarStyle}
AXES = {f"axis_{axis.name.lower()}": axis for axis in PriceAxis}
INTERVAL_ACTIONS = {
    "interval_1m": 60,
    "interval_5m": 300,
    "interval_15m": 900,
    "interval_1h": 3_600,
    "interval_1d": 86_400,
    "interval_1w": 604_800,
}
MOST_COMPARED = 4
_LOOKS = (("t2", (8.0, 3.0)), ("t1", (2.0, 3.0)), ("t3", ()), ("t3", (8.0, 3.0)))


class ChartTools(QObject):
    """Registers the chart's actions and carries them out on one pane."""

    def __init__(
        self,
        services: Services,
        dock: str,
        pane: "ChartPane",
        studies: Studies,
        columns: ChartColumns,
        tasks: TaskOwner,
        where: Callable[[], tuple[str, int]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._services, self._pane, self._studies = services, pane, studies
        self._dock, self._columns, self._tasks, self._where = dock, columns, tasks, where
        self._turn = 0
        self.menu = ChartMenu(services, dock, pane, where)
        self._memory, self._store = services.charts.memory(dock), services.charts.store
        services.charts.enlist(dock, self._doers())
        services.charts.drawn.connect(self._on_drawn)
        self._memory.changed.connect(self._on_memory)
        pane.chart.drawings_changed.connect(self._keep_drawings)
        if self._store.problem and dock == FIRST_CHART:
            services.say("warn", self._store.problem)
        self.show_looks()

    def _doers(self) -> dict[str, Callable[[], object]]:
        memory = self._memory
        doers: dict[str, Callable[[], object]] = {
            "draw_text": self._ask_text,
            "draw_nothing": self._remove_drawings,
            "indicators": self._open_picker,
            "indicators_everywhere": self._use_everywhere,
            "compare": self._ask_compare,
            "next_style": lambda: memory.set(style=_after(list(BarStyle), memory.now.style)),
            "next_axis": lambda: memory.set(axis=_after(list(PriceAxis), memory.now.axis)),
            "volume_profile": lambda: memory.set(profile=not memory.now.profile),
        }
        for name, style in STYLES.items():
            doers[name] = lambda style=style: memory.set(style=style.value)
        for name, axis in AXES.items():
            doers[name] = lambda axis=axis: memory.set(axis=axis.value)
        for name, seconds in INTERVAL_ACTIONS.items():
            doers[name] = lambda seconds=seconds: memory.set(seconds=seconds)
        for name, kind in TOOLS.items():
            doers[name] = lambda kind=kind: self._draw(kind)
        return doers

    # --- what is shown

    def show_looks(self) -> None:
        """Apply style and scale."""
        now, chart = self._memory.now, self._pane.chart
        chart.set_bar_style(_known(BarStyle, now.style, BarStyle.CANDLES))
        chart.set_price_axis(_known(PriceAxis, now.axis, PriceAxis.LINEAR))
        chart.set_profile_visible(now.profile)
        self._pane.show_choices(now)

    def show_symbol(self) -> None:
        """Another symbol or interval: its drawings; the compared ones come with the bars."""
        symbol, _ = self._where()
        self._pane.chart.set_drawings(self._store.get(symbol))

    def load_compared(self) -> None:
        """Ask for the bars of the compared symbols."""
        self._turn += 1
        names = self._memory.now.compare
        if names and self._columns.stamps.size:
            self._tasks.start(self._load_compared(names, self._turn), "compare")
        else:
            self._pane.chart.set_compare(())

    async def _load_compared(self, names: tuple[str, ...], turn: int) -> None:
        own, seconds = self._where()
        series = []
        for name in names:
            if name == own:
                continue
            columns = ChartColumns()
            command = GetBars(symbol=Symbol(name), seconds=seconds, count=int(self._columns.stamps.size))
            try:
                receipt = await self._services.bridge.send(command)
            except (EngineUnavailable, OSError) as error:
                log.info("nothing to compare: %s", error)
                return
            if not receipt.ok:
                self._services.say("warn", f"{name}: {told(receipt.text)}")
                continue
            columns.take(receipt.data, older=False)
            role, dash = _LOOKS[len(series) % len(_LOOKS)]
            stamps, _, _, _, close, _ = columns.values()
            if stamps.size:
                series.append(CompareSeries(name=name, ts_ns=stamps, close=close, role=role, dash=dash))
        if turn == self._turn:
            self._pane.chart.set_compare(tuple(series))

    def _on_memory(self, what: str) -> None:
        if what in ("style", "axis"):
            self.show_looks()
        elif what == "profile":
            self._pane.chart.set_profile_visible(self._memory.now.profile)
        elif what == "compare":
            self.load_compared()
            self._pane.show_choices(self._memory.now)
        elif what == "studies":
            self._studies.load()

    # --- drawings

    def _draw(self, kind: DrawingKind, text: str = "") -> None:
        if not self._pane.chart.bar_count:
            raise Refusal(say("There is nothing to draw on yet"))
        self._services.show_pane(self._dock)
        self._pane.chart.start_drawing(kind, text)

    def _ask_text(self) -> None:
        if not self._pane.chart.bar_count:
            raise Refusal(say("There is nothing to draw on yet"))
        dialog = PlainDialog(
            say("Write on the chart"),
            say("Click where it is to stand."),
            accept=say("Place it"),
            reject=say("Leave it"),
        )
        field = QLineEdit()
        field.setMaxLength(80)
        dialog.add_field(say("Text"), field)
        dialog.yes.setDefault(True)
        dialog.accepted.connect(lambda: self._place_text(field.text().strip()))
        self._services.open_dialog(dialog)
        field.setFocus()

    def _place_text(self, text: str) -> None:
        if text and self._pane.chart.bar_count:  # another symbol may stand there by now
            self._draw(DrawingKind.TEXT, text)

    def _remove_drawings(self) -> None:
        symbol, _ = self._where()
        if not self._pane.chart.drawings:
            raise Refusal(say("Nothing is drawn on {symbol}", symbol=symbol))
        self._pane.chart.set_drawings(())
        self._keep_drawings()

    def _keep_drawings(self) -> None:
        symbol, _ = self._where()
        if not symbol:
            return
        try:
            self._store.put(symbol, self._pane.chart.drawings)
        except OSError as error:
            self._services.say(
                "warn", say("The drawings hold until the end but were not saved: {reason}", reason=error)
            )

        self._services.charts.drawn.emit(symbol, self._dock)

    def _on_drawn(self, symbol: str, dock: str) -> None:
        """Another chart of the same symbol was drawn on."""
        if dock != self._dock and symbol == self._where()[0]:
            self._pane.chart.set_drawings(self._store.get(symbol))

    # --- dialogs

    def _open_picker(self) -> None:
        symbol, seconds = self._where()
        if not symbol:
            raise Refusal(say("choose a symbol first"))
        self._tasks.start(self._pick(symbol, seconds), "open indicators")

    async def _pick(self, symbol: str, seconds: int) -> None:
        from market_agent_gui.indicator_dialog import IndicatorDialog

        try:
            table = await self._studies.read_table()
        except (EngineUnavailable, OSError) as error:
            self._services.say("warn", say("No indicators: {reason}", reason=error))
            return
        memory = self._memory
        dialog = IndicatorDialog(table, memory.studies(symbol, seconds), symbol)
        dialog.chosen.connect(lambda studies: memory.set_studies(symbol, seconds, studies))
        dialog.bars_wanted.connect(lambda: memory.set(style=BarStyle.HEIKIN_ASHI.value))
        dialog.everywhere_wanted.connect(lambda: memory.use_everywhere(symbol, seconds))
        self._services.open_dialog(dialog)

    def _use_everywhere(self) -> None:
        symbol, seconds = self._where()
        if not symbol:
            raise Refusal(say("choose a symbol first"))
        self._memory.use_everywhere(symbol, seconds)

    def _ask_compare(self) -> None:
        dialog = PlainDialog(
            say("Compare with"),
            say(
                "Other symbols are drawn from the first bar in view; an empty line ends it. At most {n}.",
                n=MOST_COMPARED,
            ),
            accept=say("Compare"),
            reject=say("Leave it"),
        )
        field = QLineEdit(" ".join(self._memory.now.compare))
        dialog.add_field(say("Symbols"), field)
        dialog.yes.setDefault(True)

        def accept() -> None:
            names = tuple(dict.fromkeys(field.text().upper().replace(",", " ").split()))
            known = self._services.bridge.mirror.rows("quotes")
            unknown = [name for name in names if name not in known]
            if len(names) > MOST_COMPARED:
                dialog.complain(say("At most {n} symbols.", n=MOST_COMPARED))
            elif unknown:
                dialog.complain(say("Not known here: {symbols}", symbols=", ".join(unknown)))
            else:
                self._memory.set(compare=names)
                dialog.accept()

        dialog.buttons.accepted.disconnect()
        dialog.buttons.accepted.connect(accept)
        self._services.open_dialog(dialog)
        field.setFocus()
        field.selectAll()


def _known(kind: Any, value: str, otherwise: Any) -> Any:
    return kind(value) if value in list(kind) else otherwise


def _after(names: list, now: str) -> str:
    return str(names[(names.index(now) + 1) % len(names)]) if now in names else str(names[0])
