"""Editing a suggestion before it is approved; it goes through the gate again."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit

from engine.api.rows import SuggestionRow
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say
from widgets import formats


class EditDialog(PlainDialog):
    edited = Signal(dict)
    """Changed fields of :class:`engine.api.commands.Edit`, as Decimals."""

    def __init__(self, row: SuggestionRow) -> None:
        super().__init__(
            say("Edit {key}: {side} {symbol}", key=row.key, side=say(row.side), symbol=row.symbol),
            say("The changed suggestion goes through every limit again and waits for your answer."),
            accept=say("Change it"),
            reject=say("Leave it"),
        )
        self._row = row
        self.fields: dict[str, QLineEdit] = {}
        self._titles = titles = {
            "quantity": say("Quantity"),
            "entry": say("Entry"),
            "stop": say("Stop"),
            "target": say("Target"),
        }
        for name, title in titles.items():
            field = QLineEdit(f"{getattr(row, name):f}")
            field.textEdited.connect(self._reckon)
            self.fields[name] = field
            self.add_field(title, field)
        self.money = QLabel()
        self.money.setTextFormat(Qt.TextFormat.PlainText)
        self.add_widget(self.money)
        self._reckon()
        self.fields["quantity"].selectAll()
        self.fields["quantity"].setFocus()
        self.enter_accepts()

    def _number(self, name: str) -> Decimal | None:
        """Return what a field says; None where it is no number above zero."""
        text = self.fields[name].text().strip().replace(",", ".").replace("\u2009", "").replace(" ", "")
        try:
            value = Decimal(text)
        except InvalidOperation:
            return None
        return value if value.is_finite() and value > 0 else None

    def _reckon(self) -> None:
        """Say what is lost at the stop and made at the target, before fees."""
        quantity, entry, stop, target = (self._number(name) for name in self.fields)
        risk = gain = formats.MISSING
        row, sign = self._row, 1 if self._row.side == "BUY" else -1
        # What one unit is worth in money: the engine's own risk tells it for futures and the like.
        apart = abs(row.entry - row.stop) * row.quantity
        worth = row.risk / apart if apart else Decimal(1)
        if quantity is not None and entry is not None:
            risk = formats.number((entry - stop) * sign * quantity * worth) if stop is not None else risk
            gain = formats.number((target - entry) * sign * quantity * worth) if target is not None else gain
        self.money.setText(say("At the stop it loses {risk}, at the target it makes {gain}.", risk=risk, gain=gain))

    def on_accept(self) -> None:
        values: dict[str, Decimal] = {}
        for name, field in self.fields.items():
            value = self._number(name)
            if value is None:
                text = repr(field.text())
                self.complain(say("{field}: {text} is not a number above zero", field=self._titles[name], text=text))
                field.setFocus()
                return
            values[name] = value
        sign = 1 if self._row.side == "BUY" else -1
        if (values["entry"] - values["stop"]) * sign <= 0 or (values["target"] - values["entry"]) * sign <= 0:
            self.complain(say("Stop and target must stand on their own sides of the entry."))
            return
        changes = {name: value for name, value in values.items() if value != getattr(self._row, name)}
        if changes:
            self.edited.emit(changes)
        self.accept()
