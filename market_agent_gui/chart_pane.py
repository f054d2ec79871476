"""The chart with its head: interval, style, scale, indicators, comparison, drawings. Every button is an action."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from market_agent_gui.actions import BY_ID, key_text
from market_agent_gui.chart_memory import ChartState
from market_agent_gui.translate import say
from widgets.candle_chart.chart import CandleChart
from widgets.pane_head import PaneHead
from widgets.theme import current_theme

INTERVALS: dict[str, tuple[int, str]] = {
    "60": (60, "1 min"),
    "300": (300, "5 min"),
    "900": (900, "15 min"),
    "3600": (3_600, "1 h"),
    "86400": (86_400, "1 day"),
    "604800": (604_800, "1 week"),
}
"""Tab id to (seconds, label): the engine folds what it does not keep."""

SHORT = {"60": "1m", "300": "5m", "900": "15m", "3600": "1h", "86400": "1D", "604800": "1W"}
"""Tab id to its title: six of them, the symbol and the buttons share one line."""
NARROW_PX = 800
"""Below it the lesser buttons become one."""
TIGHT_PX = 560
"""Below it that one takes the indicators in as well: the symbol is never cut."""

_STYLE = ("style_candles", "style_bars", "style_line", "style_heikin_ashi")
_AXIS = ("axis_linear", "axis_log", "axis_percent")
_INTERVALS = ("interval_1m", "interval_5m", "interval_15m", "interval_1h", "interval_1d", "interval_1w")
_DRAW = ("draw_trend", "draw_horizontal", "draw_ray", "draw_rectangle", "draw_fibonacci", "draw_text", "draw_nothing")
STYLE_WORDS = {"candles": "Candles", "bars": "Bars", "line": "Line", "heikin-ashi": "Heikin-Ashi"}
AXIS_WORDS = {"linear": "Linear", "log": "Log", "percent": "Percent"}


class _Bar(QWidget):
    """The line of words and buttons: of one ground with the head it may stand in."""

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        painter.end()


class ChartPane(QWidget):
    interval_chosen = Signal(int)
    """Seconds."""

    def __init__(self, seconds: int, run: Callable[[str], object], key: Callable[[str], str]) -> None:
        """``run`` carries out an action, ``key`` names its key."""
        super().__init__()
        self._run, self._key = run, key
        self._symbol, self._name = "", ""
        self._state = ChartState()
        self.setProperty("chartKeys", True)
        self.head = PaneHead(list(SHORT.items()))
        self.head.set_current(str(seconds))
        self.head.tab_changed.connect(lambda name: self.interval_chosen.emit(INTERVALS[name][0]))
        self.chart = CandleChart()
        self.chart.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.style = self._button(_STYLE)
        self.axis = self._button(_AXIS)
        self.indicators = self._button(("indicators",))
        self.compare = self._button(("compare",))
        self.draw = self._button(_DRAW)
        self.more = self._button(("indicators", *_STYLE, *_AXIS, "compare", "volume_profile", *_DRAW))
        self.more.setText("⋯")
        self.more.hide()
        self.bar = _Bar()
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.head, 1)
        for button in (self.style, self.axis, self.indicators, self.compare, self.draw, self.more):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.chart, 1)
        self.setFocusProxy(self.chart)
        self._say()

    def _button(self, actions: Sequence[str]) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "flat")
        button.setFixedHeight(current_theme().px(24))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty("actions", list(actions))
        if len(actions) == 1:
            button.clicked.connect(lambda: self._run(actions[0]))
            return button
        menu = QMenu(button)
        menu.aboutToShow.connect(lambda: self._fill(menu, actions))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; width: 0; }")
        return button

    def _fill(self, menu: QMenu, actions: Sequence[str]) -> None:
        menu.clear()
        for name in actions:
            key = key_text(self._key(name))
            action = menu.addAction(say(BY_ID[name].title) + (f"\t{key}" if key else ""))
            action.triggered.connect(lambda _=False, name=name: self._run(name))

    def groups(self) -> tuple[tuple[str, Sequence[str]], ...]:
        """Return what can be done with the chart, as the buttons have it: words and actions."""
        return (
            (say("Draw"), _DRAW),
            (say("Indicators"), ("indicators",)),
            (say("Compare"), ("compare",)),
            ("", ("volume_profile",)),
            (say("Interval"), _INTERVALS),
            (say("Bar style"), _STYLE),
            (say("Price scale"), _AXIS),
        )

    def show_symbol(self, symbol: str, name: str) -> None:
        self._symbol, self._name = symbol, name
        self.head.set_lead(symbol)
        self.head.set_words([(name, "t3", 400)] if symbol and name else [])

    def show_interval(self, seconds: int) -> None:
        """Mark an interval without saying that it was chosen."""
        blocked = self.head.blockSignals(True)
        self.head.set_current(str(seconds))
        self.head.blockSignals(blocked)

    def show_choices(self, state: ChartState) -> None:
        """Name what is chosen on the buttons."""
        self._state = state
        self._say()

    def _say(self) -> None:
        self.head.set_tabs([(name, say(short)) for name, short in SHORT.items()])
        self.style.setText(f"{say(STYLE_WORDS.get(self._state.style, 'Candles'))} ▾")
        self.axis.setText(f"{say(AXIS_WORDS.get(self._state.axis, 'Linear'), 'price scale')} ▾")
        self.indicators.setText(f"{say('Indicators')}…")
        self.compare.setText(" ".join(("≈", *self._state.compare)) if self._state.compare else say("Compare"))
        self.draw.setText(f"{say('Draw')} ▾")
        self.more.setAccessibleName(say("More of the chart"))
        for button, name in (
            (self.style, "next_style"),
            (self.axis, "next_axis"),
            (self.indicators, "indicators"),
            (self.compare, "compare"),
            (self.draw, "draw_trend"),
        ):
            key = key_text(self._key(name))
            button.setToolTip(f"{say(BY_ID[name].title)}  {key}".rstrip())
            button.setAccessibleName(f"{button.text()} {key}".strip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_buttons()

    def _fit_buttons(self) -> None:
        narrow = self.width() < current_theme().px(NARROW_PX)
        for button in (self.style, self.axis, self.compare, self.draw):
            button.setVisible(not narrow)
        self.indicators.setVisible(self.width() >= current_theme().px(TIGHT_PX))
        self.more.setVisible(narrow)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and hasattr(self, "bar"):
            self._say()
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "bar"):
            for button in (self.style, self.axis, self.indicators, self.compare, self.draw, self.more):
                button.setFixedHeight(current_theme().px(24))
            self._fit_buttons()
