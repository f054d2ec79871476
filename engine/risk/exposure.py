"""Exposure in the worst case: positions, every order that is not closed, and what the gate has reserved.

Sums of quantities are kept until a position, an order or a reservation changes (orders and positions are frozen, so a
change is another object); marks are read anew at every look.
"""

from collections.abc import Callable
from typing import NamedTuple

from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderStatus, Origin
from engine.model.position import Position
from engine.risk.ports import Ledger, Market, Orders


class Line:
    """One symbol: position, what may still be bought and sold, and its open orders."""

    __slots__ = ("average", "buys", "multiplier", "orders", "quantity", "reserved", "sector", "sells")

    def __init__(self) -> None:
        self.quantity = 0.0
        self.buys = 0.0
        self.sells = 0.0
        self.average = 0.0
        self.multiplier = 1.0
        self.sector = ""
        self.orders: list[OrderStatus] = []
        self.reserved: list[OrderRequest] = []

    def worst(self, buys: float = 0.0, sells: float = 0.0) -> float:
        """Return the largest absolute quantity this symbol may reach."""
        return max(abs(self.quantity + self.buys + buys), abs(self.quantity - self.sells - sells))


class Exposure(NamedTuple):
    """Money at work in the worst case, in the account's currency."""

    gross: float
    long: float
    """Net, if every buy fills and no sell does."""
    short: float
    """Net, if every sell fills and no buy does."""
    symbols: int
    by_symbol: dict[Symbol, float]
    by_sector: dict[str, float]

    @property
    def net(self) -> float:
        return max(abs(self.long), abs(self.short))


def is_closing(request: OrderRequest) -> bool:
    """Say whether an order can only shrink a position."""
    return request.reduce_only or request.origin is Origin.PROTECTIVE or request.origin is Origin.FLATTEN


class ExposureBook:
    """What is held, at work and reserved. The gate owns it."""

    def __init__(self, ledger: Ledger, orders: Orders, market: Market) -> None:
        self._ledger = ledger
        self._orders = orders
        self._market = market
        self._reserved: dict[OrderRef, OrderRequest] = {}
        self._changes: dict[OrderRef, tuple[OrderRequest, OrderStatus]] = {}
        self._lines: dict[Symbol, Line] = {}
        self._statuses: list[OrderStatus] = []
        self._positions: list[Position] = []
        self._stale = True

    def reserve(self, ref: OrderRef, request: OrderRequest) -> None:
        """Count ``request`` from now until the desk knows ``ref`` or it is released."""
        self._reserved[ref] = request
        self._stale = True

    def release(self, ref: OrderRef) -> None:
        """Stop counting a reservation or a reserved change."""
        self._reserved.pop(ref, None)
        self._changes.pop(ref, None)
        self._stale = True

    def reserve_change(self, ref: OrderRef, request: OrderRequest, status: OrderStatus) -> None:
        """Count the larger of the old and the new order until the change is settled."""
        self._changes[ref] = (request, status)
        self._stale = True

    def line(self, symbol: Symbol) -> Line:
        """Return what is known of one symbol, empty when there is nothing."""
        return self.lines().get(symbol) or Line()

    def lines(self) -> dict[Symbol, Line]:
        """Return the symbols with a position, an open order or a reservation."""
        statuses = list(self._orders.open_orders())
        positions = list(self._ledger.positions().values())
        if (
            self._stale
            or len(statuses) != len(self._statuses)
            or len(positions) != len(self._positions)
            or any(map(_differs, statuses, self._statuses))
            or any(map(_differs, positions, self._positions))
        ):
            self._rebuild(statuses, positions)
        return self._lines

    def _rebuild(self, statuses: list[OrderStatus], positions: list[Position]) -> None:
        known = self._orders.order
        self._reserved = {ref: request for ref, request in self._reserved.items() if known(ref) is None}
        lines: dict[Symbol, Line] = {}
        for position in positions:
            line = self._open(lines, position.symbol)
            line.quantity += float(position.quantity)
            line.average = float(position.average_price)
            line.multiplier = float(position.multiplier)
        for status in statuses:
            if not status.state.exposed:
                continue
            line = self._open(lines, status.request.symbol)
            line.orders.append(status)
            if is_closing(status.request):
                continue
            self._count(line, status.request.side, self._remaining(status))
        for request in self._reserved.values():
            line = self._open(lines, request.symbol)
            line.reserved.append(request)
            if not is_closing(request):
                self._count(line, request.side, float(request.quantity))
        self._lines, self._statuses, self._positions = lines, statuses, positions
        self._stale = False

    def _open(self, lines: dict[Symbol, Line], symbol: Symbol) -> Line:
        line = lines.get(symbol)
        if line is None:
            line = lines[symbol] = Line()
            instrument = self._market.instrument(symbol)
            if instrument is not None:
                line.sector = instrument.sector
                line.multiplier = float(instrument.multiplier)
        return line

    def _remaining(self, status: OrderStatus) -> float:
        remaining = float(status.remaining)
        change = self._changes.get(status.ref)
        if change is None:
            return remaining
        request, before = change
        if status.state is not OrderState.PENDING_MODIFY and status is not before:
            del self._changes[status.ref]
            return remaining
        return max(remaining, float(request.quantity - status.filled))

    @staticmethod
    def _count(line: Line, side: Side, quantity: float) -> None:
        if side is Side.BUY:
            line.buys += quantity
        else:
            line.sells += quantity

    def mark(self, symbol: Symbol, line: Line) -> float:
        """Return the price a symbol counts at: mid, else last, else what was paid."""
        quote = self._market.quote(symbol)
        if quote is not None:
            bid, ask = quote.bid, quote.ask
            if 0.0 < bid <= ask < 1e300:
                return (bid + ask) * 0.5
            if 0.0 < quote.last < 1e300:
                return quote.last
        if line.average > 0.0:
            return line.average
        prices = [float(s.request.limit_price or s.request.stop_price or 0) for s in line.orders]
        prices += [float(r.limit_price or r.stop_price or 0) for r in line.reserved]
        return max(prices, default=0.0)

    def exposure(self) -> Exposure:
        """Sum the worst case over all symbols."""
        gross = long = short = 0.0
        by_symbol: dict[Symbol, float] = {}
        by_sector: dict[str, float] = {}
        mark = self.mark
        for symbol, line in self.lines().items():
            quantity, buys, sells = line.quantity, line.buys, line.sells
            up, down = quantity + buys, quantity - sells
            worst = max(abs(up), abs(down))
            if worst == 0.0:
                continue
            unit = mark(symbol, line) * line.multiplier
            value = worst * unit
            gross += value
            long += up * unit
            short += down * unit
            by_symbol[symbol] = value
            by_sector[line.sector] = by_sector.get(line.sector, 0.0) + value
        return Exposure(gross, long, short, len(by_symbol), by_symbol, by_sector)

    def working_closes(self, symbol: Symbol, side: Side, oca_group: str = "", but: OrderRef | None = None) -> float:
        """Return how much orders of ``side`` may still take out of the position, worst case.

        Orders of one OCA group count once; ``oca_group`` is left out because a new order joins it. Children of a
        bracket count up to what their parent has filled.
        """
        return closes(self.line(symbol), side, self._orders.order, oca_group, but)


def closes(
    line: Line,
    side: Side,
    find: Callable[[OrderRef], OrderStatus | None],
    oca_group: str = "",
    but: OrderRef | None = None,
) -> float:
    """See :meth:`ExposureBook.working_closes`."""
    total = 0.0
    groups: dict[str, float] = {}
    for status in line.orders:
        request = status.request
        if request.side is not side or status.ref == but:
            continue
        remaining = float(status.remaining)
        parent_ref = request.parent_ref or status.parent_ref
        if parent_ref is not None:
            parent = find(parent_ref)
            if parent is not None and not parent.state.closed:
                remaining = min(remaining, float(parent.filled))
        if request.oca_group:
            groups[request.oca_group] = max(groups.get(request.oca_group, 0.0), remaining)
        else:
            total += remaining
    for request in line.reserved:
        if request.side is side:
            total += float(request.quantity)
    groups.pop(oca_group, None)
    return total + sum(groups.values())


def _differs(a: object, b: object) -> bool:
    return a is not b
