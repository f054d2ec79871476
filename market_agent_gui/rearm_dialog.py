"""Arming again what a limit switched off: which, why, and the PIN where one is set."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit

from engine.api.commands import Rearm
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say
from widgets.words import told


class RearmDialog(PlainDialog):
    chosen = Signal(object)
    """A :class:`Rearm`."""

    def __init__(self, latches: tuple[tuple[str, str, str], ...], *, pin: bool) -> None:
        """``latches``: (code, strategy or empty, what happened)."""
        super().__init__(
            say("Arm again?"),
            say("A limit switched this off. Look at why before it may act again."),
            accept=say("Arm again"),
            reject=say("Leave it off"),
        )
        self._latches = latches
        self.which = QComboBox()
        for code, scope, text in latches:
            self.which.addItem(" · ".join(part for part in (code, scope, told(text)) if part))
        self.reason = QLineEdit()
        self.reason.setMaxLength(300)
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("What is off"), self.which)
        self.add_field(say("Reason (it is recorded)"), self.reason)
        if pin:
            self.add_field(say("PIN"), self.pin)
        self.enter_accepts()

    def on_accept(self) -> None:
        if not self.reason.text().strip():
            self.complain(say("Write why: it goes into the audit record."))
            return
        code, scope, _ = self._latches[self.which.currentIndex()]
        self.chosen.emit(Rearm(code=code, scope=scope, reason=self.reason.text().strip(), pin=self.pin.text()))
