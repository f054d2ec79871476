"""Put rows in time: zone, interval, start or end of the bar, and the session a date means."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.collection.files.context import Sessions
from engine.collection.files.mapping import Mapping
from engine.collection.files.report import interval_name
from engine.collection.files.times import NONE, Local, to_utc

SECOND = 1_000_000_000
DAY_S = 86_400
_DAY = DAY_S * SECOND
_COMMON = (1, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800,
           DAY_S)  # fmt: skip
_WEEK, _MONTH = 7 * DAY_S, 30 * DAY_S
_ROUND_THE_CLOCK = ("24/5", "24/7")


class Placed(msgspec.Struct, frozen=True):
    """Where each row lies in time."""

    start: NDArray[np.int64]
    """UTC ns; :data:`NONE` where the time is unreadable or does not exist."""
    end: NDArray[np.int64]
    missing: NDArray[np.bool_]
    """The local time does not exist on that day."""
    off_session: NDArray[np.bool_]
    """Daily rows whose date is no session."""
    seconds: int
    stamp: str
    tz: str
    sessions: NDArray[np.int64]
    """Opens of all sessions of the calendar."""


def place(
    local: Local,
    codes: NDArray[np.int32],
    kind: str,
    mapping: Mapping,
    sessions: Sessions | None,
    calendar: str,
    notes: list[str],
    problems: list[str],
) -> Placed:
    """Decide zone, interval and stamp; notes say how, problems what must be said first."""
    count = len(local.wall)
    nothing = np.zeros(count, dtype=bool)
    bars = kind in ("bar", "bid", "ask")
    readable = local.wall != NONE
    if sessions is None or not bool(readable.any()):
        return Placed(
            local.wall,
            local.wall,
            nothing,
            nothing,
            mapping.interval,
            "start",
            mapping.tz or "UTC",
            np.zeros(0, np.int64),
        )
    zone = sessions.zone
    opens = np.array(sessions.opens, dtype=np.int64)
    if not local.has_clock and not local.zoned:
        return _days(local, codes, bars, mapping, sessions, zone, notes)
    tz = "UTC" if local.zoned else (mapping.tz or ("UTC" if calendar in _ROUND_THE_CLOCK else zone))
    if local.zoned and mapping.tz not in ("", "UTC"):
        notes.append("times carry their own offset; tz is not used")
    utc, missing, doubt = to_utc(local.wall, tz)
    if doubt:
        notes.append(doubt)
    if local.zoned:
        notes.append("times carry their own offset")
    elif mapping.tz:
        notes.append(f"times are {tz}, as you said")
    else:
        notes.append(f"times without a zone are taken as {tz}, of calendar {calendar}; say tz=… if not")
    if kind == "rate":
        daily = not bool((utc[utc != NONE] % _DAY != 0).any())
        return Placed(utc, utc, missing, nothing, mapping.interval or (DAY_S if daily else 0), "start", tz, opens)
    if not bars:
        return Placed(utc, utc, missing, nothing, 0, "start", tz, opens)
    seconds = mapping.interval or _interval(utc, codes)
    if not seconds:
        problems.append("the interval of the bars cannot be seen; say interval=… in seconds")
        return Placed(utc, utc, missing, nothing, 0, "start", tz, opens)
    notes.append(
        f"bars of {interval_name(seconds)}" + ("" if mapping.interval else ", as most rows are that far apart")
    )
    if seconds >= DAY_S and bool((utc[utc != NONE] % _DAY == 0).all()):
        # Midnight with an offset: a date in disguise.
        dates = Local(local.wall, zoned=False, has_clock=False, note="")
        return _days(dates, codes, bars, mapping, sessions, zone, notes)
    stamp = _stamp(utc, seconds, mapping, sessions, calendar, notes)
    width = seconds * SECOND
    start = np.where(utc == NONE, NONE, utc - width) if stamp == "end" else utc
    if calendar not in _ROUND_THE_CLOCK and not mapping.tz and not mapping.calendar and not local.zoned:
        share = _share_in_session(start, sessions)
        if share < 0.9:
            problems.append(
                f"{1 - share:.0%} of the times lie outside the sessions of {calendar} in {tz}; "
                "say tz=… or calendar=… (or tz=" + tz + " if it is right)"
            )
    return Placed(start, np.where(start == NONE, NONE, start + width), missing, nothing, seconds, stamp, tz, opens)


def _days(
    local: Local,
    codes: NDArray[np.int32],
    bars: bool,
    mapping: Mapping,
    sessions: Sessions,
    zone: str,
    notes: list[str],
) -> Placed:
    """Dates without a time of day: a bar of one day begins and ends with that date's session."""
    count = len(local.wall)
    nothing = np.zeros(count, dtype=bool)
    seconds = mapping.interval or (_calendar_step(local.wall, codes) if bars else DAY_S)
    if not bars:
        return Placed(local.wall, local.wall, nothing, nothing, seconds, "start", "UTC", np.zeros(0, np.int64))
    readable = local.wall != NONE
    days = np.where(readable, local.wall, 0).view("datetime64[ns]").astype("datetime64[D]").astype(np.int64)
    known = np.array(sessions.dates, dtype="datetime64[D]").astype(np.int64)
    at = np.minimum(np.searchsorted(known, days), len(known) - 1)
    is_session = known[at] == days
    all_opens = np.array(sessions.opens, dtype=np.int64)
    opens = all_opens[at]
    closes = np.array(sessions.closes, dtype=np.int64)[at]
    midnight, _, _ = to_utc(local.wall, zone)
    start = np.where(is_session, opens, midnight)
    if seconds == DAY_S:
        end = np.where(is_session, closes, midnight + _DAY)
        notes.append(f"dates are sessions of {zone}: a bar runs from its session's open to its close")
    else:
        notes.append(f"bars of {interval_name(seconds)}, stamped with their first day")
        end = start + seconds * SECOND
    off = readable & ~is_session if seconds == DAY_S else nothing
    return Placed(
        np.where(readable, start, NONE), np.where(readable, end, NONE), nothing, off, seconds, "start", zone, all_opens
    )


def _steps(times: NDArray[np.int64], codes: NDArray[np.int32]) -> NDArray[np.int64]:
    order = np.lexsort((times, codes))
    sorted_times, sorted_codes = times[order], codes[order]
    good = (np.diff(sorted_codes) == 0) & (sorted_times[:-1] != NONE)
    steps: NDArray[np.int64] = np.diff(sorted_times)[good]
    return steps[steps > 0]


def _interval(utc: NDArray[np.int64], codes: NDArray[np.int32]) -> int:
    """The commonest step, when it is a usual one and holds for most rows; 0 otherwise."""
    steps = _steps(utc, codes)
    if len(steps) == 0:
        return 0
    values, counts = np.unique(steps, return_counts=True)
    best = int(values[np.argmax(counts)])
    seconds, rest = divmod(best, SECOND)
    if rest or counts.max() * 2 < len(steps):
        return 0
    if seconds in _COMMON:
        return int(seconds)
    return _coarse(seconds)


def _calendar_step(wall: NDArray[np.int64], codes: NDArray[np.int32]) -> int:
    steps = _steps(wall, codes)
    # Two or three dates prove nothing: a few sessions may simply be missing.
    return (_coarse(int(np.median(steps)) // SECOND) or DAY_S) if len(steps) >= 3 else DAY_S


def _coarse(seconds: int) -> int:
    days = seconds / DAY_S
    if days <= 5:
        return DAY_S if days >= 1 else 0
    if days <= 8:
        return _WEEK
    return _MONTH if 27 <= days <= 32 else seconds


def _stamp(
    utc: NDArray[np.int64], seconds: int, mapping: Mapping, sessions: Sessions, calendar: str, notes: list[str]
) -> str:
    """Start or end: said, or shown by the first and last bar of the sessions."""
    if mapping.stamp:
        notes.append(f"the time of a bar is its {mapping.stamp}, as you said")
        return mapping.stamp
    if calendar not in _ROUND_THE_CLOCK:
        known = utc[utc != NONE]
        opens = np.array(sessions.opens, dtype=np.int64)
        closes = np.array(sessions.closes, dtype=np.int64)
        at_open = np.isin(known, opens).sum()
        at_close = np.isin(known, closes).sum()
        after_open = np.isin(known, opens + seconds * SECOND).sum()
        if at_close > at_open and after_open > at_open:
            notes.append("the time of a bar is its end: more sessions have one at the close than at the open")
            return "end"
        if at_open > at_close:
            notes.append("the time of a bar is its start: more sessions have one at the open than at the close")
            return "start"
    notes.append("the time of a bar is taken as its start; say stamp=end if not")
    return "start"


def _share_in_session(start: NDArray[np.int64], sessions: Sessions) -> float:
    known = start[start != NONE]
    opens = np.array(sessions.opens, dtype=np.int64)
    closes = np.array(sessions.closes, dtype=np.int64)
    at = np.searchsorted(opens, known, side="right") - 1
    inside = (at >= 0) & (known < closes[np.maximum(at, 0)])
    return float(inside.mean()) if len(known) else 1.0
