"""Taking the broker's position into our book: ours beside theirs, a reason, and the PIN where one is set."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from engine.api.commands import AdoptPosition
from engine.api.rows import DriftRow
from engine.model.ids import Symbol
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say


class AdoptDialog(PlainDialog):
    chosen = Signal(object)
    """An :class:`AdoptPosition`."""

    def __init__(self, row: DriftRow, *, pin: bool) -> None:
        super().__init__(
            say("Take the broker's {symbol}?", symbol=row.symbol),
            say(
                "Ours is {ours}, the broker's is {theirs}. Look at the broker's own screen first: a fill that is only "
                "late comes by itself, and would then be booked twice.",
                ours=row.ours,
                theirs=row.theirs,
            ),
            accept=say("Take {theirs}", theirs=row.theirs),
            reject=say("Leave it locked"),
        )
        self._row = row
        self.reason = QLineEdit()
        self.reason.setMaxLength(300)
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("Where the difference comes from (it is recorded)"), self.reason)
        if pin:
            self.add_field(say("PIN"), self.pin)
        self.enter_accepts()

    def on_accept(self) -> None:
        if not self.reason.text().strip():
            self.complain(say("Write why: it goes into the audit record."))
            return
        self.chosen.emit(
            AdoptPosition(
                symbol=Symbol(self._row.symbol),
                theirs=self._row.theirs,
                reason=self.reason.text().strip(),
                pin=self.pin.text(),
            )
        )
