"""Take a series out of the archive as CSV or Parquet, in the long form the import reads back."""

from pathlib import Path

import numpy as np

from engine.bus.errors import UserError
from engine.memory.bar_archive import BarArchive
from engine.memory.bar_archive_format import Kind

FORMATS = ("csv", "parquet")


def export_series(
    archive: BarArchive,
    symbol: str,
    seconds: int,
    path: Path,
    *,
    kind: Kind = Kind.BAR,
    from_ns: int | None = None,
    to_ns: int | None = None,
) -> int:
    """Write one series to ``path`` (``.csv`` or ``.parquet``) and return how many rows it has.

    Columns: ``symbol, timestamp`` (UTC, start of the bar) and the kind's fields; fields nobody knows are left out.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise UserError(f"{path}: the name must end in .csv or .parquet")
    columns = archive.read(symbol, seconds, from_ns, to_ns, kind=kind)
    if columns is None:
        raise UserError(f"there is no series {symbol} {seconds} s of kind {kind} in the archive")
    import pandas as pd  # heavy, and only for exports

    times = columns.pop(kind.time)
    ends = columns.pop("ts_close", None)
    frame: dict[str, object] = {"symbol": symbol, "timestamp": pd.to_datetime(times, unit="ns", utc=True)}
    if ends is not None:
        frame["end"] = pd.to_datetime(ends, unit="ns", utc=True)
    for name, values in columns.items():
        if values.dtype.kind != "f" or bool(np.isfinite(values).any()) or len(values) == 0:
            frame[name] = values
    table = pd.DataFrame(frame)
    if form == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return len(table)
