"""What an indicator is to a strategy file, a chart and a picker: names, bounds, outputs, and one way to compute it."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Value = int | float | str
Column = NDArray[Any]
Columns = Mapping[str, Column]
"""Bars as columns: open, high, low, close, volume (float64) and session (int64, changes where a session begins)."""

SOURCES: Final = ("close", "open", "high", "low", "hl2", "hlc3", "ohlc4")
DOORS: Final = "engine.features.indicators.doors"

_READS: Final = {"hl2": ("high", "low"), "hlc3": ("high", "low", "close"), "ohlc4": ("open", "high", "low", "close")}


class Kind(StrEnum):
    """Where an indicator is drawn."""

    OVERLAY = "overlay"
    PANE = "pane"


class Style(StrEnum):
    """How an output is drawn."""

    LINE = "line"
    BAND = "band"
    HISTOGRAM = "histogram"
    DOTS = "dots"
    STEPS = "steps"
    CANDLE = "candle"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One setting of an indicator: a whole number, a number, or one of `choices`."""

    name: str
    type: type[int] | type[float] | type[str]
    default: Value
    minimum: float = 0.0
    maximum: float = 0.0
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> Value:
        """Return the value in its type; raises ValueError naming the parameter and its bounds."""
        if self.type is str:
            if value not in self.choices:
                raise ValueError(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}")
            return str(value)
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise ValueError(f"{self.name} must be a number, not {value!r}")
        number = float(value)
        whole = "a whole number" if self.type is int else "a number"
        if not self.minimum <= number <= self.maximum or (self.type is int and number != int(number)):
            raise ValueError(f"{self.name} must be {whole} from {self.minimum:g} to {self.maximum:g}, not {value!r}")
        return int(number) if self.type is int else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One column an indicator gives. `shift_by` names the parameter that says how many bars it is drawn off its bar."""

    name: str
    style: Style = Style.LINE
    shift_by: str = ""
    shift_sign: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorSpec:
    """One indicator. Values are those known at the close of their bar: nothing looks ahead."""

    id: str
    title: str
    kind: Kind
    params: tuple[Param, ...]
    outputs: tuple[Output, ...]
    columns: tuple[str, ...]
    """Columns it reads beside the one that `source` names."""
    warms: Callable[[Mapping[str, Any]], int]
    check: Callable[[Mapping[str, Any]], str] | None = None
    """Returns what is wrong with parameters that are each inside their bounds, or nothing."""

    def resolve(self, params: Mapping[str, object]) -> dict[str, Value]:
        """Return every parameter, defaults filled in; raises ValueError naming what is unknown or out of bounds."""
        known = {p.name: p for p in self.params}
        for name in params:
            if name not in known:
                raise ValueError(f"{self.id} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
        try:
            values = {name: p.check(params.get(name, p.default)) for name, p in known.items()}
        except ValueError as error:
            raise ValueError(f"{self.id}: {error}") from None
        wrong = self.check(values) if self.check is not None else ""
        if wrong:
            raise ValueError(f"{self.id}: {wrong}")
        return values

    def warmup(self, **params: object) -> int:
        """Return how many bars at the start have not every output yet (bars that trade and sessions aside)."""
        return self.warms(self.resolve(params))

    def reads(self, **params: object) -> tuple[str, ...]:
        """Return the columns it needs with these parameters."""
        source = str(self.resolve(params).get("source", ""))
        extra = _READS.get(source, (source,) if source else ())
        return tuple(dict.fromkeys((*self.columns, *extra)))

    def compute(self, cols: Columns, **params: object) -> dict[str, NDArray[np.float64]]:
        """Return each output as a float64 column as long as the bars, NaN while warming up, never infinite.

        A bar with a NaN or infinite value in a column that is read gives NaN and starts the warm-up again. Raises
        ValueError on a missing column, columns of different length, or a parameter out of bounds.
        """
        values = self.resolve(params)
        needed = self.reads(**params)
        data = _columns(self.id, cols, needed)
        size = data[needed[0]].size
        whole = np.ones(size, dtype=np.bool_)
        for name, column in data.items():
            if name != "session":
                whole &= np.isfinite(column)
        door: Callable[..., tuple[NDArray[np.float64], ...]] = getattr(importlib.import_module(DOORS), self.id)
        if whole.all():
            results = door(data, **values) if size else tuple(np.empty(0) for _ in self.outputs)
        else:
            results = tuple(np.full(size, np.nan) for _ in self.outputs)
            for first, stop in _runs(whole):
                piece = door({name: column[first:stop] for name, column in data.items()}, **values)
                for result, values_of_run in zip(results, piece, strict=True):
                    result[first:stop] = values_of_run
        for result in results:
            result[np.isinf(result)] = np.nan
        return {output.name: result for output, result in zip(self.outputs, results, strict=True)}


def _columns(who: str, cols: Columns, needed: tuple[str, ...]) -> dict[str, Column]:
    data: dict[str, Column] = {}
    for name in needed:
        if name not in cols:
            raise ValueError(f"{who} needs the column {name!r}; the bars have {', '.join(cols) or 'none'}")
        dtype: Any = np.int64 if name == "session" else np.float64
        data[name] = np.require(cols[name], dtype=dtype, requirements=["C", "W"])
    sizes = {name: column.shape for name, column in data.items()}
    if len(set(sizes.values())) != 1 or data[needed[0]].ndim != 1:
        raise ValueError(f"{who} needs columns of one length, not {sizes}")
    return data


def _runs(whole: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], whole, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
