"""What every indicator of the table promises, whatever it computes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.indicators.registry import INDICATORS, indicator
from engine.features.indicators.spec import IndicatorSpec, Kind

Bars = dict[str, np.ndarray]
ALL = sorted(INDICATORS)
WANTED = set(
    # one line a family reads better than one line a name
    """
    sma ema wma hma rsi macd bbands atr adx stoch stochrsi cci willr roc mom obv mfi vwap vwma donchian keltner
    supertrend psar ichimoku aroon trix cmf ad pivots linreg stddev heikin_ashi
    """.split()  # noqa: SIM905
)


def small(spec: IndicatorSpec) -> dict[str, int]:
    """Short periods, so that a short history passes the warm-up."""
    return {p.name: {"fast": 3, "slow": 6}.get(p.name, 4) for p in spec.params if p.type is int and p.minimum <= 4}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray], stop: int) -> bool:
    return all(a[name][:stop].tobytes() == b[name][:stop].tobytes() for name in a)


def test_the_table_holds_every_indicator_of_the_plan() -> None:
    assert set(ALL) == WANTED


def test_reading_the_table_compiles_nothing(repo_dir: Path) -> None:
    code = "import sys; import engine.features.indicators.registry; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=repo_dir, check=False).returncode == 0


@pytest.mark.parametrize("id", ALL)
def test_the_warm_up_is_what_the_table_says(id: str, bars: Bars) -> None:
    spec = INDICATORS[id]
    for params in ({}, small(spec)):
        table = np.column_stack(list(spec.compute(bars, **params).values()))
        whole = np.isfinite(table).all(axis=1)
        # levels of the session before need a session before: 21 bars in this data
        first = 21 if id == "pivots" else spec.warmup(**params)
        assert int(whole.argmax()) == first
        assert whole[first:].all()


@pytest.mark.parametrize("id", ALL)
def test_dropping_the_future_changes_no_bit(id: str, bars: Bars) -> None:
    spec = INDICATORS[id]
    whole = spec.compute(bars)
    for cut in (1, 2, 60, 533, 1400):
        short = spec.compute({name: column[:cut] for name, column in bars.items()})
        assert same(whole, short, cut), cut


def test_an_indicator_that_looks_ahead_is_caught(bars: Bars) -> None:
    def ahead(b: Bars) -> dict[str, np.ndarray]:
        return {"x": np.append(b["close"][1:], np.nan)}

    assert not same(ahead(bars), ahead({name: column[:60] for name, column in bars.items()}), 60)


@pytest.mark.parametrize("id", ALL)
def test_an_invalid_bar_starts_the_warm_up_again(id: str, bars: Bars) -> None:
    spec = INDICATORS[id]
    broken = {name: column[:600].copy() for name, column in bars.items()}
    broken["close" if "close" in spec.reads() else "high"][200] = np.nan
    out = spec.compute(broken)
    fresh = spec.compute({name: column[201:600] for name, column in bars.items()})
    for name, column in out.items():
        assert np.isnan(column[200])
        assert column[201:].tobytes() == fresh[name].tobytes()


@pytest.mark.parametrize("id", ALL)
@given(data=st.data())
@settings(max_examples=15)
def test_nothing_is_ever_infinite_and_no_length_breaks_it(id: str, data: st.DataObject) -> None:
    spec = INDICATORS[id]
    size = data.draw(st.sampled_from([0, 1, 2, 5, 30, 90]))
    pick = st.sampled_from([0.0, 1e-12, 0.01, 1.0, 100.0, 100.0, 100.0, 1e9, 1e150, 1e300, np.nan, np.inf, -3.0])
    bars = {
        name: np.array(data.draw(st.lists(pick, min_size=size, max_size=size)), dtype=float)
        for name in ("open", "high", "low", "close", "volume")
    }
    bars["session"] = np.arange(size) // 7
    for name, column in spec.compute(bars, **small(spec)).items():
        assert column.shape == (size,), name
        assert column.dtype == np.float64
        assert not np.isinf(column).any(), name


@pytest.mark.parametrize("id", ALL)
def test_a_flat_market_gives_a_value_after_the_warm_up(id: str) -> None:
    spec = INDICATORS[id]
    bars = {name: np.full(300, 50.0) for name in ("open", "high", "low", "close")}
    bars |= {"volume": np.full(300, 10.0), "session": np.arange(300) // 20}
    for name, column in spec.compute(bars).items():
        assert np.isfinite(column[max(spec.warmup(), 20) :]).all(), name


def test_neutral_values_of_a_flat_market() -> None:
    bars = {name: np.full(100, 50.0) for name in ("high", "low", "close", "volume")}
    neutral = {"rsi": 50.0, "stoch": 50.0, "willr": -50.0, "cci": 0.0, "mfi": 50.0, "adx": 0.0, "cmf": 0.0, "roc": 0.0}
    for id, value in neutral.items():
        assert next(iter(INDICATORS[id].compute(bars).values()))[-1] == value, id


def test_a_wild_price_leaves_no_trace_once_it_is_long_gone() -> None:
    rng = np.random.default_rng(1)
    close = 100 + rng.standard_normal(3000)
    close[10] = 1e15
    for id in ("sma", "wma", "bbands", "stddev"):
        out = INDICATORS[id].compute({"close": close})
        clean = INDICATORS[id].compute({"close": close[11:]})
        for name in out:
            np.testing.assert_allclose(out[name][1100:], clean[name][1089:], rtol=1e-11)


@pytest.mark.parametrize("id", ALL)
def test_every_parameter_has_bounds_that_hold_its_default_and_refuse_what_is_outside(id: str) -> None:
    spec = INDICATORS[id]
    assert spec.resolve({}) == {p.name: p.default for p in spec.params}
    assert spec.kind in Kind
    assert len({o.name for o in spec.outputs}) == len(spec.outputs) > 0
    for p in spec.params:
        wrong: list[object] = ["neither", None, True, float("nan")]
        if p.type is not str:
            wrong += [p.minimum - 1, p.maximum + 1]
        if p.type is int:
            wrong.append(p.minimum + 0.5)
        for value in wrong:
            with pytest.raises(ValueError, match=f"{id}: {p.name} must be"):
                spec.resolve({p.name: value})


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="no parameter 'length'; it has period, source"):
        INDICATORS["rsi"].resolve({"length": 5})
    with pytest.raises(ValueError, match=r"fast \(30\) must be below slow \(26\)"):
        INDICATORS["macd"].resolve({"fast": 30})
    with pytest.raises(ValueError, match="atr needs the column 'high'"):
        INDICATORS["atr"].compute({"close": np.ones(3)})
    with pytest.raises(ValueError, match="needs columns of one length"):
        INDICATORS["atr"].compute({"high": np.ones(3), "low": np.ones(2), "close": np.ones(3)})
    with pytest.raises(ValueError, match="no indicator 'magic'"):
        indicator("magic")


def test_read_only_and_strided_columns_are_taken_as_they_are() -> None:
    wide = np.random.default_rng(2).random((200, 2)) + 50
    column = wide[:, 0]
    column.flags.writeable = False
    out = INDICATORS["ema"].compute({"close": column})["ema"]
    assert out.tobytes() == INDICATORS["ema"].compute({"close": column.copy()})["ema"].tobytes()
    bars = dict.fromkeys(("high", "low", "close"), column)
    before = column.copy()
    for id in ("ichimoku", "heikin_ashi", "psar"):
        for result in INDICATORS[id].compute({**bars, "open": column}).values():
            result[:] = 0.0
    assert column.tobytes() == before.tobytes()
