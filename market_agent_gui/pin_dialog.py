"""Setting the PIN, or changing it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say

SHORTEST, LONGEST = 4, 64


class PinDialog(PlainDialog):
    chosen = Signal(str, str)
    """new, old (empty where none was set)."""

    def __init__(self, *, change: bool) -> None:
        super().__init__(
            say("Change the PIN") if change else say("Set a PIN"),
            say(
                "It unlocks the window, and is asked before trading with real money is opened, a limit is raised "
                "or the agent may do more. STOP and everything that lowers risk never ask for it."
            ),
            accept=say("Change the PIN") if change else say("Set the PIN"),
            reject=say("Leave it as it is"),
        )
        self.old, self.new, self.again = (QLineEdit() for _ in range(3))
        for line in (self.old, self.new, self.again):
            line.setEchoMode(QLineEdit.EchoMode.Password)
            line.setMaxLength(LONGEST)
        self._change = change
        if change:
            self.add_field(say("PIN that holds now"), self.old)
        self.add_field(
            say("New PIN ({shortest} to {longest} characters)", shortest=SHORTEST, longest=LONGEST), self.new
        )
        self.add_field(say("New PIN again"), self.again)
        (self.old if change else self.new).setFocus()
        self.enter_accepts()

    def on_accept(self) -> None:
        if len(self.new.text()) < SHORTEST:
            self.complain(say("A PIN has at least {n} characters.", n=SHORTEST))
        elif self.new.text() != self.again.text():
            self.complain(say("These are two different PINs."))
        else:
            self.chosen.emit(self.new.text(), self.old.text())
