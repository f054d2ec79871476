"""Times along the bottom: bar number to time and back, and the labels a person expects."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from widgets import dates
from widgets.formats import local_time
from widgets.words import tr

Ints = NDArray[np.int64]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_STEPS = tuple(n * SECOND for n in (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 14_400))
_UNITS = ("D", "W", "M", "Q", "Y", "5Y", "10Y")


_STEADY = 14 * DAY
"""No zone puts its clock forth and back within so short a time."""


@lru_cache(maxsize=4096)
def _offset_ns(half_day: int, zone: str) -> int:
    # Clocks change at night: one look-up for each half day of UTC, taken in its middle, is right in every session.
    moment = local_time(half_day * DAY // 2 + DAY // 4, zone).replace(tzinfo=ZoneInfo(zone))
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * SECOND


def to_local(ts: Ints, zone: str) -> Ints:
    """Return the wall clock of a zone as nanoseconds since 1970 in that zone; `ts` rises."""
    if not len(ts):
        return ts
    first, last = int(ts[0]), int(ts[-1])
    if 0 <= last - first < _STEADY:
        offset = _offset_ns(first // (DAY // 2), zone)
        if offset == _offset_ns(last // (DAY // 2), zone):
            return ts + offset
    halves = ts // (DAY // 2)
    change = np.flatnonzero(halves[1:] != halves[:-1]) + 1
    starts = np.concatenate(([0], change))
    offsets = np.array([_offset_ns(int(halves[i]), zone) for i in starts], dtype=np.int64)
    return ts + np.repeat(offsets, np.diff(np.append(starts, len(ts))))


def time_of_bar(ts: Ints, bar: int, interval_ns: int) -> int:
    """Return the start of a bar; beyond either end, as if bars went on without a break."""
    n = len(ts)
    if not n:
        return 0
    if bar < 0:
        return int(ts[0]) + bar * interval_ns
    return int(ts[bar]) if bar < n else int(ts[-1]) + (bar - n + 1) * interval_ns


def bar_of_time(ts: Ints, ts_ns: int, interval_ns: int) -> float:
    """Return the bar coordinate of a time: inside a bar, its fraction; in a gap, the next bar's start."""
    n = len(ts)
    if not n:
        return 0.0
    if ts_ns < ts[0]:
        return (ts_ns - int(ts[0])) / interval_ns
    i = int(np.searchsorted(ts, ts_ns, side="right")) - 1
    into = (ts_ns - int(ts[i])) / interval_ns
    return i + (into if i == n - 1 else min(into, 1.0))


def nearest_bar(ts: Ints, ts_ns: int, interval_ns: int) -> int:
    """Return the bar a time belongs to."""
    return int(bar_of_time(ts, ts_ns, interval_ns) // 1)


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A label under the middle of a bar; `major` begins a day, a month or a year."""

    bar: int
    text: str
    major: bool


def _buckets(local: Ints, unit: int | str) -> Ints:
    if isinstance(unit, int):
        return local // unit
    if unit == "W":
        return (local // DAY + 3) // 7
    days = local.astype("datetime64[ns]")
    if unit == "Q":
        return days.astype("datetime64[M]").astype(np.int64) // 3
    years = {"Y": 1, "5Y": 5, "10Y": 10}.get(unit)
    if years:
        return (days.astype("datetime64[Y]").astype(np.int64) + 1970) // years
    return days.astype(f"datetime64[{unit}]").astype(np.int64)


@lru_cache(maxsize=4096)
def _label(local_ns: int, major: bool, intraday: bool, unit: int | str, tongue: str) -> str:
    """Return the words under a bar; ``tongue`` is any word of the language: it keeps what was said in others apart."""
    day = np.datetime64(local_ns, "ns").astype("datetime64[s]").item()
    if intraday and not major:
        return f"{day:%H:%M:%S}" if isinstance(unit, int) and unit < 60 * SECOND else f"{day:%H:%M}"
    if unit in ("Y", "5Y", "10Y"):
        return f"{day:%Y}"
    if intraday:
        return f"{dates.weekday(day)} {dates.day_of_month(day)}"
    if major:
        return f"{day:%Y}"
    return dates.month(day) if unit in ("M", "Q") else dates.day_of_month(day)


def time_ticks(
    ts: Ints, first: int, stop: int, pitch: float, interval_ns: int, zone: str, spacing: float
) -> list[TimeTick]:
    """Return labels for bars [first, stop) (the future included), at least `spacing` pixels apart."""
    if stop <= first or not len(ts):
        return []
    stride = max(1, int(4 / pitch))
    bars = np.arange(first, stop, stride)
    inside = np.minimum(np.maximum(bars, 0), len(ts) - 1)
    times = ts[inside] + (bars - inside) * interval_ns
    local = to_local(times, zone)
    intraday = interval_ns < DAY
    units: tuple[int | str, ...] = (*(_STEPS if intraday else ()), *_UNITS)
    width = (stop - first) * pitch
    for unit in units:
        if isinstance(unit, int) and unit < interval_ns:
            continue
        if isinstance(unit, int) and (len(bars) / -(-unit // (stride * interval_ns)) - 2) * spacing > width:
            # A stretch of this length holds so many bars at most that there must be too many stretches.
            continue
        bucket = _buckets(local, unit)
        at = np.flatnonzero(bucket[1:] != bucket[:-1]) + 1
        if len(at) * spacing <= width:
            break
    at_day = _buckets(local, DAY if intraday else "Y")
    candidates = [(int(bars[i]), bool(at_day[i] != at_day[i - 1]), int(local[i])) for i in at]
    if isinstance(unit, int) and stride == 1:
        # A label stands for a round time: a bar after a gap is no "09:31".
        candidates = [c for c in candidates if c[1] or c[2] % unit < interval_ns]
    tongue = tr(dates.DAYS[0])
    kept: list[TimeTick] = []
    for bar, major, moment in candidates:
        tick = TimeTick(bar, _label(moment, major, intraday, unit, tongue), major)
        if kept and (bar - kept[-1].bar) * pitch < spacing * 0.75:
            if not (major and not kept[-1].major):
                continue
            kept.pop()
        kept.append(tick)
    return kept
