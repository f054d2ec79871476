"""Re-arming after a halt: a typed word, a reason, and the PIN where one is set."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from engine.api.commands import Resume
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say

WORD = "RESUME"


class ResumeDialog(PlainDialog):
    resumed = Signal(object)
    """A :class:`Resume`."""

    def __init__(self, *, pin: bool = True) -> None:
        """``pin``: one is set, so it is asked."""
        super().__init__(
            say("Resume trading?"),
            say("Trading was halted. Automatic trading stays off until it is raised by hand."),
            accept=say("Resume"),
            reject=say("Stay halted"),
        )
        self.word = QLineEdit()
        self.reason = QLineEdit()
        self.reason.setMaxLength(300)
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("Type {word}", word=WORD), self.word)
        self.add_field(say("Reason (it is recorded)"), self.reason)
        if pin:
            self.add_field(say("PIN"), self.pin)
        self.enter_accepts()

    def on_accept(self) -> None:
        if self.word.text().strip() != WORD:
            self.complain(say("Type {word} to resume.", word=WORD))
            return
        if not self.reason.text().strip():
            self.complain(say("Write why: it goes into the audit record."))
            return
        self.resumed.emit(
            Resume(typed=self.word.text().strip(), reason=self.reason.text().strip(), pin=self.pin.text())
        )
