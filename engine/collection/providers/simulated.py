"""The simulated market as a provider. One timer a second for all symbols; days follow one another."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.bus.clock import MILLISECOND, SECOND, Clock, Timer
from engine.collection.provider import BarColumnsByName, DataKind, Emit
from engine.collection.settings import SimulatedSettings
from engine.model.events.market import BookChanged, HaltChanged, NewsArrived, QuoteTick, TradeTick
from engine.model.ids import Symbol

_CHUNK = 60
"""Seconds fetched at once."""


class Day(Protocol):
    """One session; times in UTC ns."""

    @property
    def index(self) -> int: ...
    @property
    def open_ns(self) -> int: ...
    @property
    def close_ns(self) -> int: ...


class Book(Protocol):
    """The order book of one symbol and session."""

    def advance(self, to_ns: int) -> object: ...
    def depth(self, levels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bids and asks, best first, each [≤ levels, 2] of price and shares."""


class Market(Protocol):
    """A market as a pure function of time; all blocks are [symbols, time]."""

    @property
    def symbols(self) -> tuple[str, ...]: ...
    def session(self, day: int) -> Day: ...
    def quotes(self, day: int, second_from: int, second_to: int) -> Any: ...
    def news(self, day: int) -> Sequence[Any]: ...
    def halts(self, day: int) -> Sequence[tuple[str, int, int]]: ...
    def daily_bars(self, end_day: int, n: int) -> Any: ...
    def intraday_bars(self, day: int, seconds: int = 60) -> Any: ...
    def book(self, symbol: str, day: int) -> Any: ...


class SimulatedProvider:
    """Emits what changed in each second of the session, and history of any length.

    ``ts_event`` of the second's state lies one millisecond before the second's end, so a minute holds its own sixty.
    """

    name = "simulated"
    kinds = frozenset(
        {DataKind.QUOTES, DataKind.TRADES, DataKind.DEPTH, DataKind.HISTORY, DataKind.NEWS, DataKind.HALTS}
    )

    def __init__(
        self,
        emit: Emit,
        clock: Clock,
        settings: SimulatedSettings,
        market: Market,
        first_day: int,
        book_of: Callable[[str, int], Book] | None = None,
    ) -> None:
        """``first_day`` is any day not after the clock's. ``book_of`` shares the books of the paper exchange."""
        self._emit = emit
        self._clock = clock
        self._settings = settings
        self._market = market
        self._book_of = book_of or market.book
        self._rows = {Symbol(symbol): row for row, symbol in enumerate(market.symbols)}
        self._first_day = first_day
        self._day = market.session(first_day)
        self._second = 0
        self._watched: set[int] = set()
        self._active: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._timer: Timer | None = None
        self._depth_timer: Timer | None = None
        self._deep: dict[Symbol, Book] = {}
        self._chunk: dict[str, NDArray[np.float64]] = {}
        self._chunk_from = self._chunk_to = 0
        self._before: NDArray[np.float64] = np.full((5, len(self._rows)), np.nan)
        self._pending_news: deque[Any] = deque()
        self._pending_halts: deque[tuple[int, str, bool]] = deque()
        self._blocks: dict[tuple[int, int, int], Any] = {}

    # --- life

    async def start(self) -> None:
        """Take up the session that the clock is in, or the next one."""
        self._pending_news.clear()
        self._pending_halts.clear()
        self._find_day(self._clock.now())
        self._begin_day()

    async def stop(self) -> None:
        for timer in (self._timer, self._depth_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._depth_timer = None

    def next_wake(self) -> int:
        """UTC ns of the next state this market will have: a second ahead in a session, the next open otherwise.

        A demo that does not want to wait for the night moves its clock here.
        """
        return self._day.open_ns + (self._second + 1) * SECOND

    def is_open(self) -> bool:
        """Say whether the clock is inside the session."""
        return self._day.open_ns <= self._clock.now() < self._day.close_ns

    def refresh(self) -> None:
        """Fetch the coming seconds anew: an own trade has moved them."""
        self._chunk_to = self._chunk_from
        self._blocks = {key: block for key, block in self._blocks.items() if key[0] < self._day.index}

    # --- what is watched

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        for symbol in symbols:
            row = self._rows.get(symbol)
            if row is None:
                continue
            if row not in self._watched:
                self._watched.add(row)
                self._before[:4, row] = np.nan  # so that its state is told, changed or not
                self._before[4, row] = 0.0 if self._second == 0 else np.nan
            if depth and symbol not in self._deep:
                self._deep[symbol] = self._book_of(symbol, self._day.index)
        self._active = np.array(sorted(self._watched), dtype=np.int64)
        if self._deep and self._depth_timer is None and self._timer is not None:
            self._arm_depth()

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        for symbol in symbols:
            row = self._rows.get(symbol)
            if row is not None:
                self._watched.discard(row)
            self._deep.pop(symbol, None)
        self._active = np.array(sorted(self._watched), dtype=np.int64)

    # --- days and seconds

    def _find_day(self, now: int) -> None:
        day = self._market.session(self._first_day)
        while day.close_ns <= now:
            day = self._market.session(day.index + 1)
        self._day = day

    def _begin_day(self) -> None:
        now = self._clock.now()
        day = self._day
        self._second = max(0, (now - day.open_ns) // SECOND)
        self._chunk_from = self._chunk_to = self._second
        self._before[4] = 0.0 if self._second == 0 else np.nan
        for symbol in self._deep:
            self._deep[symbol] = self._book_of(symbol, day.index)
        if self._settings.news:
            items = [item for item in self._market.news(day.index) if item.published_ns >= now or self._second == 0]
            # What was left of the day before was published after its close.
            self._pending_news.extend(sorted(items, key=lambda item: (item.published_ns, item.id)))
        changes = []
        for halted, start, end in self._market.halts(day.index):
            if end > now:
                changes += [(start, halted, True), (end, halted, False)]
        self._pending_halts.extend(sorted(changes))
        self._timer = self._clock.call_at(day.open_ns + (self._second + 1) * SECOND, self._on_second)
        if self._deep and self._depth_timer is None:
            self._arm_depth()

    def _on_second(self) -> None:
        day, now = self._day, self._clock.now()
        last = (day.close_ns - day.open_ns) // SECOND
        # After a pause of the machine the clock may be seconds ahead: the newest state is told, volume is kept.
        second = min(max(self._second, (now - day.open_ns) // SECOND - 1), last - 1)
        self._tell_events(day.open_ns + (second + 1) * SECOND)
        if self._watched:
            self._tell_second(second)
        self._second = second + 1
        if self._second >= last:
            self._day = self._market.session(day.index + 1)
            self._begin_day()
        else:
            self._timer = self._clock.call_at(day.open_ns + (self._second + 1) * SECOND, self._on_second)

    def _tell_second(self, second: int) -> None:
        if not self._chunk_from <= second < self._chunk_to:
            self._fetch(second)
        at = second - self._chunk_from
        rows = self._active
        chunk = self._chunk
        state = np.stack([chunk[name][rows, at] for name in ("bid", "ask", "bid_size", "ask_size", "volume")])
        before = self._before[:, rows]
        quoted = (state[:4] != before[:4]).any(axis=0)
        traded = ~(state[4] <= np.nan_to_num(before[4], nan=np.inf))
        self._before[:, rows] = state
        changed = np.flatnonzero(quoted | traded)
        if len(changed) == 0:
            return
        ts_init = self._clock.now()
        ts = self._day.open_ns + (second + 1) * SECOND - MILLISECOND
        last = chunk["last"][rows[changed], at].tolist()
        sizes = (state[4] - before[4])[changed].tolist()
        values = state[:4, changed].T.tolist()
        symbols = self._market.symbols
        emit, source = self._emit, self.name
        for row, price, size, (bid, ask, bid_size, ask_size), is_trade, is_quote in zip(
            rows[changed].tolist(), last, sizes, values, traded[changed].tolist(), quoted[changed].tolist(), strict=True
        ):
            symbol = Symbol(symbols[row])
            if is_quote:
                emit(
                    QuoteTick(
                        ts_event=ts,
                        ts_init=ts_init,
                        symbol=symbol,
                        bid=bid,
                        ask=ask,
                        bid_size=bid_size,
                        ask_size=ask_size,
                        source=source,
                    )
                )
            if is_trade:
                emit(
                    TradeTick(
                        ts_event=ts,
                        ts_init=ts_init,
                        symbol=symbol,
                        price=price,
                        size=size,
                        aggressor=1 if price >= ask else -1 if price <= bid else 0,
                        source=source,
                    )
                )

    def _fetch(self, second: int) -> None:
        seconds = (self._day.close_ns - self._day.open_ns) // SECOND
        end = min(second + _CHUNK, seconds)
        block = self._market.quotes(self._day.index, second, end)
        self._chunk = {name: getattr(block, name) for name in ("bid", "ask", "bid_size", "ask_size", "last", "volume")}
        self._chunk_from, self._chunk_to = second, end

    def _tell_events(self, until: int) -> None:
        now = self._clock.now()
        while self._pending_halts and self._pending_halts[0][0] <= until:
            ts, halted_symbol, halted = self._pending_halts.popleft()
            self._emit(
                HaltChanged(
                    ts_event=ts,
                    ts_init=now,
                    symbol=Symbol(halted_symbol),
                    halted=halted,
                    reason="volatility pause" if halted else "trading resumed",
                    source=self.name,
                )
            )
        while self._pending_news and self._pending_news[0].published_ns <= until:
            item = self._pending_news.popleft()
            self._emit(
                NewsArrived(
                    ts_event=item.published_ns,
                    ts_init=now,
                    id=item.id,
                    symbols=(Symbol(item.symbol),) if item.symbol else (),
                    headline=item.headline,
                    body=item.body,
                    kind=item.kind,
                    source=self.name,
                )
            )

    # --- depth

    def _arm_depth(self) -> None:
        step = round(SECOND / self._settings.depth_hz)
        when = max(self._clock.now(), self._day.open_ns) + step
        self._depth_timer = self._clock.call_at(when, self._on_depth)

    def _on_depth(self) -> None:
        self._depth_timer = None
        if not self._deep:
            return
        now = self._clock.now()
        if self._day.open_ns <= now < self._day.close_ns:
            for symbol, book in self._deep.items():
                book.advance(now)
                bids, asks = book.depth(self._settings.depth_levels)
                self._emit(
                    BookChanged(
                        ts_event=now,
                        ts_init=now,
                        symbol=symbol,
                        bid_prices=tuple(bids[:, 0].tolist()),
                        bid_sizes=tuple(bids[:, 1].tolist()),
                        ask_prices=tuple(asks[:, 0].tolist()),
                        ask_sizes=tuple(asks[:, 1].tolist()),
                        source=self.name,
                    )
                )
        self._arm_depth()

    # --- history

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        return self.bars(symbol, seconds, count, end_ns)

    def bars(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        """The same, without waiting. None for an unknown symbol and intervals other than 60, 300 and 86 400 s."""
        row = self._rows.get(symbol)
        if row is None or seconds not in (60, 300, 86_400) or count <= 0:
            return None
        day = self._day_at(end_ns)
        return (
            self._daily(row, day, count, end_ns) if seconds == 86_400 else self._short(row, day, seconds, count, end_ns)
        )

    def _daily(self, row: int, day: Day, count: int, end_ns: int) -> BarColumnsByName | None:
        end_day = day.index + 1 if day.close_ns <= end_ns else day.index
        block = self._block(end_day, count, 86_400)
        columns = _row_of(block, row)
        columns["ts_close"] = np.array(
            [self._market.session(index).close_ns for index in range(end_day - count, end_day)], dtype=np.int64
        )
        return columns

    def _short(self, row: int, day: Day, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        parts: list[Mapping[str, NDArray[Any]]] = []
        have = 0
        index = day.index if end_ns - day.open_ns >= seconds * SECOND else day.index - 1
        while have < count:
            part = _row_of(self._block(index, 1, seconds), row)
            # A minute without a trade has no bar, as live; what had not ended is not history.
            keep = (part["volume"] > 0) & (part["ts_open"] + seconds * SECOND <= end_ns)
            parts.append({name: column[keep] for name, column in part.items()})
            have += int(keep.sum())
            index -= 1
            if day.index - index > count + 10:
                break  # a symbol that never trades
        parts.reverse()
        return {name: np.concatenate([part[name] for part in parts])[-count:] for name in parts[0]}

    def _block(self, day: int, count: int, seconds: int) -> Any:
        key = (day, count, seconds)
        block = self._blocks.get(key)
        if block is None:
            if seconds == 86_400:
                block = self._market.daily_bars(day, count)
            else:
                block = self._market.intraday_bars(day, seconds)
            # Today's are dropped by refresh(): own trades move them.
            if len(self._blocks) >= 64:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[key] = block
        return block

    def _day_at(self, at_ns: int) -> Day:
        """The newest session that had begun by ``at_ns``."""
        day = self._day
        while day.open_ns > at_ns:
            day = self._market.session(day.index - 1)
        while (following := self._market.session(day.index + 1)).open_ns <= at_ns:
            day = following
        return day


_FIELDS = ("open", "high", "low", "close", "volume")


def _row_of(block: Any, row: int) -> dict[str, NDArray[Any]]:
    return {
        "ts_open": np.array(block.ts_open[row], dtype=np.int64),
        **{
            name: np.array(getattr(block, name)[row], dtype=np.float64)
            for name in ("open", "high", "low", "close", "volume")
        },
    }
