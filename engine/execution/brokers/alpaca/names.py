"""Which of Alpaca's ids stand for which of our references.

An entry carries our reference as its client order id. Changing an order makes a new one: it gets the reference, a
tilde and a stamp. The legs of a bracket get ids of Alpaca's own; they are told apart by their kind, once, when the
bracket is first seen whole, and after that by their ids.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.bus.errors import BrokerError
from engine.execution.brokers.alpaca.words import ENDS, REPLACED, decimal, status
from engine.model.ids import OrderRef
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderType

Row = Mapping[str, Any]
Family = Callable[[OrderRef], Sequence[tuple[OrderRef, OrderRequest]]]
"""The protective orders of an entry, as the order desk knows them: (reference, request)."""

_OURS = re.compile(r"^([A-Z0-9]{1,6}-.{1,4}-\d{6}-[0-9a-v]+-[MAPFX])(?:~\w+)?$")
_STOPS = ("stop", "stop_limit", "trailing_stop")
_STOP_TYPES = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL)


def ref_in(client_order_id: object) -> OrderRef:
    """Our reference in a client order id; empty when it is none of ours."""
    match = _OURS.match(str(client_order_id or ""))
    return OrderRef(match[1]) if match else OrderRef("")


class Names:
    """All ids seen so far."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._ref: dict[str, OrderRef] = {}
        self._ids: dict[OrderRef, list[str]] = {}
        self._open: dict[str, bool] = {}
        self._filled: dict[str, Decimal] = {}
        self._before: dict[str, str] = {}
        self.asked: dict[OrderRef, Decimal] = {}
        """Whole quantity of the last change we asked for."""

    def learn(self, row: Row) -> OrderRef:
        """Note an order as the broker shows it, with its legs; return its reference, empty when it is not ours."""
        order_id = str(row.get("id") or "")
        if not order_id:
            raise BrokerError("the broker showed an order without an id")
        ref = ref_in(row.get("client_order_id")) or self._ref.get(order_id, OrderRef(""))
        before = str(row.get("replaces") or "")
        if before:
            self._before[order_id] = before
            ref = ref or self._ref.get(before, OrderRef(""))
        if ref:
            self.note(ref, order_id)
            self._learn_legs(ref, row)
        self._open[order_id] = row.get("status") != REPLACED and status(row.get("status")) not in ENDS
        self._filled[order_id] = max(
            self._filled.get(order_id, ZERO), decimal(row.get("filled_qty") or "0", "filled quantity")
        )
        return ref

    def note(self, ref: OrderRef, order_id: str) -> None:
        """An id stands for a reference."""
        self._ref[order_id] = ref
        ids = self._ids.setdefault(ref, [])
        if order_id not in ids:
            ids.append(order_id)

    def _learn_legs(self, ref: OrderRef, row: Row) -> None:
        legs = row.get("legs") or ()
        if not legs:
            return
        family = self._family(ref)
        for leg in legs:
            leg_id = str(leg.get("id") or "")
            if leg_id and leg_id not in self._ref and not ref_in(leg.get("client_order_id")):
                stop = str(leg.get("type")) in _STOPS
                for leg_ref, request in family:
                    if (request.order_type in _STOP_TYPES) is stop:
                        self.note(leg_ref, leg_id)
            self.learn(leg)

    def lacks_legs(self, ref: OrderRef) -> bool:
        """Whether a protective order of this entry has no id yet."""
        return any(not self._ids.get(leg_ref) for leg_ref, _ in self._family(ref))

    def ref(self, order_id: str) -> OrderRef:
        """The reference of an id, empty when it is not known as ours."""
        return self._ref.get(order_id, OrderRef(""))

    def ids(self, ref: OrderRef) -> tuple[str, ...]:
        """Every id of a reference, oldest first."""
        return tuple(self._ids.get(ref, ()))

    def open_ids(self, ref: OrderRef) -> tuple[str, ...]:
        """Those that may still work; all of them when none is known to."""
        ids = self.ids(ref)
        return tuple(i for i in ids if self._open.get(i, True)) or ids

    def current(self, ref: OrderRef) -> str:
        """The newest id that may still work, empty when none is known."""
        ids = self.open_ids(ref)
        return ids[-1] if ids else ""

    def perm_id(self, order_id: str) -> str:
        """What stays the same while an order is changed: its first id; empty when that is not known."""
        return "" if order_id in self._before else order_id

    def filled_before(self, order_id: str) -> Decimal:
        """What the orders that this one replaced have filled."""
        total, seen = ZERO, set()
        while (order_id := self._before.get(order_id, "")) and order_id not in seen:
            seen.add(order_id)
            total += self._filled.get(order_id, ZERO)
        return total

    def whole(self, ref: OrderRef, order_id: str, quantity: Decimal) -> Decimal:
        """The quantity of the whole order: a change after a partial fill may show only what was left then."""
        before = self.filled_before(order_id)
        return quantity if not before or quantity == self.asked.get(ref) else quantity + before
