"""One-second refinement of a slot: the bid path, the prints and the displayed sizes, exact under folding.

Trades of second j meet the quote at its start, `bid[j]`; the quote at its end, `bid[j + 1]`, holds their reaction.
The path is a Brownian bridge pinned to the slot's open, high, low and close and kept between its extremes. The bid
follows the efficient price only after a whole tick (zones of uncertainty), so the mid has no spurious bounce.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.draws import bits, mix, quick_normal, subkey, uniform
from engine.simulation.market.jit import kernel
from engine.simulation.market.slot_kernel import BID_CLOSE, BID_OPEN, HALTED, SPREAD, C, H, L, O, V

N = 300
LATEST_FIRST = 40
"""The first print of a slot comes no later than this second, its last no earlier than this before the end."""
RUN_SLOTS = 6
"""Runs of split orders are laid out afresh every half hour."""
RUN_EXPONENT = 1.4
"""Pareto exponent of their length in prints."""
RUN_SHARE = 0.70
"""Share of prints that belong to a split order."""
AHEAD_SHARE = 0.20
"""Share of prints on the side the price is about to go: what makes passive fills adverse."""
_U32 = 1.0 / 4294967296.0


@kernel
def trade_chance(per_second: float, volume: int, usual_volume: float) -> float:
    """Chance of a print in a second of this slot: grows with the root of the slot's volume."""
    return min(0.92, max(0.02, per_second * math.sqrt(volume / max(usual_volume, 1.0))))


@kernel
def _order_of_extremes(row: NDArray[np.int64], stream: np.uint64, first: int, last: int) -> tuple[int, int, bool]:
    """Two seconds strictly between the first and the last print, and whether the low comes first."""
    room = last - first - 1
    a = first + 1 + int(uniform(stream, 1000) * room)
    b = first + 1 + int(uniform(stream, 1001) * (room - 1))
    if b >= a:
        b += 1
    reach = row[H] - row[SPREAD] - row[L]
    lean = 0.5
    if reach > 0:
        lean += 0.5 * (row[BID_CLOSE] - row[BID_OPEN]) / reach
    return min(a, b), max(a, b), uniform(stream, 1002) < lean


@kernel
def fill_seconds(
    key: np.uint64,
    day: int,
    slot: int,
    slots: int,
    row: NDArray[np.int64],
    variance: float,
    chance: float,
    pace: float,
    path: NDArray[np.float64],
    bid: NDArray[np.int64],
    price: NDArray[np.int64],
    size: NDArray[np.int64],
    side: NDArray[np.int8],
) -> None:
    """Fill `path`, `bid` [301] and `price`, `size`, `side` [300] (0: no print) of one slot; prices in ticks."""
    if row[HALTED]:
        for j in range(N):
            bid[j] = row[BID_OPEN]
            path[j] = row[BID_OPEN] + 0.5
            price[j] = 0
            size[j] = 0
            side[j] = 0
        bid[N] = row[BID_CLOSE]
        path[N] = row[BID_CLOSE] + 0.5
        return
    stream = subkey(subkey(subkey(key, 21), day), slot)
    flow = mix(stream ^ np.uint64(0xA5A5A5A5A5A5A5A5))
    spread = row[SPREAD]
    first, last = 0, N - 1
    if slot > 0:
        first = min(int(-math.log(uniform(stream, 1003)) / chance), LATEST_FIRST)
    if slot < slots - 1:
        last = N - 1 - min(int(-math.log(uniform(stream, 1004)) / chance), LATEST_FIRST)
    one, two, low_first = _order_of_extremes(row, stream, first, last)
    bottom, top = row[L], row[H] - spread
    at_low, at_high = (one, two) if low_first else (two, one)

    sd = math.sqrt(variance / N)
    path[0] = 0.0
    for j in range(N):
        path[j + 1] = path[j] + sd * quick_normal(stream, j)
    # Pin the walk: slot open, the extremes, slot close.
    start, start_value, start_walk = first, float(row[BID_OPEN]), path[first]
    for j in range(first + 1):
        path[j] = start_value
    for leg in range(4):
        if leg == 0:
            stop, stop_value = one, float(bottom if low_first else top)
        elif leg == 1:
            stop, stop_value = two, float(top if low_first else bottom)
        elif leg == 2:
            stop, stop_value = last, float(row[BID_CLOSE])
        else:
            stop, stop_value = N, float(row[BID_CLOSE])
        if stop <= start:
            continue
        stop_walk = path[stop]
        slope = (stop_value - start_value - (stop_walk - start_walk)) / (stop - start)
        for j in range(start + 1, stop):
            value = start_value + path[j] - start_walk + slope * (j - start)
            if value > top:  # reflect at the extremes, then clamp
                value = max(2.0 * top - value, float(bottom))
            elif value < bottom:
                value = min(2.0 * bottom - value, float(top))
            path[j] = value
        path[stop] = stop_value
        start, start_value, start_walk = stop, stop_value, stop_walk

    now = row[BID_OPEN]
    for j in range(N + 1):
        value = path[j]
        if j in (one, two, last, N):
            now = int(value)
        elif abs(value - now) >= 1.0:
            now = math.floor(value + 0.5)
        bid[j] = now

    # Order flow: split orders, flow that the price is about to follow, and noise.
    reach = 0.5 * spread / max(sd, 1e-9)
    horizon = min(max(int(reach * reach), 1), 30)
    runs = subkey(subkey(subkey(key, 28), day), slot // RUN_SLOTS)
    run_number, run_end, run_side = 0, float(slot // RUN_SLOTS * RUN_SLOTS - slot) * N, np.int8(1)
    count = 0
    for j in range(N):
        draw = bits(flow, j)
        forced = j in (first, last, one, two)
        u = float(draw & np.uint64(0xFFFFFFFF)) * _U32
        if not forced and (j < first or j > last or u >= chance):
            price[j] = 0
            size[j] = 0
            side[j] = 0
            continue
        while run_end <= j:
            more = bits(runs, run_number)
            tail = (float(more & np.uint64(0xFFFFFFFF)) + 1.0) * _U32
            run_end += min(tail ** (-1.0 / RUN_EXPONENT), 400.0) / pace
            run_side = np.int8(1) if more >> np.uint64(63) else np.int8(-1)
            run_number += 1
        choice = float((draw >> np.uint64(32)) & np.uint64(0xFFFF)) / 65536.0
        way = np.int8(1) if draw >> np.uint64(63) else np.int8(-1)
        if choice < RUN_SHARE:
            way = run_side
        elif choice < RUN_SHARE + AHEAD_SHARE:
            ahead = path[min(j + horizon, N)] - path[j]
            if ahead > 0.0:
                way = np.int8(1)
            elif ahead < 0.0:
                way = np.int8(-1)
        if j == first:
            way = np.int8(1) if row[O] > row[BID_OPEN] else np.int8(-1)
        elif j == last:
            way = np.int8(1) if row[C] > row[BID_CLOSE] else np.int8(-1)
        elif j == at_high:
            way = np.int8(1)
        elif j == at_low:
            way = np.int8(-1)
        side[j] = way
        price[j] = bid[j] + (spread if way > 0 else 0)
        # Pareto sizes of exponent 2.5, kept as weights until the slot's volume is shared out.
        lot = (float((draw >> np.uint64(43)) & np.uint64(0xFFFFF)) + 1.0) / 1048577.0
        size[j] = int(lot**-0.4 * 1024.0)
        count += 1
    # Each print gets one share and its part of the rest, so the sizes add up to the slot's volume exactly.
    total_weight = 0
    for j in range(N):
        total_weight += size[j]
    left = row[V] - count
    seen, given = 0, 0
    for j in range(N):
        if size[j] > 0:
            seen += size[j]
            upto = left * seen // total_weight
            size[j] = 1 + upto - given
            given = upto


@kernel
def print_offset_ns(key: np.uint64, day: int, second: int) -> int:
    """Where in its second a print falls, ns."""
    return int(bits(subkey(subkey(key, 22), day), second) % np.uint64(1_000_000_000))


@kernel
def is_wide(key: np.uint64, day: int, second: int) -> bool:
    """Whether both sides step back one tick at the end of a second without a print."""
    return int(bits(subkey(subkey(key, 23), day), second) % np.uint64(16)) == 0


@kernel
def displayed_size(key: np.uint64, day: int, second: int, level: int, usual: float) -> float:
    """Shares displayed at a price: exponential around `usual`, the same for four seconds, whole lots when large."""
    stream = subkey(subkey(key, 24 + level), day)
    shares = usual * (0.15 - 0.85 * math.log(uniform(stream, second // 4)))
    if shares >= 200.0:
        return math.floor(shares / 100.0) * 100.0
    return max(1.0, math.floor(shares))
