"""Signing what the agent may do alone: the most for an order, for a day, and for how long."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QSpinBox

from engine.api.commands import SignMandate
from engine.model.ids import Symbol
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say


class MandateDialog(PlainDialog):
    chosen = Signal(object)
    """A :class:`SignMandate`."""

    def __init__(self, *, currency: str, pin: bool) -> None:
        super().__init__(
            say("Sign a mandate?"),
            say(
                "Inside these caps the agent trades alone while autonomy is Automatic; beyond them it asks. "
                "The limits hold as well. Real money is never traded alone without a mandate."
            ),
            accept=say("Sign"),
            reject=say("Do not sign"),
        )
        self.order, self.day, self.symbols, self.pin = (QLineEdit() for _ in range(4))
        self.orders, self.days = QSpinBox(), QSpinBox()
        self.orders.setRange(1, 10_000)
        self.orders.setValue(10)
        self.days.setRange(1, 366)
        self.days.setValue(30)
        self.symbols.setPlaceholderText(say("every symbol the limits allow"))
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.add_field(say("Most for one order, {currency}", currency=currency), self.order)
        self.add_field(say("Most for a day, {currency}", currency=currency), self.day)
        self.add_field(say("Most orders a day"), self.orders)
        self.add_field(say("Only these symbols"), self.symbols)
        self.add_field(say("Days until it must be signed again"), self.days)
        if pin:
            self.add_field(say("PIN"), self.pin)
        self.enter_accepts()
        self.order.setFocus()

    def on_accept(self) -> None:
        order, day = _amount(self.order.text()), _amount(self.day.text())
        if order is None or day is None:
            self.complain(say("Write both amounts as numbers above zero."))
            return
        if order > day:
            self.complain(say("One order may not be worth more than the day."))
            return
        symbols = tuple(Symbol(symbol) for symbol in self.symbols.text().upper().replace(",", " ").split())
        self.chosen.emit(
            SignMandate(
                max_order=order,
                max_day=day,
                max_orders=self.orders.value(),
                symbols=symbols,
                days=float(self.days.value()),
                pin=self.pin.text(),
            )
        )


def _amount(text: str) -> Decimal | None:
    try:
        value = Decimal(text.replace(" ", "").replace("\u202f", "").replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None
