"""Few dialogs, never for routine: the safe button is the default, Esc always means no, nothing waits in a loop."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from widgets.theme import current_theme
from widgets.words import told


class PlainDialog(QDialog):
    """A title, a sentence, fields, and two buttons."""

    def __init__(self, title: str, text: str, *, accept: str, reject: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(current_theme().px(420))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 20, 24, 16)
        self.column.setSpacing(12)
        heading = QLabel(title)
        heading.setProperty("role", "headline")
        heading.setTextFormat(Qt.TextFormat.PlainText)
        self.text = QLabel(text)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.problem = QLabel()
        self.problem.setProperty("tone", "danger")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.buttons = QDialogButtonBox()
        self.yes = QPushButton(accept)
        self.no = QPushButton(reject)
        self.buttons.addButton(self.yes, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(self.no, QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.on_accept)
        self.buttons.rejected.connect(self.reject)
        self.yes.setAutoDefault(False)
        self.no.setDefault(True)
        self.column.addWidget(heading)
        self.column.addWidget(self.text)
        self._fields = 2
        self._first: QWidget | None = None
        self.column.addWidget(self.problem)
        self.column.addWidget(self.buttons)

    def add_field(self, label: str, field: QWidget) -> None:
        """Put a labelled field above the buttons."""
        caption = QLabel(label)
        caption.setProperty("role", "secondary")
        caption.setBuddy(field)
        field.setAccessibleName(label)
        self._first = self._first or field
        self.column.insertWidget(self._fields, caption)
        self.column.insertWidget(self._fields + 1, field)
        self._fields += 2

    def add_widget(self, widget: QWidget) -> None:
        self.column.insertWidget(self._fields, widget)
        self._fields += 1

    def enter_accepts(self) -> None:
        """Let Enter mean yes: for dialogs that take nothing but what a person has typed into them."""
        self.no.setAutoDefault(False)
        self.yes.setDefault(True)
        self.yes.setProperty("role", "primary")
        if self.focusWidget() is None and self._first is not None:
            self._first.setFocus()  # what is asked for can be typed at once

    def complain(self, text: str) -> None:
        """Say why it cannot be accepted as it stands."""
        self.problem.setText(told(text))
        self.problem.setVisible(bool(text))
        needed = self.column.totalHeightForWidth(self.width())
        if needed > self.height():  # a layout squeezes wrapped text rather than grow a window that is open
            self.resize(self.width(), needed)

    def on_accept(self) -> None:
        """Accept; subclasses check first."""
        self.accept()


def ask(parent: QWidget, title: str, text: str, *, yes: str, no: str, then: Callable[[], object]) -> PlainDialog:
    """Ask one question; run ``then`` on yes."""
    dialog = PlainDialog(title, text, accept=yes, reject=no, parent=parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(then)
    dialog.open()
    return dialog
