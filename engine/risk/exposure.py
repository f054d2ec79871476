"""Exposure in the worst case: positions, every order that is not closed, and what the gate has reserved.

Sums of quantities are kept until a position, an order or a reservation changes (orders and positions are frozen, so a
change is another object); marks are read anew at every look.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderState, OrderStatus, OrderType, Origin, is_protective
from engine.model.position import Position
from engine.risk.ports import Ledger, Market, Orders


class Line:
    """One symbol: position, what may still be bought and sold, and its open orders."""

    __slots__ = (
        "at_stops",
        "average",
        "buys",
        "down",
        "entry_risk",
        "left",
        "multiplier",
        "openings",
        "orders",
        "price",
        "quantity",
        "reserved",
        "sector",
        "sells",
        "stops",
        "symbol",
        "up",
        "value",
    )

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.price = self.value = self.up = self.down = self.at_stops = 0.0
        """At the mark last looked at: worst value, net if all buys fill, net if all sells fill, loss at the stops."""
        self.quantity = 0.0
        self.buys = 0.0
        self.sells = 0.0
        self.average = 0.0
        self.multiplier = 1.0
        self.sector = ""
        self.openings = 0
        """Opening orders at work or reserved, ours."""
        self.entry_risk = 0.0
        """Money that working entries lose from their price to their stop."""
        self.stops: list[tuple[float, float]] = []
        """(price, quantity) of the stop orders that protect the position."""
        self.orders: list[OrderStatus] = []
        self.left: dict[OrderRef, float] = {}
        """What each open order may still fill, at most: the larger of old and new while a change is open."""
        self.reserved: list[OrderRequest] = []

    def worst(self, buys: float = 0.0, sells: float = 0.0) -> float:
        """Return the largest absolute quantity this symbol may reach."""
        return max(abs(self.quantity + self.buys + buys), abs(self.quantity - self.sells - sells))

    def revalue(self, price: float) -> None:
        """Take a new mark."""
        self.price = price
        unit = price * self.multiplier
        up, down = self.quantity + self.buys, self.quantity - self.sells
        self.up, self.down, self.value = up * unit, down * unit, max(up, -up, down, -down) * unit
        self.at_stops = self.loss_at_stops(price)

    def loss_at_stops(self, price: float) -> float:
        """Return the money lost from ``price`` if every stop were hit; what no stop covers counts in full."""
        held = abs(self.quantity)
        if not self.stops:
            return held * price * self.multiplier + self.entry_risk
        sign = 1.0 if self.quantity > 0 else -1.0
        lost = 0.0
        for stop, quantity in self.stops:
            covered = min(held, quantity)
            lost += max(0.0, (price - stop) * sign) * covered
            held -= covered
        return (lost + held * price) * self.multiplier + self.entry_risk


class Exposure(NamedTuple):
    """Money at work in the worst case, in the account's currency."""

    gross: float
    long: float
    """Net, if every buy fills and no sell does."""
    short: float
    """Net, if every sell fills and no buy does."""
    symbols: int
    at_stops: float
    """Lost if every stop is hit; a position without one counts in full."""
    openings: int
    """Opening orders at work or reserved, ours."""
    lines: dict[Symbol, Line]
    by_sector: dict[str, float]

    def of(self, symbol: Symbol) -> float:
        """Return the worst value of one symbol, 0 when there is none."""
        line = self.lines.get(symbol)
        return line.value if line is not None else 0.0

    @property
    def net(self) -> float:
        return max(abs(self.long), abs(self.short))


STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def is_closing(request: OrderRequest) -> bool:
    """Say whether an order can only shrink a position."""
    return request.reduce_only or request.origin is Origin.PROTECTIVE or request.origin is Origin.FLATTEN


class ExposureBook:
    """What is held, at work and reserved. The gate owns it."""

    def __init__(
        self, ledger: Ledger, orders: Orders, market: Market, marks: Callable[[Symbol], float] | None = None
    ) -> None:
        """``marks`` gives a price without a whole quote (NaN unknown), which is quicker."""
        self._ledger = ledger
        self._orders = orders
        self._market = market
        self._reserved: dict[OrderRef, OrderRequest] = {}
        self._changes: dict[OrderRef, tuple[OrderRequest, OrderStatus]] = {}
        self._lines: dict[Symbol, Line] = {}
        self._statuses: list[OrderStatus] = []
        self._positions: list[Position] = []
        self._stale = True
        self._marks = marks
        self._symbols = 0
        self._openings = 0

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
        return self.lines().get(symbol) or Line(symbol)

    def lines(self) -> dict[Symbol, Line]:
        """Return the symbols with a position, an open order or a reservation."""
        statuses = list(self._orders.open_orders())
        positions = list(self._ledger.positions().values())
        # Comparing lists stops at identity: frozen values that did not change are the same objects.
        if self._stale or statuses != self._statuses or positions != self._positions:
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
            if status.state.exposed:
                self._take(self._open(lines, status.request.symbol), status)
        for request in self._reserved.values():
            line = self._open(lines, request.symbol)
            line.reserved.append(request)
            if not is_closing(request):
                self._count(line, request, float(request.quantity))
                line.openings += 1
        lines = {symbol: line for symbol, line in lines.items() if line.worst() or line.orders or line.reserved}
        self._symbols = sum(1 for line in lines.values() if line.worst())
        self._openings = sum(line.openings for line in lines.values())
        self._lines, self._statuses, self._positions = lines, statuses, positions
        self._stale = False

    def _open(self, lines: dict[Symbol, Line], symbol: Symbol) -> Line:
        line = lines.get(symbol)
        if line is None:
            line = lines[symbol] = Line(symbol)
            instrument = self._market.instrument(symbol)
            if instrument is not None:
                line.sector = instrument.sector
                line.multiplier = float(instrument.multiplier)
        return line

    def _remaining(self, status: OrderStatus) -> float:
        remaining = float(status.remaining)
        if status.pending is not None:
            remaining = max(remaining, float(status.pending.quantity - status.filled))
        change = self._changes.get(status.ref)
        if change is None:
            return remaining
        request, before = change
        if status.state is not OrderState.PENDING_MODIFY and status is not before:
            del self._changes[status.ref]
            return remaining
        return max(remaining, float(request.quantity - status.filled))

    def _take(self, line: Line, status: OrderStatus) -> None:
        request = status.request
        line.orders.append(status)
        left = line.left[status.ref] = self._remaining(status)
        if not is_closing(request):
            line.openings += not status.external
            self._count(line, request, left)
        elif request.stop_price is not None and request.order_type in STOPS:
            protects = request.side is (Side.SELL if line.quantity > 0 else Side.BUY)
            if protects and line.quantity:
                line.stops.append((float(request.stop_price), float(status.remaining)))

    @staticmethod
    def _count(line: Line, request: OrderRequest, quantity: float) -> None:
        if request.side is Side.BUY:
            line.buys += quantity
        else:
            line.sells += quantity
        entry = request.limit_price or request.stop_price
        if entry is not None:
            stop = request.stop_loss if request.stop_loss is not None else ZERO
            line.entry_risk += abs(float(entry - stop)) * quantity * line.multiplier

    def _mark(self, line: Line) -> float:
        quote = self._market.quote(line.symbol)
        if quote is not None:
            bid, ask = quote.bid, quote.ask
            if 0.0 < bid <= ask < 1e300:
                return (bid + ask) * 0.5
            if 0.0 < quote.last < 1e300:
                return quote.last
        return math.nan

    def _unmarked(self, line: Line) -> float:
        """Return what a symbol without a price counts at: what was paid, else the dearest of its orders."""
        if line.average > 0.0:
            return line.average
        prices = [float(s.request.limit_price or s.request.stop_price or 0) for s in line.orders]
        prices += [float(r.limit_price or r.stop_price or 0) for r in line.reserved]
        return max(prices, default=0.0)

    def exposure(self, same: bool = False) -> Exposure:
        """Sum the worst case over all symbols; ``same``: nothing can have changed since :meth:`lines`."""
        gross = long = short = at_stops = 0.0
        by_sector: dict[str, float] = {}
        lines, marks = self._lines if same else self.lines(), self._marks
        for line in lines.values():
            price = marks(line.symbol) if marks is not None else self._mark(line)
            if not 0.0 < price < 1e300:
                price = self._unmarked(line)
            if price != line.price:
                line.revalue(price)
            value = line.value
            gross += value
            long += line.up
            short += line.down
            at_stops += line.at_stops
            by_sector[line.sector] = by_sector.get(line.sector, 0.0) + value
        return Exposure(gross, long, short, self._symbols, at_stops, self._openings, lines, by_sector)


def closes(
    line: Line,
    side: Side,
    find: Callable[[OrderRef], OrderStatus | None],
    oca_group: str = "",
    but: OrderRef | None = None,
    aside: bool = False,
) -> float:
    """Return how much orders of ``side`` may still take out of the position, worst case.

    Orders of one OCA group count once; ``oca_group`` is left out because a new order joins it, ``but`` because it is
    being replaced. Children of a bracket count up to what their parent (looked up by ``find``) has filled. ``aside``:
    own stops and targets are taken away before the new order is sent.
    """
    total = 0.0
    groups: dict[str, float] = {}
    for status in line.orders:
        request = status.request
        if request.side is not side or status.ref == but or (aside and not status.external and is_protective(status)):
            continue
        remaining = line.left[status.ref]
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
        if request.side is side and request.oca_group:
            groups[request.oca_group] = max(groups.get(request.oca_group, 0.0), float(request.quantity))
        elif request.side is side:
            total += float(request.quantity)
    groups.pop(oca_group, None)
    return total + sum(groups.values())
