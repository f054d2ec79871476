"""The picker of indicators: search, parameters with their bounds, what is on the chart."""

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from market_agent_gui.chart_memory import Study
from market_agent_gui.study_lines import study_name
from market_agent_gui.translate import say
from widgets.theme import current_theme

MOST = 12
LEAST_LIST_PX = 120
MOST_PANES = 4


class IndicatorDialog(QDialog):
    """Choices take effect at once; Esc closes."""

    chosen = Signal(object)
    """Every indicator on the chart now, as a tuple of Study."""
    bars_wanted = Signal()
    """Heikin-Ashi is a way to draw bars."""
    everywhere_wanted = Signal()

    def __init__(self, table: Sequence[dict[str, Any]], studies: tuple[Study, ...], symbol: str) -> None:
        """``table`` as GetIndicators tells it."""
        super().__init__()
        self.setWindowTitle(say("Indicators of {symbol}", symbol=symbol))
        self.setModal(True)
        self.resize(720, 460)
        self._table = {str(row["id"]): row for row in table}
        self._studies = list(studies)
        self._fields: dict[str, QLineEdit | QComboBox] = {}
        self._shown: dict[str, QCheckBox] = {}
        self.search = QLineEdit()
        self.search.setPlaceholderText(say("Search: name or letters"))
        self.search.setAccessibleName(say("Search"))
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.add)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName(say("Indicators"))
        for row in table:
            place = say("over the bars") if row["kind"] == "overlay" else say("below the bars")
            item = QListWidgetItem(f"{say(str(row['title']))} · {place}")
            item.setData(Qt.ItemDataRole.UserRole, str(row["id"]))
            self.list.addItem(item)
        self.list.currentItemChanged.connect(lambda *_: self._show_form())
        self.list.itemActivated.connect(lambda _: self.add())
        self.on_chart = QListWidget()
        self.on_chart.setAccessibleName(say("On the chart"))
        self.on_chart.setMinimumHeight(current_theme().px(LEAST_LIST_PX))
        self.on_chart.installEventFilter(self)
        self.problem = QLabel()
        self.problem.setProperty("tone", "danger")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self._form_place = QVBoxLayout()
        self._form: QWidget | None = None
        self.add_button = QPushButton(say("Add"))
        self.add_button.setAutoDefault(False)
        self.add_button.clicked.connect(self.add)
        remove = QPushButton(say("Remove"))
        remove.setAutoDefault(False)
        remove.clicked.connect(self.remove)
        everywhere = QPushButton(say("Use for every symbol"))
        everywhere.setAutoDefault(False)
        everywhere.clicked.connect(self.everywhere_wanted)
        close = QPushButton(say("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.accept)
        heading = QLabel(self.windowTitle())
        heading.setProperty("role", "headline")
        heading.setTextFormat(Qt.TextFormat.PlainText)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(heading)
        left.addWidget(self.search)
        left.addWidget(self.list, 1)
        right.addLayout(self._form_place)
        right.addWidget(self.problem)
        right.addWidget(self.add_button)
        right.addWidget(QLabel(say("On the chart")))
        right.addWidget(self.on_chart, 1)
        foot = QHBoxLayout()
        for button in (remove, everywhere, close):
            foot.addWidget(button)
        right.addLayout(foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 12)
        row.setSpacing(16)
        row.addLayout(left, 5)
        row.addLayout(right, 4)
        self.list.setCurrentRow(0)
        self._show_chart()
        self.search.setFocus()

    # --- choosing

    @property
    def id(self) -> str:
        """The indicator in hand."""
        item = self.list.currentItem()
        return "" if item is None or item.isHidden() else str(item.data(Qt.ItemDataRole.UserRole))

    def _filter(self, text: str) -> None:
        wanted = text.lower().split()
        first = None
        for at in range(self.list.count()):
            item = self.list.item(at)
            id = str(item.data(Qt.ItemDataRole.UserRole))
            hay = f"{item.text()} {self._table[id]['title']} {id}".lower()
            item.setHidden(not all(word in hay for word in wanted))
            if first is None and not item.isHidden():
                first = item
            if id == text.lower().strip():
                first = item
        self.list.setCurrentItem(first)

    def _show_form(self) -> None:
        if self._form is not None:
            self._form.setParent(None)
            self._form.deleteLater()
        self._form = QWidget()
        form = QFormLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        self._fields, self._shown = {}, {}
        row = self._table.get(self.id)
        for param in row["params"] if row else ():
            self._add_field(form, param)
        outputs = [output["name"] for output in row["outputs"]] if row else []
        if len(outputs) > 1 and self.id != "heikin_ashi":
            for name in outputs:
                box = QCheckBox(_words(name))
                box.setChecked(True)
                self._shown[name] = box
                form.addRow("", box)
        self._form_place.addWidget(self._form)
        self.add_button.setEnabled(row is not None)
        self.problem.clear()

    def _add_field(self, form: QFormLayout, param: dict[str, Any]) -> None:
        name = str(param["name"])
        field: QLineEdit | QComboBox
        if param["choices"]:
            field = QComboBox()
            for choice in param["choices"]:
                field.addItem(_words(str(choice)), str(choice))
            field.setCurrentIndex(field.findData(str(param["default"])))
        else:
            field = QLineEdit(f"{param['default']:g}")
            field.setPlaceholderText(f"{param['minimum']:g} … {param['maximum']:g}")
            field.setToolTip(field.placeholderText())
            field.returnPressed.connect(self.add)
        field.setAccessibleName(_words(name))
        self._fields[name] = field
        form.addRow(_words(name), field)

    def study(self) -> Study | None:
        """Return the indicator as it is filled in; None, with the reason shown, while a field is wrong."""
        row = self._table.get(self.id)
        if row is None:
            return None
        params: dict[str, int | float | str] = {}
        for param in row["params"]:
            name, field = str(param["name"]), self._fields[str(param["name"])]
            if isinstance(field, QComboBox):
                params[name] = str(field.currentData())
                continue
            value = _number(field.text(), whole=param["type"] == "int")
            low, high = param["minimum"], param["maximum"]
            if value is None or not low <= value <= high:
                whole = say("a whole number") if param["type"] == "int" else say("a number")
                self.problem.setText(
                    say(
                        "{name} must be {kind} from {low} to {high}",
                        name=_words(name),
                        kind=whole,
                        low=f"{low:g}",
                        high=f"{high:g}",
                    )
                )
                field.setFocus()
                return None
            params[name] = value
        outputs = tuple(name for name, box in self._shown.items() if box.isChecked())
        if self._shown and not outputs:
            self.problem.setText(say("Choose at least one line"))
            return None
        return Study(id=self.id, params=params, outputs=outputs if len(outputs) < len(self._shown) else ())

    def add(self) -> None:
        """Put the indicator in hand on the chart."""
        if self.id == "heikin_ashi":
            self.bars_wanted.emit()
            return
        study = self.study()
        if study is None:
            return
        panes = sum(self._table[other.id]["kind"] == "pane" for other in self._studies if other.id in self._table)
        if study in self._studies:
            self.problem.setText(say("It is on the chart already"))
        elif len(self._studies) >= MOST:
            self.problem.setText(say("At most {n} indicators at once", n=MOST))
        elif self._table[study.id]["kind"] == "pane" and panes >= MOST_PANES:
            self.problem.setText(say("At most {n} panes below the bars", n=MOST_PANES))
        else:
            self.problem.clear()
            self._studies.append(study)
            self._show_chart()
            self.chosen.emit(tuple(self._studies))

    def remove(self) -> None:
        """Take the chosen indicator off the chart."""
        at = self.on_chart.currentRow()
        if 0 <= at < len(self._studies):
            del self._studies[at]
            self._show_chart()
            self.on_chart.setCurrentRow(min(at, len(self._studies) - 1))
            self.chosen.emit(tuple(self._studies))

    def _show_chart(self) -> None:
        self.on_chart.clear()
        for study in self._studies:
            lines = f" · {', '.join(study.outputs)}" if study.outputs else ""
            self.on_chart.addItem(study_name(study, study.params) + lines)

    # --- Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if watched is self.search and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._step(-1 if key == Qt.Key.Key_Up else 1)
                return True
            if watched is self.on_chart and key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self.remove()
                return True
        return super().eventFilter(watched, event)

    def _step(self, way: int) -> None:
        at = self.list.currentRow() + way
        while 0 <= at < self.list.count() and self.list.item(at).isHidden():
            at += way
        if 0 <= at < self.list.count():
            self.list.setCurrentRow(at)


def _words(name: str) -> str:
    """Name a parameter, a choice or a line of an indicator; letters such as K and R1 are the same everywhere."""
    return say(name.replace("_", " "), "indicator")


def _number(text: str, *, whole: bool) -> int | float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    if not math.isfinite(value) or (whole and value != int(value)):
        return None
    return int(value) if whole else value
