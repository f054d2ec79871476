"""The bar that is being built, for charts and indicators: minutes to a day as the bars know it, weeks out of days."""

from typing import Final

import numpy as np

from engine.api.frames import BarUpdate
from engine.bus.clock import SECOND, Clock
from engine.market.bar_series import BarArrays
from engine.market.bars import BarStore
from engine.model.ids import Symbol

DAY_S: Final = 86_400
MOST_CLOSED: Final = 500
"""Closed bars told at once, at most: a client that missed more asks for history."""
_DAY: Final = DAY_S * SECOND
_MOST_OF_A_DAY: Final = 23 * 3_600 * SECOND
"""A session that opens on Sunday evening belongs to Monday, as in the folding of closed bars."""


class FormingBars:
    """Answers what the outbox and the queries ask; keeps nothing."""

    def __init__(self, bars: BarStore, clock: Clock) -> None:
        self._bars, self._clock = bars, clock

    def forming(self, symbol: str, seconds: int) -> BarUpdate | None:
        """Return the bar of ``seconds`` that can still change, or the one that has just closed; None without any."""
        if seconds > DAY_S:
            return self._days(Symbol(symbol), seconds)
        found = self._bars.forming(Symbol(symbol), seconds)
        return None if found is None else _update(symbol, seconds, found)

    def closed(self, symbol: str, seconds: int, since_ns: int) -> tuple[BarUpdate, ...]:
        """Return the bars that began at ``since_ns`` or later and change no more, oldest first."""
        found = self._bars.arrays(Symbol(symbol), seconds, MOST_CLOSED)
        if found is None:
            return ()
        first = int(np.searchsorted(found.ts_open, since_ns))
        return tuple(_update(symbol, seconds, _bar(found, i)) for i in range(first, found.size))

    def _days(self, symbol: Symbol, seconds: int) -> BarUpdate | None:
        days = seconds // DAY_S
        closed = self._bars.arrays(symbol, DAY_S, days)
        today = self._bars.forming(symbol, DAY_S)
        if closed is not None and today is not None and closed.size and today[0] <= int(closed.ts_open[-1]):
            today = None
        if today is not None:
            group = ((today[0] + _MOST_OF_A_DAY) // _DAY + 3) // days
        elif closed is not None and closed.size:
            group = ((int(closed.ts_close[-1]) - 1) // _DAY + 3) // days
            if ((group + 1) * days - 3) * _DAY <= self._clock.now():
                return None
        else:
            return None
        part = [today] if today is not None else []
        if closed is not None:
            keys = ((closed.ts_close - 1) // _DAY + 3) // days
            part = [_bar(closed, i) for i in range(closed.size) if int(keys[i]) == group] + part
        opened, last = part[0], part[-1]
        folded = (
            opened[0],
            opened[1],
            max(day[2] for day in part),
            min(day[3] for day in part),
            last[4],
            sum(day[5] for day in part if day[5] == day[5]),
        )
        return _update(symbol, seconds, folded)


def _bar(bars: BarArrays, i: int) -> tuple[int, float, float, float, float, float]:
    prices = float(bars.open[i]), float(bars.high[i]), float(bars.low[i]), float(bars.close[i])
    return int(bars.ts_open[i]), *prices, float(bars.volume[i])


def _update(symbol: str, seconds: int, bar: tuple[int, float, float, float, float, float]) -> BarUpdate:
    start, opened, high, low, close, volume = bar
    return BarUpdate(
        symbol=symbol, seconds=seconds, ts_open=start, open=opened, high=high, low=low, close=close, volume=volume
    )
