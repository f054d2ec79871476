"""Which order a message is about: our reference, by the broker's permanent id first, then by the id of this client.

Order ids are handed out again after a gateway restart, permanent ids never. A message that carries a permanent id we
know is about that order, whatever its order id says.
"""

import msgspec

from engine.model.ids import OrderRef
from engine.model.order import OrderRequest


class Name(msgspec.Struct, kw_only=True):
    """What we know of one of our orders at the broker."""

    ref: OrderRef
    order_ids: list[int] = []
    """Under our own client id, oldest first."""
    perm_ids: list[int] = []
    parent_id: int = 0
    oca_group: str = ""
    family: tuple[OrderRef, ...] = ()
    """The entry and its legs in the order of sending, when it was sent with others; the last one transmits all."""
    request: OrderRequest | None = None
    """As we sent it last; None for orders of an earlier run."""


class Names:
    """Both ways between references and the broker's ids."""

    def __init__(self) -> None:
        self._by_ref: dict[OrderRef, Name] = {}
        self._by_order: dict[int, OrderRef] = {}
        self._by_perm: dict[int, OrderRef] = {}
        self._over: set[int] = set()

    def get(self, ref: OrderRef) -> Name | None:
        return self._by_ref.get(ref)

    def sent(self, name: Name) -> None:
        """We are about to send an order under a new id."""
        self._by_ref[name.ref] = name
        for order_id in name.order_ids:
            self._by_order[order_id] = name.ref
            self._over.discard(order_id)

    def shown(self, ref: OrderRef, order_id: int, perm_id: int, parent_id: int = 0, oca_group: str = "") -> None:
        """The broker showed an order with its reference. ``order_id`` is 0 unless it is of this client."""
        name = self._by_ref.setdefault(ref, Name(ref=ref, order_ids=[], perm_ids=[]))
        if perm_id and perm_id not in name.perm_ids:
            name.perm_ids.append(perm_id)
        if perm_id:
            self._by_perm[perm_id] = ref
        if order_id > 0 and order_id not in name.order_ids:
            name.order_ids.append(order_id)
        if order_id > 0:
            self._by_order[order_id] = ref
        name.parent_id = parent_id or name.parent_id
        name.oca_group = oca_group or name.oca_group

    def over(self, order_id: int) -> None:
        """The broker said that an order of this client is filled or cancelled."""
        self._over.add(order_id)

    def parent_of(self, name: Name) -> int:
        """The id to name as the parent when an order is changed: 0 once the parent is over, or known by nobody.

        A gateway that is told of a parent it has no more refuses the change (135).
        """
        alive = name.parent_id in self._by_order and name.parent_id not in self._over
        return name.parent_id if alive else 0

    def find(self, order_id: int, perm_id: int) -> OrderRef:
        """The reference of a message; empty when it is not ours. ``order_id`` is 0 unless it is of this client."""
        known = self._by_perm.get(perm_id) if perm_id else None
        if known is not None:
            return known
        ref = self._by_order.get(order_id) if order_id > 0 else None
        if ref is None:
            return OrderRef("")
        if perm_id:
            if self._by_ref[ref].perm_ids:
                # The id was handed out twice: whose message this is, only an order shown with its reference can say.
                return OrderRef("")
            self.shown(ref, order_id, perm_id)
        return ref

    def of_order(self, order_id: int) -> OrderRef:
        """The reference of an error message: it carries no permanent id."""
        return self._by_order.get(order_id, OrderRef(""))
