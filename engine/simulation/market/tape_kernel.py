"""Quotes, prints and short bars of a session, read off the one-second refinement."""

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.jit import kernel
from engine.simulation.market.second_kernel import (
    LATEST_FIRST,
    N,
    displayed_size,
    fill_seconds,
    is_wide,
    print_offset_ns,
    trade_chance,
)
from engine.simulation.market.slot_kernel import HALTED, SPREAD, O, V


@kernel
def fill_quotes(
    keys: NDArray[np.uint64],
    day: int,
    rows: NDArray[np.int64],
    variance: NDArray[np.float64],
    usual_volume: NDArray[np.float64],
    per_second: NDArray[np.float64],
    level_size: NDArray[np.float64],
    tick: NDArray[np.float64],
    first: int,
    end: int,
    shift_of: NDArray[np.int64],
    shifts: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` [7, symbols, seconds]: bid, ask, their sizes, last, last size, volume at the end of each second.

    `shifts` [rows, seconds + 1] holds own impact in ticks; `shift_of` gives each symbol's row, -1 for none.
    """
    slots = rows.shape[1]
    path, bid = np.empty(N + 1), np.empty(N + 1, dtype=np.int64)
    price, size, side = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int8)
    for s in range(keys.shape[0]):
        volume, last, last_size = 0, rows[s, 0, O], 0
        # Start early enough to know the last print before `first`: its size, and the shift of its moment. A slot's
        # first print comes within its first `LATEST_FIRST` seconds.
        begin = first // N
        if first % N <= LATEST_FIRST:
            begin = max(begin - 1, 0)
        while begin > 0 and rows[s, begin, HALTED]:
            begin -= 1
        for k in range(begin):
            volume += rows[s, k, V]
        for k in range(begin, min((end - 1) // N + 1, slots)):
            row = rows[s, k]
            chance = trade_chance(per_second[s], row[V], usual_volume[s, k])
            fill_seconds(
                keys[s], day, k, slots, row, variance[s, k], chance, per_second[s], path, bid, price, size, side
            )
            for j in range(N):
                at = k * N + j
                if at >= end:
                    break
                if price[j] > 0:
                    last, last_size = price[j], size[j]
                    if shift_of[s] >= 0:
                        last = max(last + shifts[shift_of[s], at], 1)
                    volume += size[j]
                if at < first:
                    continue
                low, high = bid[j + 1], bid[j + 1] + row[SPREAD]
                if price[j] == 0 and not row[HALTED] and is_wide(keys[s], day, at):
                    low, high = low - 1, high + 1
                if shift_of[s] >= 0:
                    low += shifts[shift_of[s], at + 1]
                    high += shifts[shift_of[s], at + 1]
                low = max(low, 1)
                high = max(high, low + 1)
                c = at - first
                out[0, s, c] = low * tick[s]
                out[1, s, c] = high * tick[s]
                if row[HALTED]:
                    out[2, s, c], out[3, s, c] = 0.0, 0.0
                else:
                    out[2, s, c] = displayed_size(keys[s], day, at, 0, level_size[s])
                    out[3, s, c] = displayed_size(keys[s], day, at, 1, level_size[s])
                out[4, s, c] = last * tick[s]
                out[5, s, c] = last_size
                out[6, s, c] = volume


@kernel
def fill_prints(
    key: np.uint64,
    day: int,
    rows: NDArray[np.int64],
    variance: NDArray[np.float64],
    usual_volume: NDArray[np.float64],
    per_second: float,
    first: int,
    end: int,
    shift: NDArray[np.int64],
    bid_out: NDArray[np.int64],
    spread_out: NDArray[np.int64],
    price_out: NDArray[np.int64],
    size_out: NDArray[np.int64],
    side_out: NDArray[np.int8],
    offset_out: NDArray[np.int64],
) -> None:
    """One symbol's seconds [first, end) as columns; bid and spread (0: halted) are those at the end of the second."""
    slots = rows.shape[0]
    path, bid = np.empty(N + 1), np.empty(N + 1, dtype=np.int64)
    price, size, side = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int8)
    for k in range(first // N, min((end - 1) // N + 1, slots)):
        row = rows[k]
        chance = trade_chance(per_second, row[V], usual_volume[k])
        fill_seconds(key, day, k, slots, row, variance[k], chance, per_second, path, bid, price, size, side)
        for j in range(N):
            at = k * N + j
            if at < first or at >= end:
                continue
            c = at - first
            low, spread = bid[j + 1], row[SPREAD]
            if price[j] == 0 and not row[HALTED] and is_wide(key, day, at):
                low, spread = low - 1, spread + 2
            bid_out[c] = max(low + shift[at + 1], 1)
            spread_out[c] = 0 if row[HALTED] else spread
            price_out[c] = max(price[j] + shift[at], 1) if price[j] > 0 else 0
            size_out[c] = size[j]
            side_out[c] = side[j]
            offset_out[c] = print_offset_ns(key, day, at)


@kernel
def fold_bars(
    keys: NDArray[np.uint64],
    day: int,
    rows: NDArray[np.int64],
    variance: NDArray[np.float64],
    usual_volume: NDArray[np.float64],
    per_second: NDArray[np.float64],
    step: int,
    shift_of: NDArray[np.int64],
    shifts: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Fill `out` [5, symbols, bars] with open, high, low, close (ticks) and volume, `step` seconds of prints each."""
    slots = rows.shape[1]
    per_slot = N // step
    path, bid = np.empty(N + 1), np.empty(N + 1, dtype=np.int64)
    price, size, side = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int8)
    for s in range(keys.shape[0]):
        last = rows[s, 0, O]
        for k in range(slots):
            row = rows[s, k]
            chance = trade_chance(per_second[s], row[V], usual_volume[s, k])
            fill_seconds(
                keys[s], day, k, slots, row, variance[s, k], chance, per_second[s], path, bid, price, size, side
            )
            for b in range(per_slot):
                at = k * per_slot + b
                seen = False
                for j in range(b * step, (b + 1) * step):
                    if price[j] == 0:
                        continue
                    now = price[j]
                    if shift_of[s] >= 0:
                        now = max(now + shifts[shift_of[s], k * N + j], 1)
                    if not seen:
                        out[0, s, at], out[1, s, at], out[2, s, at], out[4, s, at] = now, now, now, 0
                        seen = True
                    out[1, s, at] = max(out[1, s, at], now)
                    out[2, s, at] = min(out[2, s, at], now)
                    out[3, s, at] = now
                    out[4, s, at] += size[j]
                    last = now
                if not seen:
                    out[0, s, at], out[1, s, at], out[2, s, at], out[3, s, at] = last, last, last, last
                    out[4, s, at] = 0
