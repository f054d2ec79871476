"""One symbol's book: fills in order of time, and what they amount to. Pure arithmetic in ``Decimal``.

Average-cost method: an opening trade moves the average price, a closing one realises against it, a trade through zero
closes at its price and opens the rest there. A correction is booked by computing the symbol anew from its fills, so
the result depends on the fills alone and not on the order in which they were learnt.
"""

from bisect import bisect_left
from decimal import Decimal

import msgspec

from engine.model.fill import Fill
from engine.model.ids import ExecId, OrderRef
from engine.model.money import ZERO

OPENING = OrderRef("OPENING")
"""Reference of what was held before our first order, or taken over by a person: it moved no cash of ours."""

SPLIT = OrderRef("SPLIT")
"""Reference of a split: its quantity is the number of new units for one old. What was held is so many times as much."""


class Tally(msgspec.Struct, frozen=True):
    """What fills amount to. Money in the instrument's currency."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    """What the open quantity was bought (or sold) for, before the multiplier; positive."""
    realised: Decimal = ZERO
    """Since the first fill, after commissions."""
    commission: Decimal = ZERO
    fees: Decimal = ZERO
    """The part of ``commission`` that the open quantity cost on its way in."""
    flow: Decimal = ZERO
    """Cash that came in less cash that went out, after commissions."""
    brought: Decimal = ZERO
    """The part of ``flow`` that moved no cash."""
    trip: Decimal = ZERO
    """Realised since the position was opened, after commissions."""
    opened_ns: int = 0
    opened_by: OrderRef = OrderRef("")

    @property
    def average(self) -> Decimal:
        """Average price of the open quantity, zero when flat."""
        return self.cost / abs(self.quantity) if self.quantity else ZERO


def add(tally: Tally, fill: Fill, multiplier: Decimal) -> Tally:
    """Book one fill, or a split: units multiply, what they cost and everything that is money stays."""
    if fill.ref == SPLIT:
        return msgspec.structs.replace(tally, quantity=tally.quantity * fill.quantity)
    signed = fill.quantity * fill.side.sign
    before, after = tally.quantity, tally.quantity + signed
    gain, cost, fees = ZERO, tally.cost, tally.fees
    opened_ns, opened_by, trip = tally.opened_ns, tally.opened_by, tally.trip
    if before == ZERO:
        cost, opened_ns, opened_by, trip = fill.quantity * fill.price, fill.ts_event, fill.ref, ZERO
        fees = fill.commission
    elif (before > ZERO) == (signed > ZERO):
        cost += fill.quantity * fill.price
        fees += fill.commission
    else:
        closed = min(abs(before), fill.quantity)
        share = cost if closed == abs(before) else cost * closed / abs(before)
        gain = (closed * fill.price - share) * multiplier * (1 if before > ZERO else -1)
        cost -= share
        fees = fees * abs(after) / abs(before) if closed < abs(before) else ZERO
        if after != ZERO and (after > ZERO) != (before > ZERO):
            cost, opened_ns, opened_by, trip = abs(after) * fill.price, fill.ts_event, fill.ref, ZERO
            fees = fill.commission * abs(after) / fill.quantity
    net = gain - fill.commission
    flow = -signed * fill.price * multiplier - fill.commission
    return Tally(
        quantity=after,
        cost=cost,
        realised=tally.realised + net,
        commission=tally.commission + fill.commission,
        fees=fees,
        flow=tally.flow + flow,
        brought=tally.brought + (flow if fill.ref == OPENING else ZERO),
        trip=trip + net,
        opened_ns=opened_ns,
        opened_by=opened_by,
    )


class Holding:
    """Fills of one symbol and their tally after each, so that news of the latest fill costs no more than one step."""

    def __init__(self, multiplier: Decimal = Decimal(1)) -> None:
        self.multiplier = multiplier
        self._fills: dict[ExecId, Fill] = {}
        self._order: list[tuple[int, ExecId]] = []
        self._tallies: list[Tally] = []
        self.charges: dict[str, Decimal] = {}
        """Commissions by the currency they were taken in."""

    @property
    def tally(self) -> Tally:
        """What all fills amount to."""
        return self._tallies[-1] if self._tallies else Tally()

    def book(self, fill: Fill) -> bool:
        """Book a fill, or replace the one with its execution id. False when nothing changes."""
        known = self._fills.get(fill.exec_id)
        if known == fill or (known is not None and known.revision > fill.revision):
            return False
        key = (fill.ts_event, fill.exec_id)
        start = len(self._order)
        if known is not None:
            start = bisect_left(self._order, (known.ts_event, known.exec_id))
            del self._order[start]
        at = bisect_left(self._order, key)
        self._order.insert(at, key)
        if known is not None:
            self.charges[known.currency] -= known.commission
        self.charges[fill.currency] = self.charges.get(fill.currency, ZERO) + fill.commission
        self._fills[fill.exec_id] = fill
        self._recompute(min(start, at))
        return True

    def _recompute(self, start: int) -> None:
        del self._tallies[start:]
        tally = self.tally
        for _, exec_id in self._order[start:]:
            tally = add(tally, self._fills[exec_id], self.multiplier)
            self._tallies.append(tally)

    def fills(self) -> tuple[Fill, ...]:
        """All fills, by time and execution id."""
        return tuple(self._fills[exec_id] for _, exec_id in self._order)
