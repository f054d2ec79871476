"""The strategies: a list, the text of one, what is wrong with it, and what it would have said so far."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QTabBar, QToolButton, QVBoxLayout, QWidget

from market_agent_gui.translate import say
from widgets.code_editor import CodeEditor
from widgets.strategy_tables import RuleRow, RuleTable, SignalRow, SignalTable, StrategyRow, StrategyTable
from widgets.theme import current_theme
from widgets.words import keep_said, once_more

Fault = tuple[int, str]
"""(line from 1, or 0; what is wrong)."""


class StrategiesPane(QWidget):
    """Says what a person does; decides nothing."""

    chosen = Signal(str)
    edited = Signal()
    """The text is another one now."""
    new_wanted = Signal()
    try_wanted = Signal()
    save_wanted = Signal()
    drop_wanted = Signal()
    """Throw the unsaved changes away."""
    reset_wanted = Signal()
    """Put the own text aside for the one that came."""
    switch_wanted = Signal(bool)
    symbol_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("ownsKeys", True)
        self.setProperty("keepsKeys", ["Ctrl+S"])  # here it saves, wherever the focus is; it never stages a sale
        theme = current_theme()
        self._on = True
        self.table = StrategyTable()
        self.editor = CodeEditor()
        self.place = _line("secondary", _Line)
        self.checked = _line("secondary")
        self.checked.setWordWrap(True)
        self.tried = _line("secondary")
        self.tried.setWordWrap(True)
        self.signals, self.rules = SignalTable(), RuleTable()
        self.new, self.switch, self.trial = QToolButton(), QToolButton(), QToolButton()
        self.drop, self.reset, self.save = QToolButton(), QToolButton(), QToolButton()
        self.save.setProperty("role", "primary")
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab("")
        self.tabs.addTab("")

        bar = QHBoxLayout()
        bar.setContentsMargins(theme.px(8), theme.px(3), theme.px(8), theme.px(3))
        bar.setSpacing(theme.px(6))
        bar.addWidget(self.place, 1)
        for button in (self.new, self.switch, self.trial, self.drop, self.reset, self.save):
            bar.addWidget(button)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.px(12), theme.px(3), theme.px(12), theme.px(3))
        foot.addWidget(self.checked, 1)
        text = _column(bar, self.editor, foot)

        results = QHBoxLayout()
        results.setContentsMargins(theme.px(4), 0, theme.px(12), 0)
        results.addWidget(self.tabs)
        results.addWidget(self.tried, 1)
        self.results = _column(results, self.signals, None)
        self.results.layout().addWidget(self.rules)
        self.rules.hide()

        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        for part, share in ((self.table, 100), (text, 340), (self.results, 160)):
            part.setMinimumHeight(theme.px(48))
            split.addWidget(part)
            split.setStretchFactor(split.count() - 1, share)
        split.setSizes([100, 340, 160])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(split)
        self.setFocusProxy(self.table)

        self.table.chosen.connect(self.chosen)
        self.editor.textChanged.connect(self.edited)
        self.editor.save_wanted.connect(self._on_save_key)
        self.new.clicked.connect(self.new_wanted)
        self.trial.clicked.connect(self.try_wanted)
        self.drop.clicked.connect(self.drop_wanted)
        self.reset.clicked.connect(self.reset_wanted)
        self.save.clicked.connect(self.save_wanted)
        self.switch.clicked.connect(lambda: self.switch_wanted.emit(not self._on))
        self.signals.chosen.connect(self.symbol_chosen)
        self.tabs.currentChanged.connect(self._on_tab)
        self.results.hide()
        keep_said(self, self._say)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if control and event.key() == Qt.Key.Key_S and not event.isAutoRepeat():
            self._on_save_key()
        else:
            super().keyPressEvent(event)

    def _on_save_key(self) -> None:
        if self.save.isEnabled():
            self.save_wanted.emit()

    def _say(self) -> None:
        self.editor.setAccessibleName(say("Text of the strategy"))
        self.new.setText(say("New"))
        self.new.setToolTip(say("Begin another strategy with the text in the editor"))
        self.trial.setText(say("Try"))
        self.trial.setToolTip(say("Count the signals of this text on the bars the engine holds; nothing is sent"))
        self.drop.setText(say("Drop changes"))
        self.drop.setToolTip(say("Show the text in use again"))
        self.reset.setText(say("Reset…"))
        self.reset.setToolTip(say("Put your text aside; the one that came with the program is used"))
        self.save.setText(say("Save"))
        self.save.setToolTip(say("Keep this text and judge the next bar by it") + "  Ctrl+S")
        self.tabs.setTabText(0, say("By symbol"))
        self.tabs.setTabText(1, say("By rule"))
        self.tabs.setAccessibleName(say("What the try found"))
        for line in (self.place, self.tried):
            line.setText(once_more(line.text()))
        self._say_switch()

    def _say_switch(self) -> None:
        self.switch.setText(say("Switch off") if self._on else say("Switch on"))

    # --- shown

    def show_rows(self, rows: Sequence[StrategyRow]) -> None:
        """Show which strategies there are."""
        here = {row.key for row in rows}
        gone = [row.key for row in self.table.rows.all_rows() if row.key not in here]
        self.table.apply(tuple(rows), gone)

    def choose(self, key: str) -> None:
        """Select a strategy in the list."""
        if self.table.position_of(key) is not None and self.table.selected_keys() != [key]:
            self.table.selectRow(self.table.position_of(key))

    def show_text(self, text: str, place: str) -> None:
        """Put a text into the editor; the cursor stays on its line where there still is one."""
        self.place.setText(Path(place).name or say("not saved yet"))
        self.place.setToolTip(place)
        if text != self.editor.toPlainText():
            line = self.editor.textCursor().blockNumber() + 1
            self.editor.replace_text(text)
            self.editor.go_to(line)

    def show_state(self, *, on: bool, saved: bool, dirty: bool, own: bool, original: bool, usable: bool) -> None:
        """Offer what can be done: ``saved`` it is in use by name, ``original`` an own text stands in front of one."""
        self._on = on
        self._say_switch()
        self.switch.setEnabled(saved and usable and not dirty)
        self.save.setEnabled(dirty)
        self.drop.setEnabled(dirty)
        self.reset.setEnabled(own)
        self.reset.setText(say("Reset…") if original or not own else say("Remove…"))

    def show_faults(self, faults: Sequence[Fault], word: str = "") -> None:
        """Mark what is wrong at its lines and say the first; ``word`` when nothing is."""
        lines: dict[int, str] = {}
        for line, text in faults:
            lines[line or 1] = f"{lines[line or 1]}\n{text}" if (line or 1) in lines else text
        self.editor.set_faults(lines)
        if faults:
            line, text = faults[0]
            first = say("Line {line}: {text}", line=line, text=text) if line else text
            more = " · " + say("and {count} more", count=len(faults) - 1) if len(faults) > 1 else ""
            self._tell(self.checked, first + more, "danger")
        else:
            self._tell(self.checked, word, "")

    def show_trial(self, signals: Sequence[SignalRow], rules: Sequence[RuleRow], told: str) -> None:
        """Show what a try found."""
        self.signals.apply(tuple(signals), (), True)
        self.rules.apply(tuple(rules), (), True)
        self.say_trial(told)

    def say_trial(self, text: str, *, bad: bool = False) -> None:
        """Say how the try goes, or why there is none."""
        self.results.setVisible(bool(text))
        self._tell(self.tried, text, "danger" if bad else "")

    def _tell(self, label: QLabel, text: str, tone: str) -> None:
        label.setText(text)
        label.setProperty("tone", tone)
        label.style().polish(label)

    def _on_tab(self, at: int) -> None:
        self.signals.setVisible(at == 0)
        self.rules.setVisible(at == 1)


class _Line(QLabel):
    """One line of words that ends in dots where there is no room for all of it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), shown)
        painter.end()


def _line(role: str, kind: type[QLabel] = QLabel) -> QLabel:
    label = kind()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    label.setMinimumWidth(40)
    return label


def _column(head: QHBoxLayout | None, middle: QWidget, foot: QHBoxLayout | None) -> QWidget:
    body = QWidget()
    column = QVBoxLayout(body)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    if head is not None:
        column.addLayout(head)
    column.addWidget(middle, 1)
    if foot is not None:
        column.addLayout(foot)
    return body
