"""Editing a suggestion before it is approved; it goes through the gate again."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from engine.api.rows import SuggestionRow
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say


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
        titles = {"quantity": say("Quantity"), "entry": say("Entry"), "stop": say("Stop"), "target": say("Target")}
        for name, title in titles.items():
            field = QLineEdit(f"{getattr(row, name):f}")
            self.fields[name] = field
            self.add_field(title, field)
        self.fields["quantity"].selectAll()
        self.fields["quantity"].setFocus()

    def on_accept(self) -> None:
        values: dict[str, Decimal] = {}
        for name, field in self.fields.items():
            text = field.text().strip().replace(",", ".").replace("\u2009", "").replace(" ", "")
            try:
                value = Decimal(text)
            except InvalidOperation:
                value = Decimal(0)
            if not value.is_finite() or value <= 0:
                self.complain(say("{field}: {text} is not a number above zero", field=name, text=repr(text)))
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
