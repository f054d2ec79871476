"""What is confirmed before it is sent, as a person chooses it; and the question itself."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.keys.confirming import BOOKS, Act, Choice, Policy, When, read_money
from market_agent_gui.translate import say
from widgets.theme import current_theme

TITLES: Mapping[Act, str] = {
    Act.KEY: "Order by key",
    Act.TICKET: "Order from the ticket",
    Act.CHART: "Order from chart or ladder",
    Act.REVERSE: "Reverse",
    Act.FLATTEN: "Exit, flatten symbol",
    Act.FLATTEN_ALL: "Flatten all",
    Act.CANCEL_ALL: "Cancel all",
}
BOOK_TITLES = {"paper": "Paper and replay", "live": "Live"}
WHEN_TITLES = {When.NEVER: "never", When.ABOVE: "above", When.ALWAYS: "always"}


class ConfirmDialog(PlainDialog):
    """Reads one order aloud. Enter and Esc mean no."""

    def __init__(self, words: str, worth: str, whose: str) -> None:
        """``words`` the order, ``worth`` its money, ``whose`` book and account."""
        order = words[:1].upper() + words[1:]
        super().__init__(say("Send this?"), order, accept=say("Send"), reject=say("Do not send"))
        self.text.setProperty("role", "headline")
        about = QLabel(f"{worth}\n{whose}")
        about.setTextFormat(Qt.TextFormat.PlainText)
        about.setWordWrap(True)
        self.add_widget(about)
        self.no.setFocus()


class _Cell(QWidget):
    """When, and above what amount."""

    def __init__(self, choice: Choice, name: str) -> None:
        super().__init__()
        self.when = QComboBox()
        for when, title in WHEN_TITLES.items():
            self.when.addItem(say(title), when)
        self.when.setAccessibleName(name)
        self.amount = QLineEdit(f"{choice.amount.normalize():f}")
        self.amount.setAccessibleName(say("{what}: amount", what=name))
        self.amount.setFixedWidth(current_theme().px(110))
        self.amount.setAlignment(Qt.AlignmentFlag.AlignRight)
        policy = self.amount.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.amount.setSizePolicy(policy)
        line = QGridLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.when, 0, 0)
        line.addWidget(self.amount, 0, 1)
        self.when.currentIndexChanged.connect(self._show)
        self.when.setCurrentIndex(list(WHEN_TITLES).index(choice.when))
        self._show()

    def _show(self) -> None:
        self.amount.setVisible(When(self.when.currentData()) is When.ABOVE)

    def choice(self) -> Choice:
        """Return what is chosen. Raises ``ValueError`` for an amount that is none."""
        when = When(self.when.currentData())
        return Choice(when, read_money(self.amount.text())) if when is When.ABOVE else Choice(when)


class ConfirmationsDialog(PlainDialog):
    chosen = Signal(object)
    """A :class:`Policy`."""

    def __init__(self, policy: Policy, currency: str) -> None:
        super().__init__(
            say("What is confirmed"),
            say(
                "A key is confirmed by a second press, a button by a question. Amounts are in {currency}; "
                "where nobody knows what it is worth in that, “above” asks. STOP never asks.",
                currency=currency,
            ),
            accept=say("Use these"),
            reject=say("Leave them"),
        )
        self.cells: dict[tuple[str, Act], _Cell] = {}
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(6)
        for column, book in enumerate(BOOKS, 1):
            heading = QLabel(say(BOOK_TITLES[book]))
            heading.setProperty("role", "secondary")
            grid.addWidget(heading, 0, column)
        for row, (act, title) in enumerate(TITLES.items(), 1):
            grid.addWidget(QLabel(say(title)), row, 0)
            for column, book in enumerate(BOOKS, 1):
                cell = _Cell(policy.choice(book, act), f"{say(title)}, {say(BOOK_TITLES[book])}")
                self.cells[book, act] = cell
                grid.addWidget(cell, row, column)
        self.add_widget(table)
        note = QLabel(
            say("Once less is confirmed than before, the first orders by key begin small and want a second press.")
        )
        note.setProperty("role", "secondary")
        note.setWordWrap(True)
        self.add_widget(note)
        self.no.setFocus()

    def on_accept(self) -> None:
        choices: dict[tuple[str, Act], Choice] = {}
        for (book, act), cell in self.cells.items():
            try:
                choices[book, act] = cell.choice()
            except ValueError:
                what = f"{say(TITLES[act])}, {say(BOOK_TITLES[book])}"
                text = repr(cell.amount.text())
                self.complain(say("{what}: {text} is not an amount of money", what=what, text=text))
                cell.amount.setFocus()
                return
        self.chosen.emit(Policy(choices))
        self.accept()
