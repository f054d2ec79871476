"""The one-line form of a conditional approval."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from engine.api.rows import SuggestionRow
from widgets.inline_edit import read_number
from widgets.key_button import KeyButton
from widgets.theme import current_theme
from widgets.words import tr


class IfForm(QWidget):
    """*Approve if the price is at or better than P within M minutes.*"""

    taken = Signal(object, float)
    """Price (Decimal) and seconds."""
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._before, self._between, self._after = QLabel(), QLabel(tr("within")), QLabel(tr("min"))
        self.price, self.minutes = QLineEdit(), QLineEdit("10")
        self.price.setAccessibleName(tr("Price"))
        self.minutes.setAccessibleName(tr("Minutes"))
        self.minutes.setFixedWidth(current_theme().px(40))
        self.price.setFixedWidth(current_theme().px(76))
        self._go = KeyButton(tr("Approve if"), "Enter")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for part in (self._before, self.price, self._between, self.minutes, self._after, self._go):
            row.addWidget(part)
        row.addStretch(1)
        self._go.clicked.connect(self._take)
        self.price.returnPressed.connect(self._take)
        self.minutes.returnPressed.connect(self._take)

    def start(self, row: SuggestionRow) -> None:
        """Fill in from a card and take the focus."""
        self._before.setText(tr("if at most") if row.side == "BUY" else tr("if at least"))
        self.price.setText(str(row.entry))
        self.show()
        self.price.setFocus(Qt.FocusReason.OtherFocusReason)
        self.price.selectAll()

    def _take(self) -> None:
        price, minutes = read_number(self.price.text()), read_number(self.minutes.text())
        for field, value in ((self.price, price), (self.minutes, minutes)):
            field.setProperty("invalid", value is None)
            field.style().polish(field)
        if price is not None and minutes is not None:
            self.taken.emit(price, float(minutes) * 60)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)
