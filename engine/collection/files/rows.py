"""Check every row of a planned import: vectors in, one verdict a row out."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.collection.files.plan import ImportPlan
from engine.collection.files.report import RowIssue
from engine.collection.files.table import as_floats, value_at
from engine.collection.files.times import NONE

_LISTED = 10_000
"""Issues told one by one; beyond it they are only counted."""
_POSITIVE = ("open", "high", "low", "close", "bid", "ask", "price")
_NOT_NEGATIVE = ("volume", "trades", "open_interest", "bid_size", "ask_size", "size", "dividend", "adj_close", "vwap")

Mask = NDArray[np.bool_]


class Checked(msgspec.Struct, frozen=True):
    """Numbers of a file, which rows are good, in which order they go, and what is wrong with the others."""

    numbers: dict[str, NDArray[np.float64]]
    good: Mask
    order: NDArray[np.int64]
    """Rows sorted by symbol, then time; only good ones."""
    issues: tuple[RowIssue, ...]
    fatal: int
    notes: tuple[str, ...]


def check_rows(plan: ImportPlan) -> Checked:
    """Find every row that is unreadable, impossible, doubled or out of order."""
    table, placed = plan.raw.table, plan.placed
    count = len(plan.codes)
    good = np.ones(count, dtype=bool)
    issues: list[RowIssue] = []
    notes: list[str] = []
    told = [0]

    def complain(
        bad: Mask, column: str, text: str, *, fatal: bool = True, value: Callable[[int], str] | None = None
    ) -> None:
        rows = np.flatnonzero(bad & good) if fatal else np.flatnonzero(bad)
        if fatal:
            good[rows] = False
            told[0] += len(rows)
        for row in rows[: max(0, _LISTED - len(issues))].tolist():
            shown = value(row) if value is not None else value_at(table.column(plan.roles[column]), row)
            name = plan.roles.get(column, column) or "(unnamed)"
            issues.append(RowIssue(line=int(plan.raw.lines[row]), column=name, value=shown, text=text, fatal=fatal))

    time_name = "timestamp" if "timestamp" in plan.roles else "date"

    def time_value(row: int) -> str:
        parts = [value_at(table.column(plan.roles[role]), row) for role in (time_name, "time") if role in plan.roles]
        return " ".join(parts)

    complain(placed.missing, time_name, "this time does not exist, the clocks went forward", value=time_value)
    complain(placed.start == NONE, time_name, "the time cannot be read", value=time_value)
    complain(plan.codes < 0, "symbol", "the symbol is missing")
    numbers: dict[str, NDArray[np.float64]] = {}
    roles = [role for role in plan.roles if role not in ("timestamp", "date", "time", "end", "symbol", "sector")]
    for role in roles:
        numbers[role], text_instead = as_floats(table.column(plan.roles[role]))
        complain(text_instead, role, "this is not a number")
    for role in plan.values:
        numbers[role], text_instead = as_floats(table.column(role))
        complain(text_instead, role, "this is not a number", value=_of(plan, role))
    if not plan.values:
        _check_prices(plan, numbers, complain)
    order = _in_order(plan, good, complain, notes, time_value)
    complain(
        placed.off_session & good, time_name, f"no session of {plan.calendar}, kept", fatal=False, value=time_value
    )
    fatal = told[0] + len(plan.raw.ragged)
    ragged = [
        RowIssue(
            line=line, column="(whole line)", value=text.strip()[:80], text="another number of fields than the header"
        )
        for line, text in plan.raw.ragged
    ]
    everything = sorted([*ragged, *issues], key=lambda issue: (not issue.fatal, issue.line))
    if told[0] > _LISTED:
        notes.append(f"{told[0]} rows are wrong; the first {_LISTED} are listed")
    return Checked(numbers, good, order[good[order]], tuple(everything), fatal, tuple(notes))


def _of(plan: ImportPlan, name: str) -> Callable[[int], str]:
    return lambda row: value_at(plan.raw.table.column(name), row)


def _check_prices(plan: ImportPlan, numbers: dict[str, NDArray[np.float64]], complain: Callable[..., None]) -> None:
    for role in _POSITIVE:
        if role in numbers:
            complain(np.isnan(numbers[role]), role, "the price is missing")
            complain(~np.isfinite(numbers[role]), role, "the price is not finite")
            complain(numbers[role] <= 0, role, "the price is not positive")
    for role in _NOT_NEGATIVE:
        if role in numbers:
            complain(numbers[role] < 0, role, "this must not be negative")
            complain(np.isinf(numbers[role]), role, "this is not finite")
    if "split" in numbers:
        complain(numbers["split"] < 0, "split", "a split ratio must not be negative")
    if {"open", "high", "low", "close"} <= numbers.keys():
        high, low = numbers["high"], numbers["low"]

        def both(row: int) -> str:
            return f"high {high[row]:g}, low {low[row]:g}"

        complain(high < low, "high", "the high is below the low", value=both)
        for role in ("open", "close"):
            price = numbers[role]
            complain(
                (price > high) | (price < low),
                role,
                "outside high and low, kept as it is",
                fatal=False,
                value=lambda row, price=price: f"{price[row]:g}; high {high[row]:g}, low {low[row]:g}",
            )
    if {"bid", "ask"} <= numbers.keys():
        bid, ask = numbers["bid"], numbers["ask"]
        complain(bid > ask, "bid", "the bid is above the ask", value=lambda row: f"bid {bid[row]:g}, ask {ask[row]:g}")


def _in_order(
    plan: ImportPlan, good: Mask, complain: Callable[..., None], notes: list[str], time_value: Callable[[int], str]
) -> NDArray[np.int64]:
    """Sort by symbol and time. A file that is wholly newest-first is turned; single rows out of order are faults."""
    codes, start = plan.codes, plan.placed.start
    time_name = "timestamp" if "timestamp" in plan.roles else "date"
    order = np.argsort(codes, kind="stable")
    order = order[good[order]]
    same = codes[order][1:] == codes[order][:-1]
    steps = np.diff(start[order])
    if bool(same.any()) and bool((steps[same] <= 0).all()) and bool((steps[same] < 0).any()):
        notes.append("the file is newest first; it was turned round")
        order = order[::-1]
        order = order[np.argsort(codes[order], kind="stable")]
        same = codes[order][1:] == codes[order][:-1]
        steps = np.diff(start[order])
    if len(order) == 0:
        return order
    # A row is out of order when it lies before the newest seen so far of its symbol.
    first = np.flatnonzero(np.r_[True, ~same])
    times = start[order]
    groups = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(order)]))
    offset = times - times.min()
    span = int(offset.max()) + 1
    if span * len(first) < 2**62:
        newest = np.maximum.accumulate(offset + groups * span) - groups * span
    else:
        newest = np.concatenate([np.maximum.accumulate(part) for part in np.split(offset, first[1:])])
    late = np.zeros(len(codes), dtype=bool)
    late[order] = offset < newest
    complain(late, time_name, "this row is older than a row before it", value=time_value)
    order = order[good[order]]
    if plan.kind in ("quote", "trade"):
        return order
    same = np.r_[False, codes[order][1:] == codes[order][:-1]]
    double = np.zeros(len(codes), dtype=bool)
    double[order] = same & np.r_[False, np.diff(start[order]) == 0]
    complain(double, time_name, "this time occurs twice", value=time_value)
    return order[good[order]]
