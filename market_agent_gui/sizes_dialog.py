"""The sizes on the keys 1 to 9 and the money that R risks: a person's own, not the program's."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.translate import say

KEYS = 9
MOST = Decimal(10**9)


def read_sizes(texts: Sequence[str]) -> tuple[Decimal, ...]:
    """Return nine sizes. Raises ``ValueError`` naming the one that is none, or how many there are."""
    if len(texts) != KEYS:
        raise ValueError(say("There are nine keys; {n} sizes are given.", n=len(texts)))
    return tuple(read_amount(text) for text in texts)


def read_amount(text: str) -> Decimal:
    """Return a number above zero. Raises ``ValueError``."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or not 0 < value <= MOST:
        raise ValueError(say("{text} is not a number above zero", text=repr(text)))
    return value


class SizesDialog(PlainDialog):
    chosen = Signal(object, object)
    """Nine sizes and the money at risk, as Decimals."""

    def __init__(self, sizes: Sequence[Decimal], risk: Decimal) -> None:
        super().__init__(
            say("Sizes and risk of the keys"),
            say("The first orders by key are confirmed by a second press after a change."),
            accept=say("Use these"),
            reject=say("Leave them"),
        )
        self.sizes = QLineEdit(" ".join(f"{size.normalize():f}" for size in sizes))
        self.risk = QLineEdit(f"{risk.normalize():f}")
        self.add_field(say("Sizes on the keys 1 to 9, with spaces between"), self.sizes)
        self.add_field(say("Money that R risks to the stop"), self.risk)
        self.enter_accepts()

    def on_accept(self) -> None:
        try:
            sizes, risk = read_sizes(self.sizes.text().split()), read_amount(self.risk.text())
        except ValueError as error:
            self.complain(str(error))
            return
        self.chosen.emit(sizes, risk)
        self.accept()
