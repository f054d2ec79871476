"""The showing half: tables, views, outbox."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.api.frames import BarUpdate
from engine.api.rows import TABLES, LimitRow, StateRow
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.model.ids import Symbol
from engine.model.money import ZERO
from engine.runtime.families import NOTICED
from engine.runtime.outbox import Outbox
from engine.runtime.trading import Trading
from engine.suggestion.board import Board
from engine.views.journal import AlarmView, LogView, NewsView
from engine.views.orders import OrderView
from engine.views.positions import PositionView
from engine.views.quotes import QuoteView
from engine.views.suggestions import SuggestionView
from engine.views.table import Table

KEEP = {"news": 2_000, "denials": 2_000, "log": 5_000, "fills": 10_000, "orders": 10_000, "suggestions": 1_000}


@dataclass(frozen=True)
class Showing:
    """What clients see."""

    tables: dict[str, Table]
    quotes: QuoteView
    orders: OrderView
    positions: PositionView
    suggestions: SuggestionView
    alarms: AlarmView
    outbox: Outbox


class _Forming:
    """The forming bar of a chart, and the last closed one when nothing forms."""

    def __init__(self, bars: BarStore) -> None:
        self._bars = bars

    def forming(self, symbol: str, seconds: int) -> BarUpdate | None:
        found = self._bars.forming(Symbol(symbol), seconds)
        if found is None:
            return None
        start, opened, high, low, close, volume = found
        return BarUpdate(
            symbol=symbol, seconds=seconds, ts_open=start, open=opened, high=high, low=low, close=close, volume=volume
        )


def assemble_showing(
    bus: Bus,
    clock: Clock,
    market: MarketCache,
    bars: BarStore,
    trading: Trading,
    board: Board,
    state: Callable[[], StateRow],
) -> Showing:
    """Build every view. ``state`` makes the one row of the mode strip."""
    tables = {name: Table(name, keep=KEEP.get(name)) for name in TABLES}
    quotes = QuoteView(bus, market, tables["quotes"])
    orders = OrderView(bus, tables["orders"], tables["fills"])
    positions = PositionView(
        bus,
        trading.ledger,
        market.quote,
        tables["orders"],
        tables["positions"],
        on_held=lambda symbol, held: quotes.badge(symbol, held=held),
    )
    suggestions = SuggestionView(bus, tables["suggestions"], tables["denials"], market.quote, board)
    NewsView(bus, tables["news"])
    LogView(bus, tables["log"])
    alarms = AlarmView(bus, tables["alarms"])
    limits_due = 0

    def refresh() -> None:
        nonlocal limits_due
        positions.refresh()
        suggestions.refresh()
        tables["state"].put(state())
        now = clock.monotonic()
        if now >= limits_due:
            limits_due = now + 1_000_000_000
            for use in trading.gate.uses():
                tables["limits"].put(LimitRow(key=use.code, use=use))

    outbox = Outbox(bus, clock, tables, quotes, _Forming(bars), NOTICED, refresh)
    for symbol in market.symbols():
        quotes.add(symbol)
    return Showing(
        tables=tables,
        quotes=quotes,
        orders=orders,
        positions=positions,
        suggestions=suggestions,
        alarms=alarms,
        outbox=outbox,
    )


def show_recovered(showing: Showing, trading: Trading, board: Board) -> None:
    """Put what survived the last run on the tables."""
    statuses = list(trading.desk.orders().values())
    by_ref = {status.ref: status for status in statuses}
    fills = [
        (fill, by_ref[fill.ref])
        for symbol in sorted({status.request.symbol for status in statuses})
        for fill in trading.ledger.fills(symbol)
        if fill.ref in by_ref
    ]
    showing.orders.load(statuses, fills)
    showing.suggestions.load([(e.suggestion, e.state, "") for e in board.entries()])
    for symbol, position in trading.ledger.positions().items():
        if position.quantity != ZERO:
            showing.quotes.badge(symbol, held=True)
