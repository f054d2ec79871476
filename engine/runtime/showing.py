"""The showing half: tables, views, outbox."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.api.rows import TABLES, DriftRow, LimitRow, OrderRow, StateRow
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.algos.events import ParentChanged, ParentEnded, ParentEvent, ParentStarted
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.model.money import ZERO
from engine.runtime.families import NOTICED
from engine.runtime.forming import FormingBars
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
    show_parents(bus, tables["orders"])
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
        show_differences(trading, tables["drifts"])
        if now >= limits_due:
            limits_due = now + 1_000_000_000
            for use in trading.gate.uses():
                tables["limits"].put(LimitRow(key=f"{use.code} {use.key}", use=use))

    outbox = Outbox(bus, clock, tables, quotes, FormingBars(bars, clock), NOTICED, refresh)
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


def show_differences(trading: Trading, table: Table) -> None:
    """Put where our positions and the broker's differ; what agrees again goes."""
    found = {difference.symbol: difference for difference in trading.desk.adoption.differences}
    for row in table.rows():
        if row.key not in found:
            table.remove(row.key)
    for symbol, difference in found.items():
        table.put(DriftRow(key=symbol, **difference._asdict()))


def show_parents(bus: Bus, orders: Table) -> None:
    """Parents of execution algorithms are rows among the orders; their children name them."""

    def on_parent(event: ParentEvent) -> None:
        parent = event.parent
        orders.put(
            OrderRow(
                key=parent.ref,
                symbol=parent.request.symbol,
                side=parent.request.side.value,
                quantity=parent.request.quantity,
                filled=parent.filled,
                state=parent.state.value,
                order_type=parent.algo.upper(),
                limit_price=parent.request.limit_price,
                tif=parent.request.tif.value,
                average_price=parent.average_price,
                origin=parent.request.origin.value,
                note=parent.text,
                working=not isinstance(event, ParentEnded),
                created_ns=parent.start_ns,
                changed_ns=event.ts_event,
                leg="entry",
            )
        )

    bus.subscribe(ParentStarted, on_parent, owner="views.parents")
    bus.subscribe(ParentChanged, on_parent, owner="views.parents")
    bus.subscribe(ParentEnded, on_parent, owner="views.parents")


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
    # What is displayed is what an approval is bound to: without its hash no open question could be answered.
    hash_of = trading.approval.hash_of
    showing.suggestions.load([(e.suggestion, e.state, hash_of(e.suggestion.id)) for e in board.entries()])
    for symbol, position in trading.ledger.positions().items():
        if position.quantity != ZERO:
            showing.quotes.badge(symbol, held=True)
