"""What an import will do, and what it did, in words a person can check."""

from pathlib import Path

import msgspec

_SHOWN = 20


class RowIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One row that is wrong (``fatal``) or odd."""

    line: int
    column: str
    value: str
    text: str
    fatal: bool = True


class SeriesReport(msgspec.Struct, frozen=True, kw_only=True):
    """One series that was written. Times in UTC ns."""

    symbol: str
    kind: str
    seconds: int
    rows: int
    first_ns: int
    last_ns: int
    added: int
    replaced: int
    unchanged: int


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one file."""

    path: Path
    unit: str
    rows: int
    """Data rows in the file."""
    imported: int
    skipped: int
    refused: bool
    """Nothing was written because a row is wrong and ``on_bad`` is refuse."""
    series: tuple[SeriesReport, ...] = ()
    issues: tuple[RowIssue, ...] = ()
    notes: tuple[str, ...] = ()
    sectors: dict[str, str] = {}
    """Symbol -> sector, when the file says so."""

    def text(self) -> str:
        """Say it in lines."""
        lines = []
        if self.refused:
            bad = sum(issue.fatal for issue in self.issues)
            lines.append(f"{self.path}: nothing was imported: {bad} of {self.rows} rows are wrong")
        else:
            skipped = f", {self.skipped} skipped" if self.skipped else ""
            lines.append(f"{self.path}: {self.imported} of {self.rows} rows imported{skipped}")
        for one in self.series:
            lines.append(
                f"  {one.symbol} {one.kind} {interval_name(one.seconds)}: {one.rows} rows "
                f"{day_of(one.first_ns)} to {day_of(one.last_ns)} "
                f"({one.added} new, {one.replaced} replaced, {one.unchanged} as before)"
            )
        for issue in self.issues[:_SHOWN]:
            mark = "" if issue.fatal else "note: "
            lines.append(f"  {mark}{self.unit} {issue.line}, {issue.column}: {issue.text} ({issue.value})")
        if len(self.issues) > _SHOWN:
            lines.append(f"  … and {len(self.issues) - _SHOWN} more rows")
        lines.extend(f"  {note}" for note in self.notes)
        if self.refused:
            lines.append("  Correct the file, or import the rest with --on-bad skip.")
        return "\n".join(lines)


_NAMES = {0: "ticks", 60: "1 min", 300: "5 min", 900: "15 min", 1_800: "30 min", 3_600: "1 h", 14_400: "4 h",
          86_400: "1 day", 604_800: "1 week", 2_592_000: "1 month"}  # fmt: skip


def interval_name(seconds: int) -> str:
    """300 -> ``5 min``."""
    return _NAMES.get(seconds, f"{seconds} s")


def day_of(ns: int) -> str:
    """UTC ns -> ISO date and time, without what is zero."""
    import numpy as np

    text = str(np.datetime_as_string(np.datetime64(ns, "ns"), unit="s"))
    return text.removesuffix("T00:00:00").replace("T", " ")
