"""The order book of one symbol and session, with own orders in its queues."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.simulation.market.book_kernel import DEPTH, move_reference, read_depth, run, take, walk_deeper
from engine.simulation.market.book_queue import (
    ASK,
    BID,
    CLOCK,
    CROSSED,
    EVENTS,
    FILLS,
    FREE,
    NEXT,
    ORDERS,
    OWN,
    OWN_COUNT,
    OWNER,
    POOL,
    PRICE,
    PRINTS,
    QTY,
    SECOND,
    SHARES,
    SIDE,
    STATE,
    append,
    best_price,
    unlink,
)
from engine.simulation.market.columns import Floats, TradeColumns
from engine.simulation.market.draws import child_key
from engine.simulation.market.impact import Propagator
from engine.simulation.market.sessions import SessionDay

SECOND_NS = 1_000_000_000
LOG = 16_384
PRICE_OF_FILL = 2
"""Column of the price in the fill log."""
COLLAR = 0.10
"""A market order never trades further than this from the best price; what is left is cancelled."""


class BookFill(NamedTuple):
    """A fill of an own order."""

    order_id: int
    owner: str
    ts_ns: int
    side: int
    price: float
    qty: int
    is_maker: bool


class BookRefusal(Exception):
    """The book does not take this order; `code` says why in one word."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class BookFrame:
    """What a book needs to know about its symbol and session."""

    symbol: str
    key: np.uint64
    session: SessionDay
    tick: float
    level_size: float
    open_ticks: float


class SimBook:
    """A book that moves only when told to; the same calls give the same events every time.

    Own orders queue first in, first out, with the crowd's. Own aggressive fills feed the propagator, whose shift moves
    the reference quote from the next second on. Two own orders never trade with each other: the newer one's rest is
    cancelled.
    """

    def __init__(
        self, frame: BookFrame, first_bid: int, first_spread: int, columns: tuple[Any, ...], propagator: Propagator
    ) -> None:
        self._frame = frame
        self.symbol = frame.symbol
        self._bid, self._spread, self._price, self._size, self._side, self._offset = columns
        self._propagator = propagator
        # The rarer the quote moves, the longer before a move the queue is taken by those who know.
        moves = float(np.mean(np.diff(self._bid) != 0))
        self._look = int(min(max(0.4 / max(moves, 1e-3), 2.0), 8.0))
        top = int(frame.open_ticks * 3.0) + 2000
        state = np.zeros(STATE, dtype=np.int64)
        free = np.arange(POOL - 1, 0, -1, dtype=np.int64)
        state[FREE] = free.shape[0]
        pool = np.zeros((POOL, 6), dtype=np.int64)
        levels = np.zeros((2, top, 4), dtype=np.int64)
        own = np.zeros(OWN, dtype=np.int64)
        self._arrays: Any = (
            state, pool, free, levels, own, np.zeros((LOG, 4), dtype=np.int64), np.zeros((LOG, 5), dtype=np.int64)
        )  # fmt: skip
        self._state = state
        self._orders: dict[int, tuple[str, int]] = {}
        self._prints: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self._fills: list[BookFill] = []
        self._next_id = 1
        state[BID], state[ASK] = first_bid, first_bid + first_spread
        start = child_key(child_key(frame.key, 41), frame.session.index)
        move_reference(self._arrays, start, 0, first_bid, first_bid + first_spread, frame.level_size)

    # ---- time ----------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """How far the book has advanced, UTC ns."""
        return self._frame.session.open_ns + int(self._state[CLOCK])

    @property
    def events(self) -> int:
        """Crowd events and prints so far."""
        return int(self._state[EVENTS])

    @property
    def crossed(self) -> int:
        """Seconds at whose end a bid stood at or above an offer; always 0."""
        return int(self._state[CROSSED])

    @property
    def is_halted(self) -> bool:
        """Whether trading is halted now, or the session is over."""
        second = int(self._state[CLOCK]) // SECOND_NS
        return bool(second >= self._spread.shape[0] or self._spread[second] == 0)

    def advance(self, to_ns: int) -> None:
        """Let the book live until `to_ns`; times already passed change nothing."""
        until = min(to_ns - self._frame.session.open_ns, self._spread.shape[0] * SECOND_NS)
        first = int(self._state[SECOND])
        if until <= int(self._state[CLOCK]):
            return
        last = min(until // SECOND_NS + 1, self._spread.shape[0])
        shift = np.zeros(last - first + 2, dtype=np.int64)
        if self._propagator.count:
            start_ns = self._frame.session.open_ns + first * SECOND_NS
            shift = np.rint(self._propagator.shift(start_ns, last - first + 2) * self._frame.open_ticks).astype(
                np.int64
            )
        done = False
        while not done:
            done = run(
                self._arrays, self._frame.key, self._frame.session.index, self._frame.level_size, self._look, until,
                shift, first, self._bid, self._spread, self._price, self._size, self._side, self._offset,
            )  # fmt: skip
            self._collect()

    # ---- what is seen --------------------------------------------------------------------------------------------

    def depth(self, levels: int) -> tuple[Floats, Floats]:
        """Bids and asks, best first, each [≤ levels, 2] of price and shares."""
        sides = []
        for side in (0, 1):
            out = np.zeros((levels, 2), dtype=np.int64)
            found = read_depth(self._arrays, side, out)
            part = out[:found].astype(np.float64)
            part[:, 0] = np.round(part[:, 0] * self._frame.tick, 6)
            sides.append(part)
        return sides[0], sides[1]

    def trades_since(self) -> TradeColumns:
        """Prints since the last call."""
        empty = np.zeros((0, 4), dtype=np.int64)
        log = np.concatenate(self._prints) if self._prints else empty
        self._prints.clear()
        prices = np.round(log[:, 1] * self._frame.tick, 6)
        return TradeColumns(log[:, 0] + self._frame.session.open_ns, prices, log[:, 2], log[:, 3].astype(np.int8))

    # ---- own orders ----------------------------------------------------------------------------------------------

    def submit(self, side: int, price: float | None, qty: int, owner: str) -> int:
        """Send an order now: side +1 buys, -1 sells; price None is a market order. Returns its id.

        Raises BookRefusal when it cannot be taken. A limit order rests with what does not match at once; what is left
        of a market order is cancelled.
        """
        state = self._state
        if side not in (1, -1):
            raise BookRefusal("SIDE", f"side must be +1 or -1, not {side!r}")
        if qty < 1 or qty != int(qty):
            raise BookRefusal("QUANTITY", f"quantity must be a whole number of shares from 1 on, not {qty!r}")
        if self.is_halted:
            raise BookRefusal("HALTED", f"{self.symbol} does not trade now")
        opposite = self._best(1 if side > 0 else 0)
        limit = self._limit_ticks(side, price, opposite)
        if price is not None and state[OWN_COUNT] >= OWN:
            raise BookRefusal("TOO_MANY", f"{OWN} own orders rest already")
        number = self._next_id
        self._next_id += 1
        self._orders[number] = (owner, side)
        at = int(state[CLOCK])
        left = take(self._arrays, at, side, int(qty), limit, number)
        met_own = left < 0
        left = abs(left)
        if left and not met_own and self._best(1 if side > 0 else 0) == 0:
            key = child_key(child_key(self._frame.key, 42), number)
            left = walk_deeper(self._arrays, key, at, side, left, limit, number, self._frame.level_size)
        filled = int(qty) - left
        if filled:
            self._propagator.add(self.now_ns, float(side * filled))
            self._step_back(side, number)
        if left and price is not None and not met_own:
            state, pool, free, levels, own = self._arrays[:5]
            append(state, pool, free, levels, own, 0 if side > 0 else 1, limit, left, number)
        self._collect()
        return number

    def cancel(self, order_id: int) -> int:
        """Cancel an own order; returns the shares cancelled, 0 when nothing of it rests."""
        row = self._find(order_id)
        if row == 0:
            return 0
        left = int(self._arrays[1][row, QTY])
        state, pool, free, levels, own = self._arrays[:5]
        unlink(state, pool, free, levels, own, row)
        return left

    def resting(self, order_id: int) -> int:
        """Shares of an own order that still rest."""
        row = self._find(order_id)
        return int(self._arrays[1][row, QTY]) if row else 0

    def ahead(self, order_id: int) -> int:
        """Shares that stand before an own order in its queue."""
        pool, levels = self._arrays[1], self._arrays[3]
        mine = self._find(order_id)
        if mine == 0:
            return 0
        row, total = int(levels[pool[mine, SIDE], pool[mine, PRICE], 0]), 0
        while row != mine:
            total += int(pool[row, QTY])
            row = int(pool[row, NEXT])
        return total

    def fills(self) -> tuple[BookFill, ...]:
        """Own fills since the last call, in order."""
        fills = tuple(self._fills)
        self._fills.clear()
        return fills

    def check(self) -> None:
        """Raise AssertionError when shares or orders are lost or doubled, or the book is crossed."""
        state, pool, free, levels, own = self._arrays[:5]
        live = np.setdiff1d(np.arange(1, POOL), free[: state[FREE]])
        if int(levels[:, :, ORDERS].sum()) != live.size or int(levels[:, :, SHARES].sum()) != int(
            pool[live, QTY].sum()
        ):
            raise AssertionError(f"{self.symbol}: queues and orders disagree")
        if np.any(pool[live, QTY] < 1) or np.any(pool[own[: state[OWN_COUNT]], OWNER] < 1):
            raise AssertionError(f"{self.symbol}: an order without shares")
        bids, asks = self.depth(1)
        if len(bids) and len(asks) and bids[0, 0] >= asks[0, 0]:
            raise AssertionError(f"{self.symbol}: crossed, {bids[0, 0]} bid over {asks[0, 0]} offered")

    # ---- inside --------------------------------------------------------------------------------------------------

    def _limit_ticks(self, side: int, price: float | None, opposite: int) -> int:
        top = self._arrays[3].shape[1]
        if price is None:
            if opposite == 0:
                raise BookRefusal("EMPTY", f"{self.symbol} has no quote to trade against")
            collar = opposite * (1.0 + side * COLLAR)
            return int(min(max(collar, 1), top - 1))
        ticks = price / self._frame.tick
        if not np.isfinite(ticks) or abs(ticks - round(ticks)) > 1e-6 * max(abs(ticks), 1.0):
            raise BookRefusal("TICK", f"price {price!r} is not a multiple of {self._frame.tick}")
        if not 1 <= round(ticks) < top:
            raise BookRefusal("PRICE", f"price {price!r} is outside {self._frame.tick}…{top * self._frame.tick:.2f}")
        return round(ticks)

    def _step_back(self, side: int, number: int) -> None:
        """Let the quote stand where the walk ended; the next second brings it back as far as the impact allows."""
        state = self._state
        best = self._best(1 if side > 0 else 0)
        if best == 0:
            best = int(self._arrays[6][state[FILLS] - 1, PRICE_OF_FILL]) + side
        bid, ask = int(state[BID]), int(state[ASK])
        if side > 0 and best > ask:
            ask = best
        elif side < 0 and best < bid:
            bid = best
        else:
            return
        key = child_key(child_key(self._frame.key, 43), number)
        move_reference(self._arrays, key, int(state[CLOCK]), bid, ask, self._frame.level_size)

    def _best(self, side: int) -> int:
        state, pool, _, levels, own = self._arrays[:5]
        return int(best_price(state, pool, levels, own, side, DEPTH))

    def _find(self, order_id: int) -> int:
        pool, own = self._arrays[1], self._arrays[4]
        for row in own[: self._state[OWN_COUNT]]:
            if pool[row, OWNER] == order_id:
                return int(row)
        return 0

    def _collect(self) -> None:
        state = self._state
        if state[PRINTS]:
            self._prints.append(self._arrays[5][: state[PRINTS]].copy())
            state[PRINTS] = 0
        for number, at, price, qty, maker in self._arrays[6][: state[FILLS]].tolist():
            owner, side = self._orders[number]
            ts = self._frame.session.open_ns + at
            money = round(price * self._frame.tick, 6)
            self._fills.append(BookFill(number, owner, ts, side, money, qty, bool(maker)))
        state[FILLS] = 0
