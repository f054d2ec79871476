"""The life of an order book between two moments: a crowd round the reference quote, prints, moves, own orders.

The crowd is queue-reactive (Huang, Lehalle, Rosenbaum 2015): at each price it adds when the queue is shorter than usual
and cancels when it is longer. The reference quote is that of the one-second tape, shifted by own impact; prints of the
tape take the queue in order, and what the queue cannot fill comes from hidden size. When the reference passes an own
order, the order is filled at its limit, as far as the sweep reaches. The crowd never places at or through an own order.
"""

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.book_queue import (
    ASK,
    BID,
    CLOCK,
    CROSSED,
    EVENT,
    EVENTS,
    FILLS,
    HEAD,
    NEXT,
    ORDERS,
    OWN_COUNT,
    OWNER,
    PREV,
    PRICE,
    PRINTED,
    PRINTS,
    QTY,
    SECOND,
    SHARES,
    SIDE,
    TAIL,
    append,
    best_price,
    own_best,
    unlink,
)
from engine.simulation.market.draws import bits, subkey, uniform
from engine.simulation.market.jit import kernel

DEPTH = 12
"""Prices on each side the crowd stands at."""
BILLION = 1_000_000_000
LIT = 0.012
"""Part of a print that trades in this book; the rest is hidden size and other venues."""
LIT_INFORMED = 0.5
"""The same for prints the price is about to follow within some seconds: they come for the displayed size."""
ROOM = 1100
"""Log entries one second can need: every own order can be swept and met by the print."""

Arrays = tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64],
    NDArray[np.int64], NDArray[np.int64],
]  # fmt: skip
"""state, pool, free, levels, own, prints [n, 4] (time, price, size, side) and fills [n, 5] (owner, time, price, qty,
maker)."""


@kernel
def usual_shares(level_size: float, distance: int) -> float:
    """Shares the crowd likes to show `distance` ticks behind the best price: a hump at the second and third."""
    shape = 0.8 if distance == 0 else (1.15 if distance < 3 else 1.15 - 0.05 * (distance - 2))
    return level_size * shape


@kernel
def crowd_order(level_size: float, draw: float) -> int:
    """Size of one crowd order: a fifth of a level on average, in lots when large."""
    shares = level_size * 0.2 * (0.25 - 0.75 * np.log(draw))
    if shares >= 150.0:
        return int(shares / 100.0 + 0.5) * 100
    return max(1, int(shares))


@kernel
def seed_level(a: Arrays, key: np.uint64, side: int, price: int, distance: int, level_size: float) -> None:
    """Fill an empty crowd queue to about its usual size, behind own orders that wait there."""
    state, pool, free, levels, own, _, _ = a
    target = usual_shares(level_size, distance) * (0.4 + 1.2 * uniform(key, 0))
    for i in range(8):
        if i > 0 and levels[side, price, SHARES] >= target:
            break
        append(state, pool, free, levels, own, side, price, crowd_order(level_size, uniform(key, i + 1)), 0)


@kernel
def clear_level(a: Arrays, side: int, price: int) -> None:
    """Take the crowd away from a price; own orders stay."""
    state, pool, free, levels, own, _, _ = a
    row = levels[side, price, HEAD]
    while row > 0:
        after = pool[row, NEXT]
        if pool[row, OWNER] == 0:
            unlink(state, pool, free, levels, own, row)
        row = after


@kernel
def log_print(a: Arrays, at: int, price: int, qty: int, side: int) -> None:
    """Add a print to the log."""
    state, prints = a[0], a[5]
    if state[PRINTS] < prints.shape[0]:
        entry = prints[state[PRINTS]]
        entry[0], entry[1], entry[2], entry[3] = at, price, qty, side
        state[PRINTS] += 1


@kernel
def log_fill(a: Arrays, owner: int, at: int, price: int, qty: int, maker: int) -> None:
    """Add an own fill to the log."""
    state, fills = a[0], a[6]
    if state[FILLS] < fills.shape[0]:
        entry = fills[state[FILLS]]
        entry[0], entry[1], entry[2], entry[3], entry[4] = owner, at, price, qty, maker
        state[FILLS] += 1


@kernel
def take(a: Arrays, at: int, taker_side: int, qty: int, limit: int, taker: int) -> int:
    """Match an aggressive order against the opposite queues up to `limit`; returns the shares left.

    `taker` is the own order number, 0 for the crowd. It stops before it would meet another own order of the same
    account (a negative result says so: -shares left).
    """
    state, pool, free, levels, own, _, _ = a
    side = 1 if taker_side > 0 else 0
    while qty > 0 and state[FILLS] + 2 <= a[6].shape[0]:
        price = best_price(state, pool, levels, own, side, DEPTH)
        if price == 0 or (price > limit if taker_side > 0 else price < limit):
            break
        row = levels[side, price, HEAD]
        maker = pool[row, OWNER]
        if maker > 0 and taker > 0:
            return -qty
        done = min(qty, pool[row, QTY])
        qty -= done
        if maker > 0:
            log_fill(a, maker, at, price, done, 1)
        if taker > 0:
            log_fill(a, taker, at, price, done, 0)
        if taker > 0 or maker > 0:
            log_print(a, at, price, done, taker_side)
        if done == pool[row, QTY]:
            unlink(state, pool, free, levels, own, row)
        else:
            pool[row, QTY] -= done
            levels[side, price, SHARES] -= done
    return qty


@kernel
def sweep_own(a: Arrays, key: np.uint64, at: int, bid: int, ask: int, level_size: float) -> None:
    """Fill own orders the reference has passed: buys at or above the new offer, sells at or below the new bid.

    When only their own side has stepped back, the level was either traded away or cancelled: even chances.
    """
    state, pool, free, levels, own, _, _ = a
    i = 0
    while i < state[OWN_COUNT] and state[FILLS] < a[6].shape[0]:
        row = own[i]
        order = pool[row]
        price, side = order[PRICE], order[SIDE]
        passed = price - ask if side == 0 else bid - price
        if passed < 0:
            gone = bid < price <= state[BID] if side == 0 else ask > price >= state[ASK]
            if not gone or uniform(key, 200 + order[OWNER]) < 0.5:
                i += 1
                continue
            passed = 0
        done = min(order[QTY], int(2.0 * level_size * (passed + 1)) + 1)
        log_fill(a, order[OWNER], at, price, done, 1)
        log_print(a, at, price, done, -1 if side == 0 else 1)
        if done == order[QTY]:
            unlink(state, pool, free, levels, own, row)
        else:
            order[QTY] -= done
            levels[side, price, SHARES] -= done
            i += 1


@kernel
def move_reference(a: Arrays, key: np.uint64, at: int, bid: int, ask: int, level_size: float) -> None:
    """Move the crowd to a new quote: leave what is out of reach, fill passed own orders, settle at new prices."""
    state, pool, _, levels, own, _, _ = a
    top = levels.shape[1]
    bid = min(max(bid, 1), top - 2)
    ask = min(max(ask, bid + 1), top - 1)
    best_buy, best_sell = 0, 0
    if state[OWN_COUNT] > 0:
        sweep_own(a, key, at, bid, ask, level_size)
        best_buy, best_sell = own_best(state, pool, own, 0), own_best(state, pool, own, 1)
        # A large own order can outlast the sweep; until it is filled the crowd stands on the far side of it.
        if best_sell > 0:
            bid = max(min(bid, best_sell - 1), 1)
        ask = min(max(ask, best_buy + 1), top - 1)
    old_bid, old_ask = state[BID], state[ASK]
    if bid != old_bid:
        for p in range(max(old_bid - DEPTH + 1, 1), old_bid + 1):
            if p > bid or p <= bid - DEPTH:
                clear_level(a, 0, p)
    if ask != old_ask:
        for p in range(old_ask, min(old_ask + DEPTH, top)):
            if p < ask or p >= ask + DEPTH:
                clear_level(a, 1, p)
    state[BID], state[ASK] = bid, ask
    for i in range(DEPTH):
        p = bid - i
        if p >= 1 and levels[0, p, ORDERS] == 0 and (best_sell == 0 or p < best_sell):
            seed_level(a, subkey(key, 2 * i), 0, p, i, level_size)
        p = ask + i
        if p < top and levels[1, p, ORDERS] == 0 and p > best_buy:
            seed_level(a, subkey(key, 2 * i + 1), 1, p, i, level_size)
    # An own order alone at the reference price is joined by the crowd.
    if bid != old_bid and levels[0, bid, ORDERS] == 1 and pool[levels[0, bid, HEAD], OWNER] > 0:
        seed_level(a, subkey(key, 100), 0, bid, 0, level_size)
    if ask != old_ask and levels[1, ask, ORDERS] == 1 and pool[levels[1, ask, HEAD], OWNER] > 0:
        seed_level(a, subkey(key, 101), 1, ask, 0, level_size)


@kernel
def crowd_event(a: Arrays, draw: np.uint64, lean: int, level_size: float) -> None:
    """One addition or cancellation; `lean` is the direction of the reference's next move."""
    state, pool, free, levels, own, _, _ = a
    side = int(draw & np.uint64(1))
    pick = int((draw >> np.uint64(1)) & np.uint64(63))
    distance = 0
    if pick >= 20:
        distance = 1 + (pick - 20) // 4 if pick < 60 else 11
    price = state[BID] - distance if side == 0 else state[ASK] + distance
    if price < 1 or price >= levels.shape[1]:
        return
    if state[OWN_COUNT] > 0:
        against = own_best(state, pool, own, 1 - side)
        if against > 0 and (price >= against if side == 0 else price <= against):
            return
    level = levels[side, price]
    chance = 0.85 - 0.35 * level[SHARES] / usual_shares(level_size, distance)
    if distance == 0:
        chance += 0.2 * (lean if side == 0 else -lean)
    u = float((draw >> np.uint64(8)) & np.uint64(0xFFFF)) / 65536.0
    size_draw = (float((draw >> np.uint64(24)) & np.uint64(0xFFFFF)) + 1.0) / 1048577.0
    if u < min(max(chance, 0.03), 0.97):
        if level[ORDERS] < 40:
            append(state, pool, free, levels, own, side, price, crowd_order(level_size, size_draw), 0)
        return
    if level[ORDERS] < 2:
        return
    # Newer orders are the more fickle: the cube keeps most cancellations near the back of the queue.
    v = float((draw >> np.uint64(44)) & np.uint64(0xFFFFF)) / 1048576.0
    row = level[TAIL]
    for _ in range(int(v * v * v * level[ORDERS])):
        row = pool[row, PREV]
    if pool[row, OWNER] == 0:
        unlink(state, pool, free, levels, own, row)


@kernel
def tape_print(
    a: Arrays, key: np.uint64, at: int, price: int, spread: int, size: int, side: int, lit: float, level_size: float
) -> None:
    """Let the `lit` part of a print take the queue at its price; better own prices come first."""
    state = a[0]
    bid = price - spread if side > 0 else price
    if state[BID] != bid or state[ASK] != bid + spread:
        move_reference(a, subkey(key, 7), at, bid, bid + spread, level_size)
    before = state[FILLS]
    take(a, at, side, max(1, int(size * lit + 0.5)), price, 0)
    own_part = 0
    for i in range(before, state[FILLS]):
        own_part += a[6][i, 3]
    # Prints against own orders are logged where they match; the rest of the print is one entry at the tape's price.
    if size > own_part:
        log_print(a, at, price, size - own_part, side)


@kernel
def run(
    a: Arrays,
    key: np.uint64,
    day: int,
    level_size: float,
    look: int,
    until_ns: int,
    shift: NDArray[np.int64],
    shift_from: int,
    bid: NDArray[np.int64],
    spread: NDArray[np.int64],
    price: NDArray[np.int64],
    size: NDArray[np.int64],
    side: NDArray[np.int8],
    offset: NDArray[np.int64],
) -> bool:
    """Advance to `until_ns` after the open; False when the logs must be read first.

    `look` is how many seconds informed prints are early. Columns are per second; spread 0 is a halt. `shift[i]` is own
    impact at the start of second `shift_from + i`, ticks.
    """
    state, pool, _, levels, own, _, _ = a
    seconds = bid.shape[0]
    stream = subkey(subkey(key, 40), day)
    while state[SECOND] < seconds:
        j = state[SECOND]
        start = j * BILLION
        if start >= until_ns:
            break
        if state[PRINTS] + ROOM > a[5].shape[0] or state[FILLS] + ROOM > a[6].shape[0]:
            return False
        here = subkey(stream, j)
        if spread[j] > 0:
            count = 40 + int(here % np.uint64(41))
            lean = int(np.sign(bid[j + 1] - bid[j])) if j + 1 < seconds else 0
            while True:
                i = state[EVENT]
                at = start + (i + 1) * BILLION // (count + 2) if i < count else start + BILLION
                if state[PRINTED] == 0 and price[j] > 0 and start + offset[j] <= min(at, until_ns):
                    state[PRINTED] = 1
                    moved = max(price[j] + shift[j - shift_from], 1)
                    ahead = bid[min(j + look, seconds - 1)] - bid[j]
                    lit = LIT_INFORMED if ahead * side[j] > 0 else LIT
                    tape_print(a, here, start + offset[j], moved, spread[j], size[j], side[j], lit, level_size)
                    state[EVENTS] += 1
                if i >= count or at > until_ns:
                    break
                crowd_event(a, bits(here, i), lean, level_size)
                state[EVENT] = i + 1
                state[EVENTS] += 1
        if start + BILLION > until_ns:
            break
        if spread[j] > 0:
            low = bid[j] + shift[j + 1 - shift_from]
            move_reference(a, subkey(here, 9), start + BILLION, low, low + spread[j], level_size)
        buy = best_price(state, pool, levels, own, 0, DEPTH)
        sell = best_price(state, pool, levels, own, 1, DEPTH)
        if buy > 0 and sell > 0 and buy >= sell:
            state[CROSSED] += 1
        state[SECOND] = j + 1
        state[EVENT] = 0
        state[PRINTED] = 0
    state[CLOCK] = max(state[CLOCK], until_ns)
    return True


@kernel
def walk_deeper(
    a: Arrays, key: np.uint64, at: int, taker_side: int, qty: int, limit: int, taker: int, level_size: float
) -> int:
    """Fill what is left of an own order against orders deeper than the crowd shows; returns the shares left."""
    state = a[0]
    price = state[ASK] + DEPTH if taker_side > 0 else state[BID] - DEPTH
    step = 1 if taker_side > 0 else -1
    tries = 0
    while (
        qty > 0
        and state[FILLS] < a[6].shape[0]
        and 1 <= price < a[3].shape[1]
        and (price <= limit if taker_side > 0 else price >= limit)
    ):
        done = min(qty, max(1, int(usual_shares(level_size, DEPTH) * (0.4 + 1.2 * uniform(key, tries)))))
        qty -= done
        log_fill(a, taker, at, price, done, 0)
        log_print(a, at, price, done, taker_side)
        price += step
        tries += 1
    return qty


@kernel
def read_depth(a: Arrays, side: int, out: NDArray[np.int64]) -> int:
    """Fill `out` [levels, 2] with price and shares from the best price on; returns how many there are."""
    state, pool, _, levels, own, _, _ = a
    price = best_price(state, pool, levels, own, side, DEPTH)
    if price == 0:
        return 0
    last = max(state[BID] - DEPTH + 1, 1) if side == 0 else min(state[ASK] + DEPTH - 1, levels.shape[1] - 1)
    for i in range(state[OWN_COUNT]):
        order = pool[own[i]]
        if order[SIDE] == side:
            last = min(last, order[PRICE]) if side == 0 else max(last, order[PRICE])
    found = 0
    while found < out.shape[0] and (price >= last if side == 0 else price <= last):
        if levels[side, price, ORDERS] > 0:
            out[found, 0] = price
            out[found, 1] = levels[side, price, SHARES]
            found += 1
        price += -1 if side == 0 else 1
    return found
