"""Edit one number in its cell: Enter takes it, Esc or leaving drops it."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from widgets.theme import current_theme
from widgets.words import tr


def read_number(text: str) -> Decimal | None:
    """Return a positive number as typed, with spaces or one comma for the point; None when it is none."""
    bare = text.strip().replace("\u2009", "").replace(" ", "").replace("_", "")
    if bare.count(",") == 1 and "." not in bare:
        whole, fraction = bare.split(",")
        # 1,500 is fifteen hundred, 1,5 is one and a half; where it could be both, ask again.
        if len(fraction) == 3 and whole.strip("0"):
            return None
        bare = f"{whole}.{fraction}"
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


class InlineEdit(QLineEdit):
    """A field over a cell."""

    taken = Signal(object)
    """The number (Decimal)."""
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setFrame(False)
        self.hide()

    def start(self, rect: QRect, text: str, name: str) -> None:
        """Open over ``rect`` with ``text`` selected."""
        self.setAccessibleName(name)
        self.setFont(current_theme().font(12))
        self._mark(False)
        self.setToolTip("")
        self.setText(text)
        self.setGeometry(rect)
        self.show()
        self.raise_()
        self.selectAll()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.isAutoRepeat():
                return
            value = read_number(self.text())
            if value is None:
                self.setToolTip(tr("Not a positive number: {text}", text=self.text()))
                self._mark(True)
                self.selectAll()
                return
            self.hide()
            self.taken.emit(value)
            self._refocus()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self.isVisible() and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.hide()
            self.dropped.emit()

    def _mark(self, invalid: bool) -> None:
        # A property the theme knows; a style sheet of its own would be parsed again at every press.
        if bool(self.property("invalid")) != invalid:
            self.setProperty("invalid", invalid)
            self.style().polish(self)

    def _close(self) -> None:
        self.hide()
        self.dropped.emit()
        self._refocus()

    def _refocus(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            parent.setFocus(Qt.FocusReason.OtherFocusReason)
