"""Imported data chosen to be played: which symbols, from when to when, and what kind of instruments they are."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from engine.bus.clock import SECOND
from engine.bus.errors import SettingsError
from engine.market.instruments import described
from engine.memory.bar_archive import BarArchive, SeriesInfo
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.runtime.spec import ReplaySpec
from engine.runtime.storage import BARS_FOLDER

NEW_YORK = ZoneInfo("America/New_York")
PLAYED = frozenset({"bar", "bid", "ask", "quote", "trade"})
DAY_S = 86_400


@dataclass(frozen=True)
class Recording:
    """A span of the archive."""

    archive: BarArchive
    instruments: tuple[Instrument, ...]
    start_ns: int
    end_ns: int
    calendar: str


def open_recording(profile: Path, spec: ReplaySpec) -> Recording:
    """Choose what is played. Raises ``SettingsError`` in plain words when the archive does not hold it."""
    archive = BarArchive(profile / BARS_FOLDER)
    series = [info for info in archive.list() if str(info.kind) in PLAYED]
    if not series:
        raise SettingsError("the archive holds no bars, quotes or trades; import files first: main.py data import FILE")
    if spec.symbols:
        known = {info.symbol for info in series}
        missing = [symbol for symbol in spec.symbols if symbol not in known]
        if missing:
            raise SettingsError(f"the archive has no {', '.join(missing)}; it has {', '.join(sorted(known))}")
        series = [info for info in series if info.symbol in spec.symbols]
    start, end = min(info.first_ns for info in series), max(info.last_ns for info in series)
    if spec.day:
        start, end = _day_span(spec.day)
        series = [info for info in series if info.first_ns < end and info.last_ns >= start]
        if not series:
            raise SettingsError(f"the archive has nothing on {spec.day}")
    symbols = tuple(Symbol(symbol) for symbol in dict.fromkeys(info.symbol for info in series))
    instruments = tuple(_described(archive, symbol, series, start) for symbol in symbols)
    calendars = [instrument.calendar for instrument in instruments]
    main = max(set(calendars), key=lambda name: (calendars.count(name), name))
    return Recording(archive, instruments, start - SECOND, end + 60 * SECOND, main)


def _day_span(text: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is not a day such as 2019-11-05") from error
    begin, end = (datetime(d.year, d.month, d.day, tzinfo=NEW_YORK) for d in (day, day + timedelta(days=1)))
    return int(begin.timestamp()) * SECOND, int(end.timestamp()) * SECOND


def _described(archive: BarArchive, symbol: Symbol, series: list[SeriesInfo], start_ns: int) -> Instrument:
    """What a bare symbol most likely is, with the volume of the twenty days before the play where it is known."""
    instrument = described(symbol)
    if any(info.symbol == symbol and info.seconds == DAY_S and str(info.kind) == "bar" for info in series):
        before = archive.last(symbol, DAY_S, 20, end_ns=start_ns)
        if before is not None and len(before["volume"]):
            mean = float(np.mean(np.asarray(before["volume"], np.float64)))
            instrument = msgspec.structs.replace(instrument, adv20=mean)
    return instrument
