"""The line over the ticket: where the order came from, whether the keys are armed, and the menu of presets."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from widgets.pane_head import PaneHead
from widgets.theme import current_theme
from widgets.ticket_draft import Draft
from widgets.ticket_preset import preset_words
from widgets.words import tr


class TicketHead(QWidget):
    """Words on the left, one button on the right; who fills the menu listens to its ``aboutToShow``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = PaneHead()
        self.preset = QToolButton()
        self.preset.setProperty("role", "flat")
        self.preset.setFixedHeight(self.words.height())
        self.preset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu = QMenu(self.preset)
        self.preset.setMenu(self.menu)
        self.preset.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.preset.setStyleSheet("QToolButton::menu-indicator { image: none; width: 0; }")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.words, 1)
        row.addWidget(self.preset)
        self.say()

    def say(self) -> None:
        """Say the button in the language of the moment."""
        self.preset.setText(f"{tr('Preset')} ▾")
        self.preset.setAccessibleName(tr("Presets of this order"))
        self.preset.setToolTip(tr("What orders begin with: for all, for a kind, for a symbol, by name"))

    def show_words(self, draft: Draft, keys: str, armed: bool) -> None:
        """Say where the order came from, which presets filled it, and the state of the keys."""
        words = []
        if draft.source:
            words.append((tr("from {source}", source=draft.source), "t2", 400))
        words += [(text, "t2", 400) for text in preset_words(draft)]
        if keys:
            words.append((f"● {keys}" if armed else f"■ {keys}", "focus" if armed else "warn", 600))
        self.words.setVisible(bool(words))
        self.words.set_words(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        painter.end()
