"""Answers about indicators as lines and panes of the chart. Pure functions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.api.commands import Receipt
from market_agent_gui.chart_memory import Study
from widgets.candle_chart.layers import IndicatorPane, LineLayer

_SHORT: Final = {
    "bbands": "BB", "donchian": "DC", "keltner": "KC", "linreg": "LR", "supertrend": "ST", "psar": "SAR",
    "ichimoku": "Ichimoku", "pivots": "Pivot", "stoch": "Stoch", "stochrsi": "StochRSI", "willr": "%R",
    "aroon": "Aroon", "stddev": "StdDev", "ad": "A/D", "heikin_ashi": "HA",
}  # fmt: skip
_LEVELS: Final = {
    "rsi": (30.0, 70.0), "stoch": (20.0, 80.0), "stochrsi": (20.0, 80.0), "mfi": (20.0, 80.0), "adx": (25.0,),
    "cci": (-100.0, 100.0), "willr": (-80.0, -20.0), "macd": (0.0,), "roc": (0.0,), "mom": (0.0,), "trix": (0.0,),
    "cmf": (0.0,), "aroon": (0.0,),
}  # fmt: skip
_GROUNDS: Final = {("ichimoku", "lead_a"): "lead_b"}
"""Lines with the ground tinted between them: the cloud."""
_PLAIN: Final = ("close", "classic")
_LOOKS: Final = (
    ("t1", ()), ("t1", (6.0, 3.0)), ("t1", (2.0, 2.0)), ("t2", ()), ("t2", (6.0, 3.0)), ("t2", (2.0, 2.0)),
    ("t3", ()), ("t3", (6.0, 3.0)), ("t3", (2.0, 2.0)),
)  # fmt: skip
"""Told apart by stroke and brightness: colour on the chart is for state."""
_DOTS: Final = (1.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An indicator as it was computed: stamps in UTC ns, a column an output."""

    study: Study
    kind: str
    params: Mapping[str, int | float | str]
    stamps: NDArray[np.int64]
    outputs: Mapping[str, NDArray[np.float64]]
    shifts: Mapping[str, int]


def read_answer(study: Study, receipt: Receipt, drawn: frozenset[str]) -> Answered | None:
    """Read the answer of GetIndicator; None when it is none. Outputs not ``drawn`` are numbers for rules."""
    data: dict[str, Any] = receipt.data
    packed = data.get("outputs")
    if not receipt.ok or not isinstance(packed, dict):
        return None
    shown = {
        name: np.frombuffer(column, np.float64)
        for name, column in packed.items()
        if name in drawn and (not study.outputs or name in study.outputs)
    }
    return Answered(
        study=study,
        kind=str(data["kind"]),
        params=data["params"],
        stamps=np.frombuffer(data["ts_open"], np.int64),
        outputs=shown,
        shifts=data["shifts"],
    )


def study_name(study: Study, params: Mapping[str, int | float | str]) -> str:
    """Return a short name: ``EMA 20``, ``MACD 12 26 9``."""
    words = [_SHORT.get(study.id, study.id.upper())]
    words += [
        str(value)
        for value in params.values()
        if isinstance(value, int) or (value not in (*_PLAIN,) and isinstance(value, str))
    ]
    return " ".join(words)


def line_names(answers: Iterable[Answered]) -> list[dict[str, str]]:
    """Return, for each answer, its outputs and the names of their lines, each of them once."""
    taken: set[str] = set()
    named = []
    for answer in answers:
        base, names = study_name(answer.study, answer.params), {}
        short = _SHORT.get(answer.study.id, answer.study.id.upper())
        for output in answer.outputs:
            single = len(answer.outputs) == 1 or output == answer.study.id
            words = output.replace("_", " ")
            name = base if single else f"{base} {words}"
            if names and not single and f"{short} {words}" not in taken:
                name = f"{short} {words}"  # the first line has said the numbers
            while name in taken:
                name += "′"
            taken.add(name)
            names[output] = name
        named.append(names)
    return named


def on_bars(stamps: NDArray[np.int64], answer: Answered, output: str) -> NDArray[np.float64]:
    """Return an output at the bars of the chart, shifted as it is drawn; NaN where it is not known."""
    values = _unshifted(stamps, answer, output)
    shift = answer.shifts.get(output, 0)
    if not shift:
        return values
    moved = np.full(stamps.size, np.nan)
    if abs(shift) < stamps.size:
        if shift > 0:
            moved[shift:] = values[:-shift]
        else:
            moved[:shift] = values[-shift:]
    return moved


def beyond_bars(stamps: NDArray[np.int64], answer: Answered, output: str) -> NDArray[np.float64]:
    """Return what an output drawn to the right of its bars shows after the last bar, one value a bar to come."""
    shift = answer.shifts.get(output, 0)
    if shift <= 0:
        return np.empty(0)
    known = _unshifted(stamps, answer, output)[-shift:]
    return np.concatenate((np.full(shift - known.size, np.nan), known))


def _unshifted(stamps: NDArray[np.int64], answer: Answered, output: str) -> NDArray[np.float64]:
    values = np.full(stamps.size, np.nan)
    if answer.stamps.size and stamps.size:
        at = np.minimum(np.searchsorted(answer.stamps, stamps), answer.stamps.size - 1)
        found = answer.stamps[at] == stamps
        values[found] = answer.outputs[output][at[found]]
    return values


def overlays(
    stamps: NDArray[np.int64], answers: Iterable[Answered], styles: Mapping[tuple[str, str], str]
) -> tuple[LineLayer, ...]:
    """Return the lines over the bars. ``styles`` says how (id, output) is drawn."""
    answers = tuple(answers)
    look = 0
    lines = []
    for answer, names in zip(answers, line_names(answers), strict=True):
        if answer.kind != "overlay":
            continue
        for output, name in names.items():
            role, dash = _LOOKS[look % len(_LOOKS)]
            if styles.get((answer.study.id, output)) == "dots":
                dash = _DOTS
            values = on_bars(stamps, answer, output)
            if answer.study.id in _BY_SESSION:
                values = _parted(stamps, values)
            ahead = beyond_bars(stamps, answer, output)
            ground = names.get(_GROUNDS.get((answer.study.id, output), ""), "")
            lines.append(LineLayer(name=name, values=values, role=role, dash=dash, ahead=ahead, ground=ground))
            if output != "upper":
                look += 1  # a band's two edges look alike
        if "upper" in names and "lower" in names:
            lines[-1] = replace(lines[-1], role="t2", dash=(6.0, 3.0))
    return tuple(lines)


def panes(
    stamps: NDArray[np.int64], answers: Iterable[Answered], styles: Mapping[tuple[str, str], str]
) -> tuple[IndicatorPane, ...]:
    """Return the panes below the bars."""
    answers = tuple(answers)
    made = []
    for answer, names in zip(answers, line_names(answers), strict=True):
        if answer.kind != "pane":
            continue
        bars = [output for output in names if styles.get((answer.study.id, output)) == "histogram"]
        lines = tuple(
            LineLayer(name=names[output], values=on_bars(stamps, answer, output), role=role, dash=dash)
            for (role, dash), output in zip(_LOOKS, (name for name in names if name not in bars), strict=False)
        )
        columns = [LineLayer(name=names[output], values=on_bars(stamps, answer, output)) for output in bars]
        made.append(
            IndicatorPane(
                title=study_name(answer.study, answer.params),
                lines=lines,
                histogram=columns[0] if columns else None,
                levels=_LEVELS.get(answer.study.id, ()),
                decimals=_decimals(answer.outputs.values()),
            )
        )
    return tuple(made)


def _decimals(columns: Iterable[NDArray[np.float64]]) -> int:
    """Return the decimals that tell values of these columns apart: two of an RSI, four of the MACD of a cheap share."""
    known = [column[np.isfinite(column)] for column in columns]
    most = max((float(np.abs(column).max()) for column in known if column.size), default=0.0)
    if most >= 10_000 or most <= 0:
        return 0 if most else 2
    return min(6, max(2, 2 - math.floor(math.log10(most))))


_BY_SESSION: Final = ("vwap", "pivots")
_NIGHT_NS: Final = 2 * 3_600 * 10**9


def _parted(stamps: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lift the pen where a session begins: today's line is not joined to yesterday's."""
    gap = max(_NIGHT_NS, 2 * int(np.min(np.diff(stamps), initial=_NIGHT_NS)))
    values[:-1][np.diff(stamps) > gap] = np.nan
    return values


def newest(last: int, answers: Iterable[Answered]) -> dict[str, float]:
    """Return the values of all lines at the bar that began at ``last``; shifted lines have none there."""
    answers = tuple(answers)
    values = {}
    for answer, names in zip(answers, line_names(answers), strict=True):
        at = int(np.searchsorted(answer.stamps, last))
        if at < answer.stamps.size and int(answer.stamps[at]) == last:
            for output, name in names.items():
                if not answer.shifts.get(output, 0):
                    values[name] = float(answer.outputs[output][at])
    return values
