"""The wide catalogue: everything pandas-ta-classic offers that gives one value a bar and does not look ahead.

It loads pandas, so it is asked for only when someone opens the catalogue or a strategy names one of its indicators.
"""

import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.features.indicators.spec import Columns

BARS: Final = ("open", "high", "low", "close", "volume")

LEFT_OUT: Final[dict[str, str]] = {
    "ichimoku": "draws today's close 26 bars back; the own ichimoku keeps the two apart",
    "dpo": "is centred, so it looks ahead",
    "tos_stdevall": "fits one line to the whole history, so it looks ahead",
    "vp": "gives one row a price level, not one a bar",
    "vwap": "needs dates; the own vwap takes sessions",
    "beta": "needs a second symbol",
    "correl": "needs a second symbol",
    "cdl_pattern": "is a bundle of patterns that needs another library",
}

HIDDEN_PARAMS: Final = frozenset(
    {"offset", "drift", "talib", "lookahead", "centered", "asint", "fillna", "fill_method"}
)
"""Parameters a caller may not set: a negative offset or drift would read the future."""


@contextmanager
def _library_warnings_muted() -> Iterator[None]:
    # the library divides by zero and uses old pandas names; neither is news to anyone who reads our log
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


class WideIndicatorFailed(ValueError):
    """An indicator of the catalogue could not work with these bars or parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WideIndicator:
    """One indicator of the catalogue. A default of None is the library's own."""

    id: str
    title: str
    category: str
    columns: tuple[str, ...]
    params: dict[str, Any]
    _function: Callable[..., Any]

    def compute(self, cols: Columns, **params: object) -> dict[str, NDArray[np.float64]]:
        """Return its columns as float64, as long as the bars, NaN where it has no value; infinite becomes NaN.

        Raises ValueError on a missing column or unknown parameter, WideIndicatorFailed when the library gives nothing,
        as it does for too short a history.
        """
        import pandas as pd

        for name, value in params.items():
            if name not in self.params:
                raise ValueError(f"{self.id} has no parameter {name!r}; it has {', '.join(self.params) or 'none'}")
            if isinstance(value, int | float) and not (math.isfinite(value) and 0 <= value <= 5000):
                raise ValueError(f"{self.id}: {name} must be a number from 0 to 5000, not {value!r}")
            if value is not None and not isinstance(value, bool | int | float | str):
                raise ValueError(f"{self.id}: {name} must be a number, a word or true/false, not {value!r}")
        for name in self.columns:
            if name not in cols:
                raise ValueError(f"{self.id} needs the column {name!r}; the bars have {', '.join(cols) or 'none'}")
        size = len(cols[self.columns[0]])
        # the time of a bar is only its place: nothing here may depend on the date
        index = pd.RangeIndex(size)
        accepted = inspect.signature(self._function).parameters
        names = {k: k.rstrip("_") for k in accepted if k.rstrip("_") in self.columns}
        given = {k: pd.Series(np.asarray(cols[n], dtype=np.float64), index=index, name=n) for k, n in names.items()}
        if "talib" in accepted:
            given["talib"] = False
        try:
            with _library_warnings_muted():
                result = self._function(**given, **params)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
            raise WideIndicatorFailed(f"{self.id} failed on {size} bars: {error}") from error
        frame = result.to_frame(self.id) if isinstance(result, pd.Series) else result
        if not isinstance(frame, pd.DataFrame) or len(frame) != size:
            raise WideIndicatorFailed(f"{self.id} gave no value for each of {size} bars")
        out: dict[str, NDArray[np.float64]] = {}
        for name in frame.columns:
            column = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, copy=True)
            column[np.isinf(column)] = np.nan
            out[str(name).lower()] = column
        return out


@cache
def wide_catalogue() -> dict[str, WideIndicator]:
    """Return the catalogue by id, made at the first call (a second or so: it loads pandas)."""
    with _library_warnings_muted():
        import pandas_ta_classic as library

    found: dict[str, WideIndicator] = {}
    for category, names in library.Category.items():
        for name in names:
            entry = _describe(library, category, name)
            if entry is not None:
                found[name] = entry
    return found


def _describe(library: ModuleType, category: str, name: str) -> WideIndicator | None:
    function = getattr(library, name, None)
    if name in LEFT_OUT or not callable(function):
        return None
    columns: list[str] = []
    params: dict[str, Any] = {}
    for key, parameter in inspect.signature(function).parameters.items():
        needed = parameter.default is inspect.Parameter.empty
        if parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
            continue
        if key.rstrip("_") in BARS:
            columns.append(key.rstrip("_"))
        elif needed:
            return None  # asks for more than bars: another indicator's output, for one
        elif key not in HIDDEN_PARAMS:
            params[key] = parameter.default
    if not columns:
        return None
    title = (inspect.getdoc(function) or name).strip().splitlines()[0].strip()
    return WideIndicator(
        id=name, title=title, category=category, columns=tuple(columns), params=params, _function=function
    )
