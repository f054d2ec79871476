"""Read a CSV or Parquet file into columns, and remember which line each row came from."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.bus.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|"}
_NULLS = ["", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "-", "--", "."]
_SAMPLE = 65_536


class RawTable(msgspec.Struct, frozen=True):
    """Columns as they are in the file."""

    path: Path
    table: Any
    """``pyarrow.Table``; columns that are to be times are text in CSV."""
    lines: NDArray[np.int64]
    """Line (CSV, the header is 1) or row (Parquet, the first is 1) of each row."""
    ragged: tuple[tuple[int, str], ...]
    """Lines with another number of fields, and their text."""
    unit: str
    """``line`` or ``row``."""
    separator: str = ""

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.table.column_names]


def read_table(path: Path, separator: str = "", decimal: str = "", names: tuple[str, ...] = ()) -> RawTable:
    """Read the whole file. Raises ``UserError`` naming the file and what is wrong."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    return _read_csv(path, separator, decimal, names)


def _read_parquet(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: this is not a readable Parquet file ({_first_line(error)})") from error
    # pandas leaves its index behind as a column.
    table = table.rename_columns(["" if name.startswith("__index_level_") else name for name in table.column_names])
    return RawTable(path, table, np.arange(1, table.num_rows + 1), (), "row")


def _read_csv(path: Path, separator: str, decimal: str, names: tuple[str, ...]) -> RawTable:
    import pyarrow as pa
    import pyarrow.csv as csv

    head = _head(path)
    if not head:
        raise UserError(f"{path}: the file is empty")
    sign = _SEPARATORS[separator] if separator else _guess_separator(head)
    given = names or tuple(_fields(head[0], sign))
    if not names and all(_is_value(field) for field in given if field):
        raise UserError(
            f"{path}: the first line holds values, not names ({head[0][:60]}); name the columns with "
            "--map columns=timestamp|open|high|low|close|volume"
        )
    if len(set(given)) != len(given):
        doubled = sorted({name for name in given if given.count(name) > 1})
        raise UserError(f"{path}: line 1: the name {doubled[0]!r} occurs twice")
    ragged: list[tuple[int, str]] = []
    skipped: list[int] = []

    def on_bad_line(row: Any) -> str:
        number = int(row.number) if row.number is not None else 0
        skipped.append(number)
        if row.text.strip(f"\r\n\t {sign}"):
            ragged.append((number, str(row.text)))
        return "skip"

    point = "," if decimal == "comma" else "."
    if not decimal and sign == ";" and _looks_decimal_comma(head[1:]):
        point = ","
    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False, column_names=list(given), skip_rows=0 if names else 1),
            parse_options=csv.ParseOptions(
                delimiter=sign, invalid_row_handler=on_bad_line, ignore_empty_lines=len(given) == 1
            ),
            convert_options=csv.ConvertOptions(
                null_values=_NULLS,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                decimal_point=point,
                # Times stay text: their meaning is decided with all of them in view.
                timestamp_parsers=["%%"],
                column_types={name: pa.string() for name in given if _time_like(name, head, given, sign)},
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: this is not a readable CSV file ({_first_line(error)})") from error
    first = 1 if names else 2
    total = table.num_rows + len(skipped)
    lines = np.arange(first, first + total, dtype=np.int64)
    if skipped:
        lines = np.setdiff1d(lines, np.array(skipped, dtype=np.int64))[: table.num_rows]
    if all(table.column(name).null_count for name in table.column_names):
        # Lines without anything between the separators are no rows.
        empty = np.logical_and.reduce(
            [table.column(name).is_null().to_numpy(zero_copy_only=False) for name in table.column_names]
        )
        if bool(empty.any()):
            table, lines = table.filter(pa.array(~empty)), lines[~empty]
    return RawTable(path, table, lines, tuple(ragged), "line", sign)


def _head(path: Path) -> list[str]:
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as file:
            block = file.read(_SAMPLE)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    if b"\0" in block:
        raise UserError(f"{path}: this is not a text file; CSV (also .gz) and Parquet are understood")
    try:
        text = block.decode("utf-8-sig", errors="ignore" if len(block) == _SAMPLE else "strict")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: the text is not UTF-8 (byte {error.start})") from error
    lines = text.splitlines()
    return lines[:-1] if len(block) == _SAMPLE and len(lines) > 1 else lines


def _guess_separator(head: list[str]) -> str:
    best, most = ",", 0
    for sign in (",", ";", "\t", "|"):
        counts = {line.count(sign) for line in head[:50] if line.strip()}
        if min(counts) >= 1 and len(counts) == 1 and min(counts) > most:
            best, most = sign, min(counts)
    if most:
        return best
    counts_of_first = {sign: head[0].count(sign) for sign in (",", ";", "\t", "|")}
    return max(counts_of_first, key=lambda sign: counts_of_first[sign])


def _fields(line: str, sign: str) -> list[str]:
    import csv

    return [field.strip() for field in next(csv.reader([line], delimiter=sign))]


def _is_value(field: str) -> bool:
    return bool(field) and field[0] in "0123456789+-." and any(letter.isdigit() for letter in field)


def _looks_decimal_comma(lines: list[str]) -> bool:
    fields = [field for line in lines[:20] for field in line.split(";")]
    return any("," in field and field.replace(",", "", 1).lstrip("-").isdigit() for field in fields)


def _time_like(name: str, head: list[str], names: tuple[str, ...], sign: str) -> bool:
    """Say whether a column's values are dates or times; whole numbers stay numbers unless they are yyyymmdd."""
    at = names.index(name)
    for line in head[1:20]:
        fields = _fields(line, sign) if line.strip() else []
        if at >= len(fields) or not fields[at]:
            continue
        value = fields[at]
        if len(value) >= 5 and value[0].isdigit() and any(mark in value for mark in ("/", ":")):
            return True
        if value.count("-") == 2 and value[0].isdigit():
            return True
        if value.count(".") == 2:
            return True
        return len(value) == 8 and value.isdigit() and "19000101" <= value <= "21991231" and "date" in name.lower()
    return False


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def as_floats(column: "pa.ChunkedArray") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as numbers, and which of its values are there but no numbers."""
    import pyarrow as pa
    import pyarrow.compute as compute

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        import pandas as pd

        texts = column.to_pandas()
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers, np.isnan(numbers) & texts.notna().to_numpy()
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return np.full(len(column), np.nan), np.ones(len(column), dtype=bool)
    numbers = compute.cast(column, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers, np.zeros(len(column), dtype=bool)


def value_at(column: "pa.ChunkedArray", row: int) -> str:
    """One value as it was written, for a message."""
    value = column[row].as_py()
    return "(empty)" if value is None else str(value)
