"""Ticks of one symbol, field by field, to quotes, trades and halts. The broker's tick numbers and sentinels end here.

Bid and ask come as separate messages; a packet's worth makes one quote. Delayed prices are 15 minutes old, and their
events say so.
"""

import math
import re
from collections.abc import Callable

from engine.bus.clock import MILLISECOND, SECOND, Clock
from engine.collection.provider import Emit
from engine.model.events.market import HaltChanged, NewsArrived, QuoteTick, TradeTick
from engine.model.ids import Symbol
from engine.model.market import DataType

SOURCE = "ibkr"
_BID, _ASK, _LAST = frozenset({1, 66}), frozenset({2, 67}), frozenset({4, 68})
_BID_SIZE, _ASK_SIZE = frozenset({0, 69}), frozenset({3, 70})
_LATE = frozenset({66, 67, 68, 69, 70, 71})
_TRADES = 48
_HALTED = frozenset({49, 90})
_SHORTABLE, _SHORTABLE_SHARES = 46, 89
_DELAY_NS = 900 * SECOND
_HOLD_NS = SECOND
"""A side that alone passed the other waits this long for it: many gateways send each side in a packet of its own."""
_PATIENCE = 3
_META = re.compile(r"^\{[^{}]*\}\s*!?\s*")
"""Headlines begin with the source's own marks: `{A:800015:L:en}!Text`."""
_HEADLINE_MOST = 500


class Ticks:
    """The state of one line. A sink of the connection."""

    def __init__(
        self,
        symbol: Symbol,
        emit: Emit,
        clock: Clock,
        dirty: Callable[["Ticks"], None],
        on_error: Callable[["Ticks", int, str], None],
    ) -> None:
        """``dirty`` hears that a quote is to be told at the packet's end; ``on_error`` hears codes of this line."""
        self.symbol = symbol
        self.data_type = DataType.LIVE
        self.told = False
        """Whether anything has come on this line."""
        self.every_trade = False
        """Each trade comes on a line of its own; bundled ones are not told again."""
        self.bundled = False
        """Bundled trades were asked for; last prices repeat them, except where only delayed prices come."""
        self.shortable = math.nan
        self.shortable_shares = math.nan
        self._emit = emit
        self._clock = clock
        self._dirty = dirty
        self._on_error = on_error
        self._bid = self._ask = math.nan
        """As they came last. With no size behind it a price is none."""
        self._bid_size = self._ask_size = 0.0
        self._pending = False
        self._moved: set[str] = set()
        """The sides whose price came since a quote was told."""
        self._crossed_ns: int | None = None
        """Since when one side alone lies across the other."""
        self._last_seen = False
        self._single = self._bundles = False
        """Whether single and bundled trades come, which were only asked for so far."""
        self._waited = {"last": 0, "bundle": 0}
        """Trades of a kind left out because a better kind was asked for and has not come yet."""
        self._halted = False

    def __call__(self, kind: str, *values: object) -> None:
        handler = _HANDLERS.get(kind)
        if handler is not None:
            self.told = self.told or kind != "error"
            handler(self, *values)

    def flush(self) -> None:
        """Tell the quote if it changed in this packet."""
        if not self._pending:
            return
        self._pending = False
        now = self._clock.now()
        if self._waits(now):
            return
        self._moved.clear()
        self._emit(
            QuoteTick(
                ts_event=self._ts(now),
                ts_init=now,
                symbol=self.symbol,
                bid=self._bid if self._bid_size > 0 else math.nan,
                ask=self._ask if self._ask_size > 0 else math.nan,
                bid_size=self._bid_size,
                ask_size=self._ask_size,
                data_type=self.data_type,
                source=SOURCE,
            )
        )

    def _waits(self, now: int) -> bool:
        """Whether only one side of a move has come. What is crossed for longer is told, to be refused."""
        if not self._bid > self._ask or len(self._moved) > 1:
            self._crossed_ns = None
            return False
        if self._crossed_ns is None:
            self._crossed_ns = now
        return now - self._crossed_ns < _HOLD_NS

    def lost(self) -> None:
        """The line is gone: what it said is no price any more."""
        self._bid = self._ask = math.nan
        self._bid_size = self._ask_size = 0.0
        self._moved.clear()
        self._crossed_ns = None
        self._last_seen = self.told = False
        self._single = self._bundles = False
        self._waited = {"last": 0, "bundle": 0}

    def single_trade(self, ts_event: int, price: float, size: float) -> None:
        """Tell a trade of the line that has each of them alone."""
        self._single = True
        self.trade(ts_event, price, size)

    def trade(self, ts_event: int, price: float, size: float) -> None:
        """Tell one trade."""
        if not (price > 0 and math.isfinite(price) and size >= 0):
            return
        self._emit(
            TradeTick(
                ts_event=ts_event,
                ts_init=self._clock.now(),
                symbol=self.symbol,
                price=price,
                size=size,
                data_type=self.data_type,
                source=SOURCE,
            )
        )

    def _ts(self, now: int) -> int:
        late = self.data_type in (DataType.DELAYED, DataType.DELAYED_FROZEN)
        return now - _DELAY_NS if late else now

    def _changed(self) -> None:
        if not self._pending:
            self._pending = True
            self._dirty(self)

    def _price(self, tick: int, price: float, size: float) -> None:
        if tick in _LATE and self.data_type in (DataType.LIVE, DataType.FROZEN):
            self.data_type = DataType.DELAYED
        value = price if price > 0 else math.nan
        if tick in _BID:
            self._bid, self._bid_size = value, max(size, 0.0)
            self._moved.add("bid")
            self._changed()
        elif tick in _ASK:
            self._ask, self._ask_size = value, max(size, 0.0)
            self._moved.add("ask")
            self._changed()
        elif tick in _LAST:
            first, self._last_seen = not self._last_seen, True
            # The first one repeats a trade from before we asked.
            if not first and (tick in _LATE or self._best_of("last")):
                self.trade(self._ts(self._clock.now()), price, size)

    def _size(self, tick: int, size: float) -> None:
        if tick in _BID_SIZE:
            if size != self._bid_size:
                self._bid_size = size
                self._changed()
        elif tick in _ASK_SIZE:
            if size != self._ask_size:
                self._ask_size = size
                self._changed()
        elif tick == _SHORTABLE_SHARES:
            self.shortable_shares = size

    def _generic(self, tick: int, value: float) -> None:
        if tick in _HALTED and value >= 0:
            halted = value > 0
            if halted != self._halted:
                self._halted = halted
                now = self._clock.now()
                reason = {1.0: "halted", 2.0: "volatility halt"}.get(value, "halted") if halted else ""
                self._emit(
                    HaltChanged(
                        ts_event=now, ts_init=now, symbol=self.symbol, halted=halted, reason=reason, source=SOURCE
                    )
                )
        elif tick == _SHORTABLE:
            self.shortable = value

    def _string(self, tick: int, value: str) -> None:
        if tick != _TRADES:
            return
        # price;size;ms since 1970;volume of the day;vwap;one trade alone. An empty price is an odd lot.
        price, size, ms, *_ = value.split(";")
        self._bundles = True
        if price and size and ms and self._best_of("bundle"):
            self.trade(int(ms) * MILLISECOND, float(price), float(size))

    def _best_of(self, kind: str) -> bool:
        """Whether trades of a kind are the best that come. A better kind that was asked for gets a few to begin."""
        if (self.every_trade and self._single) or (kind == "last" and self.bundled and self._bundles):
            return False
        if self.every_trade or (kind == "last" and self.bundled):
            self._waited[kind] += 1
            return self._waited[kind] > _PATIENCE
        return True

    def _type(self, kind: int) -> None:
        try:
            self.data_type = DataType(kind)
        except ValueError:
            # A kind we do not know is certainly not one to trade on.
            self.data_type = DataType.DELAYED_FROZEN

    def _news(self, ms: int, provider: str, article: str, headline: str) -> None:
        shown = "".join(c if c.isprintable() else " " for c in _META.sub("", headline))
        text = " ".join(shown.split())[:_HEADLINE_MOST]
        if text:
            self._emit(
                NewsArrived(
                    ts_event=ms * MILLISECOND,
                    ts_init=self._clock.now(),
                    id=f"ibkr:{article}",
                    symbols=(self.symbol,),
                    headline=text,
                    kind=provider,
                    source=SOURCE,
                )
            )

    def _error(self, code: int, text: str) -> None:
        self._on_error(self, code, text)


_HANDLERS: dict[str, Callable[..., None]] = {
    "price": Ticks._price,
    "size": Ticks._size,
    "generic": Ticks._generic,
    "string": Ticks._string,
    "type": Ticks._type,
    "news": Ticks._news,
    "error": Ticks._error,
}
