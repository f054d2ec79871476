"""Closing an order that is not confirmed: only after looking at the broker's own screen, with a note."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit

from engine.api.commands import ResolveUnknown
from engine.model.ids import OrderRef
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say

STATES = {"CANCELLED": "It was cancelled or never arrived", "FILLED": "It was filled", "WORKING": "It is working"}


class ResolveDialog(PlainDialog):
    resolved = Signal(object)
    """A :class:`ResolveUnknown`."""

    def __init__(self, ref: str) -> None:
        super().__init__(
            say("What happened to this order?"),
            say("{ref} is not confirmed. Look at the broker's own screen first, then say what it shows.", ref=ref),
            accept=say("Record this"),
            reject=say("Leave it unconfirmed"),
        )
        self._ref = ref
        self.state = QComboBox()
        for state, text in STATES.items():
            self.state.addItem(say(text), state)
        self.note = QLineEdit()
        self.note.setMaxLength(500)
        self.add_field(say("The broker shows"), self.state)
        self.add_field(say("Note (who looked, where, when)"), self.note)

    def on_accept(self) -> None:
        note = self.note.text().strip()
        if len(note) < 5:
            self.complain(say("Write a note of at least five letters: it goes into the audit record."))
            return
        self.resolved.emit(ResolveUnknown(ref=OrderRef(self._ref), state=self.state.currentData(), note=note))
        self.accept()
