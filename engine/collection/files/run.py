"""Carry out a planned import: all good rows go into the archive, or nothing does."""

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.bus.errors import UserError
from engine.collection.files.plan import ImportPlan
from engine.collection.files.report import ImportReport, SeriesReport
from engine.collection.files.rows import Checked, check_rows

_DAY = 86_400 * 1_000_000_000
Columns = dict[str, NDArray[np.generic]]


class Written(Protocol):
    @property
    def added(self) -> int: ...
    @property
    def replaced(self) -> int: ...
    @property
    def unchanged(self) -> int: ...


class Archive(Protocol):
    """Where series are kept."""

    def append(
        self, symbol: str, seconds: int, arrays: Columns, *, kind: Any = ..., source: str = ..., sync: bool = ...
    ) -> Written: ...


def run_import(plan: ImportPlan, archive: Archive, on_bad: Literal["refuse", "skip"] = "refuse") -> ImportReport:
    """Check all rows, then write. ``refuse``: one bad row and nothing is written. ``skip``: the others are written and
    every skipped row is reported. Raises ``UserError`` while the plan has problems."""
    if plan.problems:
        raise UserError(f"{plan.path}: " + "; ".join(plan.problems))
    checked = check_rows(plan)
    rows = len(plan.codes) + len(plan.raw.ragged)
    notes = (*plan.notes, *checked.notes)
    if checked.fatal and on_bad == "refuse":
        return ImportReport(path=plan.path, unit=plan.raw.unit, rows=rows, imported=0, skipped=checked.fatal,
                            refused=True, issues=checked.issues, notes=notes)  # fmt: skip
    written: list[SeriesReport] = []
    imported = len(checked.order)
    source = f"file {plan.path.name}"
    codes = plan.codes[checked.order]
    bounds = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1], True]) if len(codes) else np.zeros(1, dtype=np.int64)
    gaps: list[str] = []
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        part = checked.order[first:last]
        symbol = plan.symbols[codes[first]]
        for name, kind, seconds, columns in _series(plan, checked, part, symbol):
            result = archive.append(name, seconds, columns, kind=kind, source=source)
            times = columns.get("ts_open", columns.get("ts"))
            assert times is not None
            written.append(
                SeriesReport(
                    symbol=name,
                    kind=kind,
                    seconds=seconds,
                    rows=len(times),
                    first_ns=int(times[0]),
                    last_ns=int(times[-1]),
                    added=result.added,
                    replaced=result.replaced,
                    unchanged=result.unchanged,
                )
            )
        if gap := _gaps(plan, plan.placed.start[part], symbol):
            gaps.append(gap)
    return ImportReport(
        path=plan.path,
        unit=plan.raw.unit,
        rows=rows,
        imported=imported,
        skipped=checked.fatal,
        refused=False,
        series=tuple(written),
        issues=checked.issues,
        notes=(*notes, *gaps[:20]),
        sectors=_sectors(plan, checked),
    )


def _series(
    plan: ImportPlan, checked: Checked, part: NDArray[np.int64], symbol: str
) -> list[tuple[str, str, int, Columns]]:
    start = plan.placed.start[part]
    found: list[tuple[str, str, int, Columns]] = []
    if plan.kind == "rate":
        for name in plan.values:
            values = checked.numbers[name][part]
            known = np.isfinite(values)
            if bool(known.any()):
                label = f"{symbol}.{name}" if len(plan.values) > 1 or symbol != name else symbol
                found.append((label, "rate", plan.seconds, {"ts": start[known], "value": values[known]}))
        return found
    columns: Columns = {
        role: values[part] for role, values in checked.numbers.items() if role not in ("dividend", "split")
    }
    if plan.kind in ("quote", "trade"):
        if "aggressor" in columns:
            columns["aggressor"] = np.sign(np.nan_to_num(columns["aggressor"])).astype(np.int64)
        return [(symbol, plan.kind, 0, {"ts": start, **columns})]
    found.append((symbol, plan.kind, plan.seconds, {"ts_open": start, "ts_close": plan.placed.end[part], **columns}))
    dividend = checked.numbers.get("dividend", np.zeros(len(plan.codes)))[part]
    split = checked.numbers.get("split", np.ones(len(plan.codes)))[part]
    # Some sources write 0 for "no split".
    split = np.where(np.isfinite(split) & (split > 0), split, 1.0)
    events = (np.nan_to_num(dividend) != 0) | (split != 1.0)
    if bool(events.any()):
        actions: Columns = {
            "ts": start[events], "dividend": np.nan_to_num(dividend[events]), "split": split[events]
        }  # fmt: skip
        found.append((symbol, "action", 0, actions))
    return found


def _gaps(plan: ImportPlan, start: NDArray[np.int64], symbol: str) -> str:
    """Name sessions (daily) or count stretches (intraday) inside the file's span that have no bar."""
    if plan.kind not in ("bar", "bid", "ask") or len(start) < 2 or plan.seconds > 86_400:
        return ""
    if plan.seconds < 86_400:
        holes = int((np.diff(start) > plan.seconds * 1_000_000_000).sum())
        days = len(np.unique(start // _DAY))
        inside = holes - (days - 1)
        return f"{symbol}: {inside} gaps inside the days" if inside > 0 else ""
    sessions = plan.placed.sessions
    wanted = sessions[(sessions >= start[0]) & (sessions <= start[-1])]
    missing = wanted[~np.isin(wanted, start)]
    if len(missing) == 0:
        return ""
    shown = ", ".join(np.datetime_as_string(missing[:3].view("datetime64[ns]"), unit="D").tolist())
    return f"{symbol}: {len(missing)} sessions have no bar ({shown}{' …' if len(missing) > 3 else ''})"


def _sectors(plan: ImportPlan, checked: Checked) -> dict[str, str]:
    if "sector" not in plan.roles:
        return {}
    texts = plan.raw.table.column(plan.roles["sector"]).to_pylist()
    found: dict[str, str] = {}
    for row in checked.order[np.unique(plan.codes[checked.order], return_index=True)[1]].tolist():
        if texts[row]:
            found[plan.symbols[plan.codes[row]]] = str(texts[row])
    return found
