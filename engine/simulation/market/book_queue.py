"""Queues of an order book in flat arrays: one first-in-first-out list per side and price.

`pool` rows are orders, row 0 means none. `levels` [2, prices, 4] holds head, tail, shares and orders of each queue;
side 0 is bids. The arrays span every price of the session, untouched pages cost nothing.
"""

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.jit import kernel

PRICE, QTY, OWNER, NEXT, PREV, SIDE = range(6)
"""Columns of `pool`; OWNER is 0 for the crowd, else the number of an own order."""
HEAD, TAIL, SHARES, ORDERS = range(4)
POOL = 4096
OWN = 512
"""Own orders that can rest at once."""

(BID, ASK, SECOND, EVENT, PRINTED, FREE, OWN_COUNT, PRINTS, FILLS, EVENTS, CROSSED, CLOCK) = range(12)
"""Columns of `state`: reference bid and ask, second, event within it, whether its print is done, free rows, resting own
orders, entries in the print and fill logs, events so far, seconds that ended crossed, time after the open, ns."""
STATE = 12


@kernel
def append(
    state: NDArray[np.int64],
    pool: NDArray[np.int64],
    free: NDArray[np.int64],
    levels: NDArray[np.int64],
    own: NDArray[np.int64],
    side: int,
    price: int,
    qty: int,
    owner: int,
) -> int:
    """Put an order at the back of its queue; 0 when there is no room."""
    if state[FREE] == 0 or (owner > 0 and state[OWN_COUNT] >= OWN):
        return 0
    state[FREE] -= 1
    row = free[state[FREE]]
    level = levels[side, price]
    order = pool[row]
    order[PRICE], order[QTY], order[OWNER], order[NEXT], order[PREV], order[SIDE] = (
        price,
        qty,
        owner,
        0,
        level[TAIL],
        side,
    )
    if level[TAIL] > 0:
        pool[level[TAIL], NEXT] = row
    else:
        level[HEAD] = row
    level[TAIL] = row
    level[SHARES] += qty
    level[ORDERS] += 1
    if owner > 0:
        own[state[OWN_COUNT]] = row
        state[OWN_COUNT] += 1
    return int(row)


@kernel
def unlink(
    state: NDArray[np.int64],
    pool: NDArray[np.int64],
    free: NDArray[np.int64],
    levels: NDArray[np.int64],
    own: NDArray[np.int64],
    row: int,
) -> None:
    """Take an order out of its queue and free its row."""
    order = pool[row]
    level = levels[order[SIDE], order[PRICE]]
    if order[PREV] > 0:
        pool[order[PREV], NEXT] = order[NEXT]
    else:
        level[HEAD] = order[NEXT]
    if order[NEXT] > 0:
        pool[order[NEXT], PREV] = order[PREV]
    else:
        level[TAIL] = order[PREV]
    level[SHARES] -= order[QTY]
    level[ORDERS] -= 1
    if order[OWNER] > 0:
        for i in range(state[OWN_COUNT]):
            if own[i] == row:
                for j in range(i, state[OWN_COUNT] - 1):
                    own[j] = own[j + 1]
                state[OWN_COUNT] -= 1
                break
    order[OWNER] = 0
    order[QTY] = 0
    free[state[FREE]] = row
    state[FREE] += 1


@kernel
def own_best(state: NDArray[np.int64], pool: NDArray[np.int64], own: NDArray[np.int64], side: int) -> int:
    """Best own resting price on a side; 0 for none."""
    best = 0
    for i in range(state[OWN_COUNT]):
        order = pool[own[i]]
        if order[SIDE] == side and (best == 0 or (order[PRICE] > best if side == 0 else order[PRICE] < best)):
            best = order[PRICE]
    return int(best)


@kernel
def best_price(
    state: NDArray[np.int64],
    pool: NDArray[np.int64],
    levels: NDArray[np.int64],
    own: NDArray[np.int64],
    side: int,
    depth: int,
) -> int:
    """Best price with an order on a side; 0 for none. The crowd is within `depth` ticks of the reference."""
    mine = own_best(state, pool, own, side) if state[OWN_COUNT] > 0 else 0
    found = 0
    for i in range(depth):
        price = state[BID] - i if side == 0 else state[ASK] + i
        if price < 1 or price >= levels.shape[1]:
            break
        if levels[side, price, ORDERS] > 0:
            found = price
            break
    if mine == 0:
        return found
    if found == 0:
        return mine
    return max(mine, found) if side == 0 else min(mine, found)
