"""The wide catalogue: what it lists works on bars alone, gives a value a bar, and cannot see ahead."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.features.indicators.wide import HIDDEN_PARAMS, LEFT_OUT, WideIndicatorFailed, wide_catalogue

Bars = dict[str, np.ndarray]


def ahead(id: str, bars: Bars, cut: int) -> list[str]:
    whole = wide_catalogue()[id].compute(bars)
    short = wide_catalogue()[id].compute({name: column[:cut] for name, column in bars.items()})
    assert set(whole) == set(short)
    return [n for n in whole if not np.allclose(whole[n][:cut], short[n], rtol=1e-9, atol=1e-9, equal_nan=True)]


def test_nothing_of_it_is_loaded_before_it_is_asked_for(repo_dir: Path) -> None:
    code = (
        "import sys; import engine.features.indicators.wide; "
        "sys.exit('pandas' in sys.modules or 'pandas_ta_classic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=repo_dir, check=False).returncode == 0


def test_it_is_wide_and_every_entry_says_what_it_is_and_takes() -> None:
    catalogue = wide_catalogue()
    assert len(catalogue) > 150
    for id, entry in catalogue.items():
        assert entry.title
        assert entry.columns
        assert not HIDDEN_PARAMS & set(entry.params), id
        assert id not in LEFT_OUT


def test_no_indicator_of_the_catalogue_looks_ahead(bars: Bars) -> None:
    few = {name: column[500:820] for name, column in bars.items()}
    found = {id: columns for id in wide_catalogue() if (columns := ahead(id, few, 260))}
    assert found == {}


def test_parameters_reach_the_indicator(bars: Bars) -> None:
    sma = next(iter(wide_catalogue()["sma"].compute(bars, length=7).values()))
    expected = np.convolve(bars["close"], np.ones(7) / 7, "valid")
    np.testing.assert_allclose(sma[6:], expected)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"offset": -1}, "no parameter 'offset'"),
        ({"drift": -1}, "no parameter 'drift'"),
        ({"length": -5}, "length must be a number from 0"),
        ({"length": float("nan")}, "length must be a number from 0"),
        ({"length": [5]}, "length must be a number, a word"),
    ],
)
def test_a_parameter_that_could_read_the_future_or_is_no_number_is_refused(
    params: dict[str, object], words: str, bars: Bars
) -> None:
    with pytest.raises(ValueError, match=words):
        wide_catalogue()["rsi"].compute(bars, **params)


def test_too_short_a_history_and_a_missing_column_say_so(bars: Bars) -> None:
    with pytest.raises(WideIndicatorFailed, match="atr"):
        wide_catalogue()["atr"].compute({name: column[:3] for name, column in bars.items()})
    with pytest.raises(ValueError, match="needs the column 'high'"):
        wide_catalogue()["atr"].compute({"close": bars["close"]})
