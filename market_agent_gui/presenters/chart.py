"""The chart: history once, the forming bar as it comes, orders and evidence over it."""

import logging
from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from engine.api.client import EngineUnavailable
from engine.api.commands import GetBars
from engine.api.frames import BarUpdate
from engine.api.rows import QuoteRow, SuggestionRow
from engine.api.wire import Follow
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.money import exact
from market_agent_gui.actions import key_text
from market_agent_gui.alerts import PREFIX
from market_agent_gui.bridge import LinkState
from market_agent_gui.chart_memory import DAY_S
from market_agent_gui.keys.confirming import Act
from market_agent_gui.loop import TaskOwner
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.words import told

log = logging.getLogger(__name__)

HISTORY = 1_000
ASK_AGAIN_MS = 1_000
"""While the engine knows no bars of the symbol yet: right after its start, or early in a replay."""
SURE_AFTER = 2
"""Answers without a bar, and none that forms in between, until a replay is taken to have none of this length."""
LAYER_TABLES = ("orders", "positions", "fills", "suggestions", "state")
SENDING_MS = 300
"""An answer usually comes sooner; only then does the tag say that one is waited for."""


class ChartPresenter(PanePresenter):
    tables = ("orders", "positions", "fills", "suggestions")

    def __init__(self, services: Services, dock: str) -> None:
        super().__init__(services)
        self.dock = dock
        self._memory = services.charts.memory(dock)
        self._loaded: tuple[str, int] | None = None
        self._why_empty: Callable[[], str] = str
        self._waits = False
        """The engine has had no history to show; what forms is shown meanwhile, and history is asked for again."""
        self._again = QTimer(self, singleShot=True, interval=ASK_AGAIN_MS)
        self._again.timeout.connect(self._ask_again)
        self._empty = 0
        """How often in a row the engine knew no bars of what is shown."""
        self._session: tuple[int, int] = (0, 0)
        self._tasks = TaskOwner(self._on_task_error)

    def make(self) -> QWidget:
        from market_agent_gui.chart_columns import ChartColumns
        from market_agent_gui.chart_pane import ChartPane
        from market_agent_gui.presenters.chart_tools import ChartTools
        from market_agent_gui.presenters.studies import Studies

        services = self.services
        pane = ChartPane(
            self.seconds,
            self._run,
            lambda name: services.keys.keys.key(name),
        )
        self._pane = pane
        self._columns = ChartColumns()
        memory = self._memory
        self._studies = Studies(services, memory, pane.chart, self._columns, self._tasks, self._where, self)
        self._tools = ChartTools(
            services, self.dock, pane, self._studies, self._columns, self._tasks, self._where, self
        )
        pane.chart.installEventFilter(self)
        pane.chart.crosshair_moved.connect(lambda stamp, _price: services.charts.time_pointed.emit(self.dock, stamp))
        services.charts.time_pointed.connect(self._on_time_pointed)
        memory.changed.connect(self._on_memory)
        pane.interval_chosen.connect(self._on_interval)
        pane.chart.order_dragged.connect(self._on_dragged)
        pane.chart.price_clicked.connect(self._on_clicked)
        pane.chart.pin_clicked.connect(lambda _pin: self.services.show_pane("why"))
        pane.chart.history_wanted.connect(self._on_history_wanted)
        pane.chart.set_clock(self._now)
        self._tell(lambda: say("Choose a symbol: type its letters in the watchlist, or press Ctrl+Space"))
        pane.chart.set_volume_caption(say("Volume"))
        self.services.bridge.bar.connect(self._on_bar)
        self.services.bridge.link_changed.connect(self._on_link)
        self.services.entry.staged_changed.connect(lambda _order: self._draw_orders())
        self.services.confirming.waiting_changed.connect(self._draw_orders)
        self.services.alerts.changed.connect(lambda symbol: symbol == self.symbol and self._draw_orders())
        self._sent = QTimer(self, singleShot=True, interval=SENDING_MS)
        self._sent.timeout.connect(self._draw_orders)
        self.services.entry.sending_changed.connect(lambda on: self._sent.start() if on else self._sent.stop())
        for table in LAYER_TABLES:
            self.feed(table, lambda rows, removed, reset, name=table: self._on_layer(name))
        self.feed("quotes", lambda rows, _removed, _reset: self._on_instruments(rows))
        return pane

    def wish(self) -> Follow:
        bars = ((self.symbol, self.seconds),) if self.symbol else ()
        return Follow(tables=self.tables, quotes=True, bars=bars)

    def set_visible(self, visible: bool) -> None:
        super().set_visible(visible)
        if visible:
            self._load()
            self._ask_again()

    def on_symbol(self, symbol: str) -> None:
        self._show()

    def retranslate(self) -> None:
        self._tell(self._why_empty)
        self._pane.chart.set_volume_caption(say("Volume"))
        self._show_instrument()
        self._draw_all()

    async def close(self) -> None:
        self._again.stop()
        if self.pane is not None:
            self._studies.close()
        await self._tasks.close()

    @property
    def seconds(self) -> int:
        """Of a bar."""
        return self._memory.seconds

    def _where(self) -> tuple[str, int]:
        return self.symbol, self.seconds

    # --- among other charts

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.services.charts.make_current(self.dock)
        return super().eventFilter(watched, event)

    def _run(self, action: str) -> None:
        """A button of this chart means this chart."""
        self.services.charts.make_current(self.dock)
        self.services.commander.run(action, "button")

    def _on_time_pointed(self, dock: str, stamp: int | None) -> None:
        if dock != self.dock and self.visible:
            self._pane.chart.set_crosshair_time(stamp)

    # --- history

    def _on_interval(self, seconds: int) -> None:
        self._memory.set(seconds=seconds)

    def _on_memory(self, what: str) -> None:
        if what == "seconds":
            self._pane.show_interval(self.seconds)
            self._show()

    def _show(self) -> None:
        self._show_instrument()
        self._loaded, self._waits, self._empty = None, False, 0
        self._studies.clear()
        self._tools.show_symbol()
        self.renew_wish()
        self._load()
        self._draw_all()

    def _on_instruments(self, rows: tuple[QuoteRow, ...]) -> None:
        """Name and tick of a symbol may come after it was chosen."""
        if any(row.key == self.symbol for row in rows):
            self._show_instrument()

    def _show_instrument(self) -> None:
        from market_agent_gui.chart_pane import INTERVALS
        from widgets.candle_chart.layers import ChartInstrument

        row = self.services.bridge.mirror.rows("quotes").get(self.symbol)
        tick = row.tick if isinstance(row, QuoteRow) else 0.01
        label = INTERVALS.get(str(self.seconds), (0, f"{self.seconds} s"))[1]
        self._pane.show_symbol(self.symbol, row.name if isinstance(row, QuoteRow) else "")
        self._pane.chart.set_instrument(
            ChartInstrument(
                symbol=self.symbol,
                interval_label=say(label),
                interval_ns=self.seconds * 10**9,
                tick=exact(tick),
            )
        )

    def _load(self) -> None:
        if self.symbol and self.visible and self._loaded is None and self.services.bridge.link is LinkState.UP:
            self._tell(lambda: say("Loading {symbol}…", symbol=self.symbol))
            self._tasks.start(self._fetch(self.symbol, self.seconds, None), "load bars")

    async def _fetch(self, symbol: str, seconds: int, end_ns: int | None) -> None:
        command = GetBars(symbol=Symbol(symbol), seconds=seconds, count=HISTORY, end_ns=end_ns)
        try:
            receipt = await self.services.bridge.send(command)
        except (EngineUnavailable, OSError) as error:
            reason = str(error)
            if (symbol, seconds) == self._where():
                self._wait_for_bars(lambda: say("No history: {reason}", reason=told(reason)))
            return
        if (symbol, seconds) != self._where():
            return
        if receipt.code == "NO_BARS" and end_ns is None:
            self._wait_for_bars(lambda: self._no_history(symbol))
            self._empty += 1
            if self._empty >= SURE_AFTER:
                await self._show_days(symbol, seconds)
            return
        if not receipt.ok:
            self._tell(lambda: told(receipt.text) or say("{symbol} has no history yet", symbol=symbol))
            return
        self._take_history(receipt.data, older=end_ns is not None)

    async def _show_days(self, symbol: str, seconds: int) -> None:
        """A replay of daily bars has no shorter ones and never will: open on what there is."""
        state = self.services.bridge.mirror.state()
        if state is None or state.book != "replay" or seconds >= DAY_S:
            return
        try:
            receipt = await self.services.bridge.send(GetBars(symbol=Symbol(symbol), seconds=DAY_S, count=2))
        except (EngineUnavailable, OSError) as error:
            log.info("it is not known whether %s has daily bars: %s", symbol, error)
            return
        if receipt.ok and self._waits and self._loaded is None and (symbol, seconds) == self._where():
            self._memory.show_for_now(DAY_S)

    def _no_history(self, symbol: str) -> str:
        if symbol in self.services.bridge.mirror.rows("quotes"):
            return say("{symbol} has no history yet; bars will build here", symbol=symbol)
        return say("No source has told a price of {symbol} yet. Is it written as the source writes it?", symbol=symbol)

    def _tell(self, words: Callable[[], str]) -> None:
        """Say why there are no bars; in another language again."""
        self._why_empty = words
        self._pane.chart.set_empty_text(words())

    def _wait_for_bars(self, why: Callable[[], str]) -> None:
        self._tell(why)
        self._waits = True
        self._again.start()

    def _ask_again(self) -> None:
        if self._waits and self.symbol and self.visible and self.services.bridge.link is LinkState.UP:
            self._tasks.start(self._fetch(*self._where(), None), "load bars")

    def _take_history(self, data: dict[str, object], *, older: bool) -> None:
        self._columns.take(data, older=older)
        self._loaded, self._waits = self._where(), False
        if not self._columns.stamps.size:
            self._wait_for_bars(lambda: self._no_history(self.symbol))
        try:
            self._pane.chart.set_bars(*self._columns.values())
        except ValueError as error:
            reason = str(error)
            self._tell(lambda: say("The history cannot be shown: {reason}", reason=told(reason)))
            return
        self._draw_all()
        self._studies.load()
        self._tools.load_compared()

    def _on_history_wanted(self) -> None:
        if self._columns.stamps.size:
            end = int(self._columns.stamps[0])
            self._tasks.start(self._fetch(self.symbol, self.seconds, end), "load older bars")

    def _on_bar(self, bar: BarUpdate) -> None:
        from market_agent_gui.chart_layers import finite_bar

        if not finite_bar(bar.open, bar.high, bar.low, bar.close):
            return
        if self._waits and self._loaded is None and (bar.symbol, bar.seconds) == self._where():
            self._columns.clear()
            self._loaded = self._where()
        stamps = self._columns.stamps
        if (bar.symbol, bar.seconds) != self._loaded or (stamps.size and bar.ts_open < stamps[-1]):
            return  # history that was loaded meanwhile knows more
        try:
            appended = self._columns.put(bar)
            self._pane.chart.update_bar(bar.ts_open, bar.open, bar.high, bar.low, bar.close, bar.volume)
        except ValueError as error:
            # A gap of the connection: what came meanwhile is fetched again.
            log.info("the chart of %s is loaded again: %s", bar.symbol, error)
            self._loaded = None
            self._load()
            return
        self._studies.on_bar(bar, appended)
        if appended:
            self._tools.load_compared()

    def _on_link(self, state: str, _text: str) -> None:
        if state == LinkState.UP.value:
            self._loaded = None
            self.renew_wish()
            self._load()

    # --- layers

    def _on_layer(self, table: str) -> None:
        if table == "state":
            self._draw_state()
        elif table == "fills":
            self._draw_fills()
        elif table == "suggestions":
            self._draw_agent()
        else:
            self._draw_orders()

    def _draw_all(self) -> None:
        self._session = (0, 0)
        self._draw_state()
        self._draw_orders()
        self._draw_fills()
        self._draw_agent()

    def _draw_orders(self) -> None:
        from market_agent_gui.chart_layers import alert_lines, average_line, order_lines, staged_lines

        mirror, staged = self.services.bridge.mirror, self.services.entry.staged
        position = mirror.position(self.symbol)
        alerts = self.services.alerts
        lines = alert_lines(alerts.of(self.symbol), alerts.rung(self.symbol))
        row = mirror.rows("quotes").get(self.symbol)
        multiplier = exact(row.multiplier) if isinstance(row, QuoteRow) else Decimal(1)
        lines += order_lines(mirror.working(self.symbol), position, multiplier)
        if staged is not None and staged.symbol == self.symbol:
            lines += staged_lines(
                staged,
                key_text(self.services.keys.keys.key("send")),
                sending=self.services.entry.sending(staged),
                waiting=self.services.confirming.order_waits,
            )
        self._pane.chart.set_orders(tuple(lines))
        self._pane.chart.set_average(average_line(position))

    def _draw_fills(self) -> None:
        from market_agent_gui.chart_layers import fill_marks

        rows = self.services.bridge.mirror.rows("fills").values()
        own = [row for row in rows if row.symbol == self.symbol]
        self._pane.chart.set_fills(fill_marks(own, min(self.seconds, DAY_S)))

    def _draw_agent(self) -> None:
        from market_agent_gui.chart_layers import agent_zones, evidence_pins

        rows: list[SuggestionRow] = [
            row for row in self.services.bridge.mirror.rows("suggestions").values() if row.symbol == self.symbol
        ]
        self._pane.chart.set_zones(agent_zones(rows))
        self._pane.chart.set_pins(evidence_pins(rows))

    def _draw_state(self) -> None:
        from market_agent_gui.chart_layers import sessions

        state = self.services.bridge.mirror.state()
        if state is None:
            return
        session = (state.session_open_ns, state.session_close_ns)
        if session != self._session:
            self._session = session
            self._pane.chart.set_sessions(sessions(state) if self.seconds < 86_400 else ())
            watermark = state.book.upper() if state.book != "live" else ""
            self._pane.chart.set_watermark(watermark, state.book if watermark else "paper")

    # --- acts

    def _on_dragged(self, ref: str, leg: str, price: Decimal) -> None:
        entry = self.services.entry
        if ref == "staged":
            self.attempt(lambda: entry.move_leg(leg, price))
            return
        if leg == "alert":
            self.attempt(lambda: self.services.alerts.move(self.symbol, ref.removeprefix(PREFIX), price))
            self._draw_orders()  # where it stands now, or where it stood
            return
        row = self.services.bridge.mirror.rows("orders").get(ref)
        if row is None:
            return
        where = "limit_price" if row.limit_price is not None and row.order_type != "STP" else "stop_price"
        asks = self.services.confirming
        asks.run(
            lambda: asks.subjects.change(ref, Act.CHART, **{where: price}),
            lambda: entry.modify(ref, **{where: price}),
            self._draw_orders,
        )

    def _on_clicked(self, price: Decimal, modifiers: Qt.KeyboardModifier) -> None:
        sides = {Qt.KeyboardModifier.ControlModifier: Side.BUY, Qt.KeyboardModifier.ShiftModifier: Side.SELL}
        if modifiers == Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier:
            self.attempt(lambda: self.services.alerts.add(self.symbol, price))
            return
        side = sides.get(modifiers)
        if side is None or not self.symbol:
            return
        self.services.links.choose("ticket", self.symbol)  # the order is for what was clicked on
        self.attempt(lambda: self.services.entry.stage_at(side, price))

    def _now(self) -> int:
        state = self.services.bridge.mirror.state()
        return state.now_ns if state is not None else 0

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self._tell(lambda: say("No history: {reason}", reason=error))
