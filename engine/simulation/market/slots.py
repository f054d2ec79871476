"""Slots of sessions, computed on demand: the shell round the slot kernel with a small memory."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.simulation.market.columns import Floats, Ints
from engine.simulation.market.curves import variance_curve, volume_curve
from engine.simulation.market.daily import DailyTable
from engine.simulation.market.instruments import SimInstrument
from engine.simulation.market.sessions import SLOT_SECONDS, SLOTS, SessionTable
from engine.simulation.market.slot_kernel import WIDTH, fill_days

FOLD_DAYS = 64
KEPT_DAYS = 24


@dataclass(frozen=True, slots=True)
class SlotDay:
    """One session: `rows` [symbols, slots, WIDTH] in ticks and shares, `variance` [symbols, slots] in squared ticks."""

    rows: Ints
    variance: Floats
    usual_volume: Floats
    """Expected volume of each slot on an average day, [symbols, slots]."""


class SlotTable:
    """Slots and daily folds for all symbols."""

    def __init__(
        self, table: DailyTable, instruments: Sequence[SimInstrument], sessions: SessionTable, anchor: int
    ) -> None:
        self._table = table
        self._sessions = sessions
        self.tick = np.array([instrument.tick for instrument in instruments])
        self.adv = np.array([instrument.adv for instrument in instruments])
        self.spread = np.array([instrument.spread_ticks for instrument in instruments], dtype=np.int64)
        start = np.array([instrument.start_price for instrument in instruments])
        columns = table.columns(anchor)
        before = columns.close_level[:, table.row(anchor) - 1]
        self.scale_ticks = start / self.tick / before
        """Ticks per unit of the daily table's price level."""
        self._days: OrderedDict[int, SlotDay] = OrderedDict()
        self._folds: dict[int, Ints] = {}

    def slot_count(self, day: int) -> int:
        """Five-minute slots of a session."""
        return self._sessions.at(day).seconds // SLOT_SECONDS

    def day(self, day: int) -> SlotDay:
        """The slots of one session."""
        found = self._days.get(day)
        if found is None:
            rows, variance, _ = self._fill(day, 1, keep=True)
            count = self.slot_count(day)
            usual = self.adv[:, None] * volume_curve(count)[None, :]
            found = SlotDay(rows[0, :, :count], variance[0, :, :count], usual)
            self._days[day] = found
            if len(self._days) > KEPT_DAYS:
                self._days.popitem(last=False)
        else:
            self._days.move_to_end(day)
        return found

    def daily(self, first: int, end: int) -> Ints:
        """Folds of the sessions first … end - 1: [symbols, days, (open, high, low, close, volume)] in ticks, shares."""
        if first < self._table.origin:
            raise ValueError(
                f"session {first} lies before the first simulated session {self._table.origin}; "
                "raise World.history_days or ask for fewer"
            )
        parts = []
        for chunk in range(first // FOLD_DAYS, (end - 1) // FOLD_DAYS + 1):
            low = max(chunk * FOLD_DAYS, self._table.origin)
            if chunk not in self._folds:
                self._folds[chunk] = self._fill(low, (chunk + 1) * FOLD_DAYS - low, keep=False)[2]
            parts.append(self._folds[chunk][max(first - low, 0) : max(end - low, 0)])
        return np.ascontiguousarray(np.concatenate(parts).transpose(1, 0, 2))

    def _fill(self, day: int, days: int, keep: bool) -> tuple[Ints, Floats, Ints]:
        table = self._table
        columns = table.columns(day + days - 1)
        counts = np.array([self.slot_count(day + i) for i in range(days)], dtype=np.int64)
        variance_curves, volume_curves = np.zeros((days, SLOTS)), np.zeros((days, SLOTS))
        for i, count in enumerate(counts):
            variance_curves[i, :count] = variance_curve(int(count))
            volume_curves[i, :count] = volume_curve(int(count))
        symbols = self.tick.shape[0]
        kept = days if keep else 1
        rows = np.zeros((kept, symbols, SLOTS, WIDTH), dtype=np.int64)
        variance = np.zeros((kept, symbols, SLOTS))
        daily = np.zeros((days, symbols, 5), dtype=np.int64)
        fill_days(
            table.factor_key, table.share_keys, day, table.row(day), counts, variance_curves, volume_curves,
            columns.factor_session, columns.factor_variance, columns.factor_jump, columns.factor_slot,
            columns.session, columns.variance, columns.jump, columns.jump_slot, columns.volume, columns.open_level,
            self.scale_ticks, self.adv, table.beta, table.sector, self.spread, keep, rows, variance, daily,
        )  # fmt: skip
        return rows, variance, daily
