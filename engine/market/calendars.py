"""Exchange calendars. A calendar that is missing, unknown or exhausted answers ``None``, and ``None`` means closed."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.bus.clock import SECOND
from engine.market.session_table import SessionTable
from engine.model.market import Session

DAY = 86_400 * SECOND
HOUR = 3_600 * SECOND
_REACH = 400 * DAY
"""How far ahead of the asked instant a table is built."""
_EARLIEST = "1990-01-01"

Loader = Callable[[str, int], SessionTable | None]
"""(calendar, an instant it must cover in UTC ns) -> its table, None when there is no such calendar."""


class Calendars:
    """Sessions by calendar name. The first look-up of a calendar loads it (slow), all others are O(1).

    Names are those of ``exchange_calendars`` (``XNYS``, ``XETR``), and ``24/7`` and ``24/5``. ``24/5`` is the foreign
    exchange week: a session runs from 17:00 New York of the day before to 17:00 of its date, Monday to Friday.
    With ``folder`` tables are kept there, so the next start needs no pandas.
    """

    def __init__(self, folder: Path | None = None, loader: Loader | None = None) -> None:
        self._load: Loader = loader or _load_table
        self._folder = folder
        self._tables: dict[str, SessionTable | None] = {}
        self._now: dict[str, tuple[int, int, Session]] = {}
        self._exhausted: dict[str, int] = {}

    def session(self, calendar: str, at_ns: int) -> Session | None:
        """Return the session that holds ``at_ns``, or the next one; None when unknown, which means closed."""
        known = self._now.get(calendar)
        if known is not None and known[0] <= at_ns < known[1]:
            return known[2]
        table = self.table(calendar, at_ns)
        if table is None or (found := table.at(at_ns)) is None:
            return None
        session, start, end = found
        self._now[calendar] = (start, end, session)
        return session

    def table(self, calendar: str, at_ns: int) -> SessionTable | None:
        """Return the whole table of ``calendar`` covering ``at_ns`` as far as it can, None when there is none."""
        if calendar not in self._tables:
            self._tables[calendar] = self._stored(calendar, at_ns) or self._loaded(calendar, at_ns)
        table = self._tables[calendar]
        if table is not None and at_ns >= table.until_ns and at_ns >= self._exhausted.get(calendar, 0):
            longer = self._loaded(calendar, at_ns)
            if longer is not None and longer.until_ns > table.until_ns:
                self._tables[calendar] = table = longer
            else:
                self._exhausted[calendar] = at_ns + 30 * DAY
        return table

    def amended(self, calendar: str, hours: Sequence[tuple[str, int, int]], at_ns: int) -> str:
        """Return the name of ``calendar`` with other sessions on the days of ``hours``: (date, open, close), 0 closed.

        The name is ``calendar`` itself where it agrees with them, or is unknown. Others keep what they had.
        """
        base = self.table(calendar.partition("@")[0], at_ns)
        if base is None or not hours:
            return calendar
        table = base.amended(hours)
        if table is base:
            return base.name
        name = f"{base.name}@{zlib.crc32(repr(tuple(hours)).encode()):08x}"
        self._tables[name] = msgspec.structs.replace(table, name=name)
        return name

    def zone(self, calendar: str, at_ns: int) -> str | None:
        """Return the IANA time zone of ``calendar``."""
        table = self.table(calendar, at_ns)
        return None if table is None else table.zone

    def session_opens(self, calendar: str, times: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """For each of ``times`` (UTC ns) the open of the newest session that had begun; 0 before the first."""
        if len(times) == 0:
            return times.copy()
        table = self.table(calendar, int(times[-1]))
        if table is None:
            return None
        opens = np.array((0, *table.opens), dtype=np.int64)
        return opens[np.searchsorted(opens, times, side="right") - 1]

    def _loaded(self, calendar: str, at_ns: int) -> SessionTable | None:
        table = self._load(calendar, at_ns)
        if table is not None and self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path(calendar)
            part = path.with_suffix(".part")
            part.write_bytes(msgspec.msgpack.encode(table))
            part.replace(path)
        return table

    def _stored(self, calendar: str, at_ns: int) -> SessionTable | None:
        if self._folder is None:
            return None
        try:
            table = msgspec.msgpack.decode(self._path(calendar).read_bytes(), type=SessionTable)
        except (OSError, msgspec.DecodeError):
            return None  # absent or damaged: it is only a copy, the library is the source
        # Close to its end it is built anew: the library's newer release may know more holidays.
        return table if table.name == calendar and at_ns < table.until_ns - _REACH // 2 else None

    def _path(self, calendar: str) -> Path:
        assert self._folder is not None
        safe = calendar.replace("/", "x")
        return self._folder / f"{safe}-{_version()}.sessions"


_EXTENDED_HOURS = {"America/New_York": (5 * HOUR + HOUR // 2, 4 * HOUR)}
"""Zone of a stock exchange -> (pre-market, after-hours). US: 04:00-09:30 and 16:00-20:00."""
_ROUND_THE_CLOCK = frozenset({"24/7", "24/5", "CMES", "us_futures", "XCBF", "IEPA"})


def _version() -> str:
    from importlib.metadata import version

    return version("exchange_calendars")


def _load_table(calendar: str, at_ns: int) -> SessionTable | None:
    if calendar == "24/7":
        return _always(at_ns)
    if calendar == "24/5":
        return _foreign_exchange(at_ns)
    import warnings

    with warnings.catch_warnings():
        # The library has not followed the newest pandas in every line; what it computes is checked by our tests.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _from_library(calendar, at_ns)


def _from_library(calendar: str, at_ns: int) -> SessionTable | None:
    # Heavy (pandas): only when a table is not stored yet.
    import exchange_calendars as library
    import pandas as pd

    end = pd.Timestamp(at_ns + _REACH).normalize()
    start = pd.Timestamp(_EARLIEST)
    try:
        schedule = library.get_calendar(calendar, start=start, end=end)
    except library.errors.InvalidCalendarName:
        return None
    except ValueError:
        # Not known as far back or ahead: ask how far it is, and take that.
        kind = type(library.get_calendar(calendar))
        earliest, latest = kind.bound_min(), kind.bound_max()
        start = start if earliest is None else max(start, earliest)
        end = end if latest is None else min(end, latest)
        if start >= end:
            return None
        schedule = library.get_calendar(calendar, start=start, end=end)
    opens = schedule.opens_nanos
    closes = schedule.closes_nanos
    early = set(schedule.early_closes)
    breaks: dict[int, tuple[int, int]] = {}
    if schedule.sessions_has_break(schedule.sessions[0], schedule.sessions[-1]):
        starts = schedule.schedule["break_start"]
        ends = schedule.schedule["break_end"]
        for position in np.flatnonzero(starts.notna().to_numpy()).tolist():
            breaks[position] = (int(starts.iloc[position].value), int(ends.iloc[position].value))
    zone = str(schedule.tz)
    pre, post = (0, 0) if calendar in _ROUND_THE_CLOCK else _EXTENDED_HOURS.get(zone, (0, 0))
    return SessionTable(
        name=calendar,
        zone=zone,
        from_ns=int(opens[0]) - 7 * DAY,
        until_ns=int(pd.Timestamp(end).value),
        dates=tuple(schedule.sessions.strftime("%Y-%m-%d")),
        opens=tuple(opens.tolist()),
        closes=tuple(closes.tolist()),
        early=frozenset(i for i, session in enumerate(schedule.sessions) if session in early),
        breaks=breaks,
        pre_ns=pre,
        post_ns=post,
    )


def _always(at_ns: int) -> SessionTable:
    first, last = _midnights(at_ns)
    opens = np.arange(first, last, DAY, dtype=np.int64)
    dates = np.datetime_as_string(opens.view("datetime64[ns]"), unit="D")
    return SessionTable(
        name="24/7",
        zone="UTC",
        from_ns=first,
        until_ns=int(opens[-1]),
        dates=tuple(dates.tolist()),
        opens=tuple(opens.tolist()),
        closes=tuple((opens + DAY).tolist()),
        early=frozenset(),
    )


def _foreign_exchange(at_ns: int) -> SessionTable:
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/New_York")
    first, last = _midnights(at_ns)
    day = datetime.fromtimestamp(first // SECOND, UTC).replace(tzinfo=None)
    stop = datetime.fromtimestamp(last // SECOND, UTC).replace(tzinfo=None)
    dates: list[str] = []
    opens: list[int] = []
    closes: list[int] = []
    while day < stop:
        if day.weekday() < 5:
            evening = day.replace(hour=17, tzinfo=zone)
            before = (day - timedelta(days=1)).replace(hour=17, tzinfo=zone)
            dates.append(day.date().isoformat())
            opens.append(round(before.timestamp()) * SECOND)
            closes.append(round(evening.timestamp()) * SECOND)
        day += timedelta(days=1)
    return SessionTable(
        name="24/5",
        zone="America/New_York",
        from_ns=first,
        until_ns=closes[-2],
        dates=tuple(dates),
        opens=tuple(opens),
        closes=tuple(closes),
        early=frozenset(),
    )


def _midnights(at_ns: int) -> tuple[int, int]:
    first = int(np.datetime64(_EARLIEST, "ns").astype(np.int64))
    return first, (at_ns + _REACH) // DAY * DAY
