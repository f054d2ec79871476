"""The chart with its head: symbol, interval, and what can be done with a click."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from market_agent_gui.translate import say
from widgets.candle_chart.chart import CandleChart
from widgets.pane_head import PaneHead

INTERVALS: dict[str, tuple[int, str]] = {"60": (60, "1 min"), "300": (300, "5 min"), "86400": (86_400, "1 day")}
"""Tab id to (seconds, label): the bars the engine keeps."""


class ChartPane(QWidget):
    interval_chosen = Signal(int)
    """Seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.head = PaneHead([(name, say(label)) for name, (_, label) in INTERVALS.items()])
        self.head.set_current(str(seconds))
        self.head.tab_changed.connect(lambda name: self.interval_chosen.emit(INTERVALS[name][0]))
        self.chart = CandleChart()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.chart, 1)
        self.setFocusProxy(self.chart)

    def show_symbol(self, symbol: str, name: str) -> None:
        self.head.set_words([(symbol, "t1", 600), (name, "t3", 400)] if symbol else [])
        self.head.set_notes([(say("Ctrl+click stages a buy, Shift+click a sell"), "")])
