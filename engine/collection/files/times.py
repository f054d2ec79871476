"""Times of a file to UTC nanoseconds. What the data cannot decide is asked, never guessed."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.bus.errors import UserError
from engine.collection.files.mapping import zone_of

if TYPE_CHECKING:
    import pandas as pd

NONE = np.iinfo(np.int64).min
"""A time that could not be read."""
_DAY = 86_400 * 1_000_000_000

_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_SLASHED = re.compile(r"^\s*(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})")


class Local(msgspec.Struct, frozen=True):
    """Times as they stand in the file, not yet in a zone."""

    wall: NDArray[np.int64]
    """Ns since 1970 of the wall clock (or UTC when ``zoned``); :data:`NONE` where unreadable."""
    zoned: bool
    has_clock: bool
    """False when there are only dates."""
    note: str
    question: str = ""
    """Non-empty when a person must decide."""


def read_times(columns: Sequence[Any], dates: str, sessions: "frozenset[str] | None") -> Local:
    """Read one column of times, or a column of dates and one of times of day (``pyarrow`` arrays).

    ``dates`` is MDY, DMY, YMD or empty. ``sessions`` are the ISO dates on which the market was open, when known; they
    help to decide 01/02/2003.
    """
    import pandas as pd
    import pyarrow as pa

    first = columns[0]
    if len(columns) == 1 and pa.types.is_timestamp(first.type):
        series = first.to_pandas()
        zoned = first.type.tz is not None
        if zoned:
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        wall = _wall(series)
        clock = bool((wall[wall != NONE] % _DAY != 0).any()) or zoned
        return Local(wall, zoned, clock, "times are typed in the file")
    if pa.types.is_date(first.type):
        text = first.cast(pa.string()).to_pandas()
    elif len(columns) == 1 and (pa.types.is_integer(first.type) or pa.types.is_floating(first.type)):
        return _epochs(first.to_pandas().to_numpy(dtype=np.float64, na_value=np.nan), first)
    else:
        text = first.cast(pa.string()).to_pandas()
    if len(columns) == 2:
        clock_text = columns[1].cast(pa.string()).to_pandas()
        # 930 and 93000 are times of day in some files.
        bare = clock_text.str.fullmatch(r"\d{3,6}")
        if bool(bare.fillna(value=False).any()):
            width = 6 if int(clock_text.str.len().max()) > 4 else 4
            padded = clock_text.str.zfill(width)
            clock_text = padded.str.replace(r"(\d\d)(\d\d)(\d\d)?", r"\1:\2:\3", regex=True).str.rstrip(":")
        text = text.str.strip() + " " + clock_text.str.strip()
    filled = text.dropna()
    if filled.empty:
        return Local(np.full(len(text), NONE, dtype=np.int64), False, False, "no times", "the time column is empty")
    sample = str(filled.iloc[0]).strip()
    return _texts(pd, text, sample, dates, sessions)


def _texts(pd: Any, text: "pd.Series[str]", sample: str, dates: str, sessions: frozenset[str] | None) -> Local:
    clock = _CLOCK.search(sample) is not None or bool(re.fullmatch(r"\d{8}[ T]\d{6}", sample))
    zoned = clock and _OFFSET.search(sample) is not None
    slashed = _SLASHED.match(sample)
    if slashed is None or len(slashed[1]) == 4:
        form = "ISO8601"
        note = "dates are year-month-day"
        if re.fullmatch(r"\d{8}[ T]\d{6}", sample):
            form = f"%Y%m%d{sample[8]}%H%M%S"
        elif slashed is not None and sample[4] != "-":
            text = text.str.replace(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3", regex=True)
            text = text.str.replace(r"-(\d)(?=[-\s]|$)", r"-0\1", regex=True)
        elif slashed is None and not sample[:8].isdigit():
            form, note = _named_month(sample)
        parsed = pd.to_datetime(text, format=form, errors="coerce", utc=zoned)
        if zoned:
            parsed = parsed.dt.tz_localize(None)
        return Local(_wall(parsed), zoned, clock, note)
    return _slashed(pd, text, sample, slashed, dates, sessions, clock)


def _slashed(
    pd: Any,
    text: "pd.Series[str]",
    sample: str,
    found: "re.Match[str]",
    dates: str,
    sessions: frozenset[str] | None,
    clock: bool,
) -> Local:
    """01/02/2003: the order is said, proved by a number above 12, or shown by which days were sessions."""
    day_texts, clock_texts = _halves(pd, text)
    # A file repeats its dates and times of day; each is read once.
    parts = day_texts.unique.str.extract(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{2,4})$")
    one, two, year = (day_texts.spread(pd.to_numeric(parts[i], errors="coerce")) for i in range(3))
    year = np.where(year < 70, year + 2000, np.where(year < 100, year + 1900, year))
    reason = "as you said"
    order = dates
    if order == "YMD":
        raise UserError(f"--map: dates=YMD does not fit {sample!r}")
    if not order:
        first_is_day = bool(np.nanmax(one) > 12)
        second_is_day = bool(np.nanmax(two) > 12)
        if first_is_day and second_is_day:
            # Most rows decide; the others become row errors.
            order = "DMY" if (one > 12).sum() > (two > 12).sum() else "MDY"
            reason = "most rows can be nothing else"
        elif first_is_day or second_is_day:
            order = "DMY" if first_is_day else "MDY"
            reason = "a day above 12 proves it"
        else:
            order, reason = _order_by_days(one, two, year, sessions)
            if not order:
                return Local(
                    np.full(len(text), NONE, dtype=np.int64), False, clock, "",
                    f"is {sample!r} month/day/year or day/month/year? Say dates=MDY or dates=DMY",
                )  # fmt: skip
    month, day = (one, two) if order == "MDY" else (two, one)
    wall = _dates(year, month, day)
    if clock:
        times = clock_texts.unique.str.extract(r"^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s*([AaPp])?[Mm]?\s*$")
        numbers = [pd.to_numeric(times[i], errors="coerce") for i in range(4)]
        hour, minute = (clock_texts.spread(number) for number in numbers[:2])
        second, fraction = (np.nan_to_num(clock_texts.spread(number)) for number in numbers[2:])
        half = clock_texts.spread(times[4].str.lower().map({"a": 0.0, "p": 1.0}))
        hour = np.where(half == 1.0, hour % 12 + 12, np.where(half == 0.0, hour % 12, hour))
        bad = ~((hour < 24) & (minute < 60) & (second < 60))
        seconds = np.where(bad, 0, hour * 3_600 + minute * 60 + second).astype(np.int64)
        nanos = np.round(fraction * 1e9).astype(np.int64)
        wall = np.where(bad | (wall == NONE), NONE, wall + seconds * 1_000_000_000 + nanos)
    shown = "month/day/year" if order == "MDY" else "day/month/year"
    return Local(wall, False, clock, f"dates are {shown} ({reason})")


class _Texts(msgspec.Struct, frozen=True):
    """A column of texts as its distinct ones and where each stands."""

    unique: Any
    codes: NDArray[np.int64]
    """Position in ``unique``; -1 where there is no text."""

    def spread(self, values: Any) -> NDArray[np.float64]:
        """Values of the distinct texts -> one value a row, NaN where there is none."""
        known: NDArray[np.float64] = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.append(known, np.nan)[self.codes]


def _halves(pd: Any, text: "pd.Series[str]") -> tuple[_Texts, _Texts]:
    """Split texts at the first blank into dates and times of day."""
    import pyarrow as pa
    import pyarrow.compute as compute

    texts = pa.array(text, type=pa.string(), from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):  # longer files arrive in pieces
        texts = texts.combine_chunks()
    found = compute.extract_regex(texts, r"^\s*(?P<day>[^\sT]+)[\sT]*(?P<clock>.*?)\s*$")
    halves = []
    for index in (0, 1):
        encoded = compute.struct_field(found, index).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        halves.append(_Texts(pd.Series(encoded.dictionary.to_pylist(), dtype="str"), codes))
    return halves[0], halves[1]


def _order_by_days(
    one: NDArray[np.float64], two: NDArray[np.float64], year: NDArray[np.float64], sessions: frozenset[str] | None
) -> tuple[str, str]:
    if sessions is None:
        return "", ""
    share = {}
    for order, month, day in (("MDY", one, two), ("DMY", two, one)):
        wall = _dates(year, month, day)
        days = np.unique(wall[wall != NONE])
        texts = np.datetime_as_string(days.view("datetime64[ns]"), unit="D").tolist()
        share[order] = sum(text in sessions for text in texts) / max(1, len(texts))
    if share["MDY"] == 1.0 and share["DMY"] < 1.0:
        return "MDY", "read the other way some days were no sessions"
    if share["DMY"] == 1.0 and share["MDY"] < 1.0:
        return "DMY", "read the other way some days were no sessions"
    return "", ""


def _dates(year: NDArray[np.float64], month: NDArray[np.float64], day: NDArray[np.float64]) -> NDArray[np.int64]:
    good = (year >= 1900) & (year < 2200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    whole = [np.where(good, part, 1).astype(np.int64) for part in (year, month, day)]
    months = (whole[0] - 1970) * 12 + whole[1] - 1
    starts = months.astype("datetime64[M]")
    days = starts.astype("datetime64[D]") + (whole[2] - 1)
    good &= days.astype("datetime64[M]") == starts
    return np.where(good, days.astype("datetime64[ns]").astype(np.int64), NONE)


def _named_month(sample: str) -> tuple[str, str]:
    date_forms = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%y", "%B %d, %Y")
    for date_form in date_forms:
        for clock_form in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"):
            import pandas as pd

            if not pd.isna(pd.to_datetime(sample, format=date_form + clock_form, errors="coerce")):
                return date_form + clock_form, "months are named"
    return "ISO8601", "dates are year-month-day"


def _epochs(values: NDArray[np.float64], column: Any) -> Local:
    import pyarrow as pa

    known = values[np.isfinite(values)]
    if len(known) == 0:
        return Local(np.full(len(values), NONE, dtype=np.int64), True, True, "", "the time column is empty")
    top = float(np.median(np.abs(known)))
    if 19_000_101 <= top <= 21_991_231 and bool((known == np.round(known)).all()):
        whole = np.where(np.isfinite(values), values, 0).astype(np.int64)
        wall = _dates(*(part.astype(np.float64) for part in (whole // 10_000, whole // 100 % 100, whole % 100)))
        return Local(wall, False, False, "dates are yyyymmdd")
    for unit, scale, low in (("ns", 1, 1e17), ("µs", 1_000, 1e14), ("ms", 1_000_000, 1e11), ("s", 1_000_000_000, 1e8)):
        if top >= low:
            # Exact for whole numbers: nanoseconds do not fit into a float.
            if pa.types.is_integer(column.type):
                exact = column.fill_null(0).to_numpy().astype(np.int64) * scale
            else:
                exact = np.round(np.where(np.isfinite(values), values, 0) * scale).astype(np.int64)
            return Local(np.where(np.isfinite(values), exact, NONE), True, True, f"times are {unit} since 1970, UTC")
    return Local(
        np.full(len(values), NONE, dtype=np.int64), True, True, "", f"{known[0]:g} is no time that could be recognised"
    )


def _wall(series: "pd.Series[Any]") -> NDArray[np.int64]:
    values = series.to_numpy(dtype="datetime64[ns]")
    return np.where(np.isnat(values), NONE, values.astype(np.int64))


def to_utc(wall: NDArray[np.int64], tz: str) -> tuple[NDArray[np.int64], NDArray[np.bool_], str]:
    """Wall-clock ns of zone ``tz`` to UTC ns; also which do not exist (the clocks went forward), and a note.

    In the hour that occurs twice, times count as the first until they step back in the file, then as the second.
    """
    import pandas as pd

    if tz in ("UTC", "Etc/UTC"):
        return wall, np.zeros(len(wall), dtype=bool), ""
    zone = zone_of(tz)
    unread = wall == NONE
    index = pd.DatetimeIndex(np.where(unread, 0, wall).view("datetime64[ns]"))
    size = len(index)
    first = index.tz_localize(zone, ambiguous=np.ones(size, dtype=bool), nonexistent="NaT")
    second = index.tz_localize(zone, ambiguous=np.zeros(size, dtype=bool), nonexistent="NaT")
    early = first.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[ns]")
    late = second.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[ns]")
    missing = np.isnat(early) & ~unread
    utc = np.where(np.isnat(early), np.int64(0), early.astype(np.int64))
    note = ""
    doubtful = (early != late) & ~np.isnat(early) & ~unread
    if bool(doubtful.any()):
        days = wall // _DAY
        back = np.zeros(size, dtype=bool)
        back[1:] = (np.diff(wall) < 0) & (days[1:] == days[:-1])
        for day in np.unique(days[doubtful]):
            rows = np.flatnonzero(days == day)
            steps = rows[back[rows]]
            if len(steps):
                later = rows[(rows >= steps[0]) & doubtful[rows]]
                utc[later] = late[later].astype(np.int64)
            else:
                note = f"{int(doubtful.sum())} times lie in an hour that occurs twice; the first was taken"
    utc[unread | missing] = NONE
    return utc, missing, note
