"""What the ticket reads while a working order is being changed: which order, and what becomes of it."""

from dataclasses import dataclass

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from widgets.theme import current_theme
from widgets.words import tr


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """A change that is staged: nothing of it has left the window."""

    order: str
    """The order as it works: ``BUY 100 AAPL``."""
    ref: str
    parts: tuple[tuple[str, str, str], ...]
    """(what, as it is, as it is wanted)."""

    @property
    def moved(self) -> bool:
        """Whether anything would be other than it is."""
        return any(was != wanted for _, was, wanted in self.parts)


class TicketChange(QWidget):
    """A sentence and a line for each part that changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._rows: list[tuple[QLabel, QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(current_theme().px(16))
        self._grid.addWidget(self._title, 0, 0, 1, 4)
        self._grid.setColumnStretch(3, 1)
        self.hide()

    def show_change(self, change: OrderChange | None) -> None:
        """Show a change, or nothing."""
        self.setVisible(change is not None)
        if change is None:
            return
        theme = current_theme()
        self._title.setFont(theme.font(15, QFont.Weight.DemiBold))
        self._title.setText(tr("Change {order}", order=change.order))
        while len(self._rows) < len(change.parts):
            row = QLabel(), QLabel(), QLabel()
            for column, label in enumerate(row):
                self._grid.addWidget(label, len(self._rows) + 1, column)
            self._rows.append(row)
        for number, row in enumerate(self._rows):
            shown = number < len(change.parts)
            for label, text in zip(row, self._words(change.parts[number]) if shown else ("", "", ""), strict=True):
                label.setVisible(shown)
                label.setText(text)
        said = ", ".join(" ".join(self._words(part)) for part in change.parts)
        self.setAccessibleName(f"{self._title.text()}: {said}")

    @staticmethod
    def _words(part: tuple[str, str, str]) -> tuple[str, str, str]:
        what, was, wanted = part
        return what, was, f"→ {wanted}" if wanted != was else ""
