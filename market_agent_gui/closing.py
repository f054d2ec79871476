"""Closing the window: stop the engine, or let it run in the tray. Asked once, remembered when wished."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QPushButton

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say


class CloseDialog(PlainDialog):
    chosen = Signal(str, bool)
    """stop or keep; and whether to remember it."""

    def __init__(self, working: int, positions: int, tray: bool) -> None:
        super().__init__(
            say("Close the window?"),
            say(
                "{working} orders work at the broker and {positions} positions are open. "
                "Protective stops at the broker stay either way.",
                working=working,
                positions=positions,
            ),
            accept=say("Stop the engine and quit"),
            reject=say("Stay"),
        )
        where = say("Keep the engine running in the tray") if tray else say("Keep the engine running, close the window")
        self.keep = QPushButton(where)
        self.keep.setAutoDefault(False)
        self.keep.clicked.connect(lambda: self._choose("keep"))
        self.remember = QCheckBox(say("Do the same next time"))
        self.add_widget(self.keep)
        self.add_widget(self.remember)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def on_accept(self) -> None:
        self._choose("stop")

    def _choose(self, what: str) -> None:
        self.chosen.emit(what, self.remember.isChecked())
        self.accept()
