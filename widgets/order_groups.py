"""Fold orders into the rows a person thinks in: a stop and a target that cancel each other are one."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from engine.api.rows import OrderRow

_SURE = ("WORKING", "PARTIAL")


class BlotterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the blotter: one order, or the pair of an OCA group."""

    key: str
    orders: tuple[OrderRow, ...]

    @property
    def head(self) -> OrderRow:
        """The order that speaks for the row: the least certain one."""
        return min(self.orders, key=lambda order: (_certainty(order.state), order.leg != "stop", order.key))

    @property
    def working(self) -> bool:
        return any(order.working for order in self.orders)

    @property
    def unsure(self) -> bool:
        return any(order.state == "UNKNOWN" or order.state.startswith("CLAIM") for order in self.orders)

    @property
    def open(self) -> bool:
        """Believed or feared to be at the broker."""
        return self.working or self.unsure or any(order.state in _BETWEEN for order in self.orders)

    @property
    def stop(self) -> Decimal | None:
        return next((order.stop_price for order in self.orders if order.stop_price is not None), None)

    @property
    def limit(self) -> Decimal | None:
        return next((order.limit_price for order in self.orders if order.limit_price is not None), None)

    @property
    def changed_ns(self) -> int:
        return max(order.changed_ns for order in self.orders)

    def order_with(self, field: str) -> OrderRow | None:
        """Return the order a column edits."""
        if field == "quantity":
            return self.head
        return next((order for order in self.orders if getattr(order, field) is not None), None)


_BETWEEN = ("INTENT", "SENDING", "SENT", "HELD", "PENDING_CANCEL", "PENDING_MODIFY")


def _certainty(state: str) -> int:
    if state == "UNKNOWN" or state.startswith("CLAIM"):
        return 0
    if state in _BETWEEN:
        return 1
    return 2 if state in _SURE else 3


class OrderGroups:
    """Orders by reference, grouped by OCA name."""

    def __init__(self) -> None:
        self._orders: dict[str, OrderRow] = {}
        self._members: dict[str, dict[str, None]] = {}

    def apply(
        self, rows: Iterable[OrderRow], removed: Iterable[str] = (), reset: bool = False
    ) -> tuple[list[BlotterRow], list[str]]:
        """Take changed orders; return changed groups and the keys of those that are gone."""
        touched: dict[str, None] = {}
        if reset:
            touched.update(self._members)
            self._orders.clear()
            self._members.clear()
        for ref in removed:
            self._drop(ref, touched)
        for row in rows:
            self._drop(row.key, touched)
            group = self._group(row)
            self._orders[row.key] = row
            self._members.setdefault(group, {})[row.key] = None
            touched[group] = None
        changed, gone = [], []
        for group in touched:
            members = self._members.get(group)
            if members:
                changed.append(BlotterRow(key=group, orders=tuple(self._orders[ref] for ref in sorted(members))))
            else:
                gone.append(group)
        return changed, gone

    @property
    def orders(self) -> dict[str, OrderRow]:
        return self._orders

    def _group(self, row: OrderRow) -> str:
        # Entries of a bracket carry the group's name too on some venues; only exits are a pair.
        return f"{row.symbol}/{row.oca}" if row.oca and row.leg != "entry" else row.key

    def _drop(self, ref: str, touched: dict[str, None]) -> None:
        before = self._orders.pop(ref, None)
        if before is not None:
            group = self._group(before)
            self._members[group].pop(ref, None)
            if not self._members[group]:
                del self._members[group]
            touched[group] = None
