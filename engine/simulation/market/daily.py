"""The table of sessions: what the daily layer decided for each day and symbol, grown on demand and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.columns import Floats
from engine.simulation.market.draws import name_key, uniform
from engine.simulation.market.factor_kernel import FACTOR_STATE, FACTORS, start_factors, step_factors
from engine.simulation.market.instruments import SimInstrument, sector_numbers
from engine.simulation.market.share_kernel import (
    FLAG_INTERACTION,
    FLAG_LINEAR,
    FLAG_LOTTERY,
    FLAG_NEWS,
    RING,
    SHARE_STATE,
    start_share,
    step_share,
)
from engine.simulation.market.world import World

CHUNK = 256
"""Sessions computed at a time."""
OWN_VOL_RANGE = (0.165, 0.32)
"""Annual own volatility of the quietest and the wildest share, before news and jumps."""


@dataclass(frozen=True, slots=True)
class DailyColumns:
    """Shape [days], [days, FACTORS] or [symbols, days]; meanings in the kernels that fill them."""

    regime: NDArray[np.int8]
    factor_night: Floats
    factor_session: Floats
    factor_variance: Floats
    factor_jump: Floats
    factor_slot: NDArray[np.int16]
    night: Floats
    session: Floats
    variance: Floats
    jump: Floats
    jump_slot: NDArray[np.int16]
    volume: Floats
    signal: Floats
    sigma: Floats
    news_class: NDArray[np.int8]
    news_sign: NDArray[np.int8]
    news_slot: NDArray[np.int16]
    news_impact: Floats
    resolved: NDArray[np.int8]
    open_level: Floats
    """Efficient price at the open as a multiple of the price before the first session of the table."""
    close_level: Floats


class DailyTable:
    """Daily columns from `anchor - history_days` on."""

    def __init__(self, world: World, instruments: Sequence[SimInstrument], anchor: int) -> None:
        self.world = world
        self.anchor = anchor
        self.origin = anchor - world.history_days
        self._factor_key = name_key(world.seed, "factors")
        self._keys = tuple(name_key(world.seed, "share", instrument.symbol) for instrument in instruments)
        self.sector = sector_numbers(instruments) + 1
        self.beta = np.array([0.6 + 0.8 * uniform(key, 101) for key in self._keys])
        low, high = OWN_VOL_RANGE
        own = [low * (high / low) ** uniform(key, 102) for key in self._keys]
        self.own_vol = np.array(own) / np.sqrt(252.0)
        self.is_lottery = np.array([world.name == "lottery" and uniform(key, 103) < 0.5 for key in self._keys])
        self._plant = {
            "lottery": FLAG_LOTTERY,
            "planted": FLAG_LINEAR if world.kind == "linear" else FLAG_INTERACTION,
        }.get(world.name, FLAG_NEWS if world.has_news_drift else 0)
        self._factor_state = np.zeros(FACTOR_STATE)
        start_factors(self._factor_key, self._factor_state)
        count = len(self._keys)
        self._share_state = np.zeros((count, SHARE_STATE))
        self._rings = np.zeros((count, 2, RING))
        for i, key in enumerate(self._keys):
            start_share(key, self._share_state[i], self._rings[i])
        self._level = np.ones(count)
        self._columns: DailyColumns | None = None

    def columns(self, upto: int) -> DailyColumns:
        """The table, long enough to hold session `upto`; row i is session `origin + i`."""
        if upto < self.origin:
            raise ValueError(
                f"session {upto} lies before the first simulated session {self.origin}; raise World.history_days"
            )
        have = 0 if self._columns is None else self._columns.regime.shape[0]
        while self.origin + have <= upto:
            # The first chunk holds the whole history and the first live sessions.
            days = self.world.history_days + CHUNK if have == 0 else CHUNK
            fresh = self._step(self.origin + have, days)
            self._columns = fresh if self._columns is None else _join(self._columns, fresh)
            have += days
        assert self._columns is not None
        return self._columns

    @property
    def factor_key(self) -> np.uint64:
        """Key of the market's and the sectors' streams."""
        return self._factor_key

    @property
    def share_keys(self) -> NDArray[np.uint64]:
        """Keys of the symbols' streams."""
        return np.array(self._keys, dtype=np.uint64)

    def share_key(self, symbol_row: int) -> np.uint64:
        """Key of one symbol's streams."""
        return self._keys[symbol_row]

    def row(self, day: int) -> int:
        """The row of session `day`."""
        return day - self.origin

    def _step(self, day0: int, n: int) -> DailyColumns:
        world, count = self.world, len(self._keys)

        regime = np.zeros(n, dtype=np.int8)
        factors: list[Any] = [np.zeros((n, FACTORS)) for _ in range(4)]
        factor_slot = np.zeros(n, dtype=np.int16)
        crash_at = self.anchor + world.crash_day if world.name == "crash" else 2**40
        step_factors(
            self._factor_key,
            day0,
            crash_at,
            world.drift / 252.0,
            self._factor_state,
            regime,
            factors[0],
            factors[1],
            factors[2],
            factors[3],
            factor_slot,
        )
        floats, small = np.float64, np.int8
        dtypes = (
            floats, floats, floats, floats, np.int16, floats, floats, floats, small, small, np.int16, floats, small,
        )  # fmt: skip
        shares: list[Any] = [np.zeros((count, n), dtype=dtype) for dtype in dtypes]
        market = factors[0][:, 0] + factors[1][:, 0] + factors[3][:, 0]
        for i, key in enumerate(self._keys):
            step_share(
                key, day0, self._plant, world.ic, world.news_rate, self.own_vol[i], bool(self.is_lottery[i]), regime,
                self.beta[i] * market, self._share_state[i], self._rings[i], *(column[i] for column in shares),
            )  # fmt: skip
        night, session, _, jump = shares[:4]
        beta = self.beta[:, None]
        factor_night, factor_session, _, factor_jump = factors
        to_open = 1.0 + beta * factor_night[:, 0] + factor_night[:, self.sector].T + night
        to_close = 1.0 + beta * (factor_session + factor_jump)[:, 0] + factor_session[:, self.sector].T + session + jump
        growth = np.maximum(to_open, 0.2) * np.maximum(to_close, 0.2)
        close_level = self._level[:, None] * np.cumprod(growth, axis=1)
        open_level = close_level / np.maximum(to_close, 0.2)
        self._level = close_level[:, -1].copy()
        return DailyColumns(*(regime, *factors, factor_slot, *shares, open_level, close_level))


def _join(old: DailyColumns, new: DailyColumns) -> DailyColumns:
    first = {"regime", "factor_night", "factor_session", "factor_variance", "factor_jump", "factor_slot"}
    parts = (
        np.concatenate((getattr(old, f.name), getattr(new, f.name)), axis=0 if f.name in first else 1)
        for f in fields(DailyColumns)
    )
    return DailyColumns(*parts)
