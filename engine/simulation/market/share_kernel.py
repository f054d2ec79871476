"""The daily layer of the single shares: own volatility and returns, volume, news reactions, hidden signals."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.draws import exponential, normal, subkey, tail_scale, uniform
from engine.simulation.market.factor_kernel import OVERNIGHT_SHARE, OWN_SD, REGIME_VOL, step_scale
from engine.simulation.market.jit import kernel

SHARE_STATE = 7
"""State columns: three log-vol scales, last own shock, log-volume, pending rumour, news memory. A ring beside it keeps
the last five own shocks and volume surprises."""
RING = 5
NEWS_MEMORY = 0.7071067811865476
"""Daily factor of the news memory: a half-life of two sessions."""
VOLUME_RHO = 0.75
VOLUME_SD = 0.22
VOLUME_ON_SHOCK = 0.34
LOTTERY_CHANCE = 0.04
LOTTERY_SIZE = 4.0

GENUINE, NO_IMPACT, RUMOUR = 1, 2, 3

FLAG_LINEAR, FLAG_INTERACTION, FLAG_NEWS, FLAG_LOTTERY = 1, 2, 3, 4
"""What the world plants; 0 plants nothing."""


@kernel
def signal_of(
    plant: int, ring_shock: NDArray[np.float64], ring_volume: NDArray[np.float64], memory: float, rate: float
) -> float:
    """The hidden signal before the session, about unit variance, from what is past."""
    if plant == FLAG_NEWS:
        spread = math.sqrt(max(rate * 0.5, 1e-9) / (1.0 - NEWS_MEMORY * NEWS_MEMORY))
        return max(-6.0, min(6.0, memory / spread))
    if plant != FLAG_LINEAR and plant != FLAG_INTERACTION:
        return 0.0
    shock, volume = 0.0, 0.0
    for k in range(RING):
        shock += ring_shock[k]
        volume += ring_volume[k]
    reversal = max(-3.0, min(3.0, -shock / math.sqrt(RING) * 1.02))
    busy = max(-3.0, min(3.0, volume / RING * 3.2))
    if plant == FLAG_LINEAR:
        return 0.8 * reversal + 0.6 * busy
    return reversal * busy


@kernel
def edge_gain(rate: float) -> float:
    """Standard deviation of the own return with news over that without: the edge is a share of the whole.

    A size of 0.8 + 1.5 e, e exponential, has a second moment of 7.54; rumours move 0.6 of it, twice.
    """
    return math.sqrt(1.0 + rate * 7.54 * (0.5 + 0.2 * 0.36 * 2.0))


@kernel
def step_share(
    key: np.uint64,
    day0: int,
    plant: int,
    ic: float,
    rate: float,
    own_vol: float,
    lottery: bool,
    regime: NDArray[np.int8],
    market_move: NDArray[np.float64],
    state: NDArray[np.float64],
    ring: NDArray[np.float64],
    overnight: NDArray[np.float64],
    session: NDArray[np.float64],
    variance: NDArray[np.float64],
    jump: NDArray[np.float64],
    jump_slot: NDArray[np.int16],
    volume: NDArray[np.float64],
    signal: NDArray[np.float64],
    sigma_out: NDArray[np.float64],
    news_class: NDArray[np.int8],
    news_sign: NDArray[np.int8],
    news_slot: NDArray[np.int16],
    news_impact: NDArray[np.float64],
    resolved: NDArray[np.int8],
) -> None:
    """Fill one symbol's [days] columns from its `state`, which is left ready for the next day.

    `market_move` is the market's part of the day's return; `overnight`, `session`, `jump` are own (idiosyncratic)
    simple returns; `volume` is a multiple of the average; `news_slot` is -1 for news before the open; `resolved` is +1
    (confirmed) or -1 (reversed) on the session after a rumour.
    """
    k_vol, k_ret, k_volume, k_news, k_lot = (
        subkey(key, 1),
        subkey(key, 2),
        subkey(key, 3),
        subkey(key, 4),
        subkey(key, 5),
    )
    k_tail = subkey(key, 6)
    on_sd, in_sd = math.sqrt(OVERNIGHT_SHARE), math.sqrt(1.0 - OVERNIGHT_SHARE)
    norm = OWN_SD[0] ** 2 + OWN_SD[1] ** 2 + OWN_SD[2] ** 2
    shock_left = math.sqrt(1.0 - LOTTERY_CHANCE * (1.0 - LOTTERY_CHANCE) * LOTTERY_SIZE * LOTTERY_SIZE)
    for i in range(regime.shape[0]):
        day = day0 + i
        for j in range(3):
            state[j] = step_scale(state[j], j, OWN_SD, state[3], normal(k_vol, 4 * day + j))
        sigma = own_vol * REGIME_VOL[regime[i]] ** 0.25 * math.exp(min(state[0] + state[1] + state[2] - norm, 1.5))
        hidden = signal_of(plant, ring[0], ring[1], state[6], rate)
        mean = ic * hidden * sigma * edge_gain(rate)
        scale = tail_scale(k_tail, 2 * day + 1)
        night = on_sd * sigma * tail_scale(k_tail, 2 * day) * normal(k_ret, 2 * day) + mean * OVERNIGHT_SHARE
        sd_in = in_sd * sigma * scale
        move = sd_in * normal(k_ret, 2 * day + 1)
        size, slot = 0.0, -1
        if lottery:
            move = move * shock_left - LOTTERY_CHANCE * LOTTERY_SIZE * in_sd * sigma
            sd_in *= shock_left
            if uniform(k_lot, 2 * day) < LOTTERY_CHANCE:
                size = LOTTERY_SIZE * in_sd * sigma
                slot = 2 + int(uniform(k_lot, 2 * day + 1) * 72.0)
        move += mean * (1.0 - OVERNIGHT_SHARE)
        # A rumour of the previous session is confirmed or denied before this open, each with chance one half.
        resolved[i] = 0
        if state[5] != 0.0:
            way = 1.0 if uniform(k_news, 16 * day + 9) < 0.5 else -1.0
            night += way * state[5]
            resolved[i] = 1 if way > 0 else -1
            state[5] = 0.0
        news_class[i] = 0
        news_sign[i] = 0
        news_slot[i] = -1
        news_impact[i] = 0.0
        told = 0.0
        if uniform(k_news, 16 * day) < rate:
            sign = 1.0 if uniform(k_news, 16 * day + 1) < 0.5 else -1.0
            what = uniform(k_news, 16 * day + 2)
            kind = NO_IMPACT if what < 0.3 else (RUMOUR if what < 0.5 else GENUINE)
            at = -1 if uniform(k_news, 16 * day + 3) < 0.45 else 2 + int(uniform(k_news, 16 * day + 4) * 70.0)
            impact = 0.0
            if kind != NO_IMPACT:
                impact = sign * min(0.25, sigma * (0.8 + 1.5 * exponential(k_news, 16 * day + 5)))
                if kind == RUMOUR:
                    impact *= 0.6
                    state[5] = impact
                else:
                    told = sign
                if at < 0:
                    night += impact
                else:
                    size += impact
                    slot = at
            news_class[i] = kind
            news_sign[i] = int(sign)
            news_slot[i] = at
            news_impact[i] = impact
        overnight[i] = max(-0.5, min(0.5, night))
        session[i] = max(-0.35, min(0.35, move))
        variance[i] = sd_in * sd_in
        jump[i] = size
        jump_slot[i] = slot if size != 0.0 else -1
        signal[i] = hidden
        sigma_out[i] = sigma
        shock = max(-4.0, min(4.0, (night + move + size) / sigma))
        # Yesterday's busyness carries over; a large move draws volume at once.
        surprise = VOLUME_RHO * state[4] + VOLUME_SD * normal(k_volume, day)
        state[4] = surprise
        stir = abs(night + move + size + market_move[i]) / math.hypot(sigma, 0.011)
        excess = surprise + VOLUME_ON_SHOCK * (min(stir, 4.0) - 0.72)
        volume[i] = math.exp(min(excess, 2.0) - 0.11)
        spot = day % RING
        ring[0, spot] = max(-3.0, min(3.0, shock))
        ring[1, spot] = excess
        state[3] = shock
        state[6] = NEWS_MEMORY * state[6] + told


@kernel
def start_share(key: np.uint64, state: NDArray[np.float64], ring: NDArray[np.float64]) -> None:
    """Draw the state of the first session from (nearly) its stationary distribution."""
    k = subkey(key, 9)
    for j in range(3):
        state[j] = OWN_SD[j] * normal(k, j)
    state[4] = VOLUME_SD / math.sqrt(1.0 - VOLUME_RHO * VOLUME_RHO) * normal(k, 4)
    for j in range(RING):
        ring[0, j] = normal(k, 10 + j)
        ring[1, j] = state[4]
