"""What a person says about a file: ``timestamp=Date,open=Open,tz=America/New_York,stamp=end``."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from engine.bus.errors import UserError
from engine.collection.files.roles import ROLES

OPTIONS = {
    "symbol": "the symbol, when the file has no such column (symbol=Name picks a column if one is called Name)",
    "tz": "time zone of times without an offset (America/New_York, UTC)",
    "stamp": "start or end: what the time of a bar means",
    "dates": "MDY, DMY or YMD: the order in 01/02/2003",
    "interval": "seconds of a bar",
    "kind": "bar, bid, ask, quote, trade or rate",
    "calendar": "exchange calendar (XNYS, XETR, 24/5)",
    "separator": "comma, semicolon, tab, space or pipe",
    "decimal": "point or comma",
    "columns": "names for a file without a header line, separated by |",
}
_CHOICES = {
    "stamp": ("start", "end"),
    "dates": ("MDY", "DMY", "YMD"),
    "kind": ("bar", "bid", "ask", "quote", "trade", "rate"),
    "separator": ("comma", "semicolon", "tab", "space", "pipe"),
    "decimal": ("point", "comma"),
}


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Wishes about one import; an empty field is decided from the data."""

    columns: dict[str, str] = {}
    """Role -> name of the column."""
    symbol: str = ""
    tz: str = ""
    stamp: str = ""
    dates: str = ""
    interval: int = 0
    kind: str = ""
    calendar: str = ""
    separator: str = ""
    decimal: str = ""
    names: tuple[str, ...] = ()


def parse_mapping(text: str) -> Mapping:
    """Read ``role=column,option=value,...``. Raises ``UserError`` naming what is wrong."""
    columns: dict[str, str] = {}
    said: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise UserError(f"--map: {part!r} is not of the form name=value")
        if key in OPTIONS:
            said[key] = value
        elif key in ROLES:
            columns[key] = value
        else:
            known = ", ".join([*ROLES, *OPTIONS])
            raise UserError(f"--map: {key!r} is unknown; known are {known}")
        if value not in _CHOICES.get(key, (value,)):
            raise UserError(f"--map: {key} must be {' or '.join(_CHOICES[key])}, not {value!r}")
    if tz := said.get("tz", ""):
        zone_of(tz)
    interval = said.get("interval", "0")
    if not interval.isdigit() or ("interval" in said and int(interval) == 0):
        raise UserError(f"--map: interval must be a number of seconds, not {interval!r}")
    return Mapping(
        columns=columns,
        symbol=said.get("symbol", ""),
        tz=tz,
        stamp=said.get("stamp", ""),
        dates=said.get("dates", ""),
        interval=int(interval),
        kind=said.get("kind", ""),
        calendar=said.get("calendar", ""),
        separator=said.get("separator", ""),
        decimal=said.get("decimal", ""),
        names=tuple(said["columns"].split("|")) if "columns" in said else (),
    )


def zone_of(name: str) -> ZoneInfo:
    """Return the zone. Raises ``UserError`` when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError(f"--map: there is no time zone {name!r}") from error
