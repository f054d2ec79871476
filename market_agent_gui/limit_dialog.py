"""Changing a limit: lower now, raise next session and with the PIN."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from engine.api.commands import ChangeLimits
from engine.api.rows import LimitRow
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say
from widgets import formats
from widgets.words import told


class LimitDialog(PlainDialog):
    changed = Signal(object)
    """A :class:`ChangeLimits`; the dialog stays until the engine has agreed."""

    def __init__(self, row: LimitRow) -> None:
        use = row.use
        super().__init__(
            f"{use.code} · {told(use.title)}",
            say(
                "Now {limit} {unit}. A lower limit holds at once; a higher one from the next session on.",
                limit=formats.quantity(use.limit),
                unit=told(use.unit),
            ),
            accept=say("Change the limit"),
            reject=say("Leave it"),
        )
        self._limit_key = use.key
        self.value = QLineEdit(f"{Decimal(repr(use.limit)).normalize():f}")
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("New limit"), self.value)
        self.add_field(say("PIN (only to raise it)"), self.pin)
        self.value.selectAll()
        self.enter_accepts()

    def on_accept(self) -> None:
        text = self.value.text().strip().replace(",", ".").replace("\u2009", "").replace(" ", "")
        try:
            value = Decimal(text)
        except InvalidOperation:
            self.complain(say("{text} is not a number", text=repr(text)))
            return
        if not value.is_finite() or value < 0:
            self.complain(say("A limit is a number of zero or more."))
            return
        self.changed.emit(ChangeLimits(changes={self._limit_key: text}, pin=self.pin.text()))
