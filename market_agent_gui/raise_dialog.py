"""Letting the agent, or oneself, do more: a reason, and the PIN where one is set."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say


class RaiseDialog(PlainDialog):
    confirmed = Signal(str, str)
    """reason, PIN."""

    def __init__(self, title: str, text: str, *, accept: str, reason: str = "", pin: bool = True) -> None:
        """``pin``: one is set, so it is asked. ``reason`` is proposed and may be overwritten."""
        super().__init__(title, text, accept=accept, reject=say("Leave it as it is"))
        self.reason = QLineEdit(reason)
        self.reason.setMaxLength(300)
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("Reason (it is recorded)"), self.reason)
        if pin:
            self.add_field(say("PIN"), self.pin)
        (self.pin if pin and reason else self.reason).setFocus()
        self.enter_accepts()

    def on_accept(self) -> None:
        if not self.reason.text().strip():
            self.complain(say("Write why: it goes into the audit record."))
            return
        self.confirmed.emit(self.reason.text().strip(), self.pin.text())
