"""What the buttons of the ticket say of the order and of the position."""

from decimal import Decimal

from widgets import formats
from widgets.ticket_draft import Around, Draft, quantity
from widgets.words import tr


def order_words(draft: Draft, around: Around) -> str:
    """Return such as ``BUY 100 AAPL``."""
    return f"{tr(draft.side.value)} {formats.quantity(quantity(draft, around))} {draft.symbol}"


def flatten_words(whose: str, position: Decimal, symbol: str) -> str:
    """Return what closing would send; ``position`` is signed."""
    side, size = tr("SELL") if position > 0 else tr("BUY"), formats.quantity(abs(position))
    return tr("Flatten {whose}: {side} {n} {symbol}", whose=whose, side=side, n=size, symbol=symbol)
