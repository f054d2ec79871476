"""An entry with its exits beside what is held: is it protected, by how much, by too much? Pure."""

from decimal import Decimal

import msgspec

from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderState, OrderStatus

S = OrderState
ALIVE = (S.WORKING, S.PARTIAL, S.HELD)
"""States in which the broker is known to have the order."""
ENDED = (S.CANCELLED, S.EXPIRED)


class Family(msgspec.Struct, frozen=True):
    """An entry and its exits, as the order desk knows them."""

    entry: OrderStatus
    exits: tuple[OrderStatus, ...]
    position: Decimal
    """Signed, of the symbol."""
    elsewhere: Decimal = ZERO
    """Units of the position that stops of nobody in the family would close."""

    @property
    def held(self) -> Decimal:
        """What the entry has opened and is still there."""
        closed = sum((leg.filled for leg in self.exits), ZERO)
        there = max(self.position * self.entry.request.side.sign, ZERO)
        return max(min(self.entry.filled - closed, there), ZERO)

    @property
    def bare(self) -> Decimal:
        """What of it no other stop in the symbol covers."""
        return max(min(self.held, abs(self.position) - self.elsewhere), ZERO)

    @property
    def stops(self) -> tuple[OrderStatus, ...]:
        return tuple(leg for leg in self.exits if leg.request.stop_price is not None)

    @property
    def target(self) -> OrderRequest | None:
        """The target of the agent's plan, where it ended without a fill."""
        found = [leg for leg in self.exits if leg.request.stop_price is None and leg.request.limit_price is not None]
        newest = max(found, key=lambda leg: leg.changed_ns, default=None)
        return newest.request if newest is not None and newest.state in ENDED and not newest.filled else None

    @property
    def unsure(self) -> bool:
        """Something of it is under way or not confirmed."""
        return any(not s.state.closed and s.state not in ALIVE for s in (self.entry, *self.exits))

    def waiting(self, exits_wait: bool) -> bool:
        """The entry is filled in part, and the broker holds every stop back until it is complete."""
        live = [stop for stop in self.stops if not stop.state.closed]
        return exits_wait and not self.entry.state.closed and bool(live) and all(s.state is S.HELD for s in live)

    @property
    def lost(self) -> bool:
        """No stop works any more for what is held."""
        return self.entry.state.closed and bool(self.stops) and all(stop.state.closed for stop in self.stops)

    @property
    def too_large(self) -> tuple[OrderStatus, ...]:
        """Exits of an entry that ended which could close more than it opened."""
        if self.entry.state not in ENDED:
            return ()
        return tuple(leg for leg in self.exits if leg.state in ALIVE and leg.remaining > self.held)
