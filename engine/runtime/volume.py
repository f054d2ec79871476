"""How much of an instrument trades in a day."""

import math

import numpy as np

from engine.bus.bus import Bus
from engine.bus.clock import SECOND
from engine.market.bars import BarStore
from engine.market.instruments import Instruments
from engine.model.events.market import BarClosed
from engine.model.ids import Symbol

_DAY_S, _MINUTE_S = 86_400, 60


class VolumeKeeper:
    """Keeps each instrument's average daily volume current: the mean of its last twenty sessions."""

    def __init__(self, bus: Bus, bars: BarStore, instruments: Instruments, *, live: bool) -> None:
        """``live``: where no days are known, what was seen to trade counts, which is never more than a whole day."""
        self._bars, self._instruments, self._live = bars, instruments, live
        self._counted: set[Symbol] = set()
        bus.subscribe(BarClosed, self._on_bar, owner="volume keeper")

    def _on_bar(self, event: BarClosed) -> None:
        symbol = event.symbol
        if event.seconds == _DAY_S:
            self._counted.discard(symbol)
            note_volume(self._bars, self._instruments, symbol)
        elif self._live and event.seconds == _MINUTE_S:
            known = self._instruments.get(symbol)
            if known is not None and (symbol in self._counted or math.isnan(known.adv20)):
                self._counted.add(symbol)
                note_volume(self._bars, self._instruments, symbol)


def note_volume(bars: BarStore, instruments: Instruments, symbol: Symbol) -> None:
    """Learn the average volume of ``symbol`` from its newest daily bars, else from what traded within a day."""
    days = bars.arrays(symbol, _DAY_S, 20)
    if days is not None and days.size:
        instruments.traded(symbol, float(np.mean(days.volume)))
        return
    for seconds in (300, _MINUTE_S):
        parts = bars.arrays(symbol, seconds, _DAY_S // seconds)
        if parts is not None and parts.size:
            since = int(parts.ts_close[-1]) - _DAY_S * SECOND
            instruments.traded(symbol, float(np.nansum(parts.volume[parts.ts_open >= since])))
            return
