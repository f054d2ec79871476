"""Imported files as a market: bars, quotes and trades of the archive, played on the clock.

A bar is played as a declared path, then as the ready bar:
- the open at the bar's start, the two extremes at a third and two thirds, the close one millisecond before its end;
- ``adverse`` (default): the extreme against the held position first: the low for a long or flat book, the high for a
  short one. So a stop inside a bar is met before a target inside the same bar. ``low_first``/``high_first`` are fixed;
- in a bar of an hour or more the open's quote is told once more six minutes later: it is the one price known near the
  open, so what waits until the first prices have settled trades there, not at an extreme of the bar;
- bid and ask lie half a declared spread around the drawn price, or come from paired bid and ask bars, whose drawn
  points are then taken from both;
- volume is shared evenly by the four points. Ticks drawn this way are marked ``synthetic`` and build no bars.
Quotes and trades of the archive are played as they are.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.bus.clock import MILLISECOND, SECOND, Clock, Timer
from engine.bus.errors import ProviderRefused
from engine.collection.provider import BarColumnsByName, DataKind, Emit
from engine.collection.settings import FilesSettings
from engine.model.events.base import Event
from engine.model.events.market import BarClosed, QuoteTick, TradeTick
from engine.model.ids import Symbol

Columns = Mapping[str, NDArray[Any]]
_BATCH = 4_096
"""Records turned into Python numbers at once."""
LONG_BAR_NS = 3_600 * SECOND
SETTLED_NS = 360 * SECOND
"""After this the first prices of a session have settled: the agent enters nothing in its first five minutes."""
_PLAYED = ("quote", "trade", "bar", "bid", "ask")


class Series(Protocol):
    """What the archive says of one series."""

    @property
    def symbol(self) -> str: ...
    @property
    def seconds(self) -> int: ...
    @property
    def kind(self) -> str: ...


class Archive(Protocol):
    """Where imported data is kept."""

    def list(self) -> Sequence[Series]: ...
    def read(
        self, symbol: str, seconds: int, from_ns: int | None = ..., to_ns: int | None = ..., *, kind: Any = ...
    ) -> Columns | None: ...
    def last(
        self, symbol: str, seconds: int, count: int, *, end_ns: int | None = ..., kind: Any = ...
    ) -> Columns | None: ...


Step = tuple[int, int, int, Callable[[int], Sequence[Event]]]
"""(UTC ns, rank, number of the player, makes the events given the time they are seen): in this order they are played.
Ready bars have rank 0, so that the bar of a span is told before the first tick of the next."""


class FilesProvider:
    """Plays what the archive holds from the clock's time on."""

    name = "files"
    kinds = frozenset({DataKind.QUOTES, DataKind.TRADES, DataKind.BARS, DataKind.HISTORY})

    def __init__(
        self,
        emit: Emit,
        clock: Clock,
        settings: FilesSettings,
        archive: Archive,
        held: Callable[[Symbol], float] = lambda symbol: 0.0,
        seconds: int | None = None,
        end_ns: int | None = None,
    ) -> None:
        """``held`` is the signed position, asked when a bar begins. ``seconds`` chooses the interval to be played; by
        default the finest a symbol has. ``end_ns`` ends the play (UTC ns)."""
        self._emit = emit
        self._clock = clock
        self._settings = settings
        self._archive = archive
        self._held = held
        self._seconds = seconds
        self._end_ns = end_ns
        self._series: dict[Symbol, dict[str, list[int]]] = {}
        self._players: dict[Symbol, Iterator[Step]] = {}
        self._queue: list[tuple[Step, Iterator[Step], Symbol]] = []
        self._numbers = 0
        self._timer: Timer | None = None
        self._running = False

    async def start(self) -> None:
        """Look at what the archive holds. Raises ``ProviderRefused`` when there is nothing to play."""
        self._series.clear()
        for series in self._archive.list():
            if series.kind in _PLAYED:
                kinds = self._series.setdefault(Symbol(series.symbol), {})
                kinds.setdefault(str(series.kind), []).append(series.seconds)
        if not self._series:
            raise ProviderRefused("the archive holds no bars, quotes or trades; import files first")
        self._running = True
        self._arm()

    async def stop(self) -> None:
        self._running = False
        self._players.clear()
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def symbols(self) -> tuple[Symbol, ...]:
        """Return every symbol that can be played."""
        return tuple(sorted(self._series))

    def next_wake(self) -> int | None:
        """UTC ns of the next thing to play; None when the files are at their end."""
        return self._queue[0][0][0] if self._queue else None

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        for symbol in symbols:
            if symbol in self._players or symbol not in self._series:
                continue
            self._numbers += 1
            player = self._players[symbol] = self._play(symbol, self._numbers, self._clock.now())
            self._push(player, symbol)
        self._arm()

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        for symbol in symbols:
            self._players.pop(symbol, None)

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        return self.bars(symbol, seconds, count, end_ns)

    def bars(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        """The same, without waiting; mid bars where only bid and ask bars are known."""
        kinds = self._series.get(symbol, {})
        if seconds in kinds.get("bar", ()):
            return _bars_only(self._archive.last(symbol, seconds, count, end_ns=end_ns, kind="bar"))
        if seconds in kinds.get("bid", ()) and seconds in kinds.get("ask", ()):
            bid = self._archive.last(symbol, seconds, count, end_ns=end_ns, kind="bid")
            ask = self._archive.last(symbol, seconds, count, end_ns=end_ns, kind="ask")
            if bid is not None and ask is not None:
                return _mid(*_paired(bid, ask))
        return None

    # --- playing

    def _push(self, player: Iterator[Step], symbol: Symbol) -> None:
        step = next(player, None)
        if step is not None and (self._end_ns is None or step[0] <= self._end_ns):
            heapq.heappush(self._queue, (step, player, symbol))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running and self._queue:
            self._timer = self._clock.call_at(self._queue[0][0][0], self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = self._clock.now()
        while self._running and self._queue and self._queue[0][0][0] <= now:
            step, player, symbol = heapq.heappop(self._queue)
            if self._players.get(symbol) is not player:
                continue  # no longer watched
            for event in step[3](now):
                self._emit(event)
            self._push(player, symbol)
        self._arm()

    def _play(self, symbol: Symbol, number: int, from_ns: int) -> Iterator[Step]:
        """Everything of one symbol in order of time: genuine ticks where there are any, else bars."""
        kinds = self._series[symbol]
        parts: list[Iterator[Step]] = []
        if self._seconds is None:
            if "quote" in kinds:
                parts.append(self._quotes(symbol, number, from_ns))
            if "trade" in kinds:
                parts.append(self._trades(symbol, number, from_ns))
        if not parts:
            both = sorted(set(kinds.get("bid", ())) & set(kinds.get("ask", ())))
            plain = sorted(kinds.get("bar", ()))
            wanted = [s for s in sorted({*both, *plain}) if self._seconds in (None, s)]
            if wanted and wanted[0] in both:
                parts.append(self._pairs(symbol, number, from_ns, wanted[0]))
            elif wanted:
                parts.append(self._bars(symbol, number, from_ns, wanted[0]))
        return heapq.merge(*parts, key=lambda step: step[:2])

    def _quotes(self, symbol: Symbol, number: int, from_ns: int) -> Iterator[Step]:
        for ts, bid, ask, bid_size, ask_size in self._rows(
            symbol, 0, "quote", from_ns, "ts", "bid", "ask", "bid_size", "ask_size"
        ):
            sizes = (bid_size if bid_size == bid_size else 0.0, ask_size if ask_size == ask_size else 0.0)
            yield ts, 1, number, _maker(self._quote(symbol, ts, bid, ask, *sizes))

    def _trades(self, symbol: Symbol, number: int, from_ns: int) -> Iterator[Step]:
        for ts, price, size, aggressor in self._rows(symbol, 0, "trade", from_ns, "ts", "price", "size", "aggressor"):
            amount = size if size == size else 0.0
            yield ts, 1, number, _maker(self._trade(symbol, ts, price, amount, int(aggressor)))

    def _bars(self, symbol: Symbol, number: int, from_ns: int, seconds: int) -> Iterator[Step]:
        half = self._settings.half_spread_bps * 1e-4
        fields = ("ts_open", "ts_close", "open", "high", "low", "close", "volume", "vwap", "trades")
        for start, end, *bar in self._rows(symbol, seconds, "bar", from_ns, *fields):
            low_first = self._low_first(symbol)
            share = bar[4] / 4 if bar[4] == bar[4] else 0.0
            for ts, price in zip(_times(start, end), _path(bar, low_first), strict=True):
                bid, ask = price * (1 - half), price * (1 + half)
                quote = self._quote(symbol, ts, bid, ask, share, share, synthetic=True)
                yield ts, 1, number, _maker(quote, self._trade(symbol, ts, price, share, 0, synthetic=True))
                if ts == start and end - start >= LONG_BAR_NS:
                    again = start + SETTLED_NS
                    quote = self._quote(symbol, again, bid, ask, share, share, synthetic=True)
                    yield again, 1, number, _maker(quote)
            yield end, 0, number, _maker(self._bar(symbol, seconds, start, end, bar))

    def _pairs(self, symbol: Symbol, number: int, from_ns: int, seconds: int) -> Iterator[Step]:
        bid = self._archive.read(symbol, seconds, from_ns, kind="bid")
        ask = self._archive.read(symbol, seconds, from_ns, kind="ask")
        if bid is None or ask is None:
            return
        bid, ask = _paired(bid, ask)
        mid = _mid(bid, ask)
        names = ("open", "high", "low", "close", "volume")
        for at in range(0, len(bid["ts_open"]), _BATCH):
            part = slice(at, at + _BATCH)
            for start, end, b, a, m in zip(
                bid["ts_open"][part].tolist(),
                bid["ts_close"][part].tolist(),
                zip(*(bid[name][part].tolist() for name in names), strict=True),
                zip(*(ask[name][part].tolist() for name in names), strict=True),
                zip(*(mid[name][part].tolist() for name in names), strict=True),
                strict=True,
            ):
                low_first = self._low_first(symbol)
                times = _times(start, end)
                drawn = list(zip(times, _path(b, low_first), _path(a, low_first), strict=True))
                if end - start >= LONG_BAR_NS:
                    drawn.insert(1, (start + SETTLED_NS, *drawn[0][1:]))
                for ts, bid_price, ask_price in drawn:
                    # The extremes of the two sides need not fall together; the drawn quote is never crossed.
                    high = max(bid_price, ask_price)
                    yield ts, 1, number, _maker(self._quote(symbol, ts, bid_price, high, 0.0, 0.0, synthetic=True))
                yield end, 0, number, _maker(self._bar(symbol, seconds, start, end, [*m, float("nan"), 0.0]))

    def _low_first(self, symbol: Symbol) -> bool:
        path = self._settings.path
        return path == "low_first" or (path == "adverse" and self._held(symbol) >= 0)

    def _rows(self, symbol: Symbol, seconds: int, kind: str, from_ns: int, *fields: str) -> Iterator[list[Any]]:
        columns = self._archive.read(symbol, seconds, from_ns, self._end_ns, kind=kind)
        if columns is None:
            return
        count = len(columns[fields[0]])
        for at in range(0, count, _BATCH):
            for row in zip(*(columns[name][at : at + _BATCH].tolist() for name in fields), strict=True):
                yield list(row)

    def _quote(
        self,
        symbol: Symbol,
        ts: int,
        bid: float,
        ask: float,
        bid_size: float,
        ask_size: float,
        *,
        synthetic: bool = False,
    ) -> Callable[[int], Event]:
        return lambda now: QuoteTick(
            ts_event=ts,
            ts_init=now,
            symbol=symbol,
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            source=self.name,
            synthetic=synthetic,
        )

    def _trade(
        self, symbol: Symbol, ts: int, price: float, size: float, aggressor: int, *, synthetic: bool = False
    ) -> Callable[[int], Event]:
        return lambda now: TradeTick(
            ts_event=ts,
            ts_init=now,
            symbol=symbol,
            price=price,
            size=size,
            aggressor=aggressor,
            source=self.name,
            synthetic=synthetic,
        )

    def _bar(self, symbol: Symbol, seconds: int, start: int, end: int, bar: Sequence[float]) -> Callable[[int], Event]:
        open_, high, low, close, volume, vwap, trades = bar
        return lambda now: BarClosed(
            ts_event=end,
            ts_init=now,
            symbol=symbol,
            seconds=seconds,
            ts_open=start,
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
            vwap=vwap,
            trades=int(trades) if trades == trades else 0,
            source=self.name,
        )


def _maker(*events: Callable[[int], Event]) -> Callable[[int], Sequence[Event]]:
    return lambda now: [event(now) for event in events]


def _times(start: int, end: int) -> tuple[int, int, int, int]:
    third = (end - start) // 3
    return start, start + third, start + 2 * third, max(end - MILLISECOND, start + 2 * third)


def _path(bar: Sequence[float], low_first: bool) -> tuple[float, float, float, float]:
    open_, high, low, close = bar[:4]
    return (open_, low, high, close) if low_first else (open_, high, low, close)


def _paired(bid: Columns, ask: Columns) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Only the bars that both sides have."""
    _, at_bid, at_ask = np.intersect1d(bid["ts_open"], ask["ts_open"], assume_unique=True, return_indices=True)
    return {name: column[at_bid] for name, column in bid.items()}, {name: c[at_ask] for name, c in ask.items()}


def _mid(bid: Columns, ask: Columns) -> dict[str, NDArray[Any]]:
    """Bars half-way between; high and low are the middle of the sides' own, so they still hold open and close."""
    mid: dict[str, NDArray[Any]] = {name: bid[name] for name in ("ts_open", "ts_close")}
    for name in ("open", "high", "low", "close"):
        mid[name] = (bid[name] + ask[name]) / 2
    mid["volume"] = np.nan_to_num(bid["volume"]) + np.nan_to_num(ask["volume"])
    return mid


def _bars_only(columns: Columns | None) -> BarColumnsByName | None:
    if columns is None:
        return None
    names = ("ts_open", "ts_close", "open", "high", "low", "close", "volume", "vwap", "trades")
    found = {name: columns[name] for name in names}
    found["trades"] = np.nan_to_num(found["trades"])
    return found
