"""The scanner: rules on top, what they found below."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from market_agent_gui.chart_pane import INTERVALS
from market_agent_gui.translate import say
from widgets.scan_table import ScanRow, ScanTable
from widgets.theme import current_theme
from widgets.words import keep_said, once_more

NARROW_PX = 620
"""Below it the rules have a line of their own."""
EXAMPLES = (
    ("Above its averages", ("close > ema(20)", "ema(20) > ema(50)")),
    ("Oversold", ("rsi(14) < 30",)),
    ("Crossed above the VWAP", ("crosses_above(close, vwap().middle)",)),
    ("New high of 50 bars", ("close >= highest(close, 50)",)),
    ("Twice the usual volume", ("volume > 2 * mean(volume, 20)",)),
)


class ScanPane(QWidget):
    asked = Signal()
    """Rules, columns or interval were changed and taken."""
    live_toggled = Signal(bool)
    symbol_chosen = Signal(str)
    opened = Signal(str)
    add_wanted = Signal(tuple)
    table_made = Signal(object)
    """Other columns made another table."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("ownsKeys", True)
        self.rules = QLineEdit()
        self.columns = QLineEdit()
        self.interval = QComboBox()
        for seconds, label in INTERVALS.values():
            self.interval.addItem(label, seconds)
        self.interval.setCurrentIndex(1)
        self.live = QCheckBox()
        self.examples = QToolButton()
        self.examples.setProperty("role", "flat")
        self.examples.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.examples.setStyleSheet("QToolButton::menu-indicator { image: none; width: 0; }")
        self.scan = QToolButton()
        for title, rules in EXAMPLES:
            action = QAction(self.examples)
            keep_said(action, lambda action=action, title=title: action.setText(say(title)))
            action.triggered.connect(lambda _=False, rules=rules: self._use("; ".join(rules)))
            self.examples.addAction(action)
        self.told = QLabel()
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setProperty("role", "secondary")
        theme = current_theme()
        self._row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setContentsMargins(theme.px(8), theme.px(3), theme.px(8), theme.px(3))
        row.setSpacing(theme.px(6))
        row.addWidget(self.rules, 3)
        rest = QHBoxLayout()
        rest.addWidget(self.columns, 1)
        for part in (self.interval, self.live, self.examples, self.scan):
            rest.addWidget(part)
        row.addLayout(rest, 4)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.px(12), 0, theme.px(12), theme.px(3))
        foot.addWidget(self.told, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(row)
        self._column.addLayout(foot)
        self.table: ScanTable
        self._expressions: tuple[str, ...] | None = None
        self.show_rows((), (), scanned=False)
        self.setFocusProxy(self.rules)
        for field in (self.rules, self.columns):
            field.returnPressed.connect(self.asked)
        self.scan.clicked.connect(self.asked)
        self.interval.activated.connect(lambda _: self.asked.emit())
        self.live.toggled.connect(self.live_toggled)
        keep_said(self, self._say)

    def _say(self) -> None:
        self.rules.setPlaceholderText(say("Rules, all of which hold; separated by ;"))
        self.rules.setAccessibleName(say("Rules"))
        self.columns.setPlaceholderText(say("Columns, such as rsi(14); atr(14)"))
        self.columns.setAccessibleName(say("Columns"))
        self.interval.setAccessibleName(say("Bars"))
        for place, (_, label) in enumerate(INTERVALS.values()):
            self.interval.setItemText(place, say(label))
        self.live.setText(say("live"))
        self.live.setToolTip(say("Scan again at every bar"))
        self.examples.setText(f"{say('Examples')} ▾")
        for action, (title, _) in zip(self.examples.actions(), EXAMPLES, strict=True):
            action.setText(say(title))
        self.scan.setText(say("Scan"))
        self.told.setText(once_more(self.told.text()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < current_theme().px(NARROW_PX)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() is not way:
            self._row.setDirection(way)

    def wanted_rules(self) -> tuple[str, ...]:
        """Return the rules as written."""
        return _parts(self.rules.text())

    def wanted_columns(self) -> tuple[str, ...]:
        return _parts(self.columns.text())

    @property
    def seconds(self) -> int:
        return int(self.interval.currentData())

    def _use(self, text: str) -> None:
        self.rules.setText(text)
        self.asked.emit()

    def show_rows(self, rows: Sequence[ScanRow], expressions: tuple[str, ...], *, scanned: bool = True) -> None:
        """Show what was found, or that nothing was looked for; other columns make another table."""
        if expressions != self._expressions:
            if self._expressions is not None:
                self._column.removeWidget(self.table)
                self.table.deleteLater()
            self._expressions = expressions
            self.table = ScanTable(expressions)
            self.table.chosen.connect(self.symbol_chosen)
            self.table.opened.connect(self.opened)
            self.table.add_wanted.connect(self.add_wanted)
            self.table.set_actions((), self._actions)
            self._column.addWidget(self.table, 1)
            self.table_made.emit(self.table)
        here = {row.key for row in rows}
        gone = [row.key for row in self.table.rows.all_rows() if row.key not in here]
        self.table.apply(rows, gone)
        self.table.set_scanned(scanned)

    def _actions(self, key: str) -> list[QAction]:
        add, chart = QAction(say("Add to the watchlist") + "\tIns"), QAction(say("Open the chart") + "\tEnter")
        add.triggered.connect(lambda: self.add_wanted.emit(tuple(self.table.selected_keys()) or (key,)))
        chart.triggered.connect(lambda: self.opened.emit(key))
        return [chart, add]

    def say(self, text: str, *, bad: bool = False) -> None:
        """Say what a scan came to, or why it could not be read."""
        self.told.setText(text)
        self.told.setProperty("tone", "danger" if bad else "")
        self.told.style().polish(self.told)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
