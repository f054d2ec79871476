"""Plan an import: decide columns, symbols, times and interval, and say so before anything is written."""

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.bus.errors import UserError
from engine.collection.files.context import ImportContext, Sessions
from engine.collection.files.mapping import Mapping
from engine.collection.files.placing import Placed, place
from engine.collection.files.report import day_of, interval_name
from engine.collection.files.roles import guess_roles, plain
from engine.collection.files.table import RawTable, read_table
from engine.collection.files.times import NONE, Local, read_times
from engine.model.ids import Symbol
from engine.model.instrument import Instrument

_GENERIC = frozenset({"data", "prices", "price", "bars", "bar", "ohlc", "ohlcv", "quotes", "ticks", "trades", "export",
                      "download", "history", "historical", "table", "file", "test", "sample"})  # fmt: skip
_WORDS = frozenset({"bid", "ask", "mid", "daily", "hourly", "minute", "min", "day", "csv", "bars", "ticks", "eod"})
_ACTIONS = ("dividend", "split")
_TIME_ROLES = ("timestamp", "date", "time", "end")
_NOT_NUMBERS = ("symbol", "sector", *_TIME_ROLES)


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one file is taken to be. ``print(plan)`` shows it as a table."""

    path: Path
    kind: str
    """bar, bid, ask, quote, trade or rate."""
    roles: dict[str, str]
    """Role -> column of the file."""
    values: tuple[str, ...]
    """Columns of a rates table."""
    ignored: tuple[str, ...]
    symbols: tuple[str, ...]
    seconds: int
    """Interval of bars; 86 400 for daily rates; 0 for ticks."""
    stamp: str
    tz: str
    calendar: str
    notes: tuple[str, ...]
    """How each thing was decided."""
    problems: tuple[str, ...]
    """What a person must say first; an import with problems is refused."""
    raw: RawTable
    codes: NDArray[np.int32]
    """Position in ``symbols`` of each row."""
    placed: Placed

    def __str__(self) -> str:
        width = max((len(role) for role in self.roles), default=4)
        rows = len(self.codes)
        shown = ", ".join(self.symbols[:8]) + (f" … ({len(self.symbols)})" if len(self.symbols) > 8 else "")
        lines = [f"{self.path}: {rows} rows of kind {self.kind}, {interval_name(self.seconds)}, {shown}"]
        lines += [f"  {role:<{width}}  <-  {name or '(unnamed)'}" for role, name in self.roles.items()]
        if self.values:
            lines.append(f"  series  <-  {', '.join(self.values)}")
        if self.ignored:
            lines.append(f"  not used: {', '.join(name or '(unnamed)' for name in self.ignored)}")
        known = self.placed.start[self.placed.start != NONE]
        if len(known):
            lines.append(f"  from {day_of(int(known.min()))} to {day_of(int(known.max()))} UTC")
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  PLEASE SAY: {problem}" for problem in self.problems]
        return "\n".join(lines)


def plan_import(path: Path, mapping: Mapping, context: ImportContext) -> ImportPlan:
    """Read the file and decide what it holds. Raises ``UserError`` when it cannot be read at all."""
    raw = read_table(path, mapping.separator, mapping.decimal, mapping.names)
    said = dict(mapping.columns)
    if mapping.symbol and mapping.symbol in raw.names:
        said["symbol"] = mapping.symbol
    roles = guess_roles(raw.names, said)
    if raw.table.num_rows == 0:
        raise UserError(f"{path}: there are no rows below the header")
    notes: list[str] = []
    problems: list[str] = []
    kind, values = _kind_of(raw, roles, mapping, problems)
    if not values:
        roles = _without_other_kinds(kind, roles)
    symbols, codes = _symbols_of(raw, roles, mapping, kind, notes, problems)
    instrument = context.describe(Symbol(symbols[0])) if symbols else Instrument(symbol=Symbol(""))
    calendar = mapping.calendar or ("24/5" if kind == "rate" and not mapping.calendar else instrument.calendar)
    local = _local_times(raw, roles, mapping, calendar if kind != "rate" else "", context)
    if local.question:
        problems.append(local.question)
    if local.note:
        notes.append(local.note)
    sessions = _sessions(context, calendar, local)
    if sessions is None:
        problems.append(f"there is no calendar {calendar!r}; say calendar=XNYS or another exchange")
    placed = place(local, codes, kind, mapping, sessions, calendar, notes, problems)
    used = {*roles.values(), *values}
    return ImportPlan(
        path=path,
        kind=kind,
        roles=roles,
        values=values,
        ignored=tuple(name for name in raw.names if name not in used),
        symbols=symbols,
        seconds=placed.seconds,
        stamp=placed.stamp,
        tz=placed.tz,
        calendar=calendar,
        notes=tuple(notes),
        problems=tuple(problems),
        raw=raw,
        codes=codes,
        placed=placed,
    )


def _kind_of(
    raw: RawTable, roles: dict[str, str], mapping: Mapping, problems: list[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the kind, and for a table of rates its value columns."""
    prices = [role for role in ("open", "high", "low", "close") if role in roles]
    if "timestamp" not in roles and not {"date", "time"} <= set(roles):
        names = ", ".join(repr(name) for name in raw.names)
        raise UserError(f"{raw.path}: no column holds the time (columns: {names}); say timestamp=… with --map")
    if mapping.kind == "rate":
        return "rate", _numeric_others(raw, roles)
    if mapping.kind in ("bar", "bid", "ask") or (not mapping.kind and len(prices) >= 2):
        missing = [role for role in ("open", "high", "low", "close") if role not in roles]
        if missing:
            raise UserError(f"{raw.path}: bars need a column for {', '.join(missing)}; say {missing[0]}=… with --map")
        return mapping.kind or _side_of(raw.path), ()
    if mapping.kind == "quote" or (not mapping.kind and {"bid", "ask"} <= set(roles)):
        if not {"bid", "ask"} <= set(roles):
            raise UserError(f"{raw.path}: quotes need columns for bid and ask; say bid=…,ask=… with --map")
        return "quote", ()
    if mapping.kind == "trade" or (not mapping.kind and "price" in roles):
        if "price" not in roles:
            raise UserError(f"{raw.path}: trades need a column for the price; say price=… with --map")
        return "trade", ()
    if prices:
        problems.append(
            f"only {roles[prices[0]]!r} looks like a price of a bar; say open=…,high=…,low=…,close=… for bars, "
            "or kind=rate to keep one number an instant"
        )
    values = _numeric_others(raw, roles)
    if not values:
        names = ", ".join(repr(name) for name in raw.names)
        raise UserError(f"{raw.path}: no column looks like prices, quotes, trades or rates (columns: {names})")
    return "rate", values


def _numeric_others(raw: RawTable, roles: dict[str, str]) -> tuple[str, ...]:
    import pyarrow as pa

    keep = {roles[role] for role in _NOT_NUMBERS if role in roles}
    for role in [role for role in roles if role not in _NOT_NUMBERS]:
        del roles[role]
    found = []
    for name in raw.names:
        kind = raw.table.column(name).type
        if name not in keep and (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
            found.append(name)
    return tuple(found)


_FIELDS_OF = {
    "bar": ("open", "high", "low", "close", "adj_close", "volume", "vwap", "trades", "open_interest", *_ACTIONS),
    "quote": ("bid", "ask", "bid_size", "ask_size"),
    "trade": ("price", "size", "aggressor"),
}


def _without_other_kinds(kind: str, roles: dict[str, str]) -> dict[str, str]:
    wanted = (*_NOT_NUMBERS, *_FIELDS_OF["bar" if kind in ("bid", "ask") else kind])
    return {role: name for role, name in roles.items() if role in wanted}


def _side_of(path: Path) -> str:
    words = set(re.split(r"[^a-z]+", path.stem.lower()))
    if ("bid" in words) != ("ask" in words):
        return "bid" if "bid" in words else "ask"
    return "bar"


def _symbols_of(
    raw: RawTable, roles: dict[str, str], mapping: Mapping, kind: str, notes: list[str], problems: list[str]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    rows = raw.table.num_rows
    if "symbol" in roles:
        encoded = raw.table.column(roles["symbol"]).cast("string").combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        return tuple(str(name).strip() for name in encoded.dictionary.to_pylist()), codes
    if mapping.symbol:
        return (mapping.symbol,), np.zeros(rows, dtype=np.int32)
    stem = raw.path.name.split(".")[0]
    if kind == "rate":
        notes.append(f"the series are named {stem}.<column>")
        return (stem,), np.zeros(rows, dtype=np.int32)
    name = re.split(r"[_\- ]", stem)[0]
    if not name or plain(name) in _GENERIC or plain(name) in _WORDS or not re.search("[A-Za-z]", name):
        problems.append(f"which symbol is this? The name {raw.path.name!r} does not say it; say symbol=…")
        return (name or "?",), np.zeros(rows, dtype=np.int32)
    notes.append(f"the symbol {name} is taken from the name of the file")
    return (name,), np.zeros(rows, dtype=np.int32)


def _local_times(
    raw: RawTable, roles: dict[str, str], mapping: Mapping, calendar: str, context: ImportContext
) -> Local:
    names = ("timestamp",) if "timestamp" in roles else ("date", "time")
    columns: list[Any] = [raw.table.column(roles[name]) for name in names]
    known: frozenset[str] | None = None
    if calendar:
        # Any instant will do: a table covers all the years behind it.
        table = context.calendars.table(calendar, 1_577_836_800_000_000_000)
        known = None if table is None else frozenset(table.dates)
    return read_times(columns, mapping.dates, known)


def _sessions(context: ImportContext, calendar: str, local: Local) -> Sessions | None:
    known = local.wall[local.wall != NONE]
    return context.calendars.table(calendar, int(known.max()) if len(known) else 0)
