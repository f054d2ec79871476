"""Prices in columns: O(1) a tick, one packed block a frame."""

from typing import Protocol

import msgspec
import numpy as np

from engine.api.frames import QuoteBlock
from engine.api.rows import QuoteRow
from engine.bus.bus import Bus
from engine.model.events.market import FeedStale, HaltChanged, QuoteTick, TradeTick
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import DataType, Quote
from engine.views.table import Table

STALE, HALTED, DELAYED = 1, 2, 4


class QuoteSource(Protocol):
    def quote(self, symbol: Symbol) -> Quote | None: ...

    def instrument(self, symbol: Symbol) -> Instrument | None: ...


class QuoteView:
    """Follows ticks; clients ask for what changed since their last frame."""

    def __init__(self, bus: Bus, source: QuoteSource, table: Table, capacity: int = 8192) -> None:
        self._source = source
        self._table = table
        self._index: dict[Symbol, int] = {}
        self._symbols: list[Symbol] = []
        self._described: list[Instrument | None] = []
        """By index: the description that the static row was made of."""
        self._version = 0
        self._dirty = np.zeros(capacity, dtype=np.int64)
        self.ticks = 0
        bus.subscribe(QuoteTick, self._on_quote, owner="views.quotes")
        bus.subscribe(TradeTick, self._on_trade, owner="views.quotes")
        bus.subscribe(HaltChanged, self._on_halt, owner="views.quotes")
        bus.subscribe(FeedStale, self._on_stale, owner="views.quotes")

    @property
    def version(self) -> int:
        return self._version

    def symbol_count(self) -> int:
        return len(self._symbols)

    def add(self, symbol: Symbol) -> int:
        """Give ``symbol`` its index and its static row."""
        known = self._index.get(symbol)
        if known is not None:
            return known
        if len(self._symbols) == len(self._dirty):
            self._dirty = np.concatenate([self._dirty, np.zeros_like(self._dirty)])
        index = len(self._symbols)
        self._index[symbol] = index
        self._symbols.append(symbol)
        self._described.append(None)
        self._table.put(QuoteRow(key=symbol, index=index))
        self._describe(index)
        return index

    def badge(self, symbol: Symbol, *, held: bool | None = None, badges: tuple[str, ...] | None = None) -> None:
        """Change the static row's marks."""
        self.add(symbol)
        row = self._table.get(symbol)
        if isinstance(row, QuoteRow):
            self._table.put(
                msgspec.structs.replace(
                    row,
                    held=row.held if held is None else held,
                    badges=row.badges if badges is None else badges,
                )
            )

    def _describe(self, index: int) -> None:
        """Make the static row of what is known of the instrument now: a broker may describe it long after its start."""
        instrument = self._source.instrument(self._symbols[index])
        if instrument is None or instrument is self._described[index]:
            return
        self._described[index] = instrument
        row = self._table.get(self._symbols[index])
        if not isinstance(row, QuoteRow):
            return
        described = msgspec.structs.replace(
            row,
            name=instrument.name,
            sector=instrument.sector,
            kind=instrument.kind.value,
            tick=float(instrument.tick),
            currency=instrument.currency,
            multiplier=float(instrument.multiplier),
        )
        if described != row:
            self._table.put(described)

    def since(self, version: int) -> QuoteBlock | None:
        """Pack the quotes that changed after ``version``; ``None`` when none did."""
        changed = np.nonzero(self._dirty[: len(self._symbols)] > version)[0]
        if changed.size == 0:
            return None
        columns = np.full((7, changed.size), np.nan)
        stamps = np.zeros(changed.size, dtype=np.int64)
        flags = np.zeros(changed.size, dtype=np.uint8)
        for position, index in enumerate(changed.tolist()):
            self._describe(index)
            quote = self._source.quote(self._symbols[index])
            if quote is None:
                continue
            columns[:, position] = (
                quote.bid,
                quote.ask,
                quote.bid_size,
                quote.ask_size,
                quote.last,
                quote.volume,
                quote.previous_close,
            )
            stamps[position] = quote.ts_event
            flags[position] = (HALTED if quote.halted else 0) | (DELAYED if quote.data_type >= DataType.DELAYED else 0)
        packed = [row.tobytes() for row in columns]
        return QuoteBlock(
            index=changed.astype(np.int32).tobytes(),
            bid=packed[0],
            ask=packed[1],
            bid_size=packed[2],
            ask_size=packed[3],
            last=packed[4],
            volume=packed[5],
            previous_close=packed[6],
            ts=stamps.tobytes(),
            flags=flags.tobytes(),
        )

    def _touch(self, symbol: Symbol) -> None:
        index = self._index.get(symbol)
        if index is None:
            index = self.add(symbol)
        self._version += 1
        self._dirty[index] = self._version

    def _on_quote(self, event: QuoteTick) -> None:
        self.ticks += 1
        self._touch(event.symbol)

    def _on_trade(self, event: TradeTick) -> None:
        self.ticks += 1
        self._touch(event.symbol)

    def _on_halt(self, event: HaltChanged) -> None:
        self._touch(event.symbol)

    def _on_stale(self, event: FeedStale) -> None:
        if event.symbol is not None:
            self._touch(event.symbol)
