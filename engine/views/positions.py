"""Positions as rows, marked to the market once a frame, not once a tick."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from engine.api.rows import OrderRow, PositionRow
from engine.bus.bus import Bus
from engine.model.events.book import PositionChanged, PositionClosed, PositionOpened, SymbolLocked, SymbolUnlocked
from engine.model.ids import Symbol
from engine.model.market import Quote
from engine.model.money import ZERO, cents, finite
from engine.model.position import Position
from engine.views.table import Table


class Ledger(Protocol):
    def positions(self) -> Mapping[Symbol, Position]: ...
    def mark(self, symbol: Symbol) -> Decimal | None: ...
    def break_even(self, symbol: Symbol) -> Decimal | None: ...


class PositionView:
    """Projects positions with their protection and open profit."""

    def __init__(
        self,
        bus: Bus,
        ledger: Ledger,
        quote: Callable[[Symbol], Quote | None],
        orders: Table,
        table: Table,
        on_held: Callable[[Symbol, bool], None],
    ) -> None:
        self._ledger = ledger
        self._quote = quote
        self._orders = orders
        self._table = table
        self._on_held = on_held
        self._locks: dict[Symbol, str] = {}
        bus.subscribe(PositionOpened, self._on_position, owner="views.positions")
        bus.subscribe(PositionChanged, self._on_position, owner="views.positions")
        bus.subscribe(PositionClosed, self._on_position, owner="views.positions")
        bus.subscribe(SymbolLocked, self._on_locked, owner="views.positions")
        bus.subscribe(SymbolUnlocked, self._on_unlocked, owner="views.positions")

    def refresh(self) -> None:
        """Mark every position; called by the outbox before a frame is cut."""
        positions = self._ledger.positions()
        for symbol, position in positions.items():
            if position.quantity != ZERO:
                self._table.put(self._row(symbol, position))
        for row in self._table.rows():
            held = positions.get(Symbol(row.key))
            if held is None or held.quantity == ZERO:
                self._table.remove(row.key)

    def _on_position(self, event: PositionOpened | PositionChanged | PositionClosed) -> None:
        self._on_held(event.position.symbol, event.position.quantity != ZERO)

    def _on_locked(self, event: SymbolLocked) -> None:
        self._locks[event.symbol] = f"{event.code} {event.reason}"

    def _on_unlocked(self, event: SymbolUnlocked) -> None:
        self._locks.pop(event.symbol, None)

    def _row(self, symbol: Symbol, position: Position) -> PositionRow:
        # The mark of the ledger: what is open here and the result of the day are reckoned with one price.
        quote, mark = self._quote(symbol), self._ledger.mark(symbol)
        pnl: Decimal | None = None
        percent: float | None = None
        if mark is not None:
            pnl = cents((mark - position.average_price) * position.quantity * position.multiplier)
            cost = position.average_price * abs(position.quantity) * position.multiplier
            percent = float(pnl / cost) * 100 if cost else None
        stop, target, covered = _protection(self._orders.rows(), symbol, position)
        to_stop = None
        if stop is not None:
            to_stop = cents((stop - position.average_price) * position.quantity * position.multiplier)
        return PositionRow(
            key=symbol,
            symbol=symbol,
            quantity=position.quantity,
            average_price=position.average_price,
            last=quote.last if quote is not None and finite(quote.last) else None,
            mark=mark,
            break_even=self._ledger.break_even(symbol),
            open_pnl=pnl,
            open_pnl_percent=percent,
            realised=position.realised,
            stop=stop,
            target=target,
            to_stop=to_stop,
            protected=covered,
            opened_by=position.opened_by,
            opened_ns=position.opened_ns,
            locked=self._locks.get(symbol, ""),
        )


def _protection(
    rows: Iterable[object], symbol: Symbol, position: Position
) -> tuple[Decimal | None, Decimal | None, str]:
    """Find the stop and target that work at the broker for a position, and how much of it they cover."""
    closing = "SELL" if position.quantity > ZERO else "BUY"
    stop: Decimal | None = None
    target: Decimal | None = None
    covered = ZERO
    unsure = waits = False
    mine = [row for row in rows if isinstance(row, OrderRow) and row.symbol == symbol and row.working]
    working = {row.key for row in mine}
    for row in mine:
        if row.side != closing:
            continue
        if row.stop_price is not None and row.state == "HELD" and row.parent in working:
            # The entry is filled in part, and the broker holds its exits back until it is done.
            stop, waits = row.stop_price, True
            continue
        if row.stop_price is not None:
            stop = row.stop_price
            covered += row.quantity - row.filled
            unsure = unsure or row.state in ("UNKNOWN", "SENDING", "SENT", "INTENT")
        elif row.limit_price is not None:
            target = row.limit_price
    if stop is None:
        return None, target, "no stop"
    if unsure:
        return stop, target, "not confirmed"
    if waits and covered == ZERO:
        return stop, target, "stop waits for the entry"
    if covered < abs(position.quantity):
        return stop, target, f"stop for {covered:f} of {abs(position.quantity):f}"
    return stop, target, "stop at broker"
