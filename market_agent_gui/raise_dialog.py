"""Letting the agent do more: a reason, and the PIN where one is set."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say


class RaiseDialog(PlainDialog):
    confirmed = Signal(str, str)
    """reason, PIN."""

    def __init__(self, title: str) -> None:
        super().__init__(
            say("Raise to “{level}”?", level=title),
            say("The agent will be allowed more than now. Faults lower it again at once; you alone can raise it."),
            accept=say("Raise"),
            reject=say("Leave it as it is"),
        )
        self.reason = QLineEdit()
        self.reason.setMaxLength(300)
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("Reason (it is recorded)"), self.reason)
        self.add_field(say("PIN, where one is set"), self.pin)

    def on_accept(self) -> None:
        if not self.reason.text().strip():
            self.complain(say("Write why: it goes into the audit record."))
            return
        self.confirmed.emit(self.reason.text().strip(), self.pin.text())
        self.accept()
