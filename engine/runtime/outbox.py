"""What one client has seen and has yet to see: lossy frames at its rate, lossless notices in order."""

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from engine.api.frames import AnyUp, BarUpdate, DepthBlock, Frame, Notice, QuoteBlock, RowsChanged, TapePrint
from engine.api.wire import Follow
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.events.base import Event
from engine.model.events.market import BookChanged, TradeTick
from engine.model.market import BarColumns
from engine.views.table import Table

NOTICES_KEPT = 20_000


class Quotes(Protocol):
    @property
    def version(self) -> int: ...

    def since(self, version: int) -> QuoteBlock | None: ...


class FormingBars(Protocol):
    def forming(self, symbol: str, seconds: int) -> BarUpdate | None: ...
    def closed(self, symbol: str, seconds: int, since_ns: int) -> tuple[BarUpdate, ...]: ...


class Outbox:
    """The engine's side of all clients: tables, quotes, depth, tape, and the ring of notices."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        tables: Mapping[str, Table],
        quotes: Quotes,
        bars: FormingBars,
        notice_kinds: tuple[type[Event], ...],
        refresh: Callable[[], None],
    ) -> None:
        """``refresh`` runs before a frame is cut, to mark rows to the market."""
        self.clock = clock
        self.tables = tables
        self.quotes = quotes
        self.bars = bars
        self.refresh = refresh
        self.depth: dict[str, BookChanged] = {}
        self.tape: dict[str, deque[tuple[int, TapePrint]]] = {}
        self.tape_seq = itertools.count(1)
        self.notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self._notice_seq = 0
        bus.subscribe(BookChanged, self._on_book, owner="outbox")
        bus.subscribe(TradeTick, self._on_trade, owner="outbox")
        for kind in notice_kinds:
            bus.subscribe(kind, self._on_notice, owner="outbox")

    @property
    def notice_seq(self) -> int:
        return self._notice_seq

    def _on_book(self, event: BookChanged) -> None:
        self.depth[event.symbol] = event

    def _on_trade(self, event: TradeTick) -> None:
        prints = self.tape.get(event.symbol)
        if prints is None:
            prints = self.tape[event.symbol] = deque(maxlen=200)
        prints.append(
            (
                next(self.tape_seq),
                TapePrint(
                    symbol=event.symbol,
                    ts=event.ts_event,
                    price=event.price,
                    size=event.size,
                    aggressor=event.aggressor,
                ),
            )
        )

    def _on_notice(self, event: Event) -> None:
        self._notice_seq += 1
        self.notices.append(
            Notice(seq=self._notice_seq, kind=type(event).__name__, event=msgspec.to_builtins(event, str_keys=True))
        )


class ClientOutbox:
    """One client's place in the outbox."""

    def __init__(self, outbox: Outbox, last_notice: int) -> None:
        self._outbox = outbox
        self._seen: dict[str, int] = {}
        self._quotes_seen = 0
        self._depth_seen: dict[str, int] = {}
        self._tape_seen: dict[str, int] = {}
        self._bars_seen: dict[tuple[str, int], BarUpdate] = {}
        self._notice_seen = outbox.notice_seq if last_notice < 0 else last_notice
        self._seq = itertools.count(1)
        self.follow = Follow()

    def missed(self) -> bool:
        """Notices between this client's last one and the ring's oldest are gone."""
        ring = self._outbox.notices
        return bool(ring) and self._notice_seen < ring[0].seq - 1

    def set_follow(self, follow: Follow) -> None:
        """Take the client's new wish; tables new to it arrive as snapshots."""
        for table in self.follow.tables:
            if table not in follow.tables:
                self._seen.pop(table, None)
        if follow.quotes and not self.follow.quotes:
            self._quotes_seen = 0
        self.follow = follow

    def cut_rows(self) -> list[AnyUp]:
        """Take what must arrive: notices, then changed rows."""
        messages: list[AnyUp] = []
        if self.follow.notices and self._notice_seen < self._outbox.notice_seq:
            fresh = [notice for notice in reversed(self._outbox.notices) if notice.seq > self._notice_seen]
            messages.extend(reversed(fresh))
            self._notice_seen = self._outbox.notice_seq
        for name in self.follow.tables:
            table = self._outbox.tables.get(name)
            if table is None:
                continue
            seen = self._seen.get(name)
            if seen is None:
                messages.append(RowsChanged(table=name, rows=tuple(table.rows()), reset=True))
            elif seen < table.version:
                rows, removed = table.since(seen)
                messages.append(RowsChanged(table=name, rows=rows, removed=removed))
            self._seen[name] = table.version
        return messages

    def cut_frame(self) -> Frame | None:
        """Take the newest prices, bars, depth and prints; ``None`` when nothing changed."""
        outbox, follow = self._outbox, self.follow
        quotes = None
        if follow.quotes and self._quotes_seen < outbox.quotes.version:
            quotes = outbox.quotes.since(self._quotes_seen)
            self._quotes_seen = outbox.quotes.version
        bars: list[BarUpdate] = []
        for key in follow.bars:
            bar, before = outbox.bars.forming(*key), self._bars_seen.get(key)
            if bar is None or before == bar:
                continue
            if before is not None and bar.ts_open > before.ts_open:
                # A new bar has begun: first how the last one ended, and those that came and went between two frames.
                bars.extend(old for old in outbox.bars.closed(*key, before.ts_open) if old.ts_open < bar.ts_open)
            self._bars_seen[key] = bar
            bars.append(bar)
        depth = []
        for symbol in follow.depth:
            book = outbox.depth.get(symbol)
            if book is not None and self._depth_seen.get(symbol) != book.ts_event:
                self._depth_seen[symbol] = book.ts_event
                depth.append(
                    DepthBlock(
                        symbol=symbol,
                        bid_prices=book.bid_prices,
                        bid_sizes=book.bid_sizes,
                        ask_prices=book.ask_prices,
                        ask_sizes=book.ask_sizes,
                        ts=book.ts_event,
                    )
                )
        tape: list[TapePrint] = []
        for symbol in follow.tape:
            prints = outbox.tape.get(symbol)
            if not prints:
                continue
            seen = self._tape_seen.get(symbol, 0)
            tape.extend(entry for number, entry in prints if number > seen)
            self._tape_seen[symbol] = prints[-1][0]
        if quotes is None and not bars and not depth and not tape:
            return None
        return Frame(
            seq=next(self._seq),
            sent_ns=outbox.clock.now(),
            quotes=quotes,
            bars=tuple(bars),
            depth=tuple(depth),
            tape=tuple(tape),
        )

    def sign_of_life(self) -> Frame:
        """Return a frame that tells nothing but that we live."""
        return Frame(seq=next(self._seq), sent_ns=self._outbox.clock.now())


def bar_columns_data(columns: BarColumns) -> dict[str, object]:
    """The answer of GetBars."""
    return {
        "symbol": columns.symbol,
        "seconds": columns.seconds,
        "ts_open": columns.ts_open,
        "open": columns.open,
        "high": columns.high,
        "low": columns.low,
        "close": columns.close,
        "volume": columns.volume,
    }
