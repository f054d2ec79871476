"""What an order is reckoned with, out of what the window shows."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.api.rows import QuoteRow
from engine.model.money import exact
from market_agent_gui.mirror import Mirror

if TYPE_CHECKING:
    from widgets.ticket_draft import Around
    from widgets.ticket_extras import Algo

MINUTE_NS = 60 * 10**9


def around_of(mirror: Mirror, symbol: str, *, atr: Decimal | None = None, algos: "tuple[Algo, ...]" = ()) -> "Around":
    """Return quote, tick and equity as they are shown now."""
    from widgets.ticket_draft import Around

    price, state = mirror.price(symbol), mirror.state()
    row = mirror.rows("quotes").get(symbol)
    return Around(
        tick=exact(row.tick) if isinstance(row, QuoteRow) else Around().tick,
        multiplier=exact(row.multiplier) if isinstance(row, QuoteRow) else Around().multiplier,
        bid=price.bid if price is not None else None,
        ask=price.ask if price is not None else None,
        last=price.last if price is not None else None,
        equity=state.equity if state is not None else None,
        atr=atr,
        # To the minute: dates are compared with it, and a ticket that is the same costs nothing.
        now_ns=state.now_ns // MINUTE_NS * MINUTE_NS if state is not None else 0,
        algos=algos,
    )
