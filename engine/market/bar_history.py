"""Coarser bars out of the kept ones, when somebody asks for an interval that nobody makes."""

import numpy as np

from engine.bus.clock import SECOND
from engine.market.bar_series import BarArrays, Ints
from engine.market.calendars import DAY, Calendars
from engine.market.folding import fold

_DAY_S = 86_400


def folded(finer: BarArrays, seconds: int, calendar: str, calendars: Calendars, now: int) -> BarArrays | None:
    """Fold ``finer`` (at least one bar) to ``seconds``: up to a day from the session's open, beyond it by whole days.

    Days are counted from Monday 1969-12-29, so 604 800 s is the ISO week. The last group is left out while it can still
    grow at ``now`` (UTC ns). None when the calendar is unknown.
    """
    width = seconds * SECOND
    if seconds > _DAY_S:
        days = seconds // _DAY_S
        # By its end: the Monday of a currency begins on Sunday.
        keys = ((finer.ts_close - 1) // DAY + 3) // days
        over = bool(((keys[-1] + 1) * days - 3) * DAY <= now)
    else:
        opens = calendars.session_opens(calendar, finer.ts_open)
        if opens is None:
            return None
        keys = opens + (finer.ts_open - opens) // width * width
        # A group may be cut short by the session's close.
        over = bool(keys[-1] + width <= now) or _session_over(calendars, calendar, int(finer.ts_close[-1]), now)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]).astype(np.int64)
    bars = fold(finer, starts)
    if seconds <= _DAY_S:
        bars = bars._replace(ts_open=keys[starts])
    return bars if over else bars.slice(None, -1)


def day_closes(opens: Ints, calendar: str, calendars: Calendars) -> Ints:
    """When the sessions end that begin at ``opens`` or later on the same day; a day later where there is none."""
    table = calendars.table(calendar, int(opens[-1])) if len(opens) else None
    if table is None or not table.opens:
        return opens + DAY
    starts = np.array(table.opens, dtype=np.int64)
    ends = np.array(table.closes, dtype=np.int64)
    at = np.minimum(np.searchsorted(starts, opens, side="left"), len(starts) - 1)
    matches = (starts[at] >= opens) & (starts[at] < opens + DAY)
    return np.where(matches, ends[at], opens + DAY)


def _session_over(calendars: Calendars, calendar: str, ts_close: int, now: int) -> bool:
    session = calendars.session(calendar, ts_close - 1)
    return session is not None and session.close_ns <= now
