"""Five-minute slots: the base resolution of the intraday path, from which days are folded and seconds refined.

A slot is a row of integers, prices in ticks. Its open and close are prints at the bid or the offer; its extremes are
drawn from the exact law of the extremes of a Brownian bridge. The efficient price is a martingale in arithmetic time:
own, sector and market parts are bridged to what the daily layer decided, jumps fall between two slots.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.draws import bits, quick_normal, subkey, uniform
from engine.simulation.market.factor_kernel import FACTORS
from engine.simulation.market.jit import kernel

O, H, L, C, V, BID_OPEN, BID_CLOSE, SPREAD, HALTED = range(9)
"""Columns of a slot row; `BID_OPEN` and `BID_CLOSE` are the bids at its two prints, `SPREAD` its offer less bid."""
WIDTH = 9
HALT_JUMP = 0.08
"""An own jump this large halts the symbol for one slot."""
MARKET_HALT_JUMP = 0.04
"""A market jump this large halts everything for three slots."""
LEAST_VOLUME = 400
USUAL_SESSION_VOL = 0.0145
"""Standard deviation of a session at which the usual spread is quoted."""


@kernel
def factor_nodes(
    key: np.uint64,
    day: int,
    session: NDArray[np.float64],
    variance: NDArray[np.float64],
    curve: NDArray[np.float64],
    nodes: NDArray[np.float64],
) -> None:
    """Fill `nodes` [FACTORS, slots + 1]: the factors' returns since the open, bridged to `session`, without jumps."""
    slots = curve.shape[0]
    for f in range(FACTORS):
        stream = subkey(subkey(key, 7 + f), day)
        nodes[f, 0] = 0.0
        for k in range(slots):
            nodes[f, k + 1] = nodes[f, k] + math.sqrt(variance[f] * curve[k]) * quick_normal(stream, k)
        miss = session[f] - nodes[f, slots]
        share = 0.0
        for k in range(slots):
            share += curve[k]
            nodes[f, k + 1] += share * miss


@kernel
def jump_nodes(
    own_slot: int, own_jump: float, market_slot: int, market_jump: float, slots: int
) -> tuple[int, int, int, int]:
    """Slots whose start carries the own and the market jump, then the first slots an own and a market halt take.

    -1: none. A halt comes first and the jump shows when trading resumes.
    """
    own_halt = -1
    market_halt = -1
    if own_slot >= 0:
        own_slot = min(own_slot, slots - 3)
        if abs(own_jump) >= HALT_JUMP:
            own_halt = own_slot
            own_slot += 1
    if market_slot >= 0:
        market_slot = min(market_slot, slots - 5)
        if abs(market_jump) >= MARKET_HALT_JUMP:
            market_halt = market_slot
            market_slot += 3
    return own_slot, market_slot, own_halt, market_halt


@kernel
def fill_slots(
    key: np.uint64,
    day: int,
    open_ticks: float,
    beta: float,
    sector: int,
    nodes: NDArray[np.float64],
    factor_variance: NDArray[np.float64],
    own_session: float,
    own_variance: float,
    own_jump: float,
    own_slot: int,
    market_jump: float,
    market_slot: int,
    day_volume: float,
    usual_spread: int,
    variance_curve: NDArray[np.float64],
    volume_curve: NDArray[np.float64],
    out: NDArray[np.int64],
    out_variance: NDArray[np.float64],
) -> None:
    """Fill `out` [slots, WIDTH] and `out_variance` [slots], in squared ticks, for one symbol and session."""
    slots = variance_curve.shape[0]
    stream = subkey(subkey(key, 20), day)
    own_slot, market_slot, own_halt, market_halt = jump_nodes(own_slot, own_jump, market_slot, market_jump, slots)
    end = 0.0
    for k in range(slots):
        end += math.sqrt(own_variance * variance_curve[k]) * quick_normal(stream, 8 * k)
    miss = own_session - end
    total = beta * beta * factor_variance[0] + factor_variance[sector] + own_variance
    own, share = 0.0, 0.0
    left = open_ticks
    last_close = 0
    for k in range(slots):
        jumps = 0.0
        if 0 <= own_slot <= k:
            jumps += own_jump
        if 0 <= market_slot <= k:
            jumps += beta * market_jump
        start_x = beta * nodes[0, k] + nodes[sector, k] + own + share * miss
        own += math.sqrt(own_variance * variance_curve[k]) * quick_normal(stream, 8 * k)
        share += variance_curve[k]
        end_x = beta * nodes[0, k + 1] + nodes[sector, k + 1] + own + share * miss
        left = max(open_ticks * (1.0 + start_x + jumps), 4.0)
        right = max(open_ticks * (1.0 + end_x + jumps), 4.0)
        variance = total * variance_curve[k] * open_ticks * open_ticks
        out_variance[k] = variance
        coins = bits(stream, 8 * k + 1)
        # The spread widens with volatility and breathes by a tick.
        heat = math.sqrt(variance * slots) / (USUAL_SESSION_VOL * open_ticks)
        spread = max(int(usual_spread * min(max(heat, 0.8), 2.5) ** 0.7 + 0.5), 1)
        if spread > 1 or k < 6:
            tip = int(coins & np.uint64(15))
            if tip < 3:
                spread += 1
            elif tip > 12 and spread > 1:
                spread -= 1
        row = out[k]
        halted = (own_halt >= 0 and k == own_halt) or (market_halt >= 0 and market_halt <= k < market_halt + 3)
        if halted and k > 0:
            bid = max(last_close - spread, 1)
            row[O], row[H], row[L], row[C], row[V] = last_close, last_close, last_close, last_close, 0
            row[BID_OPEN], row[BID_CLOSE], row[SPREAD], row[HALTED] = bid, bid, spread, 1
            continue
        gap = right - left
        top = 0.5 * (left + right + math.sqrt(gap * gap - 2.0 * variance * math.log(uniform(stream, 8 * k + 2))))
        low = 0.5 * (left + right - math.sqrt(gap * gap - 2.0 * variance * math.log(uniform(stream, 8 * k + 3))))
        down = 0.5 - 0.5 * spread
        bid_open = max(math.floor(left + down), 1)
        bid_close = max(math.floor(right + down), 1)
        bid_high = max(max(math.floor(top + down), bid_open), bid_close)
        bid_low = max(min(min(math.floor(low + down), bid_open), bid_close), 1)
        row[BID_OPEN] = bid_open
        row[BID_CLOSE] = bid_close
        row[SPREAD] = spread
        row[HALTED] = 0
        row[O] = bid_open + (spread if coins & np.uint64(16) else 0)
        row[C] = bid_close + (spread if coins & np.uint64(32) else 0)
        row[H] = bid_high + spread
        row[L] = bid_low
        product = uniform(stream, 8 * k + 4) * uniform(stream, 8 * k + 5)
        product *= uniform(stream, 8 * k + 6) * uniform(stream, 8 * k + 7)
        busy = -0.25 * math.log(product) * (0.5 + 0.6266 * min(abs(gap) / math.sqrt(variance + 1e-12), 6.0))
        row[V] = max(int(day_volume * volume_curve[k] * busy), LEAST_VOLUME)
        last_close = row[C]


@kernel
def fill_days(
    factor_key: np.uint64,
    keys: NDArray[np.uint64],
    day0: int,
    first_row: int,
    slot_counts: NDArray[np.int64],
    variance_curves: NDArray[np.float64],
    volume_curves: NDArray[np.float64],
    factor_session: NDArray[np.float64],
    factor_variance: NDArray[np.float64],
    factor_jump: NDArray[np.float64],
    factor_slot: NDArray[np.int16],
    session: NDArray[np.float64],
    variance: NDArray[np.float64],
    jump: NDArray[np.float64],
    jump_slot: NDArray[np.int16],
    volume: NDArray[np.float64],
    open_level: NDArray[np.float64],
    ticks: NDArray[np.float64],
    adv: NDArray[np.float64],
    beta: NDArray[np.float64],
    sector: NDArray[np.int64],
    spreads: NDArray[np.int64],
    keep: bool,
    out: NDArray[np.int64],
    out_variance: NDArray[np.float64],
    daily: NDArray[np.int64],
) -> None:
    """Slots of consecutive days for all symbols.

    Curves are [days, slots], padded. With `keep`, `out` [days, symbols, slots, WIDTH] is filled; else only `daily`
    [days, symbols, 5], the fold of each day, and the first day of `out` is scratch.
    """
    nodes = np.empty((FACTORS, variance_curves.shape[1] + 1))
    for d in range(slot_counts.shape[0]):
        r = first_row + d
        n = slot_counts[d]
        var_curve, vol_curve = variance_curves[d, :n], volume_curves[d, :n]
        factor_nodes(factor_key, day0 + d, factor_session[r], factor_variance[r], var_curve, nodes)
        at = d if keep else 0
        for s in range(keys.shape[0]):
            fill_slots(
                keys[s], day0 + d, open_level[s, r] * ticks[s], beta[s], sector[s], nodes, factor_variance[r],
                session[s, r], variance[s, r], jump[s, r], jump_slot[s, r], factor_jump[r, 0], factor_slot[r],
                volume[s, r] * adv[s], spreads[s], var_curve, vol_curve, out[at, s, :n], out_variance[at, s, :n],
            )  # fmt: skip
            rows = out[at, s]
            high, low, total = rows[0, H], rows[0, L], rows[0, V]
            for k in range(1, n):
                high = max(high, rows[k, H])
                low = min(low, rows[k, L])
                total += rows[k, V]
            fold = daily[d, s]
            fold[0], fold[1], fold[2], fold[3], fold[4] = rows[0, O], high, low, rows[n - 1, C], total
