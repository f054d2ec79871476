"""The daily layer of the market as a whole: regimes, stochastic volatility, market and sector returns.

Every kernel steps a state forward one session at a time; noise is addressed by session number, so chunks of any
size give the same path. Returns are simple and have zero mean given the past, apart from the declared drift.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.draws import exponential, normal, subkey, tail_scale, uniform
from engine.simulation.market.jit import kernel

FACTORS = 12
"""Market (row 0) and eleven sectors."""
OVERNIGHT_SHARE = 0.25
"""Share of a session's variance that falls between the previous close and the open."""

# Log-volatility: three autoregressive scales (days, weeks, a year) with leverage.
RHO = (0.78, 0.985, 0.997)
MARKET_SD = (0.27, 0.26, 0.15)
OWN_SD = (0.22, 0.20, 0.33)
LEVERAGE = -0.60
REGIME_VOL = (0.7, 1.0, 2.0)
MARKET_VOL = 0.165 / math.sqrt(252.0)
SECTOR_VOL = 0.085 / math.sqrt(252.0)


@kernel
def step_scale(h: float, j: int, sds: tuple[float, float, float], shock: float, noise: float) -> float:
    """One step of log-volatility scale `j`; `shock` is yesterday's return in standard deviations (leverage)."""
    rho = RHO[j]
    push = LEVERAGE * shock + math.sqrt(1.0 - LEVERAGE * LEVERAGE) * noise
    return rho * h + sds[j] * math.sqrt(1.0 - rho * rho) * push


@kernel
def next_regime(regime: int, u: float) -> int:
    """The three-state chain calm, normal, stress; persistence .985, .98, .97."""
    if regime == 0:
        return 0 if u < 0.985 else 1
    if regime == 1:
        return 1 if u < 0.98 else (0 if u < 0.992 else 2)
    return 2 if u < 0.97 else 1


@kernel
def step_factors(
    key: np.uint64,
    day0: int,
    crash_at: int,
    drift: float,
    state: NDArray[np.float64],
    regime: NDArray[np.int8],
    overnight: NDArray[np.float64],
    session: NDArray[np.float64],
    variance: NDArray[np.float64],
    jump: NDArray[np.float64],
    jump_slot: NDArray[np.int16],
) -> None:
    """Fill [days] and [days, FACTORS] columns from `state`, which is left ready for the next day.

    `state`: regime, 3 market scales, market shock, then one scale and shock a sector. `session` is the diffusive return
    from open to close, `variance` its variance given the day's scale; `jump` comes on top at the start of `jump_slot`.
    """
    k_regime, k_vol, k_ret, k_jump = subkey(key, 1), subkey(key, 2), subkey(key, 3), subkey(key, 4)
    k_tail = subkey(key, 5)
    on_sd, in_sd = math.sqrt(OVERNIGHT_SHARE), math.sqrt(1.0 - OVERNIGHT_SHARE)
    market_norm = MARKET_SD[0] ** 2 + MARKET_SD[1] ** 2 + MARKET_SD[2] ** 2
    for i in range(regime.shape[0]):
        day = day0 + i
        now = next_regime(int(state[0]), uniform(k_regime, day))
        if crash_at <= day < crash_at + 25:
            now = 2
        state[0] = now
        regime[i] = now
        for j in range(3):
            state[1 + j] = step_scale(state[1 + j], j, MARKET_SD, state[4], normal(k_vol, 16 * day + j))
        sigma = MARKET_VOL * REGIME_VOL[now] * math.exp(min(state[1] + state[2] + state[3] - market_norm, 1.6))
        scale_on, scale_in = tail_scale(k_tail, 64 * day), tail_scale(k_tail, 64 * day + 1)
        night = sigma * on_sd * scale_on * normal(k_ret, 64 * day)
        sd_in = sigma * in_sd * scale_in
        # Crash jumps are rarer when calm; their mean is paid back as drift so that nobody can earn it.
        rate = 0.0015 if now == 0 else (0.004 if now == 1 else 0.012)
        size = 0.0
        if uniform(k_jump, 8 * day) < rate:
            size = -(0.018 + 0.010 * min(exponential(k_jump, 8 * day + 1), 4.0))
        compensation = rate * (0.018 + 0.010 * (1.0 - math.exp(-4.0)))
        move = sd_in * normal(k_ret, 64 * day + 1) + compensation
        slot = 2 + int(uniform(k_jump, 8 * day + 2) * 70.0)
        if day == crash_at:
            size, move, sd_in, slot = -0.045, -0.05, max(sd_in, 0.025), 18
        overnight[i, 0] = max(-0.2, min(0.2, night + drift * OVERNIGHT_SHARE))
        session[i, 0] = max(-0.2, min(0.2, move + drift * (1.0 - OVERNIGHT_SHARE)))
        variance[i, 0] = sd_in * sd_in
        jump[i, 0] = size
        jump_slot[i] = slot if size != 0.0 else -1
        state[4] = max(-4.0, min(4.0, (night + move + size) / sigma))
        for f in range(1, FACTORS):
            at = 5 + 2 * (f - 1)
            state[at] = step_scale(state[at], 1, OWN_SD, state[at + 1], normal(k_vol, 16 * day + 3 + f))
            vol = SECTOR_VOL * math.sqrt(REGIME_VOL[now]) * math.exp(min(state[at] - OWN_SD[1] ** 2, 1.6))
            z_on = tail_scale(k_tail, 64 * day + 2 * f) * normal(k_ret, 64 * day + 2 * f)
            scale = tail_scale(k_tail, 64 * day + 2 * f + 1)
            z_in = scale * normal(k_ret, 64 * day + 1 + 2 * f)
            overnight[i, f] = vol * on_sd * z_on
            session[i, f] = vol * in_sd * z_in
            variance[i, f] = (vol * in_sd * scale) ** 2
            jump[i, f] = 0.0
            state[at + 1] = max(-4.0, min(4.0, on_sd * z_on + in_sd * z_in))


@kernel
def start_factors(key: np.uint64, state: NDArray[np.float64]) -> None:
    """Draw the state of the first session from its stationary distribution."""
    k = subkey(key, 9)
    u = uniform(k, 0)
    state[0] = 0.0 if u < 0.35 else (1.0 if u < 0.81 else 2.0)
    for j in range(3):
        state[1 + j] = MARKET_SD[j] * normal(k, 10 + j)
    state[4] = 0.0
    for f in range(1, FACTORS):
        state[5 + 2 * (f - 1)] = OWN_SD[1] * normal(k, 20 + f)
        state[6 + 2 * (f - 1)] = 0.0


FACTOR_STATE = 5 + 2 * (FACTORS - 1)
